"""Learners' notebooks judged by machine: what they may do, what is reported, and how it ends."""

import inspect
import json
import re
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from course.commands.check import asked, inside, kernel, report
from course.exercises import mlp, xor

ROOT = Path(__file__).parents[1]
SCHEMA = json.loads((ROOT / "course/commands/check/report.schema.json").read_text())
LESSON = ROOT / "notebooks" / "02-mlp.ipynb"
IMPORTS = "import numpy as np\nfrom course.exercises import mlp as exercises, xor"
RIGHT = "def right(w, gradient, learning_rate):\n    return w - learning_rate * gradient"
CHECK = "exercises.STEP.check(right)"

pytestmark = pytest.mark.usefixtures("elsewhere")


def notebook(path, *sources, tags=()):
    """Write a notebook of code cells; the last one gets the tags."""
    cells = [
        {"cell_type": "code", "id": f"cell-{n}", "metadata": {}, "source": source.splitlines(True),
         "outputs": [], "execution_count": None}
        for n, source in enumerate(sources, start=1)
    ]  # fmt: skip
    cells[-1]["metadata"] = {"tags": list(tags)}
    Path(path).write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}))
    return path


def judged(course, *arguments):
    """Run the command with --json; returns its exit code and the report, which fits the schema."""
    code, lines, err = course("check", "--json", *arguments)
    assert err == "" and len(lines) == 1
    found = json.loads(lines[0])
    jsonschema.validate(found, SCHEMA)
    assert code == (0 if found["passed"] else 1)
    return code, found


def by_name(found):
    """The exercises of the only notebook in a report."""
    (of_one,) = found["notebooks"]
    return {exercise["name"]: exercise for exercise in of_one["exercises"]}


def gaps_and_checks(lesson):
    """The setup of a lesson, and its cells with a gap or a check: what one has to run of it."""
    cells = json.loads(lesson.read_text(encoding="utf-8"))["cells"]
    texts = [c["source"] for c in cells if c["cell_type"] == "code"]
    texts = ["".join(text) for text in texts]
    return [texts[0], *(text for text in texts if ".check(" in text or "\n    ..." in text)]


# ------------------------------------------------------------------ notebooks


@pytest.mark.slow
def test_an_untouched_lesson_is_not_attempted(course):
    notebook("02-mlp.ipynb", *gaps_and_checks(LESSON))
    code, lines, err = course("check", "02-mlp.ipynb", "--seed", 3)
    assert (code, err) == (1, "")
    assert lines[:3] == [
        "02-mlp.ipynb: 0 of 4 exercises passed",
        "    step              not attempted",
        "        Not attempted yet: the function returns nothing.",
    ]
    assert [line.split()[0] for line in lines[1:9:2]] == [
        "step", "softmax_gradient", "dense_backward", "train_epoch"
    ]  # fmt: skip
    assert lines[9:] == ["", "The held-out cases were drawn with --seed 3."]


@pytest.mark.slow
def test_solutions_that_were_written_pass_whatever_the_names_mean_by_then(
    course, tmp_path, monkeypatch
):
    monkeypatch.setenv("COURSE_PROGRESS_DIR", str(tmp_path / "progress"))
    sources = gaps_and_checks(LESSON)
    for number, source in enumerate(sources):
        for solution in (mlp.step, mlp.softmax_gradient, mlp.dense_backward, mlp.train_epoch):
            if source.startswith(f"def {solution.__name__}("):
                sources[number] = inspect.getsource(solution)
    sources += [
        "print = str = json = Exception = exercises = step = None",
        "open('ran here', 'w').close()",
    ]
    (tmp_path / "handed in").mkdir()
    path = notebook(tmp_path / "handed in" / "02-mlp-ada.ipynb", *sources)
    before = path.read_bytes()
    code, found = judged(course, path, "--strict")
    assert code == 0
    exercises = by_name(found)
    assert len(exercises) == 4
    for exercise in exercises.values():
        assert (exercise["status"], exercise["kind"]) == ("passed", "right")
        assert exercise["cases"] == "held-out" and exercise["lesson"] == "02-mlp"
    assert (found["notebooks"][0]["lesson"], found["strict"]) == ("02-mlp", True)
    assert path.read_bytes() == before
    assert (path.parent / "ran here").exists()
    assert not (tmp_path / "progress").exists()  # the learner's own is not touched


