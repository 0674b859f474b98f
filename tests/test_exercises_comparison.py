"""The exercises of lesson 07 refuse what learners typically write, and take other right ways."""

import math

import numpy as np
import pytest

from course.exercises import comparison as exercises

curve, lead, mean_and_error = exercises.learning_curve, exercises.lead, exercises.mean_and_error

WRONG = {
    exercises.ERROR: {
        "of the population": lambda r: (np.mean(r), np.std(r) / math.sqrt(len(r))),
        "of one run": lambda r: (np.mean(r), np.std(r, ddof=1)),
        "by n": lambda r: (np.mean(r), np.std(r, ddof=1) / len(r)),
        "by n - 1 twice": lambda r: (np.mean(r), np.std(r, ddof=1) / math.sqrt(len(r) - 1)),
        "other way round": lambda r: mean_and_error(r)[::-1],
        "median": lambda r: (np.median(r) + 1e-3, mean_and_error(r)[1]),
    },
    exercises.CURVE: {
        "exchanged": lambda f, sizes, seeds: np.array(
            [[f(size, seed) for size in sizes] for seed in seeds]
        ),
        "one seed": lambda f, sizes, seeds: np.array(
            [[f(size, seeds[0]) for _ in seeds] for size in sizes]
        ),
        "counted": lambda f, sizes, seeds: np.array(
            [[f(size, seed) for seed, _ in enumerate(seeds)] for size in sizes]
        ),
        "means": lambda f, sizes, seeds: np.array(
            [np.mean([f(size, seed) for seed in seeds]) for size in sizes]
        ),
        "mistakes": lambda f, sizes, seeds: 1 - curve(f, sizes, seeds),
        "flat": lambda f, sizes, seeds: np.array([f(n, seed) for n in sizes for seed in seeds]),
    },
    exercises.LEAD: {
        "other sign": lambda a, b: lead(b, a),
        "no root": lambda a, b: (b.sum() - a.sum()) / max(1, (a != b).sum()),
        "all throws": lambda a, b: (b.sum() - a.sum()) / math.sqrt(len(a)),
        "unpaired": lambda a, b: (
            (b.mean() - a.mean()) / math.sqrt((np.var(a) + np.var(b)) / len(a))
        ),
        "counts": lambda a, b: b.sum() - a.sum(),
        "no sign": lambda a, b: abs(lead(a, b)),
        "nan without any": lambda a, b: (b.sum() - a.sum()) / np.sqrt((a != b).sum()),
    },
}
NAMELESS = {  # wrong in a way, or in two, that no message is made for
    "by n - 1 twice",
    "median",
    "flat",
    "nan without any",
}


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize(
    ("name", "exercise", "attempt"),
    [(name, e, f) for e, wrong in WRONG.items() for name, f in wrong.items()],
)
def test_tells_typical_mistakes(name, exercise, attempt):
    verdict = exercise.verdict(attempt).message
    assert verdict.startswith("Not yet: ")
    assert ("It looks as if" in verdict) == (name not in NAMELESS)


def by_loops(accuracy, sizes, seeds):
    accuracies = np.empty((len(sizes), len(seeds)))
    for row, size in enumerate(sizes):
        for column, seed in enumerate(seeds):
            accuracies[row, column] = accuracy(size, seed)
    return accuracies


def by_difference(first_right, second_right):
    gains = second_right.astype(int) - first_right  # 1, 0, -1
    return gains.sum() / max(1.0, np.sqrt(np.abs(gains).sum()))


@pytest.mark.parametrize(
    ("exercise", "attempt"),
    [
        (exercises.ERROR, lambda r: [sum(r) / len(r), math.sqrt(np.var(r, ddof=1) / len(r))]),
        (exercises.CURVE, by_loops),
        (exercises.LEAD, by_difference),
    ],
)
def test_accepts_other_ways(exercise, attempt):
    assert exercise.verdict(attempt).status == "passed"


def test_equal_networks_lead_by_more_than_two_errors_once_in_twenty_times():
    random = np.random.default_rng(0)
    leads = [lead(*(random.random((2, 1000)) < 0.93)) for _ in range(1000)]
    assert np.std(leads) == pytest.approx(1, abs=0.1)
    assert 0.03 < np.mean(np.abs(leads) > 2) < 0.07
