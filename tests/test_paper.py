"""Ink on whatever it was written on: light, lines, tables and frames are no ink."""

import numpy as np
import pytest
from scipy import ndimage

from course.recognizer import paper
from course.recognizer.paper import find_ink
from course.recognizer.strokes import draw_digit, render


def digit(label=5, brush=8, size=140, seed=4):
    """In the middle of (280, 280), ink 1 on 0."""
    ink = render(draw_digit(label, np.random.default_rng(seed), size=size, brush=brush)) / 255
    offset = [140 - round(place) for place in ndimage.center_of_mass(ink)]
    return np.roll(ink, offset, axis=(0, 1))


def on(sheet, ink, strength=0.5):
    """A photograph of dark ink on a sheet, with some grain."""
    grain = np.random.default_rng(0).normal(0, 0.01, ink.shape)
    return (sheet * (1 - strength * ink) + grain).clip(0, 1).astype(np.float32)


def shares(found, ink):
    """How much of the ink was found, and how much of what was found is none."""
    there = found > 0.4
    return np.mean(there[ink > 0.9]), np.mean(ink[there] < 0.05)


SLOPE = np.linspace(0.9, 0.6, 280)[:, None] * np.ones(280)
ROWS, COLUMNS = np.indices((280, 280))
SHEETS = {
    "sloping light": SLOPE,
    "the edge of a shadow": SLOPE * (0.6 + 0.4 / (1 + np.exp((COLUMNS - 150) / 5))),
    "ruled": SLOPE * np.where(ROWS % 34 < 2, 0.75, 1),
    "ruled and askew": SLOPE * np.where((ROWS + COLUMNS // 30) % 34 < 2, 0.75, 1),
    "squared": SLOPE * np.where((ROWS % 34 < 2) | (COLUMNS % 34 < 2), 0.75, 1),
    "on a table": np.where((np.abs(ROWS - 140) < 125) & (np.abs(COLUMNS - 138) < 128), SLOPE, 0.2),
    "dark": 0.3 * SLOPE,
}


@pytest.mark.parametrize("brush", [6, 14])
@pytest.mark.parametrize("name", SHEETS)
def test_ink_is_found_and_the_paper_is_not(name, brush):
    ink = digit(brush=brush)
    photo = on(SHEETS[name], ink, 0.7 if name == "dark" else 0.5)
    for sheet in (photo, 1 - photo):
        found, wrong = shares(find_ink(sheet), ink)
        assert found > 0.9 and wrong < 0.1


@pytest.mark.parametrize("brush", [30, 45])
def test_a_fat_pen_on_uneven_paper_is_not_taken_for_the_background(brush):
    ink = digit(label=2, brush=brush, size=230)
    found, wrong = shares(find_ink(on(SLOPE, ink)), ink)
    assert found > 0.9 and wrong < 0.03


@pytest.mark.parametrize("inset", [0, 1, 8])
@pytest.mark.parametrize("line", [1, 5])
def test_a_frame_is_no_ink(inset, line):
    ink = digit()
    frame = np.zeros(ink.shape, bool)
    frame[inset : 280 - inset, inset : 280 - inset] = True
    inner = inset + line
    frame[inner : 280 - inner, inner : 280 - inner] = False
    clean = find_ink((1 - ink).astype(np.float32))
    framed = find_ink(np.where(frame, 0, 1 - ink).astype(np.float32))
    np.testing.assert_allclose(framed, clean, atol=1e-6)


def test_a_clean_picture_stays_as_it_is():
    ink = digit().astype(np.float32)
    for picture in (ink, 1 - ink, 0.6 - 0.3 * ink):
        np.testing.assert_allclose(find_ink(picture), ink, atol=0.1)  # faint edges


def test_strokes_that_run_along_the_picture_are_no_lines_of_the_paper():
    seven = np.zeros((200, 120), np.float32)  # cut out closely
    seven[:3] = 1
    rows = np.arange(200)
    seven[rows, 119 - rows * 2 // 5] = seven[rows, 118 - rows * 2 // 5] = 1
    np.testing.assert_array_equal(paper.without_lines(seven), seven)


def test_ink_that_crosses_a_line_stays_whole():
    stroke = np.zeros((280, 280))
    stroke[60:220, 136:144] = 1
    found = find_ink(on(SHEETS["ruled"], stroke))
    assert found[62:218, 139:141].min() > 0.4
    assert not found[:, :130].any() and not found[:, 150:].any()


def test_a_digit_cut_off_at_the_edge_is_no_table():
    ink = np.roll(digit(label=3, brush=20, size=200), -60, axis=1)
    ink[:, 220:] = 0
    np.testing.assert_allclose(find_ink((1 - ink).astype(np.float32)), ink, atol=0.1)


def test_specks_are_no_ink_but_a_loose_bar_is():
    ink = digit(brush=16).astype(np.float32)
    speckled = ink.copy()
    speckled[::23, ::29] = 1
    speckled[20:26, 100:150] = 1  # a bar that touches nothing
    found = find_ink(1 - speckled)
    assert found[22, 120] == 1 and found[40:240].sum() == pytest.approx(ink.sum(), rel=0.05)
    assert not found[:, :60].any() and not found[:, 220:].any()
