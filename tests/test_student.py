"""Copies for students and for teachers: what is in them, and that no solution gets out."""

import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from course.commands.check import asked
from course.exercises import mlp, recorded, xor
from teaching import (  # fmt: skip
    assignment,
    copying,
    duplicates,
    exercises,
    instructor,
    leaks,
    recording,
    stripping,
    student,
)

ROOT = Path(__file__).parents[1]
ALL = exercises.by_place()
FUNCTIONS = {place: one for place, one in ALL.items() if not exercises.is_patient(one)}
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))

# ---- What solutions gave -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        None, True, 3, 0.1, "text", b"\0\xff", [1, (2, [3.0])], {"a": (1, 2), 3: None},
        float("nan"), np.float32(0.1), np.arange(6, dtype=">i2").reshape(2, 3)[:, ::-1],
        np.zeros((0, 2)), np.array([True, False]), np.array("text"),
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_recorded_comes_back(value):
    found = recorded.decoded(json.loads(json.dumps(recorded.encoded(value))))
    if isinstance(value, (np.ndarray, np.generic)):
        assert found.dtype == value.dtype and found.shape == value.shape
    else:
        assert type(found) is type(value)
    np.testing.assert_equal(found, value)


def test_what_cannot_be_recorded_is_refused():
    with pytest.raises(TypeError, match="a result of object cannot be recorded"):
        recorded.encoded(object())


@pytest.fixture
def by_record(monkeypatch):
    """Judge an exercise as in a student's copy: by the record of it alone."""

    def change(exercise):
        kept = json.loads(recording.as_json([exercise]))
        monkeypatch.setattr(recorded, "_all", lambda: kept)
        record = recorded.of(exercise.lesson, exercise.solution.__name__)
        monkeypatch.setattr(exercise, "record", record)
        monkeypatch.setattr(exercise, "mistakes", {})
        return exercise

    return change


def typed_anew(exercise):
    names = dict(exercise.solution.__globals__)
    exec(inspect.getsource(exercise.solution), names)
    return names[exercise.solution.__name__]


@pytest.mark.parametrize("place", FUNCTIONS)
def test_a_record_judges_as_the_solution_does(place, by_record):
    exercise = FUNCTIONS[place]
    attempts = [typed_anew(exercise), *exercise.mistakes.values(), lambda *arguments: ...]
    before = [exercise.verdict(attempt) for attempt in attempts]
    assert before[0].status == "passed"
    assert {one.kind for one in before[1:-1]} <= {"mistake", "unstable", "changes input"}
    without = by_record(exercise)
    assert [without.verdict(attempt) for attempt in attempts] == before


