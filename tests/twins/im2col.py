"""Convolution as a matrix product, of whole numbers as in `twins.cnn`: the very same sums."""

import numpy as np
from twins.case import Case
from twins.cnn import convolutions

from course import im2col


def matrix(arguments):
    """(x, kernel, cols) for one image: what is in `cols` before may stay only where it has to."""
    x, w, _, dy = arguments
    rows, width, weights = dy.shape[2], x.shape[3], w[0].size
    cols = np.arange(1.0, weights * rows * width + 1).reshape(weights, rows * width) % 8
    return x[0], w.shape[2], cols.astype(x.dtype)


def way_back(arguments):
    x, kernel, cols = matrix(arguments)
    return cols, kernel, x


CASES = [
    Case(im2col.im2col, convolutions().map(matrix)),
    Case(im2col.col2im, convolutions().map(way_back)),
    Case(im2col.convolve, convolutions().map(lambda a: a[:3])),
    Case(im2col.convolve_backward_weights, convolutions().map(lambda a: (a[0], a[1], a[3]))),
    Case(im2col.convolve_backward_input, convolutions().map(lambda a: (a[0], a[1], a[3]))),
]
WITHOUT_TWIN = {im2col.widen: "a part of the ways back"}
