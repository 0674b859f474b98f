"""Digits as other people draw them, by program, and that each style survives the preprocessing."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from course.recognizer.drawings import HELD_OUT, STEERING, STYLES, drawings
from course.recognizer.pictures import read_canvas
from course.recognizer.preprocess import CENTER, normalize, stroke_width
from course.recognizer.strokes import check, render
from course.recognizer.writers import SHAPES, Writer


@pytest.fixture(scope="module")
def made():
    """Four drawings of each style."""
    return list(drawings(range(40, 44)))


def test_there_are_more_than_300_in_30_styles_times_digits():
    assert len(STYLES) * len(STEERING) >= 300 and len(STYLES) * len(HELD_OUT) >= 300
    assert not set(STEERING) & set(HELD_OUT)


def test_the_same_seeds_give_the_same_drawings(made):
    assert list(drawings(range(40, 44))) == made
    assert len({drawing.file for drawing in made}) == len(made)
    some = list(drawings(range(41, 42), ["pencil", "framed"]))
    assert [d.style for d in some] == ["pencil", "framed"] and some != made[:2]


def test_a_style_has_as_many_of_each_digit():
    labels = [d.label for d in drawings(range(10), ["one pixel 28"])]
    assert sorted(labels) == list(range(10))


@pytest.mark.parametrize("style", STYLES)
def test_each_style_survives_the_preprocessing(made, style):
    for drawing in made:
        if drawing.style != style:
            continue
        steps = normalize(read_canvas(drawing.file))
        ink = steps.centered
        assert ink.max() == 255 and max(steps.scaled.shape) == 20
        assert 1.3 < stroke_width(ink) < 6, "neither dust nor a blot"
        row, column = ndimage.center_of_mass(ink)
        assert abs(row - CENTER) < 2 and abs(column - CENTER) < 2
        pieces, _ = ndimage.label(ink > 64, np.ones((3, 3)))
        largest = np.bincount(pieces[pieces > 0]).max() / np.count_nonzero(pieces)
        assert largest > 0.6, "one digit, not scattered remains"


def test_styles_are_what_their_names_say(made):
    by_style = {d.style: Image.open(io.BytesIO(d.file)) for d in made}
    assert by_style["one pixel 28"].size == (28, 28)
    assert set(np.unique(by_style["one pixel 28"])) == {0, 255}
    assert by_style["transparent"].mode == "RGBA"
    assert by_style["turned by exif"].getexif()[0x0112] in (3, 6, 8)
    assert by_style["poor jpeg"].format == by_style["pencil"].format == "JPEG"
    assert np.median(by_style["chalk"].convert("L")) < 128 < np.median(by_style["pencil"])
    assert max(max(picture.size) for picture in by_style.values()) <= 1000


def test_writers_have_hands_of_their_own():
    def written(seed, label=5):
        return render(Writer(seed).write(label, np.random.default_rng(0)))

    assert np.array_equal(written(1), written(1))
    assert np.mean(written(1) != written(2)) > 0.05


def test_all_digits_in_all_ways_are_strokes_on_the_canvas():
    rng = np.random.default_rng(3)
    for label in range(10):
        assert len(SHAPES[label]) >= 3
        for seed in range(20):
            strokes = Writer(seed).write(label, rng, size=150, turn=20)
            check(strokes)
            points = np.concatenate([stroke["points"] for stroke in strokes])
            assert points.min() >= 0 and points.max() <= 280
            assert np.ptp(points, axis=0).max() == pytest.approx(130, abs=0.2)


def test_what_is_placed_over_the_edge_is_cut_off():
    strokes = Writer(1).write(0, np.random.default_rng(0), place=(1.3, 0.5))
    assert render(strokes)[:, -1].any()
