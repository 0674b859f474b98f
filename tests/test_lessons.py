"""The learner's copies: laid, renewed, kept, reset; nothing of theirs is ever lost."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from course import copies
from course.commands import lessons
from course.progress import Progress

ROOT = Path(__file__).parents[1]
posix = pytest.mark.skipif(os.name != "posix", reason="needs signals and links as Unix has them")
not_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)


def notebook(*code):
    """A notebook that has been run, with a cell of text and some of code."""
    text = {"cell_type": "markdown", "id": "text", "metadata": {}, "source": ["# 03 · A\n", "×"]}
    cells = [
        {
            "cell_type": "code",
            "execution_count": number,
            "id": f"cell-{number}",
            "metadata": {"tags": ["raises-exception"]},
            "outputs": [{"output_type": "stream", "name": "stdout", "text": ["1\n"]}],
            "source": source.splitlines(keepends=True),
        }
        for number, source in enumerate(code, start=1)
    ]
    return {"cells": [text, *cells], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def write(path, content):
    path.write_text(json.dumps(content), encoding="utf-8")


def sources(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells]


def add_cell(path, source, **more):
    """Do as JupyterLab does: another format, outputs, counts, and a cell."""
    content = json.loads(path.read_text(encoding="utf-8"))
    content["cells"].append({"cell_type": "code", "id": "mine", "source": source, **more})
    content["cells"][1] |= {"execution_count": 7, "outputs": [{"output_type": "error"}]}
    content["metadata"]["language_info"] = {"name": "python", "version": "3.12"}
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A clone of two lessons; the newest of 03 is `a = 1`."""
    (tmp_path / "notebooks").mkdir()
    for name in ("00-start-here", "03-cnn"):
        write(tmp_path / "notebooks" / f"{name}.ipynb", notebook("a = 1", "a"))
    monkeypatch.setattr(lessons, "ORIGINALS", tmp_path / "notebooks")
    return tmp_path


@pytest.fixture
def copy(clone):
    return clone / "lessons" / "03-cnn.ipynb"


def update(clone, *code):
    """The course gets another lesson 03."""
    write(clone / "notebooks" / "03-cnn.ipynb", notebook(*code))


def kept(copy):
    """What is beside a copy, from another day or minute."""
    return sorted(copy.parent.glob("03-cnn.*.ipynb"))


def test_copies_are_laid_without_outputs_and_nothing_else_is_touched(clone, copy, course):
    before = [path.read_bytes() for path in sorted(clone.glob("notebooks/*"))]
    assert course("lessons") == (0, [f"Your lessons are in {copy.parent}: 2 new"], "")
    assert [path.read_bytes() for path in sorted(clone.glob("notebooks/*"))] == before
    assert sorted(path.name for path in clone.iterdir()) == ["lessons", "notebooks"]
    laid, original = json.loads(copy.read_text("utf-8")), notebook("a = 1", "a")
    for cell in original["cells"][1:]:
        cell |= {"outputs": [], "execution_count": None}
    assert laid["cells"] == original["cells"]
    laid = copy.read_bytes()
    assert course("lessons")[1] == [f"Your lessons are in {copy.parent}: 2 as the course has it"]
    assert copy.read_bytes() == laid


def test_copies_are_laid_where_the_environment_says(clone, tmp_path, monkeypatch, course):
    monkeypatch.setenv("COURSE_LESSONS_DIR", str(tmp_path / "home"))
    assert course("lessons") == (0, [f"Your lessons are in {tmp_path / 'home'}: 2 new"], "")
    assert course("lessons", "--reset", "03")[0] == 0
    assert kept(tmp_path / "home" / "03-cnn.ipynb") and not (clone / "lessons").exists()


def test_every_lesson_can_be_laid(tmp_path, course):
    code, (line,), _ = course("lessons", "--folder", tmp_path / "mine")
    originals = sorted(ROOT.glob("notebooks/*.ipynb"))
    assert (code, line.split(": ")[1]) == (0, f"{len(originals)} new")
    for path in originals:
        assert sources(tmp_path / "mine" / path.name) == sources(path)
        assert '"output_type"' not in (tmp_path / "mine" / path.name).read_text("utf-8")


def test_what_was_only_looked_at_is_renewed(clone, copy, course):
    course("lessons")
    add_cell(copy, " \n")  # the empty one that appears when the last cell is run
    update(clone, "a = 2")
    assert course("lessons")[1][0].endswith(": 1 as the course has it, 1 renewed")
    assert sources(copy) == ["# 03 · A\n×", "a = 2"]
    update(clone, "a = 3")
    course("lessons")
    assert sources(copy) == ["# 03 · A\n×", "a = 3"]


