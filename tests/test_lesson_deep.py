"""Lessons 08 and 08b: their exercises are what the course computes, and what their texts say."""

import numpy as np
import pytest

from course import cnn, deep, im2col
from course.committee import Committee
from course.exercises import cnn as earlier
from course.exercises import deep as exercises
from course.nn import augmentation
from course.nn.layers import Layer
from course.nn.regularization import BatchNorm

RANDOM = np.random.default_rng(1)


def parameters(network):
    return sum(w.size for w in network.parameters.values())


def test_the_networks_are_as_large_as_the_lesson_says():
    assert (parameters(deep.DeepCNN()), parameters(cnn.CNN())) == (215_466, 15_770)
    assert deep.DeepCNN.loss_fn.smoothing == 0.05  # 95.5 % of the right class


# ---- The solutions are what the course computes -------------------------------------------------


def test_batch_norm_is_the_layer():
    layer = BatchNorm(3, dtype=np.float64)
    layer.training = True
    layer.parameters["gamma"][:], layer.parameters["beta"][:] = RANDOM.random((2, 3))
    x = RANDOM.normal(2, 3, (4, 3, 5, 6))
    found = exercises.batch_norm(x, *layer.parameters.values())
    np.testing.assert_allclose(found, layer.forward(x), atol=1e-12)


def test_between_pixels_is_what_augmentation_fetches():
    image = RANDOM.random((28, 28)).astype(np.float32)
    maps = augmentation.Augmentation(rotation=90, shift=8).maps(RANDOM.uniform(-1, 1, (3, 7)))
    expected = np.empty((3, 28, 28), np.float32)
    still = np.zeros((3, 2, 28, 28), np.float32)
    augmentation.warp(np.stack([image] * 3), maps, still, expected)
    for fetch, changed in zip(maps, expected, strict=True):
        for r, s in RANDOM.integers(0, 28, (200, 2)):
            place = fetch[:, :2] @ (r - 13.5, s - 13.5) + fetch[:, 2] + 13.5
            found = exercises.between_pixels(image, *place)
            assert found == pytest.approx(changed[r, s], abs=2e-3)


def test_mean_opinion_is_the_committee():
    class Says(Layer):
        def forward(self, x):
            return x

    members = [Says(), Says()]
    logits = RANDOM.standard_normal((2, 4, 5))
    members[1].forward = lambda x: logits[1]
    found = exercises.mean_opinion(logits)
    np.testing.assert_allclose(np.exp(Committee(members).forward(logits[0])), found, rtol=1e-6)


def test_col2im_is_the_gradient_of_the_convolutions():
    image, w = RANDOM.standard_normal((1, 1, 7, 6)), RANDOM.standard_normal((4, 1, 3, 3))
    dy = RANDOM.standard_normal((1, 4, 5, 4))
    drows = dy.reshape(4, -1).T @ w.reshape(4, 9)
    found = exercises.col2im(drows, 7, 6)
    for way in (cnn, im2col):
        expected = way.convolve_backward_input(image, w, dy)
        np.testing.assert_allclose(found, expected[0, 0], atol=1e-10)


def test_the_moving_average_of_a_constant_is_that_constant_and_forgets_the_rest():
    weights = np.concatenate([np.full((1, 2), 9.0), np.full((80, 2), 3.0)])
    means = exercises.moving_average(weights, 0.8)
    np.testing.assert_allclose(means[:3, 0], [9.0, 3 + 6 * 0.8, 3 + 6 * 0.64])
    assert means[-1] == pytest.approx(3.0, abs=1e-6)


# ---- Answers as learners write them -------------------------------------------------------------


def flat(x, gamma, beta):
    values = x.transpose(1, 0, 2, 3).reshape(x.shape[1], -1)
    mean, deviation = values.mean(axis=1), np.sqrt(values.var(axis=1) + 1e-5)
    return (
        np.einsum("c,bchw->bchw", gamma / deviation, x - mean[None, :, None, None])
        + beta[None, :, None, None]
    )


