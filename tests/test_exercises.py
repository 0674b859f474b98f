"""Exercises accept what is right however it is written, and say what is wrong with the rest.

The checks of all lessons, and the wrong answers to those of lessons 02, 03 and 05 that have no
message of their own.
"""

import importlib
import pkgutil

import numpy as np
import pytest

from course import exercises
from course.exercises import Exercise, cnn, mlp, xor
from course.exercises.differences import difference

MODULES = [importlib.import_module(f"course.exercises.{module.name}") for module in
           pkgutil.iter_modules(exercises.__path__)]  # fmt: skip
ALL = [
    pytest.param(found, id=f"{module.__name__.split('.')[-1]}-{name}")
    for module in MODULES
    for name, found in vars(module).items()
    if isinstance(found, Exercise)
]


def by_another_name(solution):
    """The solution as a function that is not the course's own."""
    return lambda *arguments: solution(*arguments)


@pytest.mark.parametrize("exercise", ALL)
def test_accepts_its_solution_however_often(exercise):
    for seed in range(10):
        assert exercise.verdict(by_another_name(exercise.solution), seed=seed).status == "passed"


@pytest.mark.parametrize("exercise", ALL)
def test_tells_an_untouched_cell_from_a_wrong_answer(exercise):
    for untouched in (lambda *arguments: None, lambda *arguments: ...):
        assert exercise.verdict(untouched).status == "not attempted"
    for wrong in (lambda *arguments: "yes", lambda *arguments: [], lambda: 1):
        assert exercise.verdict(wrong).status == "wrong"


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
    for mistake, attempt in exercise.mistakes.items():
        verdict = exercise.verdict(attempt)
        assert verdict.message.startswith("Not yet: case ")
        assert f"\nIt looks as if {mistake}." in verdict.message and verdict.kind == "mistake"


# ------------------------------------------------------------------ what the verdict says


def double(x):
    return 2 * x


DOUBLE = Exercise(
    double,
    lambda random: [(np.arange(100.0).reshape(50, 2),), (np.array([1.0, -2.5]),)],
    "Add.",
    lesson="02-mlp",
    mistakes={"x is squared": lambda x: x * x},
)


def forgets_to_return(x):
    print(2 * x)


def chatty(x):
    print("x is", x)
    return x


@pytest.mark.parametrize(
    ("attempt", "verdict"),
    [
        (lambda x: x + x, "Correct, in all 2 cases."),
        (lambda x: (2 * x).astype(np.float32), "Correct, in all 2 cases."),
        (lambda x: (2 * x).tolist(), "Correct, in all 2 cases."),
        (abs, "Not yet: case 1: abs(x=[1.0, -2.5]) gave [1.0, 2.5], expected [2.0, -5.0]"),
        (lambda x: x * x, "gave [1.0, 6.25], expected [2.0, -5.0]\nIt looks as if x is squared."),
        (
            lambda x: 2 * x * (x < 90),
            "Not yet: case 2: <lambda>(x=<float64 of shape (50, 2)>) gave 0.0 at (45, 0), expected "
            "180.0; 10 of 100 values differ",
        ),
        (lambda x: x[:1], "gave the shape (1,), expected the shape (2,)"),
        (sum, "gave a single number, expected the shape (2,)"),
        (lambda x: x.astype(str), "gave ['1.0', '-2.5'], expected floating-point numbers"),
        (lambda x: 2j * x, "gave [2j, (-0-5j)], expected floating-point numbers"),
        (lambda x: [[1], [2, 3]], "gave [[1], [2, 3]], expected an array"),
        (lambda x: 10**5000, "gave what cannot be compared: Exceeds the limit"),
        (lambda x: x / [], "case 1: <lambda>(x=[1.0, -2.5]) ended with ValueError: "),
        (lambda x: np.full_like(x, np.nan), "gave [nan, nan], expected [2.0, -5.0]"),
        (forgets_to_return, "returned nothing: is there a `return` at its end?\nIt printed: [ 2."),
        (chatty, "gave [1.0, -2.5], expected [2.0, -5.0]\nIt printed: x is [ 1.  -2.5]"),
        (lambda x: 2 * x if x.ndim == 1 else None, "case 2: <lambda>(x=<float64 of shape (50, 2)>) "
         "returned nothing"),
    ],
)  # fmt: skip
def test_verdict_names_what_differs(attempt, verdict):
    assert verdict in DOUBLE.verdict(attempt).message


