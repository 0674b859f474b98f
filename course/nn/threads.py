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
LONGEST_WAIT = 64  # windows between two trials, at most


class ThreadGovernor(Observer):
    """Times the steps of training and lets BLAS have all threads or one, whichever is faster.

    It does nothing where the two would give different bits (see `blas.use_one_thread`), so that a
    run is reproducible whatever else the machine does.
    """

    def on_begin(self, trainer):
        size = trainer.settings.batch_size
        dense = [layer for _, layer in trainer.model.walk() if isinstance(layer, Dense)]
        weights = [layer.parameters["w"] for layer in dense]
        self.allowed = all(blas.same_bits_with_one_thread(size, *w.shape, w.dtype) for w in weights)
        self.one_thread = False
        self.switches = 0
        self._best = np.inf  # seconds a step, with all threads
        self._on_trial = False
        self._wait = self._countdown = 1
        self._steps = 0

    def on_batch(self, batch, batches):
        now = time.perf_counter()
        if batch == 1 or self._steps == 0:  # what came before was not a step
            self._started, self._steps = now, 0
        self._steps += 1
        if self._steps > WINDOW and self.allowed:
            self._judge((now - self._started) / WINDOW)
            self._steps = 0

    def on_end(self, trainer):
        self._use(one_thread=False)

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
                self._use(not self.one_thread)
                self._wait = min(2 * self._wait, LONGEST_WAIT)
            self._countdown = self._wait
            return
        self._countdown -= 1
        if self._countdown <= 0 and (self.one_thread or seconds > SUSPICIOUS * self._best):
            self._before = seconds
            self._on_trial = True
            self._use(not self.one_thread)

    def _use(self, one_thread):
        if one_thread != self.one_thread:
            self.one_thread = one_thread
            blas.use_one_thread(one_thread)
