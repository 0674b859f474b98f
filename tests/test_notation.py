"""The table of notation, docs/notation.md: each lesson gives a name the shape that stands there."""

import ast
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = {path.stem: path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
SHAPE = re.compile(r"\([^()]*,[^()]*\)")
PAIR = re.compile(rf"(\w+) ({SHAPE.pattern})")  # "x (batch, 784)", in a comment


def rows(text, columns):
    """The rows of a Markdown table with that many columns: lists of texts."""
    found = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    return [row for row in found if len(row) == columns and row[0].startswith("`")]


def names_in(cell):
    return re.findall(r"`(\w+)`", cell)


def axes(shape):
    return tuple(axis.strip() for axis in shape.strip("()").split(",") if axis.strip())


TABLE = (ROOT / "docs/notation.md").read_text(encoding="utf-8")
SHAPES = {
    name: [axes(shape) for shape in SHAPE.findall(shapes)]
    for cell, _, shapes, _ in rows(TABLE, 4)
    for name in names_in(cell)
}
SIZES = {name for cell, _, _ in rows(TABLE, 3) for name in names_in(cell)}
FIRST = [
    (name, row[-1]) for row in rows(TABLE, 4) + rows(TABLE, 3) for name in names_in(row[0])
]  # fmt: skip


def sources(stem, kind="code"):
    cells = json.loads(NOTEBOOKS[stem].read_text(encoding="utf-8"))["cells"]
    return {c["id"]: "".join(c["source"]) for c in cells if c["cell_type"] in kind}


def commented(code):
    """Pairs (name, axes) of all that the comments of a cell say about shapes."""
    for line in code.splitlines():
        before, _, comment = line.partition("# ")
        pairs = PAIR.findall(comment)
        if comment.startswith("("):  # in the order of the names
            pairs += zip(names_before(before.strip()), SHAPE.findall(comment), strict=False)
        yield from ((name, axes(shape)) for name, shape in pairs)


def names_before(code):
    """The names that a line gives a value as a whole, or the arguments of a function."""
    try:
        (statement,) = ast.parse(f"{code} ..." if code.endswith(":") else code).body
    except (SyntaxError, ValueError):  # a part of a longer statement, or nothing
        return []
    if isinstance(statement, ast.FunctionDef):
        return [a.arg for a in statement.args.args if a.arg != "self"]
    targets = getattr(statement, "targets", [None])
    parts = targets[0].elts if isinstance(targets[0], ast.Tuple) else targets
    return [part.id if isinstance(part, ast.Name) else "" for part in parts]


def meant(name):
    """The name of the table that this one follows, as `test_x`, `dw1`, `b2` do; None if none."""
    name = re.sub(r"^test_|\d$", "", name)
    candidates = [name] if name == "dy" else [name, name.removeprefix("d")]
    return next((known for known in candidates if known in SHAPES), None)


def fits(found, expected):
    """Whether a shape is the expected one; axes that the table allows to be missing may be."""
    for missing in (
        set(),
        {"batch"},
        {"outputs"},
        {"in_channels"},
        {"in_channels", "out_channels"},
    ):
        left = [axis for axis in expected if axis not in missing]
        sizes = {}  # an axis that comes twice has one size
        if left and len(left) == len(found):
            return all(sizes.setdefault(a, f) == f for a, f in zip(left, found, strict=True))
    return False


def contradictions(code):
    """What gives a name of the table another shape: (cell, name, shape)."""
    return [
        (cell, name, found)
        for cell, text in code.items()
        for name, found in commented(text)
        if (known := meant(name)) and not any(fits(found, shape) for shape in SHAPES[known])
    ]


@pytest.mark.parametrize("stem", NOTEBOOKS)
def test_a_lesson_gives_no_name_another_shape(stem):
    assert contradictions(sources(stem)) == []


def test_each_name_is_shown_with_its_shape():
    texts = [text for stem in NOTEBOOKS for text in sources(stem).values()]
    shown = {meant(name) for text in texts for name, _ in commented(text)}
    assert SHAPES and SHAPES.keys() - shown == set()


@pytest.mark.parametrize(("name", "lesson"), FIRST)
def test_a_name_occurs_where_the_table_says(name, lesson):
    stems = [stem for stem in NOTEBOOKS if stem.startswith(lesson)]
    texts = [text for stem in stems for text in sources(stem, ["code", "markdown"]).values()]
    assert re.search(rf"(?<![a-z]){name}\d?\b", "\n".join(texts))


def test_every_axis_is_a_size_of_the_table():
    used = {axis for shapes in SHAPES.values() for shape in shapes for axis in shape}
    assert used - SIZES == set()


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("x = f()  # (samples, 784), 0 to 1", []),
        ("w1, b1 = f()  # (784, 512), (512,)", []),
        ("w = f()  # (8, 3, 3)", []),  # one input channel alone
        ("w = f()  # (1, 2, 3, 4, 5)", ["w"]),
        ("w = f()  # (8, 1, 3, 5)", ["w"]),  # a kernel is square
        ("logits, y = f()  # (64, 10), (64, 10)", ["y"]),
        ("dz1, labels = f()  # (64,), (3, 2)", ["labels"]),
        ("def f(w, y):  # (784, 512), (64, 1, 1)", ["y"]),
        ("def f(w, y):  # w (784, 512), y (64, 1, 1)", ["y"]),
        ("test_x = f()  # (2, 2, 2, 2, 2)", ["test_x"]),
        ("scores = f()  # (49, 48)", ["scores"]),
        ("y[0] = 3  # (2, 2)", []),
    ],
)
def test_another_shape_is_found(code, wrong):
    assert [name for _, name, _ in contradictions({"a": code})] == wrong
