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

    def verdict(self, attempt):
        def write_and_read(array):
            content = attempt(array)
            if content is None or content is Ellipsis:
                return content
            found = idx.read(content)
            if found.dtype != np.int16:
                raise TypeError(f"the file holds {found.dtype}, expected int16")
            return found

        return Exercise(lambda array: array, self.cases, self.text).verdict(write_and_read)


def _label_files():
    random = np.random.default_rng(1)
    labels = [random.integers(0, 10, count, dtype=np.uint8) for count in (3, 1, 5000)]
    return [(struct.pack(">HBBI", 0, 8, 1, len(y)) + y.tobytes(),) for y in labels]


def _short_arrays():
    random = np.random.default_rng(2)
    shapes = [(3,), (2, 3), (4, 1, 5)]
    return [(random.integers(-(2**15), 2**15, shape).astype(np.int16),) for shape in shapes]


def _digit_sets():
    random = np.random.default_rng(3)
    return [
        (random.integers(0, 256, (count, 28, 28), dtype=np.uint8), np.arange(count) % classes)
        for count, classes in ((9, 1), (40, 3), (100, 10))
    ]


LABELS = Exercise(
    read_labels,
    _label_files,
    "The header of a label file is 8 bytes: rank 1, so one size. The rest is one byte per label.",
)
SHORT = FileExercise(
    to_idx,
    _short_arrays,
    "The type's code is 0x0B. struct.pack makes the header; astype('>i2') turns the bytes around.",
)
STRANGEST = Exercise(
    strangest,
    _digit_sets,
    "Make floats of the pixels first: uint8 cannot be negative. Then, class by class, the length "
    "of image minus class mean; np.argmax finds the largest.",
)
