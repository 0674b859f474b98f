"""What a network does and has learned: errors, probabilities, filters, feature maps, attention."""

import math

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from course.plots.images import as_pictures, show_pictures, signed_pictures
from course.plots.style import (
    ACTIVITY,
    AMOUNTS,
    ANSWER,
    BLACK,
    DIGITS,
    FOCUS,
    MISTAKE,
    PALE,
    PLACE,
    SIGNED,
    axes_or_new,
    describe,
    outlined,
    picture_grid,
    styled,
)
from course.plots.words import extent_of, listed, sentence, size


@styled
def confusion_matrix(labels, predictions, classes=10, ax=None, class_names=None):
    """How often each digit (rows) was read as each (columns); returns the Figure.

    labels, predictions: (batch,) integers below `classes`. Only the errors are shaded, by their
    number, since they would vanish beside the diagonal. class_names: those of other classes than
    digits, instead of their number.
    """
    names = [*(class_names or map(str, range(classes)))]
    classes = len(names)
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.shape != predictions.shape:
        raise ValueError(f"{labels.shape} labels, but {predictions.shape} predictions")
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (labels, predictions), 1)
    errors = counts * (1 - np.eye(classes, dtype=np.int64))

    side = max(6.0, 0.42 * classes)
    ax = axes_or_new(ax, figsize=(side, side - 0.4))
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
    ax.set_xticks(range(classes), names, rotation=upright_if_long(names))
    ax.set_yticks(range(classes), names)
    ax.tick_params(length=0)
    ax.grid(visible=False)
    right = np.trace(counts)
    ax.set(xlabel="read as", ylabel="true class" if class_names else "true digit")
    title = f"{right:,} of {len(labels):,} right ({right / max(len(labels), 1):.2%})"
    ax.set_title(title)
    often = [divmod(int(cell), classes) for cell in np.argsort(-errors, axis=None, kind="stable")]
    said = [
        f"{names[t]} read as {names[p]} {errors[t, p]} times" for t, p in often[:3] if errors[t, p]
    ]
    describe(
        ax, sentence(f"Confusion matrix, {title}", [f"most often {listed(said)}"] if said else [])
    )
    return ax.figure


def upright_if_long(names):
    """The angle of names below an axis, in degrees: they must not run into each other."""
    return 90 if max(map(len, names)) > 2 else 0


@styled
def probabilities(values, label=None, ax=None, title=None, class_names=None):
    """The probability of each class as a bar, the greatest one dark; returns the Figure.

    values: (classes,). label: the true class, bold on the axis and named in the title; if another
    one is greatest, its bar is hatched and has the color of mistakes. class_names: those of other
    classes than digits.
    """
    values = np.asarray(values)  # (classes,)
    ax = axes_or_new(ax, figsize=(5.0, 2.8))
    best = int(values.argmax())
    wrong = label is not None and label != best
    colors = [PALE] * len(values)
    colors[best] = MISTAKE if wrong else ANSWER
    bars = ax.bar(range(len(values)), values, color=colors)
    bars[best].set(hatch="//" if wrong else None, edgecolor="white")
    ax.annotate(f"{values[best]:.1%}", (best, values[best]), ha="center", va="bottom", fontsize=9)
    kind = "class" if class_names else "digit"
    names = class_names or [str(digit) for digit in range(len(values))]
    ax.set_xticks(range(len(values)), names, rotation=upright_if_long(names))
    if label is not None:
        ax.get_xticklabels()[label].set_weight("bold")
        title = title or f"true {kind}: {names[label]}"
    ax.set(xlabel=kind, ylabel="probability", ylim=(0, 1.1), title=title or "")
    order = np.argsort(-values, kind="stable")[:3]
    said = [f"{names[i]} {values[i]:.1%}" for i in order]
    describe(ax, sentence("Probabilities" + (f", {title}" if title else ""), [", ".join(said)]))
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
    kind = f"{len(maps)} feature maps of {size(maps[0])}" + (
        " beside their image" * (image is not None)
    )
    strongest = int(np.abs(maps).sum(axis=(1, 2)).argmax())
    describe(figure, sentence(kind, [f"{extent_of(maps)}, channel {strongest} answers most"]))
    return figure


@styled
def attention_map(image, attention, token, ax=None):
    """Where one patch of a digit looks: the stronger the blue, the more; returns the Figure.

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
    overlay[..., :3] = to_rgb(FOCUS)
    overlay[..., 3] = 0.85 * row / max(row.max(), 1e-12)  # opacity
    ax.imshow(picture, cmap=DIGITS)
    ax.imshow(overlay, extent=extent)
    corner = (token % side * width / side - 0.5, token // side * height / side - 0.5)
    frame = {"fill": False, "edgecolor": PLACE, "linewidth": 2, "path_effects": outlined()}
    ax.add_patch(Rectangle(corner, width / side, height / side, **frame))
    ax.axis("off")
    ax.set_title(f"token {token}: up to {row.max():.1%}", loc="center", fontsize=9, pad=4)
    most = int(row.argmax())
    describe(ax, f"Token {token}, {patch_name(token, side)}, looks most at token {most}, "
                 f"{patch_name(most, side)}: {row.max():.1%}.")  # fmt: skip
    return ax.figure


def patch_name(token, side):
    """Say where a patch lies."""
    return f"row {token // side} column {token % side}"


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
    attention = np.asarray(attention)
    most = int(attention.mean(axis=0).argmax())
    said = f"weights {extent_of(attention)}, token {most} is looked at most"
    describe(ax, sentence(f"{title}, {len(attention)} tokens", [said]))
    ax.grid(visible=False)
    ax.figure.colorbar(shown, ax=ax, label="weight", shrink=0.9).outline.set_visible(False)
    return ax.figure
