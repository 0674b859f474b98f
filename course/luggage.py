"""All that a learner has made, in one zip: to take along to another machine, and to bring back.

That is what was done in the lessons, the drawings that were collected, the saved networks, the logs
of trainings, and the lessons that were changed. In a browser it is the only copy outside of it.

A zip may come from anybody. It is read as a whole before anything is written, and refused if it has
a name that is no learner's, a link, or more than MOST_BYTES. What it would replace is kept beside.
"""

import io
import itertools
import os
import re
import shutil
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from course import copies, mnist, places, progress, records
from course.environment import HERE
from course.models import shelf
from course.nn.errors import CourseError
from course.nn.files import open_regular, replacing

MOST_BYTES = 200_000_000  # of all files together
MOST_FILES = 2_000
LONGEST = 150  # characters of a name
COMPRESSED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError)
TOO_LARGE = f"The zip holds more than {MOST_BYTES // 10**6} MB or {MOST_FILES} files: too much"
ENTRY = b"PK\1\2"  # what each entry of a zip's list of contents begins with


class LuggageError(CourseError, ValueError):
    """A zip that holds anything but a learner's work, is damaged or too large; says which."""


def lessons_folder():
    """The folder of the learner's notebooks: in a browser those lie beside the one that runs.

    Elsewhere it is $COURSE_LESSONS_DIR, or where `places.own` says.
    """
    return Path.cwd() if HERE.browser else places.own("lessons", "COURSE_LESSONS_DIR")


@dataclass(frozen=True)
class Kind:
    """One kind of what a learner makes."""

    prefix: str  # the folder of the zip that they are in
    titles: tuple  # what one of them is called, and what several are
    pattern: str  # a regular expression of their names there
    folder: Callable  # gives the folder of the learner that they are in


KINDS = {
    kind.prefix: kind
    for kind in (
        Kind(
            "progress",
            ("record of a lesson", "records of lessons"),
            r"\w[\w.-]*\.json",
            progress.directory,
        ),
        Kind(
            "models",
            ("saved network", "saved networks"),
            r"\w[\w .-]*\.safetensors",
            shelf.directory,
        ),
        Kind(
            "logs",
            ("log of a training", "logs of trainings"),
            r"training_loss_[\w.-]+\.txt",
            records.own_logs_folder,
        ),
        Kind("lessons", ("notebook", "notebooks"), r"\w[\w .()-]*\.ipynb", lessons_folder),
        Kind(
            "drawings",
            ("collection of drawings", "collections of drawings"),
            r"mine(-[\w-]+)?/(my-(images-idx3|labels-idx1|halves-idx1)-ubyte|classes\.txt)",
            mnist.drawings_directory,
        ),
    )
}


@dataclass
class Unpacked:
    """What became of a zip's content: names in the zip, and the paths of what was kept beside."""

    new: list = field(default_factory=list)
    same: list = field(default_factory=list)  # as it was there already
    kept: list = field(default_factory=list)

    def __str__(self):
        lines = [f"Brought back: {in_words(self.new)}."] if self.new else []
        if self.same:
            lines.append(f"There already: {in_words(self.same)}.")
        if self.kept:
            names = ", ".join(path.name for path in self.kept)
            lines.append(f"What was there instead is kept beside, as {names}.")
        if any(name.startswith("lessons/") for name in self.new):
            lines.append("Where one of them is open, choose File > Reload Notebook from Disk.")
        return "\n".join(lines)


# ---- Packing -------------------------------------------------------------------------------------


def pack(path):
    """Write all that the learner has made into a zip at `path`; returns the names in it.

    Raises LuggageError where there is nothing, or too much; and OSError.
    """
    content, names = packed()
    with replacing(path) as file:
        file.write(content)
    return names


def packed():
    """The content of that zip, bytes, and the names in it. Raises LuggageError and OSError."""
    found = dict(what_there_is())
    if not found:
        raise LuggageError("There is nothing to take along yet: nothing was done, drawn or saved")
    size = sum(path.stat().st_size for path in found.values())
    if size > MOST_BYTES or len(found) > MOST_FILES:
        raise LuggageError(
            f"{size / 1e6:,.0f} MB in {len(found)} files are too much for one zip: remove some of "
            f"the networks in {shelf.directory()}"
        )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for name, path in found.items():
            with open_regular(path) as file:
                archive.writestr(name, file.read())
    return content.getvalue(), list(found)


