"""The exercises of lesson 09c that make the network a convolutional one."""

import numpy as np

from course.exercises import Exercise
from course.exercises.numerical import finite_differences

LESSON = "09c-stretch"


def convolution(x, w, b):
    kernel = w.shape[2]
    rows, columns = x.shape[2] - kernel + 1, x.shape[3] - kernel + 1
    y = np.empty((len(x), len(w), rows, columns), x.dtype)
    y[:] = b[:, None, None]
    for i, j in np.ndindex(kernel, kernel):
        shifted = x[:, :, i : i + rows, j : j + columns]  # (batch, in_channels, rows, columns)
        y += np.einsum("ncrs,oc->nors", shifted, w[:, :, i, j], optimize=True)
    return y


def convolution_backward(x, w, dy):
    rows, columns = dy.shape[2:]
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i, j in np.ndindex(w.shape[2:]):
        place = np.s_[:, :, i : i + rows, j : j + columns]
        dw[:, :, i, j] = np.einsum("nors,ncrs->oc", dy, x[place], optimize=True)
        dx[place] += np.einsum("nors,oc->ncrs", dy, w[:, :, i, j], optimize=True)
    return dx, dw, dy.sum(axis=(0, 2, 3))


def max_pool(x):
    upper = np.maximum(x[:, :, ::2, ::2], x[:, :, ::2, 1::2])
    lower = np.maximum(x[:, :, 1::2, ::2], x[:, :, 1::2, 1::2])
    y = np.maximum(upper, lower)
    return y, (x == y.repeat(2, axis=2).repeat(2, axis=3)).astype(x.dtype)


# ---- Inputs to try them on -----------------------------------------------------------------------


def _sizes(random):
    """Three times the shapes of images x, of kernels w, and of what comes of them."""
    for kernel in (1, 2, 3):
        channels, (batch, outputs, rows, columns) = random.integers(1, 4), random.integers(2, 5, 4)
        x = (batch, channels, rows + kernel - 1, columns + kernel)
        yield x, (outputs, channels, kernel, kernel), (batch, outputs, rows, columns + 1)


def _convolution_cases(random):
    by_hand = (
        np.array([[[[1.0, 2.0, 0.0], [3.0, 4.0, 1.0]]]]),  # (1, 1, 2, 3)
        np.array([[[[1.0, 10.0], [100.0, 1000.0]]]]),  # (1, 1, 2, 2)
        np.array([0.5]),
    )
    drawn = [
        tuple(random.standard_normal(shape) for shape in (x, w, w[0])) for x, w, _ in _sizes(random)
    ]
    return [by_hand, *drawn]


def _convolution_backward_cases(random):
    by_hand = (
        np.array([[[[1.0, 2.0, 0.0], [3.0, 4.0, 1.0]]]]),
        np.array([[[[1.0, 10.0], [100.0, 1000.0]]]]),
        np.array([[[[1.0, -2.0]]]]),  # (1, 1, 1, 2)
    )
    drawn = [tuple(map(random.standard_normal, shapes)) for shapes in _sizes(random)]
    return [by_hand, *drawn]


def _convolution_slopes(forward, x, w, dy):
    return finite_differences(forward, x, w, np.zeros(len(w)), dy=dy)


def _pool_cases(random):
    by_hand = np.array([[[[1.0, 2.0, -5.0, -6.0], [4.0, 3.0, -8.0, -7.0]]]])  # (1, 1, 2, 4)
    shapes = random.integers(1, 4, (3, 4)) * (1, 1, 2, 2)  # even heights and widths
    return [(by_hand,), *((random.standard_normal(shape),) for shape in shapes)]


# ---- Wrong answers that have a name --------------------------------------------------------------


def _flipped(x, w, dy):
    dx, dw, db = convolution_backward(x, w[:, :, ::-1, ::-1], dy)
    return dx, dw[:, :, ::-1, ::-1], db


def _overwritten(x, w, dy):
    rows, columns = dy.shape[2:]
    dx, dw, db = convolution_backward(x, w, dy)
    for i, j in np.ndindex(w.shape[2:]):
        dx[:, :, i : i + rows, j : j + columns] = np.einsum("nors,oc->ncrs", dy, w[:, :, i, j])
    return dx, dw, db


def _changed(change):
    """`convolution_backward` with something more done to its results."""
    return lambda x, w, dy: change(*convolution_backward(x, w, dy), x)


def _pool_with(pool):
    """`max_pool` with another operation over the four pixels (4, ...)."""

    def run(x):
        four = np.stack([x[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)])
        y = pool(four)
        return y, 1.0 * (x == y.repeat(2, axis=2).repeat(2, axis=3))

    return run


