"""Lesson 06: picture files of any kind, turned into ink on black like a drawing.

A file may come from anywhere, so its size is checked after the header was read and before a
single pixel is decoded, and whatever is wrong with it ends as a `PictureError` in one sentence.
"""

import io
import os
import warnings

import numpy as np
from PIL import Image, ImageOps
from scipy import ndimage

from course.nn.errors import CourseError
from course.recognizer.preprocess import CANVAS

# Formats that Pillow decodes by itself: it would run another program for an EPS file.
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
MAX_PIXELS = 60_000_000  # the largest photographs of today's phones have 50 million
MAX_BYTES = 50_000_000
WORKING_SIDE = 2 * CANVAS  # no stroke needs more detail than this
FAINTEST_INK = 0.1  # contrast, of 1, below which a picture counts as a blank sheet
LOSSY = ("JPEG", "WEBP")  # compression that leaves faint ripples around the ink
RIPPLES = 26  # their height, of 255
EVEN_LIGHT = 0.02  # how much the border of a clean scan or screenshot may vary, of 1


class PictureError(CourseError, ValueError):
    """A picture file that cannot be read, or should not be."""


def from_picture(source):
    """Read a picture file as ink on black.

    Args:
        source: a path, or the file's bytes. Any size up to 60 million pixels, any mode.

    Returns:
        (height, width) uint8, the longer side at most 560; 0 is background, 255 the strongest
        ink. It is turned upright (EXIF), inverted if the ink is darker than its
        surroundings, and uneven light is evened out. All zero if there is no ink.

    Raises:
        PictureError: not a picture, damaged, or too large.
    """
    name, data = _read(source)
    try:
        with warnings.catch_warnings():
            # a picture past Pillow's own limit is refused, not announced and then decoded
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        _check_size(name, image)
        grey = _decode(image)
    except PictureError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(f"{name} has too many pixels; make it smaller first.") from None
    except Image.UnidentifiedImageError:
        raise PictureError(f"{name} is not a picture ({', '.join(FORMATS)}).") from None
    except Exception as error:  # a damaged file can make a decoder raise nearly anything
        raise PictureError(f"{name} is damaged and cannot be read ({error}).") from error
    ink = _ink(grey)
    if image.format in LOSSY:
        ink[ink < RIPPLES] = 0
    return ink


def read_canvas(source):
    """Read a picture file onto the canvas: `on_canvas(from_picture(source))`, and there is ink.

    Raises PictureError.
    """
    canvas = on_canvas(from_picture(source))
    if not canvas.any():
        raise PictureError(f"{_name(source)} shows no ink, only background.")
    return canvas


def on_canvas(ink):
    """Fit ink of any size onto the canvas: (280, 280) uint8, centered, proportions kept.

    Pixels are repeated or averaged, so that a 28x28 digit survives the way there and back.
    """
    height, width = ink.shape
    factor = CANVAS / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    fitted = np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BOX))
    top, left = (CANVAS - size[1]) // 2, (CANVAS - size[0]) // 2
    canvas = np.zeros((CANVAS, CANVAS), np.uint8)
    canvas[top : top + size[1], left : left + size[0]] = fitted
    return canvas


def _name(source):
    """What a message calls the picture."""
    return os.fspath(source) if isinstance(source, str | os.PathLike) else "This file"


def _read(source):
    """The name to use in messages, and the bytes."""
    name = _name(source)
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
    else:
        try:
            with open(source, "rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise PictureError(f"{name} cannot be opened: {error.strerror}.") from None
    if len(data) > MAX_BYTES:
        raise PictureError(f"{name} is larger than {MAX_BYTES // 1_000_000} MB.")
    return name, data


def _check_size(name, image):
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise PictureError(
            f"{name} has {width} x {height} pixels, which is more than"
            f" {MAX_PIXELS // 1_000_000} million; make it smaller first."
        )


def _decode(image):
    """Decode, turn upright, shrink: (height, width) float32 in [0, 1], as bright as the picture."""
    image.draft("L", (WORKING_SIDE, WORKING_SIDE))  # JPEG alone: decode at a fraction of the size
    if image.mode.startswith(("I", "F")):  # 16 and 32 bits: `convert` would clip, so stretch
        levels = np.nan_to_num(np.asarray(image, np.float32))
        low, high = levels.min(), levels.max()
        levels = (levels - low) * (255 / max(high - low, 1e-30))
        flat = Image.fromarray(levels.astype(np.uint8))
        flat.info, image = image.info, flat
    image = ImageOps.exif_transpose(image)
    if image.has_transparency_data:
        image = _flatten(image.convert("RGBA"))
    image = image.convert("L")
    image.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BOX)
    return np.asarray(image, np.float32) / 255


def _flatten(image):
    """Lay a transparent picture on white if what it shows is dark, on black if it is bright."""
    pixels = np.asarray(image.convert("LA"), np.float32)
    brightness = np.average(pixels[..., 0], weights=pixels[..., 1] + 1e-6)
    paper = Image.new("RGBA", image.size, "white" if brightness < 128 else "black")
    paper.alpha_composite(image)
    return paper


def _ink(grey):
    """What stands out from the background, stretched to 0..255."""
    border = _border(grey)
    if np.median(border) > (grey.min() + grey.max()) / 2:  # dark on light
        grey, border = 1 - grey, 1 - border
    if np.subtract(*np.percentile(border, [95, 5])) < EVEN_LIGHT:
        ink = grey - np.median(border)
    else:
        ink = _even_out(grey)
    peak = ink.max()
    if peak < FAINTEST_INK:
        return np.zeros(grey.shape, np.uint8)
    return np.rint(np.clip(ink, 0, None) * (255 / peak)).astype(np.uint8)


def _even_out(grey):
    """Take shading and the grain of paper out of a photograph.

    The background is what is left when everything thinner than a third of the picture is removed
    (grey-scale opening); the ink is what stands above it by more than the grain does along
    the border, in patches that are not mere specks.
    """
    window = max(grey.shape) // 3
    background = ndimage.grey_opening(grey, size=(window, window))
    ink = grey - ndimage.uniform_filter(background, window // 4)
    # opening follows the lowest grains, so the middle of the rest is the grain's own size
    ink = np.clip(ink - 2.5 * np.median(_border(ink)), 0, None)
    patches, count = ndimage.label(ink > 0.1 * ink.max(), np.ones((3, 3)))
    sizes = ndimage.sum_labels(ink, patches, np.arange(1, count + 1))
    specks = np.concatenate([[True], sizes < 0.05 * sizes.max(initial=0)])
    return np.where(specks[patches], 0, ink)


def _border(grey):
    return np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
