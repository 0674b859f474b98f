"""Train such a network, by the learner's functions alone; and `course.mlp` beside it."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from course.mlp import MLP
from course.nn.optimizers import SGD
from course.nn.training import EpochRecord, Settings, Trainer

BATCH_SIZE = 32


@dataclass(frozen=True)
class Method:
    """How the weights move. Rates and epochs were chosen on 400 held-out training digits."""

    step: str  # its name in `parts`
    memory: Callable  # from a weight array to what the first step remembers of it
    learning_rate: float  # at the start
    epochs: int


MOMENTUM = Method("momentum_step", np.zeros_like, 0.1, 10)  # for `Network`
ADAM = Method("adam_step", lambda w: (np.zeros_like(w), np.zeros_like(w), 0), 0.01, 5)


def falling(epoch, epochs, start):
    """A learning rate that falls from `start` in a straight line, the same for a whole epoch."""
    return start * (1 - math.floor(epoch) / epochs)


def train(network, x, labels, epochs=None, method=MOMENTUM, seed=1):
    """Train by the learner's functions alone; returns an EpochRecord for each epoch.

    x (samples, inputs) in [0, 1], labels (samples,). The network has its new weights afterwards.
    """
    epochs = epochs or method.epochs
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


def train_mlp(start, x, labels, epochs, method=MOMENTUM, seed=1):
    """Train `course.mlp` from the weights of `start`, a `Network`, in the same way.

    Returns an EpochRecord for each epoch. Only the order of the digits is another one.
    """
    model = MLP(inputs=start.inputs, hidden=start.units, outputs=start.outputs)
    for name, w in start.parameters.items():
        model.parameters[name][...] = w
    settings = Settings(epochs, BATCH_SIZE, validation_split=0.0, seed=seed)
    optimizer = SGD(model, momentum=0.9)
    trainer = Trainer(
        model, optimizer, lambda epoch: falling(epoch, epochs, method.learning_rate), settings
    )
    return trainer.fit(x, labels)


def accuracy(network, x, labels):
    """The share of x (samples, inputs) that it reads right."""
    return float(np.mean(network.forward(x).argmax(axis=1) == labels))


def epoch_seconds(records):
    """What an epoch takes: the median of its records, in seconds."""
    return float(np.median([record.train_seconds for record in records]))
