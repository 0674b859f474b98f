"""Predictions in a page: answered with mouse, finger and keys, kept, and seen again."""

import json

import pytest
from accessibility import assert_accessible
from lab import THEMES

SETUP = """
from course.widgets.predict import Predictions
predict = Predictions("02-mlp", {folder!r})"""
NUMBER = 'predict("blas", "How long does the product take on BLAS?", unit="ms")'
CHOICE = """
choices = ["curves", "nothing", "more classes"]
predict("layers", "What can two layers compute that one cannot?", choices=choices)"""
CURVE = 'predict("loss", "How will the loss fall?", curve=("epoch", "loss"), x=(0, 10), y=(0, 2.5))'
RESULTS = """
predict.was("blas", 0.31)
predict.was("layers", "nothing")
predict.was("loss", ([0, 5, 10], [2.3, 0.6, 0.2]))"""
CELLS = [SETUP, NUMBER, CHOICE, CURVE, RESULTS, "predict.recap()"]
SHOWN, RECAP = 4, 5  # where the results are
GONE = "The kernel was restarted or is gone: run this cell again."


class Lesson:
    """A notebook that asks for a number, a choice and a curve."""

    def __init__(self, notebook, folder):
        self.notebook, self.page, self.folder = notebook, notebook.page, folder
        notebook.replace_cells(*(cell.strip().format(folder=str(folder)) for cell in CELLS))
        self.ask()

    def ask(self):
        for index in range(SHOWN):
            self.notebook.run_cell(index)

    def question(self, index):
        """0: the number, 1: the choice, 2: the curve."""
        return self.notebook.cell(index + 1).locator(".predict")

    @property
    def statuses(self):
        return [self.question(i).locator(".predict-status").inner_text() for i in range(3)]

    def says(self, index, text):
        self.question(index).get_by_text(text).wait_for()

    @property
    def kept(self):
        path = self.folder / "02-mlp.json"
        kept = json.loads(path.read_text())["predictions"] if path.exists() else {}
        return {name: entry["answer"] for name, entry in kept.items()}

    @property
    def focused(self):
        return self.page.evaluate("""() => {
            const { ariaLabel, textContent } = document.activeElement;
            return ariaLabel ?? textContent;
        }""")

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def places(self, *points):
        """Points [x, y] of the axes, in the page's coordinates."""
        paper = self.question(2).locator(".predict-paper")
        paper.scroll_into_view_if_needed()
        box = paper.bounding_box()
        return [
            (box["x"] + x / 10 * box["width"], box["y"] + (1 - y / 2.5) * box["height"])
            for x, y in points
        ]

    def draw(self, *points):
        first, *rest = self.places(*points)
        self.page.mouse.move(*first)
        self.page.mouse.down()
        for place in rest:
            self.page.mouse.move(*place, steps=8)
        self.page.mouse.up()

    def answer_all(self):
        field = self.question(0).get_by_role("textbox")
        field.fill("600")
        field.press("Enter")
        self.says(0, "You: 600 ms.")
        self.question(1).get_by_role("button", name="curves").click()
        self.says(1, "You: curves.")
        self.draw((0, 2.3), (5, 1), (10, 0.5))
        self.says(2, "You: from 2.3 at epoch 0 to 0.5 at epoch 10.")


@pytest.fixture
def open_lesson(open_notebook, tmp_path):
    """Function: options of `open_notebook` -> Lesson, with a folder of its own for the answers."""
    return lambda **options: Lesson(open_notebook("01-idx.ipynb", **options), tmp_path)


def near(points, expected):
    """Whether a sketch goes through these points, as exactly as a hand would."""
    there = {round(x, 3): y for x, y in points}
    return all(abs(there[x] - y) < 0.1 for x, y in expected)


