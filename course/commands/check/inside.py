"""Runs in the learner's kernel, after the cells that check an exercise, and after the last one.

It looks at what the exercises remember, and not at names in the notebook, which may mean anything
by now. It is no match for who means to deceive: in its own kernel a notebook can do what it wants.
"""

import json
import operator

from course.commands.check.asked import find
from course.nn import files

_judged = {}  # (place, seed) -> what was handed in, and what is said of it


def judge(places, seed, path):
    """Write the verdicts on the functions that were last checked, as JSON, to the file `path`.

    The file has an object for each exercise, by its place: "status", "kind" and "message" of the
    verdict, and in which "cases" it was found, "visible" or "held-out". It is empty if no function
    was handed in, and null if judging it did not end. What was judged before stays: a function may
    use names that mean something else further down.

    Args:
        places: of the exercises, such as "mlp.STEP".
        seed: that the held-out cases are drawn with.
        path: of the file.
    """
    for place in places:
        exercise = find(place)
        handed_in = (exercise.attempt, exercise.forward)
        before, _ = _judged.get((place, seed), ((None, None), None))
        if exercise.attempt is not None and not all(map(operator.is_, handed_in, before)):
            _judged[place, seed] = handed_in, None  # not once more if it ends in the midst
            _judged[place, seed] = handed_in, _verdict(exercise, seed)
    found = {
        place: verdict for (place, of_seed), (_, verdict) in _judged.items() if of_seed == seed
    }
    with files.replacing(path) as file:
        file.write(json.dumps({place: {} for place in places} | found).encode())


def _verdict(exercise, seed):
    verdict = exercise.verdict(exercise.attempt, exercise.forward)
    cases = "visible"
    if verdict.status == "passed" and not exercise.record:  # which has no other cases
        verdict = exercise.verdict(exercise.attempt, exercise.forward, seed=seed)
        cases = "held-out"
    found = {name: getattr(verdict, name) for name in ("status", "kind", "message")}
    return found | {"cases": cases}
