"""Lesson 03's functions. Their numbers are whole, or halves and quarters, and few: float32 adds up
their products without rounding, so that NumPy and BLAS have to give the very same sums."""

import numpy as np
from hypothesis import strategies as st
from twins.case import Case, dtypes, randoms, whole

from course import cnn

few = st.integers(1, 4)


@st.composite
def convolutions(draw, stride=False):
    """(x, w, b, dy), with the stride behind them if asked for."""
    batch, in_channels, out_channels, kernel = (draw(few) for _ in range(4))
    height, width = (kernel + draw(st.integers(0, 6)) for _ in range(2))
    step = draw(st.integers(1, 3)) if stride else 1
    rows, columns = (height - kernel) // step + 1, (width - kernel) // step + 1
    random, dtype = draw(randoms), draw(dtypes)
    shapes = ((batch, in_channels, height, width), (out_channels, in_channels, kernel, kernel),
              (out_channels,), (batch, out_channels, rows, columns))  # fmt: skip
    arrays = tuple(whole(random, shape, dtype) for shape in shapes)
    return (*arrays, step) if stride else arrays


@st.composite
def poolings(draw):
    """(x, size, stride), with equals in every window."""
    size, stride = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    batch, channels = draw(few), draw(few)
    height, width = (size + draw(st.integers(0, 6)) for _ in range(2))
    x = whole(draw(randoms), (batch, channels, height, width), draw(dtypes), largest=2)
    return x, size, stride


def pooled(case):
    """Turn the arguments of `max_pool` into some of its way back."""
    x, size, stride = case
    y, where = cnn.max_pool(x, size, stride)
    return whole(np.random.default_rng(x.size), y.shape, x.dtype), where, *x.shape[2:]


@st.composite
def shares(draw):
    """(x, labels, batch, w, g): up to the logits all is exact."""
    n, channels, outputs = draw(few), draw(st.integers(1, 9)), draw(st.integers(2, 12))
    random, dtype = draw(randoms), draw(dtypes)
    x = np.zeros((n, 1, 30, 30), dtype)
    x[:, :, 1:-1, 1:-1] = np.abs(whole(random, (n, 1, 28, 28), dtype, 4)) / 4
    shapes = (channels, 1, 3, 3), (channels,), (channels * 196, outputs), (outputs,)
    w = cnn.Weights(*(whole(random, shape, dtype, 2) / dtype(4) for shape in shapes))
    g = cnn.Weights(*(whole(random, shape, dtype, 2) for shape in shapes))
    return x, random.integers(0, outputs, n), n + draw(st.integers(0, 4)), w, g


def gradient_of_logits(outputs, batch, dtype):
    """How far dlogits may be apart.

    A probability, at most 1, comes from two exponentials of at most 4 units of rounding each (NumPy
    and the C library say less), a sum of `outputs` numbers, a division and a subtraction, here and
    there. All of it is divided by the batch.
    """
    return (2 * outputs + 24) * np.finfo(dtype).eps / batch


def share_bound(x, labels, batch, w, g):
    """What is apart in dlogits, and what adding up rounds, goes through the products' sums.

    Pixels are at most 1, features 4.75 (nine products and a bias of at most 1/2 each), weights of
    the classifier 1/2, and |dlogits| 1 / batch. A kernel's gradient has 196 terms from each image,
    for only winners of a window pass something on, and each is a product of `outputs` terms.
    """
    (n, _, _, _), (_, outputs), eps = x.shape, w.classifier_w.shape, np.finfo(x.dtype).eps
    apart = gradient_of_logits(outputs, batch, x.dtype)
    classifier = n * 4.75 * (apart + (n + 2) * eps / batch)
    term = outputs * 0.5 * (apart + (outputs + 2) * eps / batch)
    kernel = 196 * n * (term + 196 * n * eps * outputs * 0.5 / batch)
    loss = loss_bound(np.full((n, outputs), 196 * 9 * 4.75 * 0.5, x.dtype), labels, batch)
    return max(classifier, kernel, loss) + 2 * eps * 200  # and g itself, at most 200, is rounded


@st.composite
def outputs(draw):
    """(logits, labels, batch)"""
    n, classes = draw(few), draw(st.integers(1, 12))
    random, dtype = draw(randoms), draw(dtypes)
    logits = draw(st.sampled_from([0.1, 3.0, 100.0])) * random.standard_normal((n, classes))
    labels = random.integers(0, classes, n)
    return logits.astype(dtype), labels, n + draw(st.integers(0, 4))


def loss_bound(logits, labels, batch):
    """log(total) is below 3, of two largest logits one is added and one taken: three roundings."""
    eps = np.finfo(logits.dtype).eps
    loss = len(logits) * eps * (logits.shape[1] + 12 + 6 * np.abs(logits).max())
    return loss


def cross_entropy_bound(logits, labels, batch):
    apart = gradient_of_logits(logits.shape[1], batch, logits.dtype)
    return max(apart, loss_bound(logits, labels, batch))


@st.composite
def maps(draw, count):
    shape, random, dtype = draw(st.tuples(few, few, few, few)), draw(randoms), draw(dtypes)
    return tuple(whole(random, shape, dtype, 2) for _ in range(count))


CASES = [
    Case(cnn.convolve_textbook, convolutions(stride=True).map(lambda a: (*a[:3], a[4]))),
    Case(
        cnn.convolve_textbook_backward,
        convolutions(stride=True).map(lambda a: (a[0], a[1], a[3], a[4])),
    ),
    Case(cnn.convolve, convolutions().map(lambda a: a[:3])),
    Case(cnn.convolve_backward_weights, convolutions().map(lambda a: (a[0], a[1], a[3]))),
    Case(cnn.convolve_backward_input, convolutions().map(lambda a: (a[0], a[1], a[3]))),
    Case(cnn.max_pool, poolings()),
    Case(cnn.max_pool_backward, poolings().map(pooled)),
    Case(cnn.train_share, shares(), share_bound),
    Case(cnn.relu, maps(1)),
    Case(cnn.relu_backward, maps(2)),
    Case(cnn.cross_entropy, outputs(), cross_entropy_bound),
]
WITHOUT_TWIN = {cnn.max_pool_image: "a part of max_pool"}
