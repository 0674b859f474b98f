"""Lesson 06: picture files of any kind, turned into ink on black like a drawing.

A file may come from anywhere, so its size is checked after the header was read and before a
single pixel is decoded; besides the decoded picture little memory is taken; and whatever is wrong
ends as a `PictureError` in one sentence.
"""

import contextlib
import io
import os
import threading
import warnings

import numpy as np
from PIL import ExifTags, Image, ImageOps

from course.nn.errors import CourseError
from course.nn.files import open_regular
from course.recognizer.paper import find_ink
from course.recognizer.preprocess import CANVAS, SIDE

# Formats that Pillow decodes by itself: it would run another program for an EPS file.
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
MAX_PIXELS = 60_000_000  # the largest photographs of today's phones have 50 million
MAX_PIXELS_OF = {"WEBP": 16_000_000}  # its decoder holds four copies at once
MAX_BYTES = 50_000_000
WORKING_SIDE = 2 * CANVAS  # no stroke needs more detail than this
LOSSY = ("JPEG", "WEBP")  # compression that leaves faint ripples around the ink
RIPPLES = 26  # their height, of 255


class PictureError(CourseError, ValueError):
    """A picture file that cannot be read, or should not be."""


def from_picture(source):
    """Read a picture file as ink on black.

    Args:
        source: a path, or the file's bytes. Any size up to 60 million pixels (WebP: 16), any mode.

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
            warnings.simplefilter("ignore")  # Pillow tells of all that it skips
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
    ink = np.rint(255 * find_ink(grey)).astype(np.uint8)
    if image.format in LOSSY or max(image.size) > 2 * SIDE:
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
            with open_regular(source) as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise PictureError(f"{name} cannot be opened: {error.strerror}.") from None
    if len(data) > MAX_BYTES:
        raise PictureError(f"{name} is larger than {MAX_BYTES // 1_000_000} MB.")
    return name, data


def _check_size(name, image):
    width, height = image.size
    most = MAX_PIXELS_OF.get(image.format, MAX_PIXELS)
    if width * height > most:
        raise PictureError(
            f"{name} has {width} x {height} pixels, which is more than"
            f" {most // 1_000_000} million; make it smaller first."
        )


def _decode(image):
    """Decode, turn upright, shrink: (height, width) float32 in [0, 1], as bright as the picture."""
    image.draft("L", (WORKING_SIDE, WORKING_SIDE))  # JPEG alone: decode at a fraction of the size
    with _silence() if image.format == "TIFF" else contextlib.nullcontext():
        image.load()
    small = _shrink(image)
    tag = ExifTags.Base.Orientation
    small.getexif()[tag] = image.getexif().get(tag, 1)
    small = ImageOps.exif_transpose(small)
    if small.mode == "F":  # of 16 or 32 bits, where nobody knows what is white
        levels = np.asarray(small, np.float64)
        low, high = levels.min(), levels.max()
        return ((levels - low) / max(high - low, 1e-30)).astype(np.float32)
    if small.mode == "RGBA":
        small = _flatten(small)
    return np.asarray(small.convert("L"), np.float32) / 255


def _shrink(image):
    """The picture, its longer side at most WORKING_SIDE: F if it was of 16 or 32 bits, RGBA or L.

    Slice by slice: each conversion makes a copy, and the whole may have a quarter of a gigabyte.
    """
    deep = image.mode.startswith(("I", "F"))
    mode = "F" if deep else "RGBA" if image.has_transparency_data else "L"
    factor = max(1, max(image.size) // (2 * WORKING_SIDE))
    small = Image.new(mode, [-(-side // factor) for side in image.size])
    width, height = image.size
    for start in range(0, max(image.size), 16 * factor):  # across the longer side
        end = start + 16 * factor
        box = (start, 0, end, height) if width > height else (0, start, width, end)
        piece = image.crop((*box[:2], min(box[2], width), min(box[3], height)))
        if deep:
            levels = np.asarray(piece, np.float32)
            piece = Image.fromarray(np.nan_to_num(levels, posinf=0, neginf=0))
        small.paste(piece.convert(mode).reduce(factor), (box[0] // factor, box[1] // factor))
    small.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BOX)
    return small


_SILENT = threading.Lock()  # one at a time, or the second would keep the first one's silence


@contextlib.contextmanager
def _silence():
    """Drop what is written to stderr: libtiff complains there, from C and past all of Python."""
    with _SILENT, contextlib.ExitStack() as undo:
        with contextlib.suppress(OSError):  # there may be no stderr
            kept = os.dup(2)
            undo.callback(os.close, kept)
            undo.callback(os.dup2, kept, 2)
            with open(os.devnull, "wb") as nowhere:
                os.dup2(nowhere.fileno(), 2)
        yield


def _flatten(image):
    """Lay a transparent picture on white if what it shows is dark, on black if it is bright."""
    pixels = np.asarray(image.convert("LA"), np.float32)
    brightness = np.average(pixels[..., 0], weights=pixels[..., 1] + 1e-6)
    paper = Image.new("RGBA", image.size, "white" if brightness < 128 else "black")
    paper.alpha_composite(image)
    return paper
