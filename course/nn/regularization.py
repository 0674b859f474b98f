"""Dropout and batch normalization: layers that behave differently in training and in use."""

import numpy as np

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

    Ioffe & Szegedy, "Batch Normalization", ICML 2015, algorithm 1. Shapes: x (batch, features).
    In use, the running mean and variance take the place of the batch's; `momentum` is the share of
    the new batch in them. The running variance is the unbiased one (divided by batch - 1).

    Raises ValueError when trained on a batch of one: its variance is zero.
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
        if self.training:
            mean, variance = x.mean(axis=0), x.var(axis=0)  # (features,)
            self._update_running(len(x), mean, variance)
        else:
            mean, variance = self.buffers["mean"], self.buffers["variance"]
        self.inverse_deviation = 1.0 / np.sqrt(variance + x.dtype.type(self.epsilon))
        self.normalized = (x - mean) * self.inverse_deviation  # (batch, features)
        self.used_batch_statistics = self.training
        return self.parameters["gamma"] * self.normalized + self.parameters["beta"]

    def _update_running(self, batch, mean, variance):
        if batch < 2:
            raise ValueError("batch norm cannot train on a batch of one: its variance is zero")
        for name, value in (("mean", mean), ("variance", variance * (batch / (batch - 1)))):
            running = self.buffers[name]
            running += self.momentum * (value - running)

    def backward(self, dy):
        np.sum(dy * self.normalized, axis=0, out=self.gradients["gamma"])
        np.sum(dy, axis=0, out=self.gradients["beta"])
        dnormalized = dy * self.parameters["gamma"]  # (batch, features)
        if self.used_batch_statistics:
            # Mean and variance depend on every row, so each row's gradient loses its share of both.
            dnormalized = (
                dnormalized
                - dnormalized.mean(axis=0)
                - self.normalized * (dnormalized * self.normalized).mean(axis=0)
            )
        return dnormalized * self.inverse_deviation
