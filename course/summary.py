"""What a learner has done in all lessons, from what `course.progress` keeps.

A lesson is begun as soon as anything of it is kept, if only that its first question was asked. It
is finished when its last cell has been run and each of its exercises is passed, or its solution was
revealed. Exercises without a check, and predictions, are left to the learner.
"""

import functools
import importlib
import pkgutil
import re
from dataclasses import dataclass
from pathlib import Path

from course import exercises, places
from course.progress import END, LESSON, Progress, directory, is_name
from course.widgets import questions

NOTEBOOKS = places.CLONE / "notebooks"
PASSED, WRONG, REVEALED, NOT_ATTEMPTED = "passed", "wrong", "revealed", "not attempted"
NOT_BEGUN, BEGUN, FINISHED = "not begun", "begun", "finished"
HEADER = ("lesson", "state", "exercises", "predictions")
LEGEND = (
    "Finished: its last cell was run, and each exercise is passed or its solution revealed. "
    "Near: a number within a factor of two, or the right choice."
)


@dataclass(frozen=True)
class Summary:
    """What was done in one lesson.

    `exercises` maps the name of each function to PASSED, WRONG, REVEALED or NOT_ATTEMPTED; `made`
    is how many predictions were answered, and `tally` what came of those whose result was shown.
    `moments` are the times of progress.BEGUN and END, as text. `problem` says what is wrong with
    the file, "" if nothing is.
    """

    lesson: str
    is_begun: bool
    moments: dict
    exercises: dict
    made: int
    tally: questions.Tally
    problem: str

    @property
    def state(self):
        """NOT_BEGUN, BEGUN or FINISHED."""
        if not self.is_begun:
            return NOT_BEGUN
        is_done = {PASSED, REVEALED}.issuperset(self.exercises.values())
        return FINISHED if is_done and END in self.moments else BEGUN

    def count(self, status):
        """How many exercises have this status."""
        return list(self.exercises.values()).count(status)

    @property
    def row(self):
        """It in words, as long as HEADER."""
        return self.lesson, self.state, self._exercises_in_words(), self._predictions_in_words()

    def _exercises_in_words(self):
        if not self.exercises:
            return "none"
        others = [f"{self.count(s)} {s}" for s in (WRONG, REVEALED) if self.count(s)]
        return ", ".join([f"{self.count(PASSED)} of {len(self.exercises)} passed", *others])

    def _predictions_in_words(self):
        if not self.made:
            return "none made"
        near, judged = self.tally.near + self.tally.right, self.tally.numbers + self.tally.choices
        return f"{self.made} made" + (f", {near} of {judged} near" if judged else "")


@functools.cache
def exercises_of_lessons():
    """The names of the functions that each lesson asks for: lesson -> names, in the course's order.

    They are those of all exercises in the modules of `course.exercises`.
    """
    found = {}
    for module in pkgutil.iter_modules(exercises.__path__, "course.exercises."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, exercises.Exercise):
                found.setdefault(value.lesson, {})[value.solution.__name__] = None
    return {lesson: list(found[lesson]) for lesson in sorted(found)}


def summarize(lesson, folder=None):
    """The Summary of a lesson; `folder` is where its file is, see `progress.directory`.

    Raises:
        ProgressError: `lesson` is no name of a file.
    """
    progress = Progress(lesson, folder)
    kept = progress.sections(set_aside=False)  # whoever only looks changes nothing
    checked, predictions = kept.get("exercises", {}), kept.get("predictions", {}).values()
    answered = [entry for entry in predictions if entry.get("answer") is not None]
    return Summary(
        lesson=lesson,
        is_begun=any(kept.values()),
        moments={name: str(entry.get("at", "")) for name, entry in kept.get(LESSON, {}).items()},
        exercises={
            name: _status(checked.get(name, {})) for name in exercises_of_lessons().get(lesson, [])
        },
        made=len(answered),
        tally=questions.tally([(e["answer"], e["was"]) for e in answered if "was" in e]),
        problem=progress.problem,
    )


def summarize_all(folder=None, also=None):
    """The Summary of each lesson, in order.

    Lessons are the course's notebooks, what has exercises, what has a file, and `also`.
    """
    folder = directory() if folder is None else folder
    found = {*_lessons(NOTEBOOKS, ".ipynb"), *exercises_of_lessons(), *_lessons(folder, ".json")}
    return [summarize(lesson, folder) for lesson in sorted(found | ({also} if also else set()))]


def following(summaries, lesson):
    """Where to go on after a lesson: (the next one, more of the same lesson).

    The next is the first main lesson after it that is not finished, or else the first before it,
    or else None. More of lesson 02 are 02b and its like, if they come after it.
    """
    main = [s for s in summaries if s.state != FINISHED and re.match(r"\d+-", s.lesson)]
    later = [s.lesson for s in main if s.lesson > lesson]
    earlier = [s.lesson for s in main if s.lesson < lesson]
    more = re.compile(re.match(r"\d*", lesson)[0] + "[a-z]-")
    return (
        next(iter(later + earlier), None),
        [s.lesson for s in summaries if more.match(s.lesson) and s.lesson > lesson],
    )


def problem(summaries):
    """What is wrong with the files, in a sentence or two; "" if nothing is."""
    first, *others = [summary.problem for summary in summaries if summary.problem] or [""]
    if not others:
        return first
    count = "1 other file has" if len(others) == 1 else f"{len(others)} other files have"
    return f"{first} {count} a problem, too."


def networks():
    """The networks on the shelf, a `course.models.shelf.Record` each."""
    from course.models import shelf  # here, because Numba takes long to import

    try:
        return shelf.saved()
    except OSError:  # lesson 06b, which is about them, tells why
        return []


def table(summaries):
    """Lines of text: HEADER, and a row for each lesson."""
    rows = [HEADER, *(summary.row for summary in summaries)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _status(entry):
    status = entry.get("status")
    return status if status in (PASSED, WRONG, REVEALED) else NOT_ATTEMPTED


def _lessons(folder, ending):
    """The names of a folder's files that can be those of lessons."""
    try:
        return [path.stem for path in Path(folder).glob(f"*{ending}") if is_name(path.stem)]
    except OSError:  # reading a lesson tells why
        return []
