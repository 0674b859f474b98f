"""A broken network to diagnose and to mend: an exercise whose answer is a training run."""

import contextlib
import functools
import inspect
import itertools
import types
from dataclasses import dataclass

import numpy as np

from course import mnist
from course.exercises.exercise import Exercise
from course.exercises.running import TimeIsUp, run
from course.exercises.traces import where
from course.exercises.verdict import Verdict
from course.nn.doctor import examine
from course.nn.recipe import Recipe
from course.nn.recorder import Recorder
from course.nn.text import wrapped
from course.nn.training import DivergedError, evaluate

LESSON = "09b-clinic"
TRAINED, HELD_OUT = 1000, 500  # digits, all of them from MNIST's training set
EVERY = 5  # steps, from one look of the recorder to the next
NO_RUN = (
    "Not yet: return what training needs, `model, recipe, x, labels`, and leave the training to "
    "the check."
)


@dataclass(frozen=True)
class Treatment:
    """A network as it was trained: what the function returned, and what came of it."""

    model: object
    recipe: Recipe
    x: np.ndarray
    labels: np.ndarray
    recorder: Recorder
    accuracy: float  # of digits that were held out: a share in [0, 1]
    illness: str  # that it came with

    @functools.cached_property
    def findings(self):
        return examine(self.recorder.trainer, self.x, self.labels)

    @property
    def is_ill(self):
        return self.illness in [finding.illness for finding in self.findings]

    @property
    def first_weights(self):
        return self.recorder.start

    @property
    def kinds(self):
        """The names of the layers' classes."""
        return [type(layer).__name__ for _, layer in self.model.walk()]

    @property
    def size(self):
        return sum(array.size for array in self.model.parameters.values())


