"""Lay copies of the lessons, without outputs, for you to work in.

A copy that you have not changed is renewed when the course has a newer lesson; one that you have
changed stays as it is, until you ask for a fresh one with --reset. Answers and passed exercises are
not in the copies, and stay as well.
"""

import os
import shlex
from collections import Counter
from pathlib import Path

from course.commands import CommandError, UsageError
from course.copies import DamagedError, as_laid, read, set_aside
from course.nn import files
from course.progress import Progress

ORIGINALS = Path(__file__).resolve().parents[2] / "notebooks"


def add_arguments(parser):
    parser.add_argument(
        "--reset", metavar="LESSON", help="lay one, such as 03, afresh; yours is kept beside it"
    )
    parser.add_argument(
        "--folder",
        metavar="DIR",
        help="where the copies are (default: $COURSE_LESSONS_DIR, or lessons, beside notebooks: "
        "there all links work)",
    )


def run(arguments):
    originals = find_originals()
    asked = arguments.folder or os.environ.get("COURSE_LESSONS_DIR")
    folder = Path(asked or ORIGINALS.parent / "lessons").expanduser()
    if os.path.realpath(folder) == os.path.realpath(ORIGINALS):
        raise UsageError(f"{folder} has the lessons themselves: the copies need another folder")
    if arguments.reset is not None:
        original = choose(originals, arguments.reset)
        print(reset(original, folder / original.name))
        done = Progress(original.stem).path
        if done.exists():
            print(f"What you have done in it is kept in {done}: remove that to begin it anew.")
        return
    states = {path.stem: lay(path, folder / path.name) for path in originals}
    counts = Counter(states.values())
    print(f"Your lessons are in {folder}:", ", ".join(f"{n} {s}" for s, n in counts.items()))
    for lesson, state in states.items():
        if state in ADVICE:
            print(f"{lesson} {ADVICE[state]}: {reset_command(lesson, arguments.folder)}")


def find_originals():
    """The paths of the course's notebooks, in their order."""
    if not (ORIGINALS / "00-start-here.ipynb").exists():
        raise CommandError(
            "the lessons do not come with the installed package: "
            "get the course's repository, install it from there and try again"
        )
    return sorted(ORIGINALS.glob("*.ipynb"))


def choose(originals, asked):
    """The lesson of that number ("03", "3") or name ("03-cnn", also as a path)."""
    name = Path(asked).name.removesuffix(".ipynb")
    for path in originals:
        if name and (path.stem == name or path.stem.startswith(f"{name.zfill(2)}-")):
            return path
    there = ", ".join(path.stem for path in originals)
    raise UsageError(f"there is no lesson {asked!r}; there are {there}")


# what becomes of a copy
NEW, RENEWED, SAME = "new", "renewed", "as the course has it"
CHANGED, OUTDATED, DAMAGED = "changed by you", "changed by you and outdated", "damaged"
ADVICE = {
    OUTDATED: "has your changes, so it stays, but the course has a newer one; to get that",
    DAMAGED: "is no notebook any more, and stays as it is; to get a fresh one",
}


def lay(original, copy):
    """Lay a copy, or renew it if nothing of the learner's is in it; returns what became of it."""
    notebook, newest, _ = read(original)
    state = RENEWED
    try:
        _, found, laid = read(copy)
        if found == newest:
            return SAME
        if found != laid:
            return CHANGED if laid == newest else OUTDATED
    except (FileNotFoundError, NotADirectoryError):  # of the latter, writing will tell
        state = NEW
    except DamagedError:
        return DAMAGED
    with files.replacing(copy) as file:
        file.write(as_laid(notebook))
    return state


def reset(original, copy):
    """Lay a copy afresh, and keep the one that was there beside it; returns what was done."""
    copy = Path(os.path.realpath(copy))  # of a link, the file that it leads to is kept
    content = as_laid(read(original)[0])
    kept = set_aside(copy) if copy.is_file() else None
    try:
        with files.replacing(copy) as file:
            file.write(content)
    except BaseException:  # such as a full disk
        if kept:
            os.replace(kept, copy)
        raise
    if not kept:
        return f"{copy} is fresh."
    return (
        f"{copy} is fresh. Yours is {kept.name}, beside it. "
        "Where it is open in JupyterLab, choose File > Reload Notebook from Disk."
    )


def reset_command(lesson, folder):
    """How to ask for a fresh copy of a lesson."""
    number = lesson.split("-")[0]
    command = f"python -m course lessons --reset {number}"
    if folder:
        return f"`{command} --folder {shlex.quote(folder)}`"
    return f"`make reset LESSON={number}` (or `{command}`)"
