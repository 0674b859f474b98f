"""Model files of the stand-alone Rust programs that this course re-creates, byte by byte.

All numbers are little-endian, all matrices row-major, weights (inputs, outputs), and nothing says
what a file is but its size and, for the MLP, its first three numbers:

    mlp        three int32: inputs, hidden, outputs; then float64 (or float32, by the file's size):
               hidden w, b, output w, b
    cnn        float32 alone: conv w (8, 1, 3, 3), b, classifier w (1568, 10), b
    attention  float32 alone: patch w, b, positions, query w, b, key w, b, value w, b, ff1 w, b,
               ff2 w, b, classifier w, b, for 49 tokens of 16 pixels

A model here is a dict from parameter name to array, with the names that the course's models use.
Sizes are held against the length of the file before anything is allocated.
"""

import math
import os
import struct

import numpy as np

from course.models import shapes
from course.nn.errors import CourseError
from course.nn.files import replacing

KINDS = ("mlp", "cnn", "attention")
TOKENS, CLASSES = 49, 10
LARGEST_D_MODEL = 1024  # the sizes of a file are not looked for beyond
HEADER = struct.Struct("<3i")
FLOATS = {"float32": np.dtype("<f4"), "float64": np.dtype("<f8")}


class InterchangeError(CourseError, ValueError):
    """A file or model that does not fit; the message names it, the field, found and expected."""


# ---- What is in a file ---------------------------------------------------------------------------


def mlp_fields(inputs=784, hidden=512, outputs=10):
    """Name and shape of each parameter of the MLP, in the file's order."""
    return shapes.mlp(inputs, hidden, outputs)


def cnn_fields():
    """Name and shape of each parameter of the CNN, in the file's order."""
    return shapes.cnn(channels=8, outputs=CLASSES)


def attention_fields(d_model=64, d_ff=128):
    """Name and shape of each parameter of the attention model, in the file's order."""
    return shapes.attention(28, 28, 4, d_model, d_ff, CLASSES)


def count(fields) -> int:
    """How many numbers the parameters `fields` (name to shape) have in all."""
    return sum(math.prod(shape) for shape in fields.values())


