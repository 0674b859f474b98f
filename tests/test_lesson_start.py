"""Lesson 00: what its text says of the changes that a learner is to try, on the sample."""

import dataclasses

import pytest

from course import mnist
from course.mlp import MLP, RECIPE
from course.nn import training

TRIED = {  # what is changed, and from where to where the accuracy may be
    "8 hidden units": ({"hidden": 8}, {}, (0.88, 0.92)),
    "one hidden unit": ({"hidden": 1}, {}, (0.25, 0.40)),
    "another start": ({"seed": 2}, {}, (0.93, 0.955)),
    "a single pass": ({}, {"epochs": 1}, (0.85, 0.89)),
}


@pytest.mark.parametrize(("of_model", "of_recipe", "bounds"), TRIED.values(), ids=TRIED)
def test_a_change_gives_what_the_lesson_says(of_model, of_recipe, bounds):
    digits = mnist.load(mnist.CLONE_DATA / "sample")
    flat = (mnist.to_float(i).reshape(-1, 784) for i in (digits.train_images, digits.test_images))
    x, test_x = flat
    model = MLP(**{"seed": 1} | of_model)
    dataclasses.replace(RECIPE, **of_recipe).trainer(model).fit(x, digits.train_labels)
    _, accuracy = training.evaluate(model, test_x, digits.test_labels)
    assert bounds[0] < accuracy < bounds[1]
