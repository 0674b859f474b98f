"""The exercises of lesson 07."""

import csv
import math

import numpy as np

from course.exercises import Exercise


def seconds_to(target, train_time, val_accuracy):
    reached = np.flatnonzero(val_accuracy >= target)
    if len(reached) == 0:
        return math.inf
    return np.sum(train_time[: reached[0] + 1])


def best_epoch(text):
    header, *lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    column = header.split(",").index("val_loss")
    losses = {}
    for line in lines:
        cells = line.split(",")
        if cells[column]:  # it was measured
            losses[int(cells[0])] = float(cells[column])
    return min(losses, key=losses.get)


def mean_and_error(results):
    return np.mean(results), np.std(results, ddof=1) / math.sqrt(len(results))


def errors_apart(first, second):
    (mean1, error1), (mean2, error2) = mean_and_error(first), mean_and_error(second)
    return abs(mean1 - mean2) / math.sqrt(error1**2 + error2**2)


HEADER = "epoch,train_loss,train_time,val_loss,val_accuracy,learning_rate\n"
LOGS = (
    HEADER + "1,0.52,0.8,0.31,0.91,0.1\n2,0.21,0.8,0.2,0.94,0.1\n3,0.09,0.8,0.22,0.945,0.1\n",
    "# command: python -m course train cnn\n# machine: a, b, 2 cores\n"
    + HEADER
    + "1,0.4,2.1,0.2,0.9,0.1\n2,0.3,2.1,,,0.1\n3,0.2,2.2,0.15,0.8,0.1\n",  # one not measured
    HEADER + "10,0.4,2.1,1.2e-1,0.9,0.1\n20,0.3,2.1,3,0.9,0.1\n30,0.2,2.2,0.125,0.8,0.1\n",
    "epoch,train_loss,val_loss\n4,0.05,11.5\n5,0.04,9.25\n6,0.03,10.0\n",  # fewer columns
)


def _time_cases():
    rising = np.array([0.9, 0.95, 0.965, 0.972, 0.969, 0.98])
    seconds = np.array([1.5, 0.8, 0.9, 0.7, 0.8, 1.0])
    unmeasured = np.array([np.nan, 0.91, np.nan, 0.975])
    return [
        (0.97, seconds, rising),
        (0.9, seconds, rising),
        (0.972, seconds, rising),
        (0.99, seconds, rising),
        (0.97, seconds[:4], unmeasured),
    ]


def _result_cases():
    return [
        (np.array([0.93, 0.95]),),
        (np.array([0.935, 0.931, 0.93, 0.935, 0.934]),),
        (np.array([0.89, 0.914, 0.905, 0.918]),),
    ]


def _pair_cases():
    constant = np.array([0.89, 0.914, 0.905, 0.918, 0.903])
    cosine = np.array([0.934, 0.932, 0.931, 0.943])
    return [(constant, cosine), (cosine, constant), (cosine, np.array([0.93, 0.937, 0.941]))]


def _seconds_until(good_enough, offset):
    """The mistakes of counting: sum the epochs before the first that is good enough, and offset."""

    def attempt(target, train_time, val_accuracy):
        reached = np.flatnonzero(good_enough(val_accuracy, target))
        return np.sum(train_time[: reached[0] + offset]) if len(reached) else math.inf

    return attempt


def _epoch_with(choose, column, empty=0.0, answer="epoch", read=float):
    """The mistakes of reading: choose by another column, or count an empty cell as a number."""

    def attempt(text):
        rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
        rows = [row | {"place": place} for place, row in enumerate(rows, start=1)]
        row = choose(rows, key=lambda row: read(row[column] or empty))
        return float(row[answer]) if answer == "val_loss" else int(row[answer])

    return attempt


