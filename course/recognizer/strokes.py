"""Lesson 06: strokes, the form in which the canvas keeps a drawing, and digits drawn by program.

A stroke is a plain dict, `{"points": [[x, y], ...], "width": 20}`, in pixels of the 280x280 canvas;
with `"erase": True` it takes ink away. The page sends such dicts, `render` turns them into pixels,
and `draw_digit` makes them without a hand: ten digits, each in several ways of writing it.
"""

import numpy as np
from PIL import Image, ImageDraw
from scipy.interpolate import CubicSpline

from course.nn.errors import CourseError
from course.recognizer.preprocess import CANVAS, crop

FINER = 4  # `render` draws this many times larger, then averages: that smooths the edges
# A drawing is rendered in the kernel, which nothing else can use meanwhile. Within these limits it
# takes about a second at most.
MOST_POINTS = 20_000  # of all strokes; that is minutes with the pen down
WIDEST = CANVAS  # a wider pen would ink no more
FARTHEST = 1_000_000  # pixels; there Pillow's integers are not far from their end

# How people write the digits. Every style is a list of pieces; a piece is the points (x, y) of one
# smooth curve, y downwards, in a box of height 1. Where two pieces meet there is a corner; a piece
# that ends where it began is a closed loop.
_OVAL = [(0.35, 0), (0.08, 0.22), (0, 0.55), (0.12, 0.88), (0.37, 1), (0.62, 0.85), (0.7, 0.45)]
_BOWL_3 = [(0.34, 0.46), (0.62, 0.52), (0.72, 0.75), (0.5, 0.97), (0.2, 1), (0, 0.9)]
_BOWL_5 = [(0.1, 0.44), (0.4, 0.36), (0.68, 0.52), (0.68, 0.8), (0.42, 1), (0, 0.92)]
_LOOP_9 = [(0.62, 0.2), (0.4, 0), (0.1, 0.1), (0.02, 0.34), (0.2, 0.5), (0.48, 0.42), (0.62, 0.2)]
STYLES = {
    0: (
        [[*_OVAL, (0.6, 0.12), _OVAL[0]]],
        [[(0.42, 0.02), (0.1, 0.2), (0, 0.6), (0.2, 0.98), (0.5, 0.85), (0.6, 0.4), (0.42, 0.03),
          (0.22, 0.08)]],
        [[(0.22, 0), (0.02, 0.3), (0.05, 0.8), (0.25, 1), (0.45, 0.75), (0.45, 0.2), (0.22, 0)]],
    ),
    1: (
        [[(0, 0), (0, 1)]],
        [[(0.08, 0), (0.03, 0.5), (0, 1)]],
        [[(0, 0.22), (0.22, 0)], [(0.22, 0), (0.22, 1)]],
    ),
    2: (
        [[(0.02, 0.24), (0.2, 0.03), (0.48, 0.02), (0.64, 0.24), (0.52, 0.52), (0.25, 0.82),
          (0, 1)],
         [(0, 1), (0.72, 0.98)]],
        [[(0.02, 0.2), (0.25, 0), (0.55, 0.08), (0.58, 0.38), (0.35, 0.78), (0.12, 0.97),
          (0, 0.88), (0.12, 0.76), (0.38, 0.88), (0.6, 0.99), (0.8, 0.9)]],
        [[(0, 0.12), (0.3, 0), (0.6, 0.14), (0.5, 0.45), (0.02, 0.97)],
         [(0.02, 0.97), (0.35, 0.93), (0.7, 1)]],
    ),
    3: (
        [[(0.05, 0.12), (0.3, 0), (0.6, 0.1), (0.6, 0.32), (0.34, 0.46)], _BOWL_3],
        [[(0.05, 0.08), (0.38, 0), (0.6, 0.2), (0.42, 0.42), (0.3, 0.47), (0.5, 0.5), (0.68, 0.72),
          (0.48, 0.97), (0, 0.93)]],
        [[(0.05, 0.02), (0.62, 0.02)], [(0.62, 0.02), (0.34, 0.46)], _BOWL_3],
    ),
    4: (
        [[(0.08, 0), (0, 0.54)], [(0, 0.54), (0.66, 0.5)], [(0.56, 0.1), (0.52, 1)]],
        [[(0.5, 0), (0, 0.66)], [(0, 0.66), (0.72, 0.64)], [(0.5, 0), (0.5, 1)]],
        [[(0.04, 0.02), (0, 0.36), (0.16, 0.52), (0.36, 0.5), (0.56, 0.42)],
         [(0.6, 0), (0.56, 0.45), (0.5, 1)]],
    ),
    5: (
        [[(0.7, 0.02), (0.16, 0.02)], [(0.16, 0.02), (0.1, 0.44)], _BOWL_5],
        [[(0.16, 0.02), (0.1, 0.44)], _BOWL_5, [(0.16, 0.04), (0.72, 0)]],
        [[(0.68, 0.02), (0.4, 0), (0.16, 0.12), (0.14, 0.36), (0.42, 0.46), (0.64, 0.64),
          (0.58, 0.9), (0.32, 1), (0, 0.94)]],
    ),
    6: (
        [[(0.52, 0), (0.22, 0.25), (0.02, 0.62), (0.12, 0.93), (0.4, 1), (0.6, 0.82), (0.5, 0.6),
          (0.26, 0.6), (0.06, 0.78)]],
        [[(0.3, 0), (0.08, 0.4), (0, 0.76), (0.2, 1), (0.46, 0.88), (0.46, 0.64), (0.26, 0.56),
          (0.04, 0.72)]],
        [[(0.58, 0.04), (0.3, 0.06), (0.06, 0.4), (0.04, 0.8), (0.3, 1), (0.56, 0.84), (0.52, 0.58),
          (0.28, 0.5), (0.06, 0.64)]],
    ),
    7: (
        [[(0, 0.02), (0.66, 0.02)], [(0.66, 0.02), (0.24, 1)]],
        [[(0, 0.02), (0.66, 0.02)], [(0.66, 0.02), (0.24, 1)], [(0.16, 0.5), (0.68, 0.48)]],
        [[(0, 0.16), (0.04, 0.02)], [(0.04, 0.02), (0.36, 0.06), (0.68, 0.02)],
         [(0.68, 0.02), (0.42, 0.45), (0.32, 1)]],
    ),
    8: (
        [[(0.52, 0.14), (0.3, 0), (0.06, 0.14), (0.16, 0.38), (0.42, 0.58), (0.54, 0.8), (0.3, 1),
          (0.04, 0.84), (0.16, 0.56), (0.44, 0.36), (0.52, 0.14)]],
        [[(0.3, 0), (0.08, 0.1), (0.1, 0.38), (0.3, 0.46), (0.5, 0.36), (0.52, 0.1), (0.3, 0)],
         [(0.3, 0.46), (0.02, 0.6), (0.04, 0.9), (0.3, 1), (0.56, 0.9), (0.58, 0.6), (0.3, 0.46)]],
    ),
    9: (
        [_LOOP_9, [(0.62, 0.2), (0.6, 0.6), (0.56, 1)]],
        [_LOOP_9, [(0.62, 0.2), (0.66, 0.6), (0.48, 0.94), (0.24, 1), (0.08, 0.9)]],
        [[(0.56, 0.06), (0.26, 0.02), (0, 0.28), (0.2, 0.5), (0.46, 0.36), (0.58, 0.06)],
         [(0.58, 0.06), (0.5, 0.5), (0.26, 1)]],
    ),
}  # fmt: skip


