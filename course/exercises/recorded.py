"""What solutions gave in the cases that a learner sees, for a copy of the course without solutions.

`make student` leaves the solutions out of its copy and writes what they gave into `recorded.json`,
beside this file. Where that is, exercises are judged by it. In the whole course it is not there.
"""

import base64
import functools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course.exercises.running import Outcome
from course.exercises.verdict import ExerciseError

FILE = Path(__file__).with_name("recorded.json")
SEED = 0  # of the cases that a learner sees
NO_SOLUTION = (
    "This copy of the course has no solutions. Go through the hints once more, from the first on; "
    "who has been through them asks the teacher."
)
ONLY_VISIBLE = "This copy of the course has no solutions, so only the visible cases were tried."


class NoSolutionError(ExerciseError):
    """A lesson cannot go on without a right function, in a copy that has no other."""

    def _render_traceback_(self):  # IPython shows these lines in place of a traceback
        return [str(self)]


@dataclass(frozen=True)
class Record:
    """Of one exercise: the results of its solution, and what each known mistake makes of the cases.

    `results` has one for each case in the order of the judge, large ones last; `mistakes` maps the
    text of a mistake to its Outcomes in the cases that are not large.
    """

    results: list
    mistakes: dict


@functools.cache
def _all():
    return json.loads(FILE.read_text(encoding="utf-8")) if is_copy() else {}


def is_copy():
    """Whether this is a copy without solutions."""
    return FILE.exists()


def of(lesson, name):
    """The Record of an exercise, by its lesson and its solution's name; None if there is none."""
    found = _all().get(f"{lesson}/{name}")
    if found is None:
        return None
    mistakes = {
        text: [_outcome(one) for one in outcomes] for text, outcomes in found["mistakes"].items()
    }
    return Record(decoded(found["results"]), mistakes)


def _outcome(found):
    if "error" in found:
        return Outcome(error=type(found["error"], (Exception,), {})())
    return Outcome(value=decoded(found["value"]))


def encoded(value):
    """A result as JSON can keep it: arrays and bytes to the bit, tuples apart from lists."""
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.ascontiguousarray(value)
        content = base64.b64encode(array.tobytes()).decode()
        return {"array": content, "dtype": array.dtype.str, "shape": list(np.shape(value))}
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, tuple):
        return {"tuple": [encoded(one) for one in value]}
    if isinstance(value, list):
        return [encoded(one) for one in value]
    if isinstance(value, dict):
        return {"dict": [[encoded(key), encoded(one)] for key, one in value.items()]}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a result of {type(value).__name__} cannot be recorded")


def decoded(kept):
    """What `encoded` was given."""
    if isinstance(kept, list):
        return [decoded(one) for one in kept]
    if not isinstance(kept, dict):
        return kept
    if "array" in kept:
        content = base64.b64decode(kept["array"])
        return np.frombuffer(content, kept["dtype"]).reshape(kept["shape"])
    if "bytes" in kept:
        return base64.b64decode(kept["bytes"])
    if "tuple" in kept:
        return tuple(decoded(one) for one in kept["tuple"])
    return {decoded(key): decoded(one) for key, one in kept["dict"]}
