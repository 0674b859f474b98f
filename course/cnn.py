"""Lesson 03: a convolutional network, written as loops.

A convolution lays a small window of weights, the kernel, over an image, multiplies each weight with
the pixel under it, adds up, and moves on by one: one sum for each place, with the same weights at
every place. `convolve_textbook` says just that. `convolve` adds up the same products in an order
that a processor likes; it is what trains. Max-pooling then keeps the largest of every 2x2 sums.
LeCun et al., "Gradient-based learning applied to document recognition", Proceedings of the IEEE
86(11), 1998.

Images are (batch, channels, height, width), kernels (out_channels, in_channels, kernel, kernel).

`train_share` is the whole network, there and back, for some of the images of a batch. The shares of
a batch need nothing of each other until their gradients are added up, so each core takes one.
"""

from typing import NamedTuple

import numpy as np

from course import cnn_numpy, im2col
from course.nn import shares
from course.nn.activations import ReLU
from course.nn.compiled import HAS_NUMBA, REGROUP, jit
from course.nn.layers import Dense, Flatten, Layer, Sequential
from course.nn.losses import as_labels
from course.nn.recipe import Recipe
from course.nn.rng import SimpleRng, xavier_uniform

# Full MNIST, all 60,000, seeds 1 to 5: 98.40, 98.36, 98.10, 97.98, 98.28 %. Plain SGD at 0.01 gets
# to about 92.3 %.
RECIPE = Recipe(
    epochs=3,
    batch_size=32,
    optimizer="adam",
    learning_rate=0.02,
    schedule="warmup_cosine",
    weight_decay=0.05,
)


def pad(x, width, dtype=None):
    """Return a copy of the images x with `width` rows and columns of zeros on every side.

    So the kernel can be centered on the border's pixels too, and the loops need not ask where the
    image ends.
    """
    batch, channels, rows, columns = x.shape
    padded = np.zeros((batch, channels, rows + 2 * width, columns + 2 * width), dtype or x.dtype)
    padded[:, :, width : width + rows, width : width + columns] = x
    return padded


# ---- Convolution as the textbook has it ---------------------------------------------------------


@jit(numpy=cnn_numpy.convolve)
def convolve_textbook(x, w, b, stride=1):
    """Convolve padded images x with kernels w and add the biases b (out_channels,).

    Strictly, this is a cross-correlation: mathematicians flip the kernel first, which makes no
    difference to a kernel that is learned (Goodfellow, Bengio & Courville, "Deep Learning", 2016,
    section 9.1).
    """
    batch, in_channels, height, width = x.shape
    out_channels, _, kernel, _ = w.shape
    rows, columns = (height - kernel) // stride + 1, (width - kernel) // stride + 1
    y = np.empty((batch, out_channels, rows, columns), x.dtype)
    for n in range(batch):
        for o in range(out_channels):
            for r in range(rows):
                for s in range(columns):
                    total = b[o]
                    for c in range(in_channels):
                        for i in range(kernel):
                            for j in range(kernel):
                                total += w[o, c, i, j] * x[n, c, r * stride + i, s * stride + j]
                    y[n, o, r, s] = total
    return y


@jit(numpy=cnn_numpy.convolve_textbook_backward)
def convolve_textbook_backward(x, w, dy, stride=1):
    """Return (dx, dw, db), the gradients for x, w and b, from dy = dLoss/dy.

    The same loops: where forward has y += w * x, backward has dw += dy * x and dx += dy * w.
    """
    batch, out_channels, rows, columns = dy.shape
    _, in_channels, kernel, _ = w.shape
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros(out_channels, w.dtype)
    for n in range(batch):
        for o in range(out_channels):
            for r in range(rows):
                for s in range(columns):
                    d = dy[n, o, r, s]
                    db[o] += d
                    for c in range(in_channels):
                        for i in range(kernel):
                            for j in range(kernel):
                                dw[o, c, i, j] += d * x[n, c, r * stride + i, s * stride + j]
                                dx[n, c, r * stride + i, s * stride + j] += d * w[o, c, i, j]
    return dx, dw, db


