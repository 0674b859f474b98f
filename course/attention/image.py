"""One image through the attention model and back: this is what trains.

`forward_image` and `backward_image` are the whole of it, on the tensors of one image. They are made
of small blocks: each computes y from x; its partner `..._backward` gets dy = dLoss/dy, adds to the
gradients of its weights, and gives dx. A tensor is (tokens, features), row-major. The products are
`np.dot`, which inside compiled code is BLAS; the rest are loops, which the compiler vectorizes.

A tensor of one image is a few kilobytes, so an image stays in the processor's cache all the way
there and back, which is why images are taken one by one. `course.attention.reference` has the same
mathematics as plainly as NumPy can say it, and `course.attention.batch` computes where there is no
compiler.
"""

import math
from typing import NamedTuple

import numpy as np

from course.attention import batch
from course.nn.compiled import REGROUP, jit


class Options(NamedTuple):
    """What the compiled functions have to know besides the weights."""

    patch: int  # a patch is patch * patch pixels
    residual: bool
    layer_norm: bool


class Transposed(NamedTuple):
    """The weight matrices transposed: the way back multiplies by these, row by row."""

    query_w: np.ndarray
    key_w: np.ndarray
    value_w: np.ndarray
    ff1_w: np.ndarray
    ff2_w: np.ndarray
    classifier_w: np.ndarray


class Head(NamedTuple):
    """What the attention head computed for one image."""

    query: np.ndarray  # (tokens, d_model)
    key: np.ndarray  # (tokens, d_model)
    value: np.ndarray  # (tokens, d_model)
    attention: np.ndarray  # (tokens, tokens): row i says how much token i takes from each token


class Tensors(NamedTuple):
    """What one image leaves on its way through, for the way back."""

    patches: np.ndarray  # (tokens, patch * patch)
    tokens: np.ndarray  # (tokens, d_model)
    head_input: np.ndarray  # (tokens, d_model): the tokens, normalized with layer norm
    head: Head
    attended: np.ndarray  # (tokens, d_model), with a residual connection: + tokens
    ff_input: np.ndarray  # (tokens, d_model): attended, normalized with layer norm
    hidden: np.ndarray  # (tokens, d_ff)
    mean_hidden: np.ndarray  # (1, d_ff)
    pooled: np.ndarray  # (1, d_model)


# ---- One image through the network and back -----------------------------------------------------


@jit
def attention_head(x, w):
    """softmax(Q K^T / sqrt(d_model)) V for the tokens x (tokens, d_model)."""
    query = dense(x, w.query_w, w.query_b)  # (tokens, d_model)
    key = dense(x, w.key_w, w.key_b)  # (tokens, d_model)
    value = dense(x, w.value_w, w.value_b)  # (tokens, d_model)
    attention = np.dot(query, np.ascontiguousarray(key.T))  # (tokens, tokens): still the scores
    softmax_rows(attention, x.dtype.type(1 / math.sqrt(x.shape[1])))
    attended = np.dot(attention, value)  # (tokens, d_model)
    return attended, Head(query, key, value, attention)


@jit
def attention_head_backward(dattended, x, head, transposed, g):
    """Add to the gradients g of the query, key and value weights, return dx (tokens, d_model)."""
    dvalue = np.dot(head.attention.T, dattended)  # (tokens, d_model)
    dscores = np.dot(dattended, np.ascontiguousarray(head.value.T))  # (tokens, tokens)
    softmax_rows_backward(dscores, head.attention, x.dtype.type(1 / math.sqrt(x.shape[1])))
    dquery = np.dot(dscores, head.key)  # (tokens, d_model)
    dkey = np.dot(dscores.T, head.query)  # (tokens, d_model)
    dx = dense_backward(dquery, x, transposed.query_w, g.query_w, g.query_b)  # (tokens, d_model)
    add(dx, dense_backward(dkey, x, transposed.key_w, g.key_w, g.key_b))
    add(dx, dense_backward(dvalue, x, transposed.value_w, g.value_w, g.value_b))
    return dx


