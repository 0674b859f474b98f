"""course.places: what comes with the course is found, and what a learner makes is kept."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest

from course import places, progress, records
from course.models import shelf

BUILT_FROM = ["pyproject.toml", "setup.py", "README.md", "LICENSE", "course", "data", "logs"]
SHIPPED = [
    *(f"data/sample/{path.name}" for path in (places.CLONE / "data/sample").glob("*.gz")),
    *(f"logs/{path.name}" for path in (places.CLONE / "logs").iterdir() if path.is_file()),
]


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


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of what the package is built from: building leaves files behind."""
    folder = tmp_path_factory.mktemp("source")
    ignored = shutil.ignore_patterns("__pycache__", "mine")
    for name in BUILT_FROM:
        if (places.CLONE / name).is_dir():
            shutil.copytree(places.CLONE / name, folder / name, ignore=ignored)
        else:
            shutil.copy(places.CLONE / name, folder)
    return folder


def pip(*arguments):
    command = [sys.executable, "-m", "pip", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_an_installed_package_has_its_digits_and_its_logs(source, tmp_path):
    pip("wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", tmp_path, source)
    (wheel,) = tmp_path.glob("course-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name for name in names if "/shipped/" in name} == {
        f"course/shipped/{name}" for name in SHIPPED
    }
    pip("install", "--no-deps", "--target", tmp_path / "installed", wheel)
    (tmp_path / "empty").mkdir()
    code = """
from course import mnist, records
from course.benchmark import report
print(mnist.load().source, mnist.find_directory(), len(records.reference_logs()))
print(len(report.read(records.logs_folder() / "bench.json")["results"]) > 0)
"""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COURSE_")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path / "empty",
        env=environment | {"PYTHONPATH": str(tmp_path / "installed"), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    sample = tmp_path / "installed/course/shipped/data/sample"
    assert done.stdout.splitlines() == [f"the sample {sample} 4", "True"], done.stderr


@pytest.mark.slow
def test_the_archive_of_the_sources_has_them_too(source, tmp_path):
    code = "from setuptools.build_meta import build_sdist; import sys; build_sdist(sys.argv[1])"
    command = [sys.executable, "-c", code, str(tmp_path)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as sources:
        names = {name.partition("/")[2] for name in sources.getnames()}
    assert names >= {*SHIPPED, "setup.py", "pyproject.toml"}
