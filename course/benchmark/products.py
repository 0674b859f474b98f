"""The arithmetic of one training step of each model, as matrix products.

Each product is (m, k, n, trans_a, trans_b): op(a) is m x k, op(b) is k x n. The backward pass of
y = x w has two, dx = dy w^T and dw = x^T dy; the first layer of a network needs no dx.
"""

import os
import time
from collections import Counter

import numpy as np

from course.nn import shares
from course.nn.blas import gemm
from course.nn.compiled import jit


def dense(rows, inputs, outputs, first=False):
    """List the products of a dense layer for `rows` rows: forward, dw and, unless first, dx."""
    forward = (rows, inputs, outputs, False, False)
    dw = (inputs, rows, outputs, True, False)
    dx = (rows, outputs, inputs, False, True)
    return [forward, dw] if first else [forward, dw, dx]


def mlp(batch):
    """784 -> 512 -> 10."""
    return dense(batch, 784, 512, first=True) + dense(batch, 512, 10)


def cnn(batch):
    """The convolution as a product of all 3x3 windows (one a row) with the kernels (columns)."""
    return dense(batch * 28 * 28, 9, 8, first=True) + dense(batch, 8 * 14 * 14, 10)


def attention(batch, tokens=49, d_model=64, d_ff=128):
    """Image by image, as `course.attention.image` goes through the network and back."""
    scores = [(tokens, d_model, tokens, False, True)] + 2 * [
        (tokens, tokens, d_model, False, False)  # dquery, dkey
    ]
    mixture = [
        (tokens, tokens, d_model, False, False),
        (tokens, tokens, d_model, True, False),  # dvalue
        (tokens, d_model, tokens, False, True),  # dattention
    ]
    layers = dense(tokens, 16, d_model, first=True) + 3 * dense(tokens, d_model, d_model)
    layers += dense(tokens, d_model, d_ff)
    # Only the mean over the tokens goes on from here.
    layers += dense(1, d_ff, d_model) + dense(1, d_model, 10)
    return batch * (layers + scores + mixture)


def deep(batch):
    """Two convolutions, each image's a product of its own, and two dense layers."""
    images = dense(28 * 28, 25, 16, first=True) + dense(14 * 14, 16 * 25, 32)
    return batch * images + dense(batch, 32 * 7 * 7, 128) + dense(batch, 128, 10)


def xor(batch):
    """2 -> 4 -> 1."""
    return dense(batch, 2, 4, first=True) + dense(batch, 4, 1)


PRODUCTS = {"mlp": mlp, "cnn": cnn, "attention": attention, "deep": deep, "xor": xor}


def multiplications(products):
    """Count the multiplications of numbers in a list of products."""
    return sum(m * k * n for m, k, n, *_ in products)


@jit(nogil=True)
def multiply(a, b, out, times):
    """out = a @ b, so many times over."""
    for _ in range(times):
        np.dot(a, b, out)


def seconds(products, rounds=10, repeats=20):
    """Return the seconds that BLAS needs for the products of one step.

    That is the mean of `repeats` in a row in the fastest of `rounds`: a limit of the machine, and
    nobody else's work should be counted.

    Those that occur many times, image by image, do not wait for each other: each core takes its
    part of them, with one thread. A product that occurs once has all threads.
    """
    random = np.random.default_rng(0).standard_normal
    cores = os.cpu_count()

    def operand(rows, columns, transposed):
        shape = (columns, rows) if transposed else (rows, columns)
        return random(shape).astype(np.float32)

    single, many = [], []
    for (m, k, n, trans_a, trans_b), count in Counter(products).items():
        a, b = operand(m, k, trans_a), operand(k, n, trans_b)
        if count == 1:
            single.append((a, b, np.empty((m, n), np.float32), trans_a, trans_b))
        else:
            # Small operands are cheaper to turn around than to read across: b is.
            b = np.ascontiguousarray(b.T) if trans_b else b
            many.append((a.T if trans_a else a, b, (m, n), count * repeats))

    def share(core):
        for a, b, shape, count in many:
            part = count * (core + 1) // cores - count * core // cores
            multiply(a, b, np.empty(shape, np.float32), part)

    def once():
        started = time.perf_counter()
        for _ in range(repeats):
            for a, b, out, trans_a, trans_b in single:
                gemm(a, b, out, trans_a=trans_a, trans_b=trans_b)
        if many:
            shares.run(share, [(core,) for core in range(cores)])
        return (time.perf_counter() - started) / repeats

    return min(once() for _ in range(rounds))
