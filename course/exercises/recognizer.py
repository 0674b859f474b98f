"""The exercises of lesson 06."""

import numpy as np

from course.exercises import Exercise
from course.nn.losses import softmax


def slant(image):
    rows, columns = np.indices(image.shape)  # both (height, width)
    rows = rows - np.average(rows, weights=image)
    columns = columns - np.average(columns, weights=image)
    return (image * rows * columns).sum() / (image * rows**2).sum()


def committee(probabilities):
    return probabilities.mean(axis=0).argmax(axis=1)


def read_or_refuse(probabilities, threshold):
    digits = probabilities.argmax(axis=1)
    return np.where(probabilities.max(axis=1) < threshold, -1, digits)


def _images():
    random = np.random.default_rng(6)
    stroke = np.zeros((28, 28), np.uint8)
    for row in range(4, 24):
        stroke[row, 24 - row // 2] = 255  # half a column to the left for each row
    return [(stroke,), *((random.integers(0, 256, s, np.uint8),) for s in ((28, 28), (9, 17)))]


def _votes():
    random = np.random.default_rng(7)
    shapes = [(3, 6, 10), (3, 200, 10), (5, 40, 10), (1, 4, 10)]  # models, samples, digits
    return [(softmax(3 * random.standard_normal(shape)),) for shape in shapes]


def _doubts():
    random = np.random.default_rng(8)
    probabilities = softmax(2 * random.standard_normal((60, 10)))
    return [(probabilities, threshold) for threshold in (0.5, 0.9, 0.0, 1.1)]


SLANT = Exercise(
    slant,
    _images,
    "np.indices(image.shape) gives the row and the column of every pixel, np.average(..., "
    "weights=image) their means. The rest is the formula, with sums over all pixels.",
)
COMMITTEE = Exercise(
    committee,
    _votes,
    "First the mean over the models, axis 0, which leaves (samples, 10); then argmax along axis 1. "
    "A vote of the three readings would forget how sure each of them was.",
)
REFUSE = Exercise(
    read_or_refuse,
    _doubts,
    "The certainty of a reading is the largest probability of its row. np.where(doubtful, -1, "
    "digits) chooses for every row.",
)
