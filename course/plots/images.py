"""Pictures of digits: galleries, mistakes, class means; and the weights of a first layer."""

import numpy as np

from course.plots.style import DIGITS, MISTAKE, SIGNED, TRUTH, describe, picture_grid, styled
from course.plots.words import extent_of, listed, sentence, size

PIXELS = 28 * 28


def as_pictures(images) -> np.ndarray:
    """Images in any of the course's shapes, as (count, height, width).

    Takes (count, 784), (count, height, width), (count, 1, height, width), and one picture
    (height, width). Raises `ValueError` for anything else.
    """
    images = np.asarray(images)
    if images.ndim == 4 and images.shape[1] == 1:
        return images[:, 0]
    if images.ndim == 3:
        return images
    if images.ndim == 2:
        return images.reshape(-1, 28, 28) if images.shape[1] == PIXELS else images[None]
    if images.shape == (PIXELS,):
        return images.reshape(1, 28, 28)
    raise ValueError(
        "expected pictures of shape (count, 784), (count, height, width) or "
        f"(count, 1, height, width), found {images.shape}"
    )


def show_pictures(axes, pictures, cmap=DIGITS, low=None, high=None):
    """Draw `pictures` (count, height, width) into `axes`, all on one scale; the last image."""
    low = pictures.min() if low is None else low
    high = pictures.max() if high is None else high
    for ax, picture in zip(axes, pictures, strict=True):
        shown = ax.imshow(picture, cmap=cmap, vmin=low, vmax=high)
    return shown


@styled
def digits(images, labels=None, predictions=None, columns=10, title=None, class_names=None):
    """A gallery of digits, each with its label above it.

    images: (count, 784), (count, 28, 28) or (count, 1, 28, 28), any scale of gray.
    labels, predictions: (count,); class_names: what to write for them. Where both are given, a
    wrong prediction is written as "4 read as 9", in another color. Returns the Figure.
    """
    pictures = as_pictures(images)
    check_count("labels", labels, pictures)
    check_count("predictions", predictions, pictures)
    captioned = labels is not None or predictions is not None
    cell = (0.8, 1.05 if captioned else 0.8)
    figure, axes = picture_grid(len(pictures), columns, cell, title)
    show_pictures(axes, pictures)
    captions = []
    for index, ax in enumerate(axes):
        said = [values[index] for values in (labels, predictions) if values is not None]
        said = [class_names[label] for label in said] if class_names else said
        caption, look = "".join(map(str, said[:1])), {"fontsize": 10}
        if len(set(said)) > 1:
            caption = f"{said[0]} read as {said[1]}"
            look = {"fontsize": 8, "color": MISTAKE, "weight": "bold"}
        ax.set_title(caption, loc="center", pad=3, **look)
        captions.append(caption)
    describe(figure, digits_in_words(title, captions))
    return figure


def digits_in_words(title, captions):
    """Say what stands above the pictures, and first of all which were read wrongly."""
    heading = f"{title}, {len(captions)} pictures" if title else f"{len(captions)} pictures"
    wrong = [caption for caption in captions if "read as" in caption]
    right = [caption for caption in captions if caption and caption not in wrong]
    said = [f"{len(wrong)} wrong, {listed(wrong)}" if wrong else "", listed(right)]
    return sentence(heading, said)


def check_count(name, values, pictures):
    """Raise `ValueError` unless there is one of `values` for each picture."""
    if values is not None and len(values) != len(pictures):
        raise ValueError(f"{len(pictures)} pictures, but {len(values)} {name}")