def test_answers_survive_a_reload_and_a_restart_and_are_compared(open_lesson):
    lesson = open_lesson()
    lesson.answer_all()
    assert (lesson.kept["blas"], lesson.kept["layers"]) == (600, "curves")
    assert near(lesson.kept["loss"], [(0, 2.3), (5, 1), (10, 0.5)])
    answers = lesson.statuses
    lesson.notebook.save()
    lesson.page.reload()
    lesson.says(2, "You: from 2.3 at epoch 0 to 0.5 at epoch 10.")
    assert lesson.statuses == answers
    line = lesson.question(2).locator(".predict-line").get_attribute("points")
    assert len(line.split()) == 31
    lesson.notebook.end_kernel()
    for index in range(3):
        lesson.says(index, GONE)
    lesson.notebook.end_kernel("info.then")  # it is up again
    lesson.ask()
    assert lesson.statuses == answers
    lesson.notebook.run_cell(SHOWN)
    lesson.notebook.run_cell(RECAP)
    shown = lesson.notebook.cell(SHOWN).inner_text()
    assert "You: 600 ms. It was: 0.31 ms (your guess is 1,900 times as much)." in shown
    assert "You: curves. It was: nothing (wrong)." in shown
    assert "You answered 3 of 3 predictions" in lesson.notebook.cell(RECAP).inner_text()
    assert {(SHOWN, "image"), (RECAP, "image")} <= lesson.notebook.pictures()
    lesson.question(1).get_by_role("button", name="nothing").dispatch_event("click")
    lesson.draw((0, 0), (10, 0))
    assert lesson.question(0).get_by_role("textbox").count() == 0
    lesson.notebook.run_python("")
    assert lesson.kept["layers"] == "curves" and lesson.kept["loss"][0][1] > 2
    assert lesson.notebook.errors() == []


def test_everything_can_be_done_with_the_keyboard(open_lesson):
    lesson = open_lesson()
    lesson.question(0).get_by_role("textbox").focus()
    lesson.page.keyboard.type("1,5x")
    lesson.press("Enter")
    lesson.says(0, "Write a number")
    lesson.press("Control+a")
    lesson.page.keyboard.type("1e6")
    lesson.press("Enter")
    lesson.says(0, "You: 1,000,000 ms.")
    lesson.question(1).get_by_role("button", name="curves").focus()
    lesson.press("3")
    lesson.says(1, "You: more classes.")
    assert lesson.focused == "curves"
    lesson.press("Tab", "Enter")
    lesson.says(1, "You: nothing.")
    lesson.question(2).get_by_role("slider").first.focus()
    lesson.press("End", "ArrowRight", "ArrowUp", "ArrowDown", "Shift+ArrowUp", "ArrowRight")
    assert lesson.focused == "loss at epoch 4"
    lesson.press("ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "Home", "Enter")
    lesson.says(2, "You: from 2.5 at epoch 0 to 0 at epoch 10.")
    assert near(lesson.kept["loss"], [(0, 2.5), (2, 1.275), (4, 1.25), (9, 0.625), (10, 0)])
    types = [cell["cell_type"] for cell in lesson.notebook.cells]
    assert types == ["code"] * len(CELLS), "a key has changed a cell"


def test_a_question_is_skipped_with_a_key_and_answered_after_all(open_lesson):
    lesson = open_lesson()
    for index, role in enumerate(["textbox", "button", "slider"]):
        lesson.question(index).get_by_role(role).first.focus()
        lesson.press("Escape")
        lesson.says(index, "Skipped.")
    assert lesson.kept == {"blas": None, "layers": None, "loss": None}
    lesson.notebook.run_cell(SHOWN)
    assert "It was: 0.31 ms." in lesson.notebook.cell(SHOWN).inner_text()
    field = lesson.question(0).get_by_role("textbox")
    field.fill("0.3")
    field.press("Enter")
    lesson.notebook.cell(SHOWN).get_by_text("You: 0.3 ms. It was: 0.31 ms (close).").wait_for()
    lesson.says(0, "You: 0.3 ms.")
    assert lesson.focused == "You: 0.3 ms."


def test_a_finger_draws(open_lesson):
    lesson = open_lesson(has_touch=True)
    session = lesson.page.context.new_cdp_session(lesson.page)
    points = lesson.places(*[(x, 2.5 - x / 5) for x in range(11)])
    for number, (x, y) in enumerate(points):
        kind = "touchMove" if number else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    lesson.says(2, "You: from 2.5 at epoch 0 to 0.5 at epoch 10.")


@pytest.mark.parametrize("theme", THEMES)
def test_no_rule_of_wcag_is_broken(theme, open_lesson, axe, tmp_path):
    lesson = open_lesson(theme=theme, viewport={"width": 1100, "height": 2000})
    lesson.page.add_script_tag(path=axe)

    def judge():
        for index, least in enumerate([3, 4, 3]):
            assert_accessible(lesson.question(index), least)

    judge()
    lesson.answer_all()
    judge()
    lesson.question(2).get_by_role("slider").first.focus()
    lesson.press("ArrowRight")
    judge()
    lesson.notebook.run_cell(SHOWN)
    for index, least in enumerate([2, 2, 3]):  # what is disabled is not judged
        assert_accessible(lesson.question(index), least)
