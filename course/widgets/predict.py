"""Predictions that count: a learner answers before the result is there, and sees it beside it.

    predict = Predictions("02-mlp")
    predict("blas", "How long does the product take on BLAS?", unit="ms")
    predict.was("blas", 0.31)
    predict.recap()

Answers are kept by `course.progress`, so that a restarted kernel still knows them.
"""

import html
from pathlib import Path

import anywidget
from IPython.display import display
from traitlets import Any, Dict, Int, Unicode

from course import plots
from course.nn.errors import CourseError
from course.progress import BEGUN, Progress
from course.widgets import questions
from course.widgets.without_kernel import WithoutKernel

HERE = Path(__file__).parent
PARTS = ("common.js", "sketch.js", "predict.js")
SECTION = "predictions"  # of a lesson's progress


class PredictionError(CourseError, LookupError):
    """A result of something that was not asked."""


class Predictions:
    """The predictions of one lesson.

    Args:
        lesson: the name of the notebook, "02-mlp".
        folder: where the answers are kept, see `course.progress.directory`.

    Raises:
        ProgressError: `lesson` is no name of a file.
    """

    def __init__(self, lesson, folder=None):
        self.progress = Progress(lesson, folder)
        self.asked = {}  # name -> Prediction, in the order of the lesson

    def __call__(self, name, question, unit="", choices=None, curve=None, x=None, y=None):
        """Ask for a number (in a unit), for one of several choices, or for a sketched curve.

        Args:
            name: of the prediction, for `was`.
            question: what the learner reads.
            unit: of the number, "ms"; with "%", 94 means 94 %.
            choices: a list of texts.
            curve: the names of the two axes, ("epoch", "loss"), which go from where to where
                `x` and `y` say, (0, 10).

        Returns:
            A `Prediction`, which a notebook shows as the last value of a cell.
        """
        kind = questions.make(unit, choices, curve, x, y)
        prediction = Prediction(name, question, kind, self.progress)
        if not self.asked:
            self.progress.mark(BEGUN)
        self.asked[name] = prediction
        return prediction

    def was(self, name, result):
        """Show the result beside the answer; from then on the answer stays as it is.

        Where there is no answer, the result is shown alone. If one is given later, it is shown
        then.

        Args:
            name: as it was asked.
            result: a number, one of the choices, or two arrays: x (n,), y (n,).

        Raises:
            PredictionError: nothing was asked under this name.
            AnswerError: `result` is of another kind than what was asked for.
        """
        if name not in self.asked:
            raise PredictionError(
                f"Nothing was asked under the name {name!r}: run the cell that asks it first."
            )
        self.asked[name].show(result)

    def recap(self):
        """Show how far off the answers were, in a sentence and a figure."""
        compared = [p for p in self.asked.values() if p.is_compared]
        display(Words(recap_sentence(compared, len(self.asked))))
        if compared:
            display(recap_figure(compared))

    def __repr__(self):
        return f"Predictions({self.progress.path.stem!r}: {', '.join(self.asked)})"


