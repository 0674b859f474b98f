"""Make a data set for `train --data` of pictures of your own, a sub-folder for each class.

Each picture is read as `recognize` reads one: ink on paper, or on black, cut out, scaled, centered.
Of each class a share is kept for the test. FOLDER may also have drawings that the recognizer's
"Collect" has saved; which of them are kept for the test was decided when they were drawn.
"""

import argparse
import shlex
import sys
from pathlib import Path

from course import commands

SHOWN = 20  # files left out that are named one by one
FEW = 2000  # pictures, of which the few epochs of the course's recipes would be too few steps


def add_arguments(parser):
    parser.add_argument("folder", metavar="FOLDER", help="of sub-folders, named like the classes")
    parser.add_argument(
        "--out", metavar="DIR", required=True, help="where the IDX files and classes.txt go"
    )
    parser.add_argument(
        "--test-share",
        type=share,
        metavar="F",
        help="of each class, above 0 and below 1 (default: 0.2)",
    )
    parser.add_argument(
        "--seed", type=commands.seed, metavar="N", default=0, help="of which are for the test"
    )
    commands.add_json_option(parser)


def share(text):
    """Parse a share (for argparse)."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"must be above 0 and below 1, got {text[:30]!r}")
    return value


def run(arguments):
    from course import mnist  # here, because these take long to import
    from course.recognizer import dataset

    folder, out = Path(arguments.folder), Path(arguments.out)
    if out.resolve().is_relative_to(folder.resolve()):
        raise commands.UsageError(
            f"{out} is inside of {folder}, where it would be taken for a class: name another --out"
        )
    dataset.check_target(out)
    left_out = collect(arguments, folder, out)
    made = mnist.load(out)
    train, test = len(made.train_labels), len(made.test_labels)
    print(f"{out}: {train:,} pictures to train on, {test:,} for the test")
    epochs = " --epochs 30" if train < FEW else ""
    print(
        f"Train with: python -m course train cnn --data {shlex.quote(str(out))}{epochs} --save NAME"
    )
    if arguments.json:
        counts = {"class_names": made.class_names, "train": train, "test": test}
        commands.print_json({"out": str(out), **counts, "left_out": left_out})


def collect(arguments, folder, out):
    """Write the data set into the folder `out`; returns a sentence for each file left out."""
    from course.recognizer import dataset
    from course.recognizer.collection import read_collection

    if collection := read_collection(folder):
        if arguments.test_share:
            raise commands.UsageError(
                f"{folder} says itself which drawings are kept for the test: leave --test-share out"
            )
        collection.export(out)
        return []
    pictures = dataset.read_folder(folder, tell=lambda line: print(line, flush=True))
    for sentence in pictures.left_out[:SHOWN]:
        print(f"left out: {sentence}", file=sys.stderr)
    if (more := len(pictures.left_out) - SHOWN) > 0:
        print(f"left out: {more:,} more", file=sys.stderr)
    share = arguments.test_share or dataset.TEST_SHARE
    is_test = dataset.split(pictures.labels, share, arguments.seed)
    dataset.write(out, pictures, is_test, arguments.seed)
    return list(pictures.left_out)
