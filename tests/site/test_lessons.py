"""Every lesson runs from top to bottom in JupyterLite, and shows what its page shows."""

import json
import time

import pytest
from lab import kind_of_output
from visitor import COURSE, Visitor

SHORT = "01-idx"  # the others are marked slow, and are run by make site-lessons
LESSONS = [
    pytest.param(path.stem, marks=[] if path.stem == SHORT else pytest.mark.slow)
    for path in sorted((COURSE / "notebooks").glob("*.ipynb"))
]
SECONDS = 120  # what a lesson may take; on a machine that does nothing else
BUSY = 3  # times as long on one that does


@pytest.fixture(scope="module")
def returning(chromium, shared_server):
    """Somebody who has been there before: what was loaded once is not loaded again."""
    context = chromium.new_context(viewport={"width": 1200, "height": 1000})
    with Visitor(context, shared_server) as visitor:
        yield visitor


def shapes(cells):
    """For each cell, whether it has results, and which of them are pictures or widgets."""
    return [
        (bool(outputs), sorted(filter(None, map(kind_of_output, outputs))))
        for outputs in (cell.get("outputs", []) for cell in cells)
    ]


@pytest.mark.parametrize("name", LESSONS)
def test_lesson_runs_from_top_to_bottom(returning, report, name):
    lesson = returning.lesson(name)
    began = time.monotonic()
    lesson.run_all(seconds=SECONDS * BUSY)
    seconds = time.monotonic() - began
    report(f"{seconds:6.1f} s   {name}, all cells")
    assert lesson.errors() == []
    stored = json.loads((COURSE / "notebooks" / f"{name}.ipynb").read_text())["cells"]
    now = lesson.cells
    assert [cell["source"] for cell in now] == ["".join(cell["source"]) for cell in stored]
    different = [
        (cell["id"], before, after)
        for cell, before, after in zip(stored, shapes(stored), shapes(now), strict=True)
        if before != after
    ]
    assert different == []
    lesson.close()
