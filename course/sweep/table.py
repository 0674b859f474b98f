"""The file of a sweep: a line of CSV for each run, written as soon as the run is over.

    # command: python -m course sweep mlp --optimizer sgd adam --seeds 1-5 --out sweep.csv
    # samples: full MNIST, 60000 to learn from and 10000 to test, crc32 of the labels 5a2e9f10
    model,epochs,...,seed,outcome,epochs_done,val_accuracy,...,curve
    mlp,4,...,1,finished,4,0.9811,...,0.961 0.972 0.979 0.9811

`pandas.read_csv(path, comment="#")` reads it, and so does `read`. A line without its end is half of
one, because its writer was killed: it is told, and that run is done again.
"""

import contextlib
import csv
import io
import math
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from course.nn.locks import locked
from course.records import clip
from course.sweep import SweepError
from course.sweep.settings import FIELDS, recipe_of

FOUND = ("val_accuracy", "val_loss", "test_accuracy", "test_loss", "seconds")
COLUMNS = ("model", *FIELDS, "seed", "outcome", "epochs_done", *FOUND, "curve")
OUTCOMES = ("finished", "early", "diverged")
SAMPLES = "samples: "  # how the comment begins that says what was learned from


@dataclass
class Sweep:
    """The runs of a sweep, one entry a line in each column.

    `sweep["learning_rate"]` is that column, (runs,). Accuracies and losses of a run that diverged
    are NaN, and who had no patience set has inf.
    """

    columns: dict
    curves: np.ndarray  # (runs, epochs) accuracy on the held-out digits; NaN: no longer trained
    comments: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def __len__(self):
        return len(self.curves)

    def __getitem__(self, name):
        return self.columns[name]

    def __repr__(self):
        ends = ", ".join(
            f"{np.sum(self['outcome'] == end)} {end}" for end in OUTCOMES if end in self["outcome"]
        )
        return f"{len(self)} runs: {ends}"

    def where(self, **values):
        """The runs with these values, e.g. `where(optimizer="adam")`, as a Sweep."""
        chosen = np.ones(len(self), bool)
        for name, value in values.items():
            chosen &= self[name] == value
        return self.take(chosen)

    def take(self, chosen):
        """Some of the runs as a Sweep: `chosen` (runs,) is a mask, or (n,) numbers of runs."""
        columns = {name: column[chosen] for name, column in self.columns.items()}
        return Sweep(columns, self.curves[chosen], self.comments)

    @property
    def varied(self):
        """The names of the settings that are not the same in all runs; the seed is none."""
        return [name for name in ("model", *FIELDS) if len(np.unique(self[name])) > 1]

    def by_setting(self):
        """A dict from settings, a tuple of the values of `varied`, to the runs, a Sweep."""
        keys = list(zip(*(self[name].tolist() for name in self.varied), strict=True))
        keys = keys or [()] * len(self)
        return {
            key: self.take(np.array([other == key for other in keys], bool))
            for key in dict.fromkeys(keys)
        }


# ---- Reading -------------------------------------------------------------------------------------


def read(path) -> Sweep:
    """Read a sweep; damaged lines are left out and named in `problems`.

    Raises SweepError where the file is not one of a sweep, and OSError.
    """
    lines, rest = split(Path(path).read_bytes())
    comments, header, rows, problems = parse(path, lines)
    if not header:
        raise SweepError(f"{path}: no line of a sweep in it")
    if rest:
        problems.append(f"line {len(lines) + 1}: cut off: {clip(rest)}")
    columns = {name: np.array([row[name] for row in rows]) for name in COLUMNS[:-1]}
    columns["patience"] = np.array([row["patience"] or math.inf for row in rows], float)
    curves = np.full((len(rows), max((len(row["curve"]) for row in rows), default=0)), np.nan)
    for row, curve in zip(rows, curves, strict=True):
        curve[: len(row["curve"])] = row["curve"]
    return Sweep(columns, curves, comments, problems)


def split(content):
    """(whole lines, what is left of a line that has no end) of a file's bytes."""
    *lines, rest = content.decode("utf-8-sig", errors="replace").split("\n")
    return lines, rest


def parse(path, lines):
    """(comments, whether there is a header, rows, what was wrong) of the lines of a file."""
    comments, rows, problems, header = [], {}, [], False
    for number, line in enumerate(lines, start=1):
        if line.startswith("#"):
            comments.append(line.lstrip("# ").rstrip())
        elif not header and line.strip():
            if line.rstrip("\r").split(",") != list(COLUMNS):
                raise SweepError(f"{path}: line {number} has not the columns of a sweep")
            header = True
        elif line.strip():
            try:
                row = parse_line(line.rstrip("\r"))
            except ValueError as error:
                problems.append(f"line {number}: {error}: {clip(line)}")
            else:
                rows.setdefault(key_of(row, row["seed"]), row)
    return comments, header, list(rows.values()), problems