# ---- The exercises -------------------------------------------------------------------------------

CONVOLUTION = Exercise(
    convolution,
    _convolution_cases,
    "Each output channel has a kernel for every input channel. Their sums add up, and its bias "
    "comes on top. How many places has a kernel of size k in a row of n pixels?",
    "Loop over the kernel's weights [i, j], not over the places: each of them multiplies the "
    "images shifted by (i, j), x[:, :, i : i + rows, j : j + columns], all places at once.",
    "In the loop: y += np.einsum('ncrs,oc->nors', shifted, w[:, :, i, j]), where y began as "
    "b[:, None, None] everywhere.",
    lesson=LESSON,
    mistakes={
        "the bias is left out": lambda x, w, b: convolution(x, w, 0 * b),
        "the kernel is flipped; lay it on as it is": (
            lambda x, w, b: convolution(x, w[:, :, ::-1, ::-1], b)
        ),
        "rows and columns of the kernel are exchanged": (
            lambda x, w, b: convolution(x, w.swapaxes(2, 3), b)
        ),
        "only the first input channel is used; they add up": (
            lambda x, w, b: convolution(x[:, :1], w[:, :1], b)
        ),
        "the products are averaged; it is their sum": (
            lambda x, w, b: convolution(x, w / w[0].size, b)
        ),
        "the last row and the last column of places are left out": (
            lambda x, w, b: convolution(x, w, b)[:, :, :-1, :-1]
        ),
    },
)
CONVOLUTION_BACKWARD = Exercise(
    convolution_backward,
    _convolution_backward_cases,
    "Forward, each weight [i, j] met the images shifted by (i, j). So dw[:, :, i, j] sums dy times "
    "these, and dx at these places grows by dy times the weight.",
    "The same loop over i and j. np.einsum('nors,ncrs->oc', dy, shifted) is dw[:, :, i, j]; the "
    "places of several [i, j] overlap, so dx needs +=.",
    "dx[:, :, i : i + rows, j : j + columns] += np.einsum('nors,oc->ncrs', dy, w[:, :, i, j]), and "
    "db is dy.sum(axis=(0, 2, 3)).",
    lesson=LESSON,
    numerical=_convolution_slopes,
    mistakes={
        "what arrives at a pixel overwrites what was there; it adds up: +=": _overwritten,
        "the kernel is flipped; shifted by (i, j) the pixels met [i, j]": _flipped,
        "db is a mean; every place of every image counts in full": _changed(
            lambda dx, dw, db, x: (dx, dw, db / (len(x) * np.prod(x.shape[2:])))
        ),
        "dw is divided by the batch size; the loss has done that already": _changed(
            lambda dx, dw, db, x: (dx, dw / len(x), db)
        ),
        "dx is still missing": _changed(lambda dx, dw, db, x: (0 * dx, dw, db)),
        "dx and dw are exchanged: dx comes first": _changed(lambda dx, dw, db, x: (dw, dx, db)),
        "db is not yet summed over the places": (
            lambda x, w, dy: (*convolution_backward(x, w, dy)[:2], dy.sum(axis=0))
        ),
    },
)
MAX_POOL = Exercise(
    max_pool,
    _pool_cases,
    "x[:, :, ::2, ::2] is the upper left pixel of every square. Where are the other three?",
    "np.maximum takes the larger of two arrays, place by place: three of them make the largest of "
    "four. A pixel has won if it is as large as what came out, .repeat(2, axis=2) and axis 3.",
    "won = x == y.repeat(2, axis=2).repeat(2, axis=3).",
    lesson=LESSON,
    mistakes={
        "it keeps the mean of the four; it is their largest": _pool_with(
            lambda four: four.mean(axis=0)
        ),
        "it keeps the smallest of the four": _pool_with(lambda four: four.min(axis=0)),
        "it begins at 0, so that four negative pixels give 0": _pool_with(
            lambda four: np.maximum(four.max(axis=0), 0)
        ),
        "only the pixels in the upper row are compared": _pool_with(
            lambda four: four[:2].max(axis=0)
        ),
        "it takes the largest absolute value; a pixel counts with its sign": _pool_with(
            lambda four: np.abs(four).max(axis=0)
        ),
        "won marks those that have lost": lambda x: (max_pool(x)[0], 1 - max_pool(x)[1]),
        "won has the pixels themselves; it is 1 where one has won, and 0 elsewhere": (
            lambda x: (max_pool(x)[0], x * max_pool(x)[1])
        ),
    },
)
