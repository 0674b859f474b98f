"""What a learner draws, writes and collects in a page is there when the page is opened again."""

import pytest
from canvas import Canvas, written
from lab import PANEL

RECOGNIZER = "06-recognizer"
WRITTEN = "# mine: loss = 1 / 0"


def open_canvas(visitor):
    lesson = visitor.lesson(RECOGNIZER)
    ids = [cell["id"] for cell in lesson.cells]
    for name in ("setup", "readers", "draw"):
        lesson.run_cell(ids.index(name), seconds=180)
    assert lesson.errors() == []
    return Canvas(lesson)


def test_a_drawn_digit_is_read_and_kept(visitor):
    canvas = open_canvas(visitor)
    canvas.write(written(7))
    canvas.reads(7)
    assert len(canvas.readings()) == 4
    canvas.press("Save the drawing as a 7")
    canvas.settle()
    canvas.notebook.run_python("assert recognizer.collection.labels.tolist() == [7]")
    canvas.notebook.close()

    canvas = open_canvas(visitor)
    canvas.notebook.run_python("assert recognizer.collection.labels.tolist() == [7]")
    canvas.write(written(3))
    canvas.reads(3)
    canvas.notebook.close()


def change(lesson, text):
    """Write `text` into the first code cell, and save."""
    kinds = [cell["cell_type"] for cell in lesson.cells]
    lesson.page.evaluate(
        f"([index, text]) => {PANEL}.content.model.sharedModel.getCell(index).setSource(text)",
        [kinds.index("code"), text],
    )
    lesson.page.evaluate(f"() => {PANEL}.context.save()")


def first_code(lesson):
    return next(cell["source"] for cell in lesson.cells if cell["cell_type"] == "code")


def test_a_changed_lesson_stays_until_it_is_begun_anew(visitor, server):
    lesson = visitor.lesson("01-idx")
    original = first_code(lesson)
    change(lesson, WRITTEN)
    lesson.close()
    lesson = visitor.lesson("01-idx")
    assert first_code(lesson) == WRITTEN
    lesson.close()

    page = visitor.open("run/fresh.html?lesson=01-idx")
    page.locator("#go").wait_for()
    answer = page.locator("#answer").inner_text()
    assert answer.startswith("Yours is kept beside it, as 01-idx (yours until ")
    assert page.locator("#go").get_attribute("href") == "lab/index.html?path=lessons%2F01-idx.ipynb"
    page.close()
    lesson = visitor.lesson("01-idx")
    assert first_code(lesson) == original
    kept = answer.removeprefix("Yours is kept beside it, as ").removesuffix(".ipynb.")
    lesson.close()
    lesson = visitor.lesson(kept)
    assert first_code(lesson) == WRITTEN


@pytest.mark.parametrize(
    ("lesson", "answer"),
    [
        ("01-idx", "You had not changed it: it is as it was."),
        ("../x", "This page needs the name of a lesson in its address."),
    ],
)
def test_beginning_anew_what_was_not_begun_says_so(visitor, lesson, answer):
    page = visitor.open(f"run/fresh.html?lesson={lesson}")
    page.wait_for_function("document.getElementById('answer').textContent !== 'A moment, please.'")
    assert page.locator("#answer").inner_text() == answer
