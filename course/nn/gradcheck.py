"""Gradient check: is the hand-written backward pass right?

Nudge one number by h up and down, and see how much the loss changes:
(L(w + h) - L(w - h)) / 2h differs from dL/dw by O(h^2). In float64 with h = 1e-5 about ten digits
are left to compare; in float32 hardly three. So check in float64.
"""

import numpy as np


def numerical_gradient(function, array, h=1e-5, indices=None):
    """Central differences of a scalar `function()` for the entries of `array`, nudged in place.

    Returns an array of array's shape; with `indices` (flat positions), a vector of just those.
    """
    flat = array.reshape(-1)
    if not np.shares_memory(flat, array):
        raise ValueError("numerical_gradient needs an array that can be nudged in place")
    picked = np.arange(flat.size) if indices is None else np.asarray(indices)
    gradient = np.empty(len(picked))
    for i, position in enumerate(picked):
        value = flat[position]
        flat[position] = value + h
        above = function()
        flat[position] = value - h
        below = function()
        flat[position] = value
        gradient[i] = (above - below) / (2 * h)
    return gradient.reshape(array.shape) if indices is None else gradient


def relative_error(a, b):
    """|a - b| / (|a| + |b|), with Euclidean norms over the whole arrays; 0 if both vanish.

    Infinite if any number in them is not finite: a comparison with nan would let it pass.
    """
    scale = np.linalg.norm(a) + np.linalg.norm(b)
    if scale <= 1e-9:
        return 0.0
    return float(np.linalg.norm(np.subtract(a, b)) / scale) if np.isfinite(scale) else np.inf


def check_gradients(model, x, labels=None, loss_fn=None, h=1e-5, max_entries=200, seed=0):
    """Compare `model.backward` with central differences.

    Returns {name: relative error}, one entry per parameter and "x" for the input (left out if
    `backward` returns None). Arrays of more than `max_entries` numbers are checked at that many
    random places. Everything should be float64; 1e-6 or less is a pass.

    With `labels` and `loss_fn` the loss is `loss_fn(model.forward(x), labels)`; without, it is a
    random weighted sum of the outputs, which tests a single layer.
    """
    picker = np.random.default_rng(seed)
    buffers = {name: array.copy() for name, array in model.buffers.items()}
    weights = picker.standard_normal(model.forward(x).shape)

    def forward():
        for name, array in buffers.items():
            model.buffers[name][...] = array  # the same dropout mask each time
        y = model.forward(x)
        return (float((y * weights).sum()), weights) if loss_fn is None else loss_fn(y, labels)

    _, dy = forward()
    dx = model.backward(dy.astype(x.dtype))
    analytic = {name: gradient.copy() for name, gradient in model.gradients.items()}
    arrays = dict(model.parameters)
    if dx is not None:
        analytic["x"], arrays["x"] = dx.reshape(x.shape).copy(), x
    errors = {}
    for name, array in arrays.items():
        count = min(array.size, max_entries)
        indices = picker.choice(array.size, count, replace=False)
        numeric = numerical_gradient(lambda: forward()[0], array, h, indices)
        errors[name] = relative_error(analytic[name].reshape(-1)[indices], numeric)
    return errors


def directional_derivative(function, array, direction, h):
    """How fast a scalar `function()` grows as `array` moves along `direction`, nudged in place.

    `direction` has array's shape; h is how far to go, in multiples of it, to either side. One
    number sums up all entries, and is large enough to be seen in float32.
    """
    return sum(one_sided_derivatives(function, array, direction, h)) / 2


def one_sided_derivatives(function, array, direction, h):
    """The same from each side, (from below, from above): at a kink, as ReLUs have, two slopes."""
    kept, middle = array.copy(), function()
    array += (h * direction).astype(array.dtype)
    above = function()
    array[...] = kept - (h * direction).astype(array.dtype)
    below = function()
    array[...] = kept
    return (middle - below) / h, (above - middle) / h
