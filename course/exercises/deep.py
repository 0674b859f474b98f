"""The exercises of lessons 08 and 08b."""

import math

import numpy as np

from course.exercises import Exercise
from course.exercises.numerical import finite_differences
from course.nn import losses

LESSON, APPENDIX = "08-last-percent", "08b-how-frameworks-convolve"
EPSILON = 1e-5


def batch_norm(x, gamma, beta):
    mean = x.mean(axis=(0, 2, 3), keepdims=True)  # (1, channels, 1, 1)
    variance = x.var(axis=(0, 2, 3), keepdims=True)  # (1, channels, 1, 1)
    normalized = (x - mean) / np.sqrt(variance + EPSILON)  # like x
    return gamma[:, None, None] * normalized + beta[:, None, None]


def between_pixels(image, row, column):
    r, s = math.floor(row), math.floor(column)
    total = 0.0
    for i, j in ((r, s), (r, s + 1), (r + 1, s), (r + 1, s + 1)):
        if 0 <= i < image.shape[0] and 0 <= j < image.shape[1]:
            total += (1 - abs(row - i)) * (1 - abs(column - j)) * image[i, j]
    return total


def moving_average(weights, decay):
    means = np.empty_like(weights)
    mean = weights[0]
    for step, now in enumerate(weights):
        mean = decay * mean + (1 - decay) * now
        means[step] = mean
    return means


def mean_opinion(of_each):
    return np.mean([losses.softmax(logits) for logits in of_each], axis=0)


def col2im(rows, height, width):
    size = math.isqrt(rows.shape[1])
    image = np.zeros((height, width))
    columns = width - size + 1
    for place, window in enumerate(rows):
        r, s = divmod(place, columns)
        image[r : r + size, s : s + size] += window.reshape(size, size)
    return image


def _normed_cases(random):
    cases = [(np.array([[[[1.0, 3.0]]], [[[5.0, 7.0]]]]), np.array([2.0]), np.array([10.0]))]
    for batch, channels, height, width in random.integers(2, 5, (3, 4)):
        x = random.normal(1.0, 2.0, (batch, channels, height, width))
        x *= np.arange(1, channels + 1)[:, None, None]  # channels differ
        cases.append((x, random.normal(1.0, 0.5, channels), random.normal(0.0, 1.0, channels)))
    return cases


def _places(random):
    image = np.array([[0.0, 4.0, 8.0], [2.0, 6.0, 0.0]])
    cases = [(image, 0.0, 1.0), (image, 0.25, 0.75), (image, 1.5, 1.0), (image, -0.5, 0.25)]
    for height, width in random.integers(3, 6, (6, 2)):
        row, column = random.uniform(-1.5, (height + 0.5, width + 0.5))
        cases.append((random.random((height, width)), float(row), float(column)))
    return cases


def _paths(random):
    cases = [(np.array([[4.0], [0.0], [8.0]]), 0.5)]
    for steps, count in random.integers((3, 1), (9, 4), (3, 2)):
        cases.append((random.standard_normal((steps, count)), float(random.uniform(0.6, 0.95))))
    return cases


def _opinions(random):
    # Two say 0 narrowly, one says 1 for sure.
    cases = [(np.array([[[1.0, 0.0]], [[1.0, 0.0]], [[-4.0, 4.0]]]),)]
    shapes = random.integers((2, 2, 3), (5, 5, 6), (3, 3))
    return cases + [(2 * random.standard_normal(shape),) for shape in shapes]


def _large_opinions(random):
    return [(800 * random.standard_normal((3, 4, 5)),)]


def _rows(random):
    counted = np.array([[1.0, 2.0, 4.0, 5.0], [2.0, 3.0, 5.0, 6.0]])
    cases = [(counted, 2, 3), (np.ones((4, 4)), 3, 3)]
    for size, rows, columns in random.integers((1, 2, 2), (4, 5, 5), (3, 3)):
        shape = (rows * columns, size * size)
        height, width = int(size + rows - 1), int(size + columns - 1)
        cases.append((random.integers(-4, 5, shape).astype(float), height, width))
    return cases


def _by_differences(forward, rows, height, width):
    """`col2im` by finite differences of an im2col: of `forward(image, size)`."""
    size = round(rows.shape[1] ** 0.5)
    black = np.zeros([height, width])
    return finite_differences(lambda image: forward(image, size), black, dy=rows)[0]


