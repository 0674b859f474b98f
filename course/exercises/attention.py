"""The exercises of lesson 04."""

import math

import numpy as np

from course.exercises import Exercise
from course.nn.losses import softmax


def attention_distance(attention):
    side = math.isqrt(len(attention))
    row, column = np.divmod(np.arange(side * side), side)  # of each token, both (tokens,)
    distance = np.hypot(row[:, None] - row, column[:, None] - column)  # (tokens, tokens)
    return (attention * distance).sum(axis=1)  # (tokens,)


def masked_softmax(scores, visible):
    return softmax(np.where(visible, scores, -np.inf))


def many_heads(query, key, value, heads):
    width = query.shape[1] // heads
    attended = np.empty_like(value)
    for h in range(heads):
        part = slice(h * width, (h + 1) * width)  # the columns of this head
        scores = query[:, part] @ key[:, part].T / math.sqrt(width)  # (tokens, tokens)
        attended[:, part] = softmax(scores) @ value[:, part]
    return attended


def _attention_cases():
    random = np.random.default_rng(4)
    sharp = [softmax(3 * random.standard_normal((n, n))) for n in (4, 9, 49)]
    return [(np.eye(9),), *((attention,) for attention in sharp)]


def _mask_cases():
    random = np.random.default_rng(5)
    visible = np.array([True, False, True, True, False])
    hidden_peak = random.standard_normal((5, 5))
    hidden_peak[:, 1] += 2000.0  # a softmax over all tokens leaves nothing for the others
    return [
        (random.standard_normal((3, 3)), np.array([True, True, True])),
        (random.standard_normal((5, 5)) - 4.0, visible),
        (hidden_peak, visible),
    ]


def _head_cases():
    random = np.random.default_rng(6)
    sizes = [(3, 4, 1), (5, 6, 2), (49, 64, 8)]  # tokens, d_model, heads
    return [(*random.standard_normal((3, tokens, d)), heads) for tokens, d, heads in sizes]


DISTANCE = Exercise(
    attention_distance,
    _attention_cases,
    "Token t lies in row t // side and column t % side; np.divmod gives both. Make a (tokens, "
    "tokens) table of distances first; the rest is a sum over each row, weighted by attention.",
)
MASK = Exercise(
    masked_softmax,
    _mask_cases,
    "A score of -inf becomes a weight of exactly 0. Hide before the softmax, and every row still "
    "sums to 1.",
)
HEADS = Exercise(
    many_heads,
    _head_cases,
    "Head h has the columns h * width to (h + 1) * width of all three, with width = d_model / "
    "heads, a softmax of its own, and divides by sqrt(width).",
)
