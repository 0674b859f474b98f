"""Lesson 06: digits as other people draw them, by program: pens, papers, cameras, files.

Each of `STYLES` takes what a `Writer` wrote, with some pen on some paper, and returns the bytes of
a picture file. Widths, shades and sizes are drawn at random within a style.
"""

import functools
import io
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image, ImageDraw
from scipy import ndimage

from course.recognizer.preprocess import CANVAS
from course.recognizer.strokes import render
from course.recognizer.writers import Writer

STEERING = range(20)  # writers to choose settings by
HELD_OUT = range(100, 120)  # and those who had no say in any of them


@dataclass(frozen=True)
class Drawing:
    """One picture file, and what is to be read in it."""

    style: str
    label: int
    writer: int
    file: bytes


def drawings(writers=STEERING, styles=None):
    """Drawings in every style by every writer, as many of each class.

    Args:
        writers: their seeds. The same seeds give the same drawings.
        styles: some of the names of `STYLES`, all if not given.

    Returns:
        A generator of `Drawing`, style by style, one for each writer.
    """
    for number, (style, draw) in enumerate(STYLES.items()):
        for place, seed in enumerate(writers):
            if styles is None or style in styles:
                label = (place + number) % 10  # so that nobody writes the same digit in all styles
                rng = np.random.default_rng([seed, number])
                write = functools.partial(Writer(seed).write, label, rng)
                yield Drawing(style, label, seed, draw(write, rng))


# Pens: how strokes become ink, 0 to 1 on a picture of any size.


def _pixel_pen(strokes, side):
    """A pen of one pixel without any gray, as paint programs have it: (side, side) in {0, 1}."""
    picture = Image.new("L", (side, side))
    pen = ImageDraw.Draw(picture)
    for stroke in strokes:
        pen.line([(x * side / CANVAS, y * side / CANVAS) for x, y in stroke["points"]], 1)
    return np.asarray(picture, np.float32)


def _brush(strokes, side=CANVAS):
    """A round brush with smooth edges: (side, side)."""
    picture = Image.fromarray(render(strokes))
    kind = Image.Resampling.BOX if side < CANVAS else Image.Resampling.BICUBIC
    return np.asarray(picture.resize((side, side), kind), np.float32) / 255


def _pencil(strokes, side, rng):
    """A brush that leaves out grains of the paper and presses now more, now less."""
    ink = ndimage.gaussian_filter(_brush(strokes, side), side / 400)
    grain = ndimage.gaussian_filter(rng.normal(0, 1, ink.shape).astype(np.float32), side / 500)
    pressure = _waves(ink.shape, rng)
    return ink * np.clip(0.8 + 0.25 * grain / grain.std() + 0.2 * pressure, 0.15, 1)


# Papers, as bright as they are, 0 to 1


def _waves(shape, rng):
    """Something smooth between about -1 and 1."""
    coarse = rng.uniform(-1, 1, (4, 4)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize(shape[::-1], Image.Resampling.BICUBIC))


def _paper(side, rng, shade=0.15, grain=0.015):
    """Gray paper in uneven light: (side, side)."""
    rows, columns = np.indices((side, side), np.float32) / side - 0.5
    slope = rng.uniform(-1, 1, 2)
    light = rng.uniform(0.6, 0.9) + shade * (slope[0] * rows + slope[1] * columns)
    light += 0.4 * shade * _waves((side, side), rng)
    return light + rng.normal(0, grain, light.shape)


def _ruled(side, rng, both_ways=False):
    """Where paper has lines, 1, and where not, 0: (side, side), a little askew, as in a scan."""
    rows, columns = np.indices((side, side), np.float32)
    tilt, distance = np.tan(np.radians(rng.uniform(-2, 2))), side * rng.uniform(0.1, 0.24)
    width, start = max(1, side * rng.uniform(0.003, 0.007)), rng.uniform(0, distance)
    ways = [rows + tilt * columns] + [columns - tilt * rows] * both_ways
    away = [np.abs((way + start) % distance - width) for way in ways]  # from the middle of a line
    return np.clip(width + 1 - np.min(away, axis=0), 0, 1)


def _on_paper(ink, paper, rng):
    """Dark ink, of which light comes through, on paper."""
    return paper * (1 - rng.uniform(0.45, 0.75) * ink)


# Files


def _file(picture, kind="PNG", **options):
    """The bytes of a file that shows a picture, (height, width) or more channels, 0 to 1."""
    image = picture
    if isinstance(picture, np.ndarray):
        image = Image.fromarray(np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8))
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _photo(picture, rng):
    return _file(picture, "JPEG", quality=int(rng.integers(50, 90)))


# Styles: `write` is a writer's, for one digit, and takes its size, brush, turn and place


def one_pixel_28(write, rng):
    ink = _pixel_pen(write(size=rng.uniform(190, 260), brush=1), 28)
    return _file(rng.permutation([ink, 1 - ink])[0])


def one_pixel(write, rng):
    return _file(1 - _pixel_pen(write(size=rng.uniform(130, 240), brush=1), rng.integers(56, 300)))


def thin_brush(write, rng):
    return _file(1 - _brush(write(size=rng.uniform(150, 250), brush=rng.uniform(3, 9))))


def fat_brush(write, rng):
    return _file(1 - _brush(write(size=rng.uniform(200, 270), brush=rng.uniform(32, 56))))


def downscaled_28(write, rng):
    ink = _brush(write(size=rng.uniform(170, 260), brush=rng.uniform(10, 30)), 28)
    return _file(rng.permutation([ink, 1 - ink])[0])