class Prediction(WithoutKernel, anywidget.AnyWidget):
    """One question with its answer; made by `Predictions`, not by a lesson."""

    _esm = "\n".join((HERE / name).read_text("utf-8") for name in PARTS)
    _css = HERE / "predict.css"

    question = Unicode().tag(sync=True)
    asks = Dict().tag(sync=True)  # see `questions`
    answer = Any(None, allow_none=True).tag(sync=True)
    state = Unicode("open").tag(sync=True)  # or "answered", "skipped", "compared"
    words = Unicode().tag(sync=True)  # what was answered, in words
    error = Unicode().tag(sync=True)  # why the page's last answer was not taken
    note = Unicode().tag(sync=True)  # what is wrong with keeping it
    answered = Int().tag(sync=True)  # number of the page's last message that was dealt with

    def __init__(self, name, question, kind, progress):
        self.name, self.kind, self.progress = name, kind, progress
        self.result = None  # in the form in which it is kept
        self._display = None  # of the result
        super().__init__(question=question, asks=kind.asks)
        self._recall()
        self.on_msg(self._on_message)

    @property
    def is_compared(self):
        """Whether there is an answer, and a result to compare it with."""
        return self.answer is not None and self.result is not None

    @property
    def texts(self):
        """The question, the answer and the result."""
        return self.question, self.kind.words(self.answer), self.kind.words(self.result)

    @property
    def curves(self):
        """What `plots.sketch` takes of a curve."""
        return self.answer, self.result, *self.kind.axes, self.kind.x, self.kind.y

    @property
    def sentence(self):
        """The answer, if any, and the result."""
        was = f"It was: {self.kind.words(self.result)}"
        if self.answer is None:
            return f"{was}."
        comment = self.kind.comment(self.answer, self.result)
        return f"You: {self.kind.words(self.answer)}. {was}{f' ({comment})' if comment else ''}."

    def show(self, result):
        """See `Predictions.was`."""
        self.result = self.kind.kept(result)
        self._display = display(self._outcome(), display_id=True)
        if self.answer is not None:
            self._keep()
        self._tell()

    def _outcome(self):
        """What is shown of the result: a sentence, or both curves."""
        if isinstance(self.kind, questions.Curve):
            return plots.sketch(*self.curves)
        return Words(self.sentence)

    def _recall(self):
        """Take up what was answered earlier, if it still fits the question."""
        entry = self.progress.entries(SECTION).get(self.name, {})
        self.note = self.progress.problem
        try:
            if entry.get("answer") is not None:
                self.answer = self.kind.recalled(entry["answer"])
                self.result = self.kind.recalled(entry["was"]) if "was" in entry else None
        except questions.AnswerError:  # the question has changed since
            self.answer, entry = None, {}
        self._tell(is_skipped="answer" in entry)

    def _keep(self):
        entry = {"question": self.question, "answer": self.answer}
        if self.is_compared:
            entry["was"] = self.result
        self.progress.keep(SECTION, self.name, entry)
        self.note = self.progress.problem

    def _tell(self, is_skipped=False):
        """Bring what the page shows up to date."""
        if self.answer is not None:
            self.state = "compared" if self.result is not None else "answered"
            self.words = f"You: {self.kind.words(self.answer)}."
        else:
            self.state, self.words = ("skipped", "Skipped.") if is_skipped else ("open", "")

    def _on_message(self, widget, content, buffers):
        with self.hold_sync():  # all of the answer in one message
            try:
                self._take(content)
                self.error = ""
            except questions.AnswerError as problem:
                self.error = str(problem)
            except Exception as problem:  # in a callback nobody else would hear of it
                self.error = f"{type(problem).__name__}: {problem}"
            finally:
                self.answered = content.get("request", self.answered)

    def _take(self, content):
        """Keep the answer that the page sends; none where it was skipped."""
        if self.is_compared:
            return  # another view was quicker
        is_skipped = content.get("answer") is None
        self.answer = None if is_skipped else self.kind.read(content["answer"])
        self._keep()
        self._tell(is_skipped)
        if self.is_compared and self._display:
            self._display.update(self._outcome())

    def __repr__(self):
        return f"Predict: {self.question}{self.kind.hint}"

    def _repr_mimebundle_(self, **options):
        """The live widget, and the question for where no kernel runs."""
        data, metadata = super()._repr_mimebundle_(**options)
        asked = f"<p><b>Predict:</b> {html.escape(f'{self.question}{self.kind.hint}')}</p>"
        return data | {"text/plain": repr(self), "text/html": asked}, metadata


class Words:
    """A sentence, as a notebook shows it."""

    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return self.text

    def _repr_html_(self):
        return f"<p>{html.escape(self.text)}</p>"


def recap_sentence(compared, count):
    """How many predictions were made, and how good they were."""
    if not compared:
        return "None of this lesson's predictions was answered, so there is nothing to compare."
    parts = [f"You answered {len(compared)} of {count} predictions"]
    found = questions.tally([(p.answer, p.result) for p in compared])
    if found.numbers:
        parts.append(f"{found.near} of {found.numbers} numbers were within a factor of two")
    if found.choices:
        parts.append(f"{found.right} of {found.choices} choices were right")
    return f"{'; '.join(parts)}."


def recap_figure(compared):
    """Numbers by the factor that they were off, choices, and curves; returns the Figure."""
    numbers, choices, curves = (
        of_kind(compared, kind) for kind in (questions.Number, questions.Choice, questions.Curve)
    )
    return plots.predictions(
        [(*p.texts, questions.off_by(p.answer, p.result)) for p in numbers],
        [p.texts for p in choices],
        [(p.question, *p.curves) for p in curves],
    )


def of_kind(predictions, kind):
    return [p for p in predictions if isinstance(p.kind, kind)]
