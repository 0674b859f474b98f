"""Lessons 02 and 02b: what they say that one should find is what one finds."""

import json
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from course import mnist
from course.exercises import mlp as exercises
from course.mlp import MLP, RECIPE
from course.nn import losses, training

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def sample():
    digits = mnist.load(ROOT / "data" / "sample")
    pictures = (digits.train_images, digits.test_images)
    x, test_x = (mnist.to_float(images).reshape(-1, 784) for images in pictures)
    return x, digits.train_labels, test_x, digits.test_labels


@pytest.fixture(scope="module")
def methods():
    """The three functions of lesson 02, with the exercise's own step."""
    cells = json.loads((ROOT / "notebooks" / "02-mlp.ipynb").read_text("utf-8"))["cells"]
    names = {"np": np, "take_step": exercises.step}
    exec(next("".join(cell["source"]) for cell in cells if cell["id"] == "methods"), names)
    return names


def walk(method, learning_rate, steps):
    path, memory = [np.array([-4.5, 1.0])], {}
    for _ in range(steps):
        path.append(method(path[-1], path[-1] * [1, 30], learning_rate, memory))
    return np.array(path)


def test_sgd_leaves_the_valley_from_a_rate_of_two_thirtieths_on(methods):
    below, above = (walk(methods["sgd"], 2 / 30 + change, 300) for change in (-0.001, 0.001))
    assert np.abs(below[-1]).max() < 0.01
    assert abs(above[-1, 0]) < 0.01 and abs(above[-1, 1]) > 100


@pytest.mark.parametrize(("method", "learning_rate"), [("momentum", 0.02), ("adam", 0.2)])
def test_momentum_and_adam_reach_the_bottom_and_overshoot_on_the_way(
    methods, method, learning_rate
):
    path = walk(methods[method], learning_rate, 60)
    assert np.abs(path[-1]).max() < 0.1 < path[:, 0].max()


def with_tanh(weights, x):
    a = np.tanh(x @ weights["hidden.w"] + weights["hidden.b"])
    return a, a @ weights["output.w"] + weights["output.b"]


def gradients_with_tanh(weights, x, labels):
    a, logits = with_tanh(weights, x)
    dlogits = exercises.softmax_gradient(losses.softmax(logits), labels)
    da, dw2, db2 = exercises.dense_backward(a, weights["output.w"], dlogits)
    _, dw1, db1 = exercises.dense_backward(x, weights["hidden.w"], da * (1 - a**2))
    return {"hidden.w": dw1, "hidden.b": db1, "output.w": dw2, "output.b": db2}


@pytest.mark.slow
@pytest.mark.parametrize(("learning_rate", "epochs"), [(0.1, 5), (10, 2)])
def test_tanh_reads_as_well_and_sits_far_out_where_the_rate_is_10(sample, learning_rate, epochs):
    x, y, test_x, test_y = sample
    weights = MLP(seed=1).parameters
    with threadpool_limits(1, "blas"):
        for epoch in range(1, epochs + 1):
            order = np.random.default_rng(epoch).permutation(len(x))
            weights = exercises.train_epoch(
                weights, x, y, order, gradients_with_tanh, 64, learning_rate
            )
        a, logits = with_tanh(weights, test_x)
    right = exercises.accuracy(logits, test_y)
    if learning_rate == 10:
        assert right < 0.4 and np.mean(np.abs(a) > 0.99) > 0.95
    else:
        assert 0.85 < right < 0.95


@pytest.mark.slow
def test_about_ten_hidden_units_are_enough_for_nine_of_ten(sample):
    x, y, test_x, test_y = sample
    right = {}
    for hidden in (2, 8, 12):
        model = MLP(seed=1, hidden=hidden)
        RECIPE.trainer(model).fit(x, y)
        right[hidden] = training.evaluate(model, test_x, test_y)[1]
    assert right[2] > 0.5 and 0.85 < right[8] < 0.92 and right[12] > 0.89