def padded(image, row, column):
    framed = np.pad(image, 3)
    row, column = row + 3, column + 3
    r, s = int(row), int(column)
    down, right = row - r, column - s
    upper = (1 - right) * framed[r, s] + right * framed[r, s + 1]
    lower = (1 - right) * framed[r + 1, s] + right * framed[r + 1, s + 1]
    return (1 - down) * upper + down * lower


def wraps(image, row, column):
    """Looks at negative indices, which are those from the end."""
    r, s = int(np.floor(row)), int(np.floor(column))
    total = 0.0
    for i, j in ((r, s), (r, s + 1), (r + 1, s), (r + 1, s + 1)):
        if i < image.shape[0] and j < image.shape[1]:
            total += (1 - abs(row - i)) * (1 - abs(column - j)) * image[i, j]
    return total


def truncates(image, row, column):
    """Rounds toward 0, so that -0.5 lies between 0 and 1."""
    r, s = int(row), int(column)
    total = 0.0
    for i, j in ((r, s), (r, s + 1), (r + 1, s), (r + 1, s + 1)):
        if 0 <= i < image.shape[0] and 0 <= j < image.shape[1]:
            total += (1 - (row - r if i > r else 1 - (row - r))) * image[i, j]
    return total


def recursive(weights, decay):
    if len(weights) == 1:
        return weights
    before = recursive(weights[:-1], decay)
    return np.vstack([before, decay * before[-1] + (1 - decay) * weights[-1]])


def opinion(logits):
    shares = np.exp(logits - logits.max(axis=2, keepdims=True))
    return (shares / shares.sum(axis=2, keepdims=True)).mean(axis=0)


def unstable(logits):
    shares = np.exp(logits)
    with np.errstate(all="ignore"):
        return (shares / shares.sum(axis=2, keepdims=True)).mean(axis=0)


def by_taps(rows, height, width):
    size = int(len(rows[0]) ** 0.5)
    places = rows.reshape(height - size + 1, width - size + 1, size, size)
    image = np.zeros((height, width))
    for i, j in np.ndindex(size, size):
        image[i : i + places.shape[0], j : j + places.shape[1]] += places[:, :, i, j]
    return image


@pytest.mark.parametrize(
    ("exercise", "attempt"),
    [
        (exercises.BATCH_NORM, flat),
        (exercises.BETWEEN, padded),
        (exercises.AVERAGE, recursive),
        (exercises.OPINION, opinion),
        (exercises.COL2IM, by_taps),
    ],
)
def test_accepts_other_ways(exercise, attempt):
    for seed in range(5):
        assert exercise.verdict(attempt, seed=seed).status == "passed"


@pytest.mark.parametrize(
    ("exercise", "attempt", "message"),
    [
        (exercises.BETWEEN, wraps, "Not yet: case 4: "),
        (exercises.BETWEEN, truncates, "Not yet: case "),
        (exercises.OPINION, unstable, "large"),
        (exercises.OPINION, lambda logits: logits.argmax(axis=2), "gave the shape"),
        (exercises.AVERAGE, lambda w, decay: recursive(w, decay)[-1], "gave the shape"),
        (exercises.COL2IM, lambda rows, h, w: by_taps(rows, w, h).T, "Not yet: "),
        (exercises.BATCH_NORM, lambda x, g, b: (x - x.mean()) / x.std(), "Not yet: case "),
    ],
)
def test_typical_mistakes_are_told(exercise, attempt, message):
    verdict = exercise.verdict(attempt)
    assert verdict.status == "wrong" and message in verdict.message


def test_col2im_is_held_against_the_learners_im2col():
    def im2col_of(image, size):
        windows = np.lib.stride_tricks.sliding_window_view(image, (size, size))
        return windows.reshape(-1, size * size)

    right = exercises.COL2IM.verdict(by_taps, im2col_of)
    assert right.status == "passed" and "gradient of your forward pass" in right.message
    twice = exercises.COL2IM.verdict(by_taps, lambda image, size: 2 * im2col_of(image, size))
    assert "of the course's forward pass, but not of yours" in twice.message
    assert exercises.COL2IM.verdict(by_taps, earlier.im2col).status == "passed"
