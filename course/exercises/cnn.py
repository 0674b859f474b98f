"""The exercises of lesson 03."""

import numpy as np

from course.exercises import Exercise


def output_size(size, kernel, padding, stride):
    return (size + 2 * padding - kernel) // stride + 1


def convolution_cost(in_channels, out_channels, kernel, size):
    weights = out_channels * in_channels * kernel * kernel
    return weights + out_channels, weights * size * size


def average_pool_backward(dy):
    return dy.repeat(2, axis=2).repeat(2, axis=3) / 4


def _gradients():
    random = np.random.default_rng(4)
    return [
        (random.standard_normal(shape),) for shape in ((1, 1, 1, 1), (1, 1, 2, 3), (4, 3, 7, 5))
    ]


OUTPUT_SIZE = Exercise(
    output_size,
    lambda: [(28, 3, 0, 1), (28, 3, 1, 1), (28, 5, 2, 2), (32, 7, 3, 4), (9, 9, 0, 3)],
    "How far can the kernel's first pixel travel within the padded image?",
    "The padded image has size + 2 * padding pixels, the way is that minus kernel. There is one "
    "place more than strides that fit into it, and half strides do not count.",
    "(...) // stride + 1, with that way in the parentheses.",
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
    lambda: [(1, 8, 3, 28), (8, 24, 5, 14), (3, 2, 1, 10)],
    "Count the weights first. Then: how often is each of them used?",
    "Each output channel has a kernel for every input channel, and one bias. Each weight is used "
    "once at every pixel of the output, which is as large as the input.",
    "weights = out_channels * in_channels * kernel**2; return weights + out_channels and weights "
    "times the number of pixels.",
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
    _gradients,
    "Change one of four pixels by 1: by how much does their mean change?",
    "Each of the four pixels had a quarter of a say in the mean, so each gets a quarter of dy. "
    "np.repeat turns one pixel into two.",
    "dy.repeat(2, axis=2), then the same along axis 3, and the quarter.",
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
