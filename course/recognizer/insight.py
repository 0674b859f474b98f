"""Lesson 06: one look inside each model while it reads a drawing.

A look is a function `(model, x, digit) -> array`, with x (1, 784) float32 in [0, 1] and `digit` the
model's answer. The shape of its array says how the page shows it:

    (28, 28)         a signed number for each pixel: what speaks for the digit, what against
    (n, h, w)        n pictures, none negative
    (tokens, tokens) in row t, how much the token t attends to every other one; the tokens are
                     the patches of a square grid, row by row
"""

import numpy as np

from course.cnn import Conv2D


def evidence(model, x, digit):
    """What each pixel contributes to the answer: input times gradient, (28, 28).

    To first order, the logit of `digit` falls by this much when the pixel is erased; for a network
    of ReLUs it is exact as long as no unit switches on or off. Where there is no ink it is 0.
    (Shrikumar et al., "Not just a black box", 2016, section 2.)
    """
    return (x * input_gradient(model, x, digit)).reshape(28, 28)


def input_gradient(model, x, digit):
    """d logits[digit] / dx for x (1, 784), the same shape: one backward pass from a 1 there.

    It overwrites the model's gradients, never its weights.
    """
    # the first layer normally saves itself this product, which training has no use for
    idle = [layer for _, layer in model.walk() if not getattr(layer, "needs_input_gradient", True)]
    for layer in idle:
        layer.needs_input_gradient = True
    try:
        logits = model.forward(x)
        only = np.zeros_like(logits)
        only[0, digit] = 1
        return model.backward(only).reshape(x.shape)
    finally:
        for layer in idle:
            layer.needs_input_gradient = False


def feature_maps(model, x, digit):
    """What the first convolution makes of the drawing, after its ReLU: (channels, 28, 28)."""
    convolution = next(layer for _, layer in model.walk() if isinstance(layer, Conv2D))
    return np.maximum(convolution.forward(x.reshape(1, 1, 28, 28))[0], 0)


def attention(model, x, digit):
    """How much each patch of the drawing attends to each other one: (tokens, tokens).

    In each row relative to the greatest, so that a token that looks at everything a little does
    not vanish beside one that looks at a single other one.
    """
    weights = model.attention_weights(x)[0]
    return weights / weights.max(axis=1, keepdims=True)


LOOKS = {"mlp": evidence, "cnn": feature_maps, "attention": attention}