class Patient(Exercise):
    """A network that is ill, in a function to mend.

    The function gets images (count, 28, 28) of bytes and their labels (count,), and returns what
    training needs: (model, recipe, x, labels). The check trains 1,000 digits, sends 500 others the
    same way, and asks the doctor. `recorder` and `accuracy` are of the sick network.

    Args:
        sick: the function as it stands in the lesson.
        illness: what the doctor calls it, see `course.nn.doctor.ILLNESSES`.
        mend: (old, new): what to write in place of what, in the source of `sick`; None in a copy
            without solutions.
        look: the first hint, where to look; after it come the doctor's words and the mend.
        reads: the share of held-out digits that a mended network reads at least.
        mistakes: a sentence -> function of (treatment, sick treatment) that says whether it fits
            an attempt that has not helped.
        noise: the share of labels that are drawn anew before the function gets them.
        limit: seconds that the mended network may train.
    """

    def __init__(self, sick, illness, mend, look, *, reads, mistakes, noise=0.0, limit=60.0):
        self.sick = sick
        self.illness = illness
        self.mend = mend
        self.reads = reads
        self.noise = noise
        solution = mended(sick, mend) if mend else sick
        super().__init__(solution, None, lesson=LESSON, mistakes=mistakes, limit=limit)
        self.hints = (lambda: look, self.second_opinion, *([self._line] if mend else []))
        self._numbered = itertools.cycle(enumerate(self.hints, start=1))

    @functools.cached_property
    def _ill(self):
        return self._treat(self.sick)

    @property
    def recorder(self):
        """The Recorder that watched the sick network being trained."""
        return self._ill.recorder

    @property
    def accuracy(self):
        """The share of held-out digits that the sick network reads."""
        return self._ill.accuracy

    def second_opinion(self):
        """What the doctor says of the sick network: the cause, as the rest may follow from it."""
        return self._ill.findings[0].text

    def hint(self):
        """Print the next hint: where to look, what the doctor says, what to write or take out."""
        number, text = next(self._numbered)
        print(wrapped(f"Hint {number} of {len(self.hints)}: {text()}"))

    def _line(self):
        old, new = (part.strip() for part in self.mend)
        return f"Write\n    {new}\nin place of\n    {old}" if new else f"Take out\n    {old}"

    @property
    def has_solution(self):
        return self.mend is not None

    def _show(self):
        """Print what to write in place of what, and keep that it was shown."""
        print(self._line())
        self._keep(Verdict("revealed", "solution", "The solution was shown."), checks=0)

    def verdict(self, attempt, forward=None, seed=0):
        """Return the `Verdict` on a function in place of `sick`; `seed` chooses the digits."""
        if self.has_solution and self._is_solution(attempt):
            return super().verdict(attempt)
        if attempt is None or attempt is Ellipsis or is_same(attempt, self.sick):
            text = "Not attempted yet: the function is as it was. Change one thing in it."
            return Verdict("not attempted", "nothing", text)
        outcome = run(self._treat, attempt, seed, seconds=self.limit)
        if isinstance(outcome.error, TimeIsUp):
            text = (
                f"Not yet: it trains for more than {self.limit:.0f} seconds, where few are enough."
            )
            return Verdict("wrong", "time", f"{text} Take a smaller network, or fewer epochs.")
        if outcome.error:
            error = outcome.error
            text = f"Not yet: it ended with {type(error).__name__}: {error}"
            return Verdict("wrong", "error", "\n".join(filter(None, [text, where(error)])))
        if outcome.value is None:
            return Verdict("wrong", "shape", NO_RUN)
        return self._judge(outcome.value)

    def _judge(self, treated):
        reads = f"{treated.accuracy:.0%} of {HELD_OUT} new digits"
        if not treated.is_ill and treated.accuracy >= self.reads:
            text = f"Healthy: it reads {reads}, and the doctor finds no more {self.illness!r}."
            others = "".join(f" But the doctor adds: {finding}" for finding in treated.findings)
            return Verdict("passed", "right", text + others)
        lacks = "what ails it is still there" if treated.is_ill else f"{self.reads:.0%} are wanted"
        text = f"Not yet: it reads {reads}, and {lacks}."
        fitting = (s for s, fits in self.mistakes.items() if fits(treated, self._ill))
        if mistake := next(fitting, ""):
            return Verdict("wrong", "mistake", f"{text} {mistake}")
        return Verdict("wrong", "value", f"{text} {self._advice(treated)}")

    def _advice(self, treated):
        """What to do next, for an attempt that no known mistake fits."""
        if treated.is_ill:
            return f"`clinic.{self.sick.__name__.upper()}.hint()` says where to look."
        if treated.findings:
            return f"The doctor finds no more of what ailed it, but: {treated.findings[0]}"
        return (
            "The doctor finds no more of what ailed it. What else is not as it was? Change one "
            "thing only."
        )

    def _treat(self, function, seed=0):
        """Train what `function` returns; None if that is no training run."""
        training, held_out = self._digits(seed)
        result = function(*training)
        if not isinstance(result, tuple) or len(result) != 4:
            return None
        model, recipe, x, labels = result
        if not isinstance(recipe, Recipe) or not hasattr(model, "forward"):
            return None
        recorder = Recorder(x, labels, every=EVERY)
        with contextlib.suppress(DivergedError):  # the doctor says it
            recipe.trainer(model, [recorder]).fit(x, labels)
        *_, new_x, new_labels = function(*held_out)
        with np.errstate(all="ignore"):
            accuracy = evaluate(model, new_x, new_labels)[1]
        return Treatment(model, recipe, x, labels, recorder, accuracy, self.illness)

    def _digits(self, seed):
        """((images, labels) to train on, the same of other digits): copies, to do with at will."""
        digits, random = mnist.load(), np.random.default_rng(seed)
        order = random.permutation(len(digits.train_images))
        chosen = np.split(order[: TRAINED + HELD_OUT], [TRAINED])
        training, held_out = ((digits.train_images[c], digits.train_labels[c]) for c in chosen)
        drawn = random.random(TRAINED) < self.noise
        training[1][drawn] = random.integers(0, 10, drawn.sum())
        return training, held_out


def mended(sick, mend=("", "")):
    """The function with one part of its source replaced, as if it stood in a cell of its own."""
    source = inspect.getsource(sick)
    if mend[0] not in source:
        raise ValueError(f"{sick.__name__} has no {mend[0]!r}")
    names = dict(sick.__globals__)
    exec(compile(source.replace(*mend), f"<{sick.__name__}>", "exec"), names)
    return names[sick.__name__]


def is_same(attempt, sick):
    """Whether a function is written as the sick one, but for comments and spaces."""
    if attempt is sick:
        return True
    code = getattr(attempt, "__code__", None)
    return code is not None and essence(code) == essence(mended(sick).__code__)


def essence(code):
    """What a code object does, wherever it stands."""
    constants = [essence(c) if isinstance(c, types.CodeType) else repr(c) for c in code.co_consts]
    return code.co_code, constants, code.co_names, code.co_varnames
