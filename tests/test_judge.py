"""Checks tell a learner what is wrong; whatever the function does, the lesson goes on."""

import functools
import signal
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from course.exercises import Exercise, ExerciseError
from course.exercises.differences import difference
from course.exercises.numerical import finite_differences
from course.exercises.running import run
from course.progress import Progress

# ------------------------------------------------------------------ what the verdict says


def double(x):
    return 2 * x


DOUBLE = Exercise(
    double,
    lambda random: [(np.arange(100.0).reshape(50, 2),), (np.array([1.0, -2.5]),)],
    "Add.",
    lesson="02-mlp",
    mistakes={"x is squared": lambda x: x * x},
    limit=0.5,
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

    def exchanges(parts, y):
        x = parts["x"] + y
        parts["x"] = 0.0
        return x

    assert exercise.verdict(exchanges).kind == "changes input"
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
        ((1.0, {"w": B}), (1.0, {"w": A}), "gave the shape (1, 2) in part 'w' of part 2, expected "
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


# ------------------------------------------------------------------ kinds of verdicts


def halves(x):
    x /= 2
    return 4 * x


def with_an_overflow(x):
    np.uint8(200) + np.uint8(100)
    return 2 * x


@pytest.mark.parametrize(
    ("attempt", "status", "kind"),
    [
        (lambda x: x + x, "passed", "right"),
        (..., "not attempted", "nothing"),
        (None, "not attempted", "nothing"),
        (lambda x: (..., ...), "not attempted", "nothing"),
        (lambda x: x + x if x.ndim == 1 else None, "wrong", "nothing"),
        (lambda x: x / "2", "wrong", "error"),
        (lambda: 1, "wrong", "error"),
        (3, "wrong", "error"),
        (lambda x: x.T @ x, "wrong", "shape"),
        (lambda x: 2j * x, "wrong", "dtype"),
        (lambda x: 3 * x, "wrong", "value"),
        (lambda x: x * x, "wrong", "mistake"),
        (halves, "wrong", "changes input"),
        (lambda x: np.multiply(x, 2, out=x), "wrong", "changes input"),
        (with_an_overflow, "wrong", "unstable"),
        (double, "revealed", "solution"),
        (functools.partial(double), "revealed", "solution"),
    ],
)
def test_a_verdict_has_a_kind(attempt, status, kind):
    verdict = DOUBLE.verdict(attempt)
    assert (verdict.status, verdict.kind) == (status, kind)
    assert str(verdict) == verdict.message


def test_who_leaves_the_placeholder_that_raises_has_not_begun():
    def placeholder(x):
        raise NotImplementedError

    assert DOUBLE.verdict(placeholder).status == "not attempted"


def test_who_types_the_solution_has_written_it():
    names = {}
    exec("def double(x):\n    return 2 * x\n", names)
    assert DOUBLE.verdict(names["double"]).status == "passed"


def test_what_is_no_function_is_said_to_be_none():
    for no_function in (3, "double", [1]):
        assert "Hand in its name, without parentheses" in DOUBLE.verdict(no_function).message


def test_the_case_is_the_call_that_went_wrong():
    assert DOUBLE.verdict(abs).case == "abs(x=[1.0, -2.5])"
    assert DOUBLE.verdict(lambda x: x + x).case == ""


# ------------------------------------------------------------------ errors


def helper(x):
    return x / "2"


def by_helper(x):
    y = np.sum(x)
    return helper(y)


def in_a_generator(x):
    return sum(y / "2" for y in x)


def endless_recursion(x):
    return endless_recursion(x) + 1


def test_an_error_shows_the_lines_of_the_learner_and_no_others():
    first, *lines = DOUBLE.verdict(by_helper).message.splitlines()
    start = by_helper.__code__.co_firstlineno
    assert "by_helper(x=[1.0, -2.5]) ended with " in first
    assert lines == [
        f"  test_judge.py, line {start + 2}, in by_helper: return helper(y)",
        f'  test_judge.py, line {helper.__code__.co_firstlineno + 1}, in helper: return x / "2"',
    ]


def test_a_line_with_a_comprehension_is_shown_once():
    _, *lines = DOUBLE.verdict(in_a_generator).message.splitlines()
    assert len(lines) == 1 and lines[0].endswith(
        'in in_a_generator: return sum(y / "2" for y in x)'
    )


def test_the_lines_of_a_library_are_left_out():
    def attempt(x):
        return np.linalg.inv(np.zeros((2, 2)))

    _, *lines = DOUBLE.verdict(attempt).message.splitlines()
    assert len(lines) == 1 and lines[0].endswith("return np.linalg.inv(np.zeros((2, 2)))")


def test_a_recursion_without_end_is_shown_in_a_few_lines():
    verdict = DOUBLE.verdict(endless_recursion)
    assert verdict.kind == "error" and "ended with RecursionError" in verdict.message
    assert verdict.message.count("\n") == 4 and " calls more ..." in verdict.message


def test_a_mistake_may_show_in_an_error():
    """Not where it always raises: so does a name that is misspelled."""
    exercise = Exercise(
        lambda x, y: x @ y.T,
        lambda random: [tuple(random.standard_normal((2, n, 2))) for n in (2, 3)],
        "Multiply.",
        lesson="02-mlp",
        mistakes={"y is not transposed": lambda x, y: x @ y},
    )
    assert exercise.verdict(lambda x, y: np.dot(x, y)).kind == "mistake"
    assert exercise.verdict(lambda x, y: x @ z).kind == "error"  # noqa: F821
    assert exercise.verdict(lambda x, y: np.linalg.inv(x) @ y).kind != "mistake"


# ------------------------------------------------------------------ the lesson goes on


def endless(x):
    while True:
        pass


def stubborn(x):
    while True:
        try:  # noqa: SIM105
            int("x")
        except:  # noqa: E722
            pass


def loud(x):
    while True:
        print("noise")


@pytest.mark.parametrize("attempt", [endless, stubborn, loud])
def test_a_loop_without_end_is_ended_and_shown(attempt, capsys):
    verdict = DOUBLE.verdict(attempt)
    assert (verdict.status, verdict.kind) == ("wrong", "time")
    assert "takes more than 0.5 seconds" in verdict.message
    assert f"in {attempt.__name__}: " in verdict.message
    assert len(verdict.message) < 1000 and capsys.readouterr().out == ""


def test_best_does_not_wait_once_more_for_a_loop_without_end(capsys):
    DOUBLE.check(endless)
    begin = time.monotonic()
    assert DOUBLE.best(endless) is double
    assert time.monotonic() - begin < 0.4
    assert capsys.readouterr().out.endswith("What follows uses the course's double.\n")


def test_the_limit_holds_outside_of_the_main_thread_too():
    kinds = []
    thread = threading.Thread(target=lambda: kinds.append(DOUBLE.verdict(endless).kind))
    thread.start()
    thread.join()
    assert kinds == ["time"]


def test_an_interrupt_by_the_user_goes_through_and_leaves_nothing_behind():
    threads = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        DOUBLE.check(lambda x: signal.raise_signal(signal.SIGINT))
    time.sleep(0.1)
    assert threading.active_count() == threads
    assert DOUBLE.verdict(lambda x: x + x).status == "passed"


def test_the_end_of_the_time_never_comes_after_the_end_of_the_function():
    def nearly_too_long():
        end = time.perf_counter() + 0.004
        while time.perf_counter() < end:
            pass

    for _ in range(100):
        run(nearly_too_long, seconds=0.004)
    for _ in range(10_000):  # where it would come
        pass


def test_where_there_are_no_threads_there_is_no_limit(monkeypatch):
    def none(*arguments):
        raise RuntimeError("can't start new thread")  # as in a browser

    monkeypatch.setattr("_thread.start_new_thread", none)
    assert run(lambda: time.sleep(0.1) or 3, seconds=0.05).value == 3
    assert DOUBLE.verdict(lambda x: x / "2").kind == "error"


def test_all_cases_together_have_one_limit():
    exercise = Exercise(
        abs, lambda random: [(n,) for n in range(100)], "Wait.", lesson="02-mlp", limit=0.3
    )
    begin = time.monotonic()
    assert exercise.verdict(lambda x: time.sleep(0.05) or abs(x)).kind == "time"
    assert time.monotonic() - begin < 2


def test_exit_is_an_error_as_any_other():
    verdict = DOUBLE.verdict(lambda x: sys.exit(1))
    assert verdict.kind == "error" and "leaves Python by exit()" in verdict.message


def test_what_is_printed_is_shown_in_its_first_lines_and_only_if_it_is_wrong(capsys):
    def talks(x):
        for i in range(100):
            print("line", i)
        print("to the other stream", file=sys.stderr)
        return 3 * x

    message = DOUBLE.verdict(talks).message
    assert message.endswith("It printed: line 0\nline 1\nline 2\nline 3\nline 4\n...")
    assert capsys.readouterr() == ("", "")


# ------------------------------------------------------------------ warnings, large numbers


def test_a_warning_is_shown_with_its_line():
    def attempt(x):
        return 2 * x + 0 * np.log(np.maximum(x, 0)[:1] + 1) + np.where(x > 99, np.sqrt(-x), 0)

    verdict = DOUBLE.verdict(attempt)
    assert verdict.status == "passed"
    first, second = verdict.message.splitlines()
    assert first == "Correct, in all 2 cases."
    assert second.startswith("It warned: RuntimeWarning: invalid value encountered in sqrt (test_j")


def test_warnings_are_as_they_were_afterwards():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        DOUBLE.verdict(lambda x: np.sqrt(-1.0 * x))
        assert caught == []
        warnings.warn("still heard", stacklevel=1)
    assert len(caught) == 1


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


SOFTMAX = Exercise(
    softmax,
    lambda random: [(np.array([0.0, 1.0]),), (random.standard_normal(random.integers(2, 9)),)],
    "Subtract the largest.",
    lesson="02-mlp",
    large=lambda random: [(np.array([1000.0, 0.0]),)],
)


def test_unstable_is_what_is_right_but_for_large_numbers():
    verdict = SOFTMAX.verdict(lambda x: np.exp(x) / np.exp(x).sum())
    assert (verdict.status, verdict.kind) == ("wrong", "unstable")
    start = "Not yet: right for ordinary numbers, not for large ones: case 3: <lambda>(x=[1000.0, "
    assert verdict.message.startswith(start)
    assert "gave [nan, 0.0], expected [1.0, 0.0]" in verdict.message
    assert "It warned: RuntimeWarning: overflow encountered in exp" in verdict.message
    assert SOFTMAX.verdict(lambda x: softmax(x)).message == "Correct, in all 3 cases."
    assert SOFTMAX.verdict(lambda x: x).kind == "value"


def test_the_held_out_cases_are_others():
    answers = {}
    for case in SOFTMAX.cases(np.random.default_rng(0)) + SOFTMAX.large(None):
        answers[case[0].tobytes()] = softmax(*case)

    def by_heart(x):
        return answers[x.tobytes()]

    assert SOFTMAX.verdict(by_heart).status == "passed"
    assert SOFTMAX.verdict(by_heart, seed=1).status == "wrong"


# ------------------------------------------------------------------ gradients


def square(x):
    return x**2


def square_backward(dy, x):
    return 2 * x * dy


SQUARE = Exercise(
    square_backward,
    lambda random: [
        (np.array([1.0, 0.5]), np.array([3.0, -1.0])),
        tuple(random.standard_normal((2, random.integers(3, 9)))),
        tuple(random.standard_normal((2, 1000))),
    ],
    "The slope of x squared is 2 x.",
    lesson="02-mlp",
    mistakes={"the 2 is missing": lambda dy, x: x * dy},
    numerical=lambda forward, dy, x: finite_differences(forward, x, dy=dy)[0],
)


def doubled_backward(dy, x):
    return 4 * x * dy


@pytest.mark.parametrize(
    ("backward", "forward", "kind", "message"),
    [
        (lambda dy, x: 2 * x * dy, square, "right", "Correct, in all 3 cases.\nIt is the gradient "
         "of your forward pass, too."),
        (lambda dy, x: x * dy, square, "mistake", "Not yet: it is not the gradient of your forward "
         "pass (by finite differences): <lambda>(dy=[1.0, 0.5], x=[3.0, -1.0]) gave [3.0, -0.5], "
         "expected [6.0, -1.0]\nIt looks as if the 2 is missing."),
        (doubled_backward, lambda x: 2 * square(x), "value", "Not yet: it is the gradient of your "
         "forward pass, but that is not the course's: case 1: doubled_backward("),
        (lambda dy, x: 2 * x * dy, lambda x: 2 * square(x), "value", "Not yet: it is the gradient "
         "of the course's forward pass, but not of yours (by finite differences): "),
        (lambda dy, x: dy[:1], square, "shape", "Not yet: case 1: <lambda>(dy=[1.0, 0.5], x=[3.0, "
         "-1.0]) gave the shape (1,), expected the shape (2,)"),
        (lambda dy, x: ..., square, "nothing", "Not attempted yet"),
        (lambda dy, x: 2 * x * dy, lambda x: ..., "value", "Not yet: your forward pass returns "
         "nothing yet: write that first"),
        (lambda dy, x: 2 * x * dy, lambda x: (x**2).astype(np.float32), "value", "Not yet: your "
         "forward pass computes in float32, too coarse for finite differences"),
        (lambda dy, x: 2 * x * dy, lambda x: x / "2", "error", "Not yet: your forward pass ended "
         "with "),
    ],
)  # fmt: skip
def test_a_gradient_is_checked_against_their_forward_and_then_against_ours(
    backward, forward, kind, message
):
    verdict = SQUARE.verdict(backward, forward=forward)
    assert verdict.kind == kind and verdict.message.startswith(message)


def test_a_forward_is_refused_where_none_is_asked_for():
    with pytest.raises(TypeError, match=r"double is checked without forward="):
        DOUBLE.check(abs, forward=square)


# ------------------------------------------------------------------ what is kept


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A function that returns what is kept of DOUBLE, in a folder of its own."""
    monkeypatch.setenv("COURSE_PROGRESS_DIR", str(tmp_path))
    return lambda: Progress("02-mlp").entries("exercises").get("double")


def test_verdicts_are_kept_and_counted(kept, capsys):
    DOUBLE.check(lambda x: ...)
    assert kept() is None
    DOUBLE.check(lambda x: x * x)
    assert kept() == {
        "status": "wrong",
        "kind": "mistake",
        "message": DOUBLE.verdict(lambda x: x * x).message,
        "checks": 1,
    }
    DOUBLE.check(lambda x: ...)
    assert kept()["status"] == "wrong" and kept()["checks"] == 1
    DOUBLE.reveal()
    assert kept()["status"] == "revealed" and kept()["checks"] == 1
    DOUBLE.check(abs)
    assert kept()["status"] == "revealed" and kept()["checks"] == 2
    right = lambda x: x + x  # noqa: E731
    DOUBLE.check(right)
    assert (DOUBLE.attempt, DOUBLE.forward) == (right, None)
    for later in (lambda: DOUBLE.check(abs), DOUBLE.reveal, lambda: DOUBLE.check(double)):
        later()
        assert kept()["status"] == "passed" and kept()["kind"] == "right"
    assert kept()["checks"] == 5


def test_a_folder_that_cannot_be_written_is_told(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_PROGRESS_DIR", str(tmp_path / "file"))
    DOUBLE.check(lambda x: x + x)
    correct, problem, *_ = capsys.readouterr().out.splitlines()
    assert correct.startswith("Correct") and problem.startswith("This cannot be saved in ")


@pytest.mark.parametrize("attempt", [abs, ..., double])
def test_a_strict_check_raises(attempt, kept, capsys):
    with pytest.raises(ExerciseError, match=r"^double: ") as caught:
        DOUBLE.check(attempt, strict=True)
    assert isinstance(caught.value, AssertionError)
    assert capsys.readouterr().out.strip() in str(caught.value)
    DOUBLE.check(lambda x: x + x, strict=True)


# ------------------------------------------------------------------ in a kernel

CELLS = """
from course.exercises import mlp
def step(w, gradient, learning_rate):
    {}
---
mlp.STEP.check(step)
---
print("alive")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("exit()", "leaves Python by exit(): end with `return`\n  Cell In[1], line 3, in step: ex"),
        ("return w - x", "NameError: name 'x' is not defined\n  Cell In[1], line 3, in step: ret"),
    ],
)
def test_a_kernel_lives_on_and_names_the_cell(line, message):
    cells = [new_code_cell(cell.strip()) for cell in CELLS.format(line).split("---")]
    notebook = new_notebook(cells=cells)
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    _, check, after = (cell.outputs for cell in notebook.cells)
    assert " ".join(message.split()) in " ".join(check[0].text.split())
    assert after[0].text == "alive\n"


def test_a_profiler_or_debugger_works_after_a_check():
    code = """
import sys
from course.exercises.running import run
assert run(abs, -1).value == 1
sys.setprofile(lambda *event: None)
assert (lambda: 2)() == 2
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
