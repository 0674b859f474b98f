"""Layers: forward computes, backward carries the gradient back.

A layer maps a batch to a batch. `backward` gets dLoss/d(output) and returns dLoss/d(input); on its
way it writes dLoss/d(parameter) into `gradients`. That is the chain rule, one factor per layer
(Rumelhart, Hinton & Williams, "Learning representations by back-propagating errors", Nature 323,
1986). A network is layers in a row, and is a layer itself.
"""

import numpy as np

from course.nn.blas import gemm
from course.nn.losses import SoftmaxCrossEntropy
from course.nn.rng import xavier_uniform


class Layer:
    """What optimizer, gradient check, checkpoint and training loop know of a layer or a model.

    `parameters` and `gradients` map the same names to arrays of the same shapes; `buffers` holds
    state that is saved but not trained; `training` tells dropout and batch norm how to behave.
    A model is trained on its `loss_fn`, and `is_right` judges its answers; what these stand for is
    in its `class_names`, see `course.nn.classes`, or nobody has said.
    """

    name = "network"  # what results call the model
    class_names = None
    loss_fn = SoftmaxCrossEntropy()

    def __init__(self):
        self.parameters = {}
        self.gradients = {}
        self.buffers = {}
        self.training = False

    def add_parameter(self, name, array):
        """Make `array` a parameter, with a gradient of the same shape."""
        self.parameters[name] = array
        self.gradients[name] = np.zeros_like(array)

    def forward(self, x):
        """Compute the output for the batch x; keeps what `backward` needs."""
        raise NotImplementedError

    def backward(self, dy):
        """Overwrite `gradients` for the last forward batch and return dLoss/dx.

        `dy` is dLoss/d(output) and has the output's shape.
        """
        raise NotImplementedError

    def is_right(self, answers, labels):
        """Say of each answer (batch, classes) whether it is that of its label: (batch,) bool."""
        return answers.argmax(axis=1) == labels

    def walk(self):
        """Yield this layer and every layer inside it, with names: ("hidden", <Dense>)."""
        yield "", self


class Sequential(Layer):
    """Layers one after the other, each under a name.

    >>> network = Sequential(hidden=Dense(784, 512, rng), relu=ReLU(), output=Dense(512, 10, rng))

    Its parameters are those of its layers, as "hidden.w": the very same arrays, not copies.
    """

    def __init__(self, **layers):
        super().__init__()
        self.layers = layers
        for member in ("parameters", "gradients", "buffers"):
            joined = {
                f"{name}.{key}": array
                for name, layer in layers.items()
                for key, array in getattr(layer, member).items()
            }
            setattr(self, member, joined)

    @property
    def training(self):
        return self._training

    @training.setter
    def training(self, value):
        self._training = value
        for layer in getattr(self, "layers", {}).values():
            layer.training = value

    def forward(self, x):
        for layer in self.layers.values():
            x = layer.forward(x)
        return x

    def backward(self, dy):
        for layer in reversed(self.layers.values()):
            dy = layer.backward(dy)
        return dy

    def walk(self):
        yield "", self
        for name, layer in self.layers.items():
            for inner, found in layer.walk():
                yield f"{name}.{inner}" if inner else name, found


class Dense(Layer):
    """Every output is a weighted sum of all inputs: y = x W + b.

    Shapes: x (batch, inputs), w (inputs, outputs), b (outputs,), y (batch, outputs). Weights start
    Xavier uniform, biases at zero. The first layer of a network has nobody to hand dx to; with
    `needs_input_gradient=False` it saves that product, and `backward` returns None.
    """

    def __init__(self, inputs, outputs, rng, dtype=np.float32, needs_input_gradient=True):
        super().__init__()
        self.inputs, self.outputs = inputs, outputs
        self.needs_input_gradient = needs_input_gradient
        w = xavier_uniform(rng, inputs, outputs, (inputs, outputs), dtype)
        self.add_parameter("w", w)
        self.add_parameter("b", np.zeros(outputs, dtype))
        self.restore_weight_gradient()

    def forward(self, x):
        self.x = x
        y = gemm(x, self.parameters["w"])  # (batch, inputs) @ (inputs, outputs)
        y += self.parameters["b"]  # (batch, outputs) + (outputs,)
        return y

    def backward(self, dy):
        dx = None
        if self.needs_input_gradient:
            dx = gemm(dy, self.parameters["w"], trans_b=True)  # dy @ w^T: (batch, inputs)
        target, alpha, beta = self._weight_gradient
        gemm(self.x, dy, target, alpha=alpha, beta=beta, trans_a=True)  # x^T @ dy: like w
        dy.sum(axis=0, out=self.gradients["b"])  # (outputs,)
        return dx

    def redirect_weight_gradient(self, target, alpha, beta):
        """Let `backward` compute target <- alpha * x^T dy + beta * target instead.

        BLAS scales and adds while it multiplies, so an optimizer that only wants to add the
        gradient to something gets it added in one call, without a second pass over the weights.
        """
        self._weight_gradient = (target, alpha, beta)

    def restore_weight_gradient(self):
        """Let `backward` overwrite gradients["w"] with x^T dy again."""
        self._weight_gradient = (self.gradients["w"], 1.0, 0.0)


class Flatten(Layer):
    """(batch, any, shape) -> (batch, any * shape): a view, nothing is moved."""

    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy):
        return dy.reshape(self.shape)