def parse_line(line):
    """One line as a dict; ValueError says what is wrong with it."""
    cells = next(csv.reader([line]))
    if len(cells) != len(COLUMNS):
        raise ValueError(f"{len(cells)} values, expected {len(COLUMNS)}")
    row = dict(zip(COLUMNS, cells, strict=True))
    for name, kind in (FIELDS | {"seed": int, "epochs_done": int}).items():
        row[name] = value_of(name, kind, row[name])
    for name in FOUND:
        row[name] = float(row[name]) if row[name] else math.nan
    row["curve"] = [float(number) for number in row["curve"].split()]
    if row["outcome"] not in OUTCOMES:
        raise ValueError("unknown outcome")
    shares = [row["val_accuracy"], row["test_accuracy"], *row["curve"]]
    if not all(0 <= share <= 1 for share in shares if not math.isnan(share)):
        raise ValueError("an accuracy is not between 0 and 1")
    recipe_of(row, row["seed"])  # raises ValueError for what makes no sense
    return row


def value_of(name, kind, text):
    """A cell as what the field is in a recipe."""
    if kind is bool:
        if text not in ("True", "False"):
            raise ValueError(f"{name} is not True or False")
        return text == "True"
    if kind == int | None:
        return int(text) if text else None
    return kind(text)


def key_of(settings, seed):
    """What tells a run from all others."""
    return (settings["model"], *(settings[name] for name in FIELDS), seed)


# ---- Writing -------------------------------------------------------------------------------------


class Writer:
    """Appends runs to the file of a sweep; `done` holds the keys of those that are in it."""

    def __init__(self, file, done):
        self._file = file
        self.done = done

    def add(self, settings, seed, found):
        """Write the line of a run, whole and at once."""
        curve = " ".join(f"{share:.6g}" for share in found["curve"])
        row = settings | found | {"seed": seed, "curve": curve}
        row |= {name: "" if math.isnan(row[name]) else row[name] for name in FOUND}
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow([row[name] for name in COLUMNS])
        self.write(line.getvalue())
        self.done.add(key_of(settings, seed))

    def write(self, text):
        """Write lines, so that not even a lost machine takes them back."""
        self._file.write(text.encode())
        self._file.flush()
        os.fsync(self._file.fileno())


@contextlib.contextmanager
def writing(path, comments, samples, report=print):
    """Keep the file at `path` to this sweep while the block lasts; gives a Writer.

    A new file begins with the lines `comments` and with what the runs learn from, `samples` (text).
    One that is there is gone on with; `report` is told of lines that are damaged.

    Raises SweepError where another sweep is writing the file, where it is not one of a sweep, or of
    one that learned from something else; and OSError.
    """
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f".{path.name}.lock")
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(locked(lock, patience=0))
        except TimeoutError:
            raise SweepError(f"{path}: another sweep is writing this file") from None
        try:
            with open(path, "a+b") as file:
                yield go_on(path, file, comments, samples, report)
        finally:
            with contextlib.suppress(OSError):
                lock.unlink()


def go_on(path, file, comments, samples, report):
    """Read what is in the file, cut off half a line, and return a Writer for the rest."""
    file.seek(0)
    content = file.read()
    lines, rest = split(content)
    known, header, rows, problems = parse(path, lines)
    if content and not header and (not content.startswith(b"#") or len(lines) > len(known)):
        raise SweepError(f"{path}: the file that is there is none of a sweep")
    if header and SAMPLES + samples not in known:
        raise SweepError(f"{path}: its runs learned from other samples; name another file")
    for problem in problems:
        report(f"{path}: {problem}; this run is done again")
    if rest or not header:
        if rest:
            report(f"{path}: the last line is half written; this run is done again")
        file.truncate(len(content) - len(content.rpartition(b"\n")[2]) if header else 0)
    writer = Writer(file, {key_of(row, row["seed"]) for row in rows})
    if not header:
        comments = [*comments, SAMPLES + samples]
        writer.write("".join(f"# {line}\n" for line in comments) + ",".join(COLUMNS) + "\n")
    elif new := [line for line in comments if line not in known]:
        writer.write("".join(f"# {line}\n" for line in new))
    return writer