def what_there_is():
    """Pairs of the name in a zip and the path, of every file that the learner has made."""
    for kind in KINDS.values():
        folder = kind.folder()
        for path in sorted([*folder.glob("*"), *folder.glob("mine*/*")]):
            name = f"{kind.prefix}/{path.relative_to(folder).as_posix()}"
            if is_name(name) and path.is_file() and is_own(kind, path):
                yield name, path


def is_name(name):
    """Whether a file of a learner's can have this name in a zip."""
    prefix, _, rest = name.partition("/")
    return (
        prefix in KINDS and len(name) <= LONGEST and bool(re.fullmatch(KINDS[prefix].pattern, rest))
    )


def is_own(kind, path):
    """Whether the learner has made a file: a lesson that was laid and not changed is none."""
    return kind.prefix != "lessons" or copies.is_changed(path)


def unit_of(name):
    """What a file is part of, which is replaced as a whole: a collection, or the file alone."""
    prefix, unit, *_ = name.split("/")
    return prefix, unit


def in_words(names):
    """How many things of each kind these files are: "1 notebook, 2 saved networks"."""
    counts = Counter(prefix for prefix, _ in dict.fromkeys(map(unit_of, names)))
    return ", ".join(f"{n} {KINDS[prefix].titles[n > 1]}" for prefix, n in counts.items())


# ---- Unpacking -----------------------------------------------------------------------------------


def unpack(path):
    """Bring back what is in the zip at `path`; returns what became of it, an Unpacked.

    Raises LuggageError, and then nothing was written; and OSError.
    """
    with open_regular(path) as file:
        return unpacked(file.read(MOST_BYTES + 1))


def unpacked(content):
    """As `unpack`, of the bytes of a zip."""
    files, found = checked(content), Unpacked()
    for unit, names in itertools.groupby(sorted(files, key=unit_of), unit_of):
        names = list(names)
        folder = KINDS[unit[0]].folder()
        parts = {name.partition("/")[2]: files[name] for name in names}
        if all(has(folder / part, parts[part]) for part in parts):
            found.same += names
            continue
        found.kept += put(folder, unit[1], parts)
        found.new += names
    return found


def checked(content):
    """The files in a zip, name to bytes. Raises LuggageError for what is no learner's work."""
    if len(content) > MOST_BYTES or content.count(ENTRY) > MOST_FILES:
        raise LuggageError(TOO_LARGE)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            for entry in entries:
                check_entry(entry)
            names = {entry.filename.casefold() for entry in entries}
            if len(names) < len(entries):
                raise LuggageError("A name is in the zip twice: nothing was unpacked")
            if sum(entry.file_size for entry in entries) > MOST_BYTES:
                raise LuggageError(TOO_LARGE)
            files = {entry.filename: archive.read(entry) for entry in entries}
    except LuggageError:
        raise
    except DAMAGE as error:
        raise LuggageError(f"This is no zip, or a damaged one ({error})") from None
    if not files:
        raise LuggageError("There is nothing of a learner's in this zip")
    return files


def check_entry(entry):
    """Raise LuggageError for an entry of a zip that `packed` has not made."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    is_plain = kind in (0, stat.S_IFREG) and not entry.flag_bits & 1  # a secret one
    if not (is_plain and is_name(entry.filename) and entry.compress_type in COMPRESSED):
        raise LuggageError(
            f"The zip has {entry.filename!a:.80}, which is nothing that a learner makes in this "
            "course: nothing was unpacked"
        )


def has(path, content):
    """Whether there is a file with this content."""
    try:
        with open_regular(path) as file:
            return file.read(len(content) + 1) == content
    except OSError:
        return False


def put(folder, unit, parts):
    """Write files (name below `folder` to bytes) that make up a unit, in place of what is there.

    Returns a list of where that is kept, if anything was there. If a file cannot be written, what
    was there is there again.
    """
    target = folder / unit
    kept = keep_beside(target) if os.path.lexists(target) else None
    try:
        for name, content in parts.items():
            with replacing(folder / name) as file:
                file.write(content)
    except BaseException:
        if target.is_dir():
            shutil.rmtree(target)
        if kept:
            os.replace(kept, target)
        raise
    return [kept] if kept else []


def keep_beside(path):
    """Give a file or a folder a name that nothing has; returns its new path.

    A notebook stays one, so that it can be opened. Others are to be found by nobody: a second
    record of a lesson would be a second lesson.
    """
    if path.suffix == ".ipynb" and path.is_file():
        return copies.set_aside(path)
    names = (path.with_name(f"{path.name}.kept-{number}") for number in itertools.count(1))
    kept = next(name for name in names if not os.path.lexists(name))
    os.replace(path, kept)
    return kept
