"""IDX, the file format of MNIST: a short header, then the numbers.

    bytes 0 and 1    zero
    byte 2           type of the elements (see TYPES)
    byte 3           rank, the number of dimensions
    4 bytes each     size of each dimension, big-endian
    the rest         the elements, big-endian, last index fastest (C order)

So the images of MNIST begin with 00 00 08 03: unsigned bytes, three dimensions. A `.gz` file is
the same thing compressed.

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", section
"The IDX file format".
"""

import contextlib
import gzip
import io
import math
import os
import struct
import zlib
from pathlib import Path

import numpy as np

from course.nn.errors import CourseError
from course.nn.files import open_regular, replacing

TYPES = {
    0x08: np.dtype(">u1"),  # unsigned byte
    0x09: np.dtype(">i1"),  # signed byte
    0x0B: np.dtype(">i2"),  # short
    0x0C: np.dtype(">i4"),  # int
    0x0D: np.dtype(">f4"),  # float
    0x0E: np.dtype(">f8"),  # double
}
MAX_RANK = 64  # what a NumPy array can have; the format itself would allow 255
MAX_BYTES = 2**30  # full MNIST needs 47 MB
CHUNK = 2**20
GZIP_MAGIC = b"\x1f\x8b"
DEFLATE_LIMIT = 1032  # one byte of gzip holds at most 1032 (zlib's technical notes)


class IdxError(CourseError, ValueError):
    """A file that is not what it should be; the message names file, field, found, expected."""


def _error(file, field, found, expected):
    return IdxError(f"{file}: {field}: found {found}, expected {expected}")


# ---- Reading -------------------------------------------------------------------------------------


def read(source, max_bytes=MAX_BYTES):
    """Read an IDX file, plain or gzip (told by its first bytes, not by its name).

    `source` is a path or the bytes themselves. Returns an array in the byte order of this
    machine. The header is checked against the size of the file before memory is taken for the
    elements, and more than `max_bytes` of them are refused, so a damaged or hostile file costs
    next to nothing. Raises IdxError, and OSError when the file cannot be opened or is a pipe.
    """
    if _is_bytes(source):
        return _read(io.BytesIO(source), memoryview(source).nbytes, _name(source), max_bytes)
    with open_regular(source) as file:
        return _read(file, os.fstat(file.fileno()).st_size, _name(source), max_bytes)


def _is_bytes(source):
    return isinstance(source, bytes | bytearray | memoryview)


def _name(source):
    """What the messages call it."""
    return "<bytes>" if _is_bytes(source) else os.fspath(source)


