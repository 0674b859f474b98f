"""Lesson 06: people who write digits by program, each in a hand of their own.

`strokes.draw_digit` writes all digits in one hand. A `Writer` keeps to habits: how far the digits
lean and how broad they are, how the hand bends the shapes, whether loops are closed, and which of
several ways a digit is written in. No hand is taken from MNIST.
"""

import numpy as np

from course.recognizer.preprocess import CANVAS
from course.recognizer.strokes import STYLES, smooth

# What people write besides `strokes.STYLES`, in the same form.
_STEM_9 = [(0.62, 0.06), (0.6, 0.5), (0.54, 1)]
MORE = {
    0: ([[(0.5, 0.1), (0.25, 0), (0.02, 0.4), (0.12, 0.9), (0.45, 1), (0.72, 0.6), (0.62, 0.15),
          (0.36, 0.02)]],),
    1: (
        [[(0, 0.36), (0.34, 0)], [(0.34, 0), (0.32, 1)]],  # a long nose
        [[(0.04, 0.24), (0.28, 0)], [(0.28, 0), (0.28, 1)], [(0, 1), (0.58, 0.99)]],  # a foot
        [[(0, 0.16), (0.16, 0.08), (0.24, 0)], [(0.24, 0), (0.2, 0.5), (0.22, 1)]],
    ),
    2: (
        [[(0, 0.1), (0.3, 0), (0.62, 0.1)], [(0.62, 0.1), (0, 0.98)], [(0, 0.98), (0.7, 0.96)]],
        [[(0, 0.3), (0.12, 0.06), (0.4, 0), (0.62, 0.18), (0.56, 0.44), (0.3, 0.74), (0.02, 1)],
         [(0.02, 1), (0.66, 1)]],
    ),
    3: ([[(0, 0.14), (0.28, 0), (0.56, 0.14), (0.5, 0.36), (0.24, 0.46)],
         [(0.24, 0.46), (0.56, 0.56), (0.64, 0.78), (0.4, 1), (0, 0.86)]],),
    4: (
        [[(0.42, 0), (0.2, 0.3), (0, 0.6)], [(0, 0.6), (0.68, 0.6)], [(0.44, 0.3), (0.4, 1)]],
        [[(0.06, 0), (0.02, 0.44)], [(0.02, 0.44), (0.5, 0.46)], [(0.5, 0), (0.5, 1)]],
    ),
    5: ([[(0.62, 0), (0.14, 0.04)], [(0.14, 0.04), (0.04, 0.48)],
         [(0.04, 0.48), (0.34, 0.36), (0.62, 0.54), (0.56, 0.86), (0.26, 1), (0, 0.88)]],),
    6: (
        [[(0.46, 0), (0.14, 0.36), (0.02, 0.72), (0.2, 1), (0.48, 0.9), (0.5, 0.68),
          (0.3, 0.58)]],  # open
        [[(0.36, 0), (0.1, 0.4), (0, 0.76), (0.16, 1), (0.4, 0.98), (0.5, 0.78), (0.34, 0.6),
          (0.14, 0.68)]],
        [[(0.1, 0), (0.02, 0.4), (0, 0.78), (0.2, 1), (0.48, 0.9), (0.5, 0.66), (0.3, 0.54),
          (0.04, 0.66)]],
    ),
    7: (
        [[(0, 0.04), (0.6, 0)], [(0.6, 0), (0.34, 0.5), (0.26, 1)], [(0.08, 0.5), (0.6, 0.5)]],
        [[(0, 0.14), (0.02, 0)], [(0.02, 0), (0.64, 0.02)], [(0.64, 0.02), (0.3, 0.5), (0.18, 1)],
         [(0.16, 0.54), (0.56, 0.46)]],
        [[(0, 0.06), (0.34, 0.02), (0.6, 0.06), (0.4, 0.5), (0.3, 1)]],
    ),
    8: (
        [[(0.46, 0.06), (0.2, 0.02), (0.06, 0.2), (0.24, 0.42), (0.5, 0.64), (0.52, 0.88),
          (0.26, 1), (0.02, 0.86), (0.12, 0.6), (0.4, 0.4), (0.58, 0.12)]],  # open at its head
    ),
    9: (
        [[(0.6, 0.16), (0.36, 0), (0.06, 0.14), (0.06, 0.4), (0.32, 0.5), (0.56, 0.36)],
         _STEM_9],  # open
        [[(0.5, 0.06), (0.2, 0.02), (0.02, 0.24), (0.16, 0.46), (0.42, 0.42), (0.56, 0.2),
          (0.5, 0.06)], [(0.55, 0.2), (0.5, 0.6), (0.34, 1)]],
        [[(0.6, 0.12), (0.3, 0), (0.02, 0.2), (0.14, 0.46), (0.44, 0.42), (0.6, 0.12)],
         [(0.6, 0.12), (0.62, 0.7), (0.44, 1), (0.14, 0.98), (0.04, 0.84)]],
    ),
}  # fmt: skip
SHAPES = {digit: STYLES[digit] + MORE[digit] for digit in range(10)}
BENDS = 3  # waves of which the bend of a hand is made


