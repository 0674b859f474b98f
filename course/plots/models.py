"""What a network does and has learned: errors, probabilities, filters, feature maps, attention."""

import math

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from course.plots.images import as_pictures, show_pictures, signed_pictures
from course.plots.style import (
    ACTIVITY,
    AMOUNTS,
    BLACK,
    BLUE,
    DIGITS,
    ORANGE,
    SIGNED,
    SKY,
    VERMILLION,
    axes_or_new,
    picture_grid,
    styled,
)


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


@styled
def probabilities(values, label=None, ax=None, title=None):
    """The probability of each class as a bar, the greatest in another color; returns the Figure.

    values: (classes,). label: the true class, bold on the axis and named in the title.
    """
    values = np.asarray(values)  # (classes,)
    ax = axes_or_new(ax, figsize=(5.0, 2.8))
    best = int(values.argmax())
    colors = [VERMILLION if digit == best else BLUE for digit in range(len(values))]
    ax.bar(range(len(values)), values, color=colors)
    ax.annotate(f"{values[best]:.1%}", (best, values[best]), ha="center", va="bottom", fontsize=9)
    ax.set_xticks(range(len(values)))
    if label is not None:
        ax.get_xticklabels()[label].set_weight("bold")
        title = title or f"true digit: {label}"
    ax.set(xlabel="digit", ylabel="probability", ylim=(0, 1.1), title=title or "")
    ax.grid(visible=False, axis="x")
    return ax.figure


@styled
def filters(w, columns=8):
    """The kernels of a convolution, blue where they add, red where they subtract; the Figure.

    w: (out_channels, in_channels, kernel, kernel). With several input channels each row of
    pictures is one output channel.
    """
    w = np.asarray(w)
    if w.ndim != 4:
        raise ValueError(f"expected weights (out, in, kernel, kernel), found {w.shape}")
    out_channels, in_channels = w.shape[:2]
    if in_channels == 1:
        titles = range(out_channels)
    else:
        titles = [f"{o} from {i}" for o in range(out_channels) for i in range(in_channels)]
        columns = in_channels
    return signed_pictures(w.reshape(-1, *w.shape[2:]), titles, columns, "weight")


@styled
def feature_maps(maps, image=None, columns=9):
    """What each channel of a convolution answers to one image, which stands first if given.

    maps: (channels, height, width), all drawn on one scale; image: (28, 28) or (1, 28, 28).
    Returns the Figure.
    """
    maps = np.asarray(maps)
    if maps.ndim != 3:
        raise ValueError(f"expected maps (channels, height, width), found {maps.shape}")
    figure, axes = picture_grid(len(maps) + (image is not None), columns, (1.0, 1.2))
    if image is not None:
        show_pictures(axes[:1], as_pictures(image))
        axes[0].set_title("input", loc="center", fontsize=9, pad=3)
        axes = axes[1:]
    if maps.min() < 0:  # before the ReLU
        limit = np.abs(maps).max()
        show_pictures(axes, maps, SIGNED, -limit, limit)
    else:
        show_pictures(axes, maps, ACTIVITY, 0)
    for channel, ax in enumerate(axes):
        ax.set_title(channel, loc="center", fontsize=9, pad=3)
    return figure


@styled
def attention_map(image, attention, token, ax=None):
    """Where one patch of a digit looks: the stronger the orange, the more; returns the Figure.

    image: (height, width). attention: (tokens, tokens), row `token` is drawn over the image, its
    own patch framed. The patches tile the image row by row.
    """
    picture, attention = as_pictures(image)[0], np.asarray(attention)
    side = math.isqrt(len(attention))
    if attention.shape != (side * side, side * side):
        raise ValueError(
            f"expected attention (tokens, tokens) of a square, found {attention.shape}"
        )
    ax = axes_or_new(ax, figsize=(3.2, 3.4))
    row = attention[token].reshape(side, side)
    height, width = picture.shape
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    overlay = np.empty((side, side, 4))
    overlay[..., :3] = to_rgb(ORANGE)
    overlay[..., 3] = 0.85 * row / max(row.max(), 1e-12)  # opacity
    ax.imshow(picture, cmap=DIGITS)
    ax.imshow(overlay, extent=extent)
    corner = (token % side * width / side - 0.5, token // side * height / side - 0.5)
    frame = {"fill": False, "edgecolor": SKY, "linewidth": 2}
    ax.add_patch(Rectangle(corner, width / side, height / side, **frame))
    ax.axis("off")
    ax.set_title(f"token {token}: up to {row.max():.1%}", loc="center", fontsize=9, pad=4)
    return ax.figure


@styled
def attention_maps(image, attention, tokens=None, columns=6):
    """`attention_map` for several tokens of one image; by default the six patches with most ink.

    image: (height, width); attention: (tokens, tokens). Returns the Figure.
    """
    if tokens is None:
        picture, side = as_pictures(image)[0], math.isqrt(len(attention))
        patches = picture.reshape(side, picture.shape[0] // side, side, -1)
        ink = patches.sum(axis=(1, 3), dtype=float).ravel()  # (tokens,)
        tokens = np.sort(np.argsort(-ink, kind="stable")[:6])
    figure, axes = picture_grid(len(tokens), columns, (1.6, 1.85))
    for ax, token in zip(axes, tokens, strict=True):
        attention_map(image, attention, token, ax=ax)
    return figure


@styled
def attention_matrix(attention, ax=None, title="Attention"):
    """Attention weights (tokens, tokens), a row for each token that looks; returns the Figure."""
    ax = axes_or_new(ax, figsize=(5.4, 4.6))
    shown = ax.imshow(attention, cmap=ACTIVITY, vmin=0)
    ax.set(xlabel="looked at (key token)", ylabel="looking (query token)", title=title)
    ax.grid(visible=False)
    ax.figure.colorbar(shown, ax=ax, label="weight", shrink=0.9).outline.set_visible(False)
    return ax.figure