def _norm_over(axes, x, gamma, beta):
    mean, variance = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    normalized = (x - mean) / np.sqrt(variance + EPSILON)
    return gamma[:, None, None] * normalized + beta[:, None, None]


def _divided_by_variance(x, gamma, beta):
    variance = x.var(axis=(0, 2, 3), keepdims=True)
    centered = x - x.mean(axis=(0, 2, 3), keepdims=True)
    return gamma[:, None, None] * centered / (variance + EPSILON) + beta[:, None, None]


def _weighed(image, row, column, weigh):
    """`between_pixels` with other weights: weigh(y, x, i, j), the place in the square of four."""
    r, s = math.floor(row), math.floor(column)
    total = 0.0
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        if 0 <= r + i < image.shape[0] and 0 <= s + j < image.shape[1]:
            total += weigh(row - r, column - s, i, j) * image[r + i, s + j]
    return total


def _near(amount, side):
    return amount if side else 1 - amount


def _nearest(image, row, column):
    r, s = math.floor(row + 0.5), math.floor(column + 0.5)
    inside = 0 <= r < image.shape[0] and 0 <= s < image.shape[1]
    return float(image[r, s]) if inside else 0.0


def _over_networks(logits):
    shares = losses.softmax(logits.reshape(len(logits), -1).T).T  # of each logit, all networks'
    return shares.reshape(logits.shape).mean(axis=0)


def _from_zero(weights, decay):
    padded = np.concatenate([np.zeros_like(weights[:1]), weights])
    return moving_average(padded, decay)[1:]


def _one_after_the_other(rows, height, width):
    """`col2im` with = in place of +=."""
    size = math.isqrt(rows.shape[1])
    image = np.zeros((height, width))
    for place, window in enumerate(rows):
        r, s = divmod(place, width - size + 1)
        image[r : r + size, s : s + size] = window.reshape(size, size)
    return image


def _covered(rows, height, width):
    return np.maximum(col2im(np.ones_like(rows), height, width), 1)


def _windows_turned(rows):
    size = math.isqrt(rows.shape[1])
    return rows.reshape(-1, size, size).transpose(0, 2, 1).reshape(rows.shape)


def _by_columns(rows, height, width):
    """`col2im` of windows that were cut out column by column."""
    return col2im(_windows_turned(rows), width, height).T


