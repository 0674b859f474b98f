"""Lesson 01: the bytes of a file, drawn as if each were a pixel."""

import numpy as np

from course.plots.style import DIGITS, describe, styled, subplots

ROWS = 56  # two digits
PIXEL = 0.06  # inches


@styled
def byte_picture(content, width=28, skip=0, rows=ROWS):
    """Draw the bytes of `content` as gray pixels, `width` to a row, after skipping some.

    What is missing at the end is black. Returns the Figure. Raises ValueError for a width below 1
    or a negative number of bytes to skip.
    """
    if width < 1 or skip < 0:
        raise ValueError(f"width must be at least 1 and skip at least 0, got {width} and {skip}")
    pixels = np.zeros(rows * width, np.uint8)
    there = np.frombuffer(content[skip : skip + len(pixels)], np.uint8)
    pixels[: len(there)] = there
    room = max(width * PIXEL, 2.6), rows * PIXEL + 0.3  # for the title, too
    figure, ax = subplots(figsize=room)
    ax.imshow(pixels.reshape(rows, width), cmap=DIGITS, vmin=0, vmax=255)
    ax.set_anchor("W")
    ax.axis("off")
    title = f"{width} bytes to a row, from byte {skip}"
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    inked = np.count_nonzero(pixels)
    describe(figure, f"Bytes drawn as gray pixels, {title}: {inked} of {pixels.size} are not 0.")
    return figure
