"""The course's side of the benchmark: its models, trained by its own loop."""

import numpy as np

from course import mnist, models, xor
from course.nn.recipe import Recipe

LEARNING_RATE = {"sgd": 0.01, "momentum": 0.01, "adam": 0.001}


def digits(samples):
    """Return `samples` digits, repeated if there are fewer: (samples, 784) floats, labels."""
    data = mnist.load()
    images = mnist.to_float(data.train_images).reshape(len(data.train_images), -1)
    chosen = np.arange(samples) % len(images)
    return images[chosen], data.train_labels[chosen]


def make_trainer(model, optimizer, batch_size):
    """Return a trainer that has begun and is asked for one epoch at a time."""
    recipe = Recipe(
        epochs=10**6,
        batch_size=batch_size,
        validation_split=0.0,
        optimizer=optimizer,
        learning_rate=LEARNING_RATE[optimizer],
    )
    trainer = recipe.trainer(model)
    trainer.begin()
    return trainer


class CourseSide:
    """Trains one of the course's models on digits x (samples, 784), y (samples,)."""

    def __init__(self, model, optimizer, x, y):
        self.trainer = make_trainer(models.build(model), optimizer, models.recipe(model).batch_size)
        self.x, self.y = x, y
        self.size = {"epochs": 1, "samples": len(x)}

    def train_epoch(self):
        """Train one epoch; return the mean loss."""
        return self.trainer.train_epoch(self.x, self.y)


class XORSide:
    """Trains the XOR network on its four cases, for as many epochs as its recipe has."""

    def __init__(self):
        self.parameters = models.build("xor").parameters.values()
        self.size = {"epochs": xor.RECIPE.epochs, "samples": len(xor.TARGETS)}

    def train_epoch(self):
        """Train all epochs; return the last one's mean loss."""
        rate, epochs = xor.RECIPE.learning_rate, xor.RECIPE.epochs
        data = (xor.INPUTS, xor.TARGETS)
        _, loss = xor.train_epochs(*data, *self.parameters, rate, epochs, 0.0)
        return loss
