"""Work cut into shares, which the cores take at the same time.

How many shares there are, and what each computes, depends on the work alone: never on how many
cores there are, who computes a share, or when. So the same seed gives the same bits on a quiet
machine and on a busy one.
"""

import contextlib
import itertools
import os
from collections import deque

import numpy as np

from course.nn.compiled import HAS_NUMBA

if HAS_NUMBA:
    from course.nn import helpers

OF_A_BATCH = 4  # so many shares; more would be smaller than what a meeting costs

# How many this process may use; Linux alone tells.
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@contextlib.contextmanager
def limit(cores):
    """Use at most so many cores inside the block; the results stay the same."""
    global CORES
    before, CORES = CORES, min(cores, CORES)
    try:
        yield
    finally:
        CORES = before


def run(task, arguments):
    """Call task(*a) for each a in `arguments`, on all cores; return a list of the results.

    The caller takes one share after the other, and so does each helper (`course.nn.helpers`) that
    finds the time. To run beside each other, tasks must let go of Python's lock (compiled with
    `nogil`, or calls into C). Without Numba there are no helpers: a browser starts no threads.
    """
    todo = deque(enumerate(arguments))
    results = [None] * len(todo)

    def work():
        try:
            while share := _next(todo):
                place, a = share
                results[place] = task(*a)
        finally:
            todo.clear()  # after an error or Ctrl-C nobody begins another one

    if HAS_NUMBA:
        helpers.together(work, todo, CORES)
    else:
        work()
    return results


def _next(todo):
    """Take what is to be done next, or None: another thread may take the last one any time."""
    try:
        return todo.popleft()
    except IndexError:
        return None


class Gradients:
    """The gradients of a batch that is cut into shares, one after the other of its samples.

    `weights` is a NamedTuple of arrays, and `total` one of their gradients.
    """

    def __init__(self, weights):
        # All of a share in one long vector, so that the shares are added up in one go.
        sizes = [w.size for w in weights]
        self._parts = np.zeros((OF_A_BATCH, sum(sizes)), weights[0].dtype)
        self._total = np.zeros_like(self._parts[0])

        def named(vector):
            pieces = np.split(vector, np.cumsum(sizes)[:-1])
            views = (p.reshape(w.shape) for p, w in zip(pieces, weights, strict=True))
            return type(weights)(*views)

        self.total = named(self._total)
        self._of_part = [named(part) for part in self._parts]

    def add_up(self, task, batch):
        """Call task(slice of the batch, gradients) for all shares; each adds to its gradients.

        `total` is their sum, always in the same order. Returns a list of the results.
        """
        self._parts.fill(0)
        results = in_slices(task, batch, self._of_part)
        self._parts.sum(axis=0, out=self._total)
        return results


def in_slices(task, batch, *details):
    """Call task(slice of the batch, *a detail of each list) for all shares, as `run` does."""
    ends = [batch * share // OF_A_BATCH for share in range(OF_A_BATCH + 1)]
    slices = [slice(first, end) for first, end in itertools.pairwise(ends)]
    calls = [call for call in zip(slices, *details, strict=True) if call[0].start < call[0].stop]
    return run(task, calls)
