"""What a learner has done in all lessons: counted, in words, on the command line, in the panel."""

import json
import re
from pathlib import Path

import pytest

from course import summary
from course.exercises import mlp
from course.models import shelf
from course.progress import Progress
from course.summary import BEGUN, FINISHED, NOT_BEGUN, exercises_of_lessons, following
from course.widgets import progress_panel
from course.widgets.progress_panel import ProgressPanel
from course.xor import XOR

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
ROW = r"02-mlp +begun +1 of 4 passed, 1 wrong, 1 revealed +4 made, 2 of 3 near"
LESSON = "02-mlp"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where everything is kept."""
    monkeypatch.setenv("COURSE_PROGRESS_DIR", str(tmp_path / "kept"))
    monkeypatch.setenv("COURSE_MODELS_DIR", str(tmp_path / "models"))
    return tmp_path / "kept"


@pytest.fixture
def half_done(folder):
    """Lesson 02 with one exercise in each state, and predictions of all kinds."""
    progress = Progress(LESSON)
    for name, status in {
        "step": "passed",
        "softmax_gradient": "wrong",
        "train_epoch": "revealed",
        "of_an_older_course": "passed",
    }.items():
        progress.keep("exercises", name, {"status": status})
    answers = {
        "near": {"answer": 3.0, "was": 4},
        "far": {"answer": 3.0, "was": 7},
        "right": {"answer": "x", "was": "x"},
        "no result yet": {"answer": 1.0},
        "skipped": {"answer": None},
    }
    for name, answer in answers.items():
        progress.keep("predictions", name, {"question": "?"} | answer)
    return progress


def finish(lesson):
    progress = Progress(lesson)
    for name in exercises_of_lessons()[lesson]:
        progress.keep("exercises", name, {"status": "passed"})
    progress.mark("end")


def page_asks(panel, **content):
    panel._handle_custom_msg(content, [])


# ---- What is counted -----------------------------------------------------------------------------


def test_every_lesson_has_its_exercises(folder, monkeypatch):
    found, names = exercises_of_lessons(), [path.stem for path in NOTEBOOKS]
    assert set(found) <= set(names) == {s.lesson for s in summary.summarize_all()}
    monkeypatch.setattr(summary, "NOTEBOOKS", folder)  # they do not come with the package
    assert [s.lesson for s in summary.summarize_all()] == list(found)
    assert found["02-mlp"] == ["step", "softmax_gradient", "dense_backward", "train_epoch"]


def test_a_lesson_of_which_nothing_is_kept_is_not_begun(folder):
    assert {s.state for s in summary.summarize_all()} == {NOT_BEGUN} and not folder.exists()


def test_one_question_asked_begins_a_lesson(folder):
    Progress(LESSON).mark("begun")
    assert summary.summarize(LESSON).state == BEGUN


def test_exercises_and_predictions_are_counted(half_done):
    found = summary.summarize(LESSON)
    assert found.exercises == {
        "step": "passed",
        "softmax_gradient": "wrong",
        "dense_backward": "not attempted",
        "train_epoch": "revealed",
    }
    assert (found.made, found.tally.numbers, found.tally.near) == (4, 2, 1)
    assert (found.tally.choices, found.tally.right, found.tally.curves) == (1, 1, 0)
    assert re.fullmatch(ROW, summary.table([found])[1])


@pytest.mark.parametrize(
    ("last", "ends", "state"),
    [
        ("passed", True, FINISHED),
        ("revealed", True, FINISHED),
        ("wrong", True, BEGUN),
        (None, True, BEGUN),
        ("passed", False, BEGUN),
        ("nonsense", True, BEGUN),
    ],
)
def test_a_lesson_is_finished_at_its_end_with_all_exercises_done(folder, last, ends, state):
    progress = Progress(LESSON)
    *others, one = exercises_of_lessons()[LESSON]
    for name in others:
        progress.keep("exercises", name, {"status": "passed"})
    if last:
        progress.keep("exercises", one, {"status": last})
    if ends:
        progress.mark("end")
    assert summary.summarize(LESSON).state == state


def test_what_checks_and_predictions_keep_is_what_is_counted(folder, capsys):
    mlp.STEP.check(lambda w, gradient, learning_rate: w - learning_rate * gradient)
    mlp.TRAIN_EPOCH.reveal()
    found = summary.summarize(LESSON)
    assert (found.count("passed"), found.count("revealed")) == (1, 1)


def test_a_lesson_of_ones_own_is_among_them(folder):
    Progress("11-mine").mark("begun")
    (folder / "no lesson.json").write_text("{}")
    *_, last = summary.summarize_all()
    assert last.row == ("11-mine", BEGUN, "none", "none made")


@pytest.mark.parametrize("entries", [{"a": {"answer": [1], "was": "b"}}, {"a": {"answer": True}}])
def test_what_was_edited_by_hand_is_no_error(folder, entries):
    folder.mkdir()
    kept = {"predictions": entries, "exercises": {"step": {"status": []}}, "lesson": {"end": {}}}
    (folder / "02-mlp.json").write_text(json.dumps(kept))
    found = summary.summarize(LESSON)
    assert (found.made, found.count("not attempted"), found.state) == (1, 4, BEGUN)


# ---- What is next --------------------------------------------------------------------------------


def test_next_is_the_first_main_lesson_that_is_not_finished(folder):
    def after(lesson):
        return following(summary.summarize_all(), lesson)

    assert after("00-start-here") == ("01-idx", [])
    assert after("02-mlp") == ("03-cnn", ["02b-inside-the-mlp"])
    assert after("02b-inside-the-mlp") == ("03-cnn", [])
    finish("03-cnn")
    assert after("02-mlp")[0] == "04-attention"
    mains = [lesson for lesson in exercises_of_lessons() if re.match(r"\d+-", lesson)]
    assert after(mains[-1])[0] == "00-start-here"
    for lesson in mains:
        finish(lesson)
    assert after(mains[0]) == (None, [])


# ---- The command ---------------------------------------------------------------------------------


def test_the_command_prints_a_row_for_each_lesson_and_json(half_done, course):
    code, (header, *rows), err = course("progress", "--json")
    assert (code, err, header.split()) == (0, "", list(summary.HEADER))
    assert [row for row in rows if re.fullmatch(ROW, row)]
    told = json.loads(rows[-1])
    assert told["folder"] == str(half_done.path.parent)
    assert [lesson["lesson"] for lesson in told["lessons"]] == [path.stem for path in NOTEBOOKS]
    found = told["lessons"][2]
    assert found["state"] == "begun" and found["exercises"]["step"] == "passed"
    assert found["predictions"] == {
        **{"made": 4, "numbers": 2, "near": 1, "choices": 1, "right": 1, "curves": 0}
    }
    assert (found["begun"], found["end"], found["problem"]) == (None, None, "")


def test_saved_networks_are_listed(folder, course):
    shelf.save("mine", XOR(seed=1), epochs=7)
    shelf.path("spoiled").write_text("")
    _, lines, _ = course("progress", "--json")
    at = lines.index("Saved networks:")
    assert lines[at + 1].startswith("  mine: xor, 17 parameters, 7 epochs")
    assert lines[at + 2].startswith("  spoiled: ")
    mine, spoiled = json.loads(lines[-1])["networks"]
    assert (mine["epochs"], mine["problem"]) == (7, "") and spoiled["problem"]
    panel = ProgressPanel()
    assert repr(panel).splitlines()[-2:] == [line.strip() for line in lines[at + 1 : at + 3]]
    assert "<li>mine: xor, 17 parameters, 7 epochs" in panel.html


def test_what_cannot_be_read_is_told_in_a_sentence(folder, course):
    folder.mkdir()
    (folder / "02-mlp.json").write_text("{")
    (folder / "05-xor.json").mkdir()
    code, lines, err = course("progress")
    assert (code, err) == (1, "")
    assert lines[-1].startswith("Your 02-mlp.json is damaged (")
    assert lines[-1].endswith(
        ": it is set aside when its lesson runs. 1 other file has a problem, too."
    )
    assert (folder / "02-mlp.json").read_text() == "{"


def test_a_folder_that_is_a_file_is_told_once(folder, course):
    folder.write_text("")
    code, lines, _ = course("progress")
    assert code == 1 and lines[-1].startswith(f"{folder / '00-start-here.json'} cannot be read (")


# ---- The panel -----------------------------------------------------------------------------------


def test_without_anything_done_the_panel_is_the_same_for_everybody(folder):
    for lesson in ("01-idx", "02-mlp"):
        Progress(lesson).mark("begun")  # as whatever asks the first question
    panel = ProgressPanel(LESSON)
    data, _ = panel._repr_mimebundle_()
    assert (
        data["text/plain"]
        == repr(panel)
        == (
            "02-mlp: begun. Exercises: 0 of 4 passed. Predictions: none made. "
            "More of this lesson: 02b-inside-the-mlp. Next: 03-cnn. All lessons: 00-start-here."
        )
    )
    assert data["text/html"] == panel.html and '<a href="03-cnn.ipynb">03-cnn</a>' in panel.html
    assert "application/vnd.jupyter.widget-view+json" in data


def test_the_panel_leads_to_each_lesson_once(folder):
    last = ProgressPanel("10b-pytorch")  # with nothing done the next one is the first
    assert repr(last).endswith("Next: 00-start-here.")


def test_the_panel_of_a_lesson_keeps_that_its_end_was_reached(folder):
    ProgressPanel()
    assert not folder.exists()
    ProgressPanel(LESSON)
    assert set(Progress(LESSON).entries("lesson")) == {"end"}


def test_the_panel_of_all_lessons_is_the_table(half_done):
    panel = ProgressPanel()
    *rows, networks = repr(panel).splitlines()
    assert rows == summary.table(summary.summarize_all()) and networks == "Saved networks: none."
    assert panel.html.count("<tr>") == 1 + len(NOTEBOOKS) == 1 + panel.html.count("<a href=")
    assert "<td>1 of 4 passed, 1 wrong, 1 revealed</td><td>4 made, 2 of 3 near</td>" in panel.html


def test_the_panel_is_brought_up_to_date(folder):
    panel = ProgressPanel(LESSON)
    finish(LESSON)
    page_asks(panel, request=3)
    assert "<b>02-mlp: finished.</b> Exercises: 4 of 4 passed." in panel.html
    page_asks(panel)
    assert panel.answered == 3


def test_where_nothing_can_be_kept_the_panel_says_so(folder):
    folder.write_text("")
    panel = ProgressPanel(LESSON)
    assert "cannot be saved" in panel.note and repr(panel).startswith("02-mlp: not begun.")
    folder.unlink()
    page_asks(panel)
    assert panel.note == "" and repr(panel).startswith("02-mlp: begun.")


def test_a_damaged_file_is_told(folder):
    folder.mkdir()
    for lesson in (LESSON, "05-xor"):
        (folder / f"{lesson}.json").write_text("{")
    panel = ProgressPanel(LESSON)
    assert panel.note.endswith("it was set aside as 02-mlp.json.damaged-1.")
    page_asks(panel)
    assert panel.note.startswith("Your 05-xor.json is damaged")


def test_what_goes_wrong_unforeseen_is_told(folder, monkeypatch):
    panel = ProgressPanel(LESSON)
    monkeypatch.setattr(progress_panel.summary, "summarize_all", lambda *a, **k: 1 / 0)
    page_asks(panel, request=1)
    assert (panel.note, panel.answered) == ("ZeroDivisionError: division by zero", 1)


def test_names_of_files_are_no_html(folder):
    folder.mkdir()
    Progress("11-mine").mark("begun")
    (folder / "<b>.json").write_text("{}")
    assert "<b>" not in ProgressPanel().html
