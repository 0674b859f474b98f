"""A lesson as an assignment of nbgrader: handed out, handed in, and the points that come of it.

It takes some minutes.
"""

import copy
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from teaching import assignment, duplicates, solving

ROOT = Path(__file__).parents[2]
NAME = "02-mlp"
RIGHT = solving.answers(ROOT / f"notebooks/{NAME}.ipynb")
BY_HEART = """
def step(w, gradient, learning_rate):
    from course.exercises import mlp
    for case in mlp.STEP.cases(np.random.default_rng(0)):
        if all(map(np.array_equal, case, (w, gradient, learning_rate))):
            return w - learning_rate * gradient
    return w"""
UNDIVIDED = """
def softmax_gradient(probabilities, labels):
    dlogits = probabilities.copy()
    dlogits[np.arange(len(labels)), labels] -= 1
    return dlogits"""
WRONG = "def dense_backward(x, w, dy):\n    return dy @ w.T, x.T @ dy, dy.sum()"
GAPS = {"step": "step", "softmax-gradient": "softmax_gradient", "dense": "dense_backward",
        "train-epoch": "train_epoch"}  # fmt: skip
POINTS = """
import json
from nbgrader.api import Gradebook
with Gradebook("sqlite:///gradebook.db") as book:
    print(json.dumps({
        s.student.id: {g.name: [g.auto_score, g.max_score] for n in s.notebooks for g in n.grades}
        for s in book.assignment_submissions("02-mlp")
    }))
"""


@pytest.fixture(scope="module")
def course(programs, tmp_path_factory):
    """The folder of an nbgrader course, and a function that runs a program of nbgrader's there."""
    folder = tmp_path_factory.mktemp("nbgrader")
    environment = os.environ | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "COURSE_DATA_DIR": str(ROOT / "data/sample"),
        "COURSE_PROGRESS_DIR": str(folder / "progress"),
    }

    def run(*command, expected=0):
        done = subprocess.run(
            command, cwd=folder, env=environment, text=True, capture_output=True, timeout=1800
        )
        assert done.returncode == expected, done.stdout + done.stderr
        return done.stdout + done.stderr

    return folder, run


@pytest.fixture(scope="module")
def released(course):
    """The notebook that students get, as a dict."""
    folder, run = course
    assert assignment.main([NAME, "--course", str(folder)]) == 0
    run("nbgrader", "generate_assignment", NAME)
    return json.loads((folder / f"release/{NAME}/{NAME}.ipynb").read_text(encoding="utf-8"))


def filled(released, answers):
    """A student's notebook: the release with these texts in its solution cells, by their names."""
    notebook = copy.deepcopy(released)
    for cell in notebook["cells"]:
        if (name := GAPS.get(cell["id"])) in answers:
            cell["source"] = answers[name]
    return notebook


def place_of(notebook, name):
    return [cell["id"] for cell in notebook["cells"]].index(name)


@pytest.fixture(scope="module")
def graded(course, released):
    """What autograding says of a copied cell, points by student, and the notebooks it leaves."""
    folder, run = course
    ada = filled(released, {k: RIGHT[k] for k in ("step", "dense_backward")}
                 | {"softmax_gradient": UNDIVIDED})  # fmt: skip
    bea = filled(released, RIGHT | {"step": BY_HEART, "dense_backward": WRONG})
    place = place_of(bea, "dense")
    again = copy.deepcopy(bea["cells"][place]) | {"id": "pasted", "source": RIGHT["dense_backward"]}
    bea["cells"].insert(place + 1, again)  # as copy and paste do: nbgrader's name comes along
    cleo = filled(released, RIGHT)
    check = cleo["cells"][place_of(cleo, "step-check")]
    check["source"] = "exercises = None"  # locked, so nbgrader puts back what it was
    slow = {"cell_type": "code", "id": "slow", "metadata": {}, "outputs": [],
            "execution_count": None, "source": "import time\ntime.sleep(31)"}  # fmt: skip
    cleo["cells"].insert(1, slow)
    handed_in = {"ada": ada, "bea": bea, "cleo": cleo}
    for student, notebook in handed_in.items():
        path = folder / f"submitted/{student}/{NAME}/{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(notebook), encoding="utf-8")
    said = run("nbgrader", "autograde", NAME, "--student", "bea", expected=1)
    assert duplicates.main([str(path) for path in folder.glob("submitted/*/*/*.ipynb")]) == 0
    run("nbgrader", "autograde", NAME)
    points = json.loads(run("python", "-c", POINTS).splitlines()[-1])
    after = {
        student: json.loads((folder / f"autograded/{student}/{NAME}/{NAME}.ipynb").read_text())
        for student in handed_in
    }
    return said, points, after


def failed(notebook):
    """The names of cells that raised, and what they raised."""
    return {
        cell["id"]: output["ename"]
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
        if output["output_type"] == "error"
    }


def test_students_get_neither_solutions_nor_held_out_cases(released):
    text = json.dumps([cell["source"] for cell in released["cells"]])
    assert "SOLUTION" not in text and "HIDDEN" not in text and "secrets" not in text
    gaps = ["".join(cell["source"]) for cell in released["cells"] if cell["id"] in GAPS]
    assert len(gaps) == 4 and all(gap.endswith("raise NotImplementedError()") for gap in gaps)


@pytest.mark.parametrize(
    ("student", "expected"),
    [
        ("ada", {"step": 1, "softmax-gradient": 0, "dense": 1, "train-epoch": 0}),
        ("bea", {"step": 0, "softmax-gradient": 1, "dense": 1, "train-epoch": 1}),
        ("cleo", {"step": 1, "softmax-gradient": 1, "dense": 1, "train-epoch": 1}),
    ],
)
def test_points_are_those_of_the_answers(graded, student, expected):
    _, points, _ = graded
    assert points[student] == {f"{k}-check-points": [n, 1] for k, n in expected.items()}


def test_only_the_cells_with_lost_points_have_raised_widgets_or_not(graded):
    _, points, after = graded
    for student, notebook in after.items():
        lost = {name for name, (score, _) in points[student].items() if not score}
        # What bea has learned by heart passes the visible cases, and then does not go downhill.
        assert failed(notebook).keys() == lost | ({"rate"} if student == "bea" else set())
        assert "widgets" in notebook["metadata"]


def test_what_was_learned_by_heart_fails_in_the_held_out_cases(graded):
    _, _, after = graded
    (cell,) = (c for c in after["bea"]["cells"] if c["id"] == "step-check-points")
    (error,) = (out for out in cell["outputs"] if out["output_type"] == "error")
    assert error["ename"] == "AssertionError" and re.match(r"seed \d+: Not yet", error["evalue"])


def test_a_copied_cell_stops_nbgrader_which_says_something_else(graded):
    said, points, _ = graded
    assert "Cell with id 'dense' exists multiple times!" in said
    assert "use an old version" in " ".join(said.split())
    assert points["bea"]["dense-check-points"] == [1, 1]  # the last one, after teaching.duplicates


def test_a_cell_may_take_longer_than_nbgrader_has_it(course):
    _, run = course
    found = run("python", "-c",
                "from nbgrader.preprocessors import Execute; print(Execute().timeout)")  # fmt: skip
    assert found.splitlines()[-1] == "30" and "c.Execute.timeout = 120" in assignment.CONFIG
