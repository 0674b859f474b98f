"""The exercises of lesson 01."""

import struct

import numpy as np

from course import idx
from course.exercises import Exercise


def read_labels(content):
    (count,) = struct.unpack(">I", content[4:8])
    return np.frombuffer(content, np.uint8, count, offset=8)


def to_idx(array):
    header = struct.pack(f">HBB{array.ndim}I", 0, 0x0B, array.ndim, *array.shape)
    return header + array.astype(">i2").tobytes()


def strangest(images, labels):
    x = images.reshape(len(images), -1).astype(float)  # (count, pixels)
    distances = np.empty(len(x))
    for label in np.unique(labels):
        of_class = labels == label
        distances[of_class] = np.linalg.norm(x[of_class] - x[of_class].mean(axis=0), axis=1)
    return distances.argmax()


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


def _label_files():
    random = np.random.default_rng(1)
    labels = [random.integers(0, 10, count, dtype=np.uint8) for count in (3, 1, 5000)]
    return [(struct.pack(">HBBI", 0, 8, 1, len(y)) + y.tobytes(),) for y in labels]


def _short_arrays():
    random = np.random.default_rng(2)
    shapes = [(3,), (2, 3), (4, 1, 5)]
    return [(random.integers(-(2**15), 2**15, shape).astype(np.int16),) for shape in shapes]


def _digit_sets():
    """Every class occurs: an average of no image at all would be a warning, not a mistake."""
    random = np.random.default_rng(3)
    labels = [random.permutation(np.arange(count) % 10) for count in (20, 40, 100)]
    return [(random.integers(0, 256, (len(y), 28, 28), dtype=np.uint8), y) for y in labels]


def _without_floats(images, labels):
    means = np.stack([images[labels == d].mean(axis=0).astype(np.uint8) for d in range(10)])
    wrapped = images - means[labels]  # (count, 28, 28), still uint8
    return np.sqrt((wrapped.astype(float) ** 2).sum(axis=(1, 2))).argmax()


def _from_all(images, labels, pick=np.argmax):
    x = images.reshape(len(images), -1).astype(float)
    return pick(np.linalg.norm(x - x.mean(axis=0), axis=1))


def _nearest(images, labels):
    x = images.reshape(len(images), -1).astype(float)
    means = np.stack([x[labels == digit].mean(axis=0) for digit in range(10)])  # (10, pixels)
    return np.linalg.norm(x - means[labels], axis=1).argmin()


LABELS = Exercise(
    read_labels,
    _label_files,
    "It is the image file of this lesson with a shorter header: how many sizes has rank 1?",
    "The header is 8 bytes: type and rank in four, the count in four, big end first. The rest is "
    "one byte per label.",
    'count = struct.unpack(">I", content[4:8])[0], and np.frombuffer(content, np.uint8, count, '
    "offset=8).",
    mistakes={
        "the header is taken for labels": lambda content: np.frombuffer(content, np.uint8),
        "the header of an image file is skipped, which has 16 bytes; this one has 8": (
            lambda content: np.frombuffer(content[16:], np.uint8)
        ),
        "only the header's first 4 bytes are skipped; the count is not a label": (
            lambda content: np.frombuffer(content, np.uint8, offset=4)
        ),
    },
)
SHORT = FileExercise(
    to_idx,
    _short_arrays,
    "A header and the numbers, one after the other. IDX has the big end first, in both.",
    "The header is two zero bytes, 0x0B, the rank, and each size in four bytes: struct.pack makes "
    "it. astype('>i2') turns the bytes of the numbers around.",
    'struct.pack(f">HBB{array.ndim}I", 0, 0x0B, array.ndim, *array.shape), plus '
    'array.astype(">i2").tobytes().',
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
STRANGEST = Exercise(
    strangest,
    _digit_sets,
    "This lesson has made the averages of all ten classes, and distances to them. Which average "
    "is each image's own?",
    "Make floats of the pixels first: uint8 cannot be negative. Then, class by class, the length "
    "of image minus class mean; np.argmax finds the largest.",
    "With x (count, 784) and means (10, 784): np.linalg.norm(x - means[labels], axis=1).argmax().",
    mistakes={
        "the average is that of all images, not of each one's own class": _from_all,
        "the pixels are still uint8 when they are subtracted, and wrap around": _without_floats,
        "the nearest image is found, not the farthest": _nearest,
    },
)
