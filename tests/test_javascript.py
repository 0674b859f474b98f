"""The recognizer's JavaScript without a browser, as the one module that the page loads."""

import json
import shutil
import subprocess

import pytest

from course.recognizer.widget import HERE, PARTS, Recognizer

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")


def node(module, *options):
    """Give Node.js a module; in a file called .js it would pass over errors beside an export."""
    command = ["node", "--input-type=module", *options, "-"]
    return subprocess.run(command, input=module, capture_output=True, text=True)


def evaluate(expression):
    """The value of an expression in which the names of the recognizer's module are known."""
    done = node(f"{Recognizer._esm}\nconsole.log(JSON.stringify({expression}))")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("broken", [None, *PARTS])
def test_the_module_parses_and_an_error_in_any_part_is_found(broken):
    texts = [(HERE / name).read_text("utf-8") + ";)" * (name == broken) for name in PARTS]
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