def test_a_copy_without_solutions_says_whom_to_ask(by_record, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS_DIR", str(tmp_path))
    exercise = by_record(xor.CROSS_ENTROPY)
    exercise.reveal()
    assert " ".join(capsys.readouterr().out.split()) == recorded.NO_SOLUTION
    assert list(tmp_path.iterdir()) == []  # nothing was shown
    with pytest.raises(recorded.NoSolutionError) as raised:
        exercise.best(lambda a2, y: y - a2)
    (line,) = raised.value._render_traceback_()
    assert line.startswith("What follows needs a right cross_entropy_gradient, and yours is not")
    right = typed_anew(exercise)
    assert exercise.best(right) is right
    with pytest.raises(ValueError, match="cases of seed 7 cannot be judged"):
        exercise.verdict(right, seed=7)


# ---- What is cut out -----------------------------------------------------------------------------

MODULE = '''"""Exercises."""

import math

import numpy as np

from course.exercises import Exercise


def area(radius):  # of a circle
    """In square meters."""
    return math.pi * radius**2


def _cases(random):
    return [(1.0,), (random.random(),)]  # é


def _half(radius):
    return _share(radius, 0.5)


def _share(radius, share):
    return share * math.pi * radius**2


AREA = Exercise(
    area, _cases, "Square it.", "Say math.pi * radius**2.", "Nearly the line.", lesson="x",
    mistakes={"a half is missing": _half},
)
'''


def test_solutions_mistakes_and_telling_hints_are_cut_out():
    secrets = leaks.secrets_of(["    return math.pi * radius**2  # why"])
    assert secrets == {"math.pi*radius**2"}
    found = stripping.without_solutions(MODULE, {"area"}, secrets, set())
    compile(found, "cut", "exec")
    assert "def area(radius):  # of a circle\n    raise NotImplementedError(" in found
    assert '"Square it.", lesson="x",' in found and "# é" in found
    for word in ("math", "_half", "_share", "mistakes", "Nearly", "Say", "square meters", "np"):
        assert word not in found
    assert "_share" in stripping.without_solutions(MODULE, {"area"}, secrets, {"_share"})


def test_what_one_should_find_is_cut_out_of_open_exercises_alone():
    found = "<details><summary>What you should find</summary>\n\nIt is 7.\n</details>"
    text = f"Run it.\n\n{found}\n\n**Exercise 2 (open).** How many?\n\n{found}\n\nOn."
    cut = stripping.without_findings(text)
    assert cut == f"Run it.\n\n{found}\n\n**Exercise 2 (open).** How many?\n\nOn."
    assert stripping.without_findings(f"Run it.\n\n{found}") == f"Run it.\n\n{found}"


def test_every_open_exercise_of_the_lessons_loses_what_one_should_find():
    cut = 0
    for lesson in LESSONS:
        for cell in json.loads(lesson.read_text(encoding="utf-8"))["cells"]:
            text = "".join(cell["source"])
            opened = len(stripping.OPEN.findall(text))
            found = stripping.without_findings(text)
            assert text.count("</details>") - found.count("</details>") == opened, lesson.stem
            assert found.count("<details>") == found.count("</details>")
            cut += opened
    assert cut >= 20


def test_a_wrapped_line_is_found_and_one_that_is_taught_is_not():
    secrets = {"step": leaks.secrets_of(inspect.getsource(mlp.step).splitlines()[1:])}
    text = "so write\n    return (w -\n        learning_rate * gradient)"
    (leak,) = leaks.in_texts({"docs/notation.md": text}, secrets)
    assert str(leak) == (
        "docs/notation.md has a line of the solution of step: w-learning_rate*gradient"
    )
    assert leaks.in_texts({"course/diagrams/mlp.py": text}, secrets) == []


def test_what_is_taught_is_still_there():
    """An exception that nothing needs any more would hide a leak."""
    secrets = student.secrets_of(ALL.values())
    for path, solutions in leaks.TAUGHT.items():
        text = re.sub(r"\s+", "", leaks.readable(ROOT / path))
        for solution in solutions:
            assert any(secret in text for secret in secrets[solution]), (path, solution)


# ---- The copies ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    target = tmp_path_factory.mktemp("copies") / "student"
    student.write(target)
    return target


def python(copy, *arguments, **options):
    """Run Python with the course of a copy."""
    environment = os.environ | {
        "PYTHONPATH": str(copy),
        "COURSE_DATA_DIR": str(copy / "data/sample"),
        "COURSE_PROGRESS_DIR": str(copy.parent / "progress"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=copy, capture_output=True, text=True,
        **options,
    )  # fmt: skip


def judged(copy, *sources, name="02-mlp.ipynb"):
    """The report of `check` in the copy on a notebook of code cells, and the exit code."""
    cells = [
        {"cell_type": "code", "id": f"cell-{n}", "metadata": {}, "outputs": [],
         "execution_count": None, "source": source}
        for n, source in enumerate(sources)
    ]  # fmt: skip
    content = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (copy.parent / name).write_text(json.dumps(content), encoding="utf-8")
    done = python(copy, "-m", "course", "check", "--json", str(copy.parent / name))
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


@pytest.mark.slow
def test_the_copy_has_what_learners_need_and_nothing_of_teachers(copy):
    for path in ("Makefile", "README.md", "notebooks/02-mlp.ipynb", "course/mlp.py",
                 "data/sample/train-images-idx3-ubyte.gz", "requirements.lock",
                 "docs/check.md", ".github/workflows/check.yml", ".github/points.py"):  # fmt: skip
        assert (copy / path).is_file(), path
    there = {path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()}
    assert [path for path in there if path.startswith(("tests/", "teaching/", ".ci/"))] == []
    pages = {path for path in there if path.startswith(("docs/teaching", "deploy"))}
    assert pages == {*student.LINKED}  # and these only say that they are not here


@pytest.mark.slow
def test_links_in_the_copy_lead_to_files(copy):
    for page in copy.rglob("*.md"):
        links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
        local = [link for link in links if not link.startswith("http")]
        missing = [link for link in local if not (page.parent / link).exists()]
        assert missing == [], page.relative_to(copy)


@pytest.mark.slow
def test_right_and_wrong_are_told_apart_in_the_copy(copy):
    setup = "from course.exercises import mlp as exercises"
    lines = [
        "def step(w, gradient, learning_rate):\n    return w - learning_rate * gradient",
        "def softmax_gradient(probabilities, labels):\n    return probabilities / len(labels)",
        "exercises.STEP.check(step)",
        "exercises.SOFTMAX_GRADIENT.check(softmax_gradient)",
        "exercises.DENSE_BACKWARD.check(exercises.dense_backward)",
    ]
    code, report = judged(copy, setup, *lines)
    found = {one["name"]: one for one in report["notebooks"][0]["exercises"]}
    assert code == 1
    assert [one["status"] for one in found.values()] == [
        "passed", "wrong", "revealed", "not attempted",
    ]  # fmt: skip
    assert found["step"]["cases"] == "visible"
    assert "It looks as if the truth is not yet subtracted" in " ".join(
        found["softmax_gradient"]["message"].split()
    )
    done = python(copy, "-m", "course", "check", str(copy.parent / "02-mlp.ipynb"))
    assert done.stdout.splitlines()[-1] == recorded.ONLY_VISIBLE
    code, report = judged(copy, setup, lines[0], lines[2], name="mine.ipynb")
    assert code == 0 and report["passed"]


@pytest.mark.slow
def test_a_patient_is_still_judged_in_the_copy_and_its_mending_is_gone(copy):
    source = """
import inspect
from course.exercises import clinic
sick = clinic.PATIENT_1
names = dict(vars(clinic))
exec(inspect.getsource(clinic.patient_1).replace("=3.0", "=0.05"), names)
print([sick.mend, len(sick.hints), sick.verdict(names["patient_1"]).status,
       sick.verdict(clinic.patient_1).status])
"""
    done = python(copy, "-c", source)
    assert done.stdout == "[None, 2, 'passed', 'not attempted']\n", done.stderr


@pytest.mark.slow
def test_no_copy_is_made_of_a_copy(copy):
    done = python(copy, "-c", "import runpy, sys; sys.path.append(sys.argv.pop()); "
                  "sys.argv[0] = 'student'; runpy.run_module('teaching.student', run_name="
                  "'__main__')", str(ROOT))  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == (
        "The copy for students is not written:\n"
        "this is a student's copy itself: it has no solutions to leave out\n"
    )


def put_back(copy, name):
    """The whole module of exercises, and nothing that was recorded of it."""
    (copy / name).write_bytes((ROOT / name).read_bytes())


def in_a_lesson(copy):
    path = copy / "notebooks/02-mlp.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][-1]["source"] = "    return dy @ w.T, x.T @ dy, dy.sum(axis=0)\n"
    path.write_text(json.dumps(notebook), encoding="utf-8")


def in_an_output(copy):
    path = copy / "notebooks/05-xor.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cell = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    shown = "    dz1 = dz2 * w2 * a1 * (1 - a1)\n"
    cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": [shown]}]
    path.write_text(json.dumps(notebook), encoding="utf-8")


def in_a_page(copy):
    with open(copy / "README.md", "a", encoding="utf-8") as file:
        file.write("\n`return w - learning_rate * \ngradient`\n")


def computing(copy):
    """Short lines are not searched for. But they compute."""
    path = copy / "course/exercises/xor.py"
    text = path.read_text(encoding="utf-8")
    place = text.index("raise", text.index("def cross_entropy_gradient"))
    end = text.index("\n", place)
    path.write_text(f"{text[:place]}return a2 - y{text[end:]}", encoding="utf-8")


def mending(copy):
    """What would mend a patient, which no line tells."""
    path = copy / "course/exercises/clinic.py"
    text = path.read_text(encoding="utf-8")
    place = text.index("None", text.index("PATIENT_10 = "))
    path.write_text(f"{text[:place]}('epochs=12', 'epochs=3'){text[place + 4 :]}", encoding="utf-8")


def without_a_record(copy):
    (copy / "course/exercises/recorded.json").unlink()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("leak", "said"),
    [
        (in_a_lesson, "notebooks/02-mlp.ipynb has a line of the solution of dense_backward"),
        (in_an_output, "notebooks/05-xor.ipynb has a line of the solution of step"),
        (in_a_page, "README.md has a line of the solution of step"),
        (lambda copy: put_back(copy, "course/exercises/cnn.py"),
         "course/exercises/cnn.py has a line of the solution of average_pool_backward"),
        (mending, "clinic.PATIENT_10 has its solution"),
        (computing, "xor.CROSS_ENTROPY has a solution that still computes"),
        (without_a_record, "xor.BOTH has its solution"),
    ],
    ids=["lesson", "output", "page", "module", "patients", "computing", "record"],
)  # fmt: skip
def test_the_copy_is_refused_if_anything_of_a_solution_is_left(copy, leak, said):
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    leak(copy)
    try:
        found = "\n".join(map(str, student.left(copy, student.secrets_of(ALL.values()))))
    finally:
        for path, content in before.items():
            path.write_bytes(content)
    assert said in found


@pytest.mark.slow
def test_a_refused_copy_is_gone_and_the_command_says_why(tmp_path, capsys, monkeypatch):
    target = tmp_path / "student"
    with pytest.raises(copying.CopyError, match=r"README\.md has a line of the solution of step"):
        student.write(target, alter=in_a_page)
    assert not target.exists()

    def refuse(target):
        raise copying.CopyError("README.md has a line")

    monkeypatch.setattr(student, "write", refuse)
    monkeypatch.setattr(sys, "argv", ["student", "--out", str(target)])
    assert student.main() == 1
    assert capsys.readouterr().err == (
        "The copy for students is not written:\nREADME.md has a line\n"
    )


@pytest.mark.slow
def test_the_copy_for_teachers_has_answers_that_pass(tmp_path):
    target = tmp_path / "instructor"
    instructor.write(target, [ROOT / "notebooks/05-xor.ipynb"])
    assert (target / "tests/test_student.py").is_file()
    assert not (target / "course/exercises/recorded.json").exists()
    notebook = json.loads((target / "answers/05-xor.ipynb").read_text(encoding="utf-8"))
    sources = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]
    for exercise in (xor.BOTH, xor.STEP, xor.CROSS_ENTROPY):
        name, found = exercise.solution.__name__, {}
        (source,) = (source for source in sources if f"def {name}(" in source)
        exec(source, {}, found)
        found[name].__globals__.update(found, np=np)
        assert exercise.verdict(found[name], seed=5).status == "passed"


