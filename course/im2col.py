"""Convolution as one matrix product, the way of the frameworks.

Lay the pixels that each weight meets into a row of a matrix, `im2col` (image to columns), and all
sums of all kernels are one product of weights and matrix, which BLAS computes:

    cols (in_channels * kernel * kernel, places)    w (out_channels, in_channels * kernel * kernel)
    sums (out_channels, places) = w cols

The matrix holds every pixel kernel^2 times: that is what the speed costs. So it is made for one
image at a time, small enough for the cache, and made again on the way back instead of kept.
`col2im` takes the way back: each pixel gets what all its copies got, added up. Chellapilla, Puri &
Simard, "High performance convolutional neural networks for document processing", IWFHR 2006,
section 3.2.

As in `course.cnn.convolve`, places are counted along whole rows of the padded image, so that what a
weight meets is one long row of neighbors; the last kernel - 1 sums of each row reach into the next
row and are dropped. The functions are those of `course.cnn`, with stride 1, and give the same.
"""

import numpy as np

from course import im2col_numpy
from course.nn.compiled import REGROUP, jit


@jit(nogil=True, fastmath=REGROUP, numpy=im2col_numpy.im2col)
def im2col(x, kernel, cols):
    """Write the pixels of one image x (in_channels, height, width) that each weight meets.

    Row (c * kernel + i) * kernel + j of `cols` is channel c, from pixel (i, j) on.
    """
    channels, height, width = x.shape
    pixels = x.reshape(channels, height * width)
    row = 0
    for c in range(channels):
        for i in range(kernel):
            for j in range(kernel):
                shifted = pixels[c, i * width + j :]
                for p in range(cols.shape[1] - (kernel - 1)):
                    cols[row, p] = shifted[p]
                row += 1


@jit(nogil=True, fastmath=REGROUP, numpy=im2col_numpy.col2im)
def col2im(cols, kernel, x):
    """Add each row of `cols` to the pixels of x that `im2col` takes it from."""
    channels, height, width = x.shape
    pixels = x.reshape(channels, height * width)
    row = 0
    for c in range(channels):
        for i in range(kernel):
            for j in range(kernel):
                shifted = pixels[c, i * width + j :]
                for p in range(cols.shape[1] - (kernel - 1)):
                    shifted[p] += cols[row, p]
                row += 1


@jit(nogil=True, fastmath=REGROUP)
def widen(dy, dsums):
    """Copy dy (out_channels, rows, columns) into the first columns of dsums, which has more."""
    out_channels, rows, columns = dy.shape
    for o in range(out_channels):
        for r in range(rows):
            for s in range(columns):
                dsums[o, r, s] = dy[o, r, s]


# In the products the longer side stands first: then the result has few columns, as many as there
# are kernels, and that is the form in which BLAS is fastest here.


@jit(nogil=True, fastmath=REGROUP, numpy=im2col_numpy.convolve)
def convolve(x, w, b):
    """Same as `course.cnn.convolve`: padded x (batch, in_channels, h, w) -> y."""
    batch, in_channels, height, width = x.shape
    out_channels, _, kernel, _ = w.shape
    rows, columns = height - kernel + 1, width - kernel + 1
    y = np.empty((batch, out_channels, rows, columns), x.dtype)
    cols = np.zeros((in_channels * kernel * kernel, rows * width), x.dtype)
    sums = np.empty((rows * width, out_channels), x.dtype)
    weights = w.reshape(out_channels, -1)
    for n in range(batch):
        im2col(x[n], kernel, cols)
        np.dot(cols.T, weights.T, sums)
        for r in range(rows):
            for s in range(columns):
                for o in range(out_channels):
                    y[n, o, r, s] = sums[r * width + s, o] + b[o]
    return y


@jit(nogil=True, fastmath=REGROUP, numpy=im2col_numpy.convolve_backward_weights)
def convolve_backward_weights(x, w, dy):
    """Same as `course.cnn.convolve_backward_weights`: (dw, db)."""
    batch, in_channels, _, width = x.shape
    _, out_channels, rows, _ = dy.shape
    kernel = w.shape[2]
    cols = np.zeros((in_channels * kernel * kernel, rows * width), x.dtype)
    dsums = np.zeros((out_channels, rows, width), x.dtype)  # where sums are dropped it stays 0
    dline = dsums.reshape(out_channels, rows * width)
    of_image = np.empty((len(cols), out_channels), x.dtype)
    total = np.zeros_like(of_image)
    db = np.zeros(out_channels, x.dtype)
    for n in range(batch):
        im2col(x[n], kernel, cols)
        widen(dy[n], dsums)
        np.dot(cols, dline.T, of_image)
        total += of_image
        for o in range(out_channels):
            db[o] += dline[o].sum()
    return np.ascontiguousarray(total.T).reshape(w.shape), db


@jit(nogil=True, fastmath=REGROUP, numpy=im2col_numpy.convolve_backward_input)
def convolve_backward_input(x, w, dy):
    """Same as `course.cnn.convolve_backward_input`: dx of the padded images."""
    batch, in_channels, _, width = x.shape
    _, out_channels, rows, _ = dy.shape
    kernel = w.shape[2]
    dx = np.zeros_like(x)
    dcols = np.empty((in_channels * kernel * kernel, rows * width), x.dtype)
    dsums = np.zeros((out_channels, rows, width), x.dtype)
    dline = dsums.reshape(out_channels, rows * width)
    weights = w.reshape(out_channels, -1)
    for n in range(batch):
        widen(dy[n], dsums)
        np.dot(weights.T, dline, dcols)
        col2im(dcols, kernel, dx[n])
    return dx