def attention_sizes(numbers) -> list[tuple[int, int]]:
    """Every (d_model, d_ff) with which an attention model has so many numbers, likeliest first.

    They number 3 d_model^2 + 80 d_model + 10 + d_ff (2 d_model + 1).
    """
    found = []
    for d_model in range(1, LARGEST_D_MODEL + 1):
        rest = numbers - (3 * d_model**2 + 80 * d_model + 10)
        if rest > 0 and rest % (2 * d_model + 1) == 0:
            found.append((d_model, rest // (2 * d_model + 1)))
    return sorted(found, key=lambda sizes: abs(math.log(sizes[1] / (2 * sizes[0]))))


# ---- Reading -------------------------------------------------------------------------------------


def read_model(path, kind=None, d_model=None, d_ff=None):
    """Read a model: (kind, dict of arrays in the file's own precision).

    kind: one of `KINDS`, to insist on it; otherwise it follows from the file. An attention model
    is taken to have d_ff = 2 d_model, as in the Rust program, unless one of the two is given.
    Raises `InterchangeError` for a file that is no such model or holds numbers that are not
    finite, `OSError` if it cannot be read.
    """
    check_kind(kind)
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        header = file.read(HEADER.size)
        attempts = [
            ("mlp", identify_mlp(size, header)),
            ("cnn", identify_cnn(size)),
            ("attention", identify_attention(size, d_model, d_ff)),
        ]
        attempts = [(name, found) for name, found in attempts if kind in (None, name)]
        for name, found in attempts:
            if not isinstance(found, str):
                fields, dtype = found
                file.seek(HEADER.size if name == "mlp" else 0)
                return name, {f: read_array(path, file, f, fields[f], dtype) for f in fields}
    problems = "; ".join(found for _, found in attempts)
    raise InterchangeError(f"{path}: its {size:,} bytes fit no model: {problems}")


def check_kind(kind):
    """Raise `InterchangeError` unless `kind` is one of `KINDS` or None."""
    if kind is not None and kind not in KINDS:
        raise InterchangeError(f"unknown kind of model {kind!r}: use one of {', '.join(KINDS)}")


def identify_mlp(size, header):
    """The fields and dtype of an MLP in `size` bytes that begin with `header`, or what is wrong."""
    if len(header) < HEADER.size:
        return f"an mlp begins with {HEADER.size} bytes of sizes"
    sizes = HEADER.unpack(header)
    announced = "an mlp with inputs, hidden, outputs = {}, {}, {}".format(*sizes)
    if min(sizes) < 1:
        return f"{announced} cannot be"
    fields = mlp_fields(*sizes)
    lengths = {HEADER.size + count(fields) * dtype.itemsize: dtype for dtype in FLOATS.values()}
    if size in lengths:
        return fields, lengths[size]
    return f"{announced} has " + " or ".join(f"{length:,}" for length in lengths)


def identify_cnn(size):
    """The fields and dtype of a CNN in `size` bytes, or what is wrong."""
    fields = cnn_fields()
    if size == 4 * count(fields):
        return fields, FLOATS["float32"]
    return f"a cnn has {4 * count(fields):,}"


def identify_attention(size, d_model, d_ff):
    """The fields and dtype of an attention model in `size` bytes, or what is wrong."""
    found = attention_sizes(size // 4) if size % 4 == 0 else []
    if d_model or d_ff:
        fitting = [s for s in found if d_model in (None, s[0]) and d_ff in (None, s[1])]
    else:
        fitting = [s for s in found if s[1] == 2 * s[0]]
    if len(fitting) == 1:
        return attention_fields(*fitting[0]), FLOATS["float32"]
    if found:
        choices = ", ".join(f"{a}/{b}" for a, b in (fitting or found)[:5])
        return f"an attention model's d_model/d_ff would be one of {choices}: say which"
    standard = 4 * count(attention_fields())
    return f"an attention model with d_model/d_ff 64/128 has {standard:,}, and no others fit"


def read_array(path, file, name, shape, dtype):
    """The next array of `file`, in native byte order; all its numbers are finite."""
    expected = math.prod(shape) * dtype.itemsize
    data = file.read(expected)
    if len(data) != expected:  # somebody cut the file while it was read
        raise InterchangeError(f"{path}: {name} has {len(data):,} bytes, expected {expected:,}")
    array = np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="))
    check_finite(path, name, array)
    return array


def check_finite(path, name, array):
    """Raise `InterchangeError` unless every number in the array is finite."""
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        where = tuple(wrong[0].tolist())
        raise InterchangeError(
            f"{path}: {name} has {len(wrong):,} numbers that are not finite, "
            f"the first {array[where]} at {where}"
        )


# ---- Writing -------------------------------------------------------------------------------------


def write_model(path, kind, arrays, dtype=None):
    """Write the parameters `arrays` (name to array) of a model to `path`, whole or not at all.

    dtype: "float32" or "float64"; the MLP's default is float64, the others are always float32.
    Raises `InterchangeError` for other names or shapes than the model's, and for numbers that are
    not finite in that precision.
    """
    check_kind(kind)
    dtype = dtype or ("float64" if kind == "mlp" else "float32")
    if dtype not in FLOATS or (kind != "mlp" and dtype != "float32"):
        raise InterchangeError(f"{path}: a file of kind {kind} cannot hold {dtype}")
    fields = fields_of(path, kind, arrays)
    chunks = [HEADER.pack(*mlp_sizes(arrays))] if kind == "mlp" else []
    for name, shape in fields.items():
        if arrays[name].shape != shape:
            raise InterchangeError(f"{path}: {name} is {arrays[name].shape}, expected {shape}")
        with np.errstate(over="ignore"):  # what becomes infinite is refused in the next line
            array = np.ascontiguousarray(arrays[name], FLOATS[dtype])
        check_finite(path, name, array)
        chunks.append(array.tobytes())
    with replacing(path) as file:
        file.writelines(chunks)


def fields_of(path, kind, arrays):
    """The fields of a model of `kind` with the sizes that `arrays` have."""
    expected = {"mlp": mlp_fields, "cnn": cnn_fields, "attention": attention_fields}[kind]()
    if arrays.keys() != expected.keys():
        odd = ", ".join(sorted(arrays.keys() ^ expected.keys()))
        raise InterchangeError(f"{path}: does not fit {kind}: only one side has {odd}")
    if kind == "mlp":
        return mlp_fields(*mlp_sizes(arrays))
    if kind == "attention":
        return attention_fields(len(arrays["patch_b"]), len(arrays["ff1_b"]))
    return expected


def mlp_sizes(arrays):
    """Inputs, hidden and outputs of the MLP with these parameters."""
    return len(arrays["hidden.w"]), len(arrays["hidden.b"]), len(arrays["output.b"])
