"""XOR without a compiler: what stands in for the loops of `course.xor` where there is none.

A million epochs of one network are too many small steps for NumPy, each call of which costs as much
as a hundred multiplications: there plain numbers of Python are faster. A thousand networks at once
are arrays long enough.
"""

from math import exp

import numpy as np


def train_epochs(x, y, w1, b1, w2, b2, learning_rate, epochs, stop_below):
    """`xor.train_epochs` with Python's numbers instead of arrays: the same weights, to the bit.

    A unit is (its two weights, its bias, its weight to the output). The sums are those of the loop,
    in the same order. (Weights of float32 are computed in float64, and rounded at the end.)
    """
    samples = [(*inputs, target) for inputs, target in zip(x.tolist(), y.tolist(), strict=True)]
    units = list(zip(*w1.tolist(), b1.tolist(), w2[:, 0].tolist(), strict=True))
    bias = float(b2[0])
    done, loss = 0, 0.0
    while done < epochs:
        loss = 0.0
        for x0, x1, target in samples:
            # forward
            z2 = bias
            answered = []
            for u, v, b, w in units:
                z1 = x0 * u + x1 * v + b
                a1 = 1.0 / (1.0 + exp(-z1 if z1 > -700.0 else 700.0))
                z2 += a1 * w
                answered.append((u, v, b, w, a1))
            a2 = 1.0 / (1.0 + exp(-z2 if z2 > -700.0 else 700.0))
            error = a2 - target
            loss += error * error / 2

            # backward
            dz2 = error * a2 * (1.0 - a2)
            step2 = learning_rate * dz2
            units = []
            for u, v, b, w, a1 in answered:
                step1 = learning_rate * (dz2 * w * a1 * (1.0 - a1))
                units.append((u - step1 * x0, v - step1 * x1, b - step1, w - step2 * a1))
            bias -= step2
        loss /= len(samples)
        done += 1
        if loss < stop_below:
            break
    w1[0], w1[1], b1[:], w2[:, 0] = zip(*units, strict=True)
    b2[0] = bias
    return done, loss


def train_many(x, y, w1, b1, w2, b2, learning_rate, epochs):
    """`xor.train_many`, all networks in each step; axis 0 of the weights counts them.

    A bias is the weight of an input that is always 1; the networks are the last axis, for that is
    how the memory lies.
    """
    from scipy.special import expit  # the sigmoid; here: it takes as long to load as all of NumPy

    first = np.concatenate([w1, b1[:, None]], axis=1)  # (networks, 3, hidden)
    first = np.ascontiguousarray(first.transpose(1, 2, 0))  # (3, hidden, networks)
    second = np.concatenate([b2, w2[..., 0]], axis=1).T.copy()  # (1 + hidden, networks)
    a1 = np.ones_like(second)
    units, outgoing = a1[1:], second[1:]  # without the 1 and the bias: (hidden, networks)
    samples = [
        (np.array([*inputs, 1.0])[:, None, None], target)
        for inputs, target in zip(x, y, strict=True)
    ]
    for _ in range(epochs):
        for inputs, target in samples:
            expit((first * inputs).sum(axis=0), out=units)
            a2 = expit((second * a1).sum(axis=0))  # (networks,)
            dz2 = (a2 - target) * a2 * (1.0 - a2)  # (networks,)
            dz1 = dz2 * outgoing * units * (1.0 - units)  # (hidden, networks)
            second -= learning_rate * dz2 * a1
            first -= learning_rate * dz1 * inputs
    w1[...] = first[:2].transpose(2, 0, 1)
    b1[...] = first[2].T
    b2[...] = second[:1].T
    w2[..., 0] = outgoing.T
