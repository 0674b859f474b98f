"""Keeps what a training run shows of itself, over time: to be drawn, live or afterwards.

>>> recorder = Recorder(x, y)
>>> RECIPE.trainer(model, observers=[recorder]).fit(x, y)
>>> plots.signals(recorder)
"""

import math
import time
from dataclasses import dataclass

import numpy as np

from course.nn.losses import SoftmaxCrossEntropy
from course.nn.signals import Monitor, dead_units, flat_share, look_now

SAMPLES = 64  # that are sent through the network now and then


@dataclass(frozen=True)
class Point:
    """What was seen after one step, or before the first."""

    step: int  # 0 is before the first
    epoch: float  # 2.5 is the middle of the third
    loss: float  # of the samples
    ratios: dict  # parameter with units -> update-to-weight ratio, ||step|| / ||w||
    silent: dict  # ReLU -> share of dead units; sigmoid or tanh -> share of outputs at its ends
    deltas: dict  # layer with weights -> root mean square of dLoss/d(its output)


class Recorder(Monitor):
    """A Monitor that also sends some of the samples x (samples, ...), y (samples,) through.

    x and y are what `trainer.fit` gets; what it holds out for validation is left out.
    It looks before the first step, after the first few, and then at every `every`-th one, or else
    as often as takes `share` of the time. `points` is what it saw, in the order of the steps,
    `first` and `last` are the Signals at its ends, and `seconds` is what it took between steps.
    """

    FIRST_STEPS = 3

    def __init__(self, x, y, share=0.03, every=None):
        super().__init__(every)
        self._given = x, y
        self._choose(len(x))
        self.share = share
        self.trainer = None  # until training begins
        self._forget()

    def _choose(self, count):
        """Take the samples from the first `count` of what was given, evenly spread."""
        x, y = self._given
        chosen = np.linspace(0, count - 1, min(SAMPLES, count)).astype(int)
        self.x, self.y = x[chosen], y[chosen]  # (64, ...), (64,)

    def _forget(self):
        self.points, self.seconds = [], 0.0
        self.first = self.last = None

    def on_begin(self, trainer):
        super().on_begin(trainer)
        self.trainer = trainer
        count = len(self._given[0])
        self._choose(count - trainer.settings.held_out(count))  # a loss of training, not of both
        self._forget()
        self._began = time.perf_counter()
        self._look(trainer.epoch)
        self.first = self.last

    def on_batch(self, batch, batches):
        started = time.perf_counter()
        is_measured = bool(self._before)
        super().on_batch(batch, batches)
        if is_measured:
            self._look(self.trainer.epoch + batch / batches)
        self.seconds += time.perf_counter() - started

    def is_next_due(self):
        if self.every or self.step < self.FIRST_STEPS:
            return super().is_next_due()
        return self.seconds <= self.share * (time.perf_counter() - self._began)

    def _look(self, epoch):
        with np.errstate(all="ignore"):  # who reads the numbers sees it
            now = look_now(self.trainer, self.x, self.y)
            ratios = {name: seen[-1] for name, seen in self.ratios.items() if seen}
            silent = {name: silent_share(kind, y) for name, kind, y in now.bends}
        self.points.append(Point(self.step, epoch, now.loss, ratios, silent, now.deltas))
        self.last = now

    @property
    def guessing(self):
        """The loss of equal chances for all classes, ln(classes); None where there are none."""
        classifies = self.last and isinstance(self.trainer.loss_fn, SoftmaxCrossEntropy)
        return math.log(self.last.classes) if classifies else None


def silent_share(kind, y):
    """How much of what a bend gives lets no gradient through: a share in [0, 1]."""
    return float(np.mean(dead_units(y))) if kind == "ReLU" else flat_share(kind, y)
