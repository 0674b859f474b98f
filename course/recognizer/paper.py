"""Lesson 06: from a gray picture of whatever somebody wrote on to its ink alone, on black.

Light falls unevenly on paper; paper has grain and lines, and lies on a table; screenshots have
frames; specks are everywhere. Each step takes one of these away, and leaves a clean picture alone.
"""

import numpy as np
from PIL import Image
from scipy import ndimage

EVEN = 0.006  # how far a border may be from its usual brightness, of 1, and still be evenly bright
COARSE = 64  # longer side of the picture in which the background is looked for
PENS = (0.05, 0.1, 0.15, 0.2)  # widths of pens that are told apart, of that side
FAINTEST_INK = 0.05  # contrast, of 1, below which a picture counts as a blank sheet
GRAIN = 4  # standard deviations of the paper's grain that ink has to stand out by
MARGIN = 0.15  # of a side, how far a table or a frame may reach into the picture
DETAILED = 100  # pixels of the shorter side; below it lines and specks may be parts of strokes
THIN = 0.03  # of the longer side: what is thicker is no line of the paper
TILTS = np.linspace(-3, 3, 13)  # degrees that paper may lie askew


def find_ink(gray):
    """What was written, without what it was written on.

    Args:
        gray: (height, width) float32 in [0, 1], dark ink on bright paper or bright on dark.

    Returns:
        (height, width) float32 in [0, 1]: 0 is paper, 1 the usual strength of the ink, on an evenly
        bright ground the greatest. All zero if there is no ink.
    """
    gray = without_table(gray)
    border = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    paper = np.median(border)
    if np.mean(np.abs(border - paper) < EVEN) > 0.6:
        ink = gray - paper if paper < (gray.min() + gray.max()) / 2 else paper - gray
        if ink.max() < FAINTEST_INK:
            return np.zeros_like(ink)
        ink = without_lines(np.clip(ink, 0, None))
        ink = ink / max(ink.max(), FAINTEST_INK)
        return ink if min(ink.shape) < DETAILED else without_specks(ink, 0.1, 0.02)
    return without_grain(without_lines(without_shade(gray)))


def without_table(gray):
    """Paper in place of what lies around it: a table, the edge of a scan, a frame.

    Such a thing runs along a whole side of the picture, as no digit does, and not into its middle.
    """
    brighter = gray - np.median(gray)
    contrast = np.abs(brighter).max() / 4
    table = _around(brighter > contrast) | _around(-brighter > contrast)
    table = ndimage.binary_dilation(table, iterations=2)  # its edge is blurred
    if not table.any() or np.ptp(gray[~table]) < contrast:  # or it was broad ink on little paper
        return gray
    _, nearest = ndimage.distance_transform_edt(table, return_indices=True)
    return gray[tuple(nearest)]


def _around(mask):
    """Those connected pieces of a mask that run along a side and do not reach the middle."""
    pieces, _ = ndimage.label(mask, np.ones((3, 3)))
    sides = (pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1])
    at_sides = {np.median(side) for side in sides if np.mean(side == np.median(side)) > 0.8}
    rows, columns = (round(MARGIN * side) for side in mask.shape)
    middle = pieces[rows : mask.shape[0] - rows, columns : mask.shape[1] - columns]
    return np.isin(pieces, list(at_sides - {0, *np.unique(middle)}))


