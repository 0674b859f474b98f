"""The patients of lesson 09b: networks that do not learn, or not as they should, and say not why.

Each function stands in the lesson as it stands here. What ails it is said further down.
"""

import numpy as np

from course import mnist
from course.exercises import changes
from course.exercises.patient import Patient
from course.nn.activations import ReLU, Sigmoid, Tanh
from course.nn.layers import Dense, Layer, Sequential
from course.nn.recipe import Recipe
from course.nn.rng import SimpleRng


def patient_1(images, labels):
    x = mnist.to_float(images).reshape(-1, 784)
    rng = SimpleRng(1)
    model = Sequential(hidden=Dense(784, 32, rng), relu=ReLU(), output=Dense(32, 10, rng))
    recipe = Recipe(epochs=6, batch_size=32, optimizer="momentum", learning_rate=3.0)
    return model, recipe, x, labels


def patient_2(images, labels):
    x = mnist.to_float(images).reshape(-1, 784)
    rng = SimpleRng(2)
    model = Sequential(hidden=Dense(784, 32, rng), relu=ReLU(), output=Dense(32, 10, rng))
    model.parameters["hidden.b"][:] = -8 * rng.random(32)
    recipe = Recipe(epochs=6, batch_size=32, optimizer="momentum", learning_rate=0.05)
    return model, recipe, x, labels


def patient_3(images, labels):
    x = mnist.to_float(images).reshape(-1, 784)
    rng = SimpleRng(3)
    x = x[rng.permutation(len(x))]
    model = Sequential(hidden=Dense(784, 32, rng), relu=ReLU(), output=Dense(32, 10, rng))
    recipe = Recipe(epochs=6, batch_size=32, optimizer="momentum", learning_rate=0.05)
    return model, recipe, x, labels


def patient_4(images, labels):
    x = mnist.to_float(images).reshape(-1, 784)
    rng = SimpleRng(4)
    layers = {"dense0": Dense(784, 32, rng), "bend0": Sigmoid()}
    for n in range(1, 6):
        layers |= {f"dense{n}": Dense(32, 32, rng), f"bend{n}": Sigmoid()}
    model = Sequential(**layers, output=Dense(32, 10, rng))
    recipe = Recipe(epochs=10, batch_size=32, optimizer="momentum", learning_rate=0.02)
    return model, recipe, x, labels


def patient_5(images, labels):
    x = mnist.to_float(images).reshape(-1, 784)
    rng = SimpleRng(5)
    model = Sequential(hidden=Dense(784, 64, rng), relu=ReLU(), output=Dense(64, 10, rng))
    recipe = Recipe(
        epochs=40, batch_size=32, optimizer="momentum", learning_rate=0.02, validation_split=0.2
    )
    return model, recipe, x, labels


def patient_6(images, labels):
    x = mnist.to_float(images).reshape(-1, 784) / 255
    rng = SimpleRng(6)
    model = Sequential(hidden=Dense(784, 32, rng), relu=ReLU(), output=Dense(32, 10, rng))
    recipe = Recipe(epochs=6, batch_size=32, optimizer="momentum", learning_rate=0.05)
    return model, recipe, x, labels


def patient_7(images, labels):
    x = mnist.to_float(images).reshape(-1, 784)
    rng = SimpleRng(7)
    model = Sequential(hidden=Dense(784, 32, rng), tanh=Tanh(), output=Dense(32, 10, rng))
    model.parameters["hidden.w"][:] *= 50
    recipe = Recipe(epochs=6, batch_size=32, optimizer="momentum", learning_rate=0.05)
    return model, recipe, x, labels


def patient_8(images, labels):
    x = mnist.to_float(images).reshape(-1, 784)
    rng = SimpleRng(8)
    model = Sequential(hidden=Dense(784, 32, rng), relu=ReLU(), output=Dense(32, 10, rng))
    for w in model.parameters.values():
        w[:] = 0.01
    recipe = Recipe(epochs=6, batch_size=32, optimizer="momentum", learning_rate=0.02)
    return model, recipe, x, labels


def patient_9(images, labels):
    class Leaky(Layer):
        def forward(self, x):
            self.x = x
            return np.where(x > 0, x, np.float32(0.1) * x)

        def backward(self, dy):
            return np.where(dy > 0, dy, np.float32(0.1) * dy)

    x, rng = mnist.to_float(images).reshape(-1, 784), SimpleRng(9)
    model = Sequential(hidden=Dense(784, 32, rng), leaky=Leaky(), output=Dense(32, 10, rng))
    recipe = Recipe(epochs=6, batch_size=32, optimizer="momentum", learning_rate=0.02)
    return model, recipe, x, labels


