"""The command line: what can be asked for, and how an error is told.

Each command is a module of `course.commands` with `add_arguments(parser)` and `run(arguments)`; it
is imported when it is asked for. Bad arguments end with exit code 2 and one sentence, failures with
1 and one sentence.
"""

import argparse
import contextlib
import importlib
import sys

from course import __version__
from course.commands import CommandError, UsageError
from course.commands.output import visible_streams
from course.environment import HERE
from course.nn.errors import CourseError

COMMANDS = {
    "lessons": "lay copies of the lessons to work in; renew those that you have not changed",
    "progress": "say what you have done in each lesson",
    "pack": "put all of your work into one zip, to take along",
    "unpack": "bring back what is in such a zip",
    "check": "judge the exercises in learners' notebooks",
    "train": "train a model and say how well it reads the test digits",
    "sweep": "train a model with many settings and seeds, on all cores",
    "cluster": "start a scheduler or workers that do the runs of a sweep",
    "evaluate": "say how well a saved model reads the test digits",
    "recognize": "read handwritten digits in picture files",
    "collect": "make a data set of pictures in folders, a folder for each class",
    "draw": "draw a digit in the browser and watch the models read it",
    "trial": "say how well the models read drawings: moved, or other people's",
    "plot": "draw training logs side by side",
    "data": "say which digits are there and whether they are whole; download MNIST",
    "convert": "convert a model from or to the Rust programs' binary files",
    "pretrain": "make the weights that come with the course, from full MNIST",
    "compile": "compile the loops that train, which else happens when they are first needed",
    "info": "say which versions, BLAS, cores and digits are in use, and what is wrong with them",
    "bench": "measure the speed against the machine's limit and against PyTorch",
}

NEED_PROCESSES = {"bench", "check", "cluster", "compile", "draw"}


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one sentence."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


def make_parser(asked):
    """Return the parser of the whole command line, with the arguments of the command `asked`."""
    parser = Parser(prog="python -m course", description="Neural networks by hand.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary)
        if name == asked:
            module = importlib.import_module(f"course.commands.{name}")
            command.description = module.__doc__
            command.set_defaults(run=module.run)
            module.add_arguments(command)
    return parser


def main(arguments=None):
    """Run one command; return the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    asked = next((argument for argument in arguments if argument in COMMANDS), "")
    with visible_streams():
        try:
            code = _run(asked, arguments)
            sys.stdout.flush()
            return code
        except UsageError as error:
            return _fail(asked, error, 2)
        except (CourseError, OSError, MemoryError) as error:
            return _fail(asked, error, 1)
        except ModuleNotFoundError as error:
            return _fail(asked, f"{error}; `python -m course info` says what else is missing", 1)
        except KeyboardInterrupt:
            return _fail(asked, "interrupted", 130)


def _run(asked, arguments):
    if sys.__stdout__ is None:
        raise CommandError("standard output is closed; to throw it away, send it to /dev/null")
    arguments = make_parser(asked).parse_args(arguments)  # ends here for --help and bad arguments
    if HERE.browser and asked in NEED_PROCESSES:
        raise CommandError("it starts other processes, which a browser does not have")
    with _compile_notice():
        return arguments.run(arguments) or 0


def _compile_notice():
    """Say when loops are compiled, where the command has loaded any."""
    if "numba" not in sys.modules:
        return contextlib.nullcontext()
    from course.nn.compiled import CompileNotice

    return CompileNotice()


def _fail(command, error, code):
    with contextlib.suppress(OSError):  # nobody reads errors
        start = f"python -m course {command}".rstrip()
        print(f"{start}: {_sentence(error)}", file=sys.stderr)
    return code


def _sentence(error):
    if isinstance(error, BrokenPipeError):
        return "nobody reads the output any more"
    if isinstance(error, OSError) and error.strerror:  # without its number
        error = ": ".join(str(part) for part in (error.filename, error.strerror) if part)
    return " ".join(str(error).split()) or "out of memory"
