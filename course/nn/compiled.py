"""Numba, set up once for the whole course.

A function under `@jit` is ordinary Python that Numba compiles to machine code at its first call.
The plain function stays reachable as `name.py_func`, so what a learner reads and steps through is
what trains. The machine code is kept on disk; only the first call ever has to wait for it.
"""

import sys
import time

import numba
from numba.core import event

# A value for `fastmath`: lets the compiler regroup sums and round x * y + z once. Only then can it
# add many numbers at a time. The last digits may differ from the textbook order's, but not from one
# run to the next.
REGROUP = {"reassoc", "contract"}


def jit(function=None, **options):
    """Compile `function` with Numba: no Python objects inside, cached on disk.

    A division by zero gives inf or NaN, as in NumPy: the test that Python's exception needs would
    keep loops from being vectorized. Takes Numba's own options (`parallel=True`, `fastmath=True`,
    ...); use it bare or with them.

    Where neither the package's folder nor the user's cache folder can be written, the function is
    compiled anew in each process instead of failing.
    """
    if function is None:
        return lambda f: jit(f, **options)
    options = {"error_model": "numpy", **options}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # "no locator available": no place to keep the machine code
        return numba.njit(**options)(function)


class CompileNotice(event.Listener):
    """Context manager that says so, once, when something has to be compiled.

    >>> with CompileNotice():
    ...     train(...)
    Compiling the loops to machine code, once: this takes up to 30 seconds ...

    After the block `seconds` holds the time spent compiling (0.0: all came from the cache).
    """

    MESSAGE = (
        "Compiling the loops to machine code: this happens once and takes up to 30 seconds ..."
    )

    def __init__(self, stream=None):
        self.stream = stream
        self.seconds = 0.0
        self._depth = 0

    def __enter__(self):
        event.register("numba:compile", self)
        return self

    def __exit__(self, *exc_info):
        event.unregister("numba:compile", self)

    def on_start(self, event):
        if self._depth == 0:
            self._began = time.perf_counter()
            if self.seconds == 0.0:
                print(self.MESSAGE, file=self.stream or sys.stderr, flush=True)
        self._depth += 1  # compiling a caller compiles what it calls: count the outermost only

    def on_end(self, event):
        self._depth -= 1
        if self._depth == 0:
            self.seconds += time.perf_counter() - self._began