@pytest.mark.slow
def test_each_way_to_fail_is_told(course):
    by_heart = """
def by_heart(a2, y, right=xor.CROSS_ENTROPY.solution):
    cases = xor.CROSS_ENTROPY.cases(np.random.default_rng(0))
    return {case: right(*case) for case in cases}[a2, y]"""
    notebook(
        "some.ipynb",
        f"%time\n{IMPORTS}",
        "def step(w, gradient, learning_rate):\n    return w + learning_rate * gradient",
        "exercises.STEP.check(step)",
        "exercises.SOFTMAX_GRADIENT.check(exercises.SOFTMAX_GRADIENT.solution)",
        by_heart,
        "xor.CROSS_ENTROPY.check(by_heart)",
        "def dense_backward(x, w, dy):\n    return (dy",
        "exercises.DENSE_BACKWARD.check(dense_backward)",
        "xor.STEP.reveal()\nif False:\n    xor.STEP.check(step)",
        "if False:\n    exercises.ACCURACY.check(step)",
    )
    code, found = judged(course, "some.ipynb")
    assert code == 1
    exercises = by_name(found)
    kinds = {
        name: (one["status"], one["kind"]) for name, one in exercises.items() if name != "step"
    }
    assert kinds == {
        "softmax_gradient": ("revealed", "solution"),
        "cross_entropy_gradient": ("wrong", "error"),
        "dense_backward": ("wrong", "error"),
        "accuracy": ("not attempted", "nothing"),
    }
    both_steps = [one for one in found["notebooks"][0]["exercises"] if one["name"] == "step"]
    assert [(one["lesson"], one["status"], one["kind"]) for one in both_steps] == [
        ("02-mlp", "wrong", "mistake"), ("05-xor", "revealed", "solution"),
    ]  # fmt: skip
    by_heart = exercises["cross_entropy_gradient"]
    assert by_heart["cases"] == "held-out"
    assert by_heart["message"].startswith(
        "Right in the cases that the notebook shows, not in others: case "
    )
    assert "ended with KeyError" in by_heart["message"]
    assert "Cell In[5], line 3, in by_heart: " in by_heart["message"]
    assert exercises["dense_backward"]["message"] == (
        "Cell [8], which checks it, ended with NameError: name 'dense_backward' is not defined."
    )
    cells = found["notebooks"][0]["cells"]
    assert [(cell["number"], cell["id"], cell["kind"]) for cell in cells] == [
        (7, "cell-7", "raised"), (8, "cell-8", "raised"),
    ]  # fmt: skip
    assert cells[0]["message"].startswith("SyntaxError: ")


@pytest.mark.slow
def test_cells_that_do_not_end_and_dead_kernels_cost_only_themselves(course, monkeypatch):
    monkeypatch.setattr(kernel, "GRACE", 1)
    stubborn = (
        "while True:\n    try:\n        time.sleep(1)\n    except BaseException:\n        pass"
    )
    dies = "def dies(x1, x2):\n    os._exit(3)"
    cells = ["os._exit(3)", stubborn, RIGHT, CHECK, f"{dies}\nxor.BOTH.check(dies)",
             "while True:\n    print('again')", "input()"]  # fmt: skip
    notebook("some.ipynb", f"import os, time\n{IMPORTS}", *cells)
    code, found = judged(course, "some.ipynb", "--timeout", 3)
    assert code == 1
    assert by_name(found)["step"]["status"] == "passed"
    assert by_name(found)["both"] == {
        "lesson": "05-xor", "name": "both", "status": "wrong", "kind": "error", "cases": None,
        "message": "Cell [6], which checks it, ended the kernel.",
    }  # fmt: skip
    cells = found["notebooks"][0]["cells"]
    assert [(cell["number"], cell["kind"], cell["message"]) for cell in cells[:4]] == [
        (2, "died", "ended the kernel"),
        (3, "died", "did not end within 3 seconds, and could not be interrupted"),
        (6, "died", "ended the kernel"),
        (7, "time", "did not end within 3 seconds"),
    ]
    assert (cells[4]["number"], cells[4]["kind"]) == (8, "raised")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "tags", "line"),
    [
        ("1 / 0", [], "    Cell [4] ended with ZeroDivisionError: division by zero."),
        ("exercises.STEP.reveal()", [], "    Cell [4] shows the solution of step."),
        ("1 / 0", ["raises-exception"], ""),
    ],
)
def test_strict_also_fails_for_what_is_wrong_beside_the_exercises(course, cell, tags, line):
    notebook("some.ipynb", IMPORTS, RIGHT, CHECK, cell, tags=tags)
    code, lines, _ = course("check", "some.ipynb", "--strict")
    assert code == (1 if line else 0)
    assert lines[0] == "some.ipynb: 1 of 1 exercises passed"
    assert [text for text in lines if text.startswith("    Cell")] == [line] * bool(line)
    assert lines[1] == "    step  passed"
    if cell == "1 / 0" and line:
        assert course("check", "some.ipynb")[0] == 0


