"""Copies of the lessons that a learner works in: what was laid there, and what has become of it."""

import hashlib
import itertools
import json
import os
import time

from course.nn import files
from course.nn.errors import CourseError


class DamagedError(CourseError):
    """A file is no notebook, or not any more."""


def set_aside(path):
    """Give a file a name that says when, and that no other file has; returns its new path."""
    now = time.strftime("%Y-%m-%d-%H%M")
    for more in itertools.chain([""], (f"-{number}" for number in itertools.count(2))):
        kept = path.with_name(f"{path.stem}.{now}{more}{path.suffix}")
        try:
            kept.touch(exist_ok=False)  # from here on the name is taken
        except FileExistsError:
            continue
        os.replace(path, kept)
        return kept


def read(path):
    """Return a notebook, the fingerprint of its cells, and that of what was laid there (or None).

    Raises FileNotFoundError, NotADirectoryError and DamagedError.
    """
    try:
        with files.open_regular(path) as file:
            notebook = json.load(file)
        return notebook, fingerprint(notebook), notebook["metadata"].get("course", {}).get("laid")
    except (FileNotFoundError, NotADirectoryError):
        raise
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise DamagedError(f"{path} cannot be read as a notebook") from None


def fingerprint(notebook):
    """A hash of what is written in the cells.

    Outputs, counts and the format of the file change by themselves when a notebook is run or
    saved, and an empty cell appears when its last one is run.
    """
    cells = [(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]]
    written = [cell for cell in cells if cell[1].strip()]
    return hashlib.sha256(json.dumps(written).encode()).hexdigest()


def as_laid(notebook):
    """The bytes of a copy: no outputs, no counts, and the fingerprint of what was laid.

    That stands in the notebook itself, so that the two cannot part: not when the file is renamed
    or moved, and not when this program is killed.
    """
    nothing = {"execution_count": None, "outputs": []}
    cells = [c | nothing if c["cell_type"] == "code" else c for c in notebook["cells"]]
    metadata = notebook["metadata"] | {"course": {"laid": fingerprint(notebook)}}
    copy = notebook | {"cells": cells, "metadata": metadata}
    return (json.dumps(copy, indent=1, ensure_ascii=False) + "\n").encode()


def is_changed(path):
    """Whether there is anything in a copy that was not laid there; if nobody knows, there is."""
    try:
        _, found, laid = read(path)
    except DamagedError:
        return True
    return found != laid
