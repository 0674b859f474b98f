"""Runs in the learner's kernel, after the last cell: judges what was handed in.

It looks at what the exercises remember, and not at names in the notebook, which may mean anything
by now. It is no match for who means to deceive: in its own kernel a notebook can do what it wants.
"""

import json

from course.commands.check.asked import find
from course.nn import files


def judge(places, seed, path):
    """Write the verdicts on the functions that were last checked, as JSON, to the file `path`.

    The file has an object for each exercise, by its place: "status", "kind" and "message" of the
    verdict, and in which "cases" it was found, "visible" or "held-out"; nothing if no function was
    handed in. It is written anew after each: a function may end the kernel.

    Args:
        places: of the exercises, such as "mlp.STEP".
        seed: that the held-out cases are drawn with.
        path: of the file.
    """
    found = {}
    for place in places:
        found[place] = _judged(find(place), seed)
        with files.replacing(path) as file:
            file.write(json.dumps(found).encode())


def _judged(exercise, seed):
    if exercise.attempt is None:
        return {}
    verdict = exercise.verdict(exercise.attempt, exercise.forward)
    cases = "visible"
    if verdict.status == "passed":
        verdict = exercise.verdict(exercise.attempt, exercise.forward, seed=seed)
        cases = "held-out"
    found = {name: getattr(verdict, name) for name in ("status", "kind", "message")}
    return found | {"cases": cases}
