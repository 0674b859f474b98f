"""Convolution as one matrix product for each image, with NumPy's views and SciPy's BLAS.

Each function gives what the one of the same name in `course.im2col` gives, and stands in for it
where Numba is missing. NumPy lays out the matrix in one step: a view of the images that has each
weight's pixels side by side, and a copy of it.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from course.nn.blas import gemm


def windows(x, kernel):
    """View images x as what each weight meets: (batch, channels, kernel, kernel, rows, columns)."""
    return sliding_window_view(x, (kernel, kernel), axis=(2, 3)).transpose(0, 1, 4, 5, 2, 3)


def convolve(x, w, b):
    """One product for each image: (out_channels, kernel^2 channels) with (..., places)."""
    seen, weights = windows(x, w.shape[2]), w.reshape(len(w), -1)
    rows, columns = seen.shape[4:]
    y = np.empty((len(x), len(w), rows * columns), x.dtype)
    for image, sums in zip(seen, y, strict=True):
        gemm(weights, image.reshape(weights.shape[1], -1), sums)  # reshape copies
    y += b[:, None]
    return y.reshape(len(x), len(w), rows, columns)


def convolve_backward_weights(x, w, dy):
    """The same matrix again: each image adds dy cols^T to dw."""
    dw = np.zeros((len(w), w[0].size), w.dtype)
    for image, d in zip(windows(x, w.shape[2]), dy, strict=True):
        cols = image.reshape(dw.shape[1], -1)
        gemm(d.reshape(len(w), -1), cols, dw, beta=1.0, trans_b=True)
    return dw.reshape(w.shape), dy.sum(axis=(0, 2, 3))


def convolve_backward_input(x, w, dy):
    """One product gives what all copies of the pixels get; each pixel adds up its own."""
    weights, (rows, columns) = w.reshape(len(w), -1), dy.shape[2:]
    dx = np.zeros_like(x)
    for image, d in zip(dx, dy, strict=True):
        dcols = gemm(weights, d.reshape(len(w), -1), trans_a=True)  # (kernel^2 channels, places)
        dseen = dcols.reshape(*w.shape[1:], rows, columns)
        for i, j in np.ndindex(w.shape[2:]):
            image[:, i : i + rows, j : j + columns] += dseen[:, i, j]
    return dx
