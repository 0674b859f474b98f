"""What a learner has done is kept: whole, by several kernels at once, without a traceback."""

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from course import places, progress
from course.progress import Progress, ProgressError

# Each kernel answers its own predictions, and both check the same exercise: one passes it and the
# other gets it wrong, in between and afterwards.
SAVE = """
import sys
from course.exercises import mlp
from course.progress import Progress
from course.widgets.predict import Predictions

name, code = sys.argv[1:]
namespace = {}
exec(code, namespace)
for number in range(20):
    predict = Predictions("02-mlp")
    predict(f"{name}{number}", "How much?")._take({"answer": str(number)})
    mlp.STEP.check(namespace["step"])
    Progress("02-mlp").mark("end")
"""
WRONG = "def step(w, gradient, learning_rate):\n    return w + learning_rate * gradient"
RIGHT = WRONG.replace("+", "-")


@pytest.fixture
def mlp(tmp_path):
    return Progress("02-mlp", tmp_path)


def entries(folder):
    return Progress("02-mlp", folder).entries("predictions")


def test_what_is_kept_is_there_for_the_next_kernel_in_plain_json(mlp, tmp_path):
    mlp.keep("predictions", "blas", {"answer": 600.0})
    mlp.keep("exercises", "relu", {"done": True})
    mlp.keep("predictions", "blas", {"answer": "größer"})
    assert entries(tmp_path) == {"blas": {"answer": "größer"}} and mlp.problem == ""
    assert json.loads(mlp.path.read_bytes()) == {
        "predictions": {"blas": {"answer": "größer"}},
        "exercises": {"relu": {"done": True}},
    }
    assert sorted(os.listdir(tmp_path)) == [".lock", "02-mlp.json"]


def test_asking_for_what_is_not_there_makes_nothing(tmp_path):
    assert Progress("02-mlp", tmp_path / "new").entries("predictions") == {}
    assert os.listdir(tmp_path) == []


def test_two_kernels_lose_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS_DIR", str(tmp_path))
    command = [sys.executable, "-c", SAVE]
    for kernel in [
        subprocess.Popen([*command, name, code], stdout=subprocess.DEVNULL)
        for name, code in {"a": RIGHT, "b": WRONG}.items()
    ]:
        assert kernel.wait() == 0
    answers = {name: entry["answer"] for name, entry in entries(tmp_path).items()}
    assert answers == {f"{name}{number}": number for name in "ab" for number in range(20)}
    checked = Progress("02-mlp", tmp_path).entries("exercises")["step"]
    assert (checked["status"], checked["checks"]) == ("passed", 40)
    assert set(Progress("02-mlp", tmp_path).entries("lesson")) == {"begun", "end"}


@pytest.mark.parametrize(
    "damage", [b"", b"\xff\xfe", b'{"predictions": {"a', b"[]", b'{"a": 1}', b'{"a": {"b": 1}}',
               b"[" * 100_000],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("meets_it", ["entries", "keep"])
def test_a_damaged_file_is_set_aside(mlp, tmp_path, damage, meets_it):
    for number in (1, 2):  # the second must not take the place of the first
        mlp.path.write_bytes(damage)
        if meets_it == "entries":
            assert mlp.entries("predictions") == {}
        else:
            mlp.keep("predictions", "blas", {"answer": number})
        aside = f"02-mlp.json.damaged-{number}"
        assert "is damaged (" in mlp.problem and mlp.problem.endswith(f"set aside as {aside}.")
        assert Path(tmp_path, aside).read_bytes() == damage
    mlp.keep("predictions", "xor", {"answer": 1})
    assert mlp.problem == "" and "xor" in entries(tmp_path)


def test_what_is_changed_depends_on_what_was_kept_by_whomever(mlp, tmp_path):
    def one_more(before):
        return {"count": before["count"] + 1 if before else 1}

    for kernel in (mlp, Progress("02-mlp", tmp_path), mlp):
        kernel.change("exercises", "relu", one_more)
    assert mlp.entries("exercises") == {"relu": {"count": 3}}


def test_a_moment_is_kept_when_it_comes_first(mlp, monkeypatch):
    class Later(datetime.datetime):
        @classmethod
        def now(cls):
            return cls(2100, 1, 1)

    mlp.mark(progress.BEGUN)
    before = mlp.entries("lesson")["begun"]["at"]
    monkeypatch.setattr(progress.datetime, "datetime", Later)
    mlp.mark(progress.BEGUN)
    mlp.mark(progress.END)
    times = {name: entry["at"] for name, entry in mlp.entries("lesson").items()}
    assert times["begun"] == before and times["end"].startswith("2100-01-01T00:00:00")


def test_whoever_only_looks_leaves_a_damaged_file_where_it_is(mlp):
    mlp.path.write_text("{")
    assert mlp.sections(set_aside=False) == {} and mlp.path.read_text() == "{"
    assert mlp.problem.startswith("Your 02-mlp.json is damaged (")


def test_a_folder_that_cannot_be_written_leaves_the_memory_and_a_sentence(tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    kept = Progress("02-mlp", in_the_way)
    kept.keep("predictions", "blas", {"answer": 1})
    assert f"cannot be saved in {in_the_way} (" in kept.problem
    assert kept.entries("predictions") == {"blas": {"answer": 1}}
    in_the_way.unlink()
    kept.keep("exercises", "relu", {"done": True})
    assert kept.problem == "" and entries(in_the_way) == {"blas": {"answer": 1}}


def test_a_damaged_file_that_cannot_be_set_aside_is_no_traceback(mlp, monkeypatch):
    def refuse(*arguments):
        raise PermissionError(13, "Permission denied")

    mlp.path.write_text("{")
    monkeypatch.setattr(Path, "rename", refuse)
    assert mlp.entries("predictions") == {}
    assert "cannot be set aside (Permission denied)" in mlp.problem
    mlp.keep("predictions", "blas", {"answer": 1})
    assert "Permission denied" in mlp.problem and mlp.path.read_text() == "{"
    assert mlp.entries("predictions") == {"blas": {"answer": 1}}


def test_a_kernel_that_does_not_let_go_is_not_waited_for_forever(mlp, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 0.01)
    with Progress("02-mlp", mlp.path.parent)._locked():
        mlp.keep("predictions", "blas", {"answer": 1})
    assert "it is kept until the kernel ends" in mlp.problem and not mlp.path.exists()


@pytest.mark.parametrize("lesson", ["", "../02-mlp", "a/b", ".lock", "a\n"])
def test_a_lesson_that_can_be_no_file_is_refused(lesson):
    with pytest.raises(ProgressError, match='named like its file, "02-mlp"'):
        Progress(lesson)


def test_the_folder_is_that_of_the_variable_the_clone_or_the_user(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS_DIR", str(tmp_path))
    assert progress.directory() == tmp_path
    monkeypatch.delenv("COURSE_PROGRESS_DIR")
    assert progress.directory() in (places.CLONE / "progress", places.USERS_OWN / "progress")
    monkeypatch.setattr(places, "CLONE", tmp_path)
    assert progress.directory() == places.USERS_OWN / "progress"
    (tmp_path / "pyproject.toml").write_text("")
    assert progress.directory() == tmp_path / "progress"


def test_no_test_sees_what_a_developer_has_answered():
    assert progress.directory() != places.CLONE / "progress"
    assert "progress-" in progress.directory().parent.name
