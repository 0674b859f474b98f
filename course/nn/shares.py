"""Work cut into shares, which the cores take at the same time.

How many shares there are, and what each computes, depends on the work alone: never on how many
cores there are, who computes a share, or when. So the same seed gives the same bits on a quiet
machine and on a busy one.
"""

import functools
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait

# How many this process may use; Linux alone tells.
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@functools.cache
def _helpers():
    """Threads, one for each further core; made when first needed, and anew after a fork."""
    return ThreadPoolExecutor(max(CORES - 1, 1))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_helpers.cache_clear)


def run(task, arguments):
    """Call task(*a) for each a in `arguments`, on all cores; return a list of the results.

    The caller takes one share after the other, and so does each helper that finds the time: a
    helper that is kept waiting by other programs has nothing that anybody would wait for. To run
    beside each other, tasks must let go of Python's lock (compiled with `nogil`, or calls into C).
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

    calls = [_helpers().submit(work) for _ in range(min(len(todo), CORES) - 1)]
    try:
        work()
    finally:
        begun = [call for call in calls if not call.cancel()]
        wait(begun)  # nobody writes behind our back
    for call in begun:
        call.result()  # raises what went wrong in there
    return results


def _next(todo):
    """Take what is to be done next, or None: another thread may take the last one any time."""
    try:
        return todo.popleft()
    except IndexError:
        return None
