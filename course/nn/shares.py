"""Work cut into shares, which the cores take at the same time.

How many shares there are, and what each computes, depends on the work alone: never on how many
cores there are, who computes a share, or when. So the same seed gives the same bits on a quiet
machine and on a busy one.
"""

import contextlib
import ctypes
import itertools
import os
import threading
from collections import deque

import numpy as np
from numba import types

from course.nn.compiled import jit

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

    The caller takes one share after the other, and so does each helper that finds the time: a
    helper that is kept waiting by other programs has nothing that anybody would wait for. While
    other programs need the cores, helpers take all shares and the caller sleeps: systems let a
    thread that has slept have a core at once, and one that never sleeps wait for its turn. To run
    beside each other, tasks must let go of Python's lock (compiled with `nogil`, or calls into C).
    """
    global _calm
    todo = deque(enumerate(arguments))
    results = [None] * len(todo)

    def work():
        try:
            while share := _next(todo):
                place, a = share
                results[place] = task(*a)
        finally:
            todo.clear()  # after an error or Ctrl-C nobody begins another one

    if not _one_caller.acquire(blocking=False):  # the helpers have one, another thread
        work()
        return results
    try:
        _calm = max(_calm - 1, 0)
        calm = _calm > 0 and CORES > 1
        helpers = _helpers(max(min(len(todo), CORES) - (not calm), 0))
        for helper in helpers:
            helper.call(work)
        try:
            if not calm:
                work()
        finally:  # nobody writes behind our back
            late = [helper.join() if calm else helper.leave() for helper in helpers]
        if any(late):
            _calm = CALM
        errors = [helper.error for helper in helpers if helper.error]
    except BaseException:
        todo.clear()
        _crew.clear()  # Ctrl-C may have come between two locks: the next call gets other helpers
        raise
    finally:
        _one_caller.release()
    if errors:
        raise errors[0]
    return results


def _next(todo):
    """Take what is to be done next, or None: another thread may take the last one any time."""
    try:
        return todo.popleft()
    except IndexError:
        return None


# ---- Threads that help --------------------------------------------------------------------------

# Python's own locks, by address: compiled code can take them without Python's interpreter.
_acquire = types.ExternalFunction("PyThread_acquire_lock", types.int32(types.uintp, types.int32))
_release = types.ExternalFunction("PyThread_release_lock", types.void(types.uintp))
ctypes.pythonapi.PyThread_allocate_lock.restype = ctypes.c_void_p
SPINS = 10_000  # looks at a lock before going to sleep: a quarter of a millisecond
HESITATION = 100  # looks: a few microseconds
CALM = 100  # meetings after one that was late: others need the cores, so nobody looks, all sleep
_calm = 0  # so many of them to go


@jit(nogil=True)
def _wait(lock, spins):
    """Take a lock, as soon as it is free; tell whether it took a sleep.

    To wake a thread that sleeps takes the system longer than many products take. So look at the
    lock for a moment first; then sleep, for on a busy machine others can use the core.
    """
    for _ in range(spins):
        if _acquire(lock, 0):
            return False
    _acquire(lock, 1)
    return True


@jit(nogil=True)
def _next_call(done, bell, spins):
    """Free the lock `done`, unless that is 0, and wait for the bell.

    Both at once, because all this time the caller has, or needs, Python's own lock.
    """
    if done:
        _release(done)
    _wait(bell, spins)
    for _ in range(HESITATION):  # until the caller's share has begun
        _acquire(bell, 0)


@jit
def _try(lock):
    """Take a lock if it is free; tell whether it was."""
    return _acquire(lock, 0) == 1


@jit
def _free(lock):
    _release(lock)


def _taken_lock():
    lock = ctypes.pythonapi.PyThread_allocate_lock()
    _try(lock)
    return lock


class _Helper:
    """A thread that does some work if it finds the time before the work is over."""

    def __init__(self):
        self._bell = _taken_lock()  # free: there may be work
        self._work = None
        self._offer = _taken_lock()  # free: whoever takes it decides what becomes of the work
        self._done = _taken_lock()
        self.error = None
        threading.Thread(target=self._serve, daemon=True).start()

    def call(self, work):
        self._work, self.error = work, None
        _free(self._offer)
        _try(self._bell)  # from the last time, if it was not heard yet
        _free(self._bell)

    def leave(self):
        """Wait until the work is done if it was begun, and tell whether that was late.

        Otherwise see that it never is begun.
        """
        return not _try(self._offer) and _wait(self._done, SPINS)

    def join(self):
        """Sleep until the work is done."""
        _wait(self._done, 0)

    def _serve(self):
        done = 0
        while True:
            _next_call(done, self._bell, 0 if _calm else SPINS)
            done = 0
            if _try(self._offer):
                try:
                    self._work()
                except BaseException as error:
                    self.error = error
                done = self._done


_crew = []  # of all helpers so far
_one_caller = threading.Lock()


def _helpers(count):
    while len(_crew) < count:
        _crew.append(_Helper())
    return _crew[:count]


def _after_fork():
    """Forget the threads, for a forked process has none of them but the one that forked."""
    global _one_caller
    _crew.clear()
    _one_caller = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


# ---- Shares of a batch --------------------------------------------------------------------------


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
