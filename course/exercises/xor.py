"""The exercises of lesson 05."""

import numpy as np

from course.exercises import Exercise


def both(x1, x2):
    return x1 + x2 - 1.5 > 0


def step(x, a1, dz2, w1, b1, w2, b2, learning_rate):
    dz1 = dz2 * w2 * a1 * (1 - a1)
    return (
        w1 - learning_rate * np.outer(x, dz1),
        b1 - learning_rate * dz1,
        w2 - learning_rate * dz2 * a1,
        b2 - learning_rate * dz2,
    )


def cross_entropy_gradient(a2, y):
    return a2 - y


class NeuronExercise(Exercise):
    """The function to write is one neuron: right at the cases, and divided by a straight line.

    Which line is up to the learner, so nothing is compared. But where a neuron says the same at two
    points, it says the same in the middle between them.
    """

    def beyond(self, function):
        for start, middle, end in MIDDLES:
            try:
                at_start, between, at_end = (bool(function(*x)) for x in (start, middle, end))
            except Exception as error:
                return f"away from the corners it ended with {type(error).__name__}: {error}"
            if at_start == at_end != between:
                return (
                    f"it is right at the corners, but it is no neuron: at {start} and {end} it "
                    f"says {at_start}, and halfway between them, at {middle}, {between}. "
                    "A neuron weighs and adds, w1 * x1 + w2 * x2 + b, so its boundary is a line."
                )
        return ""


MIDDLES = [
    ((0.0, 2.0), (1.0, 1.0), (2.0, 0.0)),
    ((0.0, 0.0), (1.0, 1.0), (2.0, 2.0)),
    ((-1.0, -1.0), (0.0, 0.0), (1.0, 1.0)),
]
CASES = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]
BOTH = NeuronExercise(
    both,
    lambda random: CASES,
    "Draw the four points. Which straight line has (1, 1) on one side and the others on the other?",
    "w1 * x1 + w2 * x2 + b must be above 0 for (1, 1) and below 0 for the three others.",
    "With both weights 1, the sum is 2 for (1, 1) and at most 1 for the others: choose b between.",
    lesson="05-xor",
    mistakes={
        "the inputs are multiplied with each other; a neuron weighs and adds them": (
            lambda x1, x2: x1 * x2
        ),
        "one of the inputs is enough to make it true": lambda x1, x2: x1 + x2 > 0,
        "it is true just where it should be false": lambda x1, x2: not both(x1, x2),
    },
)


def _step_cases(random):
    cases = []
    for hidden, x in ((1, [1.0, 0.5]), (2, [0.0, 1.0]), (4, [1.0, 1.0])):
        a1, dz2, b2 = random.uniform(0.2, 0.8, hidden), *random.normal(size=2)
        w1, b1, w2 = (random.normal(size=shape) for shape in ((2, hidden), hidden, hidden))
        cases.append((np.array(x), a1, dz2, w1, b1, w2, b2, 0.5))
    return cases


def _uphill(x, a1, dz2, w1, b1, w2, b2, learning_rate):
    return step(x, a1, dz2, w1, b1, w2, b2, -learning_rate)


def _without_slope(x, a1, dz2, w1, b1, w2, b2, learning_rate):
    dz1 = dz2 * w2
    _, _, *output = step(x, a1, dz2, w1, b1, w2, b2, learning_rate)
    return w1 - learning_rate * np.outer(x, dz1), b1 - learning_rate * dz1, *output


def _output_first(x, a1, dz2, w1, b1, w2, b2, learning_rate):
    _, _, new_w2, new_b2 = step(x, a1, dz2, w1, b1, w2, b2, learning_rate)
    new_w1, new_b1, _, _ = step(x, a1, dz2, w1, b1, new_w2, b2, learning_rate)
    return new_w1, new_b1, new_w2, new_b2


def _without_biases(x, a1, dz2, w1, b1, w2, b2, learning_rate):
    new_w1, _, new_w2, _ = step(x, a1, dz2, w1, b1, w2, b2, learning_rate)
    return new_w1, b1, new_w2, b2


STEP = Exercise(
    step,
    _step_cases,
    "First dz1, one number for each hidden unit: dz2 goes back along w2, then through the slope of "
    "that unit's sigmoid. Then each number gives up the learning rate times its gradient.",
    "dz1 = dz2 * w2 * a1 * (1 - a1). The gradients: dw2 = dz2 * a1, db2 = dz2, db1 = dz1, and dw1, "
    "like w1 (2, hidden), has x[i] * dz1[j] at [i, j].",
    "np.outer(x, dz1) is dw1. Return w1 - learning_rate * np.outer(x, dz1), then b1, w2 and b2 the "
    "same way.",
    lesson="05-xor",
    mistakes={
        "the step goes uphill: subtract the gradient": _uphill,
        "dz1 lacks the slope of the hidden sigmoid, a1 * (1 - a1)": _without_slope,
        "w2 has been changed before dz1 used it: compute all gradients first": _output_first,
        "the biases stay where they are": _without_biases,
    },
)
CROSS_ENTROPY = Exercise(
    cross_entropy_gradient,
    lambda random: [(0.8, 1.0), (0.8, 0.0), (0.5, 0.0), (0.02, 1.0), (0.3, 0.6)],
    "The chain rule again: the slope of the loss, dL/da2, times that of the sigmoid, a2 (1 - a2).",
    "dL/da2 = -y / a2 + (1 - y) / (1 - a2). Bring both fractions to one denominator.",
    "dL/da2 = (a2 - y) / (a2 * (1 - a2)). Multiply it by a2 * (1 - a2), and see what is left.",
    lesson="05-xor",
    mistakes={
        "this is dL/da2; the slope of the sigmoid, a2 (1 - a2), is still to come": (
            lambda a2, y: (a2 - y) / (a2 * (1 - a2))
        ),
        "this is the gradient of the squared error; here the slope cancels out": (
            lambda a2, y: (a2 - y) * a2 * (1 - a2)
        ),
        "the sign is turned around": lambda a2, y: y - a2,
    },
)