# The same with NumPy: every weight multiplies the whole image at once.
convolve_numpy = cnn_numpy.convolve


# ---- The same sums in the order that the processor likes ----------------------------------------
#
# As in `convolve_numpy`, one weight at a time multiplies the whole shifted image. In memory the
# rows of an image follow each other, so for every pixel the one shifted by (i, j) lies
# i * width + j places further on: the loops over rows and columns become one long loop over
# neighbors, and the compiler turns that into instructions that work on eight or sixteen numbers at
# a time (`REGROUP` allows that). The last kernel - 1 sums of each row reach into the next row; they
# mean nothing and are dropped. The stride is 1 here: `Conv2D` keeps only every second sum for a
# stride of 2, and so on.


@jit(nogil=True, fastmath=REGROUP, numpy=cnn_numpy.convolve)
def convolve(x, w, b):
    """Same as `convolve_textbook` with stride 1."""
    batch, in_channels, height, width = x.shape
    out_channels, _, kernel, _ = w.shape
    rows, columns = height - kernel + 1, width - kernel + 1
    y = np.empty((batch, out_channels, rows, columns), x.dtype)
    pixels = x.reshape(batch, in_channels, height * width)
    sums = np.empty((rows, width), x.dtype)  # of one image and out_channel
    line = sums.reshape(rows * width)  # the same memory
    for n in range(batch):
        for o in range(out_channels):
            line[:] = b[o]
            for c in range(in_channels):
                for i in range(kernel):
                    for j in range(kernel):
                        weight, shifted = w[o, c, i, j], pixels[n, c, i * width + j :]
                        for p in range(line.size - (kernel - 1)):
                            line[p] += weight * shifted[p]
            for r in range(rows):
                for s in range(columns):
                    y[n, o, r, s] = sums[r, s]
    return y


@jit(nogil=True, fastmath=REGROUP, numpy=cnn_numpy.convolve_backward_weights)
def convolve_backward_weights(x, w, dy):
    """Return (dw, db) as `convolve_textbook_backward` does, with stride 1."""
    batch, in_channels, height, width = x.shape
    _, out_channels, rows, columns = dy.shape
    kernel = w.shape[2]
    dw, db = np.zeros_like(w), np.zeros(out_channels, w.dtype)
    pixels = x.reshape(batch, in_channels, height * width)
    dsums = np.zeros((rows, width), x.dtype)  # where sums are dropped it stays 0
    dline = dsums.reshape(rows * width)
    for n in range(batch):
        for o in range(out_channels):
            for r in range(rows):
                for s in range(columns):
                    dsums[r, s] = dy[n, o, r, s]
            total = x.dtype.type(0)
            for p in range(dline.size):
                total += dline[p]
            db[o] += total
            for c in range(in_channels):
                for i in range(kernel):
                    for j in range(kernel):
                        total, shifted = x.dtype.type(0), pixels[n, c, i * width + j :]
                        for p in range(dline.size - (kernel - 1)):
                            total += dline[p] * shifted[p]
                        dw[o, c, i, j] += total
    return dw, db


@jit(nogil=True, fastmath=REGROUP, numpy=cnn_numpy.convolve_backward_input)
def convolve_backward_input(x, w, dy):
    """Return dx as `convolve_textbook_backward` does, with stride 1."""
    batch, in_channels, height, width = x.shape
    _, out_channels, rows, columns = dy.shape
    kernel = w.shape[2]
    dx = np.zeros_like(x)
    dpixels = dx.reshape(batch, in_channels, height * width)
    dsums = np.zeros((rows, width), x.dtype)
    dline = dsums.reshape(rows * width)
    for n in range(batch):
        for o in range(out_channels):
            for r in range(rows):
                for s in range(columns):
                    dsums[r, s] = dy[n, o, r, s]
            for c in range(in_channels):
                for i in range(kernel):
                    for j in range(kernel):
                        weight, shifted = w[o, c, i, j], dpixels[n, c, i * width + j :]
                        for p in range(dline.size - (kernel - 1)):
                            shifted[p] += dline[p] * weight
    return dx


