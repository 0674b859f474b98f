"""The exercises of lesson 02."""

import numpy as np

from course.exercises import Exercise


def count_parameters(inputs, hidden, outputs):
    return inputs * hidden + hidden + hidden * outputs + outputs


def accuracy(logits, labels):
    return np.mean(logits.argmax(axis=1) == labels)


def leaky_relu_backward(dy, x, slope):
    return dy * np.where(x > 0, 1.0, slope)


def _logit_cases():
    random = np.random.default_rng(2)
    return [(random.standard_normal((n, 10)), random.integers(0, 10, n)) for n in (1, 7, 200)]


def _leaky_cases():
    random = np.random.default_rng(3)
    shapes = [(4,), (3, 5), (2, 3, 4)]
    return [(random.standard_normal(s), random.standard_normal(s), 0.01 * s[0]) for s in shapes]


PARAMETERS = Exercise(
    count_parameters,
    lambda: [(784, 512, 10), (2, 4, 1), (3, 7, 5)],
    "A dense layer has one weight per pair of input and output, and one bias per output.",
)
ACCURACY = Exercise(
    accuracy,
    _logit_cases,
    "The network's answer is the class with the largest logit: argmax along axis 1.",
)
LEAKY_RELU = Exercise(
    leaky_relu_backward,
    _leaky_cases,
    "dy/dx is 1 where x is positive and `slope` elsewhere; np.where picks one or the other.",
)
