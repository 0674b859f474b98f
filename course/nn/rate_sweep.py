"""Which learning rates are any good? Try them all, from tiny to huge, in a few seconds.

>>> print(sweep(RECIPE.trainer(MLP(seed=1)), x, y))
The loss falls at learning rates from 0.0019 to 0.22. Try 0.054, a quarter of the largest.

The range test of Smith, "Cyclical learning rates for training neural networks" (WACV 2017), section
3.3, with three changes that are usual since: the rate grows by a factor at each step instead of by
an amount, one goes by the loss instead of the accuracy, and a few hundred steps do.
"""

from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from course.nn.rng import SimpleRng
from course.nn.signals import lent
from course.nn.training import copy_weights

LOWEST, HIGHEST = 1e-6, 10.0  # learning rates that are tried
MEMORY = 0.9  # of the smoothed loss: the share that stays at each step
HOPELESS = 4.0  # times the first loss; from there on larger rates need not be tried
# Noise alone makes the smoothed loss of healthy models fall by 1 to 2 % of its first value; at the
# best rate it falls by 12 (attention) to 80 % (MLP).
FALL = 0.05
BEGINNING = 0.1  # share of the whole fall from which on it counts as falling
# Smith's rule for the lower of two rates, "1/3 or 1/4" of the largest that works. For the MLP, the
# CNN, the attention model and small networks, with SGD, momentum and Adam, it is within a factor of
# three of what their recipes have, and no constant rate from a quarter to eight times as large
# reads 5 % more of the held-out training digits after three epochs (`tests/test_rate_sweep.py`).
SAFETY = 4.0


@dataclass(frozen=True)
class Sweep:
    """What a sweep saw: the losses (n,) of the batches before the steps at `rates` (n,)."""

    rates: np.ndarray
    losses: np.ndarray

    @property
    def smoothed(self):
        """A running mean of the losses (n,) in which older ones count less and less."""
        mean, means = 0.0, []
        for step, loss in enumerate(self.losses, start=1):
            mean = MEMORY * mean + (1 - MEMORY) * loss
            means.append(mean / (1 - MEMORY**step))  # it began at 0
        return np.array(means)

    @property
    def usable(self):
        """(lowest, highest) of the rates at which the loss falls, or None if it never does."""
        smoothed = self.smoothed
        if not np.isfinite(smoothed[0]):
            return None
        first, bottom = smoothed[: round(1 / (1 - MEMORY))].mean(), int(np.nanargmin(smoothed))
        fall = first - smoothed[bottom]
        if not fall > FALL * first:
            return None
        beginning = int(np.argmax(first - smoothed > BEGINNING * fall))
        return float(self.rates[beginning]), float(self.rates[bottom])

    @property
    def suggestion(self):
        """The learning rate to try: a quarter of the highest usable one; None if there is none."""
        return self.usable[1] / SAFETY if self.usable else None

    def __str__(self):
        if not self.usable:
            return (
                f"The loss falls at no learning rate from {self.rates[0]:.2g} to "
                f"{self.rates[-1]:.2g}: something else is wrong."
            )
        low, high = self.usable
        return (
            f"The loss falls at learning rates from {low:.2g} to {high:.2g}. "
            f"Try {self.suggestion:.2g}, a quarter of the largest."
        )


def sweep(trainer, x, y, weights=None, steps=200):
    """Train for `steps` steps at learning rates that grow from LOWEST to HIGHEST; return a Sweep.

    x (samples, ...) and y (samples,) are what `trainer.fit` gets; what it would hold out is left
    out. Training begins with `weights`, as `copy_weights` gives them, or else with the model's own.
    Afterwards model and optimizer are as they were, but for the `gradients`; nobody is told.
    """
    count = len(x) - trainer.settings.held_out(len(x))
    batches = shuffled_batches(count, trainer.settings.batch_size)
    rates, losses = np.geomspace(LOWEST, HIGHEST, steps), []
    model = trainer.model
    with (
        lent(model, weights or copy_weights(model)),
        fresh(trainer.optimizer),
        np.errstate(all="ignore"),  # the loss is meant to get out of hand
    ):
        model.training = True
        for rate, chosen in zip(rates, batches, strict=False):
            losses.append(trainer.train_batch(x[chosen], y[chosen], float(rate)))
            if not losses[-1] <= HOPELESS * losses[0]:  # also where it is no number
                break
    return Sweep(rates[: len(losses)], np.array(losses))


def shuffled_batches(count, size):
    """Yield the numbers of the samples of one batch after the other, without end."""
    rng = SimpleRng(1)
    while True:
        order = rng.permutation(count)
        yield from np.split(order, range(size, count, size))


@contextmanager
def fresh(optimizer):
    """Meanwhile the optimizer remembers nothing of what it has done."""
    kept = {name: array.copy() for name, array in optimizer.state.items()}
    for array in optimizer.state.values():
        array[...] = 0
    try:
        yield
    finally:
        for name, array in optimizer.state.items():
            array[...] = kept[name]
