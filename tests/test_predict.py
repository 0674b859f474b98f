"""Predictions without a browser: messages arrive as the page would send them."""

import json

import numpy as np
import pytest

from course import plots
from course.widgets import predict as module
from course.widgets.predict import PredictionError, Predictions
from course.widgets.questions import AnswerError, Choice, Curve, Number, make

CURVE = {"curve": ("epoch", "loss"), "x": (0, 10), "y": (0, 2.5)}
CHOICES = {"choices": ["curves", "nothing", "more classes"]}


@pytest.fixture
def lesson(tmp_path):
    """Function: the lesson in a kernel that has just started -> (predictions, questions)."""

    def lesson():
        predict = Predictions("02-mlp", tmp_path)
        return predict, [
            predict("blas", "How <long>?", unit="ms"),
            predict("layers", "What can two layers compute?", **CHOICES),
            predict("loss", "How will the loss fall?", **CURVE),
        ]

    return lesson


@pytest.fixture
def shown(monkeypatch):
    """What was displayed, and what has taken its place since."""
    shown = []

    class Handle:
        def __init__(self):
            self.index = len(shown)

        def update(self, thing):
            shown[self.index] = thing

    def display(thing, display_id=None):
        handle = Handle()
        shown.append(thing)
        return handle

    monkeypatch.setattr(module, "display", display)
    return shown


def page_sends(question, answer):
    question._handle_custom_msg({"answer": answer, "request": question.answered + 1}, [])


def kept(predict):
    return {
        name: (entry["answer"], entry.get("was"))
        for name, entry in json.loads(predict.progress.path.read_text())["predictions"].items()
    }


# ---- What can be asked ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unit, typed, value",
    [
        ("ms", "600", 600),
        ("ms", " 600 ms ", 600),
        ("", "1e6", 1e6),
        ("", "1,000", 1000),
        ("", "-1 234 567.5", -1234567.5),
        ("", "1'000", 1000),
        ("", ".5", 0.5),
        ("", "\N{MINUS SIGN}3", -3),
        ("%", "5%", 5),
        ("%", "94.2 %", 94.2),
    ],
)
def test_numbers_are_read_as_they_are_typed(unit, typed, value):
    assert Number(unit).read(typed) == value


@pytest.mark.parametrize(
    "typed, advice",
    [
        ("", "such as 60000, 1,000, 0.5 or 1e6"),
        ("many", "such as 60000"),
        ("5%", "such as 60000"),
        ("nan", "such as 60000"),
        ("1e999", "such as 60000"),
        ("0,5", "with a point: 0.5"),
        ("1,000,00", "with a point: 0.5"),
    ],
)
def test_what_is_no_number_is_answered_with_one(typed, advice):
    with pytest.raises(AnswerError, match=f"^Write a number {advice}"):
        Number().read(typed)


@pytest.mark.parametrize(
    "unit, answer, result, words, comment",
    [
        ("ms", 600, 0.31, "0.31 ms", "your guess is 1,900 times as much"),
        ("ms", 0.1, np.float32(0.31), "0.31 ms", "3.1 times as much"),
        ("ms", 0.3, 0.31, "0.31 ms", "close"),
        ("", 407050, np.array(407050), "407,050", "exactly"),
        ("", 1e-6, 1e-12, "1e-12", "your guess is 1,000,000 times as much"),
        ("", 0, 246, "246", ""),
        ("", 3, -3, "-3", ""),
        ("", 1, np.nan, "nan", ""),
        ("", 1, 12345.6, "12,346", "12,000 times as much"),
        ("%", 50, 94.23, "94.2 %", "44 points too low"),
        ("%", 99, 94.23, "94.2 %", "4.8 points too high"),
        ("%", 94, 94.23, "94.2 %", "close"),
    ],
)
def test_numbers_are_said_and_compared(unit, answer, result, words, comment):
    kind = Number(unit)
    result = kind.kept(result)
    assert (kind.words(result), kind.comment(answer, result)) == (words, comment)


@pytest.mark.parametrize(
    "answer, result, near",
    [(1, 2, True), (4, 2, True), (4.1, 2, False), (0.9, 2, False), (0, 0, True), (0, 1, False)],
)
def test_near_is_within_a_factor_of_two(answer, result, near):
    assert Number().is_near(answer, result) == near


