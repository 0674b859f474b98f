"""What a network does and has learned: its errors, filters, feature maps, attention, boundary."""

import numpy as np

from course.plots.style import AMOUNTS, BLACK, axes_or_new, styled


@styled
def confusion_matrix(labels, predictions, classes=10, ax=None):
    """How often each digit (rows) was read as each (columns); returns the Figure.

    labels, predictions: (batch,) integers below `classes`. Only the errors are shaded, by their
    number, since they would vanish beside the diagonal.
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.shape != predictions.shape:
        raise ValueError(f"{labels.shape} labels, but {predictions.shape} predictions")
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (labels, predictions), 1)
    errors = counts * (1 - np.eye(classes, dtype=np.int64))

    ax = axes_or_new(ax, figsize=(6.0, 5.6))
    ax.imshow(errors, cmap=AMOUNTS, vmin=0, vmax=max(errors.max() * 1.3, 1))
    for row, column in np.ndindex(counts.shape):
        if counts[row, column]:
            dark = errors[row, column] > 0.7 * errors.max()
            ax.text(
                column,
                row,
                counts[row, column],
                ha="center",
                va="center",
                fontsize=9,
                color="white" if dark and row != column else BLACK,
                weight="bold" if row == column else "normal",
            )
    ax.set_xticks(range(classes))
    ax.set_yticks(range(classes))
    ax.tick_params(length=0)
    ax.grid(visible=False)
    right = np.trace(counts)
    ax.set(xlabel="read as", ylabel="true digit")
    ax.set_title(f"{right:,} of {len(labels):,} right ({right / max(len(labels), 1):.2%})")
    return ax.figure
