"""Strokes, and digits drawn by program."""

import json
import time

import numpy as np
import pytest
from scipy import ndimage

from course import mnist
from course.recognizer.strokes import (
    FARTHEST,
    MOST_POINTS,
    STYLES,
    WIDEST,
    StrokeError,
    draw_digit,
    paste_digit,
    render,
)


def holes(drawing):
    """How many closed loops the ink has; a pixel between two strokes that meet is none."""
    areas, _ = ndimage.label(np.pad(drawing, 1) < 128)
    return np.count_nonzero(np.bincount(areas.ravel())[1:] > 10) - 1  # one is the outside


def test_a_dot_is_a_disc_as_wide_as_the_brush():
    drawing = render([{"points": [[140, 140]], "width": 40}])
    for inked in np.nonzero(drawing):
        assert (inked.min(), inked.max()) == (120, 159)
    assert drawing.sum() / 255 == pytest.approx(np.pi * 20**2, rel=0.02)


def test_a_straight_stroke_is_as_wide_as_the_brush_all_along():
    across = {"points": [[60, 100], [220, 100]], "width": 20}
    down = {"points": [[y, x] for x, y in across["points"]], "width": 20}
    rows, columns = np.nonzero(render([across]))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (90, 109, 50, 229)
    np.testing.assert_array_equal(render([down]), render([across]).T)


def test_a_line_has_its_width_and_round_ends():
    drawing = render([{"points": [[60, 100], [220, 100]], "width": 20}])
    assert drawing.sum() / 255 == pytest.approx(160 * 20 + np.pi * 10**2, rel=0.02)
    assert drawing[100, 52] == 255 and drawing[91, 52] == 0


def test_later_strokes_lie_above_and_an_eraser_takes_ink_away():
    line = {"points": [[60, 100], [220, 100]], "width": 20}
    gap = {"points": [[140, 80], [140, 120]], "width": 30, "erase": True}
    assert render([line, gap])[100, 140] == 0
    assert render([gap, line])[100, 140] == 255


def test_strokes_go_upon_a_picture_which_else_stays_as_it_is():
    picture = np.random.default_rng(0).integers(0, 256, (280, 280)).astype(np.uint8)
    np.testing.assert_array_equal(render([], picture), picture)
    drawn = render([{"points": [[20, 20]], "width": 10}], picture)
    assert drawn[20, 20] == 255
    np.testing.assert_array_equal(drawn[40:], picture[40:])


def test_points_outside_the_canvas_do_no_harm():
    render([{"points": [[-1e4, 50], [1e4, 50]], "width": 8}, {"points": [], "width": 8}])


def test_the_largest_drawing_is_soon_drawn():
    points = np.random.default_rng(0).uniform(0, 280, (MOST_POINTS, 2)).tolist()
    points[1::2] = [[FARTHEST, -FARTHEST]] * (MOST_POINTS // 2)
    started = time.process_time()
    assert render([{"points": points, "width": WIDEST}]).any()
    assert time.process_time() - started < 20  # a second, on a machine of today


@pytest.mark.parametrize(
    ("drawing", "message"),
    [
        ({"points": [], "width": 8}, "list of strokes"),
        ([{"points": [[1, 1]], "width": WIDEST + 1}], f"at most {WIDEST}"),
        ([{"points": [[1, FARTHEST + 1]], "width": 8}], "two numbers"),
        ([{"points": [[1, 1]] * 10_001, "width": 8}] * 2, "at most 20,000 points"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_sentence(drawing, message):
    with pytest.raises(StrokeError, match=message):
        render(drawing)


@pytest.mark.parametrize("label", range(10))
def test_every_style_lies_whole_on_the_canvas_at_every_size(label):
    rng = np.random.default_rng(label)
    for style in range(len(STYLES[label])):
        for size in (70, 160, 280):
            strokes = draw_digit(label, rng, style, size)
            brush = strokes[0]["width"]
            points = np.concatenate([stroke["points"] for stroke in strokes])
            assert points.min() >= brush / 2 - 0.1
            assert points.max() <= 280 - brush / 2 + 0.1
            assert np.ptp(points, axis=0).max() + brush == pytest.approx(size, abs=0.3)
            assert json.loads(json.dumps(strokes)) == strokes


def test_sizes_brushes_and_places_cover_their_ranges():
    rng = np.random.default_rng(0)
    drawn = [draw_digit(rng.integers(10), rng) for _ in range(500)]
    brushes = np.array([strokes[0]["width"] for strokes in drawn])
    points = [np.concatenate([stroke["points"] for stroke in strokes]) for strokes in drawn]
    sizes = np.array([np.ptp(p, axis=0).max() for p in points]) + brushes
    middles = np.array([(p.min(axis=0) + p.max(axis=0)) / 2 for p in points])
    assert 8 <= brushes.min() < 9 and 36 < brushes.max() <= 40
    assert 70 <= sizes.min() + 0.2 < 75 and 275 < sizes.max() <= 280.2
    assert middles.min() < 60 and middles.max() > 220
    assert (brushes <= np.maximum(sizes / 4, 8) + 0.1).all()


def test_slant_leans_to_the_right():
    left, right = (
        np.array(draw_digit(1, np.random.default_rng(0), 0, 200, slant, 10)[0]["points"])
        for slant in (-15, 15)
    )
    assert right[0, 0] > right[-1, 0] and left[0, 0] < left[-1, 0]


@pytest.mark.parametrize("label, loops", [(0, 1), (1, 0), (3, 0), (5, 0), (7, 0), (8, 2), (9, 1)])
def test_digits_have_the_loops_that_make_them_digits(label, loops):
    rng = np.random.default_rng(1)
    for style in range(len(STYLES[label])):
        drawing = render(draw_digit(label, rng, style, size=260, brush=12))
        assert holes(drawing) == loops, f"style {style}"


def test_the_same_seed_draws_the_same():
    assert draw_digit(2, np.random.default_rng(4)) == draw_digit(2, np.random.default_rng(4))


def test_pasted_digits_are_whole_and_of_the_size_asked_for():
    rng = np.random.default_rng(0)
    images = mnist.load(mnist.CLONE_DATA / "sample").test_images[:200]
    sizes = []
    for image in images:
        canvas = paste_digit(image, rng)
        ink = np.argwhere(canvas)
        sizes.append((np.ptp(ink, axis=0) + 1).max())
    # the outermost row of a digit may be so faint that it fades at its edge
    assert 55 <= min(sizes) < 90 and 260 < max(sizes) <= 280
    assert paste_digit(images[0], rng, size=280).shape == (280, 280)
