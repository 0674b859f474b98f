"""What is published: a wheel and an archive of sources, whole, and enough without a clone."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from course import __version__, places

BUILT_FROM = [
    "pyproject.toml",
    "setup.py",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
    "course",
    "data",
    "logs",
]
SHIPPED = [
    *(f"data/sample/{path.name}" for path in (places.CLONE / "data/sample").glob("*.gz")),
    *(f"logs/{path.name}" for path in (places.CLONE / "logs").iterdir() if path.is_file()),
]
BUILD = "import sys; from setuptools import build_meta as b; b.build_{}(sys.argv[1])"
LOGS = """
from course import records
from course.benchmark import report
print(records.__file__, len(records.reference_logs()))
print(len(report.read(records.logs_folder() / "bench.json")["results"]) > 0)
"""


def run(*command, **options):
    """Its standard output; fails with all that it said if it does."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


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


@pytest.fixture(scope="module")
def built(source, tmp_path_factory):
    """A folder with the wheel and the archive of the sources."""
    folder = tmp_path_factory.mktemp("built")
    for kind in ("sdist", "wheel"):
        run(sys.executable, "-c", BUILD.format(kind), folder, cwd=source)
    return folder


@pytest.fixture
def empty(tmp_path):
    """A new environment, as (its Python, its site-packages): the packages of this one are there, so
    that nothing has to be fetched, but not the course, which an editable install adds by a file."""
    venv.create(tmp_path / "environment", with_pip=False, symlinks=os.name != "nt")
    paths = sysconfig.get_paths(vars={"base": tmp_path / "environment"}, scheme="venv")
    packages = Path(paths["purelib"])
    (packages / "packages.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return next(Path(paths["scripts"]).glob("python*")), packages


@pytest.mark.slow
def test_the_wheel_has_the_digits_and_the_logs(built):
    [wheel] = built.glob(f"networks_by_hand-{__version__}-py3-none-any.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in names if "/shipped/" in name} == {
        f"course/shipped/{name}" for name in SHIPPED
    }
    assert {name.partition("/")[0] for name in names} == {
        "course",
        f"networks_by_hand-{__version__}.dist-info",
    }


@pytest.mark.slow
def test_the_archive_of_the_sources_has_them_too(built):
    [archive] = built.glob(f"networks_by_hand-{__version__}.tar.gz")
    with tarfile.open(archive) as sources:
        names = {name.partition("/")[2] for name in sources.getnames()}
    assert names >= {*SHIPPED, "setup.py", "pyproject.toml"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["whl", "tar.gz"])
def test_installed_without_a_clone_nothing_is_missing(built, empty, tmp_path, kind):
    [published] = built.glob(f"*.{kind}")
    python, packages = empty
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    run(sys.executable, "-m", "pip", "--python", python, "install", *options, published)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COURSE_", "PYTHON"))}
    options = {"cwd": elsewhere, "env": kept | {"HOME": str(elsewhere)}}

    [program] = python.parent.glob("course*")  # course.exe on Windows
    said = run(program, "info", **options)
    assert re.search(rf"^ok  course +{re.escape(__version__)}$", said, re.MULTILINE)
    digits = "the sample: 4,000 training and 1,000 test digits, checksums right"
    assert re.search(rf"^ok  digits +{digits}$", said, re.MULTILINE)
    assert said.splitlines()[-1] == "Everything is in place."
    assert run(python, "-c", LOGS, **options).splitlines() == [
        f"{packages / 'course' / 'records.py'} 4",
        "True",
    ]
