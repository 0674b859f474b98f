"""The report on a learner's notebook: a dict as `report.schema.json` and docs/check.md have it."""

import json
import tempfile
from pathlib import Path

from course import __version__
from course.commands import lessons
from course.commands.check import asked, kernel
from course.exercises import recorded

VERSION = 1  # of the form of the reports; another one may lack keys or mean something else
CHECKS_AN_EXERCISE = 4  # time limits: visible and held-out cases, and what is compared with them
OWN_SECONDS = 60  # for the judging itself, on a busy machine


def report(paths, seed, timeout, strict=False):
    """Judge notebooks, one after the other.

    Args:
        paths: of the notebooks.
        seed: that the held-out cases are drawn with.
        timeout: seconds that a cell may take.
        strict: whether problems of cells and warnings count as failures, too.

    Returns:
        dict: the report.

    Raises:
        KernelError: no kernel can be started.
    """
    judged = [_judged(Path(path), seed, timeout) for path in paths]
    for notebook in judged:
        right = [e["status"] == "passed" for e in notebook["exercises"]]
        clean = not notebook["cells"] and not notebook["warnings"]
        notebook["passed"] = any(right) and all(right) and (clean or not strict)
    return {
        "version": VERSION,
        "course": __version__,
        "seed": seed,
        "strict": strict,
        "passed": all(notebook["passed"] for notebook in judged),
        "notebooks": judged,
    }


def _judged(path, seed, timeout):
    result = {
        "path": str(path), "lesson": None, "passed": False, "problem": "",
        "exercises": [], "cells": [], "warnings": [],
    }  # fmt: skip
    try:
        cells = code_cells(path)
    except (lessons.DamagedError, OSError):
        return result | {"problem": "This is no notebook, or a damaged one: it cannot be read."}
    original = original_of(path)
    result["lesson"] = original and original.stem
    originals = _sources(code_cells(original)) if original else []
    wanted = asked.asked_for(_sources(cells), originals, result["lesson"])
    if not wanted:
        result["problem"] = "It asks for no exercise of the course: there is no check in it."
        return result
    verdicts, problems = _run(path, cells, wanted, seed, timeout)
    result["exercises"] = [_entry(one, verdicts.get(one.place), problems) for one in wanted]
    result["cells"] = [
        {"number": number + 1, "id": cells[number]["id"]} | vars(problem)
        for number, problem in sorted(problems.items())
    ]
    result["warnings"] = [
        f"Cell [{number + 1}] shows the solution of {one.exercise.solution.__name__}."
        for one in wanted
        for number in sorted(one.revealed)
    ]
    return result


def _sources(cells):
    return [cell["source"] for cell in cells]


def code_cells(path):
    """The code cells of a notebook that are not empty: dicts of "source", "tags" and "id".

    Their places in this list, counted from 1, are the numbers that Jupyter gives them when all are
    run. Raises OSError, DamagedError.
    """
    cells = lessons.read(path)[0]["cells"]
    written = [
        {
            "source": "".join(cell["source"]),
            "tags": _tags(cell.get("metadata")),
            "id": str(cell.get("id", "")),
        }
        for cell in cells
        if cell["cell_type"] == "code"
    ]
    return [cell for cell in written if cell["source"].strip()]


def _tags(metadata):
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


def original_of(path):
    """The path of the lesson that a notebook is a copy of, by its name; None if it is of none.

    The name may go on after that of the lesson: "02-mlp-ada.ipynb".
    """
    originals = sorted(lessons.ORIGINALS.glob("*.ipynb"), key=lambda one: -len(one.stem))
    return next((one for one in originals if path.stem.startswith(one.stem)), None)


