"""Which run of a sweep is the best, what it takes to find it, and how much of its lead is luck."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Halving:
    """A sweep in which only the best go on: `rungs` are the numbers of the runs in each epoch."""

    rungs: list  # of arrays, each best first by what they reached in that epoch

    @property
    def winner(self):
        """The number of the run that is best in the end."""
        return int(self.rungs[-1][0])

    @property
    def trained(self):
        """Epochs that were trained, all runs together."""
        return sum(map(len, self.rungs))

    @property
    def saved(self):
        """Which share of the epochs that all runs would have taken was not trained."""
        return 1 - self.trained / (len(self.rungs) * len(self.rungs[0]))


def successive_halving(curves, factor=2):
    """After each epoch let only the best 1/factor of the runs go on, at least one; a `Halving`.

    curves (runs, epochs): accuracies after each epoch. NaN is worse than any; of equal ones the
    first is the better. Jamieson & Talwalkar, "Non-stochastic Best Arm Identification and
    Hyperparameter Optimization", AISTATS 2016.
    """
    left, rungs = np.arange(len(curves)), []
    for epoch in range(curves.shape[1]):
        if epoch:
            left = left[: max(1, len(left) // factor)]
        left = left[np.argsort(-curves[left, epoch], kind="stable")]  # NaN last
        rungs.append(left)
    return Halving(rungs)


def luck(sweep):
    """How far each run lies from the mean of its setting: on the held-out digits, on the test ones.

    Two arrays (runs,), of the runs that did not diverge and whose setting has several of them. A
    mean of k runs follows each of them by a k-th, which the factor makes up for, so that the
    deviations spread as those of runs from the true mean would.
    """
    val, test = [], []
    for runs in sweep.by_setting().values():
        good = runs.take(np.isfinite(runs["val_accuracy"]))
        if (k := len(good)) > 1:
            for found, name in ((val, "val_accuracy"), (test, "test_accuracy")):
                found.append((good[name] - good[name].mean()) * np.sqrt(k / (k - 1)))
    return np.concatenate([*val, []]), np.concatenate([*test, []])


def winners_lead(val, test, counts, draws=2000, seed=1):
    """How far the winner of n runs lies above the mean of its setting: arrays (len(counts),).

    val and test (runs,) are deviations as `luck` gives them. n runs are drawn, with replacement,
    and the best by `val` is chosen. The first array is its lead in `val`, on the mean over the
    draws, and the second its lead in `test`: that much of it is left on other digits.
    """
    random = np.random.default_rng(seed)
    drawn = (random.integers(0, len(val), (draws, n)) for n in counts)
    winners = [some[np.arange(draws), val[some].argmax(axis=1)] for some in drawn]  # (draws,)
    return tuple(
        np.array([deviations[some].mean() for some in winners]) for deviations in (val, test)
    )
