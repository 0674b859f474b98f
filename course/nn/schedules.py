"""Learning-rate schedules: how far to step, and when.

A schedule is called with the time since the start of training in epochs (2.5 is the middle of the
third) and returns the learning rate. `make` builds one from a name, `from_json` from a file.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path

from course.nn.errors import CourseError


class ScheduleError(CourseError, ValueError):
    """A schedule's name, file or number makes no sense; the message says which and why."""


@dataclass(frozen=True)
class Constant:
    """The same learning rate throughout."""

    learning_rate: float

    def __call__(self, epoch):
        return self.learning_rate


@dataclass(frozen=True)
class StepDecay:
    """Multiply by `gamma` after every `step_size` whole epochs."""

    learning_rate: float
    step_size: int = 3
    gamma: float = 0.5

    def __call__(self, epoch):
        return self.learning_rate * self.gamma ** (math.floor(epoch) // self.step_size)


@dataclass(frozen=True)
class Exponential:
    """Multiply by `gamma` after every whole epoch."""

    learning_rate: float
    gamma: float = 0.9

    def __call__(self, epoch):
        return self.learning_rate * self.gamma ** math.floor(epoch)


@dataclass(frozen=True)
class CosineAnnealing:
    """Half a cosine from the start down to `min_lr` at `T_max` epochs, set anew each whole epoch.

    Loshchilov & Hutter, "SGDR", ICLR 2017, eq. 5, without restarts; stays at `min_lr` afterwards.
    """

    learning_rate: float
    T_max: float = 10
    min_lr: float = 0.0

    def __call__(self, epoch):
        progress = min(math.floor(epoch) / self.T_max, 1.0)
        return _cosine(self.learning_rate, self.min_lr, progress)


@dataclass(frozen=True)
class WarmupCosine:
    """Rise in a straight line from 0 for `warmup` epochs, then half a cosine down to `min_lr`.

    Moves at every step. The warm-up is Goyal et al., "Accurate, Large Minibatch SGD", 2017,
    section 2.2; with the cosine it is the usual schedule of transformers.
    """

    learning_rate: float
    epochs: float
    warmup: float = 1.0
    min_lr: float = 0.0

    def __call__(self, epoch):
        if epoch < self.warmup:
            return self.learning_rate * epoch / self.warmup
        progress = (epoch - self.warmup) / (self.epochs - self.warmup)
        return _cosine(self.learning_rate, self.min_lr, min(progress, 1.0))


@dataclass(frozen=True)
class OneCycle:
    """Half a cosine up from peak / 25 during the first `rise` of the run, then down to almost 0.

    Smith & Topin, "Super-Convergence", 2018, with cosines for the straight lines; moves at every
    step. `learning_rate` is the peak.
    """

    learning_rate: float
    epochs: float
    rise: float = 0.3

    def __call__(self, epoch):
        peak = self.learning_rate
        progress = min(epoch / self.epochs, 1.0)
        if progress < self.rise:
            return _cosine(peak / 25, peak, progress / self.rise)
        return _cosine(peak, peak / 250_000, (progress - self.rise) / (1.0 - self.rise))


def _cosine(start, end, progress):
    """Go from start to end along half a cosine as progress goes from 0 to 1."""
    return end + (start - end) * (1.0 + math.cos(math.pi * progress)) / 2.0


def make(name, learning_rate, epochs):
    """Build a schedule from its name, or from a JSON file if `name` ends in ".json".

    Names: constant, step, exponential, cosine, warmup_cosine, one_cycle; a run of `epochs` fits
    each of them. Raises ScheduleError for another name or a file that makes no sense.
    """
    if str(name).endswith(".json"):
        return from_json(name, learning_rate)
    makers = {
        "constant": lambda: Constant(learning_rate),
        "step": lambda: StepDecay(learning_rate),
        "exponential": lambda: Exponential(learning_rate),
        "cosine": lambda: CosineAnnealing(learning_rate, T_max=epochs),
        "warmup_cosine": lambda: WarmupCosine(learning_rate, epochs, warmup=min(1.0, epochs / 4)),
        "one_cycle": lambda: OneCycle(learning_rate, epochs),
    }
    if name not in makers:
        raise ScheduleError(
            f"unknown schedule {name!r}: use {', '.join(makers)} or the path of a .json file"
        )
    return makers[name]()


_JSON_TYPES = {
    "constant": (Constant, ()),
    "step_decay": (StepDecay, ("step_size", "gamma")),
    "exponential": (Exponential, ("gamma",)),
    "cosine_annealing": (CosineAnnealing, ("T_max", "min_lr")),
}
_REQUIREMENTS = {
    "step_size": ("a whole number above 0", lambda value: 1 <= value and value.is_integer()),
    "gamma": ("a number above 0, at most 1", lambda value: 0 < value <= 1),
    "T_max": ("a number above 0", lambda value: 0 < value < math.inf),
    "min_lr": ("a number, 0 or more", lambda value: 0 <= value < math.inf),
}


def from_json(path, learning_rate):
    """Read a schedule such as {"scheduler_type": "step_decay", "step_size": 3, "gamma": 0.5}.

    Types: constant; step_decay (step_size, gamma); exponential (gamma); cosine_annealing (T_max,
    min_lr). Values left out keep their defaults. Raises ScheduleError with file and field.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8-sig"), parse_int=float)
    except (OSError, ValueError, RecursionError) as error:
        raise ScheduleError(f"{path}: cannot read a schedule: {error}") from None
    kind = content.pop("scheduler_type", None) if isinstance(content, dict) else None
    if not isinstance(kind, str) or kind not in _JSON_TYPES:
        raise ScheduleError(
            f'{path}: "scheduler_type" must be one of {", ".join(_JSON_TYPES)}, found {kind!r:.40}'
        )
    schedule_class, fields = _JSON_TYPES[kind]
    for field, value in content.items():
        if field not in fields:
            raise ScheduleError(f"{path}: {kind} has no field {field!r:.40}, only {list(fields)}")
        requirement, is_met = _REQUIREMENTS[field]
        if not isinstance(value, float) or not is_met(value):
            raise ScheduleError(f'{path}: "{field}" must be {requirement}, found {value!r:.40}')
    return schedule_class(learning_rate, **content)
