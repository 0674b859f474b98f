"""What lessons share: random numbers, optimizers, batch norm, augmentation, threads."""

import numpy as np
from hypothesis import strategies as st
from twins.case import Case, dtypes, randoms, whole

from course.benchmark import products
from course.nn import augmentation, optimizers, regularization, rng
from course.nn.compiled import HAS_NUMBA

few = st.integers(1, 4)


@st.composite
def draws(draw):
    """(state, out): around where rows of draws end, and jumps begin to be needed."""
    size = draw(st.integers(0, 300) | st.sampled_from([64 * 64, 64 * 64 + 1, 10_000]))
    return np.uint64(draw(st.integers(1, 2**64 - 1))), np.zeros(size, np.uint32)


@st.composite
def orders(draw):
    """(draws, order)"""
    n, random = draw(st.integers(0, 50)), draw(randoms)
    order = np.arange(n, dtype=draw(st.sampled_from([np.int64, np.float32])))
    return random.integers(0, 2**32, max(n - 1, 0), np.uint32), order


@st.composite
def moved_by_adam(draw):
    """(w, g, mean, square, constants)"""
    n, random, dtype = draw(st.integers(1, 100)), draw(randoms), draw(dtypes)
    w, g, mean, square = random.standard_normal((4, n)).astype(dtype)
    constants = [0.9, 0.1, 0.999, 0.001, 0.02 * random.random(), 1.5, 1e-8, 0.999]
    return w, g, mean, np.square(square), np.array(constants, dtype)


@st.composite
def features(draw, vectors):
    """x (batch, features, places) and so many arrays of shape (features,) behind it."""
    batch, count, places = draw(few), draw(few), draw(st.integers(1, 30))
    random, dtype = draw(randoms), draw(dtypes)
    x = whole(random, (batch, count, places), dtype)
    return x, *(whole(random, count, dtype) for _ in range(vectors))


def with_dy(arguments):
    x, mean, inverse_deviation = arguments
    return x, mean, inverse_deviation, np.flip(x).copy()


def variance_bound(x):
    """The means are the same, of exact sums. A square has four roundings, and then they add up.

    Squares are at most 16^2, and there are `count` of each feature.
    """
    count = x.shape[0] * x.shape[2]
    return (count + 6) * np.finfo(x.dtype).eps * 16**2


def sides(draw):
    return draw(st.integers(1, 9)), draw(st.integers(1, 9))


@st.composite
def warps(draw):
    """(images, maps, moves, out): all of it halves and quarters, and so without rounding."""
    batch, (height, width), random = draw(few), sides(draw), draw(randoms)
    images = whole(random, (batch, height, width), np.float32)
    maps = whole(random, (batch, 2, 3), np.float32) / np.float32(4)
    moves = whole(random, (batch, 2, height, width), np.float32) / np.float32(4)
    return images, maps, moves, np.zeros_like(images)


@st.composite
def smoothings(draw):
    """(moves, kernel, deviation)"""
    batch, (height, width), random = draw(few), sides(draw), draw(randoms)
    moves = random.uniform(-1, 1, (batch, 2, height, width)).astype(np.float32)
    return moves, augmentation.gaussian(draw(st.sampled_from([0.4, 1.0, 4.0]))), np.float32(1.5)


def smoothing_bound(moves, kernel, deviation):
    """Two sums over the kernel, whose numbers add up to 1, and four products more in each term."""
    scale = deviation / (np.sum(np.square(kernel)) * np.sqrt(1 / 3))
    return 2 * (2 * len(kernel) + 8) * np.finfo(np.float32).eps * scale


@st.composite
def thickenings(draw):
    """(images, amounts)"""
    batch, (height, width), random = draw(few), sides(draw), draw(randoms)
    images = whole(random, (batch, height, width), np.float32)
    return images, whole(random, batch, np.float32) / np.float32(4)


CASES = [
    Case(rng._fill_u32, draws()),
    Case(rng._fisher_yates, orders()),
    Case(optimizers.adam_update, moved_by_adam()),
    Case(regularization.moments, features(0), variance_bound),
    Case(regularization.stretch, features(3)),
    Case(regularization.stretch_backward, features(2).map(with_dy)),
    Case(augmentation.warp, warps()),
    Case(augmentation.smooth, smoothings(), smoothing_bound),
    Case(augmentation.thicken, thickenings()),
]
WITHOUT_TWIN = {products.multiply: "measures BLAS, and nothing else"}
if HAS_NUMBA:
    from course.nn import columns, helpers

    WITHOUT_TWIN |= {
        columns.columns: "a share of gemm, which has none without Numba",
        helpers._wait: "a lock of a thread that helps",
        helpers._next_call: "a lock of a thread that helps",
        helpers._try: "a lock of a thread that helps",
        helpers._free: "a lock of a thread that helps",
    }
