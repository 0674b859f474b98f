"""Say which versions, BLAS, cores and digits are in use: what to report with a problem.

It is what lesson 00 asks too: everything is compared with what the course needs.
"""

from course import commands, environment


def add_arguments(parser):
    commands.add_json_option(parser)


def run(arguments):
    report = environment.check()
    print(report, report.verdict, sep="\n")
    if arguments.json:
        commands.print_json(report.facts)
    return 1 if report.problems else 0