SECONDS = Exercise(
    seconds_to,
    _time_cases,
    "Which is the first epoch that is good enough? Every epoch up to it has cost its time.",
    "np.flatnonzero(val_accuracy >= target) has the epochs, counted from 0, that are good enough. "
    "The time is the sum up to and including the first of them; math.inf if there is none.",
    "reached = np.flatnonzero(...); without any, math.inf, otherwise "
    "train_time[: reached[0] + 1].sum().",
    mistakes={
        "the epoch that reaches the target is not counted, though it takes time, too": (
            _seconds_until(np.greater_equal, 0)
        ),
        "the target must be exceeded; to reach it is enough": _seconds_until(np.greater, 1),
        "the epochs are counted, not their seconds": (
            lambda t, s, a: np.argmax(a >= t) + 1 if (a >= t).any() else math.inf
        ),
        "all epochs are counted, those after the target, too": (
            lambda t, s, a: s.sum() if (a >= t).any() else math.inf
        ),
        "only the epoch that reaches the target is counted": (
            lambda t, s, a: s[np.argmax(a >= t)] if (a >= t).any() else math.inf
        ),
        "a target that is never reached is taken for reached at once": (
            lambda t, s, a: s[: np.argmax(a >= t) + 1].sum()
        ),
    },
)
BEST = Exercise(
    best_epoch,
    lambda: [(text,) for text in LOGS],
    "Begin with text.splitlines(). Which lines are no epochs? Where is val_loss?",
    "Drop the lines that begin with #, split the header at its commas to find out where val_loss "
    "is, and skip the lines where that cell is empty. An epoch's number is what its line says.",
    "Fill a dict, losses[int(cells[0])] = float(cells[column]), and return min(losses, "
    "key=losses.get).",
    mistakes={
        "the training loss decides, not the validation loss": _epoch_with(min, "train_loss"),
        "an epoch that was not measured counts as a loss of 0": _epoch_with(min, "val_loss"),
        "the epoch with the highest loss is found": _epoch_with(max, "val_loss"),
        "the losses are compared letter by letter, as text; float() makes numbers of them": (
            _epoch_with(min, "val_loss", empty="9", read=str)
        ),
        "the lines are counted; an epoch's number is what its line begins with": (
            _epoch_with(min, "val_loss", empty=math.inf, answer="place")
        ),
        "the lowest loss itself is returned, not its epoch": (
            _epoch_with(min, "val_loss", empty=math.inf, answer="val_loss")
        ),
    },
)
ERROR = Exercise(
    mean_and_error,
    _result_cases,
    "Two numbers: the mean, and how far it would be off if you did all of it once more.",
    "The sample standard deviation divides by n - 1: np.std(results, ddof=1). The error of the "
    "mean is that, divided by the square root of n.",
    "return np.mean(results), np.std(results, ddof=1) / math.sqrt(...).",
    mistakes={
        "the deviation is divided by n and not by n - 1: ddof=1 is missing": (
            lambda r: (np.mean(r), np.std(r) / math.sqrt(len(r)))
        ),
        "this is the deviation of one run; that of the mean is sqrt(n) times smaller": (
            lambda r: (np.mean(r), np.std(r, ddof=1))
        ),
        "the deviation is divided by n, not by its root": (
            lambda r: (np.mean(r), np.std(r, ddof=1) / len(r))
        ),
        "mean and error are exchanged": lambda r: mean_and_error(r)[::-1],
    },
)
APART = Exercise(
    errors_apart,
    _pair_cases,
    "Exercise 3 gives you both means and both errors. What is the error of their difference?",
    "Errors add like the sides of a right triangle: the error of a difference is "
    "sqrt(error1 ** 2 + error2 ** 2).",
    "abs(mean1 - mean2) / math.hypot(error1, error2), with both from mean_and_error.",
    mistakes={
        "the two errors are added; add their squares, and take the root": lambda a, b: (
            abs(np.mean(a) - np.mean(b)) / (mean_and_error(a)[1] + mean_and_error(b)[1])
        ),
        "the difference has a sign; a distance has none": lambda a, b: math.copysign(
            errors_apart(a, b), np.mean(a) - np.mean(b)
        ),
        "the deviations of single runs are used, not the errors of the means": lambda a, b: (
            abs(np.mean(a) - np.mean(b)) / math.hypot(np.std(a, ddof=1), np.std(b, ddof=1))
        ),
        "only the first error is used": lambda a, b: (
            abs(np.mean(a) - np.mean(b)) / mean_and_error(a)[1]
        ),
    },
)
