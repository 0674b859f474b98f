"""Say what you have done in each lesson: exercises, predictions, saved networks.

It is what the panel at the end of each lesson shows. To begin a lesson anew, remove its file.
"""

from course import commands
from course.progress import BEGUN, END, directory


def add_arguments(parser):
    commands.add_json_option(parser)


def run(arguments):
    from course import summary  # here, because NumPy takes long to import

    summaries = summary.summarize_all()
    print(*summary.table(summaries), summary.LEGEND, sep="\n")
    networks = summary.networks()
    print("Saved networks:", *(networks or ["none"]), sep="\n  ")
    print(f"Kept in {directory()}, a file for each lesson: remove it to begin that lesson anew.")
    if problem := summary.problem(summaries):
        print(problem)
    if arguments.json:
        commands.print_json(
            {
                "folder": str(directory()),
                "lessons": list(map(facts, summaries)),
                "networks": [vars(record) | {"path": str(record.path)} for record in networks],
            }
        )
    return 1 if problem else 0


def facts(summary):
    """A Summary as JSON has it."""
    return {
        "lesson": summary.lesson,
        "state": summary.state,
        "begun": summary.moments.get(BEGUN),
        "end": summary.moments.get(END),
        "exercises": summary.exercises,
        "predictions": {"made": summary.made} | vars(summary.tally),
        "problem": summary.problem,
    }