def without_shade(gray):
    """The ink, by how much it stands above the paper around it, if bright, or below, if dark.

    The paper is what is left where all that is as thin as the pen was removed (grayscale opening),
    and of that the median around each place. Both follow the edge of a shadow, which a mean would
    blur.
    """
    factor = -(-max(gray.shape) // COARSE)
    small = np.asarray(Image.fromarray(gray).reduce(factor))
    third = max(small.shape) // 3
    above = small - ndimage.median_filter(small, third, mode="nearest")
    sign = 1 if np.sum(above**3) > 0 else -1  # the ink is less, and stands out by more
    small = sign * small
    pens = [max(2, round(pen * max(small.shape))) for pen in PENS]
    removed = [np.sum((small - ndimage.grey_opening(small, (pen, pen))) ** 4) for pen in pens]
    pen = pens[np.argmax(np.array(removed) > 0.5 * removed[-1])]  # a finer one removes less of it
    wide = round(1.5 * pen)  # where strokes cross they are wider
    paper = ndimage.grey_opening(small, (wide, wide))
    paper = ndimage.median_filter(paper, third, mode="nearest")
    paper = Image.fromarray(paper).resize(gray.shape[::-1], Image.Resampling.BICUBIC)
    ink = ndimage.gaussian_filter(sign * gray - np.asarray(paper), max(gray.shape) / 500)
    return ink - np.median(ink)  # the opening followed the lowest grains


def without_lines(ink):
    """Take out lines that run across the whole picture: of the paper, or of a frame."""
    if min(ink.shape) < DETAILED:
        return ink
    return _without_rows(_without_rows(ink).T).T


def _without_rows(ink):
    """Take out the lines that run from left to right; ink that crosses them stays.

    For each tilt the rows are looked at that a line of the paper would then lie along: it is one
    if it is there in three quarters of the row.
    """
    thickness = max(3, round(THIN * max(ink.shape)))
    thin = ink - ndimage.grey_opening(ink, (thickness, 1))  # what is thin from above to below
    some = thin[:, :: max(1, ink.shape[1] // DETAILED)]
    step = ink.shape[1] / some.shape[1]
    found = {tilt: np.percentile(_askew(some, tilt, step), 25, axis=1) for tilt in TILTS}
    tilt = max(TILTS, key=lambda tilt: np.sum(found[tilt] ** 2))
    strength = found[tilt]  # (height,)
    lines = strength > max(0.15 * _usual(ink), 6 * np.median(np.abs(strength)))
    gone = ndimage.binary_dilation(lines, iterations=2)
    if not lines.any() or gone.all() or _is_bar(np.flatnonzero(lines), len(ink), thickness):
        return ink
    straight = _askew(ink, tilt)
    rows = np.arange(len(ink))
    bridged = [np.interp(rows, rows[~gone], column[~gone]) for column in straight.T]
    crossing = straight > 2 * ndimage.grey_dilation(strength * lines, thickness)[:, None]
    straight = np.where(
        gone[:, None] & ~crossing, np.minimum(straight, np.transpose(bridged)), straight
    )
    return _askew(straight, -tilt)


def _is_bar(rows, height, thickness):
    """Whether it is but one line, at the edge: the bar of a 7 that was cut out closely."""
    is_one = np.ptp(rows) < thickness
    return is_one and (rows[0] < thickness or rows[-1] >= height - thickness)


def _askew(picture, tilt, step=1.0):
    """Move each column up or down so that what rose by `tilt` degrees lies level.

    step: how many pixels of the picture there are from one column to the next.
    """
    height, width = picture.shape
    offset = np.rint(np.tan(np.radians(tilt)) * step * (np.arange(width) - width // 2)).astype(int)
    rows = np.clip(np.arange(height)[:, None] + offset, 0, height - 1)
    return picture[rows, np.arange(width)]


def without_grain(ink):
    """Only what stands out from the grain of the paper, in strokes that are no mere specks."""
    grain = GRAIN * 1.4826 * np.median(np.abs(ink))  # MAD: a standard deviation, ink apart
    if ink.max() - grain < FAINTEST_INK:
        return np.zeros_like(ink)
    usual = _usual(ink - grain) + grain
    strokes = without_specks(ink / usual, max(grain / usual, 0.3), 0.05)
    return np.clip(strokes, 0, 1)


def without_specks(ink, faintest, smallest):
    """Only connected strokes of ink, above `faintest`, no specks.

    A speck has less than the share `smallest` of the ink in the largest stroke.
    """
    patches, count = ndimage.label(ink > faintest, np.ones((3, 3)))
    sizes = ndimage.sum_labels(ink, patches, np.arange(1, count + 1))
    strokes = np.append(False, sizes > smallest * sizes.max(initial=0))
    return np.where(strokes[patches], ink, 0)


def _usual(ink):
    """How strong ink usually is: the mean, weighted by the ink itself."""
    ink = np.clip(ink, 0, None)
    return np.sum(ink**2) / max(np.sum(ink), 1e-12)
