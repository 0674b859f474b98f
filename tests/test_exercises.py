"""Exercises accept what is right however it is written, and say what is wrong with the rest.

The checks of all lessons, and the typical wrong answers to those of lessons 02 and 03.
"""

import importlib
import pkgutil

import numpy as np
import pytest

from course import exercises
from course.exercises import Exercise, cnn, mlp

MODULES = [importlib.import_module(f"course.exercises.{module.name}") for module in
           pkgutil.iter_modules(exercises.__path__)]  # fmt: skip
ALL = [
    pytest.param(found, id=f"{module.__name__.split('.')[-1]}-{name}")
    for module in MODULES
    for name, found in vars(module).items()
    if isinstance(found, Exercise)
]


@pytest.mark.parametrize("exercise", ALL)
def test_accepts_its_solution_however_often(exercise):
    for _ in range(2):
        assert exercise.verdict(exercise.solution).startswith("Correct, in all ")


@pytest.mark.parametrize("exercise", ALL)
def test_tells_an_untouched_cell_from_a_wrong_answer(exercise):
    for untouched in (lambda *arguments: None, lambda *arguments: ...):
        assert exercise.verdict(untouched).startswith("Not attempted yet")
    for wrong in (lambda *arguments: "yes", lambda *arguments: [], lambda: 1):
        assert exercise.verdict(wrong).startswith("Not yet: ")


@pytest.mark.parametrize("exercise", ALL)
def test_one_case_that_was_learned_by_heart_is_not_enough(exercise):
    first, *rest = exercise.cases()
    by_heart = exercise.solution(*first)
    assert rest
    assert exercise.verdict(lambda *arguments: by_heart).startswith("Not yet: ")


@pytest.mark.parametrize("exercise", ALL)
def test_hint_and_solution_can_be_read(exercise, capsys):
    exercise.hint()
    assert capsys.readouterr().out.rstrip().endswith((".", "?"))
    exercise.reveal()
    assert capsys.readouterr().out.startswith(f"def {exercise.solution.__name__}(")


# ------------------------------------------------------------------ what the verdict says


DOUBLE = Exercise(lambda x: 2 * x, lambda: [(np.arange(6.0).reshape(2, 3),), (np.ones(4),)], "2.")


@pytest.mark.parametrize(
    ("attempt", "verdict"),
    [
        (lambda x: x + x, "Correct, in all 2 cases."),
        (lambda x: (2 * x).astype(np.float32), "Correct, in all 2 cases."),
        (lambda x: (2 * x).tolist(), "Correct, in all 2 cases."),
        (lambda x: 2 * x.T, "Not yet: in case 1, the shape is (3, 2), expected (2, 3)"),
        (lambda x: x * x, "Not yet: in case 1, the value at (1, 2) is 25, expected 10"),
        (lambda x: 2 * x * (x.ndim == 2), "Not yet: in case 2, the value at (0,) is 0, expected 2"),
        (lambda x: x.astype(str), "Not yet: in case 1, the values are <U32, expected numbers"),
        (lambda x: [[1], [2, 3]], "Not yet: in case 1, the result is not an array: list"),
        (lambda x: x / [], "Not yet: case 1 ended with ValueError: "),
        (lambda x: np.full_like(x, np.nan), "Not yet: in case 1, the value at (0, 0) is nan"),
    ],
)
def test_verdict_names_what_differs(attempt, verdict):
    assert DOUBLE.verdict(attempt).startswith(verdict)


def test_attempt_may_change_its_own_input():
    def in_place(x):
        x *= 2
        return x

    assert DOUBLE.verdict(in_place).startswith("Correct")
    assert DOUBLE.verdict(lambda x: x.sort()).startswith("Not attempted")


# ------------------------------------------------------------------ typical mistakes


def wrong(exercise, **attempts):
    """Parametrize over wrong answers to one exercise."""
    return [pytest.param(exercise, attempt, id=name) for name, attempt in attempts.items()]


def quarters(dy, factor=0.25):
    dx = np.zeros((*dy.shape[:2], 2 * dy.shape[2], 2 * dy.shape[3]))
    for i in range(2):
        for j in range(2):
            dx[:, :, i::2, j::2] = factor * dy
    return dx


