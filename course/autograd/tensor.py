"""Automatic differentiation: the backward pass that writes itself.

In lessons 02 to 05 every backward pass is written by hand. Here every operation notes, while it
computes, what it was computed from and how a gradient gets back from there; `Tensor.backward` then
follows the notes from the loss to the weights. That is reverse-mode differentiation (Baydin et al.,
"Automatic differentiation in machine learning: a survey", JMLR 18, 2018), and what frameworks do.

    w = Tensor([[1.0], [2.0]], "w")
    loss = ((np.array([[3.0, 4.0]]) @ w - 10.0) ** 2).mean()
    loss.backward()  # w.grad is dLoss/dw, of w's shape
"""

import numpy as np

from course.nn import activations
from course.nn.errors import CourseError


class TensorError(CourseError, ValueError):
    """Something that a tensor cannot hold or compute."""


class Tensor:
    """An array that remembers where it came from.

    data: the array, of floats. name: what a drawing of the graph calls it. grad: dLoss/d(this), of
    data's shape, after `backward`. parents: pairs of a tensor that this one was computed from and
    the rule that turns dLoss/d(this) into dLoss/d(that). operation: what computed it, "" for none.

    Plain arrays and numbers can stand beside tensors in every operation. They are constants: no
    gradient is computed for what has `needs_gradient=False`, nor for what comes from that alone.

    Raises TensorError for data that are not numbers.
    """

    __array_ufunc__ = None  # so that array * tensor is left to Tensor.__rmul__

    def __init__(self, data, name="", needs_gradient=True):
        data = np.asarray(data)
        if data.dtype.kind not in "fiub":
            raise TensorError(f"a tensor holds real numbers, not {data.dtype}: give it an array")
        self.data = data if data.dtype.kind == "f" else data.astype(np.float64)
        self.name, self.needs_gradient = name, needs_gradient
        self.grad, self.operation, self.parents = None, "", ()

    @property
    def shape(self):
        return self.data.shape

    def __repr__(self):
        made = f" = {self.operation}" if self.operation else ""
        return f"<Tensor {self.name}{made} {self.shape}>".replace("  ", " ")

    # ---- The way back ---------------------------------------------------------------------------

    def graph(self):
        """Return all that this tensor was computed from, and itself, parents before children."""
        order, seen, waiting = [], set(), [(self, False)]
        while waiting:  # not by recursion: a graph may be deeper than Python's stack
            tensor, parents_done = waiting.pop()
            if parents_done:
                order.append(tensor)
            elif tensor not in seen:
                seen.add(tensor)
                waiting.append((tensor, True))
                waiting += [(parent, False) for parent, _ in reversed(tensor.parents)]
        return order

    def backward(self):
        """Write d(this)/d(t) into `grad` of every t that this was computed from.

        In reverse order each tensor's gradient is complete, a sum over all its uses, before it is
        handed on. What earlier calls wrote is overwritten, not added to. Raises TensorError unless
        this is a single number that depends on something that needs a gradient.
        """
        if self.data.size != 1:
            raise TensorError(
                f"backward starts from one number, and this has shape {self.shape}: take its sum "
                "or mean first"
            )
        if not self.needs_gradient:
            raise TensorError("backward has nowhere to go: all that this came from is constant")
        order = [tensor for tensor in self.graph() if tensor.needs_gradient]
        for tensor in order:
            tensor.grad = np.zeros_like(tensor.data)
        self.grad += 1
        for tensor in reversed(order):
            for parent, rule in tensor.parents:
                if parent.needs_gradient:
                    parent.grad += unbroadcast(rule(tensor.grad), parent.shape)

    def _beside(self, other):
        """The other operand as a tensor: a plain one is a constant of this one's type."""
        if isinstance(other, Tensor):
            return other
        return Tensor(np.asarray(other, self.data.dtype), needs_gradient=False)

    # ---- Arithmetic: dy is dLoss/dy, and y the result -------------------------------------------

    def __add__(self, other):
        other = self._beside(other)
        return computed("+", self.data + other.data, (self, lambda dy: dy), (other, lambda dy: dy))

    def __sub__(self, other):
        other = self._beside(other)
        return computed("-", self.data - other.data, (self, lambda dy: dy), (other, lambda dy: -dy))

    def __mul__(self, other):
        a, b = self, self._beside(other)
        return computed(
            "*", a.data * b.data, (a, lambda dy: dy * b.data), (b, lambda dy: dy * a.data)
        )

    def __truediv__(self, other):
        a, b = self, self._beside(other)
        y = a.data / b.data
        return computed("/", y, (a, lambda dy: dy / b.data), (b, lambda dy: -dy * y / b.data))

    def __pow__(self, power):
        """x^p for a plain number p; its slope is p x^(p - 1)."""
        if not np.isscalar(power):
            raise TensorError("the exponent of ** must be a plain number")

        def rule(dy):
            return dy * power * self.data ** (power - 1) if power else np.zeros_like(dy)

        return computed(f"** {power:g}", self.data**power, (self, rule))

    def __matmul__(self, other):
        """Matrix products over the last two axes; axes before them are broadcast."""
        a, b = self, self._beside(other)
        if min(a.data.ndim, b.data.ndim) < 2:
            raise TensorError(
                f"@ needs two axes or more on both sides, got {a.shape} and {b.shape}: reshape "
                "vectors to rows or columns"
            )
        return computed(
            "@",
            a.data @ b.data,
            (a, lambda dy: dy @ b.data.swapaxes(-1, -2)),
            (b, lambda dy: a.data.swapaxes(-1, -2) @ dy),
        )

    def __neg__(self):
        return self * -1.0

    def __rsub__(self, other):
        return self._beside(other) - self

    def __rtruediv__(self, other):
        return self._beside(other) / self

    def __rmatmul__(self, other):
        return self._beside(other) @ self

    __radd__, __rmul__ = __add__, __mul__

    # ---- Number by number -----------------------------------------------------------------------

    def exp(self):
        y = np.exp(self.data)
        return computed("exp", y, (self, lambda dy: dy * y))

    def log(self):
        return computed("log", np.log(self.data), (self, lambda dy: dy / self.data))

    def relu(self):
        y = np.maximum(self.data, 0)
        return computed("relu", y, (self, lambda dy: dy * (y > 0)))

    def sigmoid(self):
        y = activations.sigmoid(self.data)
        return computed("sigmoid", y, (self, lambda dy: dy * y * (1 - y)))

    def tanh(self):
        y = np.tanh(self.data)
        return computed("tanh", y, (self, lambda dy: dy * (1 - y**2)))

    # ---- Fewer numbers --------------------------------------------------------------------------

    def sum(self, axis=None, keepdims=False):
        """Add up along an axis, several (a tuple) or all (None); each term gets all of dy."""

        def rule(dy):
            if axis is not None and not keepdims:
                dy = np.expand_dims(dy, axis)
            return np.broadcast_to(dy, self.shape)

        return computed("sum", self.data.sum(axis, keepdims=keepdims), (self, rule))

    def mean(self, axis=None, keepdims=False):
        """The mean along an axis, several (a tuple) or all (None)."""
        total = self.sum(axis, keepdims)
        return total / (self.data.size / total.data.size)

    def max(self, axis, keepdims=False):
        """The largest along one axis; of equals, the first gets the gradient."""
        where = np.expand_dims(self.data.argmax(axis), axis)

        def rule(dy):
            dx = np.zeros_like(self.data)
            np.put_along_axis(dx, where, dy if keepdims else np.expand_dims(dy, axis), axis)
            return dx

        return computed("max", self.data.max(axis, keepdims=keepdims), (self, rule))

    # ---- The same numbers elsewhere -------------------------------------------------------------

    def __getitem__(self, index):
        """Pick by whatever picks from an array; what was picked twice gets both gradients."""

        def rule(dy):
            dx = np.zeros_like(self.data)
            np.add.at(dx, index, dy)
            return dx

        return computed("pick", self.data[index], (self, rule))

    def reshape(self, *shape):
        y = self.data.reshape(*shape)
        return computed("reshape", y, (self, lambda dy: dy.reshape(self.shape)))

    def transpose(self, *axes):
        """Put the axes into this order, by default the reverse one."""
        axes = axes or tuple(reversed(range(self.data.ndim)))
        y = self.data.transpose(axes)
        return computed("transpose", y, (self, lambda dy: dy.transpose(np.argsort(axes))))


def computed(operation, data, *parents):
    """The tensor that an operation gives, with (parent, rule) for each one it was computed from."""
    tensor = Tensor(data, needs_gradient=any(parent.needs_gradient for parent, _ in parents))
    tensor.operation, tensor.parents = operation, parents
    return tensor


def unbroadcast(gradient, shape):
    """Add up the gradients of all copies that broadcasting made of an array of this shape.

    (5,) beside (3, 5) counts as (1, 5) and was used 3 times: a sum over axis 0.
    """
    if gradient.shape == shape:
        return gradient
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))  # axes put in front
    return gradient.sum(axis=tuple(np.flatnonzero(np.equal(shape, 1))), keepdims=True)