# ---- Pooling ------------------------------------------------------------------------------------


@jit(nogil=True, numpy=cnn_numpy.max_pool)
def max_pool(x, size, stride):
    """Return the largest value of each window and where it was, both (batch, channels, r, s).

    Where: row * width + column within the image x[n, c]. Of equals, the first in reading order
    wins. Rows and columns at the end that fill no window are left out.
    """
    batch, channels, height, width = x.shape
    rows, columns = (height - size) // stride + 1, (width - size) // stride + 1
    y = np.empty((batch, channels, rows, columns), x.dtype)
    where = np.empty((batch, channels, rows, columns), np.int32)
    for n in range(batch):
        for c in range(channels):
            if size == 2 and stride == 2:  # as constants: the compiler unrolls the window's loops
                max_pool_image(x[n, c], 2, 2, y[n, c], where[n, c])
            else:
                max_pool_image(x[n, c], size, stride, y[n, c], where[n, c])
    return y, where


@jit(nogil=True)
def max_pool_image(x, size, stride, y, where):
    """Write the maxima of x (height, width) into y (rows, columns), and where they were."""
    width = x.shape[1]
    for r in range(y.shape[0]):
        for s in range(y.shape[1]):
            top, left = r * stride, s * stride
            best, best_at = x[top, left], top * width + left
            for i in range(size):
                for j in range(size):
                    if x[top + i, left + j] > best:
                        best, best_at = x[top + i, left + j], (top + i) * width + left + j
            y[r, s], where[r, s] = best, best_at


@jit(nogil=True, numpy=cnn_numpy.max_pool_backward)
def max_pool_backward(dy, where, height, width):
    """Return dx: each window's gradient goes to the pixel that won it, the others get none."""
    batch, channels, rows, columns = dy.shape
    dx = np.zeros((batch, channels, height * width), dy.dtype)
    for n in range(batch):
        for c in range(channels):
            for r in range(rows):
                for s in range(columns):
                    dx[n, c, where[n, c, r, s]] += dy[n, c, r, s]  # windows may overlap: +=
    return dx.reshape(batch, channels, height, width)


# ---- The whole network, there and back ----------------------------------------------------------


@jit(nogil=True, numpy=cnn_numpy.train_share)
def train_share(x, labels, batch, w, g):
    """Take some of a batch's images through the network and back: what one core does.

    x (n, 1, 30, 30) are padded, w are the parameters, and what the n images add to the gradients of
    the batch's mean loss is added to g. Returns (sum of losses, number read correctly).
    """
    n = len(x)
    sums = convolve(x, w.conv_w, w.conv_b)  # (n, channels, 28, 28)
    relu(sums)
    pooled, where = max_pool(sums, 2, 2)  # (n, channels, 14, 14)
    features = pooled.reshape(n, -1)  # (n, channels * 196)
    logits = np.dot(features, w.classifier_w)  # (n, outputs)
    logits += w.classifier_b
    loss, correct = cross_entropy(logits, labels, batch)
    dlogits = logits  # (n, outputs), by now

    g.classifier_w[:] += np.dot(features.T, dlogits)
    g.classifier_b[:] += dlogits.sum(axis=0)
    dfeatures = np.dot(dlogits, w.classifier_w.T)
    dpooled = dfeatures.reshape(pooled.shape)
    dsums = max_pool_backward(dpooled, where, 28, 28)  # (n, channels, 28, 28)
    relu_backward(dsums, sums)
    dconv_w, dconv_b = convolve_backward_weights(x, w.conv_w, dsums)
    g.conv_w[:] += dconv_w
    g.conv_b[:] += dconv_b
    return loss, correct


@jit(numpy=cnn_numpy.relu)
def relu(x):
    """x = max(x, 0) in place."""
    flat = x.reshape(-1)
    for i in range(flat.size):
        flat[i] = max(flat[i], 0)


