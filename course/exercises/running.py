"""Run a learner's function: whatever it does, the lesson goes on.

It may raise, print, warn, leave by `exit()` or never end. What cannot be stopped is a single
operation of a compiled library that takes for ever: Python has its say only between two of them.
In a browser there are no threads, so nobody watches the time: there what never ends is ended with
its page, by Kernel > Restart.
"""

import _thread
import contextlib
import ctypes
import io
import threading
import time
import warnings
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field

import numpy as np

from course.exercises.traces import shell

KEPT = 2_000  # characters of what it prints; an endless loop prints millions
AGAIN = 0.05  # seconds until a function is interrupted again that caught the first time


class TimeIsUp(BaseException):
    """Raised in the midst of a function that has had its time. No `except Exception` catches it."""


@dataclass
class Outcome:
    """What a function has done: its result or what it raised, and what it said meanwhile."""

    value: object = None
    error: BaseException | None = None
    printed: str = ""
    warned: list = field(default_factory=list)  # of warnings.WarningMessage


class _Beginning(io.StringIO):
    """Keeps the beginning of what is written."""

    def write(self, text):
        super().write(text[: max(0, KEPT - self.tell())])
        return len(text)


def run(function, *arguments, seconds=10.0):
    """Call `function` and return the `Outcome`. Only a user's own interrupt gets through."""
    printed = _Beginning()
    outcome = Outcome()
    with (
        warnings.catch_warnings(record=True) as outcome.warned,
        np.errstate(all="warn", under="ignore"),
        redirect_stdout(printed),
        redirect_stderr(printed),
        _exit_that_raises(),
    ):
        warnings.simplefilter("default")  # once for each line
        try:
            outcome.value = _within(seconds, function, arguments)
        except (Exception, SystemExit, TimeIsUp) as error:
            outcome.error = error
    outcome.printed = printed.getvalue()
    return outcome


def _within(seconds, function, arguments):
    """Call `function`; after so many seconds TimeIsUp is raised in it, in whichever thread it is.

    Not by a signal: Windows has no alarm, only the main thread gets signals, and they could not be
    told from the user's own interrupt. CPython raises it before the thread's next instruction.
    """
    thread, running, watching = threading.get_ident(), threading.Lock(), threading.Lock()
    running.acquire()
    watching.acquire()

    def watch():
        timeout = seconds
        while not running.acquire(timeout=timeout):
            _raise_in(thread, TimeIsUp)
            timeout = AGAIN  # a bare `except:` may have caught it
        watching.release()

    is_watched = True
    # TimeIsUp may come anywhere from here on. Thread, Event and join would hang if it came in the
    # midst of them; what a lock does is done at once.
    try:
        try:
            try:
                _thread.start_new_thread(watch, ())
            except RuntimeError:  # in a browser there are no threads, and so no limit
                is_watched = False
            return function(*arguments)
        finally:
            running.release()
    finally:
        while is_watched and watching.locked():
            with contextlib.suppress(TimeIsUp):
                if running.locked():  # it came just before the release
                    running.release()
                time.sleep(0.0001)
        # One that is on its way is to come here, not after the end. It cannot be taken back: after
        # a SetAsyncExc with NULL any debugger, profiler or coverage hangs (CPython 3.11).
        with contextlib.suppress(TimeIsUp):
            for _ in range(2):
                pass


def _raise_in(thread, error):
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))


@contextlib.contextmanager
def _exit_that_raises():
    """In a notebook `exit()` ends the kernel, and raises nothing. Here it is to raise."""
    if not (found := shell()):
        yield
        return
    found.ask_exit = _leave
    try:
        yield
    finally:
        vars(found).pop("ask_exit", None)  # that of its class is back


def _leave():
    raise SystemExit