def test_what_was_changed_is_kept_and_after_an_update_told(clone, copy, course):
    course("lessons")
    add_cell(copy, "b = 1")
    mine = copy.read_bytes()
    assert course("lessons")[1] == [
        f"Your lessons are in {copy.parent}: 1 as the course has it, 1 changed by you"
    ]
    update(clone, "a = 2")
    for _ in range(2):
        code, (_, told), _ = course("lessons")
        assert code == 0 and told.startswith("03-cnn has your changes, so it stays")
        assert told.endswith("`make reset LESSON=03` (or `python -m course lessons --reset 03`)")
        assert copy.read_bytes() == mine


@pytest.mark.parametrize("laid", [None, "text", {"laid": 5}, {}, []])
def test_a_copy_of_unknown_origin_is_kept(clone, copy, course, laid):
    course("lessons")
    write(copy, notebook("a = 0") | {"metadata": {"course": laid}})
    mine = copy.read_bytes()
    assert len(course("lessons")[1]) == 2
    assert copy.read_bytes() == mine


DAMAGED = {
    "empty": b"",
    "torn": b'{"cells": [{"cell_type": "code", "sou',
    "bytes": b"\xff\xfe\x00",
    "deep": b"[" * 100_000,
    "list": b"[1]",
    "cells": b'{"cells": [5], "metadata": {}}',
    "source": b'{"cells": [{"cell_type": "code", "source": 5}], "metadata": {}}',
    "metadata": b'{"cells": [], "metadata": 5}',
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_what_is_no_notebook_any_more_is_kept_and_told(clone, copy, course, content):
    course("lessons")
    copy.write_bytes(content)
    code, (count, told), err = course("lessons", "--folder", copy.parent)
    assert (code, err) == (0, "") and count.endswith("1 damaged")
    assert told.startswith("03-cnn is no notebook any more, and stays as it is")
    assert told.endswith(f"`python -m course lessons --reset 03 --folder {copy.parent}`")
    assert copy.read_bytes() == content
    assert course("lessons", "--reset", "03")[0] == 0
    assert [path.read_bytes() for path in kept(copy)] == [content]
    assert sources(copy)[1:] == ["a = 1", "a"]


@pytest.mark.parametrize("asked", ["03", "3", "03-cnn", "03-cnn.ipynb", "lessons/03-cnn.ipynb"])
def test_reset_lays_it_afresh_and_keeps_the_old_one(copy, course, asked):
    course("lessons")
    add_cell(copy, "b = 1")
    mine = copy.read_bytes()
    code, (line,), _ = course("lessons", "--reset", asked)
    (old,) = kept(copy)
    assert code == 0 and f"{copy} is fresh." in line and old.name in line
    assert old.read_bytes() == mine and sources(copy)[1:] == ["a = 1", "a"]


def test_reset_leaves_what_was_done_and_says_where(copy, course):
    course("lessons")
    kept = Progress("03-cnn")
    kept.mark("begun")
    *_, told = course("lessons", "--reset", "03")[1]
    assert told.endswith(f" is kept in {kept.path}: remove that to begin it anew.")
    assert "begun" in kept.entries("lesson")


def test_no_reset_overwrites_what_another_has_kept(copy, course, monkeypatch):
    monkeypatch.setattr(copies.time, "strftime", lambda form: "2026-11-25-1403")
    assert len(course("lessons", "--reset", "03")[1]) == 1 and kept(copy) == []
    for number in range(3):
        copy.write_text(str(number))
        course("lessons", "--reset", "03")
    assert {path.name: path.read_text() for path in kept(copy)} == {
        "03-cnn.2026-11-25-1403.ipynb": "0",
        "03-cnn.2026-11-25-1403-2.ipynb": "1",
        "03-cnn.2026-11-25-1403-3.ipynb": "2",
    }


@posix
def test_what_a_link_leads_to_is_kept(clone, copy, course):
    course("lessons")
    copy.unlink()
    copy.symlink_to(clone / "mine.ipynb")
    (clone / "mine.ipynb").write_text("mine")
    course("lessons", "--reset", "03")
    assert [path.read_text() for path in clone.glob("mine.*.ipynb")] == ["mine"]
    assert copy.is_symlink() and sources(copy)[1:] == ["a = 1", "a"]


@posix
def test_a_fresh_copy_can_be_written_even_if_the_old_one_could_not(copy, course):
    course("lessons")
    usual = copy.stat().st_mode
    copy.chmod(0)
    course("lessons", "--reset", "03")
    assert copy.stat().st_mode == usual


def test_a_folder_in_the_way_is_told(copy, course):
    copy.mkdir(parents=True)
    assert course("lessons")[1][0].endswith(": 1 new, 1 damaged")
    code, _, err = course("lessons", "--reset", "03")
    assert code == 1 and "it is a folder" in err
    assert copy.is_dir() and kept(copy) == []


KILLED = """
import os, pathlib, signal, sys
from course.commands import cli, lessons
lessons.ORIGINALS = pathlib.Path(sys.argv[1], "notebooks")
moments, replace = int(sys.argv[2]), os.replace
def dying(*paths):
    global moments
    if not moments:
        os.kill(os.getpid(), signal.SIGKILL)
    moments -= 1
    replace(*paths)
os.replace = dying
cli.main(["lessons", *sys.argv[3:]])
"""


@posix
@pytest.mark.parametrize("moment", [0, 1])
@pytest.mark.parametrize("options", [[], ["--reset", "03"]])
def test_killed_in_the_middle_nothing_is_lost(clone, copy, course, moment, options):
    course("lessons")
    add_cell(copy, "b = 1")
    mine = copy.read_bytes()
    for name in ("00-start-here", "01-idx"):
        write(clone / "notebooks" / f"{name}.ipynb", notebook("a = 2"))
    command = [sys.executable, "-c", KILLED, clone, str(moment), *options]
    assert subprocess.run(command).returncode == -signal.SIGKILL
    assert mine in [path.read_bytes() for path in (copy, *kept(copy)) if path.exists()]
    assert course("lessons")[0] == course("lessons", "--reset", "03")[0] == 0
    assert mine in [path.read_bytes() for path in kept(copy)]
    names = {path.name for path in copy.parent.iterdir()} - {path.name for path in kept(copy)}
    assert names == {"00-start-here.ipynb", "01-idx.ipynb", "03-cnn.ipynb"}
    assert sources(copy.with_name("00-start-here.ipynb"))[1:] == ["a = 2"]


LIMITED = """
import pathlib, resource, sys
from course.commands import cli, lessons
lessons.ORIGINALS = pathlib.Path(sys.argv[1], "notebooks")
resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))  # bytes: less than a notebook
sys.exit(cli.main(["lessons", *sys.argv[2:]]))
"""


@posix
@pytest.mark.parametrize("options", [[], ["--reset", "03"]])
def test_when_it_cannot_be_written_to_its_end_everything_stays(clone, copy, course, options):
    course("lessons")
    before = copy.read_bytes()
    update(clone, "a = 2")
    command = [sys.executable, "-c", LIMITED, clone, *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "python -m course lessons: File too large\n")
    assert copy.read_bytes() == before and len(list(copy.parent.iterdir())) == 2


@not_root
@pytest.mark.parametrize("options", [[], ["--reset", "03"]])
def test_in_a_folder_that_is_read_only_everything_stays(clone, copy, course, options):
    course("lessons")
    before = copy.read_bytes()
    update(clone, "a = 2")
    copy.parent.chmod(0o500)
    try:
        code, _, err = course("lessons", *options)
        assert code == 1 and "Permission denied" in err and err.count("\n") == 1
        assert copy.read_bytes() == before
        update(clone, "a = 1", "a")  # nothing to write
        assert course("lessons")[0] == 0
    finally:
        copy.parent.chmod(0o700)


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--reset", "12"], 2, "there is no lesson '12'; there are 00-start-here, 03-cnn"),
        (["--reset", ""], 2, "there is no lesson ''"),
        (["--folder", "notebooks"], 2, "the copies need another folder"),
        (["--reset", "03", "--folder", "notebooks"], 2, "the copies need another folder"),
        (["--folder", "notebooks/03-cnn.ipynb"], 1, "03-cnn.ipynb"),
    ],
)
def test_what_is_asked_wrongly_is_told(clone, course, monkeypatch, options, code, words):
    monkeypatch.chdir(clone)
    before = (clone / "notebooks" / "03-cnn.ipynb").read_bytes()
    found, _, err = course("lessons", *options)
    assert found == code and words in err and err.count("\n") == 1
    assert (clone / "notebooks" / "03-cnn.ipynb").read_bytes() == before
    assert len(list(clone.rglob("*.ipynb"))) == 2