@jit(numpy=cnn_numpy.relu_backward)
def relu_backward(dy, y):
    """dy = 0 in place wherever the ReLU's output y is 0: then dy is dx."""
    dflat, flat = dy.reshape(-1), y.reshape(-1)
    for i in range(flat.size):
        if flat[i] <= 0:
            dflat[i] = 0


@jit(numpy=cnn_numpy.cross_entropy)
def cross_entropy(logits, labels, batch):
    """Turn logits (n, outputs) into their gradients; return (sum of losses, number right).

    The same as `course.nn.losses.SoftmaxCrossEntropy` says of a whole batch.
    """
    loss, correct = 0.0, 0
    for n in range(len(labels)):
        row, label = logits[n], labels[n]
        largest, at_label = row.max(), row[label]
        correct += row.argmax() == label
        row -= largest
        row[:] = np.exp(row)
        total = row.sum()
        loss += np.log(total) + largest - at_label
        row /= total * batch
        row[label] -= 1 / batch
    return loss, correct


# ---- Layers and network -------------------------------------------------------------------------


# From so many channels on, one matrix product is faster than the loops, with the BLAS kernels of
# every processor that was tried: `python -m course bench convolutions`.
PRODUCT_FROM = 8


class Conv2D(Layer):
    """Convolution: (batch, in_channels, h, w) -> (batch, out_channels, rows, columns).

    rows = (h + 2 * padding - kernel) // stride + 1, columns likewise. Weights start Xavier uniform,
    biases at zero. With `needs_input_gradient=False` (for a first layer) `backward` returns None.
    From PRODUCT_FROM channels on, or without Numba, it computes as `course.im2col` does, below by
    this file's loops.

    Raises ValueError for sizes that make no sense, and for images that do not fit.
    """

    def __init__(
        self, in_channels, out_channels, kernel, rng, stride=1, padding=0, dtype=np.float32,
        needs_input_gradient=True,
    ):  # fmt: skip
        super().__init__()
        if min(in_channels, out_channels, kernel, stride) < 1 or padding < 0:
            raise ValueError(
                "convolution: channels, kernel and stride must be at least 1, padding at least 0; "
                f"got {in_channels=}, {out_channels=}, {kernel=}, {stride=}, {padding=}"
            )
        self.in_channels, self.out_channels, self.kernel = in_channels, out_channels, kernel
        self.stride, self.padding = stride, padding
        self.needs_input_gradient = needs_input_gradient
        shape = (out_channels, in_channels, kernel, kernel)
        area = kernel * kernel
        w = xavier_uniform(rng, in_channels * area, out_channels * area, shape, dtype)
        self.add_parameter("w", w)
        self.add_parameter("b", np.zeros(out_channels, dtype))

    @property
    def _ways(self):
        """The functions that compute the sums, and their way back to the weights and the input."""
        if self.in_channels >= PRODUCT_FROM or not HAS_NUMBA:
            return (im2col.convolve, im2col.convolve_backward_weights,
                    im2col.convolve_backward_input)  # fmt: skip
        return convolve, convolve_backward_weights, convolve_backward_input

    def forward(self, x):
        w, b = self.parameters["w"], self.parameters["b"]
        check_images("convolution", x, w.shape[2], self.padding, channels=w.shape[1])
        self.x = pad(x, self.padding, w.dtype)
        y = self._ways[0](self.x, w, b)
        self.shape_at_stride_1 = y.shape
        return np.ascontiguousarray(y[:, :, :: self.stride, :: self.stride])

    def backward(self, dy):
        w = self.parameters["w"]
        if self.stride > 1:  # the sums that forward left out get no gradient
            dy_kept, dy = dy, np.zeros(self.shape_at_stride_1, dy.dtype)
            dy[:, :, :: self.stride, :: self.stride] = dy_kept
        self.gradients["w"][:], self.gradients["b"][:] = self._ways[1](self.x, w, dy)
        if not self.needs_input_gradient:
            return None
        dx = self._ways[2](self.x, w, dy)
        inner = slice(self.padding, -self.padding or None)
        return np.ascontiguousarray(dx[:, :, inner, inner])


