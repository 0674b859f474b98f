"""Lesson 07: what a training run leaves behind, one line of CSV an epoch.

    # command: python -m course train mlp --seed 1
    epoch,train_loss,train_time,val_loss,val_accuracy,learning_rate
    1,0.4071,0.83,0.2206,0.9362,0.1

`LogWriter` is an observer of the training loop; `read_log` reads such a file back, and also the
older forms without a header (`epoch,loss,time`, or the six columns above). A damaged line is named
and left out, and the reading goes on. Times are in seconds, accuracies fractions of 1, and a value
that was not measured is left empty (NaN in a `Log`).
"""

import contextlib
import dataclasses
import importlib.metadata
import itertools
import math
import os
import platform
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from course import places
from course.environment import HERE
from course.nn.errors import CourseError
from course.nn.files import remove_abandoned, replacing
from course.nn.locks import locked
from course.nn.training import Observer

COLUMNS = ("epoch", "train_loss", "train_time", "val_loss", "val_accuracy", "learning_rate")
OLDER_NAMES = {"loss": "train_loss", "time": "train_time"}
MODELS = ("mlp", "cnn", "attention", "xor")


class LogError(CourseError, ValueError):
    """A file that is no training log; the message names the file and what is wrong with it."""


# ---- In memory -----------------------------------------------------------------------------------


@dataclass
class Log:
    """A training run: its columns, one entry a line, and whatever was odd about its file.

    Mostly a line is an epoch; a run of very many short epochs may log only every so many.
    """

    name: str
    epoch: np.ndarray  # (epochs,) int64
    train_loss: np.ndarray  # (epochs,) float64, as are all that follow; NaN is "not measured"
    train_time: np.ndarray  # (epochs,) seconds since the line before
    val_loss: np.ndarray  # (epochs,)
    val_accuracy: np.ndarray  # (epochs,) fraction of 1
    learning_rate: np.ndarray  # (epochs,)
    comments: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.epoch)

    @property
    def seconds(self) -> np.ndarray:
        """(epochs,) seconds of training up to the end of each epoch."""
        return np.cumsum(np.nan_to_num(self.train_time))

    @property
    def seconds_per_epoch(self) -> np.ndarray:
        """(epochs,) seconds that each epoch took, on the mean of those since the line before."""
        return self.train_time / np.maximum(np.diff(self.epoch, prepend=0), 1)

    @classmethod
    def from_rows(cls, name, rows, **details) -> "Log":
        """A log of `rows`, tuples in the order of `COLUMNS`."""
        columns = np.array(list(rows), float).reshape(-1, len(COLUMNS)).T  # None becomes NaN
        return cls(name, columns[0].astype(np.int64), *columns[1:], **details)

    @classmethod
    def from_records(cls, records, name="training") -> "Log":
        """A log of the `EpochRecord`s of a training run, whose fields are in the same order."""
        return cls.from_rows(name, map(dataclasses.astuple, records))


def as_log(run, name="training") -> Log:
    """Give a `Log`, the path of one, or a list of epoch records as a `Log`."""
    if isinstance(run, Log):
        return run
    if isinstance(run, str | os.PathLike):
        return read_log(run)
    return Log.from_records(run, name)


# ---- Reading -------------------------------------------------------------------------------------


def read_log(path) -> Log:
    """The log in the file `path`, its damaged lines left out and named in `problems`.

    A last line without a line end was cut off by a kill, and counts as damaged: half of a number
    still looks like one. Accuracies above 1 are taken for percentages (the older programs wrote
    those) and the column is divided by 100. Raises `LogError` where no line makes sense, `OSError`
    where the file cannot be read.
    """
    path = Path(path)
    *lines, rest = path.read_bytes().decode("utf-8-sig", errors="replace").split("\n")
    problems = [f"line {len(lines) + 1}: cut off: {clip(rest)}"] if rest.strip() else []
    lines = [(number, line.strip()) for number, line in enumerate(lines, start=1)]
    comments = [line.lstrip("# ") for _, line in lines if line.startswith("#")]
    table = [(number, line) for number, line in lines if line and not line.startswith("#")]

    header = header_names(table[0][1]) if table else None
    if header:
        rows, damaged = parse_lines(table[1:], header)
    else:  # an older file: three columns or six
        six = any(line.count(",") == 5 for _, line in table)
        rows, damaged = parse_lines(table, COLUMNS if six else COLUMNS[:3])
    if damaged and not rows and not header:
        raise LogError(f"{path}: no line of a training log in it ({damaged[0]})")

    problems = damaged + problems
    log = Log.from_rows(run_name(path), rows, comments=comments, problems=problems)
    if np.nanmax(log.val_accuracy, initial=0.0) > 1.0:
        log.val_accuracy /= 100.0
    return log


