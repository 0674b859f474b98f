"""Checks of what goes in, inputs and labels, and of what is held out; each yields findings."""

import math

import numpy as np

from course.nn.blas import gemm
from course.nn.doctor.case import PROBE, Finding

# LeCun et al., "Efficient backprop" (1998), section 4.3: inputs of mean 0 and variance 1. Pixels
# from 0 to 1 have a root mean square of 0.33, from 0 to 255 of 85, scaled twice of 0.001.
LARGEST_INPUT, SMALLEST_INPUT = 5.0, 0.02


def check_inputs(case):
    x, _ = case.probe
    size = float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))
    if not np.isfinite(size):
        text = "Some inputs are not finite numbers. Look for empty or damaged samples, and leave "
        yield Finding("inputs", text + "them out.")
    elif not SMALLEST_INPUT <= size <= LARGEST_INPUT:
        yield Finding(
            "inputs",
            f"The inputs are not scaled: they go from {x.min():.3g} to {x.max():.3g}, with a root "
            f"mean square of {size:.2g} where about 0.3 to 1 is good. Divide pixels by 255, once, "
            "or take the mean off each feature and divide by its standard deviation.",
        )


NEIGHBORS = 1000  # samples whose nearest neighbors are compared; of digits, 88 % have its label
SIGMAS = 4.0  # one run in 30,000 is that far above chance by luck


def check_labels(case):
    if not case.classifies:
        return
    classes, counts = np.unique(case.y, return_counts=True)
    if len(classes) == 1:
        yield Finding(
            "labels",
            f"All {len(case.y)} labels are {classes[0]}: there is nothing to tell apart. Look at "
            "how the labels are read: the bytes after the header, one a sample.",
        )
        return
    chance = float(np.sum((counts / len(case.y)) ** 2))
    agree = neighbors_agree(case.x, case.y)
    limit = chance + SIGMAS * math.sqrt(chance * (1 - chance) / min(NEIGHBORS, len(case.y)))
    last = case.trainer.records[-1].val_accuracy if case.trainer.records else None
    guesses = last is None or last < counts.max() / len(case.y) + (limit - chance)
    if len(case.y) >= PROBE and agree < limit and guesses:
        yield Finding(
            "labels",
            "The labels do not belong to the inputs, as after shuffling only one of the two: a "
            f"sample and its nearest neighbor have the same label in {agree:.0%} of the cases, and "
            f"{chance:.0%} would by chance. Draw some samples with their labels above them, and "
            "use one permutation for both.",
        )


def neighbors_agree(x, y):
    """Return in [0, 1] how often a sample's nearest neighbor has the sample's own label."""
    x, y = x[:NEIGHBORS].reshape(-1, x[0].size), y[:NEIGHBORS]
    x = np.ascontiguousarray(np.nan_to_num(x), np.float64)
    squares = np.sum(x**2, axis=1)
    distances = squares - 2 * gemm(x, x, trans_b=True)  # |a - b|^2, less |a|^2, which is the row's
    np.fill_diagonal(distances, np.inf)
    return float(np.mean(y[distances.argmin(axis=1)] == y))


LEAK = 0.01  # none of MNIST's test digits is among its training digits


def check_leak(case):
    known = None
    for name, x in case.held_out.items():
        if len(x):
            known = known or {sample.tobytes() for sample in case.x}
            share = float(np.mean([sample.tobytes() in known for sample in x]))
            if share > LEAK:
                yield Finding(
                    "leak",
                    f"Training knows the answers: {share:.0%} of the {len(x)} {name} samples are "
                    "among the training samples too, so their accuracy says nothing about new "
                    "ones. Take copies out first, then split.",
                )
