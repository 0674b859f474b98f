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
from course.nn import files
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


def check_files(outputs, inputs):
    """Look, before the work begins, whether its results can be written without any harm.

    Args:
        outputs: pairs of what a file is, "the log", and its path as it was given.
        inputs: the same of the files that are read.

    Raises:
        CommandError: something is in the way of an output.
        UsageError: an output is an input too, or another output, by whatever name.
    """
    others = list(inputs)
    for name, path in outputs:
        for other, taken in others:
            if is_same_file(path, taken):
                raise UsageError(f"{path} cannot be {other} and {name} at once")
        if problem := files.why_not(path):
            raise CommandError(f"cannot write {path}: {problem}")
        others.append((name, path))


def is_same_file(path, other):
    """Whether two paths lead to one file, by links or otherwise; it need not be there yet."""
    try:
        return os.path.samefile(path, other) and os.path.isfile(path)  # two may share a device
    except OSError:  # one of them is not there
        return os.path.realpath(path) == os.path.realpath(other)


def digit_files(directory):
    """The files that `load_digits` reads, as inputs for `check_files`."""
    try:
        folder = mnist.find_directory(directory)
    except FileNotFoundError:
        return []  # `load_digits` says so
    return [("a file of digits", mnist.find_file(folder, name)) for name in mnist.FULL]


def command_line():
    """The command as it was typed, for the log."""
    return shlex.join(["python", "-m", "course", *sys.argv[1:]])
