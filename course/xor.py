"""Lesson 05: XOR, the smallest problem that needs a hidden layer: 2 -> 4 -> 1.

Is exactly one of two inputs 1? No straight line separates the yes from the no, so no single layer
can tell (Minsky & Papert, "Perceptrons", 1969). With a hidden layer of sigmoids it can be learned
(Rumelhart, Hinton & Williams, "Learning representations by back-propagating errors", Nature 323,
1986). Here are all 17 parameters, every gradient by hand, and one sample at a time.
"""

import math

import numpy as np

from course import xor_numpy
from course.nn import training
from course.nn.activations import Sigmoid
from course.nn.compiled import jit, prange
from course.nn.layers import Dense, Sequential
from course.nn.losses import MeanSquaredError
from course.nn.recipe import OPTIMIZERS, Recipe
from course.nn.rng import SimpleRng

INPUTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float64)  # (4, 2)
TARGETS = np.array([0, 1, 1, 0], np.float64)  # (4,)
REPORTS = 100  # epoch records of a whole run


class HalfSquaredError(MeanSquaredError):
    """Half the mean squared error: the 2 of the derivative is gone."""

    def __call__(self, predictions, targets):
        """Return (loss, dpredictions) for predictions (batch, 1) and targets (batch,)."""
        loss, dpredictions = super().__call__(predictions, targets.reshape(-1, 1))
        return loss / 2, dpredictions / 2


class XOR(Sequential):
    """Dense, sigmoid, dense, sigmoid: x (batch, 2) -> probability of "yes" (batch, 1)."""

    name = "xor"
    loss_fn = HalfSquaredError()

    def __init__(self, seed=1, hidden=4, dtype=np.float64):
        rng = SimpleRng(seed)
        super().__init__(
            hidden=Dense(2, hidden, rng, dtype),
            hidden_sigmoid=Sigmoid(),
            output=Dense(hidden, 1, rng, dtype),
            output_sigmoid=Sigmoid(),
        )
        self.config = {"hidden": hidden}

    def is_right(self, answers, targets):
        """Say of each answer (batch, 1) whether it is on its target's side of 1/2."""
        return (answers[:, 0] > 0.5) == (targets > 0.5)


@jit
def sigmoid(z):
    """Squash any number into (0, 1); its derivative is sigmoid * (1 - sigmoid)."""
    return 1.0 / (1.0 + math.exp(min(-z, 700.0)))  # exp(710) would overflow


@jit(numpy=xor_numpy.train_epochs)
def train_epochs(x, y, w1, b1, w2, b2, learning_rate, epochs, stop_below):
    """Train in place for `epochs` epochs, one sample at a time; this is all of backpropagation.

    Shapes: x (samples, 2), y (samples,), w1 (2, hidden), b1 (hidden,), w2 (hidden, 1), b2 (1,).
    The loss of a sample is (a2 - y)^2 / 2. Stops after the first epoch whose mean loss is below
    `stop_below`. Returns (epochs done, mean loss of the last one).
    """
    hidden = len(b1)
    a1 = np.empty_like(b1)
    loss = 0.0
    for epoch in range(epochs):
        loss = 0.0
        for n in range(len(y)):
            # forward
            z2 = b2[0]
            for j in range(hidden):
                a1[j] = sigmoid(x[n, 0] * w1[0, j] + x[n, 1] * w1[1, j] + b1[j])
                z2 += a1[j] * w2[j, 0]
            a2 = sigmoid(z2)
            loss += (a2 - y[n]) ** 2 / 2

            # backward: da2 = a2 - y, and through each sigmoid times a (1 - a)
            dz2 = (a2 - y[n]) * a2 * (1.0 - a2)
            for j in range(hidden):
                dz1 = dz2 * w2[j, 0] * a1[j] * (1.0 - a1[j])
                w2[j, 0] -= learning_rate * dz2 * a1[j]
                w1[0, j] -= learning_rate * dz1 * x[n, 0]
                w1[1, j] -= learning_rate * dz1 * x[n, 1]
                b1[j] -= learning_rate * dz1
            b2[0] -= learning_rate * dz2
        loss /= len(y)
        if loss < stop_below:
            return epoch + 1, loss
    return epochs, loss


