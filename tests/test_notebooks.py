"""How the notebooks are written: cells that can be taken in at a glance, links that lead somewhere.

`test_stored_notebooks.py` looks at the outputs that are stored in them, nbval at whether they are
right, and `tests/browser` at how they look.
"""

import ast
import json
import re
from pathlib import Path
from urllib.parse import unquote

import measure
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
KNOWN_TAGS = {"nbval-ignore-output", "raises-exception"}
LONGEST_CELL = 15  # lines of code
MINUTES = 45  # that a lesson takes at most, by the rule of `measure`
LONGEST_WAIT = 10  # cells between two things that the learner does
OF_A_MACHINE = r"/home/|/root/|/tmp/|/Users/|/work/|[A-Z]:\\"
LINK = re.compile(r"\]\(([^)\s]+)[^)]*\)|(?:href|src)=[\"']([^\"']+)[\"']")


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def cells(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def source(cell):
    return "".join(cell["source"])


def of_type(cells, cell_type):
    return [cell for cell in cells if cell["cell_type"] == cell_type]


def links(text):
    """The targets of the links in a Markdown text, without those in code."""
    text = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    return [inline or attribute for inline, attribute in LINK.findall(text)]


def is_relative(link):
    return not re.match(r"[a-z][a-z0-9+.-]*:|#|//", link)


def test_there_are_notebooks():
    assert "00-start-here" in [path.stem for path in NOTEBOOKS]


def test_begins_with_its_number_and_name(path, cells):
    number = path.stem.split("-")[0]
    assert cells[0]["cell_type"] == "markdown"
    assert source(cells[0]).startswith(f"# {number} · ")
    assert re.search(r"\b\d+ minutes\b", source(cells[0]))


def test_first_code_is_the_set_up_and_the_only_imports(cells):
    code = of_type(cells, "code")
    assert code[0]["id"] == "setup"
    assert re.search(r"^from course\b", source(code[0]), re.MULTILINE)
    importing = re.compile(r"^\s*(import|from) ", re.MULTILINE)
    assert [cell["id"] for cell in code[1:] if importing.search(source(cell))] == []


def test_code_cells_can_be_taken_in_at_a_glance(cells):
    code = {cell["id"]: source(cell) for cell in of_type(cells, "code")}
    assert [name for name, text in code.items() if not text.strip()] == []
    code.pop("setup")  # imports, as many as it takes
    too_long = {n: text.count("\n") + 1 for n, text in code.items()}
    assert {n: lines for n, lines in too_long.items() if lines > LONGEST_CELL} == {}


def test_cells_have_readable_ids_of_their_own(cells):
    ids = [cell["id"] for cell in cells]
    assert len(set(ids)) == len(ids)
    assert [name for name in ids if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)] == []
    assert [name for name in ids if re.fullmatch(r"[0-9a-f]{8}(-.*)?", name)] == []  # random ones


def test_ends_with_what_was_done_and_what_is_next(path, cells):
    last = cells[-1]
    assert (last["id"], source(last)) == ("progress", f'ProgressPanel("{path.stem}")')


def test_metadata_hold_known_tags_and_no_traces_of_a_run(path, cells):
    for cell in cells:
        assert set(cell["metadata"]) <= {"tags"}, cell["id"]
        assert set(cell["metadata"].get("tags", [])) <= KNOWN_TAGS, cell["id"]
    notebook = json.loads(path.read_text(encoding="utf-8"))["metadata"]
    assert set(notebook) <= {"kernelspec", "language_info"}


def test_sources_name_no_folder_of_a_machine(cells):
    found = {cell["id"]: re.findall(OF_A_MACHINE, source(cell)) for cell in cells}
    assert {name: places for name, places in found.items() if places} == {}


def test_relative_links_lead_to_files(path, cells):
    wanted = {link for cell in of_type(cells, "markdown") for link in links(source(cell))}
    files = {unquote(link.split("#")[0]) for link in wanted if is_relative(link)}
    assert sorted(name for name in files if not (path.parent / name).exists()) == []


def crowded(code):
    """The cells in which something stands beside what the learner writes, such as its check."""
    trees = {name: ast.parse(text) for name, text in code.items()}
    gaps = [n for n, tree in trees.items() if any(map(measure.is_gap, ast.walk(tree)))]
    return [name for name in gaps if len(trees[name].body) > 1]


def test_what_the_learner_writes_stands_alone(cells):
    """So the check can be run again, and judged, without it."""
    assert crowded({cell["id"]: source(cell) for cell in of_type(cells, "code")}) == []


def test_a_crowded_cell_is_found():
    stub = "def f(x):  # a number\n    ...  # return another"
    assert crowded({"a": stub, "b": f"{stub}\n\nEX.check(f)", "c": "EX.check(f)"}) == ["b"]


def broken_rules(lesson, cells):
    """The rules of length that a lesson breaks."""
    found = measure.measure(cells)
    stated = [measure.stated_minutes(cells), measure.minutes_in_readme(lesson)]
    rules = {
        "too long": found.minutes > MINUTES,
        "states other minutes": any(abs((n or 0) / found.minutes - 1) > 0.2 for n in stated),
        "too little to do": found.longest_wait > LONGEST_WAIT,
    }
    return {rule for rule, broken in rules.items() if broken}


def test_a_lesson_is_short_and_has_something_to_do_every_few_cells(path, cells):
    assert broken_rules(path.stem, cells) == set(), "see `make measure`"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see [01](01-idx.ipynb), [02](02.ipynb#part)", ["01-idx.ipynb", "02.ipynb#part"]),
        ('![a](a%20b.png "t") <img src="c.png">', ["a%20b.png", "c.png"]),
        ("<a href='d.md'>d</a>", ["d.md"]),
        ("`w[i](x)` and ```\n[a](b)\n``` and f(x)[i]", []),
        ("[a](https://example.org) [b](#part)", ["https://example.org", "#part"]),
    ],
)
def test_links_are_found(text, found):
    assert links(text) == found


def test_relative_links_are_told_from_others():
    texts = ["a.ipynb", "../b.md", "https://c.org", "mailto:d@e", "#f", "//g.org"]
    assert [text for text in texts if is_relative(text)] == ["a.ipynb", "../b.md"]
