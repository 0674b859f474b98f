"""What solutions give in the cases that a learner sees: what `course.exercises.recorded` reads."""

import copy
import json

from course.exercises import recorded
from course.exercises.judge import ordered_cases


def as_json(exercises):
    """The content of `recorded.json`, as a text, for exercises that are functions to write."""
    kept = {f"{one.lesson}/{one.solution.__name__}": _record(one) for one in exercises}
    return json.dumps(kept, separators=(",", ":")) + "\n"


def _record(exercise):
    cases, large = ordered_cases(exercise, recorded.SEED)
    results = [exercise.result(exercise.solution, copy.deepcopy(case)) for case in cases + large]
    mistakes = {text: list(map(_outcome, made)) for text, made in exercise.made(cases)}
    return {"results": recorded.encoded(results), "mistakes": mistakes}


def _outcome(outcome):
    if outcome.error:
        return {"error": type(outcome.error).__name__}
    return {"value": recorded.encoded(outcome.value)}
