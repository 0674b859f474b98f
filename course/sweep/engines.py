"""Many runs: one after the other, or one on each core.

An engine is a generator: it takes runs, pairs of settings and a seed, and yields (settings, seed,
what `running.run` returns) as they come, in any order.
"""

import contextlib
import functools
import os
import threading
import time

from course.sweep import SweepError
from course.sweep.running import run


def one_by_one(runs, samples):
    """Do the runs in this process, in their order."""
    for settings, seed in runs:
        yield settings, seed, run(settings, seed, samples)


def in_processes(runs, samples, processes):
    """Do the runs in so many processes at a time, each with one thread.

    The samples lie in memory once: joblib maps large arrays into all processes. Raises SweepError
    if a process is killed.
    """
    import joblib  # a browser has neither it nor processes
    from joblib.externals.loky.process_executor import BrokenProcessPool

    with joblib.parallel_config(backend="loky", n_jobs=processes, inner_max_num_threads=1):
        pool = joblib.Parallel(return_as="generator_unordered")
        found = pool(joblib.delayed(labelled)(*one, samples, os.getpid()) for one in runs)
    with contextlib.closing(found):
        try:
            yield from found
        except BrokenProcessPool:
            raise SweepError(
                "a process of the sweep was killed, perhaps because memory ran out (--processes 1 "
                "needs the least); the same command goes on with the sweep"
            ) from None


def labelled(settings, seed, samples, parent):
    """One run, with what it was; `parent` is the number of the process that asks for it."""
    end_with(parent)
    return settings, seed, run(settings, seed, samples)


@functools.cache  # once in each process
def end_with(parent):
    """End this process when its parent has: killed, that one can tell it nothing any more."""

    def watch():
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
