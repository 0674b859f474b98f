"""Threads that help with the shares of some work (`course.nn.shares`), and the locks they meet at.

A helper that is kept waiting by other programs has nothing that anybody would wait for. While other
programs need the cores, helpers take all shares and the caller sleeps: systems let a thread that
has slept have a core at once, and one that never sleeps wait for its turn.
"""

import ctypes
import os
import threading

from numba import types

from course.nn.compiled import jit

# Python's own locks, by address: compiled code can take them without Python's interpreter.
_acquire = types.ExternalFunction("PyThread_acquire_lock", types.int32(types.uintp, types.int32))
_release = types.ExternalFunction("PyThread_release_lock", types.void(types.uintp))
ctypes.pythonapi.PyThread_allocate_lock.restype = ctypes.c_void_p
SPINS = 10_000  # looks at a lock before going to sleep: a quarter of a millisecond
HESITATION = 100  # looks: a few microseconds
CALM = 100  # meetings after one that was late: others need the cores, so nobody looks, all sleep
_calm = 0  # so many of them to go


def together(work, todo, cores):
    """Call work(), which empties the deque `todo`, in the caller and its helpers, on all cores.

    Returns when nobody is at work any more, and raises what work() raised.
    """
    global _calm
    if not _one_caller.acquire(blocking=False):  # the helpers have one, another thread
        work()
        return
    try:
        _calm = max(_calm - 1, 0)
        calm = _calm > 0 and cores > 1
        helpers = _helpers(max(min(len(todo), cores) - (not calm), 0))
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