def test_the_learners_function_goes_on_if_it_is_right_and_the_courses_if_not(capsys):
    def add(x):
        return x + x

    for attempt, expected, whose in [(add, add, "your own"), (sum, double, "the course's"),
                                     (lambda x: ..., double, "the course's")]:  # fmt: skip
        assert DOUBLE.best(attempt) is expected
        assert capsys.readouterr().out == f"What follows uses {whose} double.\n"


def test_a_function_among_the_arguments_goes_by_its_name():
    exercise = Exercise(
        lambda function, x: function(x), lambda random: [(double, 1.5)], "Call it.", lesson="02-mlp"
    )
    verdict = exercise.verdict(lambda function, x: x).message
    assert "<lambda>(function=double, x=1.5) gave 1.5, expected 3.0" in verdict


def test_training_works_on_new_weights_and_not_on_those_it_was_given():
    def in_place(weights, x, labels, order, gradients, batch_size, learning_rate):
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            gradient = gradients(weights, x[batch], labels[batch])
            for name in weights:
                weights[name] -= learning_rate * gradient[name]
        return weights

    assert "but changes its input weights" in mlp.TRAIN_EPOCH.verdict(in_place).message


def test_prints_of_the_function_do_not_drown_the_verdict(capsys):
    DOUBLE.check(lambda x: print("noise") or 2 * x)
    assert capsys.readouterr().out == "Correct, in all 2 cases.\n"
    DOUBLE.check(chatty)
    assert capsys.readouterr().out.count("x is") == 1


def test_who_changes_the_input_is_told_and_harms_nobody():
    x = np.ones(2)
    exercise = Exercise(
        lambda parts, y: parts["x"] + y, lambda random: [({"x": x}, 1.0)], "Add.", lesson="02-mlp"
    )

    def in_place(parts, y):
        parts["x"] += y
        return parts["x"]

    assert exercise.verdict(in_place).message == (
        "Not yet: case 1: in_place(parts={'x': [1.0, 1.0]}, y=1.0) gave what is expected, "
        "but changes its input parts: work on a copy of it"
    )
    assert exercise.verdict(lambda parts, y: parts["x"].copy() + y).status == "passed"
    assert x.tolist() == [1, 1]


A, B = np.array([[1.0, 2.0]]), np.array([3.0])


@pytest.mark.parametrize(
    ("expected", "found", "message"),
    [
        ((A, B), [A, B.tolist()], ""),
        ((A, B), (A, 2 * B), "gave [6.0] in part 2, expected [3.0]"),
        ((A, B), (A.T, B), "gave the shape (2, 1) in part 1, expected the shape (1, 2)"),
        ((A, B), (A,), "gave a tuple of length 1, expected 2"),
        ((A, B), 5, "gave 5, expected 2 results"),
        ({"w": A, "b": B}, {"b": B, "w": A}, ""),
        ({"w": A, "b": B}, {"w": A, "b": -B}, "gave [-3.0] in part 'b', expected [3.0]"),
        ({"w": A, "b": B}, {"w": A}, "gave a dict of ['w'], expected ['w', 'b']"),
        ({"w": A}, A, "gave [[1.0, 2.0]], expected a dict"),
        ((1.0, {"w": B}), (1.0, {"w": A}), "gave the shape (1, 2) in part 'w' in part 2, expected "
         "the shape (1,)"),
        (3, 3.0, "gave floating-point numbers, 3.0, expected whole numbers"),
        (True, 1, "gave whole numbers, 1, expected truth values"),
        (2.0, 2, ""),
        (1e6, 1e6 + 5, ""),
        (10**6, 10**6 + 1, "gave 1000001, expected 1000000"),
        (np.inf, np.inf, ""),
        (np.inf, 1.0, "gave 1.0, expected inf"),
        (np.array([3e-9, 0]), np.array([6e-9, 0]), "gave [6e-09, 0.0], expected [3e-09, 0.0]"),
        (np.array([1.0, 0]), np.array([1.0, 1e-8]), ""),
        (np.arange(99) < 50, np.arange(99) < 51, "gave True at (50,), expected False; 1 of "
         "99 values differ"),
        ("seven", "seven", ""),
        ("seven", "one", "gave 'one', expected 'seven'"),
    ],
)  # fmt: skip
def test_results_are_compared_part_by_part(expected, found, message):
    found = difference(expected, found)
    assert (found.text if found else "") == message


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
