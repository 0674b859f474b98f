"""How much training there is time for: one batch is timed, function by function."""

import math
import time
from dataclasses import dataclass
from types import SimpleNamespace

from course.yours.training import BATCH_SIZE, MOMENTUM, train

SECONDS = 20.0  # that a training may take
FEWEST = 2000  # digits that a network should see, each as often as it comes; or it is made smaller
PASSES = 4  # over few digits: more new ones teach more than the same ones again
PATIENCE = 5.0  # seconds that measuring a batch may take

# What to do about a function that takes most of the time.
ADVICE = {
    "dense": "one product of two arrays, x @ w, has all its sums",
    "dense_backward": "each of its results is one operation on whole arrays: two products, one sum",
    "relu": "np.maximum and a comparison take whole arrays",
    "softmax_cross_entropy": "exp, sum and log take whole arrays, with axis=1 for each row",
    "momentum_step": "w, velocity and gradient are arrays: write it for all their numbers at once",
    "train_epoch": "take a batch out by an array of its numbers, x[batch], not digit by digit",
    "convolution": "loop over the few weights of the kernel, and let each multiply whole pictures",
    "convolution_backward": "loop over the weights of the kernel, not over the pixels",
    "max_pool": "x[:, :, ::2, ::2] and its three neighbors are whole arrays to compare",
    "adam_step": "w, gradient and both means are arrays: write it for all their numbers at once",
}


def time_batch(network, x, labels, method=MOMENTUM):
    """Take one batch, x (batch, inputs); returns the seconds that it spent in each function."""
    own, spent = network.parts, {}
    timed = {name: _timed(name, function, spent) for name, function in vars(own).items()}
    network.parts = SimpleNamespace(**timed)
    try:
        train(network, x[:BATCH_SIZE], labels[:BATCH_SIZE], 1, method)
    finally:
        network.parts = own
    in_the_others = sum(seconds for name, seconds in spent.items() if name != "train_epoch")
    return spent | {"train_epoch": max(spent["train_epoch"] - in_the_others, 0.0)}


def _timed(name, function, spent):
    def run(*arguments):
        started = time.perf_counter()
        result = function(*arguments)
        spent[name] = spent.get(name, 0.0) + time.perf_counter() - started
        return result

    return run


@dataclass(frozen=True)
class Plan:
    """What there is time for, and why."""

    units: int
    digits: int
    epochs: int
    is_whole: bool  # nothing had to be made smaller
    batch_seconds: float  # of the network at its full size
    shares: dict  # function -> its share of them
    seconds: float  # that all of it should take

    def __str__(self):
        slowest = max(self.shares, key=self.shares.get)
        lines = [
            f"One batch of {BATCH_SIZE} digits takes {1e3 * self.batch_seconds:,.1f} ms, "
            f"{self.shares[slowest]:.0%} of it in {slowest}."
        ]
        if not self.is_whole:
            lines.append(f"Too slow for all of it. What to change in {slowest}: {ADVICE[slowest]}.")
            lines.append("Until then there is time for a smaller run:")
        lines.append(
            f"{self.units} units, {self.digits:,} digits, {self.epochs} epochs, "
            f"about {math.ceil(self.seconds)} s."
        )
        return "\n".join(lines)


def plan(network_class, x, labels, seconds=SECONDS, method=MOMENTUM):
    """Time one batch, and choose what can be trained within so many seconds; returns a `Plan`.

    Where the functions are slow, first the network is made smaller, then there are fewer digits.
    """
    first = None
    for units in network_class.sizes:
        spent = _seconds_of_a_batch(network_class(units), x, labels, method)
        first = first or spent
        affordable = int(seconds * BATCH_SIZE / sum(spent.values()))  # digits, counted each time
        if affordable >= FEWEST:
            break
    digits = min(len(x), max(affordable // PASSES, BATCH_SIZE))
    epochs = min(method.epochs, max(affordable // digits, 1))
    batch_seconds = sum(first.values())
    return Plan(
        units,
        digits,
        epochs,
        (units, digits, epochs) == (network_class.sizes[0], len(x), method.epochs),
        batch_seconds,
        {name: part / batch_seconds for name, part in first.items()},
        epochs * digits / BATCH_SIZE * sum(spent.values()),
    )


def _seconds_of_a_batch(network, x, labels, method):
    """As `time_batch`, the least of three; one that takes too long is judged by two digits."""
    few = time_batch(network, x[:2], labels[:2], method)
    times = BATCH_SIZE / 2
    if times * sum(few.values()) > PATIENCE:
        return {name: times * seconds for name, seconds in few.items()}
    batch = time_batch(network, x[:BATCH_SIZE], labels[:BATCH_SIZE], method)
    if sum(batch.values()) > PATIENCE / 10:
        return batch
    more = [time_batch(network, x[:BATCH_SIZE], labels[:BATCH_SIZE], method) for _ in range(2)]
    return min([batch, *more], key=lambda spent: sum(spent.values()))
