"""What a learner has done, kept in plain JSON: one file for each lesson, in the folder `progress/`.

    {"lesson": {"begun": {"at": "2026-11-24T09:30:00+01:00"}},
     "predictions": {"blas": {"question": "How long does it take?", "answer": 600.0, "was": 0.31}},
     "exercises": {"step": {"status": "passed"}}}

Whoever wants to begin a lesson anew removes its file. `course.summary` says what it amounts to.
"""

import contextlib
import datetime
import itertools
import json
import re
from pathlib import Path

from course import places
from course.nn.errors import CourseError
from course.nn.files import open_regular, replacing
from course.nn.locks import locked

LESSON = "lesson"  # the section of the two moments:
BEGUN, END = "begun", "end"  # its first question was asked, its last cell was run

PATIENCE = 10  # seconds to wait for another kernel that saves; that takes milliseconds


class ProgressError(CourseError, ValueError):
    """The name of a lesson that can be no name of a file, or a file that is damaged."""


def directory():
    """The folder of the files: $COURSE_PROGRESS_DIR, or where `places.own` says."""
    return places.own("progress", "COURSE_PROGRESS_DIR")


def is_name(lesson):
    """Whether a lesson can be called so, and its file."""
    return bool(re.fullmatch(r"\w[\w.-]*", lesson))


class Progress:
    """What is kept of one lesson: in each section, from a name to an entry, a dict for JSON.

    Every change is written at once, to what is in the file then: two kernels lose nothing. What
    cannot be written lives in memory, and is written along with the next change. A damaged file
    is set aside. `problem` is a sentence that says so, "" where all is well; no OSError is raised.

    Args:
        lesson: the name of its file, "02-mlp".
        folder: where the file is, or will be; by default `directory()`.

    Raises:
        ProgressError: `lesson` is no name of a file.
    """

    def __init__(self, lesson, folder=None):
        if not is_name(lesson):
            raise ProgressError(f'A lesson is named like its file, "02-mlp", and not {lesson!a}.')
        self.path = Path(folder or directory()) / f"{lesson}.json"
        self.problem = ""
        self._unsaved = {}  # section -> name -> entry

    def sections(self, set_aside=True):
        """All that is kept now, also in memory: section -> name -> entry.

        A damaged file stays where it is unless `set_aside`.
        """
        self.problem, kept = "", {}
        try:
            kept = self._read()
        except ProgressError as error:
            if set_aside:
                kept = self._repair()
            else:
                self.problem = f"Your {error}: it is set aside when its lesson runs."
        except OSError as error:
            self.problem = f"{self.path} cannot be read ({_reason(error)})."
        return _joined(kept, self._unsaved)

    def entries(self, section):
        """The entries of one section: name -> entry."""
        return self.sections().get(section, {})

    def keep(self, section, name, entry):
        """Keep `entry` in place of what was kept under this name."""
        self.change(section, name, lambda before: entry)

    def change(self, section, name, changed):
        """Keep `changed(before)`, where `before` is what was kept under this name, or None.

        Nobody else changes it meanwhile. `changed` may be called twice, and must not alter its
        argument.
        """
        try:
            with self._locked():
                kept = _joined(self._read_or_set_aside(), self._unsaved)
                entry = changed(kept.get(section, {}).get(name))
                kept = _joined(kept, {section: {name: entry}})
                with replacing(self.path) as file:
                    file.write(json.dumps(kept, indent=1, ensure_ascii=False).encode())
        except OSError as error:  # also of a lock that nobody lets go
            entry = changed(self.entries(section).get(name))
            self._unsaved = _joined(self._unsaved, {section: {name: entry}})
            self.problem = (
                f"This cannot be saved in {self.path.parent} ({_reason(error)}): "
                "it is kept until the kernel ends."
            )
        else:
            self._unsaved = {}

    def mark(self, moment):
        """Keep that a moment of the lesson, BEGUN or END, has come, and when it came first."""
        now = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        if moment not in self.sections(set_aside=False).get(LESSON, {}):
            self.change(LESSON, moment, lambda before: before or {"at": now})

    @contextlib.contextmanager
    def _locked(self):
        """Let nobody else change the file while the block runs."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with locked(self.path.parent / ".lock", PATIENCE):
            self.problem = ""
            yield

    def _read(self):
        """What is in the file. Raises ProgressError for a damaged one, and OSError."""
        try:
            with open_regular(self.path) as file:
                kept = json.loads(file.read())
        except FileNotFoundError:
            return {}
        except (ValueError, RecursionError) as error:
            raise ProgressError(f"{self.path.name} is damaged ({error})") from None
        sections = kept.values() if isinstance(kept, dict) else [None]
        entries = [
            section.values() if isinstance(section, dict) else [None] for section in sections
        ]
        if not all(isinstance(entry, dict) for entry in itertools.chain.from_iterable(entries)):
            raise ProgressError(f"{self.path.name} is damaged (it is not what the course writes)")
        return kept

    def _repair(self):
        """What is in the file once nobody else changes it, or nothing, and then say so."""
        try:
            with self._locked():
                return self._read_or_set_aside()
        except OSError as error:
            self.problem = f"{self.path} is damaged, and cannot be set aside ({_reason(error)})."
            return {}

    def _read_or_set_aside(self):
        """As `_read`, but a damaged file gets a name that no file has yet."""
        try:
            return self._read()
        except ProgressError as error:
            names = (
                self.path.with_name(f"{self.path.name}.damaged-{n}") for n in itertools.count(1)
            )
            aside = next(path for path in names if not path.exists())
            self.path.rename(aside)
            self.problem = f"Your {error}; it was set aside as {aside.name}."
            return {}


def _joined(kept, more):
    """Both, section by section; of two entries of one name that of `more`."""
    return {section: kept.get(section, {}) | more.get(section, {}) for section in kept | more}


def _reason(error):
    return error.strerror or str(error)
