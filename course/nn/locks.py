"""Locks between processes: whoever holds one is the only one to change the files beside it."""

import contextlib
import sys

try:
    from filelock import FileLock
except ImportError:
    FileLock = None


@contextlib.contextmanager
def locked(path, patience):
    """Hold the lock file `path` while the block runs; it is made beside what it guards.

    Raises TimeoutError if another process holds it for longer than `patience` seconds, and OSError.
    In a browser there are no locks: one page alone writes there.
    """
    if FileLock is None or sys.platform == "emscripten":
        yield
        return
    with FileLock(path, timeout=patience):
        yield
