"""What the checks of the doctor get, a Case, and what they give, Findings."""

from dataclasses import dataclass

import numpy as np

from course.nn.errors import CourseError
from course.nn.losses import SoftmaxCrossEntropy
from course.nn.rate_sweep import Sweep
from course.nn.signals import Monitor, Signals

PROBE = 256  # samples that are sent through the network


class ExamineError(CourseError, ValueError):
    """There is nothing to examine; the message says what is missing."""


@dataclass(frozen=True)
class Finding:
    """One illness: its short name, and two or three sentences for the reader."""

    illness: str
    text: str

    def __str__(self):
        return self.text


@dataclass
class Case:
    """A training run as the checks get it. `start` is None where no Monitor was listening."""

    trainer: object
    x: np.ndarray  # what was trained on
    y: np.ndarray
    held_out: dict  # "validation" or "test" -> samples that training must not know
    monitor: Monitor | None = None
    start: Signals | None = None
    now: Signals | None = None
    sweep: Sweep | None = None

    @property
    def probe(self):
        chosen = np.linspace(0, len(self.x) - 1, min(PROBE, len(self.x))).astype(int)
        return self.x[chosen], self.y[chosen]

    @property
    def first_weights(self):
        return self.monitor.start if self.monitor else {}

    @property
    def classifies(self):
        return isinstance(self.trainer.loss_fn, SoftmaxCrossEntropy)
