"""Judge the exercises in learners' notebooks; docs/check.md has the rules and the form of --json.

Each notebook is run from top to bottom in a kernel of its own. Then every exercise that it asks
for is tried on the cases that the learner sees, and on others drawn anew: answers learned by heart
fail, and so does the course's own solution. The exit code is 0 if all exercises have passed.
"""

import os
import secrets

from course import commands

TIMEOUT = 120  # seconds: the first training may have to wait for a compiler


def add_arguments(parser):
    parser.add_argument("notebooks", metavar="NOTEBOOK", nargs="+", help="what a learner hands in")
    parser.add_argument(
        "--json", action="store_true", help="print one line of JSON instead, for programs"
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="fail, too, where a cell raises, takes too long or ends the kernel, "
        "or a solution is shown",
    )
    parser.add_argument(
        "--timeout",
        type=commands.whole_number(1, 86_400),
        metavar="S",
        default=TIMEOUT,
        help="seconds that a cell may take (default: %(default)s)",
    )
    parser.add_argument(
        "--seed",
        type=commands.whole_number(1, 2**32),
        metavar="N",
        help="of the cases that the learner does not see (default: another one each time)",
    )


def run(arguments):
    for path in arguments.notebooks:
        if not os.path.isfile(path):
            what = "is a folder" if os.path.isdir(path) else "is not there"
            raise commands.UsageError(
                f"{path} {what}; name the notebooks, as files that end in .ipynb"
            )
    from course.commands.check import report  # here, because Jupyter takes long to import

    seed = arguments.seed or secrets.randbelow(2**32) + 1
    found = report.report(arguments.notebooks, seed, arguments.timeout, arguments.strict)
    if arguments.json:
        commands.print_json(found)
    else:
        print(report.as_text(found))
    return 0 if found["passed"] else 1
