"""One class is held for all tests; $COURSE_HUB_STUDENTS says with how many students (default 3)."""

import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from class_session import STUDENTS, Session
from hub import ROOT, Hub

TABLE = ROOT / "build" / "hub-test.txt"


@pytest.fixture(scope="session")
def hub():
    # Not pytest's own folder: sockets and the like want a short path.
    with tempfile.TemporaryDirectory(prefix="hub-") as folder, Hub(folder) as running:
        yield running


@pytest.fixture(scope="session")
def session(hub):
    held = Session()(hub, STUDENTS)
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(held.table() + "\n")
    return held


def pytest_terminal_summary(terminalreporter):
    if TABLE.exists():
        terminalreporter.write_line(f"\n{TABLE.read_text()}")
