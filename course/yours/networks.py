"""Networks whose every sum is in functions that the learner has written."""

import math

import numpy as np

from course.nn.layers import Layer


class Network(Layer):
    """Dense, ReLU, dense: x (batch, inputs) -> logits (batch, outputs).

    A subclass says of which functions, and is what `models.load(path, allow=[Mine])` needs:

        class Mine(Network):
            parts = my_functions  # dense, dense_backward, relu, softmax_cross_entropy

    Weights start Xavier uniform, biases at zero.
    """

    name = "yours"
    parts = None
    sizes = (256, 64, 16)  # of the hidden layer: the smaller ones are for functions that are slow

    def __init__(self, units=256, inputs=784, outputs=10, seed=1):
        super().__init__()
        self.units, self.inputs, self.outputs = units, inputs, outputs
        random = np.random.default_rng(seed)
        self.add_weights("hidden", random, (inputs, units), inputs + units)
        self.add_weights("output", random, (units, outputs), units + outputs)

    def add_weights(self, name, random, shape, fans):
        """Add the weights `name.w` of this shape, and `name.b`, a bias for each output."""
        limit = math.sqrt(6 / fans)  # Glorot & Bengio 2010, eq. 16
        biases = shape[1] if len(shape) == 2 else shape[0]
        w = random.uniform(-limit, limit, shape).astype(np.float32)
        self.add_parameter(f"{name}.w", w)
        self.add_parameter(f"{name}.b", np.zeros(biases, np.float32))

    def weights_of(self, name):
        return self.parameters[f"{name}.w"], self.parameters[f"{name}.b"]

    def forward(self, x):
        self.x = x
        self.a, self.slope = map(np.asarray, self.parts.relu(self.into_hidden(x)))
        return np.asarray(self.parts.dense(self.a, *self.weights_of("output")))

    def into_hidden(self, x):
        return np.asarray(self.parts.dense(x, *self.weights_of("hidden")))  # (batch, units)

    def backward(self, dlogits):
        w, _ = self.weights_of("output")
        da, *output = map(np.asarray, self.parts.dense_backward(self.a, w, dlogits))
        dx, *hidden = map(np.asarray, self.back_from_hidden(da * self.slope))
        names = ("hidden.w", "hidden.b", "output.w", "output.b")
        self.gradients = dict(zip(names, hidden + output, strict=True))
        return dx

    def back_from_hidden(self, dz):
        return self.parts.dense_backward(self.x, self.weights_of("hidden")[0], dz)

    def loss_and_gradients(self, x, labels):
        """The mean loss of the batch, by the learner's own function, and all gradients."""
        loss, dlogits = self.parts.softmax_cross_entropy(self.forward(x), labels)
        self.backward(np.asarray(dlogits))
        return float(loss), self.gradients

    def gradients_at(self, weights, x, labels):
        """`loss_and_gradients` at other weights: what the learner's `train_epoch` calls."""
        self.parameters = weights
        return self.loss_and_gradients(x, labels)


class ConvolutionalNetwork(Network):
    """Convolution, max-pooling, ReLU, dense: as `Network`, with `units` channels of 3x3 kernels.

    `parts` has besides those of `Network` convolution, convolution_backward and max_pool. The ReLU
    comes after the pooling, which gives the same and has a quarter of the work.
    """

    sizes = (8, 4, 2)
    kernel = 3

    def __init__(self, units=8, inputs=784, outputs=10, seed=1):
        Layer.__init__(self)
        self.units, self.inputs, self.outputs = units, inputs, outputs
        self.side = math.isqrt(inputs)
        pooled = units * ((self.side - self.kernel + 1) // 2) ** 2
        shape = (units, 1, self.kernel, self.kernel)
        random = np.random.default_rng(seed)
        self.add_weights("hidden", random, shape, self.kernel**2 * (1 + units))
        self.add_weights("output", random, (pooled, outputs), pooled + outputs)

    def into_hidden(self, x):
        self.images = x.reshape(-1, 1, self.side, self.side)
        z = self.parts.convolution(self.images, *self.weights_of("hidden"))  # (batch, c, h, w)
        pooled, self.won = map(np.asarray, self.parts.max_pool(np.asarray(z)))
        self.pooled = pooled.shape  # (batch, c, h / 2, w / 2)
        return pooled.reshape(len(x), -1)

    def back_from_hidden(self, dpooled):
        dpooled = dpooled.reshape(self.pooled)
        dz = self.won * dpooled.repeat(2, axis=2).repeat(2, axis=3)  # (batch, c, h, w)
        w, _ = self.weights_of("hidden")
        dx, dw, db = self.parts.convolution_backward(self.images, w, dz)
        return np.asarray(dx).reshape(len(dz), -1), dw, db