def test_a_sketch_is_brought_into_the_axes_and_into_order():
    kind = make(**CURVE)
    assert kind.read([[10, -1], [0, 3], [5, 1]]) == [[0, 2.5], [5, 1], [10, 0]]
    assert kind.words([[0, 2.3], [10, 0.125]]) == "from 2.3 at epoch 0 to 0.12 at epoch 10"


@pytest.mark.parametrize("points", [[], [[1, 1]], "x", [[1, 2], [3]], [[0, 0]] * 501, [[0, None]]])
def test_what_is_no_sketch_is_refused(points):
    with pytest.raises(AnswerError, match="Draw a line"):
        make(**CURVE).read(points)


@pytest.mark.parametrize(
    "kind, result",
    [
        (Number(), "many"),
        (Number(), True),
        (Number(), np.zeros(2)),
        (Choice(("a", "b")), "c"),
        (Curve(("x", "y"), (0, 1), (0, 1)), ([1, 2], [1])),
        (Curve(("x", "y"), (0, 1), (0, 1)), 5),
    ],
)
def test_a_result_of_another_kind_is_refused(kind, result):
    with pytest.raises(AnswerError, match="It was to be"):
        kind.kept(result)


def test_a_curve_needs_its_axes():
    with pytest.raises(AnswerError, match="needs its axes"):
        make(curve=("epoch", "loss"))


# ---- Answers, results and the recap --------------------------------------------------------------


def test_what_is_answered_is_shown_beside_the_result_and_stays(lesson, shown):
    predict, questions = lesson()
    for question, answer in zip(questions, ["600", 0, [[0, 2.3], [10, 0.1]]], strict=True):
        page_sends(question, answer)
        assert (question.state, question.error, question.note) == ("answered", "", "")
    assert [question.words for question in questions] == [
        "You: 600 ms.",
        "You: curves.",
        "You: from 2.3 at epoch 0 to 0.1 at epoch 10.",
    ]
    page_sends(questions[0], "500")
    predict.was("blas", 0.31)
    predict.was("layers", "nothing")
    predict.was("loss", (np.array([0, 5, 10]), np.array([2.3, 0.5, 0.2])))
    predict.recap()
    assert [repr(thing) for thing in shown] == [
        "You: 500 ms. It was: 0.31 ms (your guess is 1,600 times as much).",
        "You: curves. It was: nothing (wrong).",
        "<Figure size 480x300 with 1 Axes>",
        "You answered 3 of 3 predictions; 0 of 1 numbers were within a factor of two; 0 of 1 "
        "choices were right.",
        repr(shown[4]),
    ]
    page_sends(questions[0], "0.31")
    assert questions[0].state == "compared" and kept(predict)["blas"] == (500, 0.31)
    again, questions = lesson()
    assert [question.state for question in questions] == ["compared"] * 3
    assert questions[0].answer == 500 and kept(again) == kept(predict)
    again.recap()
    assert repr(shown[5]) == repr(shown[3])


def test_without_answers_every_output_is_the_same_for_everybody(lesson, shown, tmp_path):
    predict, questions = lesson()
    predict.was("blas", 0.31)
    predict.was("loss", ([0, 10], [2, 1]))
    predict.recap()
    assert [repr(thing) for thing in shown] == [
        "It was: 0.31 ms.",
        "<Figure size 480x300 with 1 Axes>",
        "None of this lesson's predictions was answered, so there is nothing to compare.",
    ]
    assert shown[0]._repr_html_() == "<p>It was: 0.31 ms.</p>"
    (kept,) = tmp_path.glob("*.json")
    assert list(json.loads(kept.read_text())) == ["lesson"]  # only that it was begun
    data, _ = questions[0]._repr_mimebundle_()
    assert data["text/plain"] == repr(questions[0]) == "Predict: How <long>? (in ms)"
    assert data["text/html"] == "<p><b>Predict:</b> How &lt;long&gt;? (in ms)</p>"
    assert "application/vnd.jupyter.widget-view+json" in data
    assert [repr(question) for question in questions[1:]] == [
        "Predict: What can two layers compute? (curves / nothing / more classes)",
        "Predict: How will the loss fall? (sketch loss over epoch, 0 to 10)",
    ]
    assert repr(predict) == "Predictions('02-mlp': blas, layers, loss)"


