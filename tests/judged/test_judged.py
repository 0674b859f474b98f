"""`course check` on every lesson: solved by a learner it passes, untouched it is not attempted.

Each is run twice from top to bottom, which takes minutes; the seconds are printed.
"""

import json
import time

import pytest

from course.commands import lessons
from teaching.solving import answers, solved

LESSONS = [pytest.param(path, id=path.stem) for path in lessons.find_originals()]


@pytest.fixture
def judged(course, capsys, tmp_path, monkeypatch):
    """Hand in a notebook under the name of its lesson; returns the exit code and the report."""

    def call(lesson, notebook):
        monkeypatch.chdir(tmp_path)
        (tmp_path / lesson.name).write_text(json.dumps(notebook), encoding="utf-8")
        began = time.monotonic()
        code, (line,), err = course("check", lesson.name, "--strict", "--json")
        with capsys.disabled():
            print(f"\n{lesson.stem}: {time.monotonic() - began:.0f} s ", end="", flush=True)
        assert err == ""
        return code, json.loads(line)["notebooks"][0]

    return call


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_that_is_solved_passes_and_all_of_its_cells_run(lesson, judged):
    code, found = judged(lesson, solved(lesson))
    assert {one["message"] for one in found["exercises"] if one["status"] != "passed"} == set()
    assert found["cells"] == found["warnings"] == []
    assert len(found["exercises"]) == len(answers(lesson)) > 0 and code == 0


@pytest.mark.parametrize("lesson", LESSONS)
def test_an_untouched_lesson_is_not_attempted_and_all_of_its_cells_run(lesson, judged):
    code, found = judged(lesson, lessons.read(lesson)[0])
    statuses = [one["status"] for one in found["exercises"]]
    assert statuses == ["not attempted"] * len(answers(lesson)) and code == 1
    assert found["cells"] == found["warnings"] == []