class XORTrainer(training.Trainer):
    """Trains the XOR model with `train_epochs`, in REPORTS equal parts, each with one record.

    A record's `train_seconds` are those of its part, its loss is that of the part's last epoch.
    """

    stop_below = 0.0  # mean loss at which to stop; 0 means: go through all epochs

    def fit(self, x=INPUTS, y=TARGETS):
        """Train on x (samples, 2), y (samples,); return the records."""
        return super().fit(x, y)

    def train_part(self, x, y):
        epochs = self.settings.epochs
        count = min(max(1, epochs // REPORTS), epochs - self.epoch)
        self.learning_rate = self.settings.learning_rate
        w = self.model.parameters
        x, y = x.astype(w["hidden.w"].dtype), y.astype(w["hidden.w"].dtype)
        return train_epochs(x, y, *w.values(), self.learning_rate, count, self.stop_below)

    def _reason_to_stop(self):
        if self.records and self.records[-1].train_loss < self.stop_below:
            return "early"
        return super()._reason_to_stop()


class XORRecipe(Recipe):
    """A recipe for `train_epochs`: plain SGD, one sample at a time, on all samples.

    Raises ValueError for settings that this loop has not.
    """

    def __post_init__(self):
        super().__post_init__()
        plain = (self.optimizer, self.schedule) == ("sgd", "constant")
        if not plain or self.batch_size != 1 or self.weight_decay or self.validation_split:
            raise ValueError(
                "xor trains by plain SGD, one sample at a time, without validation: only epochs, "
                "learning rate and seed can be chosen"
            )

    def trainer(self, model, observers=()):
        """Return the trainer; it looks at no schedule, no validation and no other optimizer."""
        optimizer, schedule = OPTIMIZERS[self.optimizer](model, self), self.make_schedule()
        return XORTrainer(model, optimizer, schedule, self, observers=list(observers))


RECIPE = XORRecipe(epochs=1_000_000, batch_size=1, validation_split=0.0, learning_rate=0.01)


def evaluate(model, x=INPUTS, y=TARGETS):
    """Return (mean loss, share of answers on the right side of 1/2)."""
    return training.evaluate(model, x, y)


def is_solved(model):
    """Tell whether all four answers are right."""
    return evaluate(model)[1] == 1.0


# ---- A thousand starts ---------------------------------------------------------------------------


@jit(parallel=True, numpy=xor_numpy.train_many)
def train_many(x, y, w1, b1, w2, b2, learning_rate, epochs):
    """Train many networks at once, one per core at a time; axis 0 of the weights counts them."""
    for k in prange(len(w1)):
        train_epochs(x, y, w1[k], b1[k], w2[k], b2[k], learning_rate, epochs, 0.0)


def sweep(hidden, seeds=range(1, 1001), learning_rate=1.0, epochs=5000):
    """Train a network from each seed; return (models, solved): a list, and a (seeds,) bool array.

    A learning rate a hundred times the recipe's makes it a matter of seconds.
    """
    models = [XOR(seed, hidden) for seed in seeds]
    return models, train_all(models, learning_rate, epochs)


def train_all(models, learning_rate, epochs):
    """Train models of one size in place; return which of them are solved: (models,) bool."""
    stacks = {name: np.stack([m.parameters[name] for m in models]) for name in models[0].parameters}
    train_many(INPUTS, TARGETS, *stacks.values(), learning_rate, epochs)
    for k, model in enumerate(models):
        for name, stack in stacks.items():
            model.parameters[name][...] = stack[k]
    return np.array([is_solved(model) for model in models])


def snapshots(model, epochs, learning_rate=1.0):
    """Train a model in place; return copies of it after each of the numbers `epochs`, ascending."""
    copies, done = [], 0
    for epoch in epochs:
        w = model.parameters.values()
        train_epochs(INPUTS, TARGETS, *w, learning_rate, epoch - done, 0.0)
        copies.append(_copy(model))
        done = epoch
    return copies


# ---- Symmetries and surfaces ---------------------------------------------------------------------


def permuted(model, order):
    """Return the same function with its hidden units in another order."""
    other = _copy(model)
    w, theirs = model.parameters, other.parameters
    theirs["hidden.w"][...] = w["hidden.w"][:, order]
    theirs["hidden.b"][...] = w["hidden.b"][order]
    theirs["output.w"][...] = w["output.w"][order]
    return other


def flipped(model, unit):
    """Return the same function with the hidden `unit` turned around.

    sigmoid(-z) = 1 - sigmoid(z): with all signs of the unit changed it answers 1 - a, so the
    output weight changes its sign and the output bias takes up what is missing.
    """
    other = _copy(model)
    w = other.parameters
    w["hidden.w"][:, unit] *= -1
    w["hidden.b"][unit] *= -1
    w["output.b"] += w["output.w"][unit]
    w["output.w"][unit] *= -1
    return other


def loss_surface(model, first, second, name="hidden.w"):
    """Return the mean loss (n, m) over two numbers of one parameter, all others held.

    `first` is (place, values (m,)) and `second` (place, values (n,)); a place is the number's
    index in the parameter `name`, such as (0, 2).
    """
    other = _copy(model)
    array, loss_fn = other.parameters[name], HalfSquaredError()
    (place1, values1), (place2, values2) = first, second
    losses = np.empty((len(values2), len(values1)))
    for i, value2 in enumerate(values2):
        for j, value1 in enumerate(values1):
            array[place1], array[place2] = value1, value2
            losses[i, j], _ = loss_fn(other.forward(INPUTS), TARGETS)
    return losses


def _copy(model):
    other = XOR(**model.config)
    for name, array in model.parameters.items():
        other.parameters[name][...] = array
    return other
