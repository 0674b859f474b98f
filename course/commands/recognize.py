"""Read handwritten digits in picture files: photographs, scans, screenshots, one digit in each.

A model of classes of your own (see `collect`) reads those instead.
"""

import sys
import warnings
from pathlib import Path

import numpy as np

from course import commands, models
from course.commands import tasks
from course.committee import Committee
from course.models import pretrained
from course.nn import classes
from course.nn.layers import Layer
from course.nn.losses import softmax


def add_arguments(parser):
    parser.add_argument("pictures", metavar="PICTURE", nargs="+", help="PNG, JPEG, GIF, ...")
    add_model_option(parser)
    commands.add_json_option(parser)


def add_model_option(parser):
    """Add --model and --allow, for `load_models`."""
    parser.add_argument(
        "--model",
        metavar="|".join((*pretrained.NAMES, Committee.name, "FILE")),
        help="one that comes with the course, all of them as one committee, or what `train` wrote "
        "(default: each that comes with the course)",
    )
    commands.add_allow_option(parser)


def run(arguments):
    readers = load_models(arguments.model, arguments.allow)
    found = [read(path, readers) for path in arguments.pictures]
    if arguments.json:
        commands.print_json({"pictures": found})
    return 1 if any("error" in entry for entry in found) else 0


def load_models(choice, allow=()):
    """The models to ask, name -> model. Raises CommandError for one that reads no digits."""
    if choice == Committee.name:
        return {choice: pretrained.load_committee()}
    if choice is not None and choice not in pretrained.NAMES:
        return dict([load_own(choice, allow)])
    names = pretrained.NAMES if choice is None else [choice]
    return {name: pretrained.load(name) for name in names}


def load_own(path, allow=()):
    """(name, model) of a file; the model must be one that reads drawings. Raises CourseError.

    What the learner put together, or trained on classes of their own, is called what its file is,
    so that there may be several.
    """
    model = models.load(path, allow)
    try:
        logits = model.forward(np.zeros((1, 784), np.float32))
    except Exception:  # a layer of the learner's own can fail in any way
        logits = None
    if np.ndim(logits) != 2 or len(logits) != 1 or logits.shape[1] < 2:
        raise commands.CommandError(f"{path}: its {model.name} is not made for 28x28 pictures")
    has_name = (
        model.name != Layer.name and classes.names_of(model, logits.shape[1]) == classes.DIGITS
    )
    return (model.name if has_name else Path(path).stem), model


def read(path, readers):
    """Read one picture, print a line, and return what was found: {"picture", "models"|"error"}."""
    from course.recognizer import pictures, preprocess  # here, because they take long to import

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Pillow: what it could not use of a file
            x = preprocess.normalize(pictures.read_canvas(path)).x
    except pictures.PictureError as problem:
        return refuse(path, str(problem))
    except preprocess.EmptyDrawingError:  # a few faint specks
        return refuse(path, f"{path} shows too little ink to read.")
    with np.errstate(over="ignore", invalid="ignore"):  # what follows says it better
        probabilities = {name: softmax(model.forward(x))[0] for name, model in readers.items()}
    for name, p in probabilities.items():
        if not np.isfinite(p).all():
            return refuse(path, tasks.NOT_FINITE.format(f"{path}: {name}"))
    names = {name: classes.names_of(readers[name], len(p)) for name, p in probabilities.items()}
    answers = {name: names[name][p.argmax()] for name, p in probabilities.items()}
    said = [f"{name} {answers[name]} ({p.max():.1%})" for name, p in probabilities.items()]
    print(f"{path}: {', '.join(said)}", flush=True)
    return {
        "picture": path,
        "models": {
            name: {"class": int(p.argmax()), "name": answers[name], "probabilities": p.tolist()}
            | ({"digit": int(p.argmax())} if names[name] == classes.DIGITS else {})
            for name, p in probabilities.items()
        },
    }


def refuse(path, why):
    """Say why a picture cannot be read; the others are read all the same."""
    print(f"python -m course recognize: {why}", file=sys.stderr, flush=True)
    return {"picture": path, "error": why}
