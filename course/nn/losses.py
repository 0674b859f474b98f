"""Losses: how wrong the network is, as one number, and its gradient.

A loss is called with the network's output and the truth and returns the mean over the batch
and the gradient of that mean. The division by the batch size happens here and nowhere else.
"""

import numpy as np


def softmax(logits):
    """Turn logits (batch, classes) into probabilities (batch, classes) that sum to 1 per row.

    exp(z) / sum(exp(z)) is unchanged if the same number is subtracted from every z of a row; with
    the row's maximum subtracted, no exponential can overflow.
    """
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))  # (batch, classes)
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def log_softmax(logits):
    """The logarithm of `softmax`, (batch, classes): finite also where a probability becomes 0."""
    shifted = logits - logits.max(axis=1, keepdims=True)  # (batch, classes), all <= 0
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


class SoftmaxCrossEntropy:
    """Mean of -log(probability of the right class), straight from the logits.

    Goodfellow, Bengio & Courville, "Deep Learning" (2016), section 6.2.2.3. With label smoothing,
    a share `smoothing` of the truth is spread evenly over all classes, so that the network never
    gains by being surer still (Szegedy et al., "Rethinking the Inception architecture for computer
    vision", CVPR 2016, section 7).
    """

    def __init__(self, smoothing=0.0):
        self.smoothing = smoothing

    def __call__(self, logits, labels):
        """Return (loss, dlogits) for logits (batch, classes) and integer labels (batch,)."""
        batch = len(labels)
        rows = np.arange(batch)
        shifted = logits - logits.max(axis=1, keepdims=True)  # (batch, classes), all <= 0
        exponentials = np.exp(shifted)  # (batch, classes)
        sums = exponentials.sum(axis=1, keepdims=True)  # (batch, 1), all >= 1
        # -log(exp(z_y) / sum) = log(sum) - z_y: no logarithm of a probability that became 0
        certain, spread = 1.0 - self.smoothing, self.smoothing / logits.shape[1]
        truth = certain * shifted[rows, labels] + spread * shifted.sum(axis=1)  # (batch,)
        loss = float((np.log(sums[:, 0]) - truth).mean())
        dlogits = exponentials / sums  # the probabilities
        dlogits[rows, labels] -= certain  # minus the truth: 1 at the right class
        if spread:
            dlogits -= spread
        dlogits /= batch
        return loss, dlogits


class MeanSquaredError:
    """Mean of (prediction - target)^2 over the batch and the outputs."""

    def __call__(self, predictions, targets):
        """Return (loss, dpredictions); both arrays have the shape (batch, outputs)."""
        difference = predictions - targets
        return float(np.mean(difference**2)), difference * (2.0 / difference.size)


def as_labels(labels, batch, classes):
    """Give the labels as an int64 array (batch,). Raises ValueError for others than there are."""
    labels = np.ascontiguousarray(labels, np.int64)
    if labels.shape != (batch,) or labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"expected {batch} labels, each from 0 to {classes - 1}")
    return labels
