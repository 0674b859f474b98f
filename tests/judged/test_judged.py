"""`course check` on every lesson: solved by a learner it passes, untouched it is not attempted.

Each is run twice from top to bottom, which takes minutes; the seconds are printed.
"""

import ast
import inspect
import json
import re
import time

import pytest

from course.commands import lessons
from course.commands.check import asked, report
from course.exercises.patient import Patient

LESSONS = [pytest.param(path, id=path.stem) for path in lessons.find_originals()]


def answers(lesson):
    """The cells to be typed into a lesson, by the name of the function that they define."""
    sources = [cell["source"] for cell in report.code_cells(lesson)]
    found = {}
    for one in asked.asked_for(sources, lesson=lesson.stem):
        name = name_checked([sources[number] for number in one.checked])
        found[name] = answer(one.exercise, name)
    return found


def name_checked(sources):
    """The name of the function that the only check in these cells gets."""
    nodes = [node for source in sources for node in ast.walk(asked.parsed(source))]
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    (call,) = [call for call in calls if ast.unparse(call.func).endswith(".check")]
    return call.args[0].id


def answer(exercise, name):
    """The solution as a learner's cell, with an import of what it needs."""
    if isinstance(exercise, Patient):
        return inspect.getsource(exercise.sick).replace(*exercise.mend)
    solution = exercise.solution
    names = {n.id for n in ast.walk(ast.parse(inspect.getsource(solution)))
             if isinstance(n, ast.Name)}  # fmt: skip
    needed = sorted(names & set(solution.__globals__))
    imports = f"from {solution.__module__} import {', '.join(needed)}\n" if needed else ""
    return imports + re.sub(r"\Adef \w+\(", f"def {name}(", inspect.getsource(solution))


def solved(lesson):
    """The notebook of a lesson with an answer in place of each gap."""
    notebook, left = lessons.read(lesson)[0], answers(lesson)
    for cell in notebook["cells"]:
        gap = re.match(r"def (\w+)\(", "".join(cell["source"]))
        if cell["cell_type"] == "code" and gap and gap[1] in left:
            cell["source"] = left.pop(gap[1])
    assert not left, "there is no gap for these"
    return notebook


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
