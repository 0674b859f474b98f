"""What students' repositories on GitHub run, run here: on right, on wrong and on no notebooks."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from course import copies
from teaching import solving, student

ROOT = Path(__file__).parents[2]
LESSON = ROOT / "notebooks/05-xor.ipynb"
CLASSROOM = {
    "CLASSROOM": "autumn", "ASSIGNMENT": "xor", "SUBMISSION_TAG": "submit/1",
    "COMMIT_URL": "https://example.org/commit", "RELEASE_URL": "https://example.org/release",
}  # fmt: skip


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A student's repository: the copy, handed out."""
    folder = tmp_path_factory.mktemp("github") / "repository"
    student.write(folder)
    (folder / "handed-in").mkdir()
    return folder


@pytest.fixture(scope="module")
def workflow(repository):
    return yaml.safe_load((repository / ".github/workflows/check.yml").read_text())


@pytest.fixture(scope="module")
def machine(programs, tmp_path_factory):
    """Environment variables as on GitHub's machine: a Python of its own, first in PATH.

    It finds the packages of another one, so that installing the locked ones fetches nothing.
    """
    folder = tmp_path_factory.mktemp("machine")
    subprocess.run([programs / "python", "-m", "venv", folder / "python"], check=True)
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"

    def packages(python):
        found = subprocess.run([python, "-c", where], check=True, capture_output=True, text=True)
        return Path(found.stdout.strip())

    own = packages(folder / "python/bin/python")
    (own / "others.pth").write_text(f"{packages(programs / 'python')}\n")
    found = {k: v for k, v in os.environ.items() if not k.startswith(("COURSE_", "PYTHON"))}
    return found | {
        "PATH": f"{folder / 'python/bin'}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
    }


@pytest.fixture(scope="module")
def step(repository, workflow, machine):
    """Run a step of the workflow by its name, as GitHub does; returns the exit code and output."""
    steps = {one["name"]: one["run"] for one in workflow["jobs"]["check"]["steps"] if "run" in one}

    def run(name):
        done = subprocess.run(
            ["bash", "-e", "-c", steps[name]], cwd=repository, env=machine, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1200,
        )  # fmt: skip
        return done.returncode, done.stdout

    code, said = run("Install the course")
    assert code == 0, said
    return run


def hand_in(repository, notebook, name="05-xor-ada.ipynb"):
    for path in (repository / "handed-in").glob("*.ipynb"):
        path.unlink()
    if notebook:
        (repository / "handed-in" / name).write_bytes(copies.as_laid(notebook))


def wrong():
    """The lesson solved, but for one exercise that is wrong and one that is as it was."""
    notebook, untouched = solving.solved(LESSON), json.loads(LESSON.read_text(encoding="utf-8"))
    for cell, before in zip(notebook["cells"], untouched["cells"], strict=True):
        source = "".join(cell["source"])
        if "def both(" in source:
            cell["source"] = "def both(x1, x2):\n    return x1 + x2 > 0"
        if "def cross_entropy_gradient(" in source:
            cell["source"] = before["source"]
    return notebook


def test_it_runs_at_each_push_and_may_write_nothing(workflow):
    assert "push" in workflow[True]  # YAML 1.1 reads "on" as a truth value
    assert workflow["permissions"] == {"contents": "read"}
    uses = [one["uses"] for one in workflow["jobs"]["check"]["steps"] if "uses" in one]
    assert {use.split("@")[0] for use in uses} == {
        "actions/checkout", "actions/setup-python", "actions/upload-artifact",
    }  # fmt: skip


def test_the_copy_is_installed_and_a_solved_lesson_has_all_points(repository, step, machine):
    hand_in(repository, solving.solved(LESSON))
    code, said = step("Judge")
    assert said.startswith("**3 of 3 points**") and code == 0, said
    assert Path(machine["GITHUB_STEP_SUMMARY"]).read_text().startswith("**3 of 3 points**")
    report = json.loads((repository / "report.json").read_text())
    assert report["passed"]
    assert {one["cases"] for one in report["notebooks"][0]["exercises"]} == {"visible"}


def test_a_wrong_one_has_fewer_and_fails(repository, step):
    hand_in(repository, wrong())
    code, said = step("Judge")
    assert code == 1 and said.startswith("**1 of 3 points**"), said
    assert "| both | wrong | 0 | Not yet: case 2" in said
    assert "| cross_entropy_gradient | not attempted | 0 |" in said


def test_no_notebook_is_a_sentence(repository, step):
    hand_in(repository, None)
    code, said = step("Judge")
    assert code == 1 and said.startswith("There is no notebook in handed-in/ yet")


def autograded(repository, machine, *options):
    """The result that the autograder of Classroom 50 leaves, and the text beside it."""
    command = ["python", ROOT / "teaching/github/autograder.py", *options]
    subprocess.run(command, cwd=repository, env=machine | CLASSROOM, check=True)
    found = json.loads((repository / "result.json").read_text())
    assert found["schema"] == "classroom50/result/v1" and found["submission"] == "submit/1"
    assert found["score"] == sum(test["score"] for test in found["tests"])
    assert found["max-score"] == sum(test["max-score"] for test in found["tests"])
    return found, (repository / "release-body.md").read_text()


def test_the_autograder_installs_the_course_and_leaves_points(repository, step, machine):
    hand_in(repository, wrong())
    found, body = autograded(repository, machine)
    assert (found["score"], found["max-score"]) == (1, 3)
    names = ["both", "step", "cross_entropy_gradient"]
    assert [test["test-name"] for test in found["tests"]] == [
        f"handed-in/05-xor-ada.ipynb: {name}" for name in names
    ]
    assert [test["passed"] for test in found["tests"]] == [False, True, False]
    assert body.startswith("**1 of 3 points**")


def test_who_hands_nothing_in_has_not_passed(repository, step, machine):
    hand_in(repository, None)
    found, body = autograded(repository, machine, "--installed")
    (test,) = found["tests"]
    assert (test["passed"], found["score"], found["max-score"]) == (False, 0, 1)
    assert "There is no notebook in handed-in/." in body


def test_what_is_no_report_is_said_so(tmp_path):
    (tmp_path / "report.json").write_text("")
    program = ROOT / "teaching/github/points.py"
    done = subprocess.run(
        [sys.executable, program, tmp_path / "report.json"], capture_output=True, text=True
    )
    assert done.returncode == 1 and "is no report that this program knows" in done.stderr
