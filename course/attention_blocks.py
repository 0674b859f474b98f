"""What the attention model is made of: small compiled functions on the tensors of one image.

Each computes y from x; its partner `..._backward` gets dy = dLoss/dy, adds to the gradients of its
weights, and gives dx. A tensor is (tokens, features), row-major. The products are `np.dot`, which
inside compiled code is BLAS; the rest are loops, which the compiler vectorizes.
"""

import math

import numpy as np

from course.nn.compiled import REGROUP, jit


@jit
def cut_patches(image, patch):
    """(height, width) -> (tokens, patch * patch): the patches row by row, so are their pixels."""
    rows, columns = image.shape[0] // patch, image.shape[1] // patch
    patches = np.empty((rows * columns, patch * patch), image.dtype)
    for r in range(rows):
        for c in range(columns):
            for i in range(patch):
                for j in range(patch):
                    pixel = image[r * patch + i, c * patch + j]
                    patches[r * columns + c, i * patch + j] = pixel
    return patches


@jit
def paste_patches(patches, image, patch):
    """Write the patches (tokens, patch * patch) where `cut_patches` took them from."""
    rows, columns = image.shape[0] // patch, image.shape[1] // patch
    for r in range(rows):
        for c in range(columns):
            for i in range(patch):
                for j in range(patch):
                    pixel = patches[r * columns + c, i * patch + j]
                    image[r * patch + i, c * patch + j] = pixel


@jit
def add(total, x):
    """total += x for matrices."""
    for i in range(total.shape[0]):
        for j in range(total.shape[1]):
            total[i, j] += x[i, j]


@jit
def add_rows(total, x):
    """Add every row of the matrix x to the vector total."""
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            total[j] += x[i, j]


@jit
def mean_of_rows(x):
    """(rows, n) -> (1, n)."""
    mean = np.zeros((1, x.shape[1]), x.dtype)
    add_rows(mean[0], x)
    for j in range(x.shape[1]):
        mean[0, j] /= x.shape[0]
    return mean


@jit
def spread(dmean, rows):
    """The way back through `mean_of_rows`: every row gets dmean (1, n) / rows."""
    part = np.empty(dmean.shape[1], dmean.dtype)
    for j in range(dmean.shape[1]):
        part[j] = dmean[0, j] / rows
    dx = np.empty((rows, dmean.shape[1]), dmean.dtype)
    for i in range(rows):
        for j in range(dmean.shape[1]):
            dx[i, j] = part[j]
    return dx


@jit
def dense(x, w, b):
    """y = x W + b for every row of x."""
    y = np.dot(x, w)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            y[i, j] += b[j]
    return y


@jit
def dense_backward(dy, x, turned_w, dw, db):
    """Add to dw and db, return dx = dy W^T; `turned_w` is W^T."""
    add(dw, np.dot(x.T, dy))
    add_rows(db, dy)
    return np.dot(dy, turned_w)


@jit
def relu(x):
    """x = max(x, 0) in place."""
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            if x[i, j] < 0:
                x[i, j] = 0


@jit
def relu_backward(dy, y):
    """dy = 0 in place wherever the ReLU's output y is 0: then dy is dx."""
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            if y[i, j] <= 0:
                dy[i, j] = 0


@jit(fastmath=REGROUP)
def softmax_rows(x, scale):
    """x = softmax(scale * x) in place, each row for itself."""
    for i in range(x.shape[0]):
        largest = x[i, 0]
        for j in range(x.shape[1]):
            largest = max(largest, x[i, j])
        for j in range(x.shape[1]):
            x[i, j] = math.exp(scale * (x[i, j] - largest))
        total = x.dtype.type(0)
        for j in range(x.shape[1]):
            total += x[i, j]
        for j in range(x.shape[1]):
            x[i, j] /= total


@jit(fastmath=REGROUP)
def softmax_rows_backward(dy, y, scale):
    """dy = scale * y * (dy - sum of dy * y over the row), in place: then dy is dx."""
    for i in range(y.shape[0]):
        total = y.dtype.type(0)
        for j in range(y.shape[1]):
            total += dy[i, j] * y[i, j]
        for j in range(y.shape[1]):
            dy[i, j] = scale * y[i, j] * (dy[i, j] - total)


@jit(fastmath=REGROUP)
def normalize(x):
    """Return each row of x with mean 0 and variance 1, and 1 / its standard deviation."""
    unit, rate = np.empty_like(x), np.empty(x.shape[0], x.dtype)
    zero, n = x.dtype.type(0), x.dtype.type(x.shape[1])
    for i in range(x.shape[0]):
        total = zero
        for j in range(x.shape[1]):
            total += x[i, j]
        mean = total / n
        squares = zero
        for j in range(x.shape[1]):
            unit[i, j] = x[i, j] - mean
            squares += unit[i, j] * unit[i, j]
        rate[i] = 1 / math.sqrt(squares / n + 1e-5)
        for j in range(x.shape[1]):
            unit[i, j] *= rate[i]
    return unit, rate


@jit
def layer_norm(x, gain, bias):
    """y = gain * normalize(x) + bias (Ba, Kiros & Hinton, "Layer Normalization", 2016)."""
    y, _ = normalize(x)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            y[i, j] = gain[j] * y[i, j] + bias[j]
    return y


@jit(fastmath=REGROUP)
def layer_norm_backward(dy, x, gain, dgain, dbias):
    """Add to dgain and dbias, return dx.

    To shift or stretch a row changes nothing, so what of the gradient would do that is taken out.
    """
    unit, rate = normalize(x)
    dx = np.empty_like(x)
    zero, n = x.dtype.type(0), x.dtype.type(x.shape[1])
    for i in range(x.shape[0]):
        shift, stretch = zero, zero
        for j in range(x.shape[1]):
            dx[i, j] = gain[j] * dy[i, j]  # still that of the normalized row
            shift += dx[i, j]
            stretch += dx[i, j] * unit[i, j]
        shift /= n
        stretch /= n
        for j in range(x.shape[1]):
            dgain[j] += dy[i, j] * unit[i, j]
            dbias[j] += dy[i, j]
            dx[i, j] = rate[i] * (dx[i, j] - shift - stretch * unit[i, j])
    return dx


@jit
def cross_entropy(logits, label, batch):
    """Return (loss, dlogits (1, outputs), guess) of one image; dlogits is for the batch's mean."""
    guess = 0
    for o in range(logits.shape[1]):
        if logits[0, o] > logits[0, guess]:
            guess = o
    dlogits = np.empty_like(logits)
    total = 0.0
    for o in range(logits.shape[1]):
        dlogits[0, o] = math.exp(logits[0, o] - logits[0, guess])
        total += dlogits[0, o]
    for o in range(logits.shape[1]):
        dlogits[0, o] /= total * batch
    dlogits[0, label] -= 1 / batch
    return math.log(total) + logits[0, guess] - logits[0, label], dlogits, guess
