"""course.environment: what is right is found right, and each thing wrong is named with its cure."""

import importlib.metadata
import json
import os
import platform
import re
import shutil
import sys

import numpy as np
import pytest

import course
from course import environment, idx, mnist
from course.environment import HERE
from course.nn import compiled


def test_nothing_is_wrong_here():
    report = environment.check()
    assert report.verdict == environment.GOOD and not report.problems
    lines = str(report).splitlines()
    assert lines[0] == f"ok  course    {course.__version__}"
    assert lines[1] == f"ok  Python    {platform.python_version()}"
    assert f"numpy {np.__version__}" in str(report)
    assert re.search(r"machine   .*, \d+ cores", str(report)) and "BLAS" in str(report)
    assert lines[-1].startswith("ok  digits    ") and lines[-1].endswith("checksums right")
    assert max(map(len, lines)) <= 88


@pytest.mark.parametrize("version", ["3.10.9", "3.15.0"])
def test_python_that_is_too_old_or_too_new(monkeypatch, version):
    monkeypatch.setattr(environment, "python_range", lambda: "<3.15,>=3.11")
    monkeypatch.setattr(platform, "python_version", lambda: version)
    report = environment.check()
    assert [problem.name for problem in report.problems] == ["Python"]
    assert f"!!  Python    {version}, but the course needs <3.15,>=3.11" in str(report)
    assert "make setup" in report.verdict


@pytest.mark.parametrize("version", ["3.11.0", "3.12.0+", "3.14.0rc1"])
def test_python_that_is_right(monkeypatch, version):
    monkeypatch.setattr(environment, "python_range", lambda: "<3.15,>=3.11")
    monkeypatch.setattr(platform, "python_version", lambda: version)
    assert environment.check_python() == environment.Finding("Python", version)


def test_ranges_are_those_of_the_project():
    assert environment.python_range().startswith(("<3", ">=3.11"))
    assert any(requirement.startswith("numpy") for requirement in environment.requirements())


def test_packages_that_are_missing_or_have_drifted(monkeypatch):
    wanted = ["no-such-thing>=1", "numpy<1", "scipy>=1", "torch; extra == 'dev'"]
    monkeypatch.setattr(environment, "requirements", lambda: wanted)
    (problem,) = environment.check().problems
    version = importlib.metadata.version("numpy")
    assert problem.found == f"no-such-thing is missing; numpy {version} is not <1"
    assert "make setup" in problem.advice


def test_facts_are_what_the_report_says_with_each_package_by_its_name(monkeypatch):
    monkeypatch.setattr(environment, "requirements", lambda: ["no-such-thing>=1", "numpy>=1"])
    report = environment.check()
    facts = report.facts
    assert (facts["no-such-thing"], facts["numpy"]) == (None, np.__version__)
    assert facts["python"] == platform.python_version() and 1 <= facts["cores"] <= os.cpu_count()
    (problem,) = facts["problems"]
    assert problem == {
        "name": "packages",
        "found": "no-such-thing is missing",
        "advice": environment.SET_UP_AGAIN,
    }
    assert json.loads(json.dumps(facts)) == facts


def test_here_tells_a_browser_from_a_machine(monkeypatch):
    assert HERE.browser == (sys.platform == "emscripten")
    monkeypatch.setattr(sys, "platform", "emscripten")
    assert HERE.browser


@pytest.mark.parametrize(
    "has_numba, number, line",
    [
        (True, 3, "ok  loops     compiled by Numba"),
        (False, 1, "ok  loops     computes with NumPy: Numba is not available here"),
    ],
)
def test_here_scales_what_is_not_compiled(monkeypatch, has_numba, number, line):
    monkeypatch.setattr(compiled, "HAS_NUMBA", has_numba)
    assert HERE.compiled == has_numba and HERE.scaled(3, 1) == number
    assert line in str(environment.check()).splitlines()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of the sample, to be damaged."""
    folder = tmp_path / "digits"
    shutil.copytree(mnist.CLONE_DATA / "sample", folder)
    monkeypatch.setenv("COURSE_DATA_DIR", str(folder))
    return folder


def test_digits_that_are_not_there(folder):
    shutil.rmtree(folder)
    report = environment.check()
    assert "!!  digits    cannot be read" in str(report)
    assert str(folder) in report.verdict and "$COURSE_DATA_DIR" in report.verdict


def test_digits_that_are_damaged(folder):
    path = folder / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-100])
    report = environment.check()
    assert "digits    cannot be read" in str(report)
    assert path.name in report.verdict and "git restore" in report.verdict


def test_digits_with_other_pixels(folder):
    path = folder / "t10k-images-idx3-ubyte.gz"
    idx.write(path, np.zeros((1000, 28, 28), np.uint8))
    report = environment.check()
    assert "t10k-images-idx3-ubyte is not of MNIST" in str(report)
    assert "git restore" in report.verdict


def test_ones_own_digits_are_not_an_error(folder):
    idx.write(folder / "train-labels-idx1-ubyte.gz", np.arange(4000).astype(np.uint8) % 10)
    report = environment.check()
    assert report.verdict == environment.GOOD
    assert "other digits: 4,000 training and 1,000 test digits" in str(report)
