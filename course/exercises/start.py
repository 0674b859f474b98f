"""The exercise of lesson 00."""

import numpy as np

from course.exercises import Exercise


def share_right(predictions, labels):
    return (predictions == labels).mean()


def _readings(random):
    labels = [random.integers(0, 10, count) for count in (5, 8, 1000)]
    return [(np.where(random.random(len(y)) < 0.7, y, (y + 1) % 10), y) for y in labels]


SHARE = Exercise(
    share_right,
    _readings,
    "Compare the two arrays with ==. What does the mean of True and False tell?",
    "(predictions == labels) has a True, which counts as 1, for each digit that was read right; "
    "its mean is the share.",
    "return (predictions == labels).mean().",
    lesson="00-start-here",
    mistakes={
        "the right ones are counted, not divided by how many there are": lambda p, y: (
            p == y
        ).sum(),
        "it is a share of 100, not of 1": lambda p, y: 100 * (p == y).mean(),
        "it is the share of those that are wrong": lambda p, y: (p != y).mean(),
    },
)
