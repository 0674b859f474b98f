"""Work cut into shares, which the cores take at the same time.

A share is a compiled function that needs nothing of the others and does not hold Python's lock
(`nogil`). What comes out must not depend on who computes a share, or when.
"""

import functools
import os
from concurrent.futures import ThreadPoolExecutor, wait

from course.nn import blas


@functools.cache
def _pool():
    """The threads, made at the first use: a process that is forked off begins without any."""
    return ThreadPoolExecutor(os.cpu_count())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)


def run(task, arguments):
    """Call task(*a) for each a in `arguments`, all at the same time; return a list of the results.

    Inside, BLAS uses one thread: the cores have enough to do.
    """
    blas.use_one_thread(True)
    calls = []
    try:
        calls += [_pool().submit(task, *a) for a in arguments]
        return [call.result() for call in calls]
    finally:
        wait(calls)  # after Ctrl-C, too: nobody writes behind our back
        blas.use_one_thread(False)
