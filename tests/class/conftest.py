"""An environment with nbgrader and the course's packages, which the tests of this folder run in."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def programs():
    """The folder of its programs: of `.venv-nbgrader`, or what COURSE_NBGRADER names."""
    found = Path(os.environ.get("COURSE_NBGRADER", ROOT / ".venv-nbgrader/bin")).absolute()
    if not (found / "nbgrader").exists():
        pytest.fail(
            f"there is no nbgrader in {found}: docs/teaching/nbgrader.md says how to install"
        )
    return found