class StrokeError(CourseError, ValueError):
    """Strokes that cannot be drawn, or would take too long."""


def check(strokes):
    """Raise StrokeError unless `strokes` is a list that `render` can draw."""
    if not isinstance(strokes, list | tuple) or not all(isinstance(s, dict) for s in strokes):
        raise StrokeError("A drawing is a list of strokes, each with its points and its width.")
    for stroke in strokes:
        points, width = stroke.get("points"), stroke.get("width")
        if not _is_number(width) or not 0 < width <= WIDEST:
            raise StrokeError(f"A stroke's width is a number above 0, at most {WIDEST}.")
        if not isinstance(points, list | tuple) or not all(map(_is_point, points)):
            raise StrokeError("A stroke's points are a list of [x, y], two numbers in pixels.")
    count = sum(len(stroke["points"]) for stroke in strokes)
    if max(count, len(strokes)) > MOST_POINTS:
        raise StrokeError(f"A drawing has at most {MOST_POINTS:,} points: clear it and draw anew.")


def _is_point(point):
    return isinstance(point, list | tuple) and len(point) == 2 and all(map(_is_number, point))


def _is_number(value):
    """Whether it is a finite number, and of a size that a canvas has to do with."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) <= FARTHEST


def render(strokes, picture=None):
    """Draw strokes, oldest first, with round ends, white on black.

    Args:
        strokes: a sequence of stroke dicts.
        picture: (280, 280) uint8 to draw upon; black if not given.

    Returns:
        (280, 280) uint8.

    Raises:
        StrokeError: see `check`.
    """
    check(strokes)
    fine = Image.new("L", (CANVAS * FINER, CANVAS * FINER))
    if picture is not None:
        fine = Image.fromarray(picture).resize(fine.size, Image.Resampling.NEAREST)
    pen = ImageDraw.Draw(fine)
    for stroke in strokes:
        color = 0 if stroke.get("erase") else 255
        width = round(stroke["width"] * FINER)
        # Pillow counts pixels, not the lines between them, and puts half the width around each
        points = [(round(x * FINER) - 1, round(y * FINER) - 1) for x, y in stroke["points"]]
        pen.line(points, color, width)
        before, after = (width - 1) // 2, width // 2
        for x, y in points:
            pen.ellipse((x - before, y - before, x + after, y + after), color)
    return np.asarray(fine.reduce(FINER))


def draw_digit(label, rng, style=None, size=None, slant=None, brush=None):
    """Write one digit somewhere on the canvas, as a list of strokes.

    What is not given is drawn at random: the style, the size of the written digit from a
    quarter of the canvas to all of it, the slant within 15 degrees, and the brush from 8 to 40
    pixels, but no thicker than a quarter of the digit, where loops close and nobody could read
    it. The place is always random, and so is a slight unsteadiness of the hand.

    Args:
        label: 0 to 9.
        rng: a `numpy.random.Generator`.
        style: an index into `STYLES[label]`.
        size: the longer side of the written digit with its stroke width, in pixels.
        slant: degrees, positive leans to the right.
        brush: pixels.
    """
    styles = STYLES[label]
    pieces = styles[rng.integers(len(styles)) if style is None else style]
    size = rng.uniform(CANVAS / 4, CANVAS) if size is None else size
    slant = rng.uniform(-15, 15) if slant is None else slant
    brush = rng.uniform(8, min(40, max(8, size / 4))) if brush is None else brush

    corners = {point: rng.normal(0, 0.015, 2) for piece in pieces for point in piece}
    curves = [smooth([np.add(point, corners[point]) for point in piece]) for piece in pieces]
    lean = np.array([[1, 0], [-np.tan(np.radians(slant)), 1]])  # x moves with height
    curves = [curve @ lean for curve in curves]

    ink = np.concatenate(curves)
    low, extent = ink.min(axis=0), np.ptp(ink, axis=0)
    factor = max(size - brush, 1) / extent.max()
    room = CANVAS - brush - extent * factor
    origin = brush / 2 + rng.uniform(0, 1, 2) * np.maximum(room, 0)
    return [
        {"points": np.round((curve - low) * factor + origin, 1).tolist(), "width": round(brush, 1)}
        for curve in curves
    ]


def paste_digit(image, rng, size=None):
    """Put a 28x28 digit at a random place and size on an empty canvas.

    Args:
        image: (28, 28) uint8.
        rng: a `numpy.random.Generator`.
        size: the longer side of the digit in pixels; random from 70 to 280 if not given.

    Returns:
        (280, 280) uint8.
    """
    ink, _ = crop(image)
    size = rng.uniform(CANVAS / 4, CANVAS) if size is None else size
    factor = size / max(ink.shape)
    height, width = (max(1, round(side * factor)) for side in ink.shape)
    large = Image.fromarray(ink).resize((width, height), Image.Resampling.BICUBIC)
    top, left = rng.integers(0, CANVAS - height + 1), rng.integers(0, CANVAS - width + 1)
    canvas = np.zeros((CANVAS, CANVAS), np.uint8)
    canvas[top : top + height, left : left + width] = np.asarray(large)
    return canvas


def smooth(points, steps=12):
    """Points along a cubic spline through `points`: (n, 2), `steps` from one point to the next."""
    points = np.array(points)
    if len(points) == 2:
        return points
    # time between two points: the square root of their distance (centripetal), which never loops
    spans = np.sqrt(np.linalg.norm(np.diff(points, axis=0), axis=1))
    times = np.concatenate([[0], np.cumsum(spans)])
    closed = np.array_equal(points[0], points[-1])
    curve = CubicSpline(times, points, bc_type="periodic" if closed else "natural")
    return curve(np.linspace(0, times[-1], steps * (len(points) - 1) + 1))
