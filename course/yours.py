"""Lesson 09: networks that are made of the learner's own functions, and how they are trained.

Here is only what holds these functions together: which one gets what, how long they take, and how
much of the training that leaves room for. All sums, forward, backward and in the steps, are in
`parts`, a namespace with the functions of the lesson; nothing of `course.nn` computes with them.
"""

import math
import time
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from course import idx, mnist
from course.nn.layers import Layer
from course.nn.training import EpochRecord

EPOCHS, BATCH_SIZE, LEARNING_RATE = 10, 32, 0.1  # chosen on 400 held-out training digits
SECONDS = 20.0  # that a training may take
FEWEST = 2000  # digits that a network should see, each as often as it comes; or it is made smaller
PASSES = 4  # over few digits: more new ones teach more than the same ones again
PATIENCE = 5.0  # seconds that measuring a batch may take

# What to do about a function that takes most of the time.
ADVICE = {
    "dense": "one product of two arrays, x @ w, has all its sums",
    "dense_backward": "each of its results is one operation on whole arrays: two products, one sum",
    "relu": "np.maximum and a comparison take whole arrays",
    "softmax_cross_entropy": "exp, sum and log take whole arrays, with axis=1 for each row",
    "momentum_step": "w, velocity and gradient are arrays: write it for all their numbers at once",
    "train_epoch": "take a batch out by an array of its numbers, x[batch], not digit by digit",
    "convolution": "loop over the few weights of the kernel, and let each multiply whole pictures",
    "convolution_backward": "loop over the weights of the kernel, not over the pixels",
    "max_pool": "x[:, :, ::2, ::2] and its three neighbors are whole arrays to compare",
    "adam_step": "w, gradient and both means are arrays: write it for all their numbers at once",
}


def content(name):
    """The bytes of one of the digits' files, "train-images-idx3-ubyte", uncompressed."""
    path = mnist.find_file(mnist.find_directory(), name)
    with open(path, "rb") as file, idx.uncompressed(file, path) as stream:
        return stream.read()


def whose(parts):
    """Say in a sentence which of the functions are the learner's."""
    lent = [n for n, function in vars(parts).items() if function.__module__.startswith("course.")]
    if not lent:
        return f"All {len(vars(parts))} functions are yours."
    which = "all its functions" if len(lent) == len(vars(parts)) else ", ".join(lent)
    return f"Of the course, because yours are not right yet: {which}."


# ---- The networks --------------------------------------------------------------------------------


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


# ---- Training ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Method:
    """How the weights move: the name of the step in `parts`, its first memory, the rate."""

    step: str
    memory: object  # function of a weight array
    learning_rate: float


MOMENTUM = Method("momentum_step", np.zeros_like, LEARNING_RATE)
ADAM = Method("adam_step", lambda w: (np.zeros_like(w), np.zeros_like(w), 0), 0.003)


def falling(epoch, epochs, start):
    """A learning rate that falls from `start` in a straight line, the same for a whole epoch."""
    return start * (1 - math.floor(epoch) / epochs)


def train(network, x, labels, epochs=EPOCHS, method=MOMENTUM, seed=1):
    """Train by the learner's functions alone; returns an EpochRecord for each epoch.

    x (samples, inputs) in [0, 1], labels (samples,). The network has its new weights afterwards.
    """
    parts, random = network.parts, np.random.default_rng(seed)
    weights = dict(network.parameters)
    memory = {name: method.memory(w) for name, w in weights.items()}
    step, records = getattr(parts, method.step), []
    for epoch in range(epochs):
        rate = falling(epoch, epochs, method.learning_rate)
        changing = (network.gradients_at, step, random, BATCH_SIZE, rate)
        started = time.perf_counter()
        weights, memory, loss = parts.train_epoch(weights, memory, x, labels, *changing)
        seconds = time.perf_counter() - started
        records.append(EpochRecord(epoch + 1, float(loss), seconds, None, None, rate))
    network.parameters = {name: np.array(w, np.float32) for name, w in weights.items()}
    return records


