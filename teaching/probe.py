"""Say what the exercises of a student's copy still tell. Runs in the copy, by its path.

Prints a sentence for each solution that still computes, is still shown, or is still at hand.
"""

import contextlib
import io
import os
import sys
import tempfile
from pathlib import Path

import exercises  # beside this file, which looks at the course that is imported: the copy
import numpy as np

from course.exercises import recorded


def told_by(place, exercise):
    """Yield sentences about one exercise."""
    if exercise.has_solution:
        yield f"{place} has its solution"
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        exercise.reveal()
    if " ".join(shown.getvalue().split()) != recorded.NO_SOLUTION:
        yield f"{place}.reveal() says more than whom to ask"
    if exercises.is_patient(exercise) or not exercises.is_own(exercise):
        return
    if exercise.mistakes:
        yield f"{place} has its known mistakes, from which the solution can be told"
    try:
        exercise.solution(*exercise.cases(np.random.default_rng(recorded.SEED))[0])
    except NotImplementedError:
        return
    yield f"{place} has a solution that still computes"


if __name__ == "__main__":
    if not exercises.FOLDER.is_relative_to(Path(sys.argv[1]).resolve()):
        sys.exit(f"not the copy is imported, but {exercises.FOLDER}")
    with tempfile.TemporaryDirectory() as progress:
        os.environ["COURSE_PROGRESS_DIR"] = progress
        for place, exercise in exercises.by_place().items():
            print(*told_by(place, exercise), sep="\n", end="")
