"""Every notebook runs from top to bottom in JupyterLab, shows what its file promises, to all."""

import json

import pytest
from accessibility import assert_accessible
from lab import NOTEBOOKS, THEMES, kind_of_output

OURS = ".jp-OutputArea-output, .jp-MarkdownOutput"  # neither JupyterLab's frame nor its editors
LINKS = ["link-in-text-block"]  # JupyterLab does not underline them
# The widgets of an appendix have tests of their own, and a minute for each is much: marked slow.
LESSONS = [
    pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if path.stem[2].isalpha() else [])
    for path in sorted(NOTEBOOKS.glob("*.ipynb"))
]


def promised_pictures(path):
    """(cell index, "image" or "widget") for each one among the outputs stored in the file."""
    return {
        (index, kind)
        for index, cell in enumerate(json.loads(path.read_text("utf-8"))["cells"])
        for kind in map(kind_of_output, cell.get("outputs", []))
        if kind
    }


@pytest.mark.parametrize("path", LESSONS)
def test_notebook_runs_and_shows_its_pictures_and_breaks_no_rule_of_wcag(path, open_notebook, axe):
    notebook = open_notebook(path.name, viewport={"width": 1400, "height": 1000})
    notebook.run_all()
    assert notebook.errors() == []
    assert notebook.pictures() >= promised_pictures(path)
    notebook.page.add_script_tag(path=axe)
    notebook.show_whole()
    for theme in THEMES:
        notebook.choose_theme(theme)
        assert_accessible(notebook.page.locator(OURS), least=40, left_out=LINKS)
