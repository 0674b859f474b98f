"""Every notebook runs from top to bottom in JupyterLab and shows what its file promises."""

import json

import pytest
from lab import NOTEBOOKS, kind_of_output


def promised_pictures(path):
    """(cell index, "image" or "widget") for each one among the outputs stored in the file."""
    return {
        (index, kind)
        for index, cell in enumerate(json.loads(path.read_text("utf-8"))["cells"])
        for kind in map(kind_of_output, cell.get("outputs", []))
        if kind
    }


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebook_runs_and_shows_its_pictures(path, open_notebook):
    notebook = open_notebook(path.name)
    notebook.run_all()
    assert notebook.errors() == []
    assert notebook.pictures() >= promised_pictures(path)
