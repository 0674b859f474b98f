"""Lesson 03's sums with NumPy: whole arrays instead of loops.

Each function gives what the one of the same name in `course.cnn` gives, which tells of arguments,
shapes and results. Where Numba is missing, as in a browser, these are what trains. Where a kernel's
weight or a pooling window's corner is one number, everything that it meets in all images is one
array, so that Python goes through the few places of a kernel or window, not through the images.
"""

import numpy as np

from course import im2col_numpy
from course.nn.blas import gemm

# ---- Convolution --------------------------------------------------------------------------------


def convolve(x, w, b, stride=1):
    """Every weight multiplies the whole image, shifted by (i, j), at once."""
    rows, columns = sums_of(x, w, stride)
    y = np.empty((len(x), len(w), rows, columns), x.dtype)
    y[:] = b[:, None, None]
    for c, i, j in np.ndindex(w.shape[1:]):
        shifted = x[:, c, i::stride, j::stride][:, :rows, :columns]  # (batch, r, s)
        y += w[:, c, i, j, None, None] * shifted[:, None]  # (batch, out_channels, r, s)
    return y


def convolve_backward_weights(x, w, dy, stride=1):
    """Every weight's gradient is a sum over all that the weight has multiplied."""
    rows, columns = dy.shape[2:]
    dw = np.empty_like(w)
    for c, i, j in np.ndindex(w.shape[1:]):
        shifted = x[:, c, i::stride, j::stride][:, :rows, :columns]  # (batch, r, s)
        dw[:, c, i, j] = (dy * shifted[:, None]).sum(axis=(0, 2, 3))
    return dw, dy.sum(axis=(0, 2, 3))


def convolve_backward_input(x, w, dy, stride=1):
    """Every weight hands its share of dy back to the image, shifted by (i, j)."""
    rows, columns = dy.shape[2:]
    dx = np.zeros_like(x)
    for c, i, j in np.ndindex(w.shape[1:]):
        shifted = dx[:, c, i::stride, j::stride][:, :rows, :columns]  # (batch, r, s), of dx itself
        shifted += (dy * w[:, c, i, j, None, None]).sum(axis=1)
    return dx


def convolve_textbook_backward(x, w, dy, stride=1):
    """Return (dx, dw, db)."""
    dx = convolve_backward_input(x, w, dy, stride)
    return dx, *convolve_backward_weights(x, w, dy, stride)


def sums_of(x, w, stride):
    """How many (rows, columns) of sums there are."""
    height, width, kernel = *x.shape[2:], w.shape[2]
    return (height - kernel) // stride + 1, (width - kernel) // stride + 1


# ---- Pooling ------------------------------------------------------------------------------------


def max_pool(x, size, stride):
    """Take the windows' first values, then whatever is larger among the second ones, and so on."""
    height, width = x.shape[2:]
    rows, columns = (height - size) // stride + 1, (width - size) // stride + 1
    corners = np.arange(rows)[:, None] * (stride * width) + np.arange(columns) * stride  # (r, s)
    y = where = None
    for i, j in np.ndindex(size, size):
        value = x[:, :, i::stride, j::stride][:, :, :rows, :columns]
        value = np.ascontiguousarray(value)  # four passes over it pay for the copy
        if y is None:
            y, where = value, np.zeros(value.shape, np.int32)
        larger = value > y
        y = np.where(larger, value, y)
        where = np.where(larger, np.int32(i * width + j), where)  # from the window's corner
    return y, where + corners.astype(np.int32)


def max_pool_backward(dy, where, height, width):
    """Add every gradient to the pixel that won it, which may have won several windows."""
    batch, channels = dy.shape[:2]
    dx = np.zeros((batch, channels, height * width), dy.dtype)
    images = np.arange(batch * channels).reshape(batch, channels, 1, 1) * (height * width)
    np.add.at(dx.reshape(-1), (images + where).reshape(-1), dy.reshape(-1))
    return dx.reshape(batch, channels, height, width)


# ---- The whole network, there and back ----------------------------------------------------------


def train_share(x, labels, batch, w, g):
    """All sums are matrix products here, those of the convolution as `course.im2col` has them."""
    sums = im2col_numpy.convolve(x, w.conv_w, w.conv_b)  # (n, channels, 28, 28)
    relu(sums)
    pooled, where = max_pool(sums, 2, 2)  # (n, channels, 14, 14)
    features = pooled.reshape(len(x), -1)  # (n, channels * 196)
    logits = gemm(features, w.classifier_w)  # (n, outputs)
    logits += w.classifier_b
    loss, correct = cross_entropy(logits, labels, batch)
    dlogits = logits  # (n, outputs), by now

    gemm(features, dlogits, g.classifier_w, beta=1.0, trans_a=True)
    g.classifier_b[:] += dlogits.sum(axis=0)
    dpooled = gemm(dlogits, w.classifier_w, trans_b=True).reshape(pooled.shape)
    dsums = max_pool_backward(dpooled, where, *sums.shape[2:])  # (n, channels, 28, 28)
    relu_backward(dsums, sums)
    dconv_w, dconv_b = im2col_numpy.convolve_backward_weights(x, w.conv_w, dsums)
    g.conv_w[:] += dconv_w
    g.conv_b[:] += dconv_b
    return loss, correct


def relu(x):
    """x = max(x, 0) in place."""
    np.maximum(x, 0, out=x)


def relu_backward(dy, y):
    """dy = 0 in place wherever y is 0."""
    dy[y <= 0] = 0


def cross_entropy(logits, labels, batch):
    """All rows at once."""
    rows = np.arange(len(labels))
    right = logits.argmax(axis=1) == labels
    largest, at_label = logits.max(axis=1), logits[rows, labels]  # both (n,)
    logits -= largest[:, None]
    np.exp(logits, out=logits)
    totals = logits.sum(axis=1)  # (n,)
    losses = np.log(totals) + largest - at_label
    logits /= totals[:, None] * logits.dtype.type(batch)
    logits[rows, labels] -= logits.dtype.type(1 / batch)
    return float(losses.sum(dtype=np.float64)), int(right.sum())