BATCH_NORM = Exercise(
    batch_norm,
    _normed_cases,
    "A channel has one mean: over the pictures of the batch and over all places in them. Which "
    "axes are that?",
    "x.mean(axis=(0, 2, 3), keepdims=True) is (1, channels, 1, 1) and can be subtracted from x. "
    "gamma[:, None, None] is (channels, 1, 1), which fits, too.",
    "(x - mean) / np.sqrt(variance + 1e-5), then gamma times that, plus beta.",
    lesson=APPENDIX,
    mistakes={
        "each place has a mean of its own; one kernel looks at all places, so they share it": (
            lambda x, gamma, beta: _norm_over((0,), x, gamma, beta)
        ),
        "each picture has a mean of its own; the mean goes over the batch, too": (
            lambda x, gamma, beta: _norm_over((2, 3), x, gamma, beta)
        ),
        "all channels share one mean; each should have its own": (
            lambda x, gamma, beta: _norm_over((0, 1, 2, 3), x, gamma, beta)
        ),
        "you divide by the variance; the deviation is its root": _divided_by_variance,
        "gamma and beta are left out": (
            lambda x, gamma, beta: batch_norm(x, np.ones_like(gamma), np.zeros_like(beta))
        ),
        "beta is left out": lambda x, gamma, beta: batch_norm(x, gamma, np.zeros_like(beta)),
    },
)
BETWEEN = Exercise(
    between_pixels,
    _places,
    "Four pixels lie around the place. Which are they, and how near is each, in rows and in "
    "columns?",
    "With r = math.floor(row) the rows are r and r + 1. A pixel (i, j) counts with "
    "(1 - abs(row - i)) * (1 - abs(column - j)). One outside of the image is 0: leave it out.",
    "For i in (r, r + 1) and j in (s, s + 1), if 0 <= i < image.shape[0] and the like for j: "
    "total += (1 - abs(row - i)) * (1 - abs(column - j)) * image[i, j].",
    lesson=LESSON,
    mistakes={
        "the nearest pixel is taken as it is; mix the four around": _nearest,
        "the far pixels weigh more; weigh by 1 minus the distance": (
            lambda image, row, column: _weighed(
                image,
                row,
                column,
                lambda y, x, i, j: _near(y, 1 - i) * _near(x, 1 - j),
            )
        ),
        "the distances in rows and in columns are exchanged": (
            lambda image, row, column: _weighed(
                image, row, column, lambda y, x, i, j: _near(x, i) * _near(y, j)
            )
        ),
        "the four are averaged alike; nearer ones should weigh more": (
            lambda image, row, column: _weighed(image, row, column, lambda *place: 0.25)
        ),
        "it is mixed along the row only; the row below has its share, too": (
            lambda image, row, column: _weighed(
                image, row, column, lambda y, x, i, j: (1 - i) * _near(x, j)
            )
        ),
        "outside of the image the edge goes on; there it should be 0": (
            lambda image, row, column: between_pixels(
                image,
                min(max(row, 0), image.shape[0] - 1),
                min(max(column, 0), image.shape[1] - 1),
            )
        ),
    },
)
AVERAGE = Exercise(
    moving_average,
    _paths,
    "Keep one mean and pull it a little toward the weights of each step. Where does it begin?",
    "mean = weights[0] to begin with; at each step mean = decay * mean + (1 - decay) * now. Keep "
    "them all.",
    lesson=LESSON,
    mistakes={
        "decay and 1 - decay are exchanged; the old mean keeps the share `decay`": (
            lambda weights, decay: moving_average(weights, 1 - decay)
        ),
        "the mean begins at 0; it should begin at the first weights": _from_zero,
        "each step counts as much as all others; the past should fade": (
            lambda weights, decay: weights.cumsum(axis=0) / np.arange(1, len(weights) + 1)[:, None]
        ),
        "the new weights are added in full; their share is 1 - decay": (
            lambda weights, decay: np.array(
                [
                    decay ** (k + 1) * weights[0]
                    + sum(decay ** (k - i) * weights[i] for i in range(k + 1))
                    for k in range(len(weights))
                ]
            )
        ),
        "these are the weights themselves, not their mean": lambda weights, decay: weights.copy(),
    },
)
OPINION = Exercise(
    mean_opinion,
    _opinions,
    "What is to be averaged, logits or probabilities? And over which axis?",
    "Make probabilities of each network's logits first: losses.softmax(of_each[n]). Then the mean "
    "over the networks, axis 0.",
    lesson=LESSON,
    large=_large_opinions,
    mistakes={
        "the logits are averaged, and then made probabilities; average the probabilities": (
            lambda logits: losses.softmax(logits.mean(axis=0))
        ),
        "these are mean logits; make probabilities of each network's first": (
            lambda logits: logits.mean(axis=0)
        ),
        "the probabilities are added up; divide by the number of networks": (
            lambda logits: np.sum([losses.softmax(of_one) for of_one in logits], axis=0)
        ),
        "each network has one vote; its probabilities say how sure it is": (
            lambda logits: np.mean(np.eye(logits.shape[2])[logits.argmax(axis=2)], axis=0)
        ),
        "the softmax runs over the networks; it should run over the classes": (
            lambda logits: np.mean(
                [losses.softmax(of_place.T).T for of_place in logits.transpose(1, 0, 2)], axis=1
            )
        ),
    },
)
COL2IM = Exercise(
    col2im,
    _rows,
    "Where did the window of row number `place` lie? There are width - size + 1 places in a line.",
    "r, s = divmod(place, width - size + 1). Make a square of the row again, and add it to the "
    "image there: windows overlap.",
    "image[r : r + size, s : s + size] += window.reshape(size, size), with image = "
    "np.zeros((height, width)) to begin with.",
    lesson=APPENDIX,
    numerical=_by_differences,
    mistakes={
        "windows overwrite each other; where they overlap they add up: +=": _one_after_the_other,
        "each pixel gets the mean of its copies; it should get their sum": (
            lambda rows, height, width: col2im(rows, height, width) / _covered(rows, height, width)
        ),
        "each row is laid out column by column; it was read row by row": (
            lambda rows, height, width: col2im(_windows_turned(rows), height, width)
        ),
        "the places are gone through column by column; they are in reading order": _by_columns,
        "each window is flipped": (
            lambda rows, height, width: col2im(rows[:, ::-1], height, width)
        ),
    },
)
