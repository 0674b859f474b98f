"""Exercises accept what is right however it is written, and say what is wrong with the rest.

The checks of all lessons, and the wrong answers to those of lessons 02, 03 and 05 that have no
message of their own.
"""

import importlib
import pkgutil
from pathlib import Path

import numpy as np
import pytest

from course import exercises
from course.exercises import Exercise, cnn, mlp, xor
from course.exercises.patient import Patient
from course.nn import losses

MODULES = [importlib.import_module(f"course.exercises.{module.name}") for module in
           pkgutil.iter_modules(exercises.__path__)]  # fmt: skip
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
ALL = [
    pytest.param(found, id=f"{module.__name__.split('.')[-1]}-{name}")
    for module in MODULES
    for name, found in vars(module).items()
    if isinstance(found, Exercise) and not isinstance(found, Patient)  # see test_clinic.py
]


def by_another_name(solution):
    """The solution as a function that is not the course's own."""
    return lambda *arguments: solution(*arguments)


@pytest.mark.parametrize("exercise", ALL)
def test_accepts_its_solution_whatever_the_seed(exercise):
    for seed in range(10):
        assert exercise.verdict(by_another_name(exercise.solution), seed=seed).status == "passed"


@pytest.mark.parametrize("exercise", ALL)
def test_tells_an_untouched_cell_from_a_wrong_answer(exercise):
    for untouched in (lambda *arguments: None, lambda *arguments: ...):
        assert exercise.verdict(untouched).status == "not attempted"
    for wrong in (lambda *arguments: "yes", lambda *arguments: [], lambda: 1):
        assert exercise.verdict(wrong).status == "wrong"


@pytest.mark.parametrize("exercise", ALL)
def test_knows_its_own_solution(exercise):
    verdict = exercise.verdict(exercise.solution)
    assert (verdict.status, verdict.kind) == ("revealed", "solution")


@pytest.mark.parametrize("exercise", ALL)
def test_belongs_to_a_lesson_under_a_name_of_its_own(exercise):
    assert (NOTEBOOKS / f"{exercise.lesson}.ipynb").is_file()
    others = [other.values[0] for other in ALL if other.values[0] is not exercise]
    assert all(
        (other.lesson, other.solution.__name__) != (exercise.lesson, exercise.solution.__name__)
        for other in others
    )


@pytest.mark.parametrize("exercise", ALL)
def test_answers_to_the_visible_cases_are_not_right_for_the_held_out_ones(exercise):
    answers = {repr(c): exercise.solution(*c) for c in exercise.cases(np.random.default_rng(0))}
    verdict = exercise.verdict(lambda *arguments: answers[repr(arguments)], seed=1)
    assert verdict.status == "wrong"


@pytest.mark.parametrize("exercise", ALL)
def test_one_case_that_was_learned_by_heart_is_not_enough(exercise):
    first, *rest = exercise.cases(np.random.default_rng(0))
    by_heart = exercise.solution(*first)
    assert rest
    assert exercise.verdict(lambda *arguments: by_heart).status == "wrong"


@pytest.mark.parametrize("exercise", ALL)
def test_hints_come_one_by_one_and_the_solution_can_be_read(exercise, capsys):
    count = len(exercise.hints)
    assert count in (2, 3) and exercise.mistakes
    for number in [*range(1, count + 1), 1]:
        exercise.hint()
        out = capsys.readouterr().out
        assert out.startswith(f"Hint {number} of {count}: ") and out.endswith((".\n", "?\n"))
    for _ in range(1, count):
        exercise.hint()  # whoever comes next begins with the first
    exercise.reveal()
    assert f"def {exercise.solution.__name__}(" in capsys.readouterr().out


@pytest.mark.parametrize("exercise", ALL)
def test_each_known_mistake_is_told_and_taken_for_no_other(exercise):
    assert len(exercise.mistakes) >= 4
    for mistake, attempt in exercise.mistakes.items():
        verdict = exercise.verdict(attempt)
        assert verdict.message.startswith("Not yet: case ")
        assert f"\nIt looks as if {mistake}." in verdict.message and verdict.kind == "mistake"


@pytest.mark.parametrize(
    ("exercise", "forward"),
    [
        (mlp.SOFTMAX_GRADIENT, lambda logits, y: losses.SoftmaxCrossEntropy()(logits, y)[0]),
        (mlp.DENSE_BACKWARD, lambda x, w, b: x @ w + b),
        (mlp.LEAKY_RELU, lambda x, slope: np.where(x > 0, x, slope * x)),
    ],
)
def test_solution_is_the_gradient_of_its_forward_pass_and_mistakes_are_not(exercise, forward):
    for seed in range(5):
        right = exercise.verdict(by_another_name(exercise.solution), forward, seed)
        assert right.status == "passed" and "gradient of your forward pass" in right.message
    for mistake, attempt in exercise.mistakes.items():
        assert f"It looks as if {mistake}." in exercise.verdict(attempt, forward).message