def test_an_answer_that_comes_after_the_result_joins_it(lesson, shown):
    predict, (number, *_, curve) = lesson()
    predict.was("blas", 0.31)
    predict.was("loss", ([0, 10], [2, 1]))
    alone = shown[1]
    page_sends(number, "0.3")
    page_sends(curve, [[0, 1], [10, 2]])
    assert repr(shown[0]) == "You: 0.3 ms. It was: 0.31 ms (close)."
    assert [len(figure.axes[0].lines) for figure in (alone, shown[1])] == [1, 2]
    assert kept(predict)["blas"] == (0.3, 0.31)


def test_a_question_that_was_skipped_can_be_answered_after_all(lesson, shown):
    predict, _ = lesson()
    page_sends(predict.asked["blas"], None)
    predict, (number, *_) = lesson()
    assert (number.state, number.words) == ("skipped", "Skipped.")
    predict.was("blas", 0.31)
    assert repr(shown[0]) == "It was: 0.31 ms."
    page_sends(number, "1")
    assert (number.state, number.words) == ("compared", "You: 1 ms.")


@pytest.mark.parametrize(
    "index, good, bad",
    [(0, "2", "many"), (0, "2", {"a": 1}), (1, 0, 3), (1, 0, -1), (1, 0, "x"), (1, 0, [0])],
)
def test_an_answer_that_cannot_be_read_leaves_the_one_before(lesson, index, good, bad):
    predict, questions = lesson()
    question = questions[index]
    page_sends(question, good)
    before = kept(predict)
    page_sends(question, bad)
    assert (question.state, question.answered, kept(predict)) == ("answered", 2, before)
    assert question.error.startswith(("Write a number", "Choose one of the 3"))
    page_sends(question, good)
    assert question.error == ""


def test_what_goes_wrong_unforeseen_is_told(lesson, monkeypatch):
    _, (number, *_) = lesson()
    monkeypatch.setattr(number, "_keep", lambda: 1 / 0)
    page_sends(number, "1")
    assert number.error == "ZeroDivisionError: division by zero" and number.answered == 1


def test_an_answer_to_an_earlier_question_of_that_name_is_forgotten(lesson):
    predict, (number, *_) = lesson()
    page_sends(number, "600")
    predict = Predictions("02-mlp", predict.progress.path.parent)
    assert predict("blas", "Which?", **CHOICES).state == "open"
    assert predict("blas", "How?", **CURVE).state == "open"
    assert predict("blas", "How much?").answer == 600


def test_a_damaged_file_and_a_folder_that_cannot_be_written_are_told(lesson, tmp_path):
    predict, questions = lesson()
    predict.progress.path.write_text("{")
    predict, questions = lesson()
    assert [bool(question.note) for question in questions] == [True, False, False]
    assert "set aside as 02-mlp.json.damaged-1" in questions[0].note
    (tmp_path / "file").write_text("")
    number = Predictions("02-mlp", tmp_path / "file")("blas", "How long?")
    page_sends(number, "1")
    assert number.answer == 1 and "kept until the kernel ends" in number.note


def test_a_result_of_what_was_not_asked_is_refused(lesson):
    with pytest.raises(PredictionError, match="'bias': run the cell that asks it first"):
        lesson()[0].was("bias", 1)


# ---- The figures ---------------------------------------------------------------------------------


def test_the_recap_marks_each_number_at_its_factor():
    rows = [("a", "1", "2", 0.5), ("b", "1", "1e12", 1e-12), ("$c$", "0", "1", None)]
    figure = plots.predictions(rows, [("d", "x", "x"), ("e", "x", "y")])
    numbers, choices = figure.axes
    marks = [line for line in numbers.lines if line.get_marker() in "oD"]
    assert [(m.get_marker(), m.get_xdata()[0], m.get_ydata()[0]) for m in marks] == [
        ("o", 0.5, 0),
        ("D", 1e-6, 1),  # at the edge
    ]
    assert [tick.get_text() for tick in numbers.get_yticklabels()] == ["a", "b", r"\$c\$"]
    words = [text.get_text() for text in choices.texts]
    assert words == ["right", "wrong", "You: x\nIt was: x", "You: x\nIt was: y"]
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_a_sketch_never_leaves_its_result_outside():
    (ax,) = plots.sketch([(0, 1), (2, 3)], [(0, 1), (4, 9)], "x", "y", (0, 3), (0, 5)).axes
    assert ax.get_xlim()[1] >= 4 and ax.get_ylim()[1] >= 9 and ax.get_ylim()[0] <= 0
    assert [text.get_text() for text in ax.get_legend().texts] == ["you", "it was"]
