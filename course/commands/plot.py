"""Draw training logs side by side: loss, time per epoch, time in all, and a summary."""

import sys

from course import commands, records

SHOWN = 5  # damaged lines of a log that are named one by one


def add_arguments(parser):
    parser.add_argument("logs", metavar="LOG", nargs="+", help="what `train` wrote into logs/")
    parser.add_argument("--out", metavar="FILE", default="training_comparison.png")


def run(arguments):
    from course import plots  # here, because Matplotlib takes long to import

    inputs = [("a log", path) for path in arguments.logs]
    commands.check_files([("the figure", arguments.out)], inputs)
    logs = [read(path) for path in arguments.logs]
    if not any(map(len, logs)):
        raise commands.CommandError("there is no epoch in these logs, so nothing to draw")
    try:
        plots.training_comparison(logs).savefig(arguments.out)
    except (OSError, ValueError) as error:
        raise commands.CommandError(f"cannot write {arguments.out}: {error}") from None
    print(f"Figure: {arguments.out}")


def read(path):
    """Read a log, and say what in it is left out."""
    log = records.read_log(path)
    problems = log.problems[:SHOWN]
    if more := len(log.problems) - len(problems):
        problems.append(f"and {more:,} more lines")
    for problem in problems:
        print(f"{path}: left out: {problem}", file=sys.stderr)
    return log
