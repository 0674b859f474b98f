"""Lesson 10b: cells that need a framework, for readers who have none.

    def first_step(torch):
        print(torch.nn.Linear(784, 512))

    in_torch(first_step)

runs the function where PyTorch is installed. Elsewhere it shows what the function printed when the
lesson was stored: that text is in `frameworks.json`, with the version that made it.
`tests/oracle/framework_cells.py` runs the lesson with the frameworks and writes the file.
"""

import html
import importlib
import inspect
import itertools
import json
import textwrap
from pathlib import Path

from course.nn.errors import CourseError

STORED = Path(__file__).with_suffix(".json")
TITLES = {"torch": "PyTorch", "jax": "JAX"}
# What a function may use; the second makes safetensors.torch known.
MODULES = {"torch": ["torch", "safetensors.torch"], "jax": ["jax"]}


class FrameworkError(CourseError, RuntimeError):
    """A function that needs a framework, where there is neither that nor a text in its place."""


def in_torch(function):
    """Call `function(torch)`, or show what it printed. See `run`."""
    run(function, "torch")


def in_jax(function):
    """Call `function(jax)`, or show what it printed. See `run`."""
    run(function, "jax")


def run(function, package):
    """Call `function` with a framework's module; where it is not, print what is stored of it.

    Raises FrameworkError if nothing is stored under the function's name.
    """
    try:
        module, *_ = map(importlib.import_module, MODULES[package])
    except (ImportError, OSError) as error:  # not there, or not for this machine
        print(stored_text(function.__name__, package, error))
    else:
        function(module)


def stored_text(name, package, error):
    """What the function `name` printed, under a line that says so; `error` is why it cannot run."""
    title, kept = TITLES[package], json.loads(STORED.read_text("utf-8"))[package]
    is_missing = isinstance(error, ModuleNotFoundError)
    why = f"{title} is not installed" if is_missing else f"{title} cannot be loaded ({error})"
    if name not in kept["printed"]:
        raise FrameworkError(
            f"{why}, and of {name} nothing is stored: run `pip install {package}` and restart the "
            "kernel"
        )
    return f"[{why} here. Version {kept['version']} printed:]\n{kept['printed'][name]}"


class SideBySide:
    """Two functions next to each other, line by line: SideBySide(course=ours, PyTorch=theirs)."""

    def __init__(self, **functions):
        self.titles = list(functions)
        sources = (textwrap.dedent(inspect.getsource(f)).splitlines() for f in functions.values())
        self.rows = list(itertools.zip_longest(*sources, fillvalue=""))

    def __repr__(self):
        rows = [self.titles, *self.rows]
        width = max(len(row[0]) for row in rows)
        return "\n".join(f"{left:{width}}  |  {right}".rstrip() for left, right in rows)

    def _repr_html_(self):
        def row(cells, tag):
            style = "text-align:left;white-space:pre;font-family:monospace"
            return "".join(f'<{tag} style="{style}">{html.escape(c)}</{tag}>' for c in cells)

        lines = "".join(f"<tr>{row(cells, 'td')}</tr>" for cells in self.rows)
        return (
            f"<table><thead><tr>{row(self.titles, 'th')}</tr></thead><tbody>{lines}</tbody></table>"
        )