def test_a_lesson_of_the_course_that_is_no_notebook_is_told(clone, course):
    (clone / "notebooks" / "03-cnn.ipynb").write_text("<<<<<<< HEAD")
    code, _, err = course("lessons")
    assert code == 1 and "03-cnn.ipynb cannot be read as a notebook" in err


def test_without_a_clone_it_says_where_lessons_come_from(clone, course, monkeypatch):
    monkeypatch.setattr(lessons, "ORIGINALS", clone / "elsewhere")
    code, _, err = course("lessons")
    assert code == 1 and "the lessons do not come with the installed package" in err


@posix
@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
@pytest.mark.parametrize(
    ("code", "there", "opened"),
    [(0, True, "lessons"), (1, True, "lessons"), (1, False, "notebooks")],
)
def test_make_lab_opens_what_is_there(clone, code, there, opened):
    run = clone / "run"  # in place of `python -m`
    run.write_text(f'#!/bin/sh\n[ "$1" = jupyterlab ] || exit {code}\necho "$@"\n')
    run.chmod(0o700)
    if there:
        shutil.copytree(clone / "notebooks", clone / "lessons")
    command = ["make", "-f", ROOT / "Makefile", "lab", "SETUP=", f"RUN={run}"]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True)
    assert done.returncode == 0 and f"/lab/tree/{opened}/00-start-here.ipynb" in done.stdout


def test_git_does_not_see_the_copies():
    assert "/lessons/" in (ROOT / ".gitignore").read_text().splitlines()
