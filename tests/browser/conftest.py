"""One JupyterLab and one browser for all tests; a page of its own for each notebook opened."""

import shutil
import subprocess

import pytest
from accessibility import AXE, fetch_axe
from canvas import NAME, Canvas
from lab import CHROMIUM, NOTEBOOKS, JupyterLab, Notebook, launch_chromium
from playwright.sync_api import sync_playwright


@pytest.fixture(scope="session")
def jupyterlab(tmp_path_factory):
    """A server on a copy of the notebooks, so that nothing in the tree is written to."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copytree(NOTEBOOKS, folder / "notebooks")
    with JupyterLab(folder) as server:
        yield server


@pytest.fixture(scope="session")
def chromium():
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        yield browser
        browser.close()


@pytest.fixture
def open_notebook(jupyterlab, chromium):
    """Function: name of a notebook (and options of Playwright's new_context) -> Notebook."""
    opened = []

    def open_notebook(name, theme="light", **options):
        options = {"viewport": {"width": 1100, "height": 1000}, **options}
        page = chromium.new_context(**options).new_page()
        opened.append(Notebook(page, jupyterlab, f"notebooks/{name}", theme=theme))
        return opened[-1]

    yield open_notebook
    for notebook in opened:
        notebook.close()


@pytest.fixture
def open_canvas(jupyterlab, open_notebook):
    """Function: options of `open_notebook` -> Canvas, with a kernel of its own."""

    def open_canvas(**options):
        folder = jupyterlab.folder / "notebooks"
        shutil.copy(folder / NAME, folder / "fresh.ipynb")
        notebook = open_notebook("fresh.ipynb", **options)
        ids = [cell["id"] for cell in notebook.cells]
        for name in ("setup", "readers", "draw"):
            notebook.run_cell(ids.index(name))
        return Canvas(notebook)

    return open_canvas


@pytest.fixture(scope="session")
def axe(tmp_path_factory):
    """The path of axe-core's one file."""
    if shutil.which("npm") is None:
        pytest.skip("there is no npm to fetch axe-core with (it comes with Node.js)")
    try:
        return fetch_axe(tmp_path_factory.mktemp("axe"))
    except subprocess.SubprocessError as error:
        pytest.skip(f"{AXE} could not be fetched: {(error.stderr or str(error)).strip()[-200:]}")
