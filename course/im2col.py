"""Convolution as one matrix product, the way of the frameworks.

Lay each window of an image into a row of a matrix, `im2col` (image to columns: others turn it), and
all sums of all kernels are one product, which BLAS computes. With size = kernel^2 * in_channels:

    sums (places, out_channels) = windows (places, size) @ w (size, out_channels)

The matrix holds every pixel kernel^2 times: that is what the speed costs. So it is made for one
image at a time, small enough for the cache, and made again on the way back instead of kept.
`col2im` takes the way back: each pixel gets what all its copies got, added up. Chellapilla, Puri &
Simard, "High performance convolutional neural networks for document processing", IWFHR 2006,
section 3.2.

Inside of this file the channels come last, (height, width, channels): then a row of a window is one
piece of memory, long enough to be copied fast. The functions are those of `course.cnn`, with stride
1, and give the same.
"""

import numpy as np

from course import im2col_numpy
from course.nn.compiled import REGROUP, jit


@jit(nogil=True, fastmath=REGROUP)
def im2col(x, kernel, windows):
    """Write each window of x (height, width, channels) into a row of `windows`, in reading order.

    A row is the pixels of a window in reading order, each with all its channels.
    """
    height, width, channels = x.shape
    lines, size = x.reshape(height, width * channels), kernel * channels
    place = 0
    for r in range(height - kernel + 1):
        for s in range(width - kernel + 1):
            for i in range(kernel):
                line, part = lines[r + i, s * channels :], windows[place, i * size :]
                for p in range(size):
                    part[p] = line[p]
            place += 1


@jit(nogil=True, fastmath=REGROUP)
def col2im(windows, kernel, x):
    """Add each row of `windows` to the pixels of x that `im2col` takes it from."""
    height, width, channels = x.shape
    lines, size = x.reshape(height, width * channels), kernel * channels
    place = 0
    for r in range(height - kernel + 1):
        for s in range(width - kernel + 1):
            for i in range(kernel):
                line, part = lines[r + i, s * channels :], windows[place, i * size :]
                for p in range(size):
                    line[p] += part[p]
            place += 1


@jit(nogil=True, fastmath=REGROUP, numpy=im2col_numpy.convolve)
def convolve(x, w, b):
    """Same as `course.cnn.convolve`: padded x (batch, in_channels, h, w) -> y."""
    batch, _, height, width = x.shape
    out_channels, _, kernel, _ = w.shape
    rows, columns = height - kernel + 1, width - kernel + 1
    weights = np.ascontiguousarray(w.transpose(0, 2, 3, 1)).reshape(out_channels, -1)
    windows = np.empty((rows * columns, weights.shape[1]), x.dtype)
    sums = np.empty((rows * columns, out_channels), x.dtype)
    y = np.empty((batch, out_channels, rows * columns), x.dtype)
    for n in range(batch):
        im2col(np.ascontiguousarray(x[n].transpose(1, 2, 0)), kernel, windows)
        np.dot(windows, weights.T, sums)
        for o in range(out_channels):
            for p in range(rows * columns):
                y[n, o, p] = sums[p, o] + b[o]
    return y.reshape(batch, out_channels, rows, columns)


@jit(nogil=True, fastmath=REGROUP, numpy=im2col_numpy.convolve_backward_weights)
def convolve_backward_weights(x, w, dy):
    """Same as `course.cnn.convolve_backward_weights`: (dw, db)."""
    batch, out_channels, rows, columns = dy.shape
    _, in_channels, kernel, _ = w.shape
    windows = np.empty((rows * columns, kernel * kernel * in_channels), x.dtype)
    of_image = np.empty((windows.shape[1], out_channels), x.dtype)
    total = np.zeros_like(of_image)
    db = np.zeros(out_channels, x.dtype)
    for n in range(batch):
        im2col(np.ascontiguousarray(x[n].transpose(1, 2, 0)), kernel, windows)
        dsums = dy[n].reshape(out_channels, rows * columns)
        np.dot(windows.T, np.ascontiguousarray(dsums.T), of_image)
        total += of_image
        for o in range(out_channels):
            db[o] += dsums[o].sum()
    dw = total.reshape(kernel, kernel, in_channels, out_channels)
    return np.ascontiguousarray(dw.transpose(3, 2, 0, 1)), db


@jit(nogil=True, fastmath=REGROUP, numpy=im2col_numpy.convolve_backward_input)
def convolve_backward_input(x, w, dy):
    """Same as `course.cnn.convolve_backward_input`: dx of the padded images."""
    batch, in_channels, height, width = x.shape
    _, out_channels, rows, columns = dy.shape
    kernel = w.shape[2]
    weights = np.ascontiguousarray(w.transpose(0, 2, 3, 1)).reshape(out_channels, -1)
    dwindows = np.empty((rows * columns, weights.shape[1]), x.dtype)
    dx = np.empty_like(x)
    for n in range(batch):
        dsums = dy[n].reshape(out_channels, rows * columns)
        np.dot(dsums.T, weights, dwindows)
        dimage = np.zeros((height, width, in_channels), x.dtype)
        col2im(dwindows, kernel, dimage)
        dx[n] = dimage.transpose(2, 0, 1)
    return dx
