"""Averaged weights follow the steps, and take their place in the end."""

import numpy as np
import pytest

from course.mlp import MLP
from course.nn.averaging import AveragedWeights
from course.nn.layers import Dense, Sequential
from course.nn.optimizers import SGD
from course.nn.recipe import Recipe
from course.nn.regularization import BatchNorm
from course.nn.rng import SimpleRng


def network():
    layers = {
        "dense": Dense(3, 2, SimpleRng(1), np.float64),
        "norm": BatchNorm(2, dtype=np.float64),
    }
    return Sequential(**layers)


def test_the_mean_is_the_one_of_the_formula():
    model = network()
    averaged = AveragedWeights(SGD(model), decay=0.5)
    expected = model.parameters["dense.w"].copy()
    for t in range(1, 8):
        model.gradients["dense.w"][...] = t
        model.buffers["norm.mean"][...] = t
        averaged.step(0.1)
        decay = min(0.5, (1 + t) / (10 + t))
        expected = decay * expected + (1 - decay) * model.parameters["dense.w"]
    kept = model.parameters["dense.w"]
    assert not np.allclose(kept, expected)
    averaged.finish()
    np.testing.assert_allclose(kept, expected, rtol=1e-12)
    assert 1 < model.buffers["norm.mean"][0] < 7  # batch norm's means come along


def test_without_steps_that_differ_it_changes_nothing():
    model = network()
    before = model.parameters["dense.w"].copy()
    averaged = AveragedWeights(SGD(model), decay=0.9)
    for _ in range(5):
        averaged.step(0.1)  # gradients are zero
    averaged.finish()
    np.testing.assert_allclose(model.parameters["dense.w"], before, rtol=1e-12)


def test_it_calms_steps_that_are_too_large():
    """Around the bottom of a bowl, noisy gradients scatter the weights, and less so their mean."""
    random, model = np.random.default_rng(1), network()
    w = model.parameters["dense.w"]
    averaged = AveragedWeights(SGD(model), decay=0.95)
    scattered = []
    for _ in range(500):
        model.gradients["dense.w"][...] = w + random.standard_normal(w.shape)
        averaged.step(0.5)
        scattered.append(np.abs(w).mean())
    averaged.finish()
    assert np.abs(w).mean() < 0.6 * np.mean(scattered[100:])


def test_a_recipe_trains_with_it():
    x = np.random.default_rng(1).random((64, 784), np.float32)
    y = np.arange(64) % 10
    results = []
    for average in (0.0, 0.9):
        model = MLP(hidden=8)
        recipe = Recipe(epochs=2, average=average, learning_rate=0.1, validation_split=0.0)
        recipe.trainer(model).fit(x, y)
        results.append(model.parameters["output.w"].copy())
    assert np.isfinite(results[1]).all() and not np.array_equal(*results)


@pytest.mark.parametrize("decay", [0.0, 1.0, -1.0, 2.0, float("nan")])
def test_a_decay_that_makes_no_sense_is_refused(decay):
    with pytest.raises(ValueError, match="decay of averaged weights"):
        AveragedWeights(SGD(network()), decay)
