"""The site is built once, with a Pyodide for tests, served, and opened in headless Chromium."""

import sys
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

# what drives a notebook in a page
sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))
sys.path.insert(0, str(Path(__file__).parents[2] / "site"))  # what builds the site

from lab import CHROMIUM, launch_chromium
from server import Server
from visitor import COURSE, Visitor

FOLDER = COURSE / "build" / "site-test"
NO_OTHER_HOST = "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
REPORT = COURSE / "build" / "site-test.txt"


@pytest.fixture(scope="session")
def site():
    """The folder that `make site-test` has built."""
    if not (FOLDER / "index.html").is_file():
        pytest.fail(f"{FOLDER} has no site: make site-test builds it, then runs these tests")
    return FOLDER


@pytest.fixture
def server(site):
    """A server for one test, which may count, and stop it."""
    with Server(site) as server:
        yield server


@pytest.fixture(scope="session")
def shared_server(site):
    with Server(site) as server:
        yield server


@pytest.fixture(scope="session")
def measured():
    """The lines of the report; added to build/site-test.txt at the end."""
    lines = []
    yield lines
    with open(REPORT, "a") as file:
        file.writelines(f"{line}\n" for line in lines)


@pytest.fixture
def report(measured, capsys):
    """Function: a line of what was measured, which is printed at once and kept."""

    def report(line):
        measured.append(line)
        with capsys.disabled():
            print(f"\n{line}", end="")

    return report


@pytest.fixture(scope="session")
def playwright():
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright):
    browser = launch_chromium(playwright, f"--host-resolver-rules={NO_OTHER_HOST}")
    yield browser
    browser.close()


@pytest.fixture
def visitor(chromium, server):
    """Somebody who has never been on the site; fails at the end if another host was asked."""
    with Visitor(chromium.new_context(viewport={"width": 1200, "height": 1000}), server) as visitor:
        yield visitor
