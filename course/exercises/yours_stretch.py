"""The exercises of lesson 09c beside the convolution: an attention head, Adam, batch norm."""

import numpy as np

from course.exercises import Exercise
from course.exercises.numerical import finite_differences
from course.exercises.yours_convolution import LESSON
from course.nn.losses import softmax


def attention_head(tokens, query_w, key_w, value_w):
    query, key, value = tokens @ query_w, tokens @ key_w, tokens @ value_w  # (tokens, d)
    scores = query @ key.T / np.sqrt(query.shape[1])  # (tokens, tokens)
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    attention = exponentials / exponentials.sum(axis=1, keepdims=True)  # rows sum to 1
    return attention @ value


def adam_step(w, memory, gradient, learning_rate):
    mean, square, steps = memory
    mean = 0.9 * mean + 0.1 * gradient
    square = 0.999 * square + 0.001 * gradient**2
    steps += 1
    unbiased_mean = mean / (1 - 0.9**steps)  # both began at 0
    unbiased_square = square / (1 - 0.999**steps)
    w = w - learning_rate * unbiased_mean / (np.sqrt(unbiased_square) + 1e-8)
    return w, (mean, square, steps)


def batch_norm(z, gamma, beta):
    normalized = (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + 1e-5)  # (batch, units)
    return gamma * normalized + beta


def batch_norm_backward(z, gamma, dy):
    deviation = np.sqrt(z.var(axis=0) + 1e-5)  # (units,)
    normalized = (z - z.mean(axis=0)) / deviation  # (batch, units)
    d = gamma * dy  # (batch, units), by each normalized number
    along = normalized * (d * normalized).mean(axis=0)  # what the variance takes
    return (d - d.mean(axis=0) - along) / deviation, (dy * normalized).sum(axis=0), dy.sum(axis=0)


# ---- Inputs to try them on -----------------------------------------------------------------------


def _head_cases(random, scale=1.0):
    by_hand = np.array([[1.0, 0.0], [0.0, 2.0]])
    cases = [(by_hand, np.eye(2), np.eye(2), np.array([[1.0, 0.0], [0.0, 3.0]]))]
    for _ in range(3):
        tokens, d_model, d = random.integers(2, 9, 3)
        weights = random.standard_normal((3, d_model, d))
        cases.append((scale * random.standard_normal((tokens, d_model)), *weights))
    return cases


def _large_head_cases(random):
    return _head_cases(random, scale=1000.0)[1:]


def _adam_cases(random):
    by_hand = [(2.0, (0.0, 0.0, 0), 4.0, 0.5), (2.0, (0.5, 0.3, 3), -1.0, 0.1)]
    cases = []
    for dimensions in (1, 2):
        w, mean, gradient = random.standard_normal((3, *random.integers(2, 6, dimensions)))
        memory = (mean, random.uniform(0.1, 2, w.shape), int(random.integers(1, 50)))
        cases.append((w, memory, gradient, random.uniform(0.01, 0.5)))
    return by_hand + cases


def _norm_cases(random):
    by_hand = (np.array([[1.0, 4.0], [3.0, 0.0]]), np.array([1.0, 2.0]), np.array([0.0, 5.0]))
    sizes = random.integers((3, 2), (9, 6), (3, 2))
    drawn = [(_off_center(random, size), *random.standard_normal((2, size[1]))) for size in sizes]
    return [by_hand, *drawn]


def _norm_backward_cases(random):
    z = np.array([[1.0, 4.0], [3.0, 0.0], [4.0, 1.0]])
    by_hand = (z, np.array([1.0, 2.0]), np.array([[1.0, 0.0], [0.0, 2.0], [1.0, -1.0]]))
    cases = [by_hand]
    for size in random.integers((4, 2), (9, 6), (3, 2)):
        gamma, dy = random.standard_normal(size[1]), random.standard_normal(size)
        cases.append((_off_center(random, size), gamma, dy))
    return cases


def _off_center(random, size):
    return 2 * random.standard_normal(size) + random.standard_normal(size[1])