class MaxPool2D(Layer):
    """Max-pooling: (batch, channels, h, w) -> (batch, channels, rows, columns).

    rows = (h - size) // stride + 1, columns likewise; the stride is `size` unless given.

    Raises ValueError for sizes that make no sense, and for images smaller than the window.
    """

    def __init__(self, size=2, stride=None):
        super().__init__()
        self.size = size
        self.stride = size if stride is None else stride
        if min(self.size, self.stride) < 1:
            raise ValueError(f"max-pooling: needs at least 1, got {size=}, {stride=}")

    def forward(self, x):
        check_images("max-pooling", x, self.size)
        self.height, self.width = x.shape[2:]
        y, self.where = max_pool(x, self.size, self.stride)
        return y

    def backward(self, dy):
        return max_pool_backward(dy, self.where, self.height, self.width)


def check_images(layer, x, window, padding=0, channels=None):
    """Raise ValueError unless x is (batch, channels, h, w) and the window fits into h and w."""
    if x.ndim != 4 or (channels is not None and x.shape[1] != channels):
        expected = f"(batch, {channels or 'channels'}, height, width)"
        raise ValueError(f"{layer}: needs images of shape {expected}, got {x.shape}")
    height, width = x.shape[2] + 2 * padding, x.shape[3] + 2 * padding
    if window > min(height, width):
        padded = f", padded by {padding}" if padding else ""
        raise ValueError(
            f"{layer}: a {window}x{window} window does not fit into a "
            f"{x.shape[2]}x{x.shape[3]} image{padded}"
        )


class Weights(NamedTuple):
    """The parameters of the network, or their gradients."""

    conv_w: np.ndarray  # (channels, 1, 3, 3)
    conv_b: np.ndarray  # (channels,)
    classifier_w: np.ndarray  # (channels * 14 * 14, outputs)
    classifier_b: np.ndarray  # (outputs,)


class CNN(Sequential):
    """Convolution, ReLU, 2x2 max-pooling, dense: digits x in [0, 1] -> logits (batch, outputs).

    x is (batch, 784) or (batch, 1, 28, 28). Shapes with 8 channels: (batch, 1, 28, 28) ->
    (batch, 8, 28, 28) -> (batch, 8, 14, 14) -> (batch, 1568) -> (batch, 10).
    """

    name = "cnn"

    def __init__(self, seed=1, channels=8, outputs=10, dtype=np.float32):
        rng = SimpleRng(seed)
        conv = Conv2D(1, channels, 3, rng, padding=1, dtype=dtype, needs_input_gradient=False)
        super().__init__(
            conv=conv,
            relu=ReLU(),
            pool=MaxPool2D(2),
            flatten=Flatten(),
            classifier=Dense(channels * 14 * 14, outputs, rng, dtype),
        )
        self.config = {"channels": channels, "outputs": outputs}
        self._weights = Weights(*self.parameters.values())
        self._shared = shares.Gradients(self._weights)

    def forward(self, x):
        return super().forward(x.reshape(len(x), 1, 28, 28))

    def loss_and_gradients(self, x, labels):
        """Softmax cross-entropy, forward and backward in shares of the batch: what training calls.

        Returns (mean loss, number read correctly) and leaves what `backward` would in `gradients`.
        """
        batch, w = len(x), self._weights
        images = pad(x.reshape(batch, 1, 28, 28), 1, w.conv_w.dtype)
        labels = as_labels(labels, batch, self.config["outputs"])

        def task(part, g):
            return train_share(images[part], labels[part], batch, w, g)

        losses, correct = zip(*self._shared.add_up(task, batch), strict=True)
        for gradient, total in zip(self.gradients.values(), self._shared.total, strict=True):
            gradient[...] = total
        return sum(losses) / batch, sum(correct)