def test_training_works_on_new_weights_and_not_on_those_it_was_given():
    def in_place(weights, x, labels, order, gradients, batch_size, learning_rate):
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            gradient = gradients(weights, x[batch], labels[batch])
            for name in weights:
                weights[name] -= learning_rate * gradient[name]
        return weights

    assert "but changes its input weights" in mlp.TRAIN_EPOCH.verdict(in_place).message


# ------------------------------------------------------------------ typical mistakes


def wrong(exercise, **attempts):
    """Parametrize over wrong answers to one exercise."""
    return [pytest.param(exercise, attempt, id=name) for name, attempt in attempts.items()]


def quarters(dy):
    dx = np.zeros((*dy.shape[:2], 2 * dy.shape[2], 2 * dy.shape[3]))
    for i in range(2):
        for j in range(2):
            dx[:, :, i::2, j::2] = dy / 4
    return dx


@pytest.mark.parametrize(
    ("exercise", "attempt"),
    [
        *wrong(
            mlp.ACCURACY,
            over_the_batch=lambda logits, y: np.mean(logits.argmax(axis=0)[: len(y)] == y),
        ),
        *wrong(
            cnn.COST,
            parameters_only=lambda i, o, k, n: i * o * k * k + o,
        ),
        *wrong(
            cnn.AVERAGE_POOL,
            rows_only=lambda dy: dy.repeat(4, axis=2) / 4,
            unchanged=lambda dy: dy / 4,
        ),
        *wrong(
            xor.BOTH,
            only_z=lambda x1, x2: x1 + x2 - 1.5,
            one_or_zero=lambda x1, x2: float(x1 + x2 > 1.5),
        ),
    ],
)
def test_refuses_typical_mistakes(exercise, attempt):
    assert exercise.verdict(attempt).status == "wrong"


def test_accuracy_without_an_axis_is_told_at_once():
    verdict = mlp.ACCURACY.verdict(
        lambda logits, labels: np.mean(logits.argmax() == labels)
    ).message
    assert verdict.startswith("Not yet: case 1: <lambda>(logits=[[2.0, -1.0], ")
    assert "argmax looks at the whole batch at once" in verdict


@pytest.mark.parametrize(
    "attempt",
    [
        lambda x1, x2: x1 * x2 > 0,
        lambda x1, x2: x1 * x2 > 0.5,
        lambda x1, x2: bool(x1 and x2),
        lambda x1, x2: x1 == x2 == 1,
        lambda x1, x2: x1 > 0.5 and x2 > 0.5,
        lambda x1, x2: x1 + x2 == 2,
        lambda x1, x2: x1**2 + x2**2 > 1.5,
    ],
)
def test_what_is_right_at_the_corners_may_be_no_neuron(attempt):
    assert xor.BOTH.verdict(attempt).message.startswith(
        "Not yet: it is right at the corners, but it is no neuron: "
    )


def test_a_table_of_the_corners_is_no_neuron():
    table = {corner: corner == (1, 1) for corner in xor.CASES}
    assert xor.BOTH.verdict(lambda x1, x2: table[x1, x2]).message.startswith(
        "Not yet: away from the corners it ended with KeyError"
    )


@pytest.mark.parametrize(
    ("exercise", "attempt"),
    [
        (mlp.STEP, lambda w, gradient, learning_rate: w + gradient * -learning_rate),
        (mlp.SOFTMAX_GRADIENT, lambda p, labels: (p - np.eye(10)[labels]) / len(p)),
        (mlp.DENSE_BACKWARD, lambda x, w, dy: [dy.dot(w.T), x.T.dot(dy), np.ones(len(dy)) @ dy]),
        (mlp.PARAMETERS, lambda inputs, hidden, outputs: hidden * (inputs + outputs + 1) + outputs),
        (mlp.ACCURACY, lambda logits, y: sum(map(int, np.argmax(logits, 1) == y)) / len(y)),
        (mlp.LEAKY_RELU, lambda dy, x, slope: dy * (x > 0) + slope * dy * (x <= 0)),
        (cnn.OUTPUT_SIZE, lambda n, k, p, s: len(range(0, n + 2 * p - k + 1, s))),
        (cnn.COST, lambda i, o, k, n: [o * (i * k**2 + 1), n**2 * o * i * k**2]),
        (cnn.AVERAGE_POOL, quarters),
        (xor.BOTH, lambda x1, x2: 0.1 * x1 + 0.1 * x2 >= 0.2),
        (xor.BOTH, lambda x1, x2: 3 * x1 + 0.7 * x2 - 3.2 > 0),
        (xor.BOTH, lambda x1, x2: np.dot([1, 1], [x1, x2]) - 1.9 > 0),
        (cnn.AVERAGE_POOL, lambda dy: np.kron(dy, np.full((1, 1, 2, 2), 0.25))),
    ],
)
def test_accepts_other_ways(exercise, attempt):
    assert exercise.verdict(attempt).status == "passed"
