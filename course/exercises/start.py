"""The exercise of lesson 00."""

import numpy as np

from course.exercises import Exercise


def share_right(predictions, labels):
    return (predictions == labels).mean()


def _readings(random):
    by_hand = (np.array([3, 1, 4, 1]), np.array([3, 1, 5, 9]))  # a half
    labels = [random.integers(0, 10, random.integers(5, most)) for most in (10, 1000)]
    return [by_hand, *((np.where(random.random(len(y)) < 0.7, y, (y + 1) % 10), y) for y in labels)]


SHARE = Exercise(
    share_right,
    _readings,
    "Compare the two arrays with ==. What does the mean of True and False tell?",
    "(predictions == labels) has a True, which counts as 1, for each digit that was read right; "
    "its mean is the share.",
    "return (predictions == labels).mean().",
    lesson="00-start-here",
    mistakes={
        "the right ones are counted, not divided by how many there are": (
            lambda p, y: (p == y).sum()
        ),
        "each digit is judged, but the mean over all of them is missing": lambda p, y: p == y,
        "this asks whether all are right; the mean tells how many": lambda p, y: (p == y).all(),
        "it is a share of 100, not of 1": lambda p, y: 100 * (p == y).mean(),
        "it is the share of those that are wrong": lambda p, y: (p != y).mean(),
    },
)
