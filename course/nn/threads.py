"""A busy machine: give BLAS one thread while another program has taken a core.

The threads of a BLAS meet after every product. If one of them has to share its core, all wait for
it, for a time slice of the system (milliseconds) where the product itself takes a fraction of one:
with one of two cores taken, an epoch took five to nine times as long. One thread alone took 1.5
times as long. Which is better now can only be found by trying.
"""

import time

import numpy as np

from course.nn import blas
from course.nn.layers import Dense
from course.nn.training import Observer

WINDOW = 16  # steps in one measurement
SUSPICIOUS = 1.4  # this much slower than the best seen, and one thread is tried
LONGEST_WAIT = 64  # windows between two trials, at most and unless something is suspicious


class ThreadGovernor(Observer):
    """Times the steps of training and lets BLAS have all threads or one, whichever is faster.

    It does nothing where the two would give different bits (see `blas.use_one_thread`), so that a
    run is reproducible whatever else the machine does. For batches of another size that is not
    known: the epoch's last, which may be smaller, and those of validation have all threads.
    """

    def on_begin(self, trainer):
        size = trainer.settings.batch_size
        dense = [layer for _, layer in trainer.model.walk() if isinstance(layer, Dense)]
        weights = [layer.parameters["w"] for layer in dense]
        self.allowed = bool(weights) and all(
            blas.same_bits_with_one_thread(size, *w.shape, w.dtype) for w in weights
        )
        self.one_thread = False
        self.switches = 0
        self._best = np.inf  # seconds a step, with all threads
        self._on_trial = False
        self._wait = 1
        self._countdown = -LONGEST_WAIT  # the machine may be busy already: try at once
        self._steps = 0

    def on_batch(self, batch, batches):
        now = time.perf_counter()
        if batch == 1 or self._steps == 0:  # what came before was not a step
            self._started, self._steps = now, 0
        self._steps += 1
        if self._steps > WINDOW and self.allowed:
            self._judge((now - self._started) / WINDOW)
            self._steps = 0
        next_is_last = batch >= batches - 1
        blas.use_one_thread(self.one_thread and not next_is_last)

    def on_end(self, trainer):
        blas.use_one_thread(False)

    def _judge(self, seconds):
        """Decide, after a window whose steps took `seconds` each, how to go on."""
        if not self.one_thread:
            self._best = min(self._best, seconds)
        if self._on_trial:
            self._on_trial = False
            if seconds < 0.9 * self._before:
                self._wait = 8
                self.switches += 1
            else:
                self.one_thread = not self.one_thread
                self._wait = min(2 * self._wait, LONGEST_WAIT)
            self._countdown = self._wait
            return
        self._countdown -= 1
        suspicious = self.one_thread or seconds > SUSPICIOUS * self._best
        if self._countdown <= (0 if suspicious else -LONGEST_WAIT):
            self._before = seconds
            self._on_trial = True
            self.one_thread = not self.one_thread
