"""What a test needs in order to compare a compiled function with its NumPy twin."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from course.nn.compiled import HAS_NUMBA

dtypes = st.sampled_from([np.float32, np.float64])
randoms = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@dataclass
class Case:
    """A compiled function, arguments to call it and its twin with, and how far they may differ.

    `arguments` is a Hypothesis strategy of tuples. `bound`, called with such a tuple, gives the
    largest difference that rounding explains in any number, of what is returned or of what is
    written into the arguments. None is for twins that are equal to the bit.
    """

    function: Callable
    arguments: st.SearchStrategy
    bound: Callable | None = None

    def differences(self, arguments):
        """Call both with copies of the arguments; list what is not the same, in words."""
        bound = self.bound(*arguments) if self.bound else 0.0
        loop = self.function if HAS_NUMBA else self.function.py_func
        pairs = zip(outcome(loop, arguments), outcome(self.function.numpy, arguments), strict=True)
        return [
            f"{place}: {difference}"
            for place, (of_loop, of_twin) in enumerate(pairs)
            if (difference := unlike(of_loop, of_twin, bound))
        ]


def outcome(function, arguments):
    """All arrays and numbers that there are after a call: returned, and in the arguments."""
    arguments = copy.deepcopy(arguments)
    returned = function(*arguments)
    return list(flat((returned, arguments)))


def flat(values):
    for value in values:
        if isinstance(value, tuple):
            yield from flat(value)
        elif value is not None:
            yield value


def unlike(a, b, bound):
    """Say how a and b differ by more than `bound`, or as arrays in shape or dtype."""
    if isinstance(a, np.ndarray) and (a.shape, a.dtype) != (b.shape, b.dtype):
        return f"{a.shape} of {a.dtype}, and {b.shape} of {b.dtype}"
    if np.array_equal(a, b):  # integers of 64 bits are no floats
        return ""
    furthest = np.abs(np.asarray(a, np.float64) - np.asarray(b, np.float64)).max()
    return "" if furthest <= bound else f"{furthest} apart, where {bound} is explained"


def whole(random, shape, dtype, largest=8):
    """Whole numbers: sums of their products are exact, in whatever order they are added up."""
    return random.integers(-largest, largest, shape, endpoint=True).astype(dtype)
