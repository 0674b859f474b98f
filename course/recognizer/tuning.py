"""Lesson 06b: how well a model reads the learner's digits, and fine-tuning on them."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from course import mnist, models
from course.nn.errors import CourseError
from course.nn.training import evaluate

REHEARSED = 500  # digits of the training set that are practiced along with the learner's own


class NoDigitsError(CourseError, ValueError):
    """The learner has not saved any digits yet."""


@dataclass(frozen=True)
class FineTuned:
    """Accuracies in [0, 1] before and after fine-tuning."""

    digits: int  # how many of the learner's own it was trained on
    own: tuple[float, float]  # on those, so the second one is no test
    mnist: tuple[float, float]  # on digits of MNIST: what it forgot
    mnist_digits: int
    mnist_is_test: bool  # not so with the sample, which comes from MNIST's training set


def accuracy(model, images, labels):
    """The share of images (count, 28, 28) uint8 that the model reads right; None of no images."""
    if not len(images):
        return None
    x = mnist.to_float(images).reshape(len(images), -1)
    return evaluate(model, x, labels)[1]


def gentle(recipe):
    """A recipe for fine-tuning: the same optimizer, for a moment, with a tenth of the steps.

    The model is to lean towards the new digits without forgetting the old ones.
    """
    return dataclasses.replace(
        recipe,
        epochs=5,
        batch_size=32,
        validation_split=0.0,
        patience=None,
        learning_rate=recipe.learning_rate / 10,
        schedule="constant",
    )


def fine_tune(model, images, labels, seed=1):
    """Train the model on for a moment, on the learner's digits and as many known ones.

    The known ones, from the training set, are rehearsed so that the model does not forget them
    (French, "Catastrophic forgetting in connectionist networks", 1999). The model is
    changed in place; `course.nn.training.copy_weights` beforehand allows to take it back.

    Args:
        model: the model; one that the course does not know learns like the MLP.
        images: (count, 28, 28) uint8.
        labels: (count,) uint8.
        seed: chooses the digits that are rehearsed.

    Returns:
        What it gained and lost, a `FineTuned`.

    Raises:
        NoDigitsError: there are no images.
    """
    if not len(images):
        raise NoDigitsError("There are no digits of yours yet: draw some and save them first.")
    digits = mnist.load()
    name = getattr(model, "name", None)
    recipe = gentle(models.recipe(name if name in models.KINDS else "mlp"))

    def judge():
        known = accuracy(model, digits.test_images, digits.test_labels)
        return accuracy(model, images, labels), known

    before = judge()
    known = np.random.default_rng(seed).choice(len(digits.train_labels), REHEARSED, replace=False)
    times = -(-REHEARSED // len(labels))  # repeat the learner's own until they are as many
    x = np.concatenate([np.tile(images, (times, 1, 1)), digits.train_images[known]])
    y = np.concatenate([np.tile(labels, times), digits.train_labels[known]])
    recipe.trainer(model).fit(mnist.to_float(x).reshape(len(x), -1), y)
    after = judge()
    own, kept = zip(before, after, strict=True)
    return FineTuned(len(labels), own, kept, len(digits.test_labels), digits.is_full)
