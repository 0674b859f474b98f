"""The exercises of lesson 01."""

import io
import struct
import wave

import numpy as np

from course import idx
from course.exercises import Exercise


def read_header(content):
    code, rank = content[2], content[3]
    starts = range(4, 4 + 4 * rank, 4)
    return code, tuple(int.from_bytes(content[start : start + 4], "big") for start in starts)


def to_idx(array):
    header = struct.pack(f">HBB{array.ndim}I", 0, 0x0B, array.ndim, *array.shape)
    return header + array.astype(">i2").tobytes()


def nearest(x, means):
    differences = x[:, None] - means  # (count, 10, pixels)
    return np.linalg.norm(differences, axis=2).argmin(axis=1)


def read_wav(content):
    rate = int.from_bytes(content[24:28], "little")
    size = int.from_bytes(content[40:44], "little")
    return rate, np.frombuffer(content[44 : 44 + size], "<i2")


class FileExercise(Exercise):
    """The function to write makes the bytes of an IDX file; what counts is what a reader finds."""

    def result(self, function, arguments):
        content = function(*arguments)
        if content is None or content is Ellipsis:
            return content
        found = idx.read(content)
        if found.dtype != np.int16:
            raise TypeError(f"the file holds {found.dtype}, expected int16")
        return found


def _files(random):
    """Of one, two and three dimensions, the smallest with sizes that need one byte alone."""
    headers = [(0x08, (5,)), (0x0B, (3, 300)), (0x08, (70_000, 28, 28))]
    return [
        (struct.pack(f">HBB{len(shape)}I", 0, code, len(shape), *shape) + bytes(range(1, 21)),)
        for code, shape in headers
    ]


def _short_arrays(random):
    shapes = [(3,), (2, 3), (4, 1, 5)]
    return [(random.integers(-(2**15), 2**15, shape).astype(np.int16),) for shape in shapes]


def _images_and_means(random):
    """Means that are long and short, so that the nearest is not that of the largest product."""
    scales = np.linspace(0.2, 1.0, 10)[:, None]
    return [
        (random.uniform(0, 255, (count, pixels)), scales * random.uniform(0, 255, (10, pixels)))
        for count, pixels in ((3, 4), (7, 4), (50, 784))
    ]


def _sounds(random):
    """The second has something else after its samples, as many programs leave it."""
    sounds = [
        (wav(random.integers(-(2**15), 2**15, count), rate), note)
        for count, rate, note in ((4, 8000, b""), (7, 44_100, b"LIST\4\0\0\0me, "), (999, 300, b""))
    ]
    return [(content + note,) for content, note in sounds]


def wav(samples, rate):
    """The bytes of a WAV file with one channel of 16-bit samples, shape (count,)."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, rate, len(samples), "NONE", ""))
        sound.writeframes(np.asarray(samples).astype("<i2").tobytes())
    return file.getvalue()


def _sizes(content, rank, order="big", start=4, width=4):
    starts = range(start, start + 4 * rank, 4)
    return tuple(int.from_bytes(content[at : at + 4][-width:], order) for at in starts)


def _like_wav(order="little", start=44, to_the_end=False):
    def read(content):
        rate, size = (int.from_bytes(content[at : at + 4], order) for at in (24, 40))
        end = len(content) // 2 * 2 if to_the_end else start + size
        return rate, np.frombuffer(content[start:end], ">i2" if order == "big" else "<i2")

    return read


HEADER = Exercise(
    read_header,
    _files,
    "content[2] is the type, as a number. How many sizes follow does content[3] say.",
    "Size number i lies in the bytes 4 + 4 * i to 7 + 4 * i; int.from_bytes(four, 'big') makes a "
    "number of such a slice.",
    "shape = tuple(int.from_bytes(content[4 + 4 * i : 8 + 4 * i], 'big') for i in "
    "range(content[3])), and return content[2], shape.",
    lesson="01-idx",
    mistakes={
        "the sizes are read with the little end first": lambda content: (
            content[2],
            _sizes(content, content[3], "little"),
        ),
        "only the last byte of each size is used": lambda content: (
            content[2],
            _sizes(content, content[3], width=1),
        ),
        "it always reads three sizes; byte 3 says how many there are": lambda content: (
            content[2],
            _sizes(content, 3),
        ),
        "the first four bytes are taken for a size": lambda content: (
            content[2],
            _sizes(content, content[3], start=0),
        ),
    },
)
SHORT = FileExercise(
    to_idx,
    _short_arrays,
    "A header and the numbers, one after the other. IDX has the big end first, in both.",
    "The header is two zero bytes, 0x0B, the rank, and each size in four bytes: "
    "bytes([0, 0, 0x0B, array.ndim]) and size.to_bytes(4, 'big'). astype('>i2') turns the bytes "
    "of the numbers around.",
    "b''.join(size.to_bytes(4, 'big') for size in array.shape) between these four bytes and "
    "array.astype('>i2').tobytes().",
    lesson="01-idx",
    mistakes={
        "the numbers have their little end first": lambda array: (
            to_idx(array)[: 4 + 4 * array.ndim] + array.astype("<i2").tobytes()
        ),
        "the header says rank 1, whatever the array has": lambda array: to_idx(array.ravel()),
        "the numbers are written column by column": lambda array: (
            to_idx(array)[: 4 + 4 * array.ndim] + array.astype(">i2").tobytes("F")
        ),
    },
)
NEAREST = Exercise(
    nearest,
    _images_and_means,
    "Begin with one image and one mean: the root of the summed squares of their differences. Then "
    "all ten means, then all images.",
    "x[:, None] - means has the shape (count, 10, 784). np.linalg.norm over its last axis gives "
    "the distances (count, 10), and argmin over the means the nearest.",
    "return np.linalg.norm(x[:, None] - means, axis=2).argmin(axis=1).",
    lesson="01-idx",
    mistakes={
        "it finds the farthest mean": lambda x, means: np.linalg.norm(
            x[:, None] - means, axis=2
        ).argmax(axis=1),
        "differences above and below zero cancel: square them before you add": lambda x, means: (
            np.abs((x[:, None] - means).sum(axis=2)).argmin(axis=1)
        ),
        "it adds the differences without their signs; the distance squares them": (
            lambda x, means: np.abs(x[:, None] - means).sum(axis=2).argmin(axis=1)
        ),
        "it finds the mean with the largest product, not with the smallest distance": (
            lambda x, means: (x @ means.T).argmax(axis=1)
        ),
    },
)
WAV = Exercise(
    read_wav,
    _sounds,
    "It is your header reader again: slices and int.from_bytes. Which end comes first here?",
    'The table says "little". The samples are the `size` bytes from byte 44 on, two bytes each: '
    "np.frombuffer(..., '<i2').",
    "size = int.from_bytes(content[40:44], 'little'), and the samples are "
    "np.frombuffer(content[44 : 44 + size], '<i2').",
    lesson="01-idx",
    mistakes={
        "numbers are read with the big end first, which WAV has last": _like_wav("big"),
        "the header is taken for sound: the samples begin at byte 44": _like_wav(start=0),
        "what follows the samples is taken for sound, too: bytes 40 to 43 say where they end": (
            _like_wav(to_the_end=True)
        ),
    },
)
