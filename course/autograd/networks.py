"""The networks of lessons 02 to 05 as computations on tensors: forward only, that is all there is.

Each loss takes `w`, the parameters by name, which may be a model's own (`tensors`).
"""

import math

import numpy as np

from course.autograd.tensor import Tensor
from course.nn.losses import as_labels


def softmax(scores):
    """exp(s) / sum(exp(s)) over the last axis."""
    # The maximum is a constant: subtracting it changes no result, so no gradient either.
    exponentials = (scores - scores.data.max(axis=-1, keepdims=True)).exp()
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def softmax_cross_entropy(logits, labels):
    """The mean of -log(probability of the right class): logits (batch, classes), labels (batch,).

    Raises ValueError for labels that are no classes.
    """
    labels = as_labels(labels, *logits.shape)
    shifted = logits - logits.data.max(axis=1, keepdims=True)  # (batch, classes)
    right = shifted[np.arange(len(labels)), labels]  # (batch,)
    return (shifted.exp().sum(axis=1).log() - right).mean()


def convolve(x, w, b):
    """Padded images x (batch, in_channels, height, width) with kernels w, as `cnn.convolve`.

    Every window is picked as a row of numbers; then a convolution is a matrix product.
    """
    batch, in_channels, height, width = x.shape
    out_channels, _, kernel, _ = w.shape
    rows, columns = height - kernel + 1, width - kernel + 1
    pixels = np.arange(in_channels * height * width).reshape(in_channels, height, width)
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (kernel, kernel), axis=(1, 2))
    windows = windows.transpose(1, 2, 0, 3, 4).reshape(rows * columns, -1)  # (places, window)
    picked = x.reshape(batch, -1)[:, windows]  # (batch, places, window)
    y = picked @ w.reshape(out_channels, -1).transpose() + b  # (batch, places, out_channels)
    return y.transpose(0, 2, 1).reshape(batch, out_channels, rows, columns)


def max_pool(x, size=2):
    """The largest of each size x size window: (batch, channels, h, w) -> (..., h/size, w/size)."""
    batch, channels, height, width = x.shape
    rows, columns = height // size, width // size
    windows = x.reshape(batch, channels, rows, size, columns, size).transpose(0, 1, 2, 4, 3, 5)
    return windows.reshape(batch, channels, rows, columns, size * size).max(axis=-1)


def tensors(parameters):
    """A model's parameters as tensors of the same names: the very same arrays, not copies."""
    return {name: Tensor(array, name) for name, array in parameters.items()}


def mlp_loss(w, x, labels):
    """Lesson 02: digits x (batch, inputs), labels (batch,)."""
    hidden = (x @ w["hidden.w"] + w["hidden.b"]).relu()  # (batch, hidden)
    logits = hidden @ w["output.w"] + w["output.b"]  # (batch, outputs)
    return softmax_cross_entropy(logits, labels)


def cnn_loss(w, x, labels):
    """Lesson 03: digits x (batch, 784), labels (batch,)."""
    images = np.pad(x.reshape(-1, 1, 28, 28), ((0, 0), (0, 0), (1, 1), (1, 1)))
    sums = convolve(images, w["conv.w"], w["conv.b"])  # (batch, channels, 28, 28)
    pooled = max_pool(sums.relu())  # (batch, channels, 14, 14)
    logits = pooled.reshape(len(x), -1) @ w["classifier.w"] + w["classifier.b"]
    return softmax_cross_entropy(logits, labels)


def attention_loss(w, x, labels, patch=4):
    """Lesson 04, without residual connections and layer norm: x (batch, height, width)."""
    batch, height, width = x.shape
    patches = x.reshape(batch, height // patch, patch, width // patch, patch)
    patches = patches.swapaxes(2, 3).reshape(batch, -1, patch * patch)  # (batch, tokens, pixels)
    tokens = (patches @ w["patch_w"] + w["patch_b"] + w["positions"]).relu()
    query, key, value = (
        tokens @ w[f"{name}_w"] + w[f"{name}_b"] for name in ("query", "key", "value")
    )  # each (batch, tokens, d_model)
    scores = query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[2])  # (batch, tokens, tokens)
    attended = softmax(scores) @ value  # (batch, tokens, d_model)
    hidden = (attended @ w["ff1_w"] + w["ff1_b"]).relu()  # (batch, tokens, d_ff)
    pooled = (hidden @ w["ff2_w"] + w["ff2_b"]).mean(axis=1)  # (batch, d_model)
    logits = pooled @ w["classifier_w"] + w["classifier_b"]
    return softmax_cross_entropy(logits, labels)


def xor_loss(w, x, targets):
    """Lesson 05: x (batch, 2), targets (batch,)."""
    hidden = (x @ w["hidden.w"] + w["hidden.b"]).sigmoid()  # (batch, hidden)
    answers = (hidden @ w["output.w"] + w["output.b"]).sigmoid()  # (batch, 1)
    return ((answers - targets.reshape(-1, 1)) ** 2).mean() / 2
