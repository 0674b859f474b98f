"""The exercises of lesson 09 that train the network: a step with momentum, and an epoch."""

import numpy as np

from course.exercises import Exercise
from course.exercises.yours import LESSON


def momentum_step(w, velocity, gradient, learning_rate, momentum=0.9):
    velocity = momentum * velocity + gradient
    return w - learning_rate * velocity, velocity


def train_epoch(weights, velocity, x, labels, gradients, step, random, batch_size, learning_rate):
    order = random.permutation(len(x))
    total = 0.0
    for start in range(0, len(x), batch_size):
        batch = order[start : start + batch_size]
        loss, gradient = gradients(weights, x[batch], labels[batch])
        total += loss * len(batch)
        moved = {
            name: step(w, velocity[name], gradient[name], learning_rate)
            for name, w in weights.items()
        }
        weights = {name: w for name, (w, _) in moved.items()}
        velocity = {name: v for name, (_, v) in moved.items()}
    return weights, velocity, total / len(x)


# ---- Inputs to try them on -----------------------------------------------------------------------


def _step_cases(random):
    by_hand = [(2.0, 0.0, 4.0, 0.5, 0.9), (2.0, 1.0, 0.5, 0.1, 0.9)]
    sizes = [random.integers(2, 9, dimensions) for dimensions in (1, 2)]
    drawn = [(*random.standard_normal((3, *s)), *random.uniform(0.1, 0.9, 2)) for s in sizes]
    return by_hand + drawn


def line_gradients(weights, x, labels):
    """Loss and gradients of the mean of (w x + b - label)^2 / 2, to try a training loop on."""
    difference = weights["w"] * x + weights["b"] - labels
    loss = np.mean(difference**2) / 2
    return loss, {"w": np.mean(difference * x), "b": np.mean(difference)}


def some_step(w, velocity, gradient, learning_rate):
    """A step to try a training loop on: like one with momentum it needs the newest velocity."""
    velocity = gradient - velocity / 2
    return w - learning_rate * (gradient + velocity), velocity


def label_of(x):
    return 3 * x + 1


def _epoch_cases(random):
    """Sizes that leave a smaller last batch, and one that does not."""
    batch_sizes = [4, *random.integers(3, 7, 2)]
    counts = [batch_sizes[0] * 3 - 2, batch_sizes[1] * 4 - 1, batch_sizes[2] * 3]
    cases = []
    for count, batch_size in zip(counts, batch_sizes, strict=True):
        x = random.permutation(count) / count  # each once, so that it can be told where it went
        weights = {"w": np.array(0.5), "b": np.array(-1.0)}
        velocity = {"w": np.array(0.1), "b": np.array(0.2)}
        own = np.random.default_rng(random.integers(2**32))
        changing = (line_gradients, some_step, own, int(batch_size), 0.1)
        cases.append((weights, velocity, x, label_of(x), *changing))
    return cases


class Watched:
    """The functions that an epoch calls. They keep book, and take each step once more, rightly."""

    def __init__(self, weights, velocity, gradients, step, learning_rate):
        self.weights, self.velocity = dict(weights), dict(velocity)  # as they should be by now
        self._gradients, self._step, self._rate = gradients, step, learning_rate
        self.batches, self.labels_belong, self.newest, self.rates = [], [], [], set()

    def gradients(self, weights, x, labels):
        """Batch n has the loss n, whichever samples are in it."""
        self.batches.append(np.atleast_1d(x).copy())
        self.labels_belong.append(np.allclose(labels, label_of(x)))
        self.newest.append("yes" if self.agrees(weights, self.weights) else "no")
        _, gradient = self._gradients(self.weights, x, labels)
        for name, w in self.weights.items():
            self.weights[name], self.velocity[name] = self._step(
                w, self.velocity[name], gradient[name], self._rate
            )
        return float(len(self.batches)), self._gradients(weights, x, labels)[1]

    def step(self, w, velocity, gradient, learning_rate):
        self.rates.add(learning_rate)
        return self._step(w, velocity, gradient, learning_rate)

    @staticmethod
    def agrees(found, expected):
        return all(np.allclose(found[name], array) for name, array in expected.items())


class EpochExercise(Exercise):
    """What counts is what an epoch does, in whichever order it takes the samples."""

    def result(self, function, arguments):
        weights, velocity, x, labels, gradients, step, *rest = arguments
        watched = Watched(weights, velocity, gradients, step, rest[-1])
        found = function(weights, velocity, x, labels, watched.gradients, watched.step, *rest)
        if found is None or found is Ellipsis:
            return found
        if not isinstance(found, tuple | list) or len(found) != 3:
            raise TypeError("three results are expected: weights, velocity and the mean loss")
        samples = np.concatenate(watched.batches) if watched.batches else np.zeros(0)
        came = [int(np.sum(samples == sample)) for sample in x]
        return {
            "batch sizes": ", ".join(str(len(batch)) for batch in watched.batches),
            "how often a sample comes": f"{min(came)} to {max(came)} times",
            "shuffled": not np.array_equal(samples, x[: len(samples)]),
            "labels belong to their x": all(watched.labels_belong),
            "learning rates": ", ".join(f"{rate:g}" for rate in sorted(watched.rates)),
            "gradients at the newest weights": ", ".join(watched.newest),
            "weights are the newest": watched.agrees(found[0], watched.weights),
            "velocity is the newest": watched.agrees(found[1], watched.velocity),
            "mean loss, if batch n has the loss n": found[2],
        }