@pytest.mark.parametrize(
    ("exercise", "attempt"),
    [
        *wrong(
            mlp.PARAMETERS,
            without_biases=lambda i, h, o: i * h + h * o,
            input_biases=lambda i, h, o: i * h + h * o + i + h + o,
            no_hidden_layer=lambda i, h, o: i * o + o,
        ),
        *wrong(
            mlp.ACCURACY,
            over_the_batch=lambda logits, y: np.mean(logits.argmax(axis=0)[: len(y)] == y),
            per_sample=lambda logits, y: logits.argmax(axis=1) == y,
            number_right=lambda logits, y: np.sum(logits.argmax(axis=1) == y),
            errors=lambda logits, y: np.mean(logits.argmax(axis=1) != y),
            percent=lambda logits, y: 100 * np.mean(logits.argmax(axis=1) == y),
        ),
        *wrong(
            mlp.LEAKY_RELU,
            forward=lambda dy, x, slope: np.where(x > 0, x, slope * x),
            not_leaky=lambda dy, x, slope: dy * (x > 0),
            sign_of_dy=lambda dy, x, slope: dy * np.where(dy > 0, 1.0, slope),
            other_way_round=lambda dy, x, slope: dy * np.where(x > 0, slope, 1.0),
            without_dy=lambda dy, x, slope: np.where(x > 0, 1.0, slope),
        ),
        *wrong(
            cnn.OUTPUT_SIZE,
            without_the_last=lambda n, k, p, s: (n + 2 * p - k) // s,
            padding_once=lambda n, k, p, s: (n + p - k) // s + 1,
            one_added_too_early=lambda n, k, p, s: (n + 2 * p - k + 1) // s,
            with_fractions=lambda n, k, p, s: (n + 2 * p - k) / s + 1,
            without_stride=lambda n, k, p, s: n + 2 * p - k + 1,
        ),
        *wrong(
            cnn.COST,
            without_biases=lambda i, o, k, n: (i * o * k * k, i * o * k * k * n * n),
            one_input_channel=lambda i, o, k, n: (o * k * k + o, o * k * k * n * n),
            bias_for_each_kernel=lambda i, o, k, n: (i * o * (k * k + 1), i * o * k * k * n * n),
            weights_for_each_pixel=lambda i, o, k, n: (i * o * k * k * n * n + o,) * 2,
            parameters_only=lambda i, o, k, n: i * o * k * k + o,
        ),
        *wrong(
            cnn.AVERAGE_POOL,
            not_divided=lambda dy: quarters(dy, 1.0),
            halved=lambda dy: quarters(dy, 0.5),
            tiled=lambda dy: np.tile(dy, (1, 1, 2, 2)) / 4,
            rows_only=lambda dy: dy.repeat(4, axis=2) / 4,
            on_the_batch=lambda dy: dy.repeat(2, axis=0).repeat(2, axis=1) / 4,
            unchanged=lambda dy: dy / 4,
        ),
    ],
)
def test_refuses_typical_mistakes(exercise, attempt):
    assert exercise.verdict(attempt).startswith("Not yet: ")


@pytest.mark.parametrize(
    ("exercise", "attempt"),
    [
        (mlp.PARAMETERS, lambda inputs, hidden, outputs: hidden * (inputs + outputs + 1) + outputs),
        (mlp.ACCURACY, lambda logits, y: sum(map(int, np.argmax(logits, 1) == y)) / len(y)),
        (mlp.LEAKY_RELU, lambda dy, x, slope: dy * (x > 0) + slope * dy * (x <= 0)),
        (cnn.OUTPUT_SIZE, lambda n, k, p, s: len(range(0, n + 2 * p - k + 1, s))),
        (cnn.COST, lambda i, o, k, n: [o * (i * k**2 + 1), n**2 * o * i * k**2]),
        (cnn.AVERAGE_POOL, quarters),
        (cnn.AVERAGE_POOL, lambda dy: np.kron(dy, np.full((1, 1, 2, 2), 0.25))),
    ],
)
def test_accepts_other_ways(exercise, attempt):
    assert exercise.verdict(attempt).startswith("Correct")
