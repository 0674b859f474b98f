"""The exercises of lesson 01."""

import io
import struct
import wave

import numpy as np

from course import idx
from course.exercises import Exercise, ExerciseError


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
        if not isinstance(content, bytes):
            raise ExerciseError(f"gave a {type(content).__name__}, expected bytes")
        try:
            found = idx.read(content)
        except idx.IdxError as error:
            text = str(error).removeprefix("<bytes>: ")
            raise ExerciseError(f"gave bytes that are no IDX file: {text}") from None
        if found.dtype != np.int16:
            raise ExerciseError(f"gave a file of {found.dtype}, expected int16")
        return found


def _files(random):
    """Of one dimension by hand, and of one, two and three drawn ones, with sizes of many bytes."""
    codes, sizes = list(idx.TYPES), random.integers(300, 100_000, 6).tolist()
    by_hand = b"\0\0\x08\x01\0\0\0\x0chello, world"
    headers = [(int(random.choice(codes)), tuple(sizes[rank:][:rank])) for rank in (1, 2, 3)]
    drawn = [
        struct.pack(f">HBB{len(shape)}I", 0, code, len(shape), *shape) + random.bytes(20)
        for code, shape in headers
    ]
    return [(content,) for content in (by_hand, *drawn)]


def _short_arrays(random):
    by_hand = np.array([[1, -2, 300], [4, 5, 6]], np.int16)
    shapes = [tuple(random.integers(2, 6, rank)) for rank in (1, 2, 3)]
    drawn = [random.integers(-(2**15), 2**15, shape).astype(np.int16) for shape in shapes]
    return [(array,) for array in (by_hand, *drawn)]


def _images_and_means(random):
    """Means that are long and short, so that the nearest is not that of the largest product."""
    by_hand = (
        np.array([[1.0, 2.0], [8.0, 9.0], [2.0, 3.0]]),
        np.array([[8.0, 8.0], [0.0, 3.0], [5.0, 5.0]]),
    )
    scales = np.linspace(0.2, 1.0, 10)[:, None]
    sizes = [*random.integers(3, 9, (2, 2)), (random.integers(30, 60), 784)]  # count, pixels
    drawn = [
        (random.uniform(0, 255, (count, pixels)), scales * random.uniform(0, 255, (10, pixels)))
        for count, pixels in sizes
    ]
    return [by_hand, *drawn]


def _sounds(random):
    """By hand, with something else after the samples, as many programs leave it, and long."""
    rates, note = random.integers(300, 96_000, 2).tolist(), b"LIST\4\0\0\0" + random.bytes(4)
    few, many = (
        random.integers(-(2**15), 2**15, random.integers(*counts))
        for counts in ((4, 9), (300, 999))
    )
    sounds = [wav([1, -2, 300], 8000), wav(few, rates[0]) + note, wav(many, rates[1])]
    return [(content,) for content in sounds]


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


def _like_wav(order="little", start=44, to_the_end=False, dtype="<i2"):
    def read(content):
        rate, size = (int.from_bytes(content[at : at + 4], order) for at in (24, 40))
        end = len(content) // 2 * 2 if to_the_end else start + size
        return rate, np.frombuffer(content[start:end], dtype)

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
        "type and rank are exchanged: byte 2 is the type, byte 3 the rank": lambda content: (
            content[3],
            _sizes(content, content[2]),
        ),
        "the sizes are in reverse: they come in the order of the file": lambda content: (
            content[2],
            _sizes(content, content[3])[::-1],
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
        "the sizes are in reverse: the first comes first": lambda array: to_idx(
            array.reshape(array.shape[::-1])
        ),
        "each number goes through a single byte; it has two": lambda array: to_idx(
            array.astype(np.uint8)
        ),
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
        "this is the distance to the nearest mean; argmin tells which one it is": (
            lambda x, means: np.linalg.norm(x[:, None] - means, axis=2).min(axis=1)
        ),
        "it finds the nearest image to each mean: argmin runs over the means": (
            lambda x, means: np.linalg.norm(x[:, None] - means, axis=2).argmin(axis=0)
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
        "numbers are read with the big end first; in WAV the little end comes first": (
            _like_wav("big", dtype=">i2")
        ),
        "the samples are read without a sign; half of a sound is below zero": (
            _like_wav(dtype="<u2")
        ),
        "each byte is taken for a sample; a sample has two": _like_wav(dtype="<i1"),
        "the header is taken for sound: the samples begin at byte 44": _like_wav(start=0),
        "what follows the samples is taken for sound, too: bytes 40 to 43 say where they end": (
            _like_wav(to_the_end=True)
        ),
    },
)