def patient_10(images, labels):
    x = mnist.to_float(images).reshape(-1, 784)
    x, labels = np.concatenate([x, x[:200]]), np.concatenate([labels, labels[:200]])
    rng = SimpleRng(10)
    model = Sequential(hidden=Dense(784, 32, rng), relu=ReLU(), output=Dense(32, 10, rng))
    recipe = Recipe(epochs=12, batch_size=32, optimizer="momentum", learning_rate=0.05)
    return model, recipe, x, labels


# ---- What ails them ------------------------------------------------------------------------------

PATIENT_1 = Patient(
    patient_1,
    "rate too large",
    ("learning_rate=3.0", "learning_rate=0.05"),
    "How far does one step move the weights, and how far should it?",
    reads=0.8,
    mistakes={
        "More epochs are more steps that are as wrong as those before.": changes.is_longer,
        "The learning rate goes the wrong way.": changes.has_a_larger_rate,
        "A smaller learning rate is right, but now the steps are so small that six epochs lead "
        "nowhere: they should move the weights by about a thousandth of their size.": (
            changes.has_a_rate_within(0, 0.01)
        ),
        "A smaller learning rate is right, but this one is still too large: the steps should move "
        "the weights by about a thousandth of their size, a hundredth at most.": (
            changes.has_a_rate_within(0.5, 2.9)
        ),
        "More units take steps that are as large.": changes.is_larger,
    },
)
PATIENT_2 = Patient(
    patient_2,
    "dead",
    ('    model.parameters["hidden.b"][:] = -8 * rng.random(32)\n', ""),
    "How many units take part, from the first step on?",
    reads=0.8,
    mistakes={
        "Without a gradient silent units never move, however long: how do they begin?": (
            changes.is_longer
        ),
        "Silent units get no gradient, at whatever learning rate: how do they begin?": (
            changes.has_another_rate
        ),
        "More units, and most of them silent again: how do they begin?": changes.is_larger,
        "With these first biases, too, many units take no part: which ones are usual?": (
            changes.has_other_first("hidden.b")
        ),
    },
)
PATIENT_3 = Patient(
    patient_3,
    "labels",
    (
        "x = x[rng.permutation(len(x))]",
        "order = rng.permutation(len(x))\n    x, labels = x[order], labels[order]",
    ),
    "The steps are healthy, and yet the validation loss does not fall. Look at what it trains on: "
    "`_, _, x, y = patient_3(images, labels)`, then `plots.digits(x[:10], y[:10])`.",
    reads=0.8,
    mistakes={
        "With more epochs it learns by heart what is wrong.": changes.is_longer,
        "The steps are healthy; at no learning rate is there anything to learn from these pairs "
        "of digits and labels.": changes.has_another_rate,
        "A larger network learns by heart, and sooner, what is wrong.": changes.is_larger,
        "In an order of their own the labels do not belong to the digits, either: both need the "
        "same order.": changes.has_another_order,
    },
)
PATIENT_4 = Patient(
    patient_4,
    "vanishing",
    ("Sigmoid()", "ReLU()"),
    "What becomes of the gradient on its way from the last layer to the first?",
    reads=0.55,
    mistakes={
        "The first layers move by millionths: more epochs will not do.": changes.is_longer,
        "A learning rate that suits the first layers is far too large for the last one.": (
            changes.has_another_rate
        ),
        "More units in a layer do not help the gradient through it.": changes.is_larger,
        "Fewer sigmoids are right, but each of those that are left passes on a quarter of the "
        "gradient at most.": changes.has_fewer_sigmoids,
        "Another optimizer takes larger steps where gradients are small. They are as small as "
        "before: what makes them so?": changes.has_another_optimizer,
    },
)
PATIENT_5 = Patient(
    patient_5,
    "overfitting",
    ("epochs=40", "epochs=40, patience=3"),
    "When was the validation loss at its lowest, and what did the training loss do then?",
    reads=0.75,
    noise=0.3,
    mistakes={
        "More epochs is more of what ails it.": changes.is_longer,
        "A larger network learns by heart even better.": changes.is_larger,
        "At another learning rate it does the same, sooner or later.": changes.has_another_rate,
        "Its best weights are kept, so it reads well. But it trains on long after them, for "
        "nothing: take less patience.": changes.has_patience,
        "Fewer epochs are right. How many, the validation loss says: end where it is lowest.": (
            changes.is_shorter
        ),
        "A smaller network learns by heart as well, given so many epochs.": changes.is_smaller,
        "Weight decay is one way, but in another strength: try ten times as much, or as little.": (
            changes.has_weight_decay
        ),
        "Whatever share is held out, it learns the others by heart.": changes.has_another_split,
    },
)
PATIENT_6 = Patient(
    patient_6,
    "inputs",
    (" / 255", ""),
    "The first layer hardly moves. Look at what goes in: `_, _, x, y = patient_6(images, labels)`, "
    "then `x.min(), x.max()`.",
    reads=0.8,
    mistakes={
        "A larger learning rate makes up for something that is too small elsewhere: look at what "
        "goes in.": changes.has_a_larger_rate,
        "More epochs make up for it at best: look at what goes in.": changes.is_longer,
        "Now what goes in is too large.": changes.has_inputs_up_to(10, np.inf),
        "What goes in is larger than it was, and still too small: it should reach about 1.": (
            changes.has_inputs_up_to(0.005, 0.5)
        ),
        "It is not for want of units: look at what goes in.": changes.is_larger,
    },
)
PATIENT_7 = Patient(
    patient_7,
    "saturated",
    ('    model.parameters["hidden.w"][:] *= 50\n', ""),
    "Where on their curve are the units, from the first step on?",
    reads=0.8,
    mistakes={
        "Where the curve is flat hardly a gradient comes through, however long.": changes.is_longer,
        "Where the curve is flat hardly a gradient comes through, at whatever learning rate.": (
            changes.has_another_rate
        ),
        "More units, and all of them where their curve is flat.": changes.is_larger,
        "Another activation function gets the same sums. What makes them so large?": (
            changes.has_other_layers
        ),
        "Other first weights, but still so large that most units are where their curve is flat.": (
            changes.has_other_first("hidden.w")
        ),
    },
)
PATIENT_8 = Patient(
    patient_8,
    "alike",
    ("    for w in model.parameters.values():\n        w[:] = 0.01\n", ""),
    "All bands are kept. Compare two units: `model, *_ = patient_8(images, labels)`, then "
    "`model.parameters['hidden.w'][:, :2]`.",
    reads=0.8,
    mistakes={
        "32 equal units are one, however long it is trained.": changes.is_longer,
        "Equal units get equal gradients, at whatever learning rate.": changes.has_another_rate,
        "More units, and all of them equal.": changes.is_larger,
        "Another number, and again the same for all units.": changes.has_other_first("hidden.w"),
        "Equal units stay equal, whatever becomes of them on their way.": changes.is_still_ill,
    },
)
PATIENT_9 = Patient(
    patient_9,
    "gradient",
    ("np.where(dy > 0, dy,", "np.where(self.x > 0, dy,"),
    "All bands are kept, and the loss goes nowhere. Does each step lead downhill? Compare the "
    "backward pass with the forward pass.",
    reads=0.8,
    mistakes={
        "Many steps in a wrong direction lead no farther than few.": changes.is_longer,
        "Steps of another length still lead in a wrong direction.": changes.has_another_rate,
        "A larger network goes in a wrong direction, too.": changes.is_larger,
        "It is still not the gradient of the forward pass. What does that multiply x by where it "
        "is above 0, and what where it is below?": changes.is_still_ill,
    },
)
PATIENT_10 = Patient(
    patient_10,
    "leak",
    (
        "    x, labels = np.concatenate([x, x[:200]]), np.concatenate([labels, labels[:200]])\n",
        "",
    ),
    "Look at the validation digits, the last tenth of what it trains on: `_, _, x, y = "
    "patient_10(images, labels)`, then `plots.digits(x[-10:])`. Have you seen them before?",
    reads=0.8,
    mistakes={
        "It learns very well; it is the number beside it that is not to be believed.": (
            changes.has_another_recipe
        ),
        "It is not for want of units.": changes.is_larger,
        "Fewer digits are there twice, but some still are.": changes.has_fewer_samples,
        "In another order, too, some validation digits are trained on.": changes.has_another_order,
    },
)
PATIENTS = {f"patient-{n}": globals()[f"PATIENT_{n}"] for n in range(1, 11)}