def header_names(line):
    """The column names of a header line; `None` if the line is not a header."""
    names = [cell.strip().lower() for cell in line.split(",")]
    names = [OLDER_NAMES.get(name, name) for name in names]
    return names if {"epoch", "train_loss"} <= set(names) else None


def parse_lines(table, names):
    """The rows, in the order of `COLUMNS`, of (number, line) pairs; and what was wrong."""
    rows, problems = [], []
    for number, line in table:
        try:
            row = parse_line(line, names)
            if rows and row[0] <= rows[-1][0]:
                raise ValueError(f"epoch {row[0]} after epoch {rows[-1][0]}")
        except ValueError as error:
            problems.append(f"line {number}: {error}: {clip(line)}")
        else:
            rows.append(row)
    return rows, problems


def parse_line(line, names):
    """One line's values in the order of `COLUMNS`; `ValueError` says what is wrong with it."""
    cells = [cell.strip() for cell in line.split(",")]
    if len(cells) != len(names):
        raise ValueError(f"{len(cells)} values, expected {len(names)}")
    values = dict(zip(names, cells, strict=True))
    if not values["epoch"].isdecimal() or len(values["epoch"]) > 15:
        raise ValueError("the epoch is not a whole number")
    row = [int(values["epoch"])]
    for name in COLUMNS[1:]:
        text = values.get(name)
        try:
            row.append(float(text) if text else math.nan)
        except ValueError:
            raise ValueError(f"{name} is not a number") from None
    _, _, seconds, _, accuracy, _ = row
    if seconds < 0 or math.isinf(seconds):
        raise ValueError("train_time is not a time in seconds")
    if accuracy < 0 or accuracy > 100:
        raise ValueError("val_accuracy is not between 0 and 1, nor a percentage")
    return row


def clip(line, length=40):
    """`line` in quotes, short enough for a message."""
    return repr(line if len(line) <= length else line[: length - 3] + "...")


def run_name(path) -> str:
    """What a figure calls the run in the file `path`: `logs/mine/training_loss_mlp_2.txt` is
    "mlp 2 (mine)"."""
    name = path.stem.removeprefix("training_loss_")
    name = {"c": "mlp", "attention_mnist": "attention"}.get(name, name).replace("_", " ")
    return f"{name} (mine)" if path.parent.name == "mine" else name


# ---- Writing -------------------------------------------------------------------------------------


class LogWriter(Observer):
    """An observer of the training loop that writes each epoch to a log file as it ends.

    The file at `path` begins anew with the run, under `comments` (`provenance` makes them), or
    with its first epoch, where the log of an earlier run is in its place: what is interrupted
    before costs nothing. A resumed run first writes the epochs that its checkpoint remembers,
    whatever a kill has left in the file. Each line is written whole and at once, so that a kill
    costs no epoch that was over.
    """

    def __init__(self, path, comments=()):
        self.path = Path(path)
        self.comments = list(comments)
        self._begin = ""  # what is still to be written above the next row

    def on_begin(self, trainer):
        lines = [f"# {line}\n" for comment in self.comments for line in comment.splitlines()]
        lines.append(",".join(COLUMNS) + "\n")
        self._begin = "".join(lines)
        if trainer.records or not (self.path.exists() and self.path.stat().st_size):
            self._write(map(dataclasses.astuple, trainer.records))

    def on_epoch(self, record):
        self._write([dataclasses.astuple(record)])

    def _write(self, rows):
        """Write rows, the first of them below the beginning of a new file."""
        content = (self._begin + "".join(map(format_row, rows))).encode()
        with replacing(self.path) if self._begin else open(self.path, "ab") as file:
            file.write(content)
        self._begin = ""