# ------------------------------------------------------------------ what cannot be judged


def test_what_is_no_notebook_is_reported_beside_the_others(course):
    Path("damaged.ipynb").write_text('{"cells": [')
    Path("text.ipynb").write_text("This is my homework.")
    notebook("empty.ipynb", "x = 1")
    code, found = judged(course, "damaged.ipynb", "text.ipynb", "empty.ipynb")
    assert code == 1
    damaged = "This is no notebook, or a damaged one: it cannot be read."
    assert [(n["path"], n["problem"], n["passed"]) for n in found["notebooks"]] == [
        ("damaged.ipynb", damaged, False),
        ("text.ipynb", damaged, False),
        ("empty.ipynb", "It asks for no exercise of the course: there is no check in it.", False),
    ]
    code, lines, err = course("check", "empty.ipynb")
    assert (code, err) == (1, "")
    assert lines[0] == "empty.ipynb: not judged" and len(lines) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.ipynb"], "none.ipynb is not there"),
        (["."], ". is a folder"),
        ([], "the following arguments are required: NOTEBOOK"),
        (["--timeout", "0", "a.ipynb"], "must be a whole number from 1 to 86400, got '0'"),
        (["--seed", "0", "a.ipynb"], "--seed: must be a whole number from 1 to"),
    ],
)
def test_bad_arguments_end_with_2_and_one_sentence(course, arguments, message):
    code, lines, err = course("check", *arguments)
    assert (code, lines) == (2, [])
    assert err.startswith("python -m course check: ") and err.count("\n") == 1
    assert message in err


def test_a_kernel_that_does_not_start_is_told(course, monkeypatch):
    monkeypatch.setattr(kernel.sys, "executable", "/nowhere/python")
    notebook("some.ipynb", IMPORTS, RIGHT, CHECK)
    code, lines, err = course("check", "some.ipynb")
    assert (code, lines) == (1, [])
    assert "no kernel could be started" in err and err.count("\n") == 1


# ------------------------------------------------------------------ which exercises


@pytest.mark.parametrize(
    ("source", "checked"),
    [
        ("from course.exercises import mlp as exercises\nexercises.STEP.check(f)", ["mlp.STEP"]),
        ("from course.exercises import mlp, xor\nxor.STEP.check(mlp.step)", ["xor.STEP"]),
        ("import course.exercises.xor as x\ng = x.BOTH.best(f)", ["xor.BOTH"]),
        ("import course.exercises.xor\ncourse.exercises.xor.BOTH.check(f)", ["xor.BOTH"]),
        ("from course.exercises.mlp import STEP as S\nS.check(f, strict=True)", ["mlp.STEP"]),
        ("from course.exercises import mlp\nfor e in [mlp.STEP]:\n    e.check(f)", ["mlp.STEP"]),
        ("%matplotlib inline\nfrom course.exercises import mlp\nmlp.STEP.check(f)", ["mlp.STEP"]),
        ("from course.exercises import mlp\nmlp.STEP.check(f)\ndef g(:", ["mlp.STEP"]),
        ("from course.exercises import mlp\nmlp.STEP.hint()\nmlp.STEP.reveal()", []),
        ("from course.exercises import mlp\nmlp.NONE.check(f)\nother.STEP.check(f)", []),
        ("from course.exercises import none\nnone.STEP.check(f)\n.STEP", []),
        ("exercises.STEP.check(f)  # nobody knows what exercises are", []),
        ("x = '\\0'\n\0", []),
    ],
)
def test_exercises_are_found_by_their_names(source, checked):
    assert [one.place for one in asked.asked_for([source])] == checked


