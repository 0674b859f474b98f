"""What lesson 09 reads, the bytes of the digits, and what it keeps: the learner's functions."""

import contextlib
import inspect

import numpy as np

from course import idx, mnist
from course.progress import Progress

LESSON = "09-yours"


def content(name):
    """The bytes of one of the digits' files, "train-images-idx3-ubyte", uncompressed."""
    path = mnist.find_file(mnist.find_directory(), name)
    with open(path, "rb") as file, idx.uncompressed(file, path) as stream:
        return stream.read()


def whose(parts):
    """Say in a sentence which of the functions are the learner's."""
    lent = [n for n, function in vars(parts).items() if function.__module__.startswith("course.")]
    if not lent:
        return f"All {len(vars(parts))} functions are yours."
    which = "all of them" if len(lent) == len(vars(parts)) else ", ".join(lent)
    return f"Lent by the course, until yours are right: {which}."


def keep(parts):
    """Keep the source of the learner's own functions in the progress of lesson 09, for lesson 09c.

    Returns a sentence that names them.
    """
    progress = Progress(LESSON)
    own = {n: f for n, f in vars(parts).items() if not f.__module__.startswith("course.")}
    for name, function in own.items():
        progress.keep("functions", name, {"source": inspect.getsource(function)})
    return progress.problem or f"Kept for lesson 09c: {', '.join(own) or 'none of yours yet'}."


def kept():
    """The functions that `keep` has kept, by name; without those whose source does not run."""
    found = {}
    for name, entry in Progress(LESSON).entries("functions").items():
        names = {"np": np, "__name__": "__main__"}
        with contextlib.suppress(Exception):  # a learner's own code, which may fail in any way
            exec(entry["source"], names)
            found[name] = names[name]
    return found
