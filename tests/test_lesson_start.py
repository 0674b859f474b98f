"""Lesson 00: what its text says of things that the learner is to try, on the sample."""

import dataclasses

import numpy as np
import pytest

from course import mnist
from course.mlp import MLP, RECIPE
from course.nn import training
from course.recognizer import strokes
from course.recognizer.preprocess import normalize

SPECK = {"points": [[272, 8]], "width": 12}
TRIED = {  # what is changed, and from where to where the accuracy may be
    "8 hidden units": ({"hidden": 8}, {}, (0.88, 0.92)),
    "one hidden unit": ({"hidden": 1}, {}, (0.25, 0.40)),
    "another start": ({"seed": 2}, {}, (0.93, 0.955)),
    "a single pass": ({}, {"epochs": 1}, (0.85, 0.89)),
}
DRAWN = {  # how, what else is on the canvas, and from where to where the accuracy may be
    "careful": ({"size": 200}, [], (0.85, 1.0)),
    "small": ({"size": 60}, [], (0.2, 0.7)),
    "leaning to the left": ({"size": 200, "slant": -40}, [], (0.2, 0.7)),
    "with a speck": ({"size": 160}, [SPECK], (0.2, 0.7)),
}


@pytest.fixture(scope="module")
def digits():
    return mnist.load(mnist.CLONE_DATA / "sample")


def trained(digits, epochs=RECIPE.epochs, **options):
    model = MLP(**{"seed": 1} | options)
    x = mnist.to_float(digits.train_images).reshape(-1, 784)
    dataclasses.replace(RECIPE, epochs=epochs).trainer(model).fit(x, digits.train_labels)
    return model


@pytest.fixture(scope="module")
def model(digits):
    return trained(digits)


@pytest.mark.parametrize(("of_model", "of_recipe", "bounds"), TRIED.values(), ids=TRIED)
def test_a_change_gives_what_the_lesson_says(digits, of_model, of_recipe, bounds):
    x = mnist.to_float(digits.test_images).reshape(-1, 784)
    changed = trained(digits, **of_model, **of_recipe)
    _, accuracy = training.evaluate(changed, x, digits.test_labels)
    assert bounds[0] < accuracy < bounds[1]


@pytest.mark.parametrize(("how", "more", "bounds"), DRAWN.values(), ids=DRAWN)
def test_careful_drawings_are_read_and_careless_ones_often_not(model, how, more, bounds):
    random, labels = np.random.default_rng(0), np.arange(200) % 10
    drawings = [strokes.draw_digit(int(k), random, brush=20, **how) + more for k in labels]
    x = np.concatenate([normalize(strokes.render(drawing)).x for drawing in drawings])
    share = (model.forward(x).argmax(axis=1) == labels).mean()
    assert bounds[0] < share < bounds[1]