# ---- Assignments ---------------------------------------------------------------------------------


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_becomes_an_assignment_with_a_point_for_each_exercise(lesson):
    cells = assignment.assignment(lesson)["cells"]
    marks = [cell["metadata"]["nbgrader"] for cell in cells if "nbgrader" in cell["metadata"]]
    names = [mark["grade_id"] for mark in marks]
    assert len(set(names)) == len(names) and len({cell["id"] for cell in cells}) == len(cells)
    sources = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    wanted = asked.asked_for(sources, lesson=lesson.stem)
    patients = [one for one in wanted if exercises.is_patient(one.exercise)]
    assert sum(mark.get("points", 0) for mark in marks) == len(wanted)
    solutions = [cell for cell in cells if cell["metadata"].get("nbgrader", {}).get("solution")]
    assert len(solutions) == len(wanted) - len(patients)
    for cell in solutions:
        compile("".join(cell["source"]), cell["id"], "exec")


def test_only_the_last_of_copied_cells_keeps_its_name():
    mark = {"nbgrader": {"grade_id": "dense"}, "tags": ["mine"]}
    cells = [{"metadata": mark}, {"metadata": {}}, {"metadata": mark}]
    notebook, lost = duplicates.without_duplicates({"cells": cells, "nbformat": 4})
    assert lost == ["dense"] and notebook["nbformat"] == 4
    assert notebook["cells"] == [{"metadata": {"tags": ["mine"]}}, *cells[1:]]


def test_a_file_that_is_no_notebook_is_told(tmp_path, capsys):
    (tmp_path / "x.ipynb").write_text("{", encoding="utf-8")
    assert duplicates.main([str(tmp_path / "x.ipynb")]) == 1
    assert "cannot be read as a notebook" in capsys.readouterr().err
    assert assignment.main(["99", "--course", str(tmp_path)]) == 1
    assert "there is no lesson '99'" in capsys.readouterr().err