@styled
def mistakes(images, labels, probabilities, count=20, columns=5, title=None, class_names=None):
    """The digits that were read wrongly with the greatest confidence, worst first.

    images: as for `digits`; labels: (batch,); probabilities: (batch, classes), rows summing to 1.
    Above each digit stand what was read, how surely, and the true label; class_names: what to write
    for other classes than digits. Returns the Figure; where nothing was read wrongly it says so.
    """
    pictures, probabilities = as_pictures(images), np.asarray(probabilities)
    labels = np.asarray(labels)
    check_count("labels", labels, pictures)
    check_count("rows of probabilities", probabilities, pictures)
    predictions = probabilities.argmax(axis=1)  # (batch,)
    confidence = probabilities.max(axis=1)  # (batch,)
    wrong = np.flatnonzero(predictions != labels)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:count]
    if title is None:
        title = f"{len(wrong):,} of {len(labels):,} read wrongly; the {len(worst)} surest of them"
    if len(worst) == 0:
        figure, (ax,) = picture_grid(1, 1, (4.0, 0.8))
        text = f"All {len(labels):,} were read correctly."
        ax.text(0.5, 0.5, text, ha="center", va="center")
        describe(figure, text)
        return figure
    names = class_names or [str(digit) for digit in range(probabilities.shape[1])]
    longest = max(len(names[predictions[index]]) for index in worst)
    width = 1.25 + 0.08 * max(longest - 2, 0)  # inches, for "read as ..."
    figure, axes = picture_grid(len(worst), columns, (width, 1.6), title)
    show_pictures(axes, pictures[worst])
    for ax, index in zip(axes, worst, strict=True):
        surely = f"read as {names[predictions[index]]} ({confidence[index]:.1%})"
        ax.set_title(surely, loc="center", fontsize=8.5, pad=16, color=MISTAKE, weight="bold")
        place = {"transform": ax.transAxes, "ha": "center", "va": "bottom"}
        ax.text(0.5, 1.03, f"is {names[labels[index]]}", color=TRUTH, fontsize=8.5, **place)
    said = [
        f"{names[labels[i]]} read as {names[predictions[i]]} ({confidence[i]:.1%})" for i in worst
    ]
    describe(figure, sentence(title, [listed(said)]))
    return figure


@styled
def mean_digits(images, labels, classes=10, class_names=None):
    """The mean picture of each class, side by side. Shapes as for `digits`; returns the Figure.

    class_names: those of other classes than digits, instead of their number.
    """
    pictures, labels = as_pictures(images), np.asarray(labels)
    check_count("labels", labels, pictures)
    names = class_names or range(classes)
    present = [label for label in range(len(names)) if np.any(labels == label)]
    means = np.stack([pictures[labels == label].mean(axis=0) for label in present])
    shown = [names[label] for label in present]
    figure = digits(means, labels=shown, columns=min(len(present), 13))
    what = "classes" if class_names else "digits"
    describe(figure, sentence(f"The mean pictures of the {what}", [listed(shown)]))
    return figure


@styled
def weights(w, shape=(28, 28), columns=8, count=32, titles=None):
    """What each unit of a first layer looks for: its incoming weights, drawn as a picture.

    w: (fan_in, fan_out) with fan_in = height * width of `shape`; the first `count` units are
    drawn. Blue pixels speak for the unit, red ones against it; all pictures share one scale.
    Returns the Figure.
    """
    w = np.asarray(w)
    if w.ndim != 2 or w.shape[0] != shape[0] * shape[1]:
        raise ValueError(f"expected weights ({shape[0] * shape[1]}, units), found {w.shape}")
    pictures = w.T[:count].reshape(-1, *shape)  # (units, height, width)
    return signed_pictures(pictures, titles, columns, "weight")


def signed_pictures(pictures, titles, columns, quantity, side=0.95):
    """A gallery of pictures of numbers around zero, with their common color scale."""
    cell = (side, side + (0.2 if titles is not None else 0.0))
    figure, axes = picture_grid(len(pictures), columns, cell, beside=0.75)
    limit = np.abs(pictures).max() or 1.0
    shown = show_pictures(axes, pictures, SIGNED, -limit, limit)
    if titles is not None:
        check_count("titles", titles, pictures)
        for ax, title in zip(axes, titles, strict=True):
            ax.set_title(title, loc="center", fontsize=9, pad=3)
    bar = figure.colorbar(shown, ax=figure.axes, label=quantity, shrink=0.8, aspect=30, pad=0.02)
    bar.outline.set_visible(False)
    kind = f"{len(pictures)} pictures of {size(pictures[0])} numbers, each a {quantity}"
    describe(figure, sentence(kind, [f"they go {extent_of(pictures)}, blue above 0, red below"]))
    return figure
