"""Optimizers: how the weights move, given the gradient.

An optimizer is made for one model and changes its parameters in place. `state` maps names to arrays
and is all it remembers, so that a checkpoint can save it. Per step call either `step`, after
the model's own backward pass, or `backward_and_step`, which does both.
"""

import numpy as np
from scipy.linalg import blas

from course.nn.compiled import jit
from course.nn.layers import Dense

_AXPY = {np.dtype(np.float32): blas.saxpy, np.dtype(np.float64): blas.daxpy}


class Optimizer:
    """Base class: holds the model and the state."""

    def __init__(self, model):
        self.model = model
        self.state = {}

    def _zeros(self, kind):
        """Add an array of zeros to the state for each parameter: {parameter name: array}."""
        zeros = {name: np.zeros_like(w) for name, w in self.model.parameters.items()}
        self.state.update({f"{kind}.{name}": array for name, array in zeros.items()})
        return zeros

    def step(self, learning_rate):
        """Move the parameters once, by the model's current gradients."""
        raise NotImplementedError

    def backward_and_step(self, dy, learning_rate):
        """Carry dy = dLoss/d(model output) back through the model, then move the parameters."""
        self.model.backward(dy)
        self.step(learning_rate)

    def finish(self):
        """Training is over: leave in the model what it is to be used with."""


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if asked for.

    Plain: w <- w - lr * g. With momentum mu: v <- mu * v + g, w <- w - lr * v, and Nesterov's form
    moves by g + mu * v instead of v (Sutskever et al., "On the importance of initialization and
    momentum in deep learning", ICML 2013, as PyTorch writes it). Weight decay adds decay * w to g.

    `backward_and_step` fuses where it can: for the weights of `Dense` layers, BLAS adds the
    gradient straight onto w or v while it computes it, and their `gradients` stay as they were. The
    result is that of `backward` and `step` up to rounding.
    """

    def __init__(self, model, momentum=0.0, nesterov=False, weight_decay=0.0):
        super().__init__(model)
        if nesterov and momentum == 0.0:
            raise ValueError("Nesterov's form needs a momentum above 0")
        self.momentum = momentum
        self.nesterov = nesterov
        self.weight_decay = weight_decay
        self.velocity = self._zeros("velocity") if momentum else {}
        self._dense = {
            f"{name}.w" if name else "w": layer
            for name, layer in model.walk()
            if isinstance(layer, Dense)
        }

    def step(self, learning_rate):
        for name in self.model.parameters:
            self._move(name, learning_rate)

    def _move(self, name, learning_rate):
        w, g = self.model.parameters[name], self.model.gradients[name]
        if self.weight_decay:
            g = g + w.dtype.type(self.weight_decay) * w
        if self.momentum:
            v = self.velocity[name]
            v *= self.momentum
            v += g
            g = g + w.dtype.type(self.momentum) * v if self.nesterov else v
        add_scaled(w, -learning_rate, g)

    def backward_and_step(self, dy, learning_rate):
        if self.nesterov or (self.momentum and self.weight_decay):
            return super().backward_and_step(dy, learning_rate)
        try:
            for name, layer in self._dense.items():
                if self.momentum:  # v <- momentum * v + x^T dy
                    layer.redirect_weight_gradient(self.velocity[name], 1.0, self.momentum)
                else:  # w <- (1 - lr * decay) * w - lr * x^T dy
                    kept = 1.0 - learning_rate * self.weight_decay
                    w = self.model.parameters[name]
                    layer.redirect_weight_gradient(w, -learning_rate, kept)
            self.model.backward(dy)
        finally:
            for layer in self._dense.values():
                layer.restore_weight_gradient()
        for name, w in self.model.parameters.items():
            if name not in self._dense:
                self._move(name, learning_rate)
            elif self.momentum:
                add_scaled(w, -learning_rate, self.velocity[name])


def add_scaled(w, factor, g):
    """w <- w + factor * g in place, in one pass of BLAS; both row-major and of one dtype."""
    _AXPY[w.dtype](g.reshape(-1), w.reshape(-1), a=factor)


class Adam(Optimizer):
    """Adam: each weight has its own step size, from running means of g and g^2.

    Kingma & Ba, "Adam", ICLR 2015, algorithm 1. With `weight_decay` the weights shrink by
    lr * decay * w besides: AdamW (Loshchilov & Hutter, "Decoupled Weight Decay Regularization",
    ICLR 2019, algorithm 2).
    """

    def __init__(self, model, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.0):
        super().__init__(model)
        self.beta1, self.beta2 = beta1, beta2
        self.epsilon = epsilon
        self.weight_decay = weight_decay
        self.mean = self._zeros("mean")
        self.square = self._zeros("square")
        self.state["steps"] = np.zeros(1, np.int64)

    def step(self, learning_rate):
        self.state["steps"] += 1
        t = int(self.state["steps"][0])
        # Both means start at zero and are too small at first; these undo that bias exactly.
        mean_correction = 1.0 - self.beta1**t
        square_correction = 1.0 - self.beta2**t
        for name, w in self.model.parameters.items():
            constants = np.array(  # as adam_update unpacks them
                [
                    self.beta1,
                    1.0 - self.beta1,
                    self.beta2,
                    1.0 - self.beta2,
                    learning_rate / mean_correction,
                    1.0 / square_correction,
                    self.epsilon,
                    1.0 - learning_rate * self.weight_decay,
                ],
                w.dtype,
            )
            adam_update(
                w.reshape(-1),
                self.model.gradients[name].reshape(-1),
                self.mean[name].reshape(-1),
                self.square[name].reshape(-1),
                constants,
            )


def adam_update_numpy(w, g, mean, square, constants):
    """Same as `adam_update`: the arrays one operation after the other, in place."""
    beta1, rest1, beta2, rest2, rate, square_correction, epsilon, kept = constants
    mean *= beta1
    mean += rest1 * g
    square *= beta2
    square += rest2 * g * g
    w *= kept
    w -= rate * mean / (np.sqrt(square * square_correction) + epsilon)


@jit(numpy=adam_update_numpy)
def adam_update(w, g, mean, square, constants):
    """One Adam step on flat arrays, all four read and written in a single pass."""
    # In an array, the constants have the weights' dtype: float32 times a Python float is float64.
    beta1, rest1, beta2, rest2, rate, square_correction, epsilon, kept = constants
    for i in range(w.size):
        mean[i] = beta1 * mean[i] + rest1 * g[i]
        square[i] = beta2 * square[i] + rest2 * g[i] * g[i]
        w[i] = kept * w[i] - rate * mean[i] / (np.sqrt(square[i] * square_correction) + epsilon)