def accuracy(network, x, labels):
    """The share of x (samples, inputs) that it reads right."""
    return float(np.mean(network.forward(x).argmax(axis=1) == labels))


# ---- How much there is time for ------------------------------------------------------------------


def time_batch(network, x, labels, method=MOMENTUM):
    """Take one batch, x (batch, inputs); returns the seconds that it spent in each function."""
    own, spent = network.parts, {}
    timed = {name: _timed(name, function, spent) for name, function in vars(own).items()}
    network.parts = SimpleNamespace(**timed)
    try:
        train(network, x[:BATCH_SIZE], labels[:BATCH_SIZE], 1, method)
    finally:
        network.parts = own
    in_the_others = sum(seconds for name, seconds in spent.items() if name != "train_epoch")
    return spent | {"train_epoch": max(spent["train_epoch"] - in_the_others, 0.0)}


def _timed(name, function, spent):
    def run(*arguments):
        started = time.perf_counter()
        result = function(*arguments)
        spent[name] = spent.get(name, 0.0) + time.perf_counter() - started
        return result

    return run


@dataclass(frozen=True)
class Plan:
    """What there is time for, and why."""

    units: int
    digits: int
    epochs: int
    is_whole: bool  # nothing had to be made smaller
    batch_seconds: float  # of the network at its full size
    shares: dict  # function -> its share of them
    seconds: float  # that all of it should take

    def epoch_seconds(self, digits):
        """Seconds an epoch of so many digits takes the network at its full size."""
        return self.batch_seconds * math.ceil(digits / BATCH_SIZE)

    def __str__(self):
        slowest = max(self.shares, key=self.shares.get)
        lines = [
            f"One batch of {BATCH_SIZE} digits takes {1e3 * self.batch_seconds:,.1f} ms, "
            f"{self.shares[slowest]:.0%} of it in {slowest}."
        ]
        if not self.is_whole:
            lines.append(f"Too slow for all of it. What to change in {slowest}: {ADVICE[slowest]}.")
            lines.append("Until then there is time for a smaller run:")
        lines.append(
            f"{self.units} units, {self.digits:,} digits, {self.epochs} epochs, "
            f"about {math.ceil(self.seconds)} s."
        )
        return "\n".join(lines)


def plan(network_class, x, labels, seconds=SECONDS, method=MOMENTUM):
    """Time one batch, and choose what can be trained within so many seconds; returns a `Plan`.

    Where the functions are slow, first the network is made smaller, then there are fewer digits.
    """
    first = None
    for units in network_class.sizes:
        spent = _seconds_of_a_batch(network_class(units), x, labels, method)
        first = first or spent
        affordable = int(seconds * BATCH_SIZE / sum(spent.values()))  # digits, counted each time
        if affordable >= FEWEST:
            break
    digits = min(len(x), max(affordable // PASSES, BATCH_SIZE))
    epochs = min(EPOCHS, max(affordable // digits, 1))
    batch_seconds = sum(first.values())
    return Plan(
        units,
        digits,
        epochs,
        (units, digits, epochs) == (network_class.sizes[0], len(x), EPOCHS),
        batch_seconds,
        {name: part / batch_seconds for name, part in first.items()},
        epochs * digits / BATCH_SIZE * sum(spent.values()),
    )


def _seconds_of_a_batch(network, x, labels, method):
    """As `time_batch`, the least of three; one that takes too long is judged by two digits."""
    few = time_batch(network, x[:2], labels[:2], method)
    times = BATCH_SIZE / 2
    if times * sum(few.values()) > PATIENCE:
        return {name: times * seconds for name, seconds in few.items()}
    batch = time_batch(network, x[:BATCH_SIZE], labels[:BATCH_SIZE], method)
    if sum(batch.values()) > PATIENCE / 10:
        return batch
    more = [time_batch(network, x[:BATCH_SIZE], labels[:BATCH_SIZE], method) for _ in range(2)]
    return min([batch, *more], key=lambda spent: sum(spent.values()))