def test_a_lesson_does_not_ask_for_what_belongs_to_another():
    sources = [IMPORTS, "for one in (exercises.STEP, xor.BOTH):\n    one.best(f)"]
    places = [[one.place for one in asked.asked_for(sources, lesson=lesson)]
              for lesson in (None, "02-mlp", "05-xor")]  # fmt: skip
    assert places == [["mlp.STEP", "xor.BOTH"], ["mlp.STEP"], ["xor.BOTH"]]


def test_a_lesson_asks_for_what_was_deleted_too():
    setup, *rest = gaps_and_checks(LESSON)
    places = [one.place for one in asked.asked_for([setup], [setup, *rest])]
    assert places == ["mlp.STEP", "mlp.SOFTMAX_GRADIENT", "mlp.DENSE_BACKWARD", "mlp.TRAIN_EPOCH"]
    extra = "exercises.ACCURACY.check(f)\nexercises.STEP.reveal()"
    found = asked.asked_for([setup, extra], [setup, *rest])
    assert [one.place for one in found] == [*places, "mlp.ACCURACY"]
    assert (found[0].checked, found[0].revealed) == (set(), {1})


@pytest.mark.parametrize(
    ("name", "lesson"),
    [
        ("02-mlp.ipynb", "02-mlp"),
        ("02-mlp (1).ipynb", "02-mlp"),
        ("02b-inside-the-mlp.2026-12-01.ipynb", "02b-inside-the-mlp"),
        ("homework.ipynb", None),
    ],
)
def test_a_copy_is_known_by_its_name(name, lesson, tmp_path):
    found = report.original_of(tmp_path / name)
    assert (found and found.stem) == lesson


def test_every_exercise_that_a_lesson_checks_is_found():
    for lesson in (ROOT / "notebooks").glob("*.ipynb"):
        sources = [cell["source"] for cell in report.code_cells(lesson)]
        checks = re.findall(r"(?<!environment)\.check\(", "".join(sources))
        found = asked.asked_for(sources, lesson=lesson.stem)
        assert len(found) == len(checks) > 0, lesson.stem


# ------------------------------------------------------------------ inside the kernel


@pytest.fixture
def verdict(tmp_path, monkeypatch):
    """Judge a function as in a kernel where it was handed in for the cross-entropy exercise."""

    monkeypatch.setattr(inside, "_judged", {})

    def call(attempt, seed):
        monkeypatch.setattr(xor.CROSS_ENTROPY, "attempt", attempt)
        inside.judge(["xor.CROSS_ENTROPY"], seed, tmp_path / "verdicts.json")
        return json.loads((tmp_path / "verdicts.json").read_text())["xor.CROSS_ENTROPY"]

    return call


def test_the_seed_repeats_the_held_out_cases(verdict):
    visible = {case[0] for case in xor.CROSS_ENTROPY.cases(np.random.default_rng(0))}

    def by_heart(a2, y):
        return a2 - y if a2 in visible else 0.0

    first, again, other = (verdict(by_heart, seed) for seed in (7, 7, 8))
    assert first == again != other
    assert [(v["status"], v["cases"]) for v in (first, other)] == [("wrong", "held-out")] * 2


def test_a_function_is_judged_as_it_was_when_it_was_checked(verdict):
    factor = 1

    def uses_a_name(a2, y):
        return factor * (a2 - y)

    assert verdict(uses_a_name, 7)["status"] == "passed"
    factor = -1
    assert verdict(uses_a_name, 7)["status"] == "passed"
    assert verdict(lambda a2, y: uses_a_name(a2, y), 7)["kind"] == "mistake"


def test_what_does_not_end_is_not_judged_twice(verdict, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    def right(a2, y):
        return a2 - y

    monkeypatch.setattr(xor.CROSS_ENTROPY, "verdict", interrupted)
    with pytest.raises(KeyboardInterrupt):
        verdict(right, 7)
    assert verdict(right, 7) is None


def test_nothing_handed_in_is_no_verdict(verdict):
    assert verdict(None, 7) == {}
    assert verdict(lambda a2, y: ..., 7)["status"] == "not attempted"
    assert verdict(lambda a2, y: a2 - y, 7)["cases"] == "held-out"