def _read(file, stored, name, max_bytes):
    """Read from an open binary file of `stored` bytes."""
    with uncompressed(file, name) as stream:
        dtype, shape = _read_header(stream, name)
        if stream is file:  # plain: what follows the header is known to the byte
            least = most = stored - file.tell()
        else:
            least, most = 0, stored * DEFLATE_LIMIT
        _check_size(dtype, shape, least, most, max_bytes, name)
        payload = _read_payload(stream, dtype, shape, name)
    array = np.frombuffer(payload, dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


@contextlib.contextmanager
def uncompressed(file, name):
    """The content of an open binary file as a stream: gunzipped, or `file` itself when plain.

    Damage that shows while the block reads is raised as IdxError.
    """
    is_gzip = file.read(2) == GZIP_MAGIC
    file.seek(0)
    try:
        yield gzip.GzipFile(fileobj=file, mode="rb") if is_gzip else file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _error(name, "gzip data", f"damage ({error})", "a whole gzip file") from None


def _read_header(stream, name):
    """Return the element type and the shape; each field is checked as soon as it is read."""
    head = stream.read(4)
    if len(head) < 4:
        raise _error(name, "header", f"{len(head)} bytes", "at least 4")
    zeros, code, rank = struct.unpack(">HBB", head)
    if zeros != 0:
        raise _error(name, "magic number", head.hex(" "), "two zero bytes first (is it IDX?)")
    if code not in TYPES:
        known = ", ".join(f"{code:#04x}" for code in TYPES)
        raise _error(name, "element type", f"{code:#04x}", f"one of {known}")
    if not 1 <= rank <= MAX_RANK:
        raise _error(name, "rank", rank, f"1 to {MAX_RANK}")
    sizes = stream.read(4 * rank)
    if len(sizes) < 4 * rank:
        raise _error(name, "sizes", f"{len(sizes)} bytes", f"4 for each of {rank} dimensions")
    return TYPES[code], struct.unpack(f">{rank}I", sizes)


def _check_size(dtype, shape, least, most, max_bytes, name):
    """Refuse a shape that does not take `least` to `most` bytes, or takes more than is welcome."""
    field = f"elements ({_times(shape)} {dtype.name})"
    needed = math.prod(shape) * dtype.itemsize
    if not least <= needed <= most:
        found = f"{most:,} bytes" if least == most else f"a file that holds at most {most:,} bytes"
        raise _error(name, field, found, _bytes(needed))
    # A size of 0 makes the product 0, but NumPy multiplies the others all the same.
    if math.prod(max(size, 1) for size in shape) * dtype.itemsize > max_bytes:
        raise _error(name, field, _bytes(needed), f"at most {max_bytes:,} (max_bytes)")


def _read_payload(stream, dtype, shape, name):
    """Read the elements as they come, and one byte more to see that nothing follows."""
    needed = math.prod(shape) * dtype.itemsize
    payload = bytearray()
    while chunk := stream.read(min(needed + 1 - len(payload), CHUNK)):
        payload += chunk
    if len(payload) != needed:
        found = f"only {len(payload):,}" if len(payload) < needed else "more than that"
        raise _error(name, f"elements ({_times(shape)} {dtype.name})", found, _bytes(needed))
    return payload


def _times(shape):
    return " x ".join(str(size) for size in shape[:8]) + (" x ..." if len(shape) > 8 else "")


def _bytes(count):
    return f"{count:,} bytes" if count < 2**63 else "more than 2**63 bytes"


def read_pair(images, labels, num_classes=10):
    """Read images and their labels, and check that they belong together.

    `images` and `labels` are paths or bytes. Returns (images, labels): uint8 arrays of shapes
    (count, height, width) and (count,), each label in 0 to num_classes - 1. Raises IdxError.
    """
    x, y = read(images), read(labels)
    for source, array, rank in ((images, x, 3), (labels, y, 1)):
        if array.dtype != np.uint8:
            raise _error(_name(source), "element type", array.dtype, "uint8 (unsigned bytes)")
        if array.ndim != rank:
            raise _error(_name(source), "rank", f"{array.ndim} ({_times(array.shape)})", rank)
    if len(x) != len(y):
        expected = f"{len(x)}, one for each image of {_name(images)}"
        raise _error(_name(labels), "number of labels", len(y), expected)
    wrong = np.flatnonzero(y >= num_classes)
    if len(wrong):
        field = f"label {wrong[0]} ({len(wrong)} are wrong)"
        raise _error(_name(labels), field, y[wrong[0]], f"0 to {num_classes - 1}")
    return x, y


# ---- Writing -------------------------------------------------------------------------------------


def write(path, array):
    """Write `array` as IDX, compressed when the name ends in .gz; any byte order, any strides.

    The same array always gives the same bytes (no time stamp), and the file appears whole or not
    at all. Raises IdxError for an array that IDX cannot hold, and OSError.
    """
    path, array = Path(path), np.asarray(array)
    codes = {dtype.newbyteorder("="): code for code, dtype in TYPES.items()}
    code = codes.get(array.dtype.newbyteorder("="))
    if code is None:
        known = ", ".join(str(dtype) for dtype in codes)
        raise _error(path, "element type", array.dtype, f"one of {known}; use array.astype(...)")
    if not 1 <= array.ndim <= MAX_RANK:
        raise _error(path, "rank", array.ndim, f"1 to {MAX_RANK}")
    if max(array.shape) >= 2**32:
        raise _error(path, "sizes", _times(array.shape), "each below 2**32")
    header = struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape)
    content = header + array.astype(TYPES[code]).tobytes()
    if path.name.endswith(".gz"):
        content = gzip.compress(content, mtime=0)
    with replacing(path) as file:
        file.write(content)
