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
    exact = np.array([[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]])  # one is just as sure as it must be
    return [(exact, 0.75), *((probabilities, threshold) for threshold in (0.5, 0.9, 0.0, 1.1))]


def _slant_about(image, row, column):
    rows, columns = np.indices(image.shape)
    return (image * (rows - row) * (columns - column)).sum() / (image * (rows - row) ** 2).sum()


def _votes_counted(probabilities):
    votes = probabilities.argmax(axis=2)  # (models, samples)
    return np.array([np.bincount(one, minlength=10).argmax() for one in votes.T])


SLANT = Exercise(
    slant,
    _images,
    "Make an array of the rows and one of the columns of all pixels, as large as the image. The "
    "formula is then sums over whole arrays.",
    "np.indices(image.shape) gives the row and the column of every pixel, np.average(..., "
    "weights=image) their means.",
    "After rows = rows - np.average(rows, weights=image), and columns likewise: (image * rows * "
    "columns).sum() divided by (image * rows**2).sum().",
    mistakes={
        "rows and columns are counted from the corner, not from the center of mass": (
            lambda image: _slant_about(image, 0, 0)
        ),
        "rows and columns are exchanged: the sum below is over the squares of the rows": (
            lambda image: slant(image.T)
        ),
        "the ink of the pixels is left out: every pixel that has some weighs the same": (
            lambda image: slant(image > 0)
        ),
        "the sign is turned around": lambda image: -slant(image),
        "the center is that of the picture, not that of the ink": (
            lambda image: _slant_about(image, *((np.array(image.shape) - 1) / 2))
        ),
    },
)
COMMITTEE = Exercise(
    committee,
    _votes,
    "What do the models say together of one sample? Ten numbers again.",
    "First the mean over the models, axis 0, which leaves (samples, 10); then argmax along axis 1. "
    "A vote of the three readings would forget how sure each of them was.",
    "probabilities.mean(axis=...).argmax(axis=...).",
    mistakes={
        "every model has one vote, however sure it is": _votes_counted,
        "the surest model decides alone; the mean asks all of them": (
            lambda p: p.max(axis=0).argmax(axis=1)
        ),
        "the mean runs over the samples, axis 1; the models are axis 0": (
            lambda p: p.mean(axis=1).argmax(axis=1)
        ),
        "the probabilities are multiplied; the mean adds them": (
            lambda p: p.prod(axis=0).argmax(axis=1)
        ),
        "argmax looks for the surest sample, axis 0; the digits are axis 1 of what is left": (
            lambda p: p.mean(axis=0).argmax(axis=0)
        ),
    },
)
REFUSE = Exercise(
    read_or_refuse,
    _doubts,
    "How sure is a reading? And which readings are not sure enough?",
    "The certainty of a reading is the largest probability of its row. np.where(doubtful, -1, "
    "digits) chooses for every row.",
    "np.where(probabilities.max(axis=1) < threshold, -1, ...).",
    mistakes={
        "exactly `threshold` is refused; `at least` means that it is enough": (
            lambda p, t: np.where(p.max(axis=1) <= t, -1, p.argmax(axis=1))
        ),
        "the doubtful are read and the sure ones refused": (
            lambda p, t: np.where(p.max(axis=1) < t, p.argmax(axis=1), -1)
        ),
        "nothing is refused": lambda p, t: p.argmax(axis=1),
        "what is refused becomes a 0, which is a digit": (
            lambda p, t: np.where(p.max(axis=1) < t, 0, p.argmax(axis=1))
        ),
        "the probability of the digit 0 decides; the largest one should": (
            lambda p, t: np.where(p[:, 0] < t, -1, p.argmax(axis=1))
        ),
    },
)
