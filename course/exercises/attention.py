"""The exercises of lesson 04."""

import math

import numpy as np

from course.exercises import Exercise
from course.nn.losses import softmax


def attend(query, key, value):
    scores = query @ key.T / math.sqrt(query.shape[1])  # (tokens, tokens)
    attention = softmax(scores)  # (tokens, tokens), each row sums to 1
    return attention @ value, attention


def softmax_backward(dattention, attention):
    along = (dattention * attention).sum(axis=1, keepdims=True)  # (tokens, 1)
    return attention * (dattention - along)  # (tokens, tokens)


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


def _attend_cases(random):
    sizes = [(3, 2), (4, 9), (49, 64)]  # tokens, d
    return [tuple(random.standard_normal((3, *size))) for size in sizes]


def _softmax_cases(random):
    scores = [2 * random.standard_normal((n, n)) for n in (2, 5, 49)]
    return [(random.standard_normal(s.shape), softmax(s)) for s in scores]


def _attention_cases(random):
    sharp = [softmax(3 * random.standard_normal((n, n))) for n in (4, 9, 49)]
    return [(np.eye(9),), *((attention,) for attention in sharp)]


def _mask_cases(random):
    visible = np.array([True, False, True, True, False])
    hidden_peak = random.standard_normal((5, 5))
    hidden_peak[:, 1] += 2000.0  # a softmax over all tokens leaves nothing for the others
    return [
        (random.standard_normal((3, 3)), np.array([True, True, True])),
        (random.standard_normal((5, 5)) - 4.0, visible),
        (hidden_peak, visible),
    ]


def _head_cases(random):
    sizes = [(3, 4, 1), (5, 6, 2), (49, 64, 8)]  # tokens, d_model, heads
    return [(*random.standard_normal((3, tokens, d)), heads) for tokens, d, heads in sizes]


def _over_columns(query, key, value):
    attention = attend(key, query, value)[1].T  # each column sums to 1
    return attention @ value, attention


def _without_softmax(query, key, value):
    scores = query @ key.T / math.sqrt(query.shape[1])
    return scores @ value, scores


def _interleaved_heads(query, key, value, heads):
    columns = np.arange(query.shape[1]).reshape(-1, heads).T.ravel()  # those of head 0 first
    attended = np.empty_like(value)
    attended[:, columns] = many_heads(query[:, columns], key[:, columns], value[:, columns], heads)
    return attended


def _distances(tokens):
    place = np.stack(np.divmod(np.arange(tokens), math.isqrt(tokens)), axis=1)  # (tokens, 2)
    return np.linalg.norm(place[:, None] - place, axis=2)  # (tokens, tokens)