def _run(path, cells, wanted, seed, timeout):
    """Run a notebook; return the verdicts as `inside.judge` writes them, and the Problems."""
    limits = sum(one.exercise.limit for one in wanted)
    with tempfile.TemporaryDirectory(prefix="verdicts-", ignore_cleanup_errors=True) as private:
        verdicts = Path(private, "verdicts.json")
        problems = kernel.run(
            [
                kernel.Cell(cell["source"], cell["tags"], _judging(places, seed, verdicts))
                for cell, places in zip(cells, _to_judge(wanted, len(cells)), strict=True)
            ],
            path.resolve().parent,
            timeout,
            CHECKS_AN_EXERCISE * limits + OWN_SECONDS,
        )
        try:
            return json.loads(verdicts.read_bytes()), problems
        except (OSError, ValueError):  # no kernel has come as far
            return {}, problems


def _to_judge(wanted, count):
    """For each of `count` cells the places of the exercises to be judged after it.

    Those that it checks; after the last one all, since a check may be called by another name.
    """
    places = [[one.place for one in wanted if number in one.checked] for number in range(count)]
    return [*places[:-1], [one.place for one in wanted]]


def _judging(places, seed, path):
    """The source that judges, with a name that is no learner's."""
    call = f"_judge_exercises({places!r}, {seed}, {str(path)!r})"
    before = "from course.commands.check.inside import judge as _judge_exercises"
    return f"{before}\n{call}" if places else ""


def _entry(one, verdict, problems):
    """What the report says of one exercise, given its verdict, {} if nothing was handed in.

    None is for a verdict that is missing: a function has ended the judging.
    """
    exercise = one.exercise
    if verdict is None:
        verdict = _wrong("error", "The kernel ended, or hung, before it was judged.")
    elif not verdict:
        verdict = _not_handed_in(one, problems)
    elif verdict["cases"] == "held-out" and verdict["status"] != "passed":
        start = "Right in the cases that the notebook shows, not in others: "
        verdict = verdict | {"message": start + verdict["message"].removeprefix("Not yet: ")}
    if verdict["status"] == "not attempted" and one.revealed:
        verdict = {"status": "revealed", "kind": "solution", "cases": None,
                   "message": "Its solution was shown, and nothing handed in."}  # fmt: skip
    return {"lesson": exercise.lesson, "name": exercise.solution.__name__} | verdict


def _not_handed_in(one, problems):
    failed = {n: problems[n] for n in sorted(one.checked) if n in problems}
    if failed:
        number, problem = next(iter(failed.items()))
        kind = "time" if problem.kind == "time" else "error"
        return _wrong(
            kind,
            f"Cell [{number + 1}], which checks it, {sentence(problem.kind, problem.message)}.",
        )
    text = (
        "Its check does not run." if one.checked else "Its check is not in the notebook any more."
    )
    return {"status": "not attempted", "kind": "nothing", "message": text, "cases": None}


def _wrong(kind, message):
    return {"status": "wrong", "kind": kind, "message": message, "cases": None}


def sentence(kind, message):
    """What a cell with a Problem did, to go after its name."""
    return f"ended with {message}" if kind == "raised" else message


def as_text(found):
    """A report as a table: a line for each exercise, and below it the message."""
    lines = []
    for notebook in found["notebooks"]:
        exercises = notebook["exercises"]
        passed = sum(one["status"] == "passed" for one in exercises)
        total = f"{passed} of {len(exercises)} exercises passed" if exercises else "not judged"
        lines.append(f"{notebook['path']}: {total}")
        width = max((len(one["name"]) for one in exercises), default=0)
        for one in exercises:
            lines.append(f"    {one['name']:{width}}  {one['status']}")
            if one["status"] != "passed":
                lines += [f"        {line}" for line in one["message"].splitlines()]
        lines += [
            f"    Cell [{cell['number']}] {sentence(cell['kind'], cell['message'])}."
            for cell in notebook["cells"]
        ]
        lines += [f"    {text}" for text in [*notebook["warnings"], notebook["problem"]] if text]
        lines.append("")
    if any(notebook["exercises"] for notebook in found["notebooks"]):
        drawn = f"The held-out cases were drawn with --seed {found['seed']}."
        lines.append(recorded.ONLY_VISIBLE if recorded.is_copy() else drawn)
    return "\n".join(lines).rstrip()
