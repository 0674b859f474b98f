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


def winners_excess(val, test, counts, draws=2000, seed=1):
    """How much too good the winner of n runs looks, on the mean: (len(counts),), one for each n.

    val and test (runs,) are accuracies. n of the runs are drawn, and the best of them by `val` is
    chosen. What it loses from there to `test`, beyond what all runs lose on the mean, it owes to
    being chosen: the held-out digits may be easier for all, but they were lucky for the winner.
    """
    random, lost = np.random.default_rng(seed), val - test - np.mean(val - test)
    chosen = [random.integers(0, len(val), (draws, n)) for n in counts]  # (draws, n)
    winners = [np.take_along_axis(some, val[some].argmax(1)[:, None], 1)[:, 0] for some in chosen]
    return np.array([lost[some].mean() for some in winners])
