"""The commands of `python -m course`, one module each, and what they share."""

import argparse
import json
import os
import shlex
import sys
from dataclasses import dataclass

import numpy as np

from course import idx, mnist, xor
from course.mnist import to_float
from course.nn.errors import CourseError


class CommandError(CourseError):
    """The command failed; its text is the one sentence that says why."""


class UsageError(CommandError):
    """The arguments do not go together."""


def positive_int(text):
    """Parse a whole number above 0 (for argparse)."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {text}")
    return value


positive_int.__name__ = "whole number"  # argparse: "invalid whole number value"


def add_data_option(parser):
    """Add --data, the folder of digits."""
    parser.add_argument(
        "--data", metavar="DIR", help="folder of IDX files (default: full MNIST or the sample)"
    )


def add_json_option(parser):
    """Add --json, for programs that read the result."""
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")


def load_digits(directory):
    """Load the digits, say which they are, and return the `Mnist`."""
    try:
        digits = mnist.load(directory)
    except (OSError, idx.IdxError) as error:
        raise CommandError(error) from None
    print(f"Digits: {digits}", flush=True)
    return digits


@dataclass(frozen=True)
class Task:
    """What a model learns from and is tested on, and what that is called."""

    source: str
    x: np.ndarray  # (samples, inputs) floats
    y: np.ndarray  # (samples,)
    test_x: np.ndarray
    test_y: np.ndarray
    answers: int  # how many numbers a model must give for each sample


def load_task(model, directory):
    """Return the task of the model by that name: its four cases for XOR, digits for the rest."""
    if model == "xor":
        if directory:
            raise UsageError("--data is a folder of digits; xor has its own four cases")
        return Task("the four cases of XOR", *2 * (xor.INPUTS, xor.TARGETS), answers=1)
    digits = load_digits(directory)
    x, test_x = (
        to_float(images).reshape(len(images), -1)
        for images in (digits.train_images, digits.test_images)
    )
    y, test_y = digits.train_labels, digits.test_labels
    classes = 1 + int(max(y.max(), test_y.max()))
    return Task(digits.source, x, y, test_x, test_y, answers=max(classes, 10))


def why_unfit(model, task):
    """Say why `model` cannot do `task`; "" if it can."""
    try:
        answers = model.forward(task.test_x[:1])  # (1, answers)
    except ValueError as error:
        return f"it does not take samples of {task.x.shape[1]} numbers ({error})"
    if answers.shape[1] < task.answers:
        return f"it gives {answers.shape[1]} numbers, but {task.answers} are needed"
    return ""


def print_json(result):
    """Print one JSON object on a line of its own."""
    print(json.dumps(result), flush=True)


def why_not(path):
    """Say why a file cannot be written at `path`; "" if nothing is in the way."""
    if path.is_dir():
        return "it is a folder"
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir():
        return f"{folder} is a file"
    return "" if os.access(folder, os.W_OK) else f"{folder} is read-only"


def command_line():
    """The command as it was typed, for the log."""
    return shlex.join(["python", "-m", "course", *sys.argv[1:]])
