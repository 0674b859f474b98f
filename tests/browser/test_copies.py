"""What JupyterLab makes of a copy when it saves it, and what the course still knows of it then."""

import pytest
from lab import NOTEBOOKS, PANEL

from course.commands import lessons

NAME = "01-idx.ipynb"


def save(notebook):
    notebook.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")


@pytest.mark.parametrize(("typed", "state"), [("", lessons.RENEWED), ("# mine", lessons.OUTDATED)])
def test_a_copy_that_was_run_is_renewed_and_one_that_was_changed_is_kept(
    jupyterlab, open_notebook, tmp_path, typed, state
):
    copy = jupyterlab.folder / "notebooks" / "copy.ipynb"
    copy.unlink(missing_ok=True)
    assert lessons.lay(NOTEBOOKS / NAME, copy) == lessons.NEW
    notebook = open_notebook(copy.name)
    notebook.run_cell(1)
    notebook.page.evaluate("() => jupyterapp.commands.execute('notebook:insert-cell-below')")
    notebook.page.evaluate(
        f"typed => {PANEL}.content.activeCell.model.sharedModel.setSource(typed)", typed
    )
    laid = copy.read_bytes()
    save(notebook)
    assert copy.read_bytes() != laid
    newer = tmp_path / NAME
    newer.write_text((NOTEBOOKS / NAME).read_text("utf-8").replace("# 01 ·", "# 1 ·", 1), "utf-8")
    assert lessons.lay(newer, copy) == state
