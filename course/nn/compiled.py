"""Numba, set up once for the whole course; and what stands in for it where it is missing.

A function under `@jit` is ordinary Python that Numba compiles to machine code at its first call.
The plain function stays reachable as `name.py_func`, so what a learner reads and steps through is
what trains.

In a browser there is no Numba. There `@jit(numpy=twin)` calls `twin` instead, a function of the
same arguments and results that works on whole arrays, and without one the plain function.
"""

import functools
import os

# A value for `fastmath`: lets the compiler regroup sums and round x * y + z once. Only then can it
# add many numbers at a time. The last digits may differ from the textbook order's, but not from one
# run to the next.
REGROUP = {"reassoc", "contract"}

try:
    if os.environ.get("COURSE_WITHOUT_NUMBA"):  # to try what a browser computes
        raise ImportError
    from numba import prange

    from course.nn import machine_code
    from course.nn.machine_code import CompileNotice

    HAS_NUMBA = True
except ImportError:
    prange = range
    HAS_NUMBA = False

    class CompileNotice:
        """Context manager that has nothing to say: nothing is compiled here."""

        MESSAGE = ""

        def __init__(self, stream=None):
            self.seconds = 0.0

        def __enter__(self):
            return self

        def __exit__(self, *exc_info):
            pass


def jit(function=None, *, numpy=None, **options):
    """Compile `function` with Numba: no Python objects inside, cached on disk.

    A division by zero gives inf or NaN, as in NumPy: the test that Python's exception needs would
    keep loops from being vectorized. Takes Numba's own options (`parallel=True`, `fastmath=True`,
    ...); use it bare or with them. `numpy` is the function to call instead where Numba is missing.

    Where neither the package's folder nor the user's cache folder can be written, the function is
    compiled anew in each process instead of failing.
    """
    if function is None:
        return lambda f: jit(f, numpy=numpy, **options)
    if HAS_NUMBA:
        chosen = machine_code.compiled(function, options)
    else:
        chosen = stand_in(function if numpy is None else numpy)
        chosen.py_func = function
    chosen.numpy = numpy
    return chosen


def stand_in(function):
    """A function of the same name and help that can carry other attributes than `function`."""

    @functools.wraps(function)
    def call(*arguments):
        return function(*arguments)

    return call
