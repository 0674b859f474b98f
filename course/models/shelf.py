"""The shelf: a folder of saved networks, each with its record, to choose from.

`python -m course train MODEL --save NAME` and `shelf.save(name, model, ...)` put them there;
`shelf.saved()` lists them, and the recognizer offers them. A file that is damaged, or of something
unknown, is listed with what is wrong with it.
"""

import datetime
import re
from dataclasses import dataclass
from pathlib import Path

from course import models, places
from course.nn import checkpoint, classes
from course.nn.checkpoint import CheckpointError
from course.nn.errors import CourseError

ENDING = ".safetensors"


class ShelfError(CourseError, ValueError):
    """A name that no network on the shelf can have."""


@dataclass(frozen=True)
class Record:
    """What is known of one saved network; print(record) says it in a line."""

    name: str  # of its file, without the ending
    path: Path
    model: str = ""  # "mlp", ...; "network" for what was put together in Python
    test_accuracy: float | None = None  # of 1
    tested_on: str = ""  # "the sample", ...
    epochs: int | None = None
    parameters: int | None = None
    saved: str = ""  # when, "2026-12-01T09:30:00"
    class_names: tuple | None = None  # None: nobody has said
    problem: str = ""  # why it cannot be used, a sentence

    def __str__(self):
        if self.problem:
            return f"{self.name}: {self.problem}"
        return f"{self.name}: {', '.join(self.facts)}"

    @property
    def facts(self):
        """What is known, in a few words each; for a file that cannot be used nothing."""
        if self.problem:
            return []
        facts = [self.model, f"{self.parameters:,} parameters"]
        if self.epochs is not None:
            facts.append(f"{self.epochs:,} epoch{'s' * (self.epochs != 1)}")
        if self.test_accuracy is not None:
            where = f" ({self.tested_on})" if self.tested_on else ""
            facts.append(f"{self.test_accuracy:.1%} right in the test{where}")
        if self.class_names not in (None, classes.DIGITS):
            facts.append(f"tells {classes.listed(self.class_names)} apart")
        return facts + ([f"saved {self.saved[:10]}"] if self.saved else [])


def directory():
    """The shelf's folder: $COURSE_MODELS_DIR, or where `places.own` says."""
    return places.own("models", "COURSE_MODELS_DIR")


def path(name, folder=None):
    """Where the network `name` lies, or will lie. Raises ShelfError for a name of no file."""
    if not isinstance(name, str) or not re.fullmatch(r"\w[\w .-]{0,59}", name) or name[-1] in " .":
        raise ShelfError(
            "A network on the shelf has a name of letters, digits, '-', '_' and '.', at most 60, "
            f"not {name!a:.80}"
        )
    return Path(folder or directory()) / f"{name}{ENDING}"


def save(name, model, test_accuracy=None, epochs=None, tested_on="", folder=None):
    """Put `model` on the shelf, in place of what was there under this name; returns its path.

    Args:
        name: letters, digits, "-", "_", "."; the name of its file.
        model: any that `course.models.save` takes.
        test_accuracy: of 1, if it is known.
        epochs: for how many it was trained.
        tested_on: what the accuracy is of, "the sample".
        folder: another one than `directory()`.

    Raises:
        ShelfError: for a name of no file.
        CheckpointError: for a model that could not be made again.
        OSError: nothing can be written there.
    """
    place = path(name, folder)
    models.save(place, model, record=record_of(model, test_accuracy, epochs, tested_on))
    return place


def record_of(model, test_accuracy, epochs, tested_on):
    """What a file on the shelf says of its network, for `info["record"]`."""
    return {
        "parameters": sum(array.size for array in model.parameters.values()),
        "test_accuracy": None if test_accuracy is None else float(test_accuracy),
        "epochs": None if epochs is None else int(epochs),
        "tested_on": tested_on,
        "saved": datetime.datetime.now().isoformat(timespec="seconds"),
    }


def saved(folder=None):
    """The records of all networks on the shelf, by name; those that cannot be used say why."""
    folder = Path(folder or directory())
    return [_read(file) for file in sorted(folder.glob(f"*{ENDING}")) if not file.is_dir()]


def load(name, allow=(), folder=None):
    """Build the network `name`; `allow` as for `course.models.load`.

    Raises ShelfError for a name of no file, and CheckpointError.
    """
    return models.load(path(name, folder), allow)


def _read(file):
    """The `Record` of one file."""
    name = file.name.removesuffix(ENDING)
    try:
        found = checkpoint.read(file)
        models.check_known(found)
    except CheckpointError as error:
        return Record(name, file, problem=str(error).removeprefix(f"{file}: "))
    names = found.info.get("class_names")
    guessed = {  # for a file that somebody has put there
        "epochs": found.run and found.run["epoch"],
        "parameters": sum(array.size for array in found.weights.values()),
    }
    return Record(
        name,
        file,
        found.info["model"],
        class_names=tuple(names) if names else None,
        **guessed | found.info.get("record", {}),
    )
