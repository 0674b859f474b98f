"""The exercises of lesson 03."""

import numpy as np

from course.exercises import Exercise


def convolve_image(image, kernel):
    size = len(kernel)
    answer = np.zeros((image.shape[0] - size + 1, image.shape[1] - size + 1))
    for r in range(answer.shape[0]):
        for s in range(answer.shape[1]):
            answer[r, s] = (kernel * image[r : r + size, s : s + size]).sum()
    return answer


def convolution_backward(image, kernel, dy):
    rows, columns = dy.shape
    dw, dx = np.zeros(kernel.shape), np.zeros(image.shape)
    for i in range(len(kernel)):
        for j in range(len(kernel)):
            dw[i, j] = (dy * image[i : i + rows, j : j + columns]).sum()
            dx[i : i + rows, j : j + columns] += dy * kernel[i, j]
    return dw, dx


def im2col(image, size):
    rows, columns = image.shape[0] - size + 1, image.shape[1] - size + 1
    corners = [(r, s) for r in range(rows) for s in range(columns)]
    return np.array([image[r : r + size, s : s + size].ravel() for r, s in corners])


def output_size(size, kernel, padding, stride):
    return (size + 2 * padding - kernel) // stride + 1


def convolution_cost(in_channels, out_channels, kernel, size):
    weights = out_channels * in_channels * kernel * kernel
    return weights + out_channels, weights * size * size


def average_pool_backward(dy):
    return dy.repeat(2, axis=2).repeat(2, axis=3) / 4


def _normal(random, *shapes):
    """One array of random numbers for each shape."""
    return [random.standard_normal(shape) for shape in shapes]


def _overwritten(image, kernel, dy):
    """`convolution_backward` with = in place of +=."""
    rows, columns = dy.shape
    dw, dx = convolution_backward(image, kernel, dy)
    for (i, j), weight in np.ndenumerate(kernel):
        dx[i : i + rows, j : j + columns] = dy * weight
    return dw, dx


def _flipped(image, kernel, dy):
    dw, dx = convolution_backward(image, kernel[::-1, ::-1], dy)
    return dw[::-1, ::-1], dx


def _mean(image, kernel, dy):
    dw, dx = convolution_backward(image, kernel, dy)
    return dw / dy.size, dx


def _only_dw(image, kernel, dy):
    return convolution_backward(image, kernel, dy)[0], np.zeros(image.shape)


