"""The exercises of lesson 05 name what learners typically write, and take other ways."""

import numpy as np
import pytest

from course.exercises import xor as exercises


def stepped(x, a1, dz2, w1, b1, w2, b2, learning_rate, slope=True, output_first=False):
    """`step` unit by unit, with what can go wrong in it."""
    w1, b1, w2 = w1.copy(), b1.copy(), w2.copy()
    for j in range(len(w2)):
        if output_first:
            w2[j] -= learning_rate * dz2 * a1[j]
        dz1 = dz2 * w2[j] * (a1[j] * (1 - a1[j]) if slope else 1)
        w1[:, j] -= learning_rate * dz1 * x
        b1[j] -= learning_rate * dz1
        if not output_first:
            w2[j] -= learning_rate * dz2 * a1[j]
    return w1, b1, w2, b2 - learning_rate * dz2


def without_biases(x, a1, dz2, w1, b1, w2, b2, learning_rate):
    new = stepped(x, a1, dz2, w1, b1, w2, b2, learning_rate)
    return new[0], b1, new[2], b2


WRONG = [
    (exercises.BOTH, lambda x1, x2: x1 * x2, "the inputs are multiplied with each other"),
    (exercises.BOTH, lambda x1, x2: x1 * x2 > 0, "it is no neuron"),
    (exercises.BOTH, lambda x1, x2: x1 and x2, "expected truth values"),
    (exercises.BOTH, lambda x1, x2: x1 or x2, "expected truth values"),
    (exercises.BOTH, lambda x1, x2: x1 + x2 > 0.5, "gave True, expected False"),
    (exercises.BOTH, lambda x1, x2: x1 + x2 > 0, "one of the inputs is enough"),
    (exercises.BOTH, lambda x1, x2: x1 + x2 - 2 > 0, "the bias reaches as far as (1, 1)"),
    (exercises.BOTH, lambda x1, x2: x1 + x2 - 1.5, "`> 0` is missing"),
    (exercises.BOTH, lambda x1, x2: x1 + x2 < 1.5, "it is true just where it should be false"),
    (exercises.STEP, lambda *given: stepped(*given, slope=False), "dz1 lacks the slope"),
    (exercises.STEP, lambda *given: stepped(*given, output_first=True), "w2 has been changed"),
    (exercises.STEP, lambda *given: stepped(*given[:-1], -given[-1]), "the step goes uphill"),
    (exercises.STEP, lambda *given: stepped(*given[:-1], 1.0), "the learning rate is left out"),
    (exercises.STEP, without_biases, "the biases stay where they are"),
    (exercises.STEP, lambda *given: stepped(*given)[2:] + stepped(*given)[:2], "the shape"),
    (exercises.CROSS_ENTROPY, lambda a2, y: y - a2, "the sign is turned around"),
    (exercises.CROSS_ENTROPY, lambda a2, y: (a2 - y) * a2 * (1 - a2), "of the squared error"),
    (exercises.CROSS_ENTROPY, lambda a2, y: (1 - y) / (1 - a2) - y / a2, "this is dL/da2"),
    (exercises.CROSS_ENTROPY, lambda a2, y: -y / a2 * a2 * (1 - a2), "only the loss where y is 1"),
    (exercises.CROSS_ENTROPY, lambda a2, y: (1 - y) * a2, "only the loss where y is 0"),
]


@pytest.mark.parametrize(("exercise", "attempt", "message"), WRONG)
def test_typical_mistakes_are_told(exercise, attempt, message):
    for seed in range(5):
        verdict = exercise.verdict(attempt, seed=seed)
        assert verdict.status == "wrong" and message in verdict.message


def test_unit_by_unit_is_right_too():
    for seed in range(5):
        assert exercises.STEP.verdict(stepped, seed=seed).status == "passed"


def test_the_gradient_of_the_cross_entropy_is_held_against_the_loss():
    def loss(z2, y):
        a2 = 1 / (1 + np.exp(-z2))
        return -y * np.log(a2) - (1 - y) * np.log(1 - a2)

    def gradient(a2, y):
        return a2 - y

    for seed in range(5):
        assert exercises.CROSS_ENTROPY.verdict(gradient, loss, seed).status == "passed"
    other = exercises.CROSS_ENTROPY.verdict(gradient, lambda z2, y: -loss(z2, y)).message
    assert "gradient of the course's forward pass, but not of yours" in other
