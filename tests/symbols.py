"""A drawn alphabet of five symbols, for tests of classes that are no digits."""

import itertools

import numpy as np
from PIL import Image

from course.recognizer.strokes import draw, render

_RING = [(0.5, 0), (0.15, 0.15), (0, 0.5), (0.15, 0.85), (0.5, 1), (0.85, 0.85), (1, 0.5)]
_CORNERS = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]
_TRIANGLE = [(0.5, 0), (1, 0.9), (0, 0.9), (0.5, 0)]
STYLES = {  # as those of digits, see `course.recognizer.strokes`
    "circle": ([[*_RING, (0.85, 0.15), _RING[0]]],),
    "cross": (
        [[(0, 0), (1, 1)], [(1, 0), (0, 1)]],
        [[(0.5, 0), (0.5, 1)], [(0, 0.5), (1, 0.5)]],
    ),
    "square": ([[a, b] for a, b in itertools.pairwise(_CORNERS)],),
    "triangle": ([[a, b] for a, b in itertools.pairwise(_TRIANGLE)],),
    "wave": (
        [[(0, 0.3), (0.17, 0), (0.33, 0.3), (0.5, 0.6), (0.67, 0.3), (0.83, 0), (1, 0.3)]],
        [[(0, 0), (0.25, 0.4), (0.5, 0), (0.75, 0.4), (1, 0)]],
    ),
}
NAMES = tuple(STYLES)


def strokes(name, random, **how):
    """One of the symbols somewhere on the canvas."""
    return draw(STYLES[name], random, **how)


def fill(folder, count, seed=0):
    """Write `count` pictures of each symbol into sub-folders: black on white, any size."""
    random = np.random.default_rng(seed)
    for name in NAMES:
        (folder / name).mkdir(parents=True)
        for number in range(count):
            paper = Image.fromarray(255 - render(strokes(name, random)))
            side = int(random.integers(60, 400))
            paper.resize((side, side)).save(folder / name / f"{number:03}.png")
    return folder
