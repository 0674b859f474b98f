"""What a checkpoint says of its model and its run, checked once, so that all others can rely on it.

`info` is whatever was saved beside the weights; the fields that the course itself reads have their
types in INFO. `run` is the state of a training loop, see RUN. What a network reached, and when it
was saved, is in `info["record"]`, see RESULT and `course.models.shelf`.
"""

import sys
from dataclasses import fields
from typing import get_args

from course.nn import classes
from course.nn.recipe import Recipe
from course.nn.training import EpochRecord

INFO = {"model": str, "name": str, "config": dict, "recipe": dict, "schedule": str, "data": dict}
DATA = {"digits": str, "samples": int, "labels_crc32": int}
RESULT = {
    "test_accuracy": float | None,
    "tested_on": str,
    "epochs": int | None,
    "parameters": int,
    "saved": str,
}
LONGEST = 60  # characters of a text in it
RUN = {"epoch": int, "best_epoch": int, "rng_state": int, "records": list}
RECIPE, RECORD = ({field.name: field.type for field in fields(c)} for c in (Recipe, EpochRecord))


def problem_of(info, run):
    """Say what is wrong with `info` (a dict) and `run` (a dict or None); "" if nothing is."""
    problem = _misfit("its description", info, INFO, required=())
    if not problem:
        problem = _misfit("its recipe", info.get("recipe", {}), RECIPE, required=(), others=False)
    if not problem and "data" in info:
        needed = ("digits", "samples") if run is not None else ()  # a run is resumed on the same
        problem = _misfit("its data", info["data"], DATA, required=needed)
    if not problem and "class_names" in info:
        problem = classes.problem_of(info["class_names"])
    if not problem and "record" in info:
        problem = _misfit("its record", info["record"], RESULT, required=(), others=False)
        problem = problem or _problem_of_record(info["record"])
    if not problem and not all(text.isprintable() for text in _shown(info)):
        problem = "its description has text that cannot be shown"
    return problem or (_problem_of_run(run) if run is not None else "")


def _shown(info):
    """The texts that messages and results quote; escape sequences would reach the terminal."""
    texts = [info.get(name, "") for name in ("model", "name", "schedule")]
    record = info.get("record", {})
    texts += [record.get(name, "") for name in ("tested_on", "saved")]
    return [*texts, info.get("data", {}).get("digits", "")]


def _problem_of_record(record):
    if not 0 <= (record.get("test_accuracy") or 0) <= 1:
        return f"its record has the accuracy {record['test_accuracy']:g}"
    counts = [record.get(name) or 0 for name in ("epochs", "parameters")]
    if not all(0 <= count < 2**53 for count in counts):
        return "its record has counts that cannot be"
    if any(len(record.get(name, "")) > LONGEST for name in ("tested_on", "saved")):
        return "its record has a text that is too long"
    return ""


def _problem_of_run(run):
    if problem := _misfit("its run", run, RUN):
        return problem
    for number, record in enumerate(run["records"], start=1):
        if problem := _misfit(f"record {number} of its run", record, RECORD, others=False):
            return problem
    epochs = [0] + [record["epoch"] for record in run["records"]]
    if epochs != sorted(set(epochs)) or epochs[-1] != run["epoch"]:
        return f"the records of its run do not lead to epoch {run['epoch']}"
    validated = {record["epoch"] for record in run["records"] if record["val_loss"] is not None}
    if run["best_epoch"] not in validated | {0}:
        return f"its run has no validation of its best epoch, {run['best_epoch']}"
    if not 0 < run["rng_state"] < 2**64:
        return "the state of its random numbers cannot be"
    return ""


def _misfit(what, values, types, required=None, others=True):
    """Say how `values` is no dict with fields of these types; all are required unless told.

    With `others` there may be more fields.
    """
    if not isinstance(values, dict):
        return f"{what} is not a set of fields"
    if missing := (types.keys() if required is None else set(required)) - values.keys():
        return f"{what} lacks {', '.join(sorted(missing))}"
    if not others and (unknown := values.keys() - types.keys()):
        return f"{what} has an unknown field, {min(unknown)!a:.40}"
    for name, kind in types.items():
        if name in values and not any(_is(values[name], k) for k in get_args(kind) or (kind,)):
            return f"{what} has no proper {name}, but {type(values[name]).__name__}"
    return ""


def _is(value, kind):
    """Whether `value`, out of JSON, is of `kind`; a number must be finite, and fit into a float."""
    if kind in (int, float):
        kinds = int if kind is int else (int, float)
        number = isinstance(value, kinds) and not isinstance(value, bool)
        return number and abs(value) <= sys.float_info.max
    return isinstance(value, kind)
