"""The exercises of lesson 07."""

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


SECONDS = Exercise(
    seconds_to,
    _time_cases,
    "np.flatnonzero(val_accuracy >= target) has the epochs, counted from 0, that are good enough. "
    "The time is the sum up to and including the first of them; math.inf if there is none.",
)
BEST = Exercise(
    best_epoch,
    lambda: [(text,) for text in LOGS],
    "Drop the lines that begin with #, split the header at its commas to find out where val_loss "
    "is, and skip the lines where that cell is empty. An epoch's number is what its line says.",
)
ERROR = Exercise(
    mean_and_error,
    _result_cases,
    "The sample standard deviation divides by n - 1: np.std(results, ddof=1). The error of the "
    "mean is that, divided by the square root of n.",
)
APART = Exercise(
    errors_apart,
    _pair_cases,
    "Errors add like the sides of a right triangle: the error of a difference is "
    "sqrt(error1 ** 2 + error2 ** 2).",
)