def blurred(write, rng):
    ink = _brush(write(size=rng.uniform(170, 230), brush=rng.uniform(10, 30)), 200)
    return _file(1 - ndimage.gaussian_filter(ink, rng.uniform(3, 8)))


def gray_strokes(write, rng):
    ink = _brush(write(size=rng.uniform(150, 240), brush=rng.uniform(8, 26)), 140)
    return _file(1 - rng.uniform(0.15, 0.5) * ink)


def poor_jpeg(write, rng):
    ink = _brush(write(size=rng.uniform(150, 240), brush=rng.uniform(8, 26)), 120)
    return _file(1 - ink, "JPEG", quality=int(rng.integers(8, 30)))


def pencil(write, rng):
    side = int(rng.integers(300, 1000))
    ink = _pencil(write(size=rng.uniform(120, 220), brush=rng.uniform(4, 9)), side, rng)
    return _photo(_on_paper(ink, _paper(side, rng), rng), rng)


def faint_pencil(write, rng):
    side = int(rng.integers(300, 700))
    ink = _pencil(write(size=rng.uniform(120, 220), brush=rng.uniform(4, 9)), side, rng)
    return _photo(_on_paper(0.45 * ink, _paper(side, rng, grain=0.01), rng), rng)


def ruled_paper(write, rng):
    side = int(rng.integers(300, 1000))
    ink = _pencil(write(size=rng.uniform(110, 210), brush=rng.uniform(4, 10)), side, rng)
    paper = _paper(side, rng) * (1 - rng.uniform(0.1, 0.3) * _ruled(side, rng))
    return _photo(_on_paper(ink, paper, rng), rng)


def squared_paper(write, rng):
    side = int(rng.integers(300, 1000))
    ink = _pencil(write(size=rng.uniform(110, 210), brush=rng.uniform(5, 10)), side, rng)
    paper = _paper(side, rng) * (1 - rng.uniform(0.1, 0.3) * _ruled(side, rng, both_ways=True))
    return _photo(_on_paper(ink, paper, rng), rng)


def shadow(write, rng):
    side = int(rng.integers(400, 1000))
    ink = _brush(write(size=rng.uniform(110, 210), brush=rng.uniform(6, 16)), side)
    edge = np.indices((side, side), np.float32)[rng.integers(2)] / side - rng.uniform(0.2, 0.8)
    light = 1 - 0.45 / (1 + np.exp(-edge * rng.uniform(8, 40)))
    return _photo(_on_paper(ink, _paper(side, rng, shade=0.3) * light, rng), rng)


def chalk(write, rng):
    side = int(rng.integers(250, 800))
    ink = _pencil(write(size=rng.uniform(130, 230), brush=rng.uniform(8, 20)), side, rng)
    board = 1 - _paper(side, rng)
    return _photo(board + (0.95 - board) * ink, rng)


def colored(write, rng):
    ink = _brush(write(size=rng.uniform(150, 240), brush=rng.uniform(6, 26)), 240)[..., None]
    paper, pen = rng.uniform(0.75, 1, 3), rng.uniform(0, 0.45, 3)
    return _file(paper * (1 - ink) + pen * ink)


def transparent(write, rng):
    ink = _brush(write(size=rng.uniform(150, 250), brush=rng.uniform(6, 30)), 200)
    pen = np.full((*ink.shape, 3), rng.choice([0.0, 0.2, 1.0]))
    return _file(np.dstack([pen, ink]))


def turned_by_exif(write, rng):
    ink = _brush(write(size=rng.uniform(120, 220), brush=rng.uniform(6, 18)), 600)
    upright = _on_paper(ink, _paper(600, rng), rng)
    turns, tag = ((1, 6), (2, 3), (3, 8))[rng.integers(3)]  # counterclockwise, and what undoes it
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = tag
    return _file(np.rot90(upright, turns), "JPEG", quality=80, exif=exif)


def framed(write, rng):
    side = 200
    picture = 1 - _brush(write(size=rng.uniform(110, 170), brush=rng.uniform(5, 20)), side)
    inset = 0 if rng.random() < 0.5 else int(rng.integers(2, 14))
    line = int(rng.integers(1, 6))
    frame = np.ones((side, side), bool)
    frame[inset + line : side - inset - line, inset + line : side - inset - line] = False
    frame[:inset] = frame[side - inset :] = frame[:, :inset] = frame[:, side - inset :] = False
    return _file(np.where(frame, rng.uniform(0, 0.5), picture))


def tilted(write, rng):
    turn = rng.choice([-1, 1]) * rng.uniform(10, 22)
    return _file(1 - _brush(write(size=220, brush=rng.uniform(8, 26), turn=turn)))


def cut_off(write, rng):
    place = np.array([0.5, 0.5])
    place[rng.integers(2)] = rng.choice([-0.1, 1.1])
    strokes = write(size=rng.uniform(190, 230), brush=rng.uniform(8, 28), place=place)
    return _file(1 - _brush(strokes))


def small_in_a_corner(write, rng):
    place = rng.choice([0.1, 0.9], 2)
    return _file(1 - _brush(write(size=rng.uniform(50, 90), brush=rng.uniform(3, 10), place=place)))


STYLES = {
    draw.__name__.replace("_", " "): draw
    for draw in (
        one_pixel_28, one_pixel, thin_brush, fat_brush, downscaled_28, blurred, gray_strokes,
        poor_jpeg, pencil, faint_pencil, ruled_paper, squared_paper, shadow, chalk, colored,
        transparent, turned_by_exif, framed, tilted, cut_off, small_in_a_corner,
    )
}  # fmt: skip
