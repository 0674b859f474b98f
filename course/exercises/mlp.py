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
    by_hand = (np.array([[2.0, -1.0], [0.5, 3.0], [1.0, 0.0]]), np.array([0, 1, 1]))  # 2 of 3
    return [by_hand, *((random.standard_normal((n, 10)), np.arange(n) % 10) for n in (1, 7, 200))]


def _leaky_cases():
    random = np.random.default_rng(3)
    by_hand = (np.array([1.0, -2.0, 3.0]), np.array([-4.0, 0.0, 5.0]), 0.1)
    shapes = [(4,), (3, 5), (2, 3, 4)]
    return [
        by_hand,
        *((random.standard_normal(s), random.standard_normal(s), 0.01 * s[0]) for s in shapes),
    ]


PARAMETERS = Exercise(
    count_parameters,
    lambda: [(784, 512, 10), (2, 4, 1), (3, 7, 5)],
    "Two dense layers have weights and biases. Has the ReLU any?",
    "A dense layer has one weight per pair of input and output, and one bias per output.",
    "inputs * hidden + hidden for the first layer; the second looks just the same.",
    mistakes={
        "the biases are left out": lambda i, h, o: i * h + h * o,
        "the inputs have biases, too; only what a layer computes has": (
            lambda i, h, o: i * h + h * o + i + h + o
        ),
        "the output has no biases": lambda i, h, o: i * h + h + h * o,
        "the inputs lead straight to the outputs": lambda i, h, o: i * o + o,
    },
)
ACCURACY = Exercise(
    accuracy,
    _logit_cases,
    "What does the network answer to one image, given its ten logits?",
    "The answer is the class with the largest logit: argmax along axis 1. Compare with the labels, "
    "and take the mean.",
    "np.mean(... == labels), where ... is logits.argmax(axis=1).",
    mistakes={
        "argmax looks at the whole batch at once; along axis 1 it finds one class per sample": (
            lambda logits, labels: np.mean(logits.argmax() == labels)
        ),
        "each sample is judged, but the mean over all of them is missing": (
            lambda logits, labels: logits.argmax(axis=1) == labels
        ),
        "the right answers are counted; the share is that count divided by the batch size": (
            lambda logits, labels: np.sum(logits.argmax(axis=1) == labels)
        ),
        "this is the share of wrong answers": (
            lambda logits, labels: np.mean(logits.argmax(axis=1) != labels)
        ),
        "it is in percent": lambda logits, labels: 100 * accuracy(logits, labels),
    },
)
LEAKY_RELU = Exercise(
    leaky_relu_backward,
    _leaky_cases,
    "The chain rule: dx is dy times the slope of y at x. How large is that slope on either side?",
    "dy/dx is 1 where x is positive and `slope` elsewhere; np.where picks one or the other.",
    "dy * np.where(x > 0, ..., ...).",
    mistakes={
        "this is the forward pass, and nothing comes from dy": (
            lambda dy, x, slope: np.where(x > 0, x, slope * x)
        ),
        "it does not leak: where x is negative, dy passes times `slope`": (
            lambda dy, x, slope: dy * (x > 0)
        ),
        "the sign of dy decides; that of x should": (
            lambda dy, x, slope: dy * np.where(dy > 0, 1.0, slope)
        ),
        "both sides of zero are exchanged": lambda dy, x, slope: dy * np.where(x > 0, slope, 1.0),
        "the slope is there, but not yet multiplied with dy": (
            lambda dy, x, slope: np.where(x > 0, 1.0, slope)
        ),
        "zero counts as positive; the slope there is `slope`": (
            lambda dy, x, slope: dy * np.where(x >= 0, 1.0, slope)
        ),
    },
)
