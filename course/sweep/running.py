"""One run of a sweep, anywhere: in this process, in another one, on another machine."""

import contextlib
import dataclasses
import math
import time

import numpy as np

from course import models
from course.nn import shares
from course.nn.training import DivergedError, evaluate
from course.sweep.settings import recipe_of


@dataclasses.dataclass(frozen=True)
class Samples:
    """What is learned from and tested on.

    x (samples, inputs) and test_x floats, y (samples,) and test_y labels; `answers` is how many
    numbers a model must give.
    """

    x: np.ndarray
    y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    answers: int = 10

    @property
    def arrays(self):
        """The four of them."""
        return self.x, self.y, self.test_x, self.test_y


def run(settings, seed, samples):
    """Train one network, on one core; return what is kept of it, a dict.

    `outcome`: how training ended ("finished", "early" or "diverged"); `epochs_done`; `curve`: the
    accuracy on the held-out digits after each epoch, a list; `val_accuracy`, `val_loss`,
    `test_accuracy` and `test_loss` of the weights in the end, NaN if it diverged; `seconds` of
    training. To diverge is a result. Raises KeyboardInterrupt if it was interrupted.
    """
    recipe = recipe_of(settings, seed)
    model = models.build(settings["model"], seed=seed, outputs=samples.answers)
    trainer = recipe.trainer(model)
    began = time.perf_counter()
    with shares.limit(1):
        with contextlib.suppress(DivergedError):
            trainer.fit(samples.x, samples.y)
        seconds = time.perf_counter() - began
        if trainer.stopped == "interrupted":
            raise KeyboardInterrupt
        val, test = judge(trainer, samples)
    return {
        "outcome": trainer.stopped,
        "epochs_done": trainer.epoch,
        "val_accuracy": val[1],
        "val_loss": val[0],
        "test_accuracy": test[1],
        "test_loss": test[0],
        "seconds": round(seconds, 3),
        "curve": [record.val_accuracy for record in trainer.records],
    }


def judge(trainer, samples):
    """(loss, accuracy) on the held-out and on the test digits.

    The last record will not do for the first pair: patience puts the best weights back, and
    averaging the mean ones in.
    """
    if trainer.stopped == "diverged":
        return (math.nan, math.nan), (math.nan, math.nan)
    held_out = trainer.settings.held_out(len(samples.x))
    with np.errstate(over="ignore", invalid="ignore"):  # weights may be large without an end
        return (
            evaluate(trainer.model, samples.x[-held_out:], samples.y[-held_out:]),
            evaluate(trainer.model, samples.test_x, samples.test_y),
        )


def compile_loops(runs):
    """Take a few steps of each kind of run, so that what they need is compiled, once.

    Otherwise all processes would begin by compiling the same loops.
    """
    kinds = {}
    for settings, seed in runs:
        kind = tuple(settings[name] for name in ("model", "optimizer", "augment"))
        kinds.setdefault((*kind, settings["average"] > 0), (settings, seed))
    few = {"epochs": 2, "plain_epochs": 1, "validation_split": 0.5, "patience": None}
    for settings, seed in kinds.values():
        batch = 2 * settings["batch_size"]
        x, y = np.zeros((batch, 784), np.float32), np.zeros(batch, np.uint8)
        run(settings | few, seed, Samples(x, y, x[:1], y[:1]))
