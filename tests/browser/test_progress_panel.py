"""The panel of progress in a page: brought up to date, read, and a way to other lessons."""

import pytest
from accessibility import assert_accessible
from lab import PANEL, THEMES

from course.progress import Progress

SETUP = "from course.widgets.progress_panel import ProgressPanel"
GONE = "The kernel was restarted or is gone: run this cell again."
ONE, ALL = 1, 2  # the cells of the two panels


@pytest.fixture
def open_panels(open_notebook, tmp_path):
    """Function: options of `open_notebook` -> a notebook with the panels of one and all lessons."""

    def open_panels(**options):
        notebook = open_notebook("01-idx.ipynb", **options)
        notebook.replace_cells(
            SETUP,
            f'ProgressPanel("02-mlp", {str(tmp_path)!r})',
            f"ProgressPanel(None, {str(tmp_path)!r})",
        )
        notebook.run_all()
        return notebook

    return open_panels


def pass_exercise(folder, name="step"):
    Progress("02-mlp", folder).keep("exercises", name, {"status": "passed"})


def test_a_button_brings_it_up_to_date(open_panels, tmp_path):
    notebook = open_panels()
    one = notebook.cell(ONE).locator(".progress-panel")
    one.get_by_text("0 of 4 passed").wait_for()
    pass_exercise(tmp_path)
    refresh = one.get_by_role("button", name="Refresh")
    refresh.focus()
    notebook.page.keyboard.press("Enter")
    one.get_by_text("1 of 4 passed").wait_for()
    one.get_by_text("Up to date at ").wait_for()
    assert one.get_by_role("listitem").first.inner_text() == "step: passed"
    assert refresh.evaluate("button => button === document.activeElement")
    assert notebook.errors() == []


def test_it_is_up_to_date_whenever_it_comes_into_view(open_panels, tmp_path):
    notebook = open_panels()
    row = notebook.cell(ALL).get_by_role("row").filter(has_text="02-mlp")
    row.get_by_text("0 of 4 passed").wait_for()
    outer = notebook.page.locator(".progress-panel").last
    outer.evaluate("root => { root.style.display = 'none' }")
    notebook.page.wait_for_timeout(100)
    pass_exercise(tmp_path)
    outer.evaluate("root => { root.style.display = '' }")
    row.get_by_text("1 of 4 passed").wait_for()


def test_a_link_opens_the_lesson_in_a_tab_beside_this_one(open_panels):
    notebook = open_panels()
    notebook.cell(ALL).get_by_role("link", name="03-cnn").click()
    notebook.page.wait_for_function(f"{PANEL}?.context?.path === 'notebooks/03-cnn.ipynb'")
    opened = notebook.page.evaluate("() => [...jupyterapp.shell.widgets('main')].length")
    assert opened == 2


def test_it_says_that_the_kernel_is_gone(open_panels):
    notebook = open_panels()
    notebook.end_kernel()
    notebook.cell(ONE).get_by_text(GONE).wait_for()
    assert notebook.cell(ONE).get_by_role("link", name="03-cnn").is_visible()


@pytest.mark.parametrize("theme", THEMES)
def test_no_rule_of_wcag_is_broken(theme, open_panels, axe, tmp_path):
    (tmp_path / "05-xor.json").write_text("{")
    notebook = open_panels(theme=theme, viewport={"width": 1100, "height": 2000})
    pass_exercise(tmp_path)
    notebook.page.add_script_tag(path=axe)
    assert notebook.cell(ONE).get_by_text("is damaged").is_visible()
    assert_accessible(notebook.cell(ONE).locator(".progress-panel"), least=8)
    assert_accessible(notebook.cell(ALL).locator(".progress-panel"), least=40)
