"""The names of what a network tells apart: "0" to "9", or T-shirt, Trouser, Pullover, ...

Label n has the name number n, counted from 0. Beside a data set the names are in a text file, one a
line; in a checkpoint they are a list; and a model has them as `class_names`. They may come from
anyone, and they are printed, drawn and shown on pages: only what `problem_of` passes is taken.
"""

from pathlib import Path

from course.nn.errors import CourseError
from course.nn.files import open_regular, replacing

FILE = "classes.txt"
DIGITS = tuple("0123456789")
MOST = 256  # a label is one byte
LONGEST = 40  # characters of a name
MAX_BYTES = 100_000  # of the file; the longest names of all take half of that


class ClassNamesError(CourseError, ValueError):
    """Names that cannot be those of classes; says which."""


def problem_of(names):
    """Say why `names` cannot be those of classes; "" if they can."""
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        return "the names of classes are a list of texts"
    if not 2 <= len(names) <= MOST:
        return f"there are 2 to {MOST} classes, not {len(names):,}"
    for name in names:
        if not name.strip() or name != name.strip() or not name.isprintable():
            return f"a class cannot have the name {name!a:.60}"
        if len(name) > LONGEST:
            return f"the name of a class has at most {LONGEST} characters, not {name!a:.60}"
    if twice := {name for name in names if names.count(name) > 1}:
        return f"two classes have the name {min(twice)!r}"
    return ""


def checked(names):
    """`names` as a tuple. Raises ClassNamesError."""
    if problem := problem_of(names):
        raise ClassNamesError(problem)
    return tuple(names)


def read(folder):
    """The names in the folder's `classes.txt`, a tuple; None if it has no such file.

    Raises ClassNamesError, which names the file, and OSError.
    """
    path = Path(folder) / FILE
    try:
        with open_regular(path) as file:
            text = file.read(MAX_BYTES).decode("utf-8-sig")  # some editors begin with a mark
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise ClassNamesError(f"{path}: is no text in UTF-8") from None
    try:
        return checked([line.strip() for line in text.splitlines() if line.strip()])
    except ClassNamesError as error:
        raise ClassNamesError(f"{path}: {error}; it has one name a line") from None


def write(folder, names):
    """Write the folder's `classes.txt`. Raises ClassNamesError and OSError."""
    text = "".join(f"{name}\n" for name in checked(names))
    with replacing(Path(folder) / FILE) as file:
        file.write(text.encode())


def names_of(model, outputs):
    """What the outputs of `model` stand for: a tuple of as many names.

    They are its `class_names`; an output that has none there is called by its number.
    """
    known = getattr(model, "class_names", None) or ()
    return (*known[:outputs], *map(str, range(len(known), outputs)))


def listed(names, most=5):
    """The names in a message: the first of them, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
