"""The site is built once, with a Pyodide for tests, served, and opened in headless Chromium."""

import sys
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
COURSE = HERE.parents[1]
sys.path.insert(0, str(COURSE / "tests" / "browser"))  # what drives a notebook in a page

from lab import CHROMIUM, launch_chromium  # noqa: E402
from server import Server  # noqa: E402
from visitor import Visitor  # noqa: E402

FOLDER = COURSE / "build" / "site-test"


@pytest.fixture(scope="session")
def site():
    """The folder that `make site-test` has built."""
    if not (FOLDER / "index.html").is_file():
        pytest.fail(f"{FOLDER} has no site: make site-test builds it, then runs these tests")
    return FOLDER


@pytest.fixture
def server(site):
    with Server(site) as server:
        yield server


@pytest.fixture(scope="session")
def playwright():
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright):
    browser = launch_chromium(playwright)
    yield browser
    browser.close()


@pytest.fixture
def visitor(chromium, server):
    """Somebody who has never been on the site; fails at the end if another host was asked."""
    with Visitor(chromium.new_context(viewport={"width": 1200, "height": 1000}), server) as visitor:
        yield visitor