class Writer:
    """Somebody with a hand of their own; the same seed gives the same hand."""

    def __init__(self, seed):
        rng = np.random.default_rng([seed, 10])
        self.slant = np.clip(rng.normal(4, 12), -20, 30)  # degrees, positive leans to the right
        self.breadth = rng.uniform(0.65, 1.35)  # of a digit, 1 as in SHAPES
        self.gap = max(0, rng.uniform(-0.08, 0.14))  # of a closed loop, how much is left out
        self.unsteady = rng.uniform(0.01, 0.03)  # of the height
        # waves bend the whole plane, so that what meets in one point still does
        self.waves = rng.normal(0, 3.5, (BENDS, 2))  # radians per height
        self.phases = rng.uniform(0, 2 * np.pi, (BENDS, 2))
        self.depths = rng.normal(0, 0.04, (BENDS, 2))
        self.favorites = {digit: rng.permutation(len(SHAPES[digit])) for digit in range(10)}

    def write(self, label, rng, size=200, brush=20, turn=0.0, place=(0.5, 0.5)):
        """Write one digit, mostly in the way this writer likes best: strokes for `strokes.render`.

        Args:
            label: 0 to 9.
            rng: a `numpy.random.Generator`, for what differs from one digit to the next.
            size: the longer side of the digit with its stroke, in pixels of the canvas.
            brush: the stroke's width, in the same.
            turn: degrees that the digit is turned by, clockwise.
            place: (x, y) of the digit, 0 at the left and upper edge, 1 at the others; below 0 and
                above 1 it is cut off.
        """
        favorites = self.favorites[label]
        pieces = SHAPES[label][favorites[min(rng.geometric(0.6), len(favorites)) - 1]]
        curves = [self._bent(smooth(self._written(piece, rng))) for piece in pieces]
        lean = np.tan(np.radians(self.slant + rng.normal(0, 3)))
        cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        shape = np.array([[self.breadth, 0], [-lean, 1]]) @ [[cos, sin], [-sin, cos]]
        curves = [curve @ shape for curve in curves]  # each (points, 2)

        ink = np.concatenate(curves)
        low, extent = ink.min(axis=0), np.ptp(ink, axis=0)
        factor = max(size - brush, 1) / extent.max()
        origin = brush / 2 + np.multiply(place, CANVAS - brush - extent * factor)
        return [
            {"points": np.round((curve - low) * factor + origin, 1).tolist(), "width": brush}
            for curve in curves
        ]

    def _written(self, piece, rng):
        """The points of a piece, a little beside their places; a closed loop may stay open."""
        points = np.array(piece, float)  # (points, 2)
        points[1:-1] += rng.normal(0, self.unsteady, points[1:-1].shape)  # pieces meet at the ends
        if piece[0] == piece[-1]:
            points[-1] += 2 * self.gap * (points[-2] - points[-1])
        return points

    def _bent(self, curve):
        """The curve, (points, 2), moved by the writer's waves."""
        moved = curve.copy()
        for wave, phase, depth in zip(self.waves, self.phases, self.depths, strict=True):
            moved += depth * np.sin((curve @ wave)[:, None] + phase)
        return moved