@jit
def forward_image(image, w, options):
    """image (height, width) -> logits (1, outputs), and the tensors for the way back."""
    patches = cut_patches(image, options.patch)  # (tokens, patch * patch)
    tokens = dense(patches, w.patch_w, w.patch_b)  # (tokens, d_model)
    add(tokens, w.positions)
    relu(tokens)

    head_input = layer_norm(tokens, w.norm1_gain, w.norm1_bias) if options.layer_norm else tokens
    attended, head = attention_head(head_input, w)  # (tokens, d_model)
    if options.residual:
        add(attended, tokens)

    ff_input = layer_norm(attended, w.norm2_gain, w.norm2_bias) if options.layer_norm else attended
    hidden = dense(ff_input, w.ff1_w, w.ff1_b)  # (tokens, d_ff)
    relu(hidden)
    # The mean of the tokens' features is the features of their mean, as ff2 is linear: taking the
    # mean first saves a quarter of all the work.
    mean_hidden = mean_of_rows(hidden)  # (1, d_ff)
    pooled = dense(mean_hidden, w.ff2_w, w.ff2_b)  # (1, d_model)
    if options.residual:
        add(pooled, mean_of_rows(attended))

    logits = dense(pooled, w.classifier_w, w.classifier_b)  # (1, outputs)
    return logits, Tensors(
        patches, tokens, head_input, head, attended, ff_input, hidden, mean_hidden, pooled
    )


@jit
def backward_image(dlogits, t, w, transposed, g, options):
    """Add one image's gradients to g, return dz of the first layer (tokens, d_model)."""
    count = t.tokens.shape[0]
    dpooled = dense_backward(
        dlogits, t.pooled, transposed.classifier_w, g.classifier_w, g.classifier_b
    )
    dmean_hidden = dense_backward(dpooled, t.mean_hidden, transposed.ff2_w, g.ff2_w, g.ff2_b)
    dhidden = spread(dmean_hidden, count)  # (tokens, d_ff)
    relu_backward(dhidden, t.hidden)
    dattended = dense_backward(dhidden, t.ff_input, transposed.ff1_w, g.ff1_w, g.ff1_b)
    if options.layer_norm:  # (tokens, d_model)
        dattended = layer_norm_backward(
            dattended, t.attended, w.norm2_gain, g.norm2_gain, g.norm2_bias
        )
    if options.residual:
        add(dattended, spread(dpooled, count))

    dtokens = attention_head_backward(dattended, t.head_input, t.head, transposed, g)
    if options.layer_norm:  # (tokens, d_model)
        dtokens = layer_norm_backward(dtokens, t.tokens, w.norm1_gain, g.norm1_gain, g.norm1_bias)
    if options.residual:
        add(dtokens, dattended)

    relu_backward(dtokens, t.tokens)
    add(g.positions, dtokens)
    add(g.patch_w, np.dot(t.patches.T, dtokens))
    add_rows(g.patch_b, dtokens)
    return dtokens


# ---- A share of a batch: what one core does -----------------------------------------------------


@jit
def transpose(w):
    """Transpose the weight matrices for the way back, once for many images."""
    return Transposed(
        np.ascontiguousarray(w.query_w.T),
        np.ascontiguousarray(w.key_w.T),
        np.ascontiguousarray(w.value_w.T),
        np.ascontiguousarray(w.ff1_w.T),
        np.ascontiguousarray(w.ff2_w.T),
        np.ascontiguousarray(w.classifier_w.T),
    )


@jit(nogil=True, numpy=batch.train_share)
def train_share(images, labels, batch, w, g, options):
    """Go there and back with each image; return (sum of losses, number read correctly)."""
    transposed = transpose(w)
    loss, correct = 0.0, 0
    for n in range(len(images)):
        logits, tensors = forward_image(images[n], w, options)
        image_loss, dlogits, guess = cross_entropy(logits, labels[n], batch)
        backward_image(dlogits, tensors, w, transposed, g, options)
        loss += image_loss
        correct += guess == labels[n]
    return loss, correct


@jit(nogil=True, numpy=batch.forward_share)
def forward_share(images, w, options, logits, attention):
    """Write each image's logits, and its attention unless that array is empty."""
    for n in range(len(images)):
        image_logits, tensors = forward_image(images[n], w, options)
        add(logits[n : n + 1], image_logits)
        if attention.size:
            add(attention[n], tensors.head.attention)


@jit(nogil=True, numpy=batch.backward_share)
def backward_share(images, dlogits, w, g, options, dimages):
    """Add up the gradients for given dlogits and write dimages; computes the tensors anew."""
    transposed = transpose(w)
    for n in range(len(images)):
        _, tensors = forward_image(images[n], w, options)
        dz = backward_image(dlogits[n : n + 1], tensors, w, transposed, g, options)
        dpatches = np.dot(dz, w.patch_w.T)
        paste_patches(dpatches, dimages[n], options.patch)


# ---- The blocks ----------------------------------------------------------------------------------


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
def dense_backward(dy, x, w_transposed, dw, db):
    """Add to dw and db, return dx = dy W^T; `w_transposed` is W^T."""
    add(dw, np.dot(x.T, dy))
    add_rows(db, dy)
    return np.dot(dy, w_transposed)


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