CONVOLVE = Exercise(
    convolve_image,
    lambda random: [
        _normal(random, (3, 4), (2, 2)),
        _normal(random, (5, 4), (3, 3)),
        _normal(random, (7, 9), (3, 3)),
    ],
    "Two loops over the places, r and s; at each the sum that you have just seen. How many places "
    "are there?",
    "The answer has image.shape[0] - len(kernel) + 1 rows, and columns likewise. Begin with "
    "np.zeros of that shape, and fill it.",
    "answer[r, s] = (kernel * image[r : r + size, s : s + size]).sum(), with size = len(kernel).",
    lesson="03-cnn",
    mistakes={
        "the kernel is flipped; lay it on as it is": (
            lambda image, kernel: convolve_image(image, kernel[::-1, ::-1])
        ),
        "rows and columns of the kernel are exchanged": (
            lambda image, kernel: convolve_image(image, kernel.T)
        ),
        "the last row and the last column of places are left out": (
            lambda image, kernel: convolve_image(image, kernel)[:-1, :-1]
        ),
        "you take the mean of the products; it is their sum": (
            lambda image, kernel: convolve_image(image, kernel) / kernel.size
        ),
    },
)
BACKWARD = Exercise(
    convolution_backward,
    lambda random: [
        _normal(random, (3, 4), (2, 2), (2, 3)),
        _normal(random, (5, 4), (3, 3), (3, 2)),
        _normal(random, (9, 7), (3, 3), (7, 5)),
    ],
    "The forward loops once more: r and s over the places of dy, i and j over the kernel. What is "
    "the other factor of w[i, j], and what that of the pixel?",
    "w[i, j] has met image[r + i, s + j], so dw[i, j] grows by dy[r, s] * image[r + i, s + j]. "
    "The pixel has met w[i, j]. Many steps end in the same place, so they add up: +=.",
    "In the innermost loop: dw[i, j] += dy[r, s] * image[r + i, s + j], and "
    "dx[r + i, s + j] += dy[r, s] * kernel[i, j].",
    lesson="03-cnn",
    mistakes={
        "dw is right, and dx is still missing": _only_dw,
        "dw is a mean over the places; each place counts in full": _mean,
        "what arrives at a pixel overwrites what was there; it adds up: +=": _overwritten,
        "the kernel is flipped; [r + i, s + j] was met by [i, j]": _flipped,
        "the other factor is left out; dw needs the pixels, dx the weights": (
            lambda image, kernel, dy: (
                convolution_backward(np.ones_like(image), kernel, dy)[0],
                convolution_backward(image, np.ones_like(kernel), dy)[1],
            )
        ),
    },
)
IM2COL = Exercise(
    im2col,
    lambda random: [
        (_normal(random, (3, 4))[0], 2),
        (_normal(random, (5, 4))[0], 3),
        (_normal(random, (6, 9))[0], 3),
    ],
    "Cut out each window as you would for the sum. How does a square of numbers become a row?",
    "image[r : r + size, s : s + size].ravel() is a row. Collect them for all places, r outside "
    "and s inside, and make an array of the list.",
    lesson="03b-cnn-speed",
    mistakes={
        "the places are gone through column by column; reading order is row by row": (
            lambda image, size: (
                im2col(image.T, size)
                .reshape(-1, size, size)
                .transpose(0, 2, 1)
                .reshape(-1, size * size)
            )
        ),
        "each window is laid out column by column; reading order is row by row": (
            lambda image, size: (
                im2col(image, size)
                .reshape(-1, size, size)
                .transpose(0, 2, 1)
                .reshape(-1, size * size)
            )
        ),
        "windows stand in columns; each is to be a row": lambda image, size: im2col(image, size).T,
    },
)
OUTPUT_SIZE = Exercise(
    output_size,
    lambda random: [(28, 3, 0, 1), (28, 3, 1, 1), (28, 5, 2, 2), (32, 7, 3, 4), (9, 9, 0, 3)],
    "How far can the kernel's first pixel travel within the padded image?",
    "The padded image has size + 2 * padding pixels, the way is that minus kernel. There is one "
    "place more than strides that fit into it, and half strides do not count.",
    "(...) // stride + 1, with that way in the parentheses.",
    lesson="03b-cnn-speed",
    mistakes={
        "the place where the kernel starts is not counted": lambda n, k, p, s: (n + 2 * p - k) // s,
        "there is padding on one side only": lambda n, k, p, s: (n + p - k) // s + 1,
        "the stride is left out": lambda n, k, p, s: n + 2 * p - k + 1,
        "the 1 is added before the division; it is one place, not one pixel": (
            lambda n, k, p, s: (n + 2 * p - k + 1) // s
        ),
        "half strides are counted; // leaves them out": lambda n, k, p, s: (n + 2 * p - k) / s + 1,
    },
)
COST = Exercise(
    convolution_cost,
    lambda random: [(1, 8, 3, 28), (8, 24, 5, 14), (3, 2, 1, 10)],
    "Count the weights first. Then: how often is each of them used?",
    "Each output channel has a kernel for every input channel, and one bias. Each weight is used "
    "once at every pixel of the output, which is as large as the input.",
    "weights = out_channels * in_channels * kernel**2; return weights + out_channels and weights "
    "times the number of pixels.",
    lesson="03b-cnn-speed",
    mistakes={
        "the biases are left out": lambda i, o, k, n: (i * o * k * k, i * o * k * k * n * n),
        "there is one kernel per output channel; there is one for every input channel, too": (
            lambda i, o, k, n: (o * k * k + o, o * k * k * n * n)
        ),
        "each kernel has a bias; there is one per output channel": (
            lambda i, o, k, n: (i * o * (k * k + 1), i * o * k * k * n * n)
        ),
        "every pixel has weights of its own; a convolution uses the same everywhere": (
            lambda i, o, k, n: (i * o * k * k * n * n + o, i * o * k * k * n * n)
        ),
        "the products are those of a single pixel": (
            lambda i, o, k, n: (i * o * k * k + o, i * o * k * k)
        ),
    },
)
AVERAGE_POOL = Exercise(
    average_pool_backward,
    lambda random: [_normal(random, shape) for shape in ((1, 1, 1, 1), (1, 1, 2, 3), (4, 3, 7, 5))],
    "Change one of four pixels by 1: by how much does their mean change?",
    "Each of the four pixels had a quarter of a say in the mean, so each gets a quarter of dy. "
    "np.repeat turns one pixel into two.",
    "dy.repeat(2, axis=2), then the same along axis 3, and the quarter.",
    lesson="03-cnn",
    mistakes={
        "all four pixels get the whole gradient, not a quarter of it": (
            lambda dy: 4 * average_pool_backward(dy)
        ),
        "each pixel gets half of the gradient, not a quarter": (
            lambda dy: 2 * average_pool_backward(dy)
        ),
        "the picture is tiled; its pixels should be repeated": (
            lambda dy: np.tile(dy, (1, 1, 2, 2)) / 4
        ),
        "each pixel is repeated in the batch; rows and columns are axes 2 and 3": (
            lambda dy: dy.repeat(2, axis=0).repeat(2, axis=1) / 4
        ),
    },
)