def _norm_slopes(forward, z, gamma, dy):
    return finite_differences(forward, z, gamma, np.zeros(len(gamma)), dy=dy)


# ---- Wrong answers that have a name --------------------------------------------------------------


def _head_with(divisor=lambda query: np.sqrt(query.shape[1]), mix=softmax, mixed=2, looks=0):
    """`attention_head` with something else in its place."""

    def run(tokens, *weights):
        projected = [tokens @ w for w in weights]
        query, key = projected[looks], projected[1 - looks]
        return mix(query @ key.T / divisor(query)) @ projected[mixed]

    return run


def _adam_with(
    means=(0.9, 0.999),
    correct=lambda mean, square, steps: (mean / (1 - 0.9**steps), square / (1 - 0.999**steps)),
    power=2,
    root=np.sqrt,
    more=1,
    factor=lambda learning_rate: learning_rate,
):
    """`adam_step` with something else in its place."""

    def run(w, memory, gradient, learning_rate):
        mean, square, steps = memory
        mean = means[0] * mean + (1 - means[0]) * gradient
        square = means[1] * square + (1 - means[1]) * gradient**power
        m, s = correct(mean, square, steps + 1)
        w = w - factor(learning_rate) * m / (root(np.abs(s)) + 1e-8)
        return w, (mean, square, steps + more)

    return run


def _without_shares(z, gamma, dy):
    _, dgamma, dbeta = batch_norm_backward(z, gamma, dy)
    return gamma * dy / np.sqrt(z.var(axis=0) + 1e-5), dgamma, dbeta


def _without_variance(z, gamma, dy):
    _, dgamma, dbeta = batch_norm_backward(z, gamma, dy)
    d = gamma * dy
    return (d - d.mean(axis=0)) / np.sqrt(z.var(axis=0) + 1e-5), dgamma, dbeta


def _changed(change):
    """`batch_norm_backward` with something more done to its results."""
    return lambda z, gamma, dy: change(*batch_norm_backward(z, gamma, dy), len(z))


# ---- The exercises -------------------------------------------------------------------------------

