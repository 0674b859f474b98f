"""The exercises of lessons 03 and 03b name what learners typically write, and take other ways."""

import numpy as np
import pytest
from scipy import signal

from course.exercises import cnn as exercises


def windows(image, size):
    return np.lib.stride_tricks.sliding_window_view(image, (size, size))  # (rows, columns, ...)


def convolve(image, kernel):
    return np.einsum("rsij,ij->rs", windows(image, len(kernel)), kernel)


def backward(image, kernel, dy):
    """Both gradients as correlations: of the image with dy, and of dy with the flipped kernel."""
    dx = signal.convolve2d(dy, kernel, mode="full")
    return signal.correlate2d(image, dy, mode="valid"), dx


def columns(image, size):
    return windows(image, size).reshape(-1, size * size)


def one_place_too_few(image, kernel):
    size = len(kernel)
    answer = np.zeros((image.shape[0] - size, image.shape[1] - size))
    for r in range(image.shape[0] - size):
        for s in range(image.shape[1] - size):
            answer[r, s] = (kernel * image[r : r + size, s : s + size]).sum()
    return answer


def column_by_column(image, size):
    rows, columns = np.subtract(image.shape, size) + 1
    corners = [(r, s) for s in range(columns) for r in range(rows)]
    return np.array([image[r : r + size, s : s + size].ravel() for r, s in corners])


def columns_but_for_the_last(image, size):
    rows, columns = np.subtract(image.shape, size)
    corners = [(r, s) for r in range(rows) for s in range(columns)]
    return np.array([image[r : r + size, s : s + size].ravel() for r, s in corners])


def pixels_by_assignment(image, kernel, dy):
    dw, dx = np.zeros_like(kernel), np.zeros_like(image)
    for r, s in np.ndindex(dy.shape):
        for i, j in np.ndindex(kernel.shape):
            dw[i, j] += dy[r, s] * image[r + i, s + j]
            dx[r + i, s + j] = dy[r, s] * kernel[i, j]
    return dw, dx


WRONG = [
    (exercises.CONVOLVE, signal.convolve2d, "gave the shape"),  # mode="full"
    (exercises.CONVOLVE, lambda i, k: signal.convolve2d(i, k, "valid"), "the kernel is flipped"),
    (exercises.CONVOLVE, lambda i, k: convolve(i, k.T), "rows and columns of the kernel are"),
    (exercises.CONVOLVE, one_place_too_few, "the last row and the last column of places"),
    (exercises.CONVOLVE, lambda i, k: convolve(i, k) / len(k) ** 2, "you take the mean"),
    (exercises.BACKWARD, lambda i, k, dy: (backward(i, k, dy)[0], 0 * i), "dx is still missing"),
    (exercises.BACKWARD, lambda i, k, dy: backward(i, k, dy)[::-1], "the shape"),
    (exercises.BACKWARD, pixels_by_assignment, "what arrives at a pixel overwrites"),
    (
        exercises.BACKWARD,
        lambda i, k, dy: (backward(i, k, dy)[0] / dy.size, backward(i, k, dy)[1]),
        "dw is a mean over the places",
    ),
    (
        exercises.BACKWARD,
        lambda i, k, dy: (backward(i, k, dy)[0], backward(i, k[::-1, ::-1], dy)[1]),
        "for dx the kernel is flipped",
    ),
    (exercises.IM2COL, lambda i, size: columns(i, size).T, "windows stand in columns"),
    (exercises.IM2COL, column_by_column, "gone through column by column"),
    (exercises.IM2COL, lambda i, size: [*windows(i, size).reshape(-1, size, size)], "squares"),
    (exercises.IM2COL, columns_but_for_the_last, "the last row and the last column of places"),
    (exercises.OUTPUT_SIZE, lambda n, k, p, s: (n + 2 * p - k) / s + 1, "half strides"),
    (exercises.OUTPUT_SIZE, lambda n, k, p, s: (n + 2 * p - k) // s, "the place where the kernel"),
    (exercises.OUTPUT_SIZE, lambda n, k, p, s: (n + p - k) // s + 1, "padding on one side only"),
    (exercises.OUTPUT_SIZE, lambda n, k, p, s: n + 2 * p - k + 1, "the stride is left out"),
    (exercises.COST, lambda i, o, k, n: (o * i * k * k, o * i * (k * n) ** 2), "the biases are"),
    (exercises.COST, lambda i, o, k, n: (o * k * k + o, o * (k * n) ** 2), "one kernel per output"),
    (
        exercises.COST,
        lambda i, o, k, n: (o * i * k * k + i * o, o * i * (k * n) ** 2),
        "each kernel has a bias",
    ),
    (exercises.COST, lambda i, o, k, n: o * i * k * k + o, "expected 2 results"),
    (exercises.AVERAGE_POOL, lambda dy: np.kron(dy, np.ones((1, 1, 2, 2))), "a quarter of it"),
    (exercises.AVERAGE_POOL, lambda dy: np.kron(dy, np.ones((1, 1, 2, 2))) / 2, "half of the"),
    (exercises.AVERAGE_POOL, lambda dy: np.tile(dy, (1, 1, 2, 2)) / 4, "the picture is tiled"),
    (exercises.AVERAGE_POOL, lambda dy: dy.repeat(2, 0).repeat(2, 1) / 4, "axes 2 and 3"),
    (exercises.AVERAGE_POOL, lambda dy: dy / 4, "gave the shape"),
]


@pytest.mark.parametrize(("exercise", "attempt", "message"), WRONG)
def test_typical_mistakes_are_told(exercise, attempt, message):
    for seed in range(5):
        verdict = exercise.verdict(attempt, seed=seed)
        assert verdict.status == "wrong" and message in verdict.message


@pytest.mark.parametrize(
    ("exercise", "attempt"),
    [
        (exercises.CONVOLVE, convolve),
        (exercises.BACKWARD, backward),
        (exercises.IM2COL, columns),
        (exercises.AVERAGE_POOL, lambda dy: np.kron(dy, np.full((1, 1, 2, 2), 0.25))),
    ],
)
def test_accepts_other_ways(exercise, attempt):
    for seed in range(5):
        assert exercise.verdict(attempt, seed=seed).status == "passed"


def pool(x):
    return np.mean([x[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)], axis=0)


def spread(dy):
    return np.kron(dy, np.full((1, 1, 2, 2), 0.25))


@pytest.mark.parametrize(
    ("exercise", "attempt", "forward", "other_forward", "other"),
    [
        (
            exercises.BACKWARD, backward, convolve,
            lambda image, kernel: 2 * convolve(image, kernel),
            lambda *given: [2 * gradient for gradient in backward(*given)],
        ),
        (
            exercises.AVERAGE_POOL, spread, pool,
            lambda x: 4 * pool(x), lambda dy: 4 * spread(dy),
        ),
    ],
)  # fmt: skip
def test_a_way_back_is_held_against_the_learners_way_there(
    exercise, attempt, forward, other_forward, other
):
    for seed in range(5):
        assert exercise.verdict(attempt, forward, seed).status == "passed"
    not_yours = exercise.verdict(attempt, other_forward).message
    assert "it is the gradient of the course's forward pass, but not of yours" in not_yours
    not_ours = exercise.verdict(other, other_forward).message
    assert "it is the gradient of your forward pass, but that is not the course's" in not_ours
    neither = exercise.verdict(lambda *given: [3 * g for g in attempt(*given)], forward).message
    assert "it is not the gradient of your forward pass" in neither
