"""Lessons as a learner hands them in who has solved every exercise."""

import ast
import inspect
import re

from course.commands import lessons
from course.commands.check import asked, report
from teaching.exercises import is_patient


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
    if is_patient(exercise):
        return inspect.getsource(exercise.sick).replace(*exercise.mend)
    solution = exercise.solution
    names = {n.id for n in ast.walk(ast.parse(inspect.getsource(solution)))
             if isinstance(n, ast.Name)}  # fmt: skip
    needed = sorted(names & set(solution.__globals__))
    imports = f"from {solution.__module__} import {', '.join(needed)}\n" if needed else ""
    return imports + re.sub(r"\Adef \w+\(", f"def {name}(", inspect.getsource(solution))


def gap_of(cell, names):
    """The name of the function that a cell leaves to write, None if it is none of these."""
    gap = re.match(r"def (\w+)\(", "".join(cell["source"]))
    return gap[1] if cell["cell_type"] == "code" and gap and gap[1] in names else None


def solved(lesson):
    """The notebook of a lesson, a dict, with an answer in place of each gap."""
    notebook, left = lessons.read(lesson)[0], answers(lesson)
    for cell in notebook["cells"]:
        if name := gap_of(cell, left):
            cell["source"] = left.pop(name)
    if left:
        raise ValueError(f"{lesson.stem} has no gap for {', '.join(left)}")
    return notebook
