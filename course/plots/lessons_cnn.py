"""Lesson 03: a kernel over a digit, a gradient on its way back, accuracy against shift."""

import numpy as np
from matplotlib.patches import Rectangle

from course.plots.images import as_pictures
from course.plots.style import (
    ACTIVITY,
    BLACK,
    DIGITS,
    FOCUS,
    PALE,
    SIGNED,
    axes_or_new,
    describe,
    looks_of,
    outlined,
    picture_grid,
    styled,
)
from course.plots.words import course_of, extent_of, sentence, size


@styled
def convolution(image, kernel, answer, at=None):
    """A digit, the kernel that slides over it, and what it answers at each place; the Figure.

    image: (height, width); kernel: (kernel, kernel); answer: (height - kernel + 1, width - kernel
    + 1). at: (row, column) of the answer, framed together with the window that it comes from.
    """
    image, kernel, answer = np.asarray(image), np.asarray(kernel), np.asarray(answer)
    expected = tuple(n - k + 1 for n, k in zip(image.shape, kernel.shape, strict=True))
    if answer.shape != expected:
        raise ValueError(f"expected an answer of shape {expected}, found {answer.shape}")
    figure, axes = picture_grid(3, 3, (2.9, 3.15))
    figure.get_layout_engine().set(h_pad=0.1)  # room for the titles
    axes[0].imshow(image, cmap=DIGITS, vmin=0)
    show_signed(axes[1], kernel)
    for (row, column), weight in np.ndenumerate(kernel):
        color = "white" if abs(weight) > 0.6 * np.abs(kernel).max() else BLACK
        axes[1].text(column, row, f"{weight:.2g}", ha="center", va="center", color=color)
    show_signed(axes[2], answer)
    titles = [f"input {size(image)}", f"kernel {size(kernel)}", f"answer {size(answer)}"]
    if at is not None:
        frame(axes[0], at, kernel.shape)
        frame(axes[2], at, (1, 1))
        titles[2] += f", {answer[at]:.2f} in the frame"
    describe(figure, sentence("A convolution", [*titles, f"answers {extent_of(answer)}"]))
    for ax, title in zip(axes, titles, strict=True):
        ax.set_title(title, loc="center", fontsize=10)
    return figure


@styled
def there_and_back(forward, backward):
    """What goes through the layers, and below it the gradient that comes back; the Figure.

    forward, backward: dicts of title and picture (height, width) or (1, 1, height, width), from
    input to output in both. The first picture is the digit. Each gradient has a scale of its own:
    blue above 0, red below.
    """
    if len(forward) != len(backward):
        raise ValueError(f"{len(forward)} pictures forward, but {len(backward)} backward")
    figure, axes = picture_grid(2 * len(forward), len(forward), (2.6, 2.8))
    upper, lower = axes[: len(forward)], axes[len(forward) :]
    for number, (ax, picture) in enumerate(zip(upper, forward.values(), strict=True)):
        ax.imshow(as_pictures(picture)[0], cmap=ACTIVITY if number else DIGITS, vmin=0)
    for ax, picture in zip(lower, backward.values(), strict=True):
        show_signed(ax, as_pictures(picture)[0])
    for ax, title in zip(axes, [*forward, *backward], strict=True):
        ax.set_title(title, loc="center", fontsize=10)
    reached = [f"{name}, {np.count_nonzero(picture)} pixels" for name, picture in backward.items()]
    parts = [
        f"forward {', '.join(forward)}",
        f"and where the gradients are not 0, {', '.join(reached)}",
    ]
    describe(figure, sentence("There and back", parts))
    return figure


@styled
def accuracy_against_shift(shifts, accuracies, ax=None):
    """Test accuracy of several models on digits pushed aside by so many pixels; the Figure.

    shifts: (count,) pixels; accuracies: a dict of model name and (count,) shares in [0, 1].
    """
    ax = axes_or_new(ax, figsize=(7.0, 4.0))
    said = []
    for (name, values), look in zip(accuracies.items(), looks_of(accuracies), strict=True):
        ax.plot(shifts, values, label=name, **look)
        said.append(f"{name} {course_of(values, '{:.1%}')}, at best {max(values):.1%}")
    heading = f"Accuracy on digits pushed aside, {course_of(shifts)} pixels to the right"
    describe(ax, sentence(heading, said))
    ax.yaxis.set_major_formatter("{x:.0%}")
    ax.set(xlabel="pixels to the right", ylabel="test accuracy", ylim=(0, 1.02))
    ax.set_title("Digits pushed aside")
    ax.legend()
    return ax.figure


def show_signed(ax, picture):
    """Draw numbers around zero, blue above and red below; a line shows where the picture ends."""
    limit = np.abs(picture).max() or 1.0
    ax.imshow(picture, cmap=SIGNED, vmin=-limit, vmax=limit)
    frame(ax, (0, 0), picture.shape, color=PALE, linewidth=1)


def frame(ax, corner, shape, color=FOCUS, linewidth=2.5):
    """Frame the pixels from `corner` (row, column) on, `shape` of them."""
    lower_left = (corner[1] - 0.5, corner[0] - 0.5)
    look = {"fill": False, "edgecolor": color, "linewidth": linewidth, "clip_on": False}
    edge = outlined() if color == FOCUS else []
    ax.add_patch(Rectangle(lower_left, shape[1], shape[0], path_effects=edge, **look))
