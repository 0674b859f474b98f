"""The commands of `python -m course`, one module each, and what they share."""

import argparse
import json

from course import idx, mnist
from course.mnist import to_float


class CommandError(Exception):
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


def training_digits(digits):
    """Return training images as rows of floats (samples, 784), and labels (samples,)."""
    return _flat(digits.train_images), digits.train_labels


def test_digits(digits):
    """Return test images as rows of floats (samples, 784), and labels (samples,)."""
    return _flat(digits.test_images), digits.test_labels


def _flat(images):
    return to_float(images).reshape(len(images), -1)


def print_json(result):
    """Print one JSON object on a line of its own."""
    print(json.dumps(result), flush=True)
