"""The exercises of lesson 07b."""

import numpy as np

from course.exercises import Exercise

LESSON = "07b-a-thousand-runs"


def halve(curves, factor):
    left, trained = np.arange(len(curves)), 0
    for epoch in range(curves.shape[1]):
        if epoch > 0:
            left = left[: max(1, len(left) // factor)]
        trained += len(left)
        left = left[np.argsort(-curves[left, epoch])]
    return left[0], trained


def excess(val, test):
    lost, winner = val - test, np.argmax(val)
    return lost[winner] - np.mean(np.delete(lost, winner))


def _curve_cases(random):
    crossing = np.array([[0.9, 0.91], [0.8, 0.95], [0.7, 0.96], [0.6, 0.99]])
    cases = [(crossing, 2), (crossing[:, :1], 3)]
    for runs, epochs, factor in [(9, 3, 3), (5, 4, 2), (20, 3, 4)]:
        curves = np.cumsum(random.random((runs, epochs)), axis=1)
        cases.append((curves / curves.max() * 0.99, factor))
    diverged = cases[2][0].copy()
    diverged[:5, 1:] = np.nan
    return [*cases, (diverged, 2)]


def _accuracy_cases(random):
    cases = [(np.array([0.97, 0.98, 0.96]), np.array([0.96, 0.96, 0.96]))]
    for runs in random.integers(5, 30, 3):
        reached = random.uniform(0.9, 0.98, runs)
        cases.append((reached + 0.01 * random.random(runs), reached))
    return cases


def _without(*omitted):
    """`halve` with a mistake in it."""

    def attempt(curves, factor):
        left, trained = np.arange(len(curves)), 0
        for epoch in range(curves.shape[1]):
            if epoch > 0 and "sieve" not in omitted:
                left = left[: max(1, len(left) // factor)]
            trained += 1 if "count" in omitted else len(left)
            reached = curves[left, -1 if "now" in omitted else epoch]
            left = left[np.argsort(reached if "best" in omitted else -reached)]
        return left[0], trained

    return attempt


def _lost_more(val, test, run):
    lost = val - test
    return lost[run] - np.mean(np.delete(lost, run))


def _place_among_the_left(curves, factor):
    """The mistake of taking a place in the sorted part for the number of a run."""
    part, trained = curves, 0
    for epoch in range(curves.shape[1]):
        if epoch > 0:
            part = part[: max(1, len(part) // factor)]
        trained += len(part)
        order = np.argsort(-part[:, epoch])
        part = part[order]
    return order[0], trained


HALVE = Exercise(
    halve,
    _curve_cases,
    "Keep an array of the numbers of the runs that are left; np.arange(len(curves)) are all.",
    "In each epoch: drop all but the first max(1, len(left) // factor), but not before the first "
    "epoch; count those that train; sort them by curves[left, epoch], the best first.",
    "left = left[np.argsort(-curves[left, epoch])] sorts, and puts NaN last.",
    lesson=LESSON,
    mistakes={
        "the worst go on": _without("best"),
        "nobody is dropped": _without("sieve"),
        "it looks at the last epoch, which those that are dropped never reach": _without("now"),
        "the epochs of all runs count, not one for each epoch": _without("count"),
        "the winner is a place among those that are left, not the number of its run": (
            _place_among_the_left
        ),
        "winner and epochs are exchanged": lambda curves, factor: halve(curves, factor)[::-1],
    },
)
EXCESS = Exercise(
    excess,
    _accuracy_cases,
    "Who wins, and by what? Then look at the same run on the test digits.",
    "val - test is what each run loses. How much more does the winner lose than the others do, on "
    "their mean?",
    "lost = val - test; np.delete(lost, winner) are those of the others.",
    lesson=LESSON,
    mistakes={
        "the mean of the others is not taken off: the held-out digits may be easier for all": (
            lambda val, test: (val - test)[np.argmax(val)]
        ),
        "the winner is among those that it is compared with": (
            lambda val, test: (val - test)[np.argmax(val)] - np.mean(val - test)
        ),
        "the winner is chosen by the test digits; those are for the end": (
            lambda val, test: _lost_more(val, test, np.argmax(test))
        ),
        "it is the largest loss of all runs, not that of the winner": (
            lambda val, test: _lost_more(val, test, np.argmax(val - test))
        ),
        "the sign is that of what is gained; what is lost is asked for": (
            lambda val, test: -excess(val, test)
        ),
        "it is the lead on the held-out digits; what does the winner keep of it?": (
            lambda val, test: np.max(val) - np.mean(np.delete(val, np.argmax(val)))
        ),
    },
)
