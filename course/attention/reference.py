"""The attention model as plainly as it can be said: what `image` is tested against.

First the whole model, forward and backward, for a whole batch in NumPy. Then one attention head as
loops: in the textbook's order, and in the order in which the memory lies.
"""

import math

import numpy as np

from course.attention.weights import Weights
from course.nn.compiled import REGROUP, jit

# ---- The whole model in NumPy -------------------------------------------------------------------


def softmax(scores):
    """exp(s) / sum(exp(s)) over the last axis; with the maximum subtracted nothing overflows."""
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def transposed(x):
    """(batch, rows, columns) -> (batch, columns, rows)."""
    return x.swapaxes(1, 2)


def forward(x, w, patch=4):
    """Images x (batch, height, width), weights w -> logits (batch, outputs) and the tensors.

    The model without residual connections and layer norm.
    """
    batch, height, width = x.shape
    patches = x.reshape(batch, height // patch, patch, width // patch, patch)
    patches = patches.swapaxes(2, 3).reshape(batch, -1, patch * patch)  # (batch, tokens, pixels)
    tokens = np.maximum(patches @ w.patch_w + w.patch_b + w.positions, 0)  # (batch, tokens, d)
    query = tokens @ w.query_w + w.query_b  # (batch, tokens, d_model)
    key = tokens @ w.key_w + w.key_b  # (batch, tokens, d_model)
    value = tokens @ w.value_w + w.value_b  # (batch, tokens, d_model)
    scores = query @ transposed(key) / math.sqrt(query.shape[2])  # (batch, tokens, tokens)
    attention = softmax(scores)  # (batch, tokens, tokens), each row sums to 1
    attended = attention @ value  # (batch, tokens, d_model)
    hidden = np.maximum(attended @ w.ff1_w + w.ff1_b, 0)  # (batch, tokens, d_ff)
    features = hidden @ w.ff2_w + w.ff2_b  # (batch, tokens, d_model)
    pooled = features.mean(axis=1)  # (batch, d_model)
    logits = pooled @ w.classifier_w + w.classifier_b  # (batch, outputs)
    return logits, (patches, tokens, query, key, value, attention, attended, hidden, pooled)


def backward(dlogits, w, tensors):
    """Return the gradients, a `Weights`, from dlogits (batch, outputs)."""
    patches, tokens, query, key, value, attention, attended, hidden, pooled = tensors
    count, d_model = query.shape[1:]
    dpooled = dlogits @ w.classifier_w.T  # (batch, d_model)
    dfeatures = np.repeat(dpooled[:, None] / count, count, axis=1)  # (batch, tokens, d_model)
    dhidden = dfeatures @ w.ff2_w.T * (hidden > 0)  # (batch, tokens, d_ff)
    dattended = dhidden @ w.ff1_w.T  # (batch, tokens, d_model)
    dvalue = transposed(attention) @ dattended  # (batch, tokens, d_model)
    dattention = dattended @ transposed(value)  # (batch, tokens, tokens)
    along = (dattention * attention).sum(axis=2, keepdims=True)  # (batch, tokens, 1)
    dscores = attention * (dattention - along) / math.sqrt(d_model)  # (batch, tokens, tokens)
    dquery = dscores @ key  # (batch, tokens, d_model)
    dkey = transposed(dscores) @ query  # (batch, tokens, d_model)
    dtokens = dquery @ w.query_w.T + dkey @ w.key_w.T + dvalue @ w.value_w.T
    dz = dtokens * (tokens > 0)  # (batch, tokens, d_model)

    def dense(x, dy):
        """Gradients of w and b where y = x w + b for every token: add up over all of them."""
        return (transposed(x) @ dy).sum(axis=0), dy.sum(axis=(0, 1))

    none = np.zeros(0, dlogits.dtype)
    return Weights(
        *dense(patches, dz),
        dz.sum(axis=0),
        *(none, none),  # no layer norm
        *dense(tokens, dquery),
        *dense(tokens, dkey),
        *dense(tokens, dvalue),
        *(none, none),
        *dense(attended, dhidden),
        *dense(hidden, dfeatures),
        pooled.T @ dlogits,
        dlogits.sum(axis=0),
    )


# ---- One attention head, from Python's loops to the processor's ---------------------------------


def head_numpy(x, w):
    """softmax(Q K^T / sqrt(d_model)) V for the tokens x (tokens, d_model)."""
    query = x @ w.query_w + w.query_b  # (tokens, d_model)
    key = x @ w.key_w + w.key_b  # (tokens, d_model)
    value = x @ w.value_w + w.value_b  # (tokens, d_model)
    return softmax(query @ key.T / math.sqrt(x.shape[1])) @ value


@jit
def head_textbook(x, w):
    """The same as loops: every number of the result is finished before the next one is begun."""
    tokens, d_model = x.shape
    query, key, value = np.empty_like(x), np.empty_like(x), np.empty_like(x)
    for i in range(tokens):
        for j in range(d_model):
            query[i, j], key[i, j], value[i, j] = w.query_b[j], w.key_b[j], w.value_b[j]
            for k in range(d_model):  # runs down a column of the weights
                query[i, j] += x[i, k] * w.query_w[k, j]
                key[i, j] += x[i, k] * w.key_w[k, j]
                value[i, j] += x[i, k] * w.value_w[k, j]
    attended, attention = np.zeros_like(x), np.zeros(tokens, x.dtype)
    for i in range(tokens):
        for j in range(tokens):
            attention[j] = 0
            for k in range(d_model):
                attention[j] += query[i, k] * key[j, k]
            attention[j] /= math.sqrt(d_model)
        largest, total = attention.max(), 0.0
        for j in range(tokens):
            attention[j] = math.exp(attention[j] - largest)
            total += attention[j]
        for k in range(d_model):
            for j in range(tokens):  # runs down a column of the values
                attended[i, k] += attention[j] / total * value[j, k]
    return attended


@jit(fastmath=REGROUP)
def head_ordered(x, w):
    """The same sums, but the innermost loop always runs along rows, as the memory lies."""
    tokens, d_model = x.shape
    query, key, value = np.empty_like(x), np.empty_like(x), np.empty_like(x)
    for i in range(tokens):
        for j in range(d_model):
            query[i, j], key[i, j], value[i, j] = w.query_b[j], w.key_b[j], w.value_b[j]
        for k in range(d_model):
            for j in range(d_model):
                query[i, j] += x[i, k] * w.query_w[k, j]
                key[i, j] += x[i, k] * w.key_w[k, j]
                value[i, j] += x[i, k] * w.value_w[k, j]
    attended, attention = np.zeros_like(x), np.zeros(tokens, x.dtype)
    for i in range(tokens):
        for j in range(tokens):
            attention[j] = 0
            for k in range(d_model):
                attention[j] += query[i, k] * key[j, k]
            attention[j] /= math.sqrt(d_model)
        largest, total = attention.max(), 0.0
        for j in range(tokens):
            attention[j] = math.exp(attention[j] - largest)
            total += attention[j]
        for j in range(tokens):
            share = x.dtype.type(attention[j] / total)
            for k in range(d_model):
                attended[i, k] += share * value[j, k]
    return attended
