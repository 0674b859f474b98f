"""The exercises of lesson 07."""

import math

import numpy as np

from course.exercises import Exercise

LESSON = "07-comparison"


def mean_and_error(results):
    return np.mean(results), np.std(results, ddof=1) / math.sqrt(len(results))


def learning_curve(accuracy, sizes, seeds):
    return np.array([[accuracy(size, seed) for seed in seeds] for size in sizes])


def lead(first_right, second_right):
    only_first = np.sum(first_right & ~second_right)
    only_second = np.sum(second_right & ~first_right)
    disagreements = only_first + only_second
    return (only_second - only_first) / math.sqrt(disagreements) if disagreements else 0.0


class Accuracy:
    """An accuracy that is quickly there, and another one for each size and seed."""

    def __call__(self, size, seed):
        return 1 - 1 / math.sqrt(size) - 0.01 * math.sin(seed)

    def __repr__(self):
        return "accuracy"


def _result_cases(random):
    drawn = [random.uniform(0.85, 0.95, count) for count in random.integers(3, 9, 3)]
    return [(np.array([0.93, 0.95]),), (np.array([0.9, 0.94, 0.95]),), *((r,) for r in drawn)]


def _curve_cases(random):
    cases = [(Accuracy(), [100, 400], [3, 1, 2])]
    for sizes, seeds in ((3, 2), random.integers(2, 5, 2)):
        several = np.cumsum(random.integers(50, 500, sizes)).tolist()
        cases.append((Accuracy(), several, random.permutation(20)[:seeds].tolist()))
    return cases


def _answer_cases(random):
    cases = [(np.array([True, False, False, True]), np.array([True, True, True, False]))]
    for count in random.integers(20, 60, 2):
        good, better = (random.random(count) < share for share in (0.6, 0.9))
        cases += [(good, better), (better, good), (good, good.copy())]
    return cases


def _lead_over(divisor):
    """The mistakes of dividing: by something other than the root of the disagreements."""

    def attempt(first_right, second_right):
        difference = np.sum(second_right) - np.sum(first_right)
        return difference / divisor(first_right, second_right) if difference else 0.0

    return attempt


ERROR = Exercise(
    mean_and_error,
    _result_cases,
    "Two numbers: the mean, and how far it would be off if you did all of it once more.",
    "The sample standard deviation divides by n - 1: np.std(results, ddof=1). The error of the "
    "mean is that, divided by the square root of n.",
    "return np.mean(results), np.std(results, ddof=1) / math.sqrt(...).",
    lesson=LESSON,
    mistakes={
        "the variance is divided by n and not by n - 1: ddof=1 is missing": (
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
CURVE = Exercise(
    learning_curve,
    _curve_cases,
    "Two loops, one in the other: which one makes the rows?",
    "A row for each size, and in it an entry for each seed: accuracy(size, seed). np.array makes "
    "an array of a list of lists.",
    "return np.array([[accuracy(size, seed) for seed in ...] for size in ...]).",
    lesson=LESSON,
    mistakes={
        "rows and columns are exchanged: a row belongs to one size": (
            lambda f, sizes, seeds: learning_curve(f, sizes, seeds).T
        ),
        "every run of a size has the same seed": lambda f, sizes, seeds: np.array(
            [[f(size, seeds[0])] * len(seeds) for size in sizes]
        ),
        "the seeds are counted from 0 instead of taken from the list": (
            lambda f, sizes, seeds: learning_curve(f, sizes, range(len(seeds)))
        ),
        "the mean is taken already; return all the runs, so that their spread is not lost": (
            lambda f, sizes, seeds: learning_curve(f, sizes, seeds).mean(axis=1)
        ),
        "it is the share of mistakes; return the accuracies as they are": (
            lambda f, sizes, seeds: 1 - learning_curve(f, sizes, seeds)
        ),
    },
)
LEAD = Exercise(
    lead,
    _answer_cases,
    "Which digits tell the two networks apart? Not those that both read, or neither.",
    "np.sum(second_right & ~first_right) counts the digits that only the second one reads. The "
    "difference of heads and tails in d throws has a standard deviation of sqrt(d).",
    "(only_second - only_first) / math.sqrt(only_second + only_first), and 0.0 where they never "
    "disagree.",
    lesson=LESSON,
    mistakes={
        "the sign is that of the first network's lead; the second one's is asked for": (
            lambda a, b: lead(b, a)
        ),
        "the lead is divided by the disagreements, not by the root of their number": (
            _lead_over(lambda a, b: np.sum(a ^ b))
        ),
        "all digits count as throws; those on which both agree tell nothing": (
            _lead_over(lambda a, b: math.sqrt(len(a)))
        ),
        "the two errors are added as if each network had read digits of its own": (
            _lead_over(lambda a, b: math.sqrt(len(a) * (np.var(a) + np.var(b))))
        ),
        "the lead is not divided by its standard deviation yet": _lead_over(lambda a, b: 1),
        "the sign is lost: the lead is below 0 where the first network is ahead": (
            lambda a, b: abs(lead(a, b))
        ),
    },
)
