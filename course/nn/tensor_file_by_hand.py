"""Files in the format safetensors, read and written without its library, for where it is missing.

A file is the length of its header (8 bytes, little-endian), the header (JSON, filled up with blanks
so that the numbers are aligned), the numbers. The header has for each array its type, its shape and
where its bytes begin and end; under `__metadata__` texts by name.

What a file says is compared with its size before any array is made of it. The files written are
those of `course.nn.tensor_file`, byte for byte; names that occur twice are refused here alone.
Format: https://huggingface.co/docs/safetensors
"""

import contextlib
import itertools
import json
import math
import os

import numpy as np

from course.nn.files import open_regular

LONGEST_HEADER = 100_000_000  # bytes, as in the library
# The library puts the widest numbers first, and of equal width those that are last here.
DTYPES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "I16": "<i2", "U16": "<u2", "F16": "<f2", "I32": "<i4",
    "U32": "<u4", "F32": "<f4", "C64": "<c8", "F64": "<f8", "I64": "<i8", "U64": "<u8",
}  # fmt: skip
NOT_IN_NUMPY = {"F4": 4, "BF16": 16} | dict.fromkeys(
    ("F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8
)
BITS = {kind: 8 * np.dtype(code).itemsize for kind, code in DTYPES.items()} | NOT_IN_NUMPY


class TensorFileError(ValueError):
    """A file that is damaged, or of another format."""

    def __init__(self, message="it is damaged, or not in the format safetensors"):
        super().__init__(message)


class NumberTypeError(TensorFileError):
    """A file whose numbers are of a type that NumPy does not have."""

    def __init__(self):
        super().__init__("its numbers are of a type that NumPy does not have")


def serialize(arrays, metadata=None):
    """The content of a file of `arrays` (name to array) and the texts `metadata`, as bytes.

    Equal arrays and metadata give equal bytes.
    """
    kinds = {np.dtype(code): kind for kind, code in DTYPES.items()}
    ranks = list(DTYPES)
    stored = {name: (kinds[a.dtype.newbyteorder("<")], a) for name, a in arrays.items()}
    order = sorted(stored, key=lambda name: (-ranks.index(stored[name][0]), name))
    header, chunks, end = {}, [], 0
    for name in order:
        kind, array = stored[name]
        chunks.append(array.astype(DTYPES[kind]).tobytes())
        start, end = end, end + len(chunks[-1])
        header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": [start, end]}
    return head(header, metadata) + b"".join(chunks)


def head(header, metadata):
    """The bytes of a file up to its numbers; `metadata` is sorted, so that they are the same."""
    if metadata is not None:
        header = {"__metadata__": dict(sorted(metadata.items()))} | header
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


@contextlib.contextmanager
def opened(path):
    """Open a file: gives its metadata, a dict of texts, and a function that reads its arrays.

    That takes nothing and returns a dict of the arrays by name. Raises TensorFileError for a file
    that is damaged, NumberTypeError for numbers that NumPy has not, and OSError.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size - 8
        length = int.from_bytes(file.read(8), "little")
        if length > min(size, LONGEST_HEADER):
            raise TensorFileError
        header = parsed(file.read(length))
        metadata = header.pop("__metadata__", None)
        metadata = {} if metadata is None else metadata
        check_header(header, metadata, size - length)

        def read():
            content = memoryview(file.read())
            return {name: made(content, **entry) for name, entry in header.items()}

        yield metadata, read


def parsed(text):
    """The JSON object in the bytes `text`; none of its names may occur twice."""

    def once(pairs):
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a name twice")
        return dict(pairs)

    try:
        header = json.loads(text.decode(), object_pairs_hook=once)
        json.dumps(header, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError):
        raise TensorFileError from None
    if not isinstance(header, dict):
        raise TensorFileError
    return header


def check_header(header, metadata, size):
    """Raise TensorFileError unless the arrays fill `size` bytes, without a hole or an overlap."""
    if not isinstance(metadata, dict) or not all(isinstance(t, str) for t in metadata.values()):
        raise TensorFileError
    try:
        spans = [span_of(**entry) for entry in header.values()]
    except (TypeError, ValueError):  # other fields, or what is no whole number
        raise TensorFileError from None
    spans = sorted([[0, 0], *spans, [size, size]])
    if any(end != start for (_, end), (start, _) in itertools.pairwise(spans)):
        raise TensorFileError


def span_of(dtype, shape, data_offsets):
    """Where the bytes of an array begin and end, [start, end]; ValueError if they cannot."""
    start, end = data_offsets
    numbers = [start, end, *shape]
    if not (isinstance(shape, list) and all(type(n) is int and 0 <= n < 2**63 for n in numbers)):
        raise ValueError("no shape, or no place")
    if dtype not in BITS or 8 * (end - start) != math.prod(shape) * BITS[dtype]:
        raise ValueError("other bytes than its shape has")
    return [start, end]


def made(content, dtype, shape, data_offsets):
    """An array of the bytes in `content` that are its own."""
    if dtype in NOT_IN_NUMPY:
        raise NumberTypeError
    start, end = data_offsets
    try:
        return np.frombuffer(bytearray(content[start:end]), DTYPES[dtype]).reshape(shape)
    except ValueError:  # a shape that no array can have
        raise TensorFileError from None
