"""Trained weights that come with the course, so that lesson 06 works before anything is trained.

The deep network, which reads best, and the MLP, the CNN and the attention model of lessons 02 to
04, each trained by the course's own recipe on all 60,000 digits of MNIST. `record.json` says how:
commands, recipes, accuracy on the 10,000 test digits, and the sha256 of every file. `python -m
course pretrain` makes all of it anew.
"""

import hashlib
import json
from pathlib import Path

from course import models
from course.committee import Committee
from course.nn import classes
from course.nn.checkpoint import CheckpointError

HERE = Path(__file__).parent
NAMES = ("deep", "mlp", "cnn", "attention")
RECORD = "record.json"
HOW_TO_MAKE = "python -m course pretrain"
ADVICE = (
    f"Restore it (`git restore course/models/pretrained`, or install the course again), or make "
    f"the weights anew from full MNIST with `{HOW_TO_MAKE}`"
)


class PretrainedError(CheckpointError):
    """Weights of the course, or their record, are missing or not what they should be."""


def path(name, folder=HERE):
    """Where the weights of the model `name` lie."""
    return Path(folder) / f"{name}.safetensors"


def load(name, folder=HERE):
    """Load the trained model `name`, one of NAMES.

    Raises PretrainedError, which says what to do, if a file is missing or its sha256 is not the
    one in the record; KeyError for any other name.
    """
    if name not in NAMES:
        raise KeyError(f"no trained {name!r} comes with the course; there are {', '.join(NAMES)}")
    file = path(name, folder)
    expected = _expected_sha256(name, folder)
    try:
        found = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise PretrainedError(f"{file}: cannot be read: {error.strerror}. {ADVICE}.") from None
    if found != expected:
        raise PretrainedError(
            f"{file}: is not the file that the record tells of (sha256 {found[:12]}…, expected "
            f"{expected[:12]}…). {ADVICE}."
        )
    model = models.load(file)
    model.class_names = classes.DIGITS
    return model


def load_all(folder=HERE):
    """Load all of them: name -> model, or the PretrainedError that says why there is none."""
    found = {}
    for name in NAMES:
        try:
            found[name] = load(name, folder)
        except PretrainedError as error:
            found[name] = error
    return found


def load_committee(folder=HERE):
    """All of them as one network: the mean of their probabilities. Raises PretrainedError."""
    return Committee(load(name, folder) for name in NAMES)


def record(folder=HERE):
    """How the weights were made, as `python -m course pretrain` wrote it down: a dict.

    Raises PretrainedError.
    """
    file = Path(folder) / RECORD
    try:
        content = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise PretrainedError(f"{file}: cannot be read: {error.strerror}. {ADVICE}.") from None
    except ValueError as error:
        raise PretrainedError(f"{file}: is damaged: {error}. {ADVICE}.") from None
    return content


def _expected_sha256(name, folder):
    try:
        return str(record(folder)["models"][name]["sha256"])
    except (KeyError, TypeError):
        raise PretrainedError(
            f"{Path(folder) / RECORD}: does not tell of the {name}. {ADVICE}."
        ) from None
