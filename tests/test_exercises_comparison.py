"""The exercises of lesson 07 refuse what learners typically write, and take other right ways."""

import csv
import math

import numpy as np
import pytest

from course.exercises import comparison as exercises
from course.records import read_log


def rows(text):
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


def first_row_with(least, values):
    return values.index(least(values)) + 1


WRONG = {
    exercises.SECONDS: {
        "one epoch too few": lambda t, s, a: s[: np.argmax(a >= t)].sum(),
        "all epochs": lambda t, s, a: s.sum() if (a >= t).any() else math.inf,
        "that epoch alone": lambda t, s, a: s[np.argmax(a >= t)] if (a >= t).any() else math.inf,
        "never is the first": lambda t, s, a: s[: np.argmax(a >= t) + 1].sum(),
        "above, not at": lambda t, s, a: (
            s[: np.argmax(a > t) + 1].sum() if (a > t).any() else math.inf
        ),
        "epochs, not seconds": lambda t, s, a: (
            np.argmax(a >= t) + 1 if (a >= t).any() else math.inf
        ),
        "the last that was too low": lambda t, s, a: (
            s[: np.flatnonzero(a < t)[-1] + 2].sum() if (a >= t).any() else math.inf
        ),
    },
    exercises.BEST: {
        "training loss": lambda text: int(
            min(rows(text), key=lambda row: float(row["train_loss"]))["epoch"]
        ),
        "greatest": lambda text: int(
            max(rows(text), key=lambda row: float(row["val_loss"] or 0))["epoch"]
        ),
        "as text": lambda text: int(
            min(rows(text), key=lambda row: row["val_loss"] or "9")["epoch"]
        ),
        "fourth column": lambda text: int(
            min(rows(text), key=lambda row: float(list(row.values())[3] or 9))["epoch"]
        ),
        "place in the file": lambda text: first_row_with(
            min, [float(row["val_loss"] or 99) for row in rows(text)]
        ),
        "empty is zero": lambda text: int(
            min(rows(text), key=lambda row: float(row["val_loss"] or 0))["epoch"]
        ),
        "the loss": lambda text: min(float(row["val_loss"] or 99) for row in rows(text)),
    },
    exercises.ERROR: {
        "of the population": lambda r: (np.mean(r), np.std(r) / math.sqrt(len(r))),
        "of one run": lambda r: (np.mean(r), np.std(r, ddof=1)),
        "by n": lambda r: (np.mean(r), np.std(r, ddof=1) / len(r)),
        "by n - 1 twice": lambda r: (np.mean(r), np.std(r, ddof=1) / math.sqrt(len(r) - 1)),
        "other way round": lambda r: exercises.mean_and_error(r)[::-1],
        "median": lambda r: (np.median(r) + 1e-3, exercises.mean_and_error(r)[1]),
    },
    exercises.APART: {
        "errors added": lambda a, b: (
            abs(a.mean() - b.mean())
            / (exercises.mean_and_error(a)[1] + exercises.mean_and_error(b)[1])
        ),
        "with a sign": lambda a, b: (
            (a.mean() - b.mean())
            / math.hypot(exercises.mean_and_error(a)[1], exercises.mean_and_error(b)[1])
        ),
        "deviations": lambda a, b: (
            abs(a.mean() - b.mean()) / math.hypot(a.std(ddof=1), b.std(ddof=1))
        ),
        "first error": lambda a, b: abs(a.mean() - b.mean()) / exercises.mean_and_error(a)[1],
    },
}


NAMELESS = {  # wrong in a way, or in two, that no message is made for
    "one epoch too few",
    "the last that was too low",
    "fourth column",
    "by n - 1 twice",
    "median",
}


@pytest.mark.parametrize(
    ("name", "exercise", "attempt"),
    [(name, e, f) for e, wrong in WRONG.items() for name, f in wrong.items()],
)
def test_tells_typical_mistakes(name, exercise, attempt):
    verdict = exercise.verdict(attempt)
    assert verdict.startswith("Not yet: ")
    assert ("It looks as if" in verdict) == (name not in NAMELESS)


def by_cumsum(target, train_time, val_accuracy):
    for seconds, accuracy in zip(np.cumsum(train_time), val_accuracy, strict=True):
        if accuracy >= target:
            return seconds
    return float("inf")


def by_csv(text):
    measured = [row for row in rows(text) if row["val_loss"]]
    return int(min(measured, key=lambda row: float(row["val_loss"]))["epoch"])


@pytest.mark.parametrize(
    ("exercise", "attempt"),
    [
        (exercises.SECONDS, by_cumsum),
        (exercises.BEST, by_csv),
        (exercises.ERROR, lambda r: [sum(r) / len(r), math.sqrt(np.var(r, ddof=1) / len(r))]),
        (
            exercises.APART,
            lambda a, b: (
                abs(a.mean() - b.mean())
                / math.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
            ),
        ),
    ],
)
def test_accepts_other_ways(exercise, attempt):
    assert exercise.verdict(attempt).startswith("Correct")


@pytest.mark.parametrize("text", exercises.LOGS)
def test_the_logs_of_the_exercise_are_logs(tmp_path, text):
    path = tmp_path / "training_loss_mlp.txt"
    path.write_text(text)
    log = read_log(path)
    assert log.problems == []
    assert log.epoch[np.nanargmin(log.val_loss)] == exercises.best_epoch(text)
