"""Draw training logs side by side: loss, time per epoch, time in all, and a summary."""

import sys

from course import commands, records


def add_arguments(parser):
    parser.add_argument("logs", metavar="LOG", nargs="+", help="what `train` wrote into logs/")
    parser.add_argument("--out", metavar="FILE", default="training_comparison.png")


def run(arguments):
    from course import plots  # here, because Matplotlib takes long to import

    read = [("a log", path) for path in arguments.logs]
    commands.check_files([("the figure", arguments.out)], read)
    logs = []
    for path in arguments.logs:
        try:
            log = records.read_log(path)
        except (OSError, records.LogError) as error:
            raise commands.CommandError(error) from None
        for problem in log.problems:
            print(f"{path}: left out: {problem}", file=sys.stderr)
        logs.append(log)
    try:
        plots.training_comparison(logs).savefig(arguments.out)
    except (OSError, ValueError) as error:
        raise commands.CommandError(f"cannot write {arguments.out}: {error}") from None
    print(f"Figure: {arguments.out}")
