"""The JavaScript of the widgets without a browser, as the one module that the page loads."""

import json
import shutil
import subprocess
from base64 import b64decode, b64encode

import pytest

from course import plots
from course.recognizer import widget
from course.recognizer.widget import Recognizer
from course.widgets import backprop_stepper, kernel_hover, luggage, predict, progress_panel
from course.widgets.predict import Prediction

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")


def node(module, *options):
    """Give Node.js a module; in a file called .js it would pass over errors beside an export."""
    command = ["node", "--input-type=module", *options, "-"]
    return subprocess.run(command, input=module, capture_output=True, text=True)


def evaluate(expression, module=Recognizer._esm):
    """The value of an expression in which the names of a module are known."""
    done = node(f"{module}\nconsole.log(JSON.stringify({expression}))")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


MODULES = [
    (source, name)
    for source in (widget, predict, progress_panel, backprop_stepper, kernel_hover, luggage)
    for name in (None, *source.PARTS)
]


@pytest.mark.parametrize("source, broken", MODULES)
def test_a_module_parses_and_an_error_in_any_part_is_found(source, broken):
    texts = [
        (source.HERE / name).read_text("utf-8") + ";)" * (name == broken) for name in source.PARTS
    ]
    done = node("\n".join(texts), "--check")
    assert ("SyntaxError" in done.stderr) == bool(done.returncode) == bool(broken), done.stderr


def ink(size, x, y):
    """A black picture, size * size, with one white pixel: JavaScript."""
    return f"new Uint8Array({size**2}).fill(255, {y * size + x}, {y * size + x + 1})"


@pytest.mark.parametrize(
    "expression, value",
    [
        ("patchAt([0, 0], 7)", [0, 0]),
        ("patchAt([0.5, 0.99], 7)", [3, 6]),
        ("patchAt([0.5, 0.99], 2)", [1, 1]),
        ("patchAt([1, -0.1], 14)", [13, 0]),  # the pointer may be a little outside
        (f"inkiest({ink(28, 13, 20)}, 7)", [3, 5]),
        (f"inkiest({ink(28, 13, 20)}, 4)", [1, 2]),
        (f"inkiest({ink(28, 27, 27)}, 28)", [27, 27]),
        ("patchAt(middleOf(neighbor([3, 5], 'ArrowRight', 7), 7), 7)", [4, 5]),
        ("neighbor([3, 5], 'ArrowUp', 7)", [3, 4]),
        ("neighbor([1, 1], 'ArrowDown', 2)", [1, 1]),
        ("neighbor([0, 1], 'ArrowLeft', 14)", [0, 1]),
        ("neighbor([3, 5], 'Home', 7)", [0, 0]),
        ("neighbor([3, 5], 'End', 14)", [13, 13]),
        ("neighbor([3, 5], 'Enter', 7)", None),
        ("inWords([0, 1], 1, 2)", "row 2, column 1 looks most at row 1, column 2"),
        ("inWords([0, 1], 2, 2)", "row 2, column 1 looks most at itself"),
    ],
)
def test_patches_are_found_in_grids_of_any_size(expression, value):
    assert evaluate(expression) == value


@pytest.mark.parametrize("grid", [1, 2, 4, 7, 14, 28])
def test_every_pixel_is_in_its_patch(grid):
    patches = evaluate(f"[...Array(784).keys()].map((index) => patchOf(index, 28, {grid}))")
    assert patches == [[x * grid // 28, y * grid // 28] for y in range(28) for x in range(28)]


MANY = "Array.from({ length: 40 }, (_, i) => (i === 37 ? 0.5 : (40 - i) / 10000))"


@pytest.mark.parametrize(
    "expression, value",
    [
        ("classesToShow([0.1, 0.7, 0.2], 3)", [0, 1, 2]),  # in their order
        ("classesToShow(null, 12).length", 12),
        (f"classesToShow({MANY}, 40)", [37, 0, 1, 2, 3, 4, 5, 6, 7, 8]),  # the most probable
        ("keysOf([...'0123456789'])", {str(i): i for i in range(10)}),
        ("keysOf(['a', 'é', '😀'])", {"a": 0, "é": 1, "😀": 2}),
        ("keysOf(['yes', 'no'])", {"1": 0, "2": 1}),
        ("Object.keys(keysOf(Array(20).fill('name'))).length", 9),
        ("keysOf([])", {}),
    ],
)
def test_classes_get_bars_and_keys(expression, value):
    assert evaluate(expression) == value


FLAT = "columnsOf([[0, 1], [10, 1]], [0, 10])"


@pytest.mark.parametrize(
    "expression, value",
    [
        ("columnsOf(null, [0, 10]).some((y) => y !== null)", False),
        ("pointsOf(columnsOf([[0, 2], [10, 1]], [0, 10]), [0, 10]).length", 31),
        ("columnsOf([[0, 0], [5, 5], [10, 0]], [0, 10]).filter((y, i) => i % 5 === 0)",
         [0, 5 / 3, 10 / 3, 5, 10 / 3, 5 / 3, 0]),
        ("pointsOf(columnsOf([[2, 1], [3, 4]], [0, 10]), [0, 10]).flat()",
         [2, 1, 2.333, 2, 2.667, 3, 3, 4]),
        ("columnsOf([[-5, 1], [25, 1]], [0, 10]).length", 31),  # the pen may be a little outside
        ("completed(columnsOf([[2, 1], [3, 4]], [0, 10]), 7).filter((y, i) => i % 6 === 0)",
         [1, 1, 4, 4, 4, 4]),
        ("completed(columnsOf(null, [0, 10]), 7).every((y) => y === 7)", True),
        (f"bent({FLAT}, 6, 0.6, [0, 1.5]).slice(0, 14).map(inShort).map(Number)",
         [1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.5, 1.5, 1.4, 1.3, 1.2, 1.1, 1, 1]),
    ],
)  # fmt: skip
def test_sketches_are_lines_through_columns(expression, value):
    assert evaluate(expression, Prediction._esm) == pytest.approx(value)


@pytest.mark.parametrize("size", [0, 1, 2**20, 2**20 + 1, 3 * 2**20])
def test_a_file_is_cut_into_pieces_that_make_it_up(size):
    bytes_ = f"Uint8Array.from({{ length: {size} }}, (_, k) => k % 251)"
    cut = evaluate(f"pieces({bytes_})", luggage.Luggage._esm)
    assert b"".join(b64decode(p["piece"]) for p in cut) == bytes(k % 251 for k in range(size))
    assert [p["first"] for p in cut] == [k == 0 for k in range(len(cut))]
    assert [p["last"] for p in cut] == [k == len(cut) - 1 for k in range(len(cut))]


@pytest.mark.parametrize("text", ["a digit", "α to ω, in 2 × 2 …", ""])
def test_a_picture_says_what_it_shows(text):
    figure, ax = plots.subplots(figsize=(1, 1))
    plots.style.describe(ax, text)
    source = f"data:image/png;base64,{b64encode(figure._repr_png_()).decode()}"
    assert evaluate(f"description({source!r})", Prediction._esm) == text


def test_drawing_back_over_a_line_replaces_it():
    code = f"""(() => {{
        const values = {FLAT};
        drawLine(values, [20, 3], [10, 5]);
        return [values[9], values[10], values[15], values[20], values[21]];
    }})()"""
    assert evaluate(code, Prediction._esm) == [1, 5, 4, 3, 1]
