"""The command line: what can be asked for, and how an error is told.

Each command is a module of `course.commands` with `add_arguments(parser)` and `run(arguments)`.
Bad arguments end with exit code 2 and one sentence, failures with 1 and one sentence.
"""

import argparse
import os
import sys

from course import __version__
from course.commands import (
    CommandError,
    UsageError,
    bench,
    convert,
    data,
    draw,
    evaluate,
    info,
    plot,
    pretrain,
    recognize,
    train,
    trial,
)
from course.nn.compiled import CompileNotice

COMMANDS = {
    "train": (train, "train a model and say how well it reads the test digits"),
    "evaluate": (evaluate, "say how well a saved model reads the test digits"),
    "recognize": (recognize, "read handwritten digits in picture files"),
    "draw": (draw, "draw a digit in the browser and watch the models read it"),
    "trial": (trial, "say how well the models read drawings of any place and size"),
    "plot": (plot, "draw training logs side by side"),
    "data": (data, "say which digits are there and whether they are whole; download MNIST"),
    "convert": (convert, "convert a model from or to the Rust programs' binary files"),
    "pretrain": (pretrain, "make the weights that come with the course, from full MNIST"),
    "info": (info, "say which versions, BLAS, threads and digits are in use"),
    "bench": (bench, "measure the speed against the machine's limit and against PyTorch"),
}


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one sentence."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


def make_parser():
    """Return the parser of the whole command line."""
    parser = Parser(prog="python -m course", description="Neural networks by hand.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, summary) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=module.__doc__)
        module.add_arguments(command)
    return parser


def main(arguments=None):
    """Run one command; return the exit code."""
    arguments = make_parser().parse_args(arguments)
    module, _ = COMMANDS[arguments.command]
    try:
        with CompileNotice():
            code = module.run(arguments) or 0
        sys.stdout.flush()
        return code
    except UsageError as error:
        return _fail(arguments.command, error, 2)
    except (CommandError, OSError, MemoryError) as error:
        return _fail(arguments.command, error, 1)
    except KeyboardInterrupt:
        return _fail(arguments.command, "interrupted", 130)


def _fail(command, error, code):
    sentence = " ".join(str(error).split()) or "out of memory"
    print(f"python -m course {command}: {sentence}", file=sys.stderr)
    try:
        sys.stdout.flush()
    except OSError:  # the disk is full or the reader of the pipe gone: drop the rest
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code
