"""Checks of the network: its gradients, and what its layers let through; each yields findings."""

import math

import numpy as np

from course.nn.doctor.case import Finding
from course.nn.signals import compare_gradients, dead_units, flat_share, matrices
from course.nn.training import copy_weights

# A relative error |a - b| / (|a| + |b|) of 0.05 is a factor of 1.1. Along the gradient healthy runs
# show up to 0.014 in float32, along random directions, where less is left to see, up to 0.05.
WRONG_ALONG, WRONG_ACROSS = 0.05, 0.25
COMPARED = 64  # samples, fewer where there are not so many


def check_gradient(case):
    x, y = (array[:COMPARED] for array in case.probe)
    weights = case.first_weights or copy_weights(case.trainer.model)
    for slope in compare_gradients(case.trainer, x, y, weights):
        if slope.along > WRONG_ALONG or slope.across > WRONG_ACROSS:
            yield Finding(
                "gradient",
                f"The gradient of {slope.name!r} is wrong: {_how_wrong(slope, len(x))}. Check the "
                "backward pass of its layer and of those after it with "
                "`course.nn.gradcheck.check_gradients`, in float64.",
            )
            return  # the others follow from it, or are seen after it is mended


def _how_wrong(slope, batch):
    if slope.along <= WRONG_ALONG:
        return f"parts of it are missing or do not belong there (relative error {slope.across:.2g})"
    if math.isclose(slope.ratio, 1 / batch, rel_tol=0.1):
        return f"it is {batch} times too small, as if divided by the batch of {batch} twice"
    if math.isclose(slope.ratio, batch, rel_tol=0.1):
        return f"it is {batch} times too large, as if never divided by the batch of {batch}"
    if math.isclose(slope.ratio, -1, rel_tol=0.1):
        return "its sign is turned around, so that steps lead uphill"
    return f"it claims {slope.ratio:.2g} times the slope that the loss has where it points"


ALIKE = 0.001  # spread of a layer's units over its largest weight; drawn weights show 0.9 and more


def check_alike(case):
    hidden = list(matrices(case.trainer.model).items())[:-1]  # the last one's labels differ
    for name, w in hidden:
        units = 0 if w.ndim == 4 else -1  # the axis that counts them
        spread = np.abs(w - w.mean(axis=units, keepdims=True)).max()
        if w.shape[units] > 1 and spread <= ALIKE * np.abs(w).max():
            yield Finding(
                "alike",
                f"All {w.shape[units]} units of {name!r} are alike: their weights differ by "
                f"{spread:.2g}. Equal units get equal gradients and stay equal for ever, so draw "
                "the first weights at random, as `course.nn.rng.xavier_uniform` does.",
            )


# Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural networks"
# (2010), want gradients of one size in all layers. In healthy networks it is up to 47 times smaller
# at the first layer than at the last: in the CNN, where the pooling passes one pixel of four.
FLOW = 1000.0


def check_flow(case):
    deltas = (case.start or case.now).deltas
    if len(deltas) < 2 or any(check_alike(case)):
        return
    first, *_, last = deltas
    at_first, at_last = deltas[first], deltas[last]
    seen = f"{at_first:.2g} at {first!r} and {at_last:.2g} at {last!r} (root mean squares)"
    if 0 < at_first * FLOW < at_last:
        yield Finding(
            "vanishing",
            f"The gradient vanishes on its way back: {seen}. The first layers hardly learn; try "
            "ReLU for sigmoids, weights drawn with the Xavier limit, or fewer layers.",
        )
    elif at_first > FLOW * at_last > 0:
        yield Finding(
            "exploding",
            f"The gradient explodes on its way back: {seen}. Draw smaller weights, with the Xavier "
            "limit sqrt(6 / (inputs + outputs)), or put batch norm between the layers.",
        )


# Glorot & Bengio (2010), section 3, show layers that saturate and stop. Of the small healthy
# network's tanh 0.05 are flat at the end, 0.19 without its batch norm.
SATURATED = 0.6  # share of flat outputs


def check_saturated(case):
    layers = [name for name, _ in case.trainer.model.walk()]
    for name, kind, y in case.now.bends:
        if kind == "ReLU" or name == layers[-1]:  # answers may be sure
            continue
        share = flat_share(kind, y)
        if share > SATURATED:
            yield Finding(
                "saturated",
                f"The {kind} of {name!r} is saturated: {share:.0%} of its outputs are at one of "
                "its ends, where it is flat and passes hardly any gradient. Draw smaller weights, "
                "scale the inputs to about 1, or step less far.",
            )


# Shares of units that are 0 on all of the probe. Healthy: up to 1 of the CNN's 8 channels, 0.01 of
# the MLP's units. Lu et al., "Dying ReLU and initialization" (2019), say how it comes about.
DEAD = 0.4


def check_dead(case):
    for name, kind, y in case.now.bends:
        if kind != "ReLU":
            continue
        dead = dead_units(y)
        if np.mean(dead) > DEAD:
            yield Finding(
                "dead",
                f"{dead.sum()} of the {dead.size} ReLUs of {name!r} are dead: they give 0 for "
                f"each of {len(y)} samples, so no gradient comes through. Try a learning rate ten "
                "times smaller, biases that start at 0, or a leaky ReLU.",
            )
