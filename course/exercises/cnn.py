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
    "How far can the kernel's first pixel travel within the padded image? One place more than the "
    "number of strides that fit into that, and half strides do not count: //.",
)
COST = Exercise(
    convolution_cost,
    lambda: [(1, 8, 3, 28), (8, 24, 5, 14), (3, 2, 1, 10)],
    "Each output channel has a kernel for every input channel, and one bias. Each weight is used "
    "once at every pixel of the output.",
)
AVERAGE_POOL = Exercise(
    average_pool_backward,
    _gradients,
    "Each of the four pixels had a quarter of a say in the mean. np.repeat along axis 2, then "
    "along axis 3, turns one pixel into four.",
)
