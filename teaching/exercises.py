"""All exercises of the course, as it is here, and the places in which their solutions stand."""

import importlib
import inspect
from pathlib import Path

from course.exercises import Exercise
from course.exercises.patient import Patient

FOLDER = Path(inspect.getfile(Exercise)).parent
PACKAGE = "course.exercises"


def by_place():
    """A dict from "mlp.STEP" to its Exercise, in the order of the files."""
    found = {}
    for path in sorted(FOLDER.glob("*.py")):
        module = importlib.import_module(f"{PACKAGE}.{path.stem}")
        found |= {
            f"{path.stem}.{name}": one
            for name, one in vars(module).items()
            if isinstance(one, Exercise) and name.isupper()
        }
    return found


def is_patient(exercise):
    return isinstance(exercise, Patient)


def is_own(exercise):
    """Whether the solution stands with the exercises. Else it is a part of a lesson's module."""
    return exercise.solution.__module__.startswith(f"{PACKAGE}.")


def secret_lines(exercises):
    """The lines of solutions that a student is not to find: a dict from their names to lists.

    That is, of functions all but the `def`, and of patients what mending changes, unless another
    patient has such a line.
    """
    sick = [inspect.getsource(one.sick) for one in exercises if is_patient(one)]
    found = {}  # two solutions may have one name
    for one in exercises:
        if is_patient(one):
            old, new = one.mend
            lines = inspect.getsource(one.sick).replace(old, new).splitlines()
            lines = [line for line in lines if not any(line in source for source in sick)]
        else:
            lines = inspect.getsource(one.solution).splitlines()[1:] if is_own(one) else []
        found.setdefault(one.solution.__name__, []).extend(lines)
    return found