def format_row(row) -> str:
    """A row in the order of `COLUMNS` as a line; nine digits tell any two float32 apart."""
    epoch, *numbers = row
    return ",".join([str(epoch)] + ["" if n is None else f"{n:.9g}" for n in numbers]) + "\n"


def provenance(command) -> list[str]:
    """Comment lines for a log: the command, the machine and the versions that made it."""
    packages = ["numpy", "scipy", *(["numba"] if HERE.compiled else [])]
    versions = [f"{name} {importlib.metadata.version(name)}" for name in packages]
    without = "" if HERE.compiled else ", without Numba"
    return [
        f"command: {command}",
        f"machine: {processor()}, {os.cpu_count()} cores, {platform.system()}",
        f"versions: Python {platform.python_version()}, {', '.join(versions)}{without}",
    ]


def processor() -> str:
    """The processor's name where the system tells it, otherwise its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


# ---- Where logs lie ------------------------------------------------------------------------------


def logs_folder() -> Path:
    """The folder of the logs and figures that come with the course; or `$COURSE_LOGS_DIR`."""
    return Path(os.environ.get("COURSE_LOGS_DIR") or places.shipped("logs"))


def own_logs_folder() -> Path:
    """The folder of the learner's own logs.

    $COURSE_OWN_LOGS_DIR, or `mine` in $COURSE_LOGS_DIR or in one's own `logs`.
    """
    if asked := os.environ.get("COURSE_OWN_LOGS_DIR"):
        return Path(asked).expanduser()
    return places.own("logs", "COURSE_LOGS_DIR") / "mine"


def reference_logs() -> dict[str, Path]:
    """The logs of full-MNIST runs that come with the course: model name to file."""
    paths = {model: logs_folder() / f"training_loss_{model}.txt" for model in MODELS}
    return {model: path for model, path in paths.items() if path.exists()}


def own_logs() -> list[Path]:
    """The logs of the learner's own runs, oldest first."""
    return sorted(
        own_logs_folder().glob("training_loss_*.txt"),
        key=lambda path: (path.stat().st_mtime, path.name),
    )


def new_log_path(model) -> Path:
    """Make an empty file in `logs/mine/` for the log of a run of `model` (its name).

    No other run gets the same path, however many start at once. Raises OSError.
    """
    folder = own_logs_folder()
    folder.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(1):
        path = folder / f"training_loss_{model}{f'_{number}' if number > 1 else ''}.txt"
        with contextlib.suppress(FileExistsError):
            path.touch(exist_ok=False)
            return path


@contextlib.contextmanager
def claimed(path):
    """Keep the log at `path` to this run while the block lasts; gives the path.

    A file that is still empty at the end is removed. Raises LogError where another run is writing
    this log, or where the file is no log, which a log must not replace; and OSError.
    """
    path = Path(path)
    if path.exists() and not path.is_file():  # a device is anybody's
        yield path
        return
    real = Path(os.path.realpath(path))
    real.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(real.parent, ".training_loss_*.txt.lock")
    lock = real.with_name(f".{real.name}.lock")
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(locked(lock, patience=0))
        except TimeoutError:
            raise LogError(f"{path}: another training is writing this log") from None
        try:
            if real.exists() and not begins_like_a_log(real):
                raise LogError(f"{path}: the file that is there is no training log")
            yield path
        finally:
            if real.exists() and not real.stat().st_size:
                real.unlink()
            with contextlib.suppress(OSError):  # Windows does so by itself, when it is released
                lock.unlink()


def begins_like_a_log(path) -> bool:
    """Whether a file is empty, or its first line that is no comment is one of a log."""
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        text = file.read(2**16)
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        return not text.strip()
    first = lines[0]
    older, _ = parse_lines([(1, first)], COLUMNS if first.count(",") == 5 else COLUMNS[:3])
    return bool(older or header_names(first))
