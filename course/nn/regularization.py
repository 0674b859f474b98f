"""Dropout and batch normalization: layers that behave differently in training and in use."""

import numpy as np

from course.nn.compiled import REGROUP, jit
from course.nn.layers import Layer
from course.nn.rng import SimpleRng


class Dropout(Layer):
    """In training, set each value to zero with probability `rate` and scale the others up.

    Srivastava et al., "Dropout", JMLR 15, 2014; the division by 1 - rate ("inverted dropout")
    keeps the expected value, so that in use the layer does nothing. It draws from its own
    generator, whose state is a buffer: a resumed run drops what an uninterrupted one would.

    Raises ValueError for a rate outside [0, 1).
    """

    def __init__(self, rate, seed=1):
        super().__init__()
        if not 0.0 <= rate < 1.0:
            raise ValueError(f"dropout rate must be in [0, 1), got {rate}")
        self.rate = rate
        self.buffers["rng_state"] = np.array([SimpleRng(seed).state], np.uint64)

    def forward(self, x):
        self.mask = None
        if not self.training or self.rate == 0.0:
            return x
        rng = SimpleRng(int(self.buffers["rng_state"][0]))
        keep = rng.random(x.shape) >= self.rate
        self.buffers["rng_state"][0] = rng.state
        self.mask = keep * x.dtype.type(1.0 / (1.0 - self.rate))
        return x * self.mask

    def backward(self, dy):
        return dy if self.mask is None else dy * self.mask


class BatchNorm(Layer):
    """Give each feature mean 0 and variance 1 over the batch, then scale by gamma, shift by beta.

    Ioffe & Szegedy, "Batch Normalization", ICML 2015, algorithm 1. Shapes: x (batch, features), or
    pictures (batch, features, height, width): there a feature is a channel, and its mean goes over
    all places too (section 3.2), because the same kernel has looked at all of them. In use, the
    running mean and variance take the place of the batch's; `momentum` is the share of the new
    batch in them. The running variance is the unbiased one (divided by count - 1).

    Raises ValueError when trained on a single value of each feature: its variance is zero.
    """

    def __init__(self, features, momentum=0.1, epsilon=1e-5, dtype=np.float32):
        super().__init__()
        self.features = features
        self.momentum = momentum
        self.epsilon = epsilon
        self.add_parameter("gamma", np.ones(features, dtype))
        self.add_parameter("beta", np.zeros(features, dtype))
        self.buffers["mean"] = np.zeros(features, dtype)
        self.buffers["variance"] = np.ones(features, dtype)

    def forward(self, x):
        gamma, beta = self.parameters["gamma"], self.parameters["beta"]
        self.values = np.ascontiguousarray(x).reshape(len(x), self.features, -1)
        if self.training:
            self.mean, variance = moments(self.values)  # (features,)
            self._update_running(self.values.size // self.features, self.mean, variance)
        else:
            self.mean, variance = self.buffers["mean"].copy(), self.buffers["variance"]
        self.inverse_deviation = 1.0 / np.sqrt(variance + x.dtype.type(self.epsilon))
        self.used_batch_statistics = self.training
        y = stretch(self.values, self.mean, gamma * self.inverse_deviation, beta)
        return y.reshape(x.shape)

    def _update_running(self, count, mean, variance):
        if count < 2:
            raise ValueError("batch norm cannot train on a batch of one: its variance is zero")
        for name, value in (("mean", mean), ("variance", variance * (count / (count - 1)))):
            running = self.buffers[name]
            running += self.momentum * (value - running)

    def backward(self, dy):
        dvalues = np.ascontiguousarray(dy).reshape(self.values.shape)
        dgamma, dbeta = self.gradients["gamma"], self.gradients["beta"]
        dgamma[...], dbeta[...] = stretch_backward(
            self.values, self.mean, self.inverse_deviation, dvalues
        )
        scale = self.parameters["gamma"] * self.inverse_deviation
        if not self.used_batch_statistics:
            return (dvalues * scale[:, None]).reshape(dy.shape)
        # Mean and variance depend on every value, so each gradient loses its share of both.
        count = dy.dtype.type(dvalues.size // self.features)
        slope = -scale * self.inverse_deviation * dgamma / count
        dx = dvalues * scale[:, None]
        dx += stretch(self.values, self.mean, slope, -scale * dbeta / count)
        return dx.reshape(dy.shape)


# x is (batch, features, places), and all else (features,). With NumPy that is a line for each
# function; as loops they make no arrays in between, and let go of Python's lock.


def moments_numpy(x):
    """Return mean and variance of each feature, over the batch and all places."""
    return x.mean(axis=(0, 2)), x.var(axis=(0, 2))


def stretch_numpy(x, mean, scale, shift):
    """Return (x - mean) * scale + shift."""
    return (x - mean[:, None]) * scale[:, None] + shift[:, None]


def stretch_backward_numpy(x, mean, inverse_deviation, dy):
    """Return the gradients of gamma and beta: the sums of dy * normalized x, and of dy."""
    product = (dy * (x - mean[:, None])).sum(axis=(0, 2))
    return product * inverse_deviation, dy.sum(axis=(0, 2))


@jit(nogil=True, fastmath=REGROUP, numpy=moments_numpy)
def moments(x):
    """Return mean and variance of each feature, over the batch and all places."""
    batch, features, places = x.shape
    count = x.dtype.type(batch * places)
    mean, variance = np.zeros(features, x.dtype), np.zeros(features, x.dtype)
    for f in range(features):
        total = x.dtype.type(0)
        for n in range(batch):
            for p in range(places):
                total += x[n, f, p]
        mean[f] = total / count
        total = x.dtype.type(0)
        for n in range(batch):
            for p in range(places):
                total += (x[n, f, p] - mean[f]) ** 2
        variance[f] = total / count
    return mean, variance


@jit(nogil=True, fastmath=REGROUP, numpy=stretch_numpy)
def stretch(x, mean, scale, shift):
    """Return (x - mean) * scale + shift."""
    batch, features, places = x.shape
    y = np.empty_like(x)
    for n in range(batch):
        for f in range(features):
            for p in range(places):
                y[n, f, p] = (x[n, f, p] - mean[f]) * scale[f] + shift[f]
    return y


@jit(nogil=True, fastmath=REGROUP, numpy=stretch_backward_numpy)
def stretch_backward(x, mean, inverse_deviation, dy):
    """Return the gradients of gamma and beta: the sums of dy * normalized x, and of dy."""
    batch, features, places = x.shape
    dgamma, dbeta = np.zeros(features, x.dtype), np.zeros(features, x.dtype)
    for f in range(features):
        total = product = x.dtype.type(0)
        for n in range(batch):
            for p in range(places):
                total += dy[n, f, p]
                product += dy[n, f, p] * (x[n, f, p] - mean[f])
        dbeta[f], dgamma[f] = total, product * inverse_deviation[f]
    return dgamma, dbeta
