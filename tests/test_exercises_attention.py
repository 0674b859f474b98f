"""The exercises of lesson 04 accept their solutions and refuse what learners typically write."""

import math

import numpy as np
import pytest

from course.exercises import Exercise
from course.exercises import attention as exercises
from course.nn.losses import softmax

ALL = {name: found for name, found in vars(exercises).items() if isinstance(found, Exercise)}


@pytest.mark.parametrize("exercise", ALL.values(), ids=ALL.keys())
def test_accepts_the_solution_and_nothing_untouched(exercise):
    assert exercise.verdict(exercise.solution).status == "revealed"
    assert exercise.verdict(lambda *arguments: ...).status == "not attempted"
    assert exercise.verdict(lambda *arguments: arguments[0]).status == "wrong"


def test_a_softmax_can_also_be_walked_back_with_its_jacobian():
    def attempt(dattention, attention):
        jacobians = [np.diag(row) - np.outer(row, row) for row in attention]
        return np.stack([j @ d for j, d in zip(jacobians, dattention, strict=True)])

    assert exercises.SOFTMAX_BACKWARD.verdict(attempt).status == "passed"


def distances(tokens):
    side = math.isqrt(tokens)
    place = np.stack(np.divmod(np.arange(tokens), side), axis=1)  # (tokens, 2)
    return np.linalg.norm(place[:, None] - place, axis=2)  # (tokens, tokens)


def test_another_way_to_the_distance_is_right_too():
    def attempt(attention):
        return [float(row @ d) for row, d in zip(attention, distances(len(attention)), strict=True)]

    assert exercises.DISTANCE.verdict(attempt).status == "passed"


def test_distance_by_hand():
    """Two by two tokens, each looking at the one diagonally opposite: the root of 2 for all."""
    opposite = np.eye(4)[::-1]
    assert np.allclose(exercises.attention_distance(opposite), math.sqrt(2))


WRONG_DISTANCES = {
    "sum over the lookers": lambda a: (a * distances(len(a))).sum(axis=0),
    "mean over all": lambda a: (a * distances(len(a))).mean(axis=1),
    "one number": lambda a: (a * distances(len(a))).sum(axis=1).mean(),
    "strongest only": lambda a: distances(len(a))[np.arange(len(a)), a.argmax(axis=1)],
    "along the row of tokens": lambda a: (
        a * np.abs(np.arange(len(a))[:, None] - np.arange(len(a)))
    ).sum(axis=1),
    "squared": lambda a: (a * distances(len(a)) ** 2).sum(axis=1),
}


@pytest.mark.parametrize("attempt", WRONG_DISTANCES.values(), ids=WRONG_DISTANCES.keys())
def test_tells_a_wrong_distance(attempt):
    assert "It looks as if" in exercises.DISTANCE.verdict(attempt).message


def softmax_then_hide(scores, visible):
    return softmax(scores) * visible


def hide_by_zero_scores(scores, visible):
    return softmax(scores * visible)


def hide_and_renormalize(scores, visible):
    weights = softmax(scores) * visible
    with np.errstate(invalid="ignore"):
        return weights / weights.sum(axis=1, keepdims=True)


def hide_the_lookers(scores, visible):
    return softmax(np.where(visible[:, None], scores, -1e9))


def over_the_wrong_axis(scores, visible):
    return softmax(np.where(visible, scores, -1e9).T).T


@pytest.mark.parametrize(
    "attempt",
    [
        softmax_then_hide,
        hide_by_zero_scores,
        hide_the_lookers,
        over_the_wrong_axis,
    ],
)
def test_tells_a_wrong_mask(attempt):
    assert "It looks as if" in exercises.MASK.verdict(attempt).message


def test_a_mask_that_divides_nothing_by_nothing_is_refused():
    assert "gave nan at " in exercises.MASK.verdict(hide_and_renormalize).message


def test_a_very_low_score_hides_as_well_as_minus_infinity():
    def attempt(scores, visible):
        hidden = scores.copy()
        hidden[:, ~visible] = -1e9
        return softmax(hidden)

    assert exercises.MASK.verdict(attempt).status == "passed"


def heads_of(query, key, value, heads, scale=None, part=None, share=False):
    """`many_heads` with what can go wrong in it."""
    width = query.shape[1] // heads
    attended = np.empty_like(value)
    for h in range(heads):
        columns = part(h, width, heads) if part else slice(h * width, (h + 1) * width)
        scores = query[:, columns] @ key[:, columns].T / math.sqrt(scale or width)
        attended[:, columns] = (
            softmax(query @ key.T / math.sqrt(width) if share else scores) @ value[:, columns]
        )
    return attended


WRONG_HEADS = {
    "scale of the whole": lambda q, k, v, heads: heads_of(q, k, v, heads, scale=q.shape[1]),
    "no scale": lambda q, k, v, heads: heads_of(q, k, v, heads, scale=1),
    "one softmax for all": lambda q, k, v, heads: heads_of(q, k, v, heads, share=True),
    "every so many columns": lambda q, k, v, heads: heads_of(
        q, k, v, heads, part=lambda h, width, heads: slice(h, None, heads)
    ),
    "one head": lambda q, k, v, heads: heads_of(q, k, v, 1),
}


@pytest.mark.parametrize("attempt", WRONG_HEADS.values(), ids=WRONG_HEADS.keys())
def test_tells_wrong_heads(attempt):
    assert "It looks as if" in exercises.HEADS.verdict(attempt).message


def test_all_heads_at_once_are_right_too():
    def attempt(query, key, value, heads):
        tokens, d_model = query.shape
        q, k, v = (a.reshape(tokens, heads, -1).swapaxes(0, 1) for a in (query, key, value))
        scores = q @ k.swapaxes(1, 2) / math.sqrt(d_model // heads)  # (heads, tokens, tokens)
        weights = np.exp(scores) / np.exp(scores).sum(axis=2, keepdims=True)
        return (weights @ v).swapaxes(0, 1).reshape(tokens, d_model)

    assert exercises.HEADS.verdict(attempt).status == "passed"
