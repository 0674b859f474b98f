"""The exercises of lesson 05."""

import math

from course.exercises import Exercise


def both(x1, x2):
    return x1 + x2 - 1.5 > 0


def forward_by_hand(x1, x2):
    a1 = 1 / (1 + math.exp(-(x1 + x2 - 0.5)))
    a2 = 1 / (1 + math.exp(-(x1 + x2 - 1.5)))
    return 1 / (1 + math.exp(-(4 * a1 - 6 * a2 - 1)))


def output_gradient(a2, y):
    return (a2 - y) * a2 * (1 - a2)


def count_symmetries(hidden):
    return math.factorial(hidden) * 2**hidden


CASES = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]
BOTH = Exercise(
    both,
    lambda: CASES,
    "w1 * x1 + w2 * x2 + b must be above 0 for (1, 1) and below 0 for the three others.",
)
FORWARD = Exercise(
    forward_by_hand,
    lambda: CASES,
    "Work from the inside out: the two hidden z, their sigmoids, the output's z, its sigmoid.",
)
OUTPUT_GRADIENT = Exercise(
    output_gradient,
    lambda: [(0.8, 1.0), (0.8, 0.0), (0.5, 0.0), (0.02, 1.0)],
    "dL/da2 = a2 - y, and the sigmoid's derivative is a2 (1 - a2). The chain rule multiplies.",
)
SYMMETRIES = Exercise(
    count_symmetries,
    lambda: [(1,), (2,), (4,), (8,)],
    "In how many orders can the hidden units stand, and which of them can be turned around?",
)
