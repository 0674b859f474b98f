"""Lesson 06: drawings on their way to the network, and the pixels that were erased from it."""

from io import BytesIO

from matplotlib.colors import to_rgb
from PIL import Image, ImageOps

from course.plots.lessons_cnn import frame
from course.plots.style import (
    DIGITS,
    FOCUS,
    PLACE,
    axes_or_new,
    describe,
    outlined,
    picture_grid,
    styled,
)
from course.plots.words import listed, sentence, size


@styled
def normalization(drawing, steps):
    """A drawing, cut out, scaled, centered: what `preprocess.normalize` did to it; the Figure.

    drawing: (height, width) uint8, with a frame around what is cut out; steps: its `Steps`. In the
    last picture a cross marks the middle, where the center of mass should lie.
    """
    pictures = (drawing, steps.cropped, steps.scaled, steps.centered)
    figure, axes = picture_grid(4, 4, (2.2, 2.45))
    titles = []
    for ax, picture, name in zip(
        axes, pictures, ("drawn", "cut out", "scaled", "centered"), strict=True
    ):
        ax.imshow(picture, cmap=DIGITS, vmin=0, vmax=255)
        titles.append(f"{name}: {size(picture)}")
        ax.set_title(titles[-1], loc="center", fontsize=10)
    describe(figure, sentence("A drawing on its way to the network", titles))
    frame(axes[0], steps.corner, steps.cropped.shape)
    axes[3].plot(*[len(steps.centered) / 2] * 2, "+", color=PLACE, markersize=14)
    return figure


@styled
def as_sent(files, received, titles):
    """Picture files as somebody sent them, above; below, what the networks receive; the Figure.

    files: the bytes of each; received: (count, 28, 28); titles: one for each.
    """
    figure, axes = picture_grid(2 * len(titles), len(titles), (1.25, 1.35))
    sent = [ImageOps.exif_transpose(Image.open(BytesIO(file))) for file in files]
    for ax, picture in zip(axes, [*sent, *received], strict=True):
        # a pen of one pixel would fall between the pixels of the figure
        ax.imshow(picture, cmap=DIGITS, vmin=0, vmax=255, interpolation="antialiased")
    for ax, title in zip(axes, titles, strict=False):  # above the first row
        ax.set_title(title, loc="center", fontsize=9)
    heading = f"Pictures as they were sent, {listed(titles)}"
    describe(figure, sentence(heading, ["below each what the networks receive, ink on black"]))
    return figure


@styled
def erased_pixels(x, pixels, title=None, ax=None):
    """A digit with the pixels that were erased from it in color, the first one ringed; the Figure.

    x: (784,) or (1, 784) or (28, 28) in [0, 1]; pixels: (n,), pixel = 28 * row + column.
    """
    ax = axes_or_new(ax, figsize=(2.6, 2.8))
    shown = x.reshape(784, 1).repeat(3, axis=1)  # (784, 3), red, green, blue
    shown[pixels] = to_rgb(FOCUS)
    ax.imshow(shown.reshape(28, 28, 3))
    if len(pixels):
        row, column = divmod(int(pixels[0]), 28)
        ring = {"fillstyle": "none", "markersize": 11, "markeredgewidth": 2}
        ax.plot(column, row, "o", color=PLACE, path_effects=outlined(), **ring)
    ax.axis("off")
    title = f"{len(pixels)} pixels erased" if title is None else title
    ax.set_title(title, loc="center", fontsize=10)
    places = [f"row {pixel // 28} column {pixel % 28}" for pixel in pixels]
    describe(ax, sentence(f"A digit, {title}", [listed(places)]))
    return ax.figure
