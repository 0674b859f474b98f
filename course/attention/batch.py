"""A share of a batch through the attention model and back, in NumPy: `image` without a compiler.

A call of NumPy costs as much as thousands of multiplications, so here all images of a share take
each step together, in the order of `forward_image` and `backward_image`. A tensor is (images,
tokens, features). Products are `gemm`: where weights take part one for all tokens of all images,
and where tokens look at tokens one for each image, since NumPy's `@` has no BLAS in a browser.
"""

import math
from typing import NamedTuple

import numpy as np

from course.attention.reference import softmax
from course.nn.blas import gemm
from course.nn.losses import SoftmaxCrossEntropy

IMAGES = 8  # at a time: what they leave on their way, a megabyte, stays in a cache


class Tensors(NamedTuple):
    """What some images leave on their way through, for the way back; the names are `image`'s."""

    patches: np.ndarray  # (images, tokens, patch * patch)
    tokens: np.ndarray  # (images, tokens, d_model)
    head_input: np.ndarray  # (images, tokens, d_model)
    query: np.ndarray  # (images, tokens, d_model)
    key: np.ndarray  # (images, tokens, d_model)
    value: np.ndarray  # (images, tokens, d_model)
    attention: np.ndarray  # (images, tokens, tokens)
    attended: np.ndarray  # (images, tokens, d_model)
    ff_input: np.ndarray  # (images, tokens, d_model)
    hidden: np.ndarray  # (images, tokens, d_ff)
    mean_hidden: np.ndarray  # (images, d_ff)
    pooled: np.ndarray  # (images, d_model)


# ---- What stands in for the functions of the same names ------------------------------------------


def train_share(images, labels, batch, w, g, options):
    """Go there and back with the images; return (sum of losses, number read correctly)."""
    total, correct = 0.0, 0
    for part in parts(images):
        logits, tensors = forward(images[part], w, options)
        loss, dlogits = SoftmaxCrossEntropy()(logits, labels[part])  # of the mean of the part
        dlogits *= len(logits) / batch
        backward(dlogits, tensors, w, g, options)
        total += loss * len(logits)
        correct += int((logits.argmax(axis=1) == labels[part]).sum())
    return total, correct


def forward_share(images, w, options, logits, attention):
    """Write each image's logits, and its attention unless that array is empty."""
    for part in parts(images):
        logits[part], tensors = forward(images[part], w, options)
        if attention.size:
            attention[part] = tensors.attention


def backward_share(images, dlogits, w, g, options, dimages):
    """Add up the gradients for given dlogits and write dimages; computes the tensors anew."""
    for part in parts(images):
        _, tensors = forward(images[part], w, options)
        dz = backward(dlogits[part], tensors, w, g, options)
        dimages[part] = paste_patches(times_transposed(dz, w.patch_w), images[part].shape)


def parts(images):
    """Cut many images into slices of `IMAGES`."""
    return [slice(start, start + IMAGES) for start in range(0, len(images), IMAGES)]


# ---- There and back ------------------------------------------------------------------------------


def forward(images, w, options):
    """Images (images, height, width) -> logits (images, outputs), and the tensors for the way back.

    Every line is one of `forward_image`, which says more.
    """
    patches = cut_patches(images, options.patch)  # (images, tokens, patch * patch)
    tokens = dense(patches, w.patch_w, w.patch_b)  # (images, tokens, d_model)
    tokens += w.positions
    relu(tokens)

    head_input = layer_norm(tokens, w.norm1_gain, w.norm1_bias) if options.layer_norm else tokens
    query = dense(head_input, w.query_w, w.query_b)  # (images, tokens, d_model)
    key = dense(head_input, w.key_w, w.key_b)  # (images, tokens, d_model)
    value = dense(head_input, w.value_w, w.value_b)  # (images, tokens, d_model)
    scale = 1 / math.sqrt(key.shape[2])
    attention = softmax(each(query, key, alpha=scale, trans_b=True))  # (images, tokens, tokens)
    attended = each(attention, value)  # (images, tokens, d_model)
    if options.residual:
        attended += tokens

    ff_input = layer_norm(attended, w.norm2_gain, w.norm2_bias) if options.layer_norm else attended
    hidden = dense(ff_input, w.ff1_w, w.ff1_b)  # (images, tokens, d_ff)
    relu(hidden)
    mean_hidden = hidden.mean(axis=1)  # (images, d_ff)
    pooled = dense(mean_hidden, w.ff2_w, w.ff2_b)  # (images, d_model)
    if options.residual:
        pooled += attended.mean(axis=1)
    logits = dense(pooled, w.classifier_w, w.classifier_b)  # (images, outputs)
    return logits, Tensors(
        *(patches, tokens, head_input, query, key, value, attention),
        *(attended, ff_input, hidden, mean_hidden, pooled),
    )


