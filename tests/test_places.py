"""course.places: what comes with the course is found, and what a learner makes is kept."""

import os
import sys

import pytest

from course import places, progress, records
from course.models import shelf


@pytest.fixture
def unset(monkeypatch):
    for name in ("PROGRESS", "MODELS", "LOGS", "DATA"):
        monkeypatch.delenv(f"COURSE_{name}_DIR", raising=False)


@pytest.mark.usefixtures("unset")
def test_in_a_browser_what_is_the_learner_s_lies_beside_the_notebook(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.chdir(tmp_path)
    assert progress.directory() == tmp_path / "progress"
    assert shelf.directory() == tmp_path / "models"
    assert records.own_logs_folder() == tmp_path / "logs" / "mine"


@pytest.mark.usefixtures("unset")
def test_a_read_only_clone_or_none_leaves_the_home_folder(tmp_path, monkeypatch):
    assert places.own("progress", "COURSE_PROGRESS_DIR") in (
        places.CLONE / "progress",
        places.USERS_OWN / "progress",
    )
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert places.own("progress", "COURSE_PROGRESS_DIR") == places.USERS_OWN / "progress"
    monkeypatch.undo()
    monkeypatch.setattr(places, "CLONE", tmp_path)
    assert records.own_logs_folder() == places.USERS_OWN / "logs" / "mine"
    assert places.shipped("logs") == places.PACKAGE / "shipped" / "logs"
