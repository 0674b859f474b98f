"""The commands of `python -m course`, one module each, and what they share.

Nothing here imports NumPy, so that the command line answers `--help` at once.
"""

import argparse
import json
import os
import shlex
import sys

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


def add_json_option(parser):
    """Add --json, for programs that read the result."""
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")


def load_digits(directory):
    """Load the digits, say which they are, and return the `Mnist`."""
    from course import mnist  # here, because NumPy takes long to import

    digits = mnist.load(directory)
    print(f"Digits: {digits}", flush=True)
    return digits


def print_json(result):
    """Print one JSON object on a line of its own; NaN and infinity, which JSON lacks, as null."""
    strict = json.loads(json.dumps(result), parse_constant=lambda name: None)
    print(json.dumps(strict, allow_nan=False), flush=True)


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
    return visible(shlex.join(["python", "-m", "course", *sys.argv[1:]]))
