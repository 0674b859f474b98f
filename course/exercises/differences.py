"""How the result of a learner's function differs from what is expected, in words."""

import inspect
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

# A kind of values, by NumPy's letter, and how fine it is: whole numbers do where numbers are
# expected, but a float is no index and 0 and 1 are no mask.
KINDS = {
    "b": (0, "truth values"),
    "u": (1, "whole numbers"),
    "i": (1, "whole numbers"),
    "f": (2, "floating-point numbers"),
}
LONGEST = 60  # characters of a value that is shown as it is


class Difference(NamedTuple):
    """What is wrong with a result: its kind, as of a `Verdict`, and "gave ..., expected ..."."""

    kind: str
    text: str


def difference(expected, found, where="", tolerance=1e-6):
    """Say how `found` differs from `expected`: a `Difference`, or None if it does not.

    Both are numbers, arrays or texts, or tuples, lists or dicts of them. Numbers may differ by
    ten tolerances of themselves or one of the largest one expected, whole numbers not at all.
    """
    if found is None or found is Ellipsis:
        place = where or ": is there a `return` at its end?"
        return Difference("nothing", f"returned nothing{place}")
    if isinstance(expected, Mapping):
        if not isinstance(found, Mapping):
            return Difference("shape", f"gave {described(found)}{where}, expected a dict")
        if found.keys() != expected.keys():
            text = f"gave a dict of {list(found)}{where}, expected {list(expected)}"
            return Difference("shape", text)
        parts = [(repr(key), expected[key], found[key]) for key in expected]
    elif isinstance(expected, (tuple, list)):
        if not isinstance(found, (tuple, list, np.ndarray)) or getattr(found, "shape", 0) == ():
            text = f"gave {described(found)}{where}, expected {len(expected)} results"
            return Difference("shape", text)
        if len(found) != len(expected):
            kind = type(found).__name__
            text = f"gave a {kind} of length {len(found)}{where}, expected {len(expected)}"
            return Difference("shape", text)
        parts = [(i, *both) for i, both in enumerate(zip(expected, found, strict=True), start=1)]
    else:
        return _difference_of_arrays(expected, found, where, tolerance)
    whole = where.replace(" in ", " of ", 1)
    differences = (difference(e, f, f" in part {name}{whole}", tolerance) for name, e, f in parts)
    return next(filter(None, differences), None)


def _difference_of_arrays(expected, found, where, tolerance):
    expected = np.asarray(expected)
    try:
        values = np.asarray(found)
    except ValueError:  # rows of different lengths
        return Difference("shape", f"gave {described(found)}{where}, expected an array")
    if expected.dtype.kind not in KINDS:  # text
        if np.array_equal(values, expected):
            return None
        text = f"gave {described(found)}{where}, expected {described(expected)}"
        return Difference("value", text)
    fineness, kind = KINDS[expected.dtype.kind]
    if values.dtype.kind not in KINDS:
        return Difference("dtype", f"gave {described(found)}{where}, expected {kind}")
    if values.shape != expected.shape:
        return Difference("shape", f"gave {_shape(values)}{where}, expected {_shape(expected)}")
    wrong = _differ(expected, values, tolerance)
    if wrong.any():
        return Difference("value", _values(expected, values, wrong, where))
    if KINDS[values.dtype.kind][0] > fineness:
        text = f"gave {KINDS[values.dtype.kind][1]}{where}, {described(found)}, expected {kind}"
        return Difference("dtype", text)
    return None


def _differ(expected, found, tolerance):
    """Where two arrays of the same shape differ."""
    if expected.dtype.kind != "f":
        return expected != found
    largest = np.max(np.abs(expected), where=np.isfinite(expected), initial=0.0) or 1.0
    atol = tolerance * largest
    return ~np.isclose(found, expected, rtol=10 * tolerance, atol=atol, equal_nan=True)


def _values(expected, found, wrong, where):
    """Both in full if they are short, else the first place where they differ."""
    if _literal(found) and _literal(expected):
        return f"gave {_literal(found)}{where}, expected {_literal(expected)}"
    at = tuple(map(int, np.argwhere(wrong)[0]))
    return (
        f"gave {described(found[at])} at {at}{where}, expected {described(expected[at])}; "
        f"{wrong.sum():,} of {wrong.size:,} values differ"
    )


def _shape(array):
    return f"the shape {array.shape}" if array.shape else "a single number"


def described(value):
    """`value` as text, or what it is if that would be long."""
    if text := _literal(value):
        return text
    if isinstance(value, np.ndarray):
        return f"<{value.dtype} of shape {value.shape}>"
    return f"<{type(value).__name__} of length {len(value)}>"


def _literal(value):
    """`value` as the learner would write it, in one line; an empty text if it would be long."""
    text = _written(value) if size(value) <= LONGEST else ""
    return text if len(text) <= LONGEST or not hasattr(value, "__len__") else ""


def _written(value):
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, float):
        text = f"{value:.6g}"
        return text if set(text) & set(".en") else f"{text}.0"  # infinity and nan have an n
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key!r}: {_written(value[key])}' for key in value)}}}"
    if isinstance(value, (list, tuple)):
        text = ", ".join(map(_written, value))
        return f"[{text}]" if isinstance(value, list) else f"({text})"
    if isinstance(value, np.random.Generator):  # its repr is an address, another one each time
        return "<random generator>"
    return value.__name__ if inspect.isfunction(value) else repr(value)


def changed(before, after):
    """Whether an array or a container in `before` is another in `after`."""
    if type(before) is not type(after):
        return True
    if isinstance(before, np.ndarray):
        return before.shape != after.shape or before.tobytes() != after.tobytes()
    if isinstance(before, Mapping):
        return before.keys() != after.keys() or any(changed(before[k], after[k]) for k in before)
    if isinstance(before, (list, tuple)):
        return len(before) != len(after) or any(map(changed, before, after))
    return isinstance(before, (int, float, str)) and before != after


def size(value):
    """How many numbers or characters there are in `value`."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return sum(map(size, value))
    return len(value) if isinstance(value, (str, bytes)) else np.size(value)