ATTENTION_HEAD = Exercise(
    attention_head,
    _head_cases,
    "Three products of the tokens: queries, keys, values. Each query is compared with every key; "
    "softmax makes shares of a row, and they mix the values.",
    "scores = query @ key.T / the root of query.shape[1], (tokens, tokens). Softmax runs along "
    "axis 1, after the maximum of each row is subtracted.",
    "return attention @ value, where attention = exponentials / exponentials.sum(axis=1, "
    "keepdims=True).",
    lesson=LESSON,
    large=_large_head_cases,
    mistakes={
        "the scores are not divided by the root of d": _head_with(divisor=lambda query: 1),
        "the scores are divided by d, not by its root": _head_with(
            divisor=lambda query: query.shape[1]
        ),
        "keys look at queries; row i should be what query i looks at": _head_with(looks=1),
        "the shares sum to 1 in each column; they should in each row": _head_with(
            mix=lambda scores: softmax(scores.T).T
        ),
        "the scores mix the values, without the softmax": _head_with(mix=lambda scores: scores),
        "the shares mix the keys; they should mix the values": _head_with(mixed=1),
    },
)
ADAM_STEP = Exercise(
    adam_step,
    _adam_cases,
    "Two running means: of the gradient (0.9 of the old one stays) and of its square (0.999). "
    "Count the step, too: both began at 0, and are too small at first.",
    "mean = 0.9 * mean + 0.1 * gradient, square = 0.999 * square + 0.001 * gradient**2, steps += "
    "1. Divide each by 1 minus its factor to the power of steps.",
    "w - learning_rate * (mean / (1 - 0.9**steps)) / (np.sqrt(square / (1 - 0.999**steps)) + "
    "1e-8), and the memory keeps mean and square as they were before that division.",
    lesson=LESSON,
    mistakes={
        "the means are not corrected for having begun at 0": _adam_with(
            correct=lambda mean, square, steps: (mean, square)
        ),
        "the steps are corrected as if there were one less": _adam_with(
            correct=lambda mean, square, steps: (
                mean / (1 - 0.9 ** max(steps - 1, 1)),
                square / (1 - 0.999 ** max(steps - 1, 1)),
            )
        ),
        "the root of the squares is missing": _adam_with(root=lambda square: square),
        "the second mean is one of the gradient, not of its square": _adam_with(power=1),
        "the factors are exchanged: 0.9 is that of the gradient": _adam_with(means=(0.999, 0.9)),
        "the step is not counted": _adam_with(more=0),
        "the learning rate is left out": _adam_with(factor=lambda learning_rate: 1.0),
        "it climbs: the step goes against the mean": _adam_with(
            factor=lambda learning_rate: -learning_rate
        ),
    },
)
BATCH_NORM = Exercise(
    batch_norm,
    _norm_cases,
    "Each unit has a mean and a variance of its own, over the batch. Which axis is that?",
    "Subtract z.mean(axis=0), divide by the root of z.var(axis=0) + 1e-5; then scale and shift.",
    "gamma * (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + 1e-5) + beta.",
    lesson=LESSON,
    mistakes={
        "mean and variance are those of each row; they are those of each unit, axis 0": (
            lambda z, gamma, beta: (
                batch_norm(z.T, np.ones(len(z)), np.zeros(len(z))).T * gamma + beta
            )
        ),
        "mean and variance are those of all numbers; each unit has its own": (
            lambda z, gamma, beta: gamma * (z - z.mean()) / np.sqrt(z.var() + 1e-5) + beta
        ),
        "the mean is not subtracted": (
            lambda z, gamma, beta: gamma * z / np.sqrt(z.var(axis=0) + 1e-5) + beta
        ),
        "it is divided by the variance, not by its root": (
            lambda z, gamma, beta: gamma * (z - z.mean(axis=0)) / (z.var(axis=0) + 1e-5) + beta
        ),
        "the variance is divided by batch - 1; here it is the mean of the squares": (
            lambda z, gamma, beta: (
                gamma * (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0, ddof=1) + 1e-5) + beta
            )
        ),
        "gamma and beta are left out": (
            lambda z, gamma, beta: batch_norm(z, np.ones_like(gamma), np.zeros_like(beta))
        ),
    },
)
BATCH_NORM_BACKWARD = Exercise(
    batch_norm_backward,
    _norm_backward_cases,
    "dbeta and dgamma are sums over the batch. For dz: nudge one number, and the mean and the "
    "variance of its unit move with it, which moves all the others.",
    "With d = gamma * dy: what the mean takes is d.mean(axis=0), what the variance takes is "
    "normalized * (d * normalized).mean(axis=0). Subtract both from d.",
    "dz = (d - d.mean(axis=0) - normalized * (d * normalized).mean(axis=0)) / deviation, dgamma = "
    "(dy * normalized).sum(axis=0), dbeta = dy.sum(axis=0).",
    lesson=LESSON,
    numerical=_norm_slopes,
    mistakes={
        "mean and variance are taken for fixed numbers; they move with z": _without_shares,
        "the mean moves, but the variance is taken for a fixed number": _without_variance,
        "dgamma and dbeta are means over the batch; they are sums": _changed(
            lambda dz, dgamma, dbeta, batch: (dz, dgamma / batch, dbeta / batch)
        ),
        "dgamma is what dbeta should be; the normalized z is missing as a factor": _changed(
            lambda dz, dgamma, dbeta, batch: (dz, dbeta, dbeta)
        ),
        "gamma is left out of dz": (
            lambda z, gamma, dy: (
                batch_norm_backward(z, np.ones_like(gamma), dy)[0],
                *batch_norm_backward(z, gamma, dy)[1:],
            )
        ),
        "dgamma and dbeta are exchanged: dgamma comes first": _changed(
            lambda dz, dgamma, dbeta, batch: (dz, dbeta, dgamma)
        ),
    },
)
