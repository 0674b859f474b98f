"""What the cells of lesson 10b print that need a framework, with the frameworks installed.

    python tests/oracle/framework_cells.py

runs the lesson and writes that to `course/frameworks.json`, which readers without them are shown.
"""

import importlib.metadata
import json
import os
import re
import tempfile
from pathlib import Path
from unittest import mock

import nbformat
from nbclient import NotebookClient

from course import frameworks
from course.nn.files import replacing

ROOT = Path(__file__).parents[2]
LESSON = ROOT / "notebooks/10b-pytorch.ipynb"
CALL = re.compile(r"^in_(torch|jax)\((\w+)\)$", re.MULTILINE)


def executed():
    """The lesson, run from top to bottom on the sample, in this Python."""
    notebook = nbformat.read(LESSON, as_version=4)
    with tempfile.TemporaryDirectory() as progress:
        settings = {
            "COURSE_DATA_DIR": str(ROOT / "data/sample"),
            "COURSE_PROGRESS_DIR": progress,
            "JUPYTER_PREFER_ENV_PATH": "1",
        }
        with mock.patch.dict(os.environ, settings):
            return NotebookClient(notebook, timeout=300, kernel_name="python3").execute()


def printed(notebook):
    """{package: {name of a function: what it printed}} of a notebook that was run."""
    found = {package: {} for package in frameworks.MODULES}
    for cell in notebook.cells:
        if call := CALL.search(cell.source):
            package, name = call.groups()
            texts = [o.text for o in cell.outputs if o.get("name") == "stdout"]
            found[package][name] = "".join(texts).rstrip()
    return found


def main():
    found = printed(executed())
    content = {}
    for package, texts in found.items():
        version = importlib.metadata.version(package).split("+")[0]
        content[package] = {"version": version, "printed": texts}
    with replacing(frameworks.STORED) as file:
        file.write(json.dumps(content, indent=1).encode() + b"\n")


if __name__ == "__main__":
    main()
