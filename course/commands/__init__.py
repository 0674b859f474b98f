"""The commands of `python -m course`, one module each, and what they share.

Nothing here imports NumPy, so that the command line answers `--help` at once.
"""

import argparse
import json
import os
import re
import shlex
import sys

from course.nn import files
from course.nn.errors import CourseError
from course.nn.text import visible


class CommandError(CourseError):
    """The command failed; its text is the one sentence that says why."""


class UsageError(CommandError):
    """The arguments do not go together."""


def whole_number(least, most):
    """Return a parser (for argparse) of whole numbers from `least` to `most`."""

    def parse(text):
        try:
            value = int(text)
        except ValueError:  # no number, or one of thousands of digits
            value = None
        if value is None or not least <= value <= most:
            shown = text if len(text) <= 30 else text[:27] + "..."
            raise argparse.ArgumentTypeError(
                f"must be a whole number from {least} to {most}, got {shown!r}"
            )
        return value

    return parse


positive_int = whole_number(1, 10**15 - 1)  # no log has room for more epochs
seed = whole_number(0, 2**64 - 1)


def add_data_option(parser):
    """Add --data, the folder of digits."""
    parser.add_argument(
        "--data", metavar="DIR", help="folder of IDX files (default: full MNIST or the sample)"
    )


def add_allow_option(parser):
    """Add --allow, for `models.load`."""
    parser.add_argument(
        "--allow",
        metavar="MODULE",
        action="append",
        default=[],
        help="where FILE's own layers are defined; imported, so it must be yours",
    )


def scheduler(text):
    """Parse the address of a scheduler (for argparse)."""
    if re.fullmatch(r"(tcp|tls)://\S+:\d{1,5}", text):
        return text
    raise argparse.ArgumentTypeError(
        f"must be like tcp://HOST:PORT or tls://HOST:PORT, got {text!r}"
    )


def add_json_option(parser):
    """Add --json, for programs that read the result."""
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")


def load_digits(directory):
    """Load the digits, say which they are, and return the `Mnist`."""
    from course import mnist  # here, because NumPy takes long to import

    digits = mnist.load(directory)
    print(f"{'Digits' if digits.has_digits else 'Pictures'}: {digits}", flush=True)
    return digits


def print_json(result):
    """Print one JSON object on a line of its own; NaN and infinity, which JSON lacks, as null."""
    strict = json.loads(json.dumps(result), parse_constant=lambda name: None)
    print(json.dumps(strict, allow_nan=False), flush=True)


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
    from course import mnist

    try:
        folder = mnist.find_directory(directory)
    except FileNotFoundError:
        return []  # `load_digits` says so
    return [("a file of digits", mnist.find_file(folder, name)) for name in mnist.FULL]


def command_line():
    """The command as it was typed, for the log."""
    return visible(shlex.join(["python", "-m", "course", *sys.argv[1:]]))
