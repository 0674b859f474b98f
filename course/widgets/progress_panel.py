"""What the learner has done: in one lesson, at its end, or in all of them.

    ProgressPanel("02-mlp")
    ProgressPanel()

It is looked up anew whenever the panel comes into view, and by a button.
"""

from html import escape
from pathlib import Path

import anywidget
from traitlets import Int, Unicode

from course import summary
from course.progress import END, Progress
from course.widgets.without_kernel import WithoutKernel

HERE = Path(__file__).parent
NO_NETWORKS = "Saved networks: none."
PARTS = ("common.js", "progress_panel.js")


class ProgressPanel(WithoutKernel, anywidget.AnyWidget):
    """Shows what was done in a lesson and what comes next, or all lessons and saved networks.

    Shown for a lesson it stands in its last cell, and keeps that the learner has come so far.

    Args:
        lesson: the name of the notebook, "02-mlp"; all lessons if it is None.
        folder: where what was done is kept, see `course.progress.directory`.

    Raises:
        ProgressError: `lesson` is no name of a file.
    """

    _esm = "\n".join((HERE / name).read_text("utf-8") for name in PARTS)
    _css = HERE / "progress_panel.css"

    html = Unicode().tag(sync=True)
    note = Unicode().tag(sync=True)  # what is wrong with the files
    answered = Int().tag(sync=True)  # number of the page's last message that was dealt with

    def __init__(self, lesson=None, folder=None):
        self.lesson, self.folder = lesson, folder
        super().__init__()
        self.refresh()
        self.on_msg(self._on_message)

    def refresh(self):
        """Show what is kept now."""
        unsaved = "" if self.lesson is None else self._mark_end()
        self.summaries = summary.summarize_all(self.folder, also=self.lesson)
        self.networks = summary.networks() if self.lesson is None else []
        self.html = self._all() if self.lesson is None else self._one()
        self.note = unsaved or summary.problem(self.summaries)

    def _mark_end(self):
        """Keep that the lesson's last cell was run; returns what is wrong with that."""
        progress = Progress(self.lesson, self.folder)
        progress.mark(END)
        return progress.problem

    def _here(self):
        return next(s for s in self.summaries if s.lesson == self.lesson)

    def _one(self):
        """The HTML of one lesson."""
        here = self._here()
        lesson, state, checked, predictions = map(escape, here.row)
        items = "".join(
            f"<li><code>{escape(name)}</code>: {status}</li>"
            for name, status in here.exercises.items()
        )
        ways = " ".join(f"{way}: {', '.join(map(link, to))}." for way, to in self._ways())
        return (
            f"<p><b>{lesson}: {state}.</b> Exercises: {checked}. Predictions: {predictions}.</p>"
            f"<ul>{items}</ul><p>{ways}</p><p><small>{summary.LEGEND}</small></p>"
        )

    def _ways(self):
        """Pairs of words and lessons: where to go from here."""
        next_one, more = summary.following(self.summaries, self.lesson)
        first = self.summaries[0].lesson
        ways = [
            ("More of this lesson", more),
            ("Next", [next_one] if next_one else []),
            ("All lessons", [first] if first not in (self.lesson, next_one) else []),
        ]
        return [(words, lessons) for words, lessons in ways if lessons]

    def _all(self):
        """The HTML of all lessons."""
        head = "".join(f'<th scope="col">{name}</th>' for name in summary.HEADER)
        rows = "".join(
            f'<tr><th scope="row">{link(s.lesson)}</th>'
            + "".join(f"<td>{escape(text)}</td>" for text in s.row[1:])
            + "</tr>"
            for s in self.summaries
        )
        networks = "".join(f"<li>{escape(str(record))}</li>" for record in self.networks)
        saved = (
            f"<p>Saved networks:</p><ul>{networks}</ul>" if networks else f"<p>{NO_NETWORKS}</p>"
        )
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
            f"{saved}<p><small>{summary.LEGEND}</small></p>"
        )

    def _on_message(self, widget, content, buffers):
        with self.hold_sync():  # all of the answer in one message
            try:
                self.refresh()
            except Exception as problem:  # in a callback nobody else would hear of it
                self.note = f"{type(problem).__name__}: {problem}"
            finally:
                self.answered = content.get("request", self.answered)

    def __repr__(self):
        if self.lesson is None:
            saved = (
                ["Saved networks:", *map(str, self.networks)] if self.networks else [NO_NETWORKS]
            )
            return "\n".join([*summary.table(self.summaries), *saved])
        lesson, state, checked, predictions = self._here().row
        ways = "".join(f" {way}: {', '.join(to)}." for way, to in self._ways())
        return f"{lesson}: {state}. Exercises: {checked}. Predictions: {predictions}.{ways}"

    def _repr_mimebundle_(self, **options):
        """The live widget, and the same for where no kernel runs."""
        data, metadata = super()._repr_mimebundle_(**options)
        return data | {"text/plain": repr(self), "text/html": self.html}, metadata


def link(lesson):
    """A link to a notebook beside this one."""
    name = escape(lesson)
    return f'<a href="{name}.ipynb">{name}</a>'
