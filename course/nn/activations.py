"""Activations: the bends between layers, without which many layers would be no more than one.

Each works number by number, on any shape, and stays in the type it gets. With y = f(x) the backward
pass is dx = dy f'(x): the bend has no parameters, only a slope at every place.
"""

import math

import numpy as np

from course.nn.layers import Layer


class ReLU(Layer):
    """y = max(x, 0); y' is 1 where x > 0, and 0 elsewhere.

    Nair & Hinton, "Rectified linear units improve restricted Boltzmann machines", ICML 2010.
    """

    def forward(self, x):
        y = np.maximum(x, 0)
        self.y = y
        return y

    def backward(self, dy):
        return dy * (self.y > 0)  # passes where the input was positive


class LeakyReLU(Layer):
    """y = x where x > 0, and slope x elsewhere; y' is 1 or slope, so no unit falls silent for good.

    Maas, Hannun & Ng, "Rectifier nonlinearities improve neural network acoustic models", ICML 2013.
    """

    def __init__(self, slope=0.01):
        super().__init__()
        self.slope = slope

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.slope * x)

    def backward(self, dy):
        return np.where(self.x > 0, dy, self.slope * dy)


class ELU(Layer):
    """y = x where x > 0, and alpha (e^x - 1) elsewhere; y' is 1 or alpha e^x.

    Clevert, Unterthiner & Hochreiter, "Fast and accurate deep network learning by exponential
    linear units (ELUs)", ICLR 2016.
    """

    def __init__(self, alpha=1.0):
        super().__init__()
        self.alpha = alpha

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0)))

    def backward(self, dy):
        slope = self.alpha * np.exp(np.minimum(self.x, 0))  # e^x of a large x is never asked for
        return np.where(self.x > 0, dy, dy * slope)


class GELU(Layer):
    """y = x P(x), where P(x) = (1 + erf(x / sqrt 2)) / 2 is the chance that a normal number is < x.

    y' = P(x) + x p(x) with the bell curve p(x) = P'(x) = e^(-x^2 / 2) / sqrt(2 pi). Exact, not the
    approximation with tanh. Hendrycks & Gimpel, "Gaussian error linear units", arXiv:1606.08415.
    """

    def forward(self, x):
        from scipy.special import erf  # here: it takes as long to load as all of NumPy

        self.x = x
        self.p = (1 + erf(x / math.sqrt(2))) / 2
        return x * self.p

    def backward(self, dy):
        bell = np.exp(-(self.x**2) / 2) / math.sqrt(2 * math.pi)
        return dy * (self.p + self.x * bell)


class Sigmoid(Layer):
    """y = 1 / (1 + e^-x), from 0 to 1; y' = y (1 - y)."""

    def forward(self, x):
        self.y = sigmoid(x)
        return self.y

    def backward(self, dy):
        return dy * self.y * (1 - self.y)


class SiLU(Layer):
    """y = x s(x) with the sigmoid s, also called swish; y' = s(x) + y (1 - s(x)).

    Hendrycks & Gimpel (as for GELU); Elfwing, Uchibe & Doya, "Sigmoid-weighted linear units for
    neural network function approximation in reinforcement learning", arXiv:1702.03118.
    """

    def forward(self, x):
        self.s = sigmoid(x)
        self.y = x * self.s
        return self.y

    def backward(self, dy):
        return dy * (self.s + self.y * (1 - self.s))


class Tanh(Layer):
    """y = tanh x = 2 s(2x) - 1 with the sigmoid s, from -1 to 1; y' = 1 - y^2.

    LeCun, Bottou, Orr & Mueller, "Efficient backprop", 1998, say why it trains better than s.
    """

    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, dy):
        return dy * (1 - self.y**2)


def sigmoid(x):
    with np.errstate(over="ignore"):  # exp may become infinite, and 1 / inf is 0: all is well
        return 1 / (1 + np.exp(-x))


# What an architecture file calls them.
ACTIVATIONS = {
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "elu": ELU,
    "gelu": GELU,
    "silu": SiLU,
    "tanh": Tanh,
    "sigmoid": Sigmoid,
}