def backward(dlogits, t, w, g, options):
    """Add the gradients of some images to g, return the first layer's dz (images, tokens, d_model).

    Every line is one of `backward_image`.
    """
    count, d_model = t.tokens.shape[1:]
    dpooled = dense_backward(dlogits, t.pooled, w.classifier_w, g.classifier_w, g.classifier_b)
    dmean_hidden = dense_backward(dpooled, t.mean_hidden, w.ff2_w, g.ff2_w, g.ff2_b)
    dhidden = dmean_hidden[:, None] / count * (t.hidden > 0)  # (images, tokens, d_ff)
    dattended = dense_backward(dhidden, t.ff_input, w.ff1_w, g.ff1_w, g.ff1_b)
    if options.layer_norm:  # (images, tokens, d_model)
        dattended = layer_norm_backward(
            dattended, t.attended, w.norm2_gain, g.norm2_gain, g.norm2_bias
        )
    if options.residual:
        dattended += dpooled[:, None] / count

    dvalue = each(t.attention, dattended, trans_a=True)  # (images, tokens, d_model)
    dscores = each(dattended, t.value, trans_b=True)  # (images, tokens, tokens)
    dscores -= (dscores * t.attention).sum(axis=2, keepdims=True)
    dscores *= t.attention
    scale = 1 / math.sqrt(d_model)
    dquery = each(dscores, t.key, alpha=scale)  # (images, tokens, d_model)
    dkey = each(dscores, t.query, alpha=scale, trans_a=True)  # (images, tokens, d_model)
    dtokens = dense_backward(dquery, t.head_input, w.query_w, g.query_w, g.query_b)
    dtokens += dense_backward(dkey, t.head_input, w.key_w, g.key_w, g.key_b)
    dtokens += dense_backward(dvalue, t.head_input, w.value_w, g.value_w, g.value_b)
    if options.layer_norm:  # (images, tokens, d_model)
        dtokens = layer_norm_backward(dtokens, t.tokens, w.norm1_gain, g.norm1_gain, g.norm1_bias)
    if options.residual:
        dtokens += dattended

    dtokens *= t.tokens > 0
    g.positions[...] += dtokens.sum(axis=0)
    add_dense_gradients(dtokens, t.patches, g.patch_w, g.patch_b)
    return dtokens


# ---- The blocks ----------------------------------------------------------------------------------


def cut_patches(images, patch):
    """(images, height, width) -> (images, tokens, patch * patch), row by row as `image`'s."""
    count, height, width = images.shape
    pieces = images.reshape(count, height // patch, patch, width // patch, patch)
    return pieces.swapaxes(2, 3).reshape(count, -1, patch * patch)


def paste_patches(patches, shape):
    """Put patches (images, tokens, patch * patch) back to make images of that shape."""
    count, height, width = shape
    patch = math.isqrt(patches.shape[2])
    pieces = patches.reshape(count, height // patch, width // patch, patch, patch)
    return pieces.swapaxes(2, 3).reshape(shape)


def rows(x):
    """All the last axes of x below each other: (rows, features)."""
    return x.reshape(-1, x.shape[-1])


def dense(x, w, b):
    """y = x W + b over the last axis of x."""
    y = np.tile(b, (rows(x).shape[0], 1))  # (rows, outputs)
    return gemm(rows(x), w, y, beta=1.0).reshape(*x.shape[:-1], -1)


def dense_backward(dy, x, w, dw, db):
    """Add to dw and db, return dx = dy W^T."""
    add_dense_gradients(dy, x, dw, db)
    return times_transposed(dy, w)


def add_dense_gradients(dy, x, dw, db):
    """Add to the gradients of a dense layer's weights and biases."""
    gemm(rows(x), rows(dy), dw, beta=1.0, trans_a=True)
    db += rows(dy).sum(axis=0)


def times_transposed(dy, w):
    """dy W^T over the last axis of dy."""
    return gemm(rows(dy), w, trans_b=True).reshape(*dy.shape[:-1], -1)


def each(a, b, **options):
    """`gemm` of each image's two matrices: a and b are (images, rows, columns)."""
    return np.stack([gemm(*pair, **options) for pair in zip(a, b, strict=True)])


def relu(x):
    """x = max(x, 0) in place."""
    np.maximum(x, 0, out=x)


def normalize(x):
    """x with mean 0 and variance 1 over its last axis, and 1 / its standard deviation."""
    unit = x - x.mean(axis=-1, keepdims=True)
    rate = 1 / np.sqrt((unit * unit).mean(axis=-1, keepdims=True) + 1e-5)
    unit *= rate
    return unit, rate


def layer_norm(x, gain, bias):
    """y = gain * normalize(x) + bias."""
    return gain * normalize(x)[0] + bias


def layer_norm_backward(dy, x, gain, dgain, dbias):
    """Add to dgain and dbias, return dx; `image` says why."""
    unit, rate = normalize(x)
    dgain += rows(dy * unit).sum(axis=0)
    dbias += rows(dy).sum(axis=0)
    dunit = gain * dy
    shift = dunit.mean(axis=-1, keepdims=True)
    stretch = (dunit * unit).mean(axis=-1, keepdims=True)
    return rate * (dunit - shift - stretch * unit)
