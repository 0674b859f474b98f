"""Lesson 06: from a drawing of any place and size to the 28x28 picture a network was trained on.

A network knows digits only in the form MNIST gave them (LeCun, Bottou, Bengio and Haffner,
"Gradient-based learning applied to document recognition", 1998, section III.A, and the MNIST page):

1. cut out the ink,
2. scale it, keeping its proportions, until it just fits into 20x20 (shrinking makes greys),
3. put it into 28x28 so that its center of mass lies at the center.

`normalize` does the same and keeps the picture after each step, so that it can be shown. Between 1
and 2 it gives hairlines the width that strokes have in MNIST, which was written with one kind of
pen. A digit that was normalized already comes back as it was, to the last bit, but for hairlines:
of MNIST's 10,000 test digits 9,935 do, 62 are so thin that they are drawn anew, and three are 19
pixels large and grow by one.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from course.nn.errors import CourseError

CANVAS = 280  # side of the drawing surface, in pixels
SIDE = 28  # side of what the network receives
BOX = 20  # side of the box that the ink is scaled into
CENTER = 14  # row and column of the pixel where MNIST puts the center of mass
# Widths of strokes in the box, in pixels, by `stroke_width` of MNIST's 60,000 training digits
USUAL_WIDTH = 2.35  # their median
THINNEST = 1.4  # 99.3 % are wider
FINE = 120  # longer side of the ink, in pixels, from which on hairlines are drawn anew


class EmptyDrawingError(CourseError, ValueError):
    """There is no ink to read."""


@dataclass(frozen=True)
class Steps:
    """A drawing on its way to the network; all pictures are uint8, ink bright on black."""

    cropped: np.ndarray  # (height, width)   the ink, cut out
    scaled: np.ndarray  # (<= 20, <= 20)     no hairlines, the longer side is 20
    centered: np.ndarray  # (28, 28)         what the network receives
    corner: tuple[int, int]  # row and column of `cropped` in the drawing
    offset: tuple[int, int]  # row and column of `scaled` in `centered`

    @property
    def x(self):
        """The network's input, (1, 784) float32 in [0, 1]."""
        return self.centered.reshape(1, SIDE * SIDE).astype(np.float32) / np.float32(255)


def normalize(drawing):
    """Take a drawing through MNIST's own normalization.

    Args:
        drawing: (height, width) uint8, ink bright on black; (height, width, 4), the pixels of a
            browser's canvas, is read by its first channel.

    Returns:
        The `Steps`; `steps.x` goes into `model.forward`.

    Raises:
        EmptyDrawingError: nothing is drawn.
    """
    drawing = np.asarray(drawing)
    if drawing.ndim == 3:
        drawing = drawing[..., 0]
    if drawing.ndim != 2 or drawing.dtype != np.uint8:
        raise ValueError(
            f"a drawing is a (height, width) array of uint8, not {drawing.shape} {drawing.dtype}"
        )
    cropped, corner = crop(drawing)
    scaled = scale(thicken(cropped))
    centered, offset = center(scaled)
    return Steps(cropped, scaled, centered, corner, offset)


def crop(drawing):
    """Cut out the smallest rectangle that holds all ink; also return its row and column."""
    rows = np.flatnonzero(drawing.any(axis=1))
    columns = np.flatnonzero(drawing.any(axis=0))
    if rows.size == 0:
        raise EmptyDrawingError("There is nothing to read yet: draw a digit.")
    top, left = int(rows[0]), int(columns[0])
    return drawing[top : rows[-1] + 1, left : columns[-1] + 1].copy(), (top, left)


def stroke_width(picture):
    """The width of the strokes in pixels: twice the ink over the length of its edge.

    A stroke of length l and width w has w l of ink and 2 l of edge. The edge is as long as the sum
    of all gradients, in gray pictures, too (the total variation; Rudin, Osher and Fatemi 1992).
    """
    levels = np.pad(picture.astype(np.float32), 1)
    down = np.diff(levels, axis=0)[:, :-1]
    across = np.diff(levels, axis=1)[:-1]
    edge = np.hypot(down, across).sum(dtype=np.float64)
    return 2 * levels.sum(dtype=np.float64) / max(edge, 1e-12)


def thicken(cropped):
    """Draw hairlines anew, as wide as strokes usually are in MNIST; other ink is left as it is.

    All that is nearer to the ink than a certain distance becomes ink. When the digit is scaled into
    the box its strokes get thinner with it, which the distance makes up for.
    """
    scaled = scale(cropped)
    if not scaled.any() or stroke_width(scaled) >= THINNEST:
        return cropped
    factor = -(-FINE // max(cropped.shape))
    height, width = (factor * (side + 2) for side in cropped.shape)
    fine = Image.fromarray(np.pad(cropped, 1)).resize((width, height), Image.Resampling.BICUBIC)
    fine = np.asarray(fine, np.float32)
    inside = fine > np.sum(fine**2) / np.sum(fine) / 2  # half of what ink usually has
    share = USUAL_WIDTH / BOX
    missing = share * max(crop(inside)[0].shape) - stroke_width(inside)
    distance = max(0, missing / (1 - share) / 2)
    far = ndimage.distance_transform_edt(~np.pad(inside, int(distance) + 1))
    drawn = np.clip(distance + 1 - far, 0, 1)  # the outermost pixels are covered in part
    return crop(np.rint(255 * drawn).astype(np.uint8))[0]


def scale(cropped, box=BOX):
    """Scale so that the longer side becomes `box`; each new pixel is the mean of those it covers.

    That mean is what keeps a thin stroke from falling between the pixels: it turns grey instead.
    A hairline would turn so grey that the networks miss it, so the brightest pixel is brought
    back to 255, which it is in MNIST. A picture of the right size is left exactly as it is.
    """
    height, width = cropped.shape
    longer = max(height, width)
    if longer == box:
        return cropped
    # never 0: a perfectly straight hairline is 1 pixel wide
    size = (max(1, round(width * box / longer)), max(1, round(height * box / longer)))
    small = np.asarray(Image.fromarray(cropped).resize(size, Image.Resampling.BOX))
    return np.rint(small * (255 / max(small.max(), 1))).astype(np.uint8)


def center(scaled, side=SIDE):
    """Put the center of mass at the center of a (side, side) picture, by whole pixels.

    Ink is never pushed over the edge: a digit with a long tail stays inside, a little off-center.
    Also returns the row and column where `scaled` was put.
    """
    height, width = scaled.shape
    mass = scaled.sum(dtype=np.float64)
    if mass == 0:
        raise EmptyDrawingError("The ink is too faint to survive scaling: draw a thicker stroke.")
    row = scaled.sum(axis=1, dtype=np.float64) @ np.arange(height) / mass
    column = scaled.sum(axis=0, dtype=np.float64) @ np.arange(width) / mass
    top = int(np.clip(np.rint(CENTER - row), 0, side - height))
    left = int(np.clip(np.rint(CENTER - column), 0, side - width))
    centered = np.zeros((side, side), np.uint8)
    centered[top : top + height, left : left + width] = scaled
    return centered, (top, left)


def shrink(drawing, side=SIDE):
    """The raw path, for comparison: the whole canvas squeezed into (28, 28), nothing centered."""
    return np.asarray(Image.fromarray(drawing).resize((side, side), Image.Resampling.BOX))
