"""The exercises of lesson 05."""

import math

from course.exercises import Exercise


def both(x1, x2):
    return x1 + x2 - 1.5 > 0


def forward_by_hand(x1, x2):
    a1 = 1 / (1 + math.exp(-(x1 + x2 - 0.5)))
    a2 = 1 / (1 + math.exp(-(x1 + x2 - 1.5)))
    return 1 / (1 + math.exp(-(4 * a1 - 6 * a2 - 1)))


def _sigmoid(z):
    return 1 / (1 + math.exp(-z))


def output_gradient(a2, y):
    return (a2 - y) * a2 * (1 - a2)


def count_symmetries(hidden):
    return math.factorial(hidden) * 2**hidden


class NeuronExercise(Exercise):
    """The function to write is one neuron: right at the cases, and divided by a straight line.

    Which line is up to the learner, so nothing is compared. But where a neuron says the same at two
    points, it says the same in the middle between them.
    """

    def verdict(self, attempt):
        verdict = super().verdict(attempt)
        if not verdict.startswith("Correct"):
            return verdict
        for start, middle, end in MIDDLES:
            try:
                at_start, between, at_end = (bool(attempt(*x)) for x in (start, middle, end))
            except Exception as error:
                return (
                    f"Not yet: away from the corners it ended with {type(error).__name__}: {error}"
                )
            if at_start == at_end != between:
                return (
                    f"Not yet: it is right at the corners, but it is no neuron: at {start} and "
                    f"{end} it says {at_start}, and halfway between them, at {middle}, {between}. "
                    "A neuron weighs and adds, w1 * x1 + w2 * x2 + b, so its boundary is a line."
                )
        return verdict


MIDDLES = [
    ((0.0, 2.0), (1.0, 1.0), (2.0, 0.0)),
    ((0.0, 0.0), (1.0, 1.0), (2.0, 2.0)),
    ((-1.0, -1.0), (0.0, 0.0), (1.0, 1.0)),
]
CASES = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]
BOTH = NeuronExercise(
    both,
    lambda: CASES,
    "Draw the four points. Which straight line has (1, 1) on one side and the others on the other?",
    "w1 * x1 + w2 * x2 + b must be above 0 for (1, 1) and below 0 for the three others.",
    "With both weights 1, the sum is 2 for (1, 1) and at most 1 for the others: choose b between.",
    mistakes={
        "the inputs are multiplied with each other; a neuron weighs and adds them": (
            lambda x1, x2: x1 * x2
        ),
        "one of the inputs is enough to make it true": lambda x1, x2: x1 + x2 > 0,
        "it is true just where it should be false": lambda x1, x2: not both(x1, x2),
    },
)
FORWARD = Exercise(
    forward_by_hand,
    lambda: CASES,
    "Work from the inside out: the two hidden z, their sigmoids, the output's z, its sigmoid.",
    "The sigmoid is 1 / (1 + exp(-z)), and math.exp computes exp. The output's z has the weights 4 "
    "and -6 and the bias -1.",
    "a1 = 1 / (1 + math.exp(-(x1 + x2 - 0.5))), a2 likewise; then the sigmoid of 4 * a1 - 6 * a2 - "
    "1.",
    mistakes={
        "the output has no sigmoid": lambda x1, x2: (
            4 * _sigmoid(x1 + x2 - 0.5) - 6 * _sigmoid(x1 + x2 - 1.5) - 1
        ),
        "the hidden units have no sigmoid": (
            lambda x1, x2: _sigmoid(4 * (x1 + x2 - 0.5) - 6 * (x1 + x2 - 1.5) - 1)
        ),
        "the sigmoid has exp(z) where exp(-z) belongs": (
            lambda x1, x2: _sigmoid(
                -(4 * _sigmoid(-(x1 + x2 - 0.5)) - 6 * _sigmoid(-(x1 + x2 - 1.5)) - 1)
            )
        ),
    },
)
OUTPUT_GRADIENT = Exercise(
    output_gradient,
    lambda: [(0.8, 1.0), (0.8, 0.0), (0.5, 0.0), (0.02, 1.0)],
    "The chain rule multiplies two slopes: that of the loss, and that of the sigmoid.",
    "dL/da2 = a2 - y, and the sigmoid's derivative is a2 (1 - a2).",
    "(a2 - y) * ... * ....",
    mistakes={
        "the sign is turned around: dL/da2 is a2 - y": (lambda a2, y: (y - a2) * a2 * (1 - a2)),
        "the slope of the sigmoid is left out": lambda a2, y: a2 - y,
        "the error is left out; this is the slope of the sigmoid": lambda a2, y: a2 * (1 - a2),
        "there is a 2 in front; the loss is half the square": (
            lambda a2, y: 2 * (a2 - y) * a2 * (1 - a2)
        ),
    },
)
SYMMETRIES = Exercise(
    count_symmetries,
    lambda: [(1,), (2,), (4,), (8,)],
    "In how many orders can the hidden units stand, and which of them can be turned around?",
    "There are hidden! orders, and each unit can be turned around or not, by itself.",
    "math.factorial(hidden) times 2 for each unit.",
    mistakes={
        "only the orders are counted": math.factorial,
        "only the turned signs are counted": lambda hidden: 2**hidden,
        "orders and signs are added; each order goes with each choice of signs": (
            lambda hidden: math.factorial(hidden) + 2**hidden
        ),
        "all units are turned around together; each can be by itself": (
            lambda hidden: math.factorial(hidden) * 2
        ),
    },
)