ATTEND = Exercise(
    attend,
    _attend_cases,
    "Three steps, one after the other: scores, softmax, mixture. What shape has each of them?",
    "query @ key.T has a row for each token that looks and a column for each that is looked at. "
    "Divide it by the root of d, the length of one query: query.shape[1].",
    "attention = softmax(query @ key.T / query.shape[1] ** 0.5); then return attention @ value, "
    "and attention.",
    lesson="04-attention",
    mistakes={
        "the scores are not divided by the root of d": (
            lambda q, k, v: attend(q * math.sqrt(q.shape[1]), k, v)
        ),
        "the scores are divided by d, not by its root": (
            lambda q, k, v: attend(q / math.sqrt(q.shape[1]), k, v)
        ),
        "the root is that of the number of tokens; d is the length of one query": (
            lambda q, k, v: attend(q * math.sqrt(q.shape[1] / len(q)), k, v)
        ),
        "keys look at queries; row i should be what query i looks at": (
            lambda q, k, v: attend(k, q, v)
        ),
        "each column sums to 1; each row should": _over_columns,
        "the scores mix the values, without the softmax": _without_softmax,
    },
)
SOFTMAX_BACKWARD = Exercise(
    softmax_backward,
    _softmax_cases,
    "Look at one row: ds_j is the sum over k of da_k a_k (1 if k is j, else 0, minus a_j). Which "
    "part of it is the same number for every j?",
    "With the row's number `along`, the sum of da_k a_k over k, it is ds_j = a_j (da_j - along). "
    "keepdims=True keeps `along` a column, so that each row gets its own.",
    "along = (dattention * attention).sum(axis=1, keepdims=True), and then attention * "
    "(dattention - ...).",
    lesson="04-attention",
    mistakes={
        "what the others of the row lose is left out": lambda da, a: a * da,
        "the sum runs down the columns, axis 0; a row is a softmax of its own": (
            lambda da, a: a * (da - (da * a).sum(axis=0, keepdims=True))
        ),
        "the sum runs over the whole matrix; each row has its own": (
            lambda da, a: a * (da - (da * a).sum())
        ),
        "the gradients of the row are added up without their shares": (
            lambda da, a: a * (da - da.sum(axis=1, keepdims=True))
        ),
        "the row's number is a mean; it should be a sum": (
            lambda da, a: a * (da - (da * a).mean(axis=1, keepdims=True))
        ),
        "the share in front is missing": (lambda da, a: da - (da * a).sum(axis=1, keepdims=True)),
        "each share is taken for itself, a (1 - a), as if there were no others": (
            lambda da, a: da * a * (1 - a)
        ),
    },
)
DISTANCE = Exercise(
    attention_distance,
    _attention_cases,
    "Where in the picture is token t, if there are `side` tokens in each row? The side is the root "
    "of their number.",
    "Token t lies in row t // side and column t % side; np.divmod gives both. Make a (tokens, "
    "tokens) table of distances first; the rest is a sum over each row, weighted by attention.",
    "distance = np.hypot(row[:, None] - row, column[:, None] - column), then (attention * "
    "distance).sum(axis=...).",
    lesson="04b-attention-measured",
    mistakes={
        "the sum runs over those that look, axis 0, not over what each of them looks at": (
            lambda a: (a * _distances(len(a))).sum(axis=0)
        ),
        "the weighted distances are averaged; the weights sum to 1 already, so sum": (
            lambda a: (a * _distances(len(a))).mean(axis=1)
        ),
        "all tokens stand in one long line; they form a square": (
            lambda a: (a * np.abs(np.subtract.outer(*[np.arange(len(a))] * 2))).sum(axis=1)
        ),
        "the root of the squared distance is missing": (
            lambda a: (a * _distances(len(a)) ** 2).sum(axis=1)
        ),
        "only the place that each token looks at most is counted": (
            lambda a: _distances(len(a))[np.arange(len(a)), a.argmax(axis=1)]
        ),
        "the distances of all tokens are averaged; each should have its own": (
            lambda a: (a * _distances(len(a))).sum(axis=1).mean()
        ),
    },
)
MASK = Exercise(
    masked_softmax,
    _mask_cases,
    "What score would a token need to get a weight of exactly 0?",
    "A score of -inf becomes a weight of exactly 0. Hide before the softmax, and every row still "
    "sums to 1.",
    "softmax(np.where(visible, ..., ...)), which takes the score or -np.inf.",
    lesson="04-attention",
    mistakes={
        "the weights are hidden after the softmax, so the rows no longer sum to 1": (
            lambda scores, visible: softmax(scores) * visible
        ),
        "hidden tokens get a score of 0, which is no low score": (
            lambda scores, visible: softmax(scores * visible)
        ),
        "hidden tokens do not look; they should not be looked at": (
            lambda scores, visible: softmax(np.where(visible[:, None], scores, -1e9))
        ),
        "the softmax runs over the columns, not over the rows": (
            lambda scores, visible: softmax(np.where(visible, scores, -1e9).T).T
        ),
    },
)
HEADS = Exercise(
    many_heads,
    _head_cases,
    "One head is the attention of this lesson. Give each its own columns of all three arrays.",
    "Head h has the columns h * width to (h + 1) * width of all three, with width = d_model / "
    "heads, a softmax of its own, and divides by sqrt(width).",
    "For each h, with part = slice(h * width, (h + 1) * width): attended[:, part] = "
    "softmax(query[:, part] @ key[:, part].T / math.sqrt(width)) @ value[:, part].",
    lesson="04b-attention-measured",
    mistakes={
        "the scores are divided by the root of all d columns, not of those of one head": (
            lambda q, k, v, heads: many_heads(q / math.sqrt(heads), k, v, heads)
        ),
        "the scores are not divided by the root of a head's width": (
            lambda q, k, v, heads: many_heads(q * math.sqrt(q.shape[1] // heads), k, v, heads)
        ),
        "all columns are one head": lambda q, k, v, heads: many_heads(q, k, v, 1),
        "all heads share one softmax over all columns; each should have its own": (
            lambda q, k, v, heads: softmax(q @ k.T / math.sqrt(q.shape[1] // heads)) @ v
        ),
        "the heads take every so many columns; each should have neighboring ones": (
            _interleaved_heads
        ),
    },
)