# ---- A wrong answer that has many names ----------------------------------------------------------


def _epoch_with(
    order=lambda random, count: random.permutation(count),
    batches=lambda batches: batches,
    labels_of=lambda labels, batch: labels[batch],
    stale=False,
    forgets=False,
    rate=lambda learning_rate: learning_rate,
    mean=lambda losses, sizes: np.dot(losses, sizes) / np.sum(sizes),
):
    """`train_epoch` with something else in its place."""

    def run(weights, velocity, x, labels, gradients, step, random, size, learning_rate):
        shuffled = order(random, len(x))
        now, moving, losses = weights, velocity, []
        chosen = batches([shuffled[start : start + size] for start in range(0, len(x), size)])
        for batch in chosen:
            at = weights if stale else now
            loss, gradient = gradients(at, x[batch], labels_of(labels, batch))
            before = velocity if forgets else moving
            moved = {n: step(now[n], before[n], gradient[n], rate(learning_rate)) for n in now}
            now, moving = ({n: both[i] for n, both in moved.items()} for i in (0, 1))
            losses.append(loss)
        return now, moving, mean(losses, [len(batch) for batch in chosen])

    return run


# ---- The exercises -------------------------------------------------------------------------------

MOMENTUM_STEP = Exercise(
    momentum_step,
    _step_cases,
    "Two lines. First the velocity: what is left of the old one, plus the gradient. Then the "
    "weight moves against it.",
    "The new velocity is momentum * velocity + gradient; the step is learning_rate times that.",
    "velocity = momentum * velocity + gradient; return w - learning_rate * velocity, velocity.",
    lesson=LESSON,
    mistakes={
        "the weight moves by the gradient alone, as without momentum": (
            lambda w, v, g, rate, mu: (w - rate * g, mu * v + g)
        ),
        "the weight moves by the old velocity; first comes the new one": (
            lambda w, v, g, rate, mu: (w - rate * v, mu * v + g)
        ),
        "it climbs: the step goes against the velocity": (
            lambda w, v, g, rate, mu: (w + rate * (mu * v + g), mu * v + g)
        ),
        "the learning rate is in the velocity; it only scales the step": (
            lambda w, v, g, rate, mu: (w - (mu * v + rate * g), mu * v + rate * g)
        ),
        "the learning rate is left out": (lambda w, v, g, rate, mu: (w - (mu * v + g), mu * v + g)),
        "the gradient counts only 1 - momentum; that is a mean, and here it is a sum": (
            lambda w, v, g, rate, mu: (
                w - rate * (mu * v + (1 - mu) * g),
                mu * v + (1 - mu) * g,
            )
        ),
        "the results are exchanged: the weight comes first": (
            lambda w, v, g, rate, mu: momentum_step(w, v, g, rate, mu)[::-1]
        ),
    },
)
TRAIN_EPOCH = EpochExercise(
    train_epoch,
    _epoch_cases,
    "Shuffle numbers, not digits: random.permutation(len(x)). So many of them at a time are a "
    "batch, which x[batch] and labels[batch] take out together.",
    "For each batch: loss, gradient = gradients(weights, x[batch], labels[batch]). Then, for each "
    "name, w and v = step(weights[name], velocity[name], gradient[name], learning_rate), into new "
    "dicts. Add up loss * len(batch).",
    "order = random.permutation(len(x)); for start in range(0, len(x), batch_size): batch = "
    "order[start : start + batch_size], and the above. After the loop: return weights, velocity, "
    "total / len(x).",
    lesson=LESSON,
    mistakes={
        "it ends after the first batch; `return` belongs after the loop": _epoch_with(
            batches=lambda batches: batches[:1]
        ),
        "the last batch is left out where it is smaller than the others": _epoch_with(
            batches=lambda batches: [b for b in batches if len(b) == len(batches[0])]
        ),
        "nothing is shuffled: the samples come in the order of the file": _epoch_with(
            order=lambda random, count: np.arange(count)
        ),
        "x is shuffled and the labels are not": _epoch_with(
            labels_of=lambda labels, batch: labels[: len(batch)]
        ),
        "each gradient is taken at the weights from before the epoch, not at those of now": (
            _epoch_with(stale=True)
        ),
        "each step begins with the velocity from before the epoch; hand it on": (
            _epoch_with(forgets=True)
        ),
        "the learning rate is left out": _epoch_with(rate=lambda learning_rate: 1.0),
        "it climbs: the step gets the learning rate with a minus": _epoch_with(
            rate=lambda learning_rate: -learning_rate
        ),
        "the loss is that of the last batch; it is the mean over all samples": _epoch_with(
            mean=lambda losses, sizes: losses[-1]
        ),
        "the loss is the mean of the batches; a smaller batch counts less": _epoch_with(
            mean=lambda losses, sizes: np.mean(losses)
        ),
    },
)
