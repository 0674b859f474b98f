"""What every lesson keeps to, so that nobody stumbles: names, links, messages, answers."""

import ast
import json
import re
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
AGAIN = {"figure", "axes", "axis", "left", "right"}  # names that mean the same each time
FILE = re.compile(r"`course/[\w/.]*`")


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def cells(request):
    return json.loads(request.param.read_text(encoding="utf-8"))["cells"]


def of_type(cells, cell_type):
    return {c["id"]: "".join(c["source"]) for c in cells if c["cell_type"] == cell_type}


def asserts_without_message(code):
    """The cells with an assertion that would end in an empty "AssertionError"."""
    return [
        name
        for name, text in code.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Assert) and node.msg is None
    ]


def names_used_again(code):
    """Names that two cells give a value, each with those cells: one name, two meanings."""
    places = {}
    for cell, text in code.items():
        for node in ast.parse(text).body:
            targets = getattr(node, "targets", [getattr(node, "target", None)])
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names = [node.name]
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                found = (n for target in targets for n in ast.walk(target))
                names = [n.id for n in found if isinstance(n, ast.Name) and is_store(n)]
            else:
                names = []
            for name in names:
                places.setdefault(name, {})[cell] = True
    return {n: list(p) for n, p in places.items() if len(p) > 1 and n not in AGAIN}


def is_store(name):
    return isinstance(name.ctx, ast.Store)


def files_without_link(prose):
    """Files of the package that a text names without leading there."""
    return [
        (cell, found.group())
        for cell, text in prose.items()
        for found in FILE.finditer(text)
        if not (text[: found.start()].endswith("[") and text[found.end() :].startswith("]("))
    ]


def open_exercises_without_answer(prose):
    """Open exercises that do not say, in a fold, what one should find."""
    parts = (
        (cell, part)
        for cell, text in prose.items()
        for part in re.split(r"(?=\*\*Exercise)|^(?=## )", text, flags=re.MULTILINE)
    )
    return [
        (cell, part.splitlines()[0])
        for cell, part in parts
        if re.match(r"\*\*Exercise [^*]*\(open\)", part)
        and not re.search(r"<details>\s*<summary>What you should find</summary>", part)
    ]


def test_a_failed_assertion_says_what_is_wrong(cells):
    assert asserts_without_message(of_type(cells, "code")) == []


def test_a_name_has_one_meaning_in_a_lesson(cells):
    assert names_used_again(of_type(cells, "code")) == {}


def test_a_file_that_is_named_can_be_opened(cells):
    assert files_without_link(of_type(cells, "markdown")) == []


def test_open_exercises_say_what_one_should_find(cells):
    assert open_exercises_without_answer(of_type(cells, "markdown")) == []


def test_what_breaks_the_rules_is_found():
    code = {"a": "x = 1\nassert x\nassert x, 'no'", "b": "x, y = 2, 3\nfigure = 1", "c": "y[0] = 3"}
    assert asserts_without_message(code) == ["a"]
    assert names_used_again(code | {"d": "figure = 2"}) == {"x": ["a", "b"]}
    assert names_used_again({"a": "def f(): ...", "b": "f = 1"}) == {"f": ["a", "b"]}
    text = "see `course/mlp.py` and [`course/cnn.py`](../course/cnn.py)"
    assert files_without_link({"a": text}) == [("a", "`course/mlp.py`")]
    fold = "<details><summary>What you should find</summary>\n\nThis.\n</details>\n"
    exercises = f"**Exercise 1 (open).** Do.\n{fold}\n**Exercise 2 (open).** Do.\n## Recap\n{fold}"
    found = open_exercises_without_answer({"a": exercises})
    assert found == [("a", "**Exercise 2 (open).** Do.")]
