"""What guards against drift, and what others build the course from, says the same everywhere."""

import json
import re
import sys
import tomllib
from pathlib import Path

import drift
import pytest
import yaml
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
WEEKLY = yaml.safe_load((ROOT / ".github/workflows/weekly.yml").read_text(encoding="utf-8"))
CONTAINER = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
TARGETS = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE)[1].split()


def test_every_week_both_ends_of_the_ranges_are_tried_everywhere():
    triggers = WEEKLY[True]  # YAML 1.1 reads the key "on" as this
    [when] = triggers["schedule"]
    assert re.fullmatch(r"\d+ \d+ \* \* [0-6]", when["cron"])
    [job] = WEEKLY["jobs"].values()
    matrix = job["strategy"]["matrix"]
    assert [system.partition("-")[0] for system in matrix["system"]] == [
        "ubuntu",
        "macos",
        "windows",
    ]
    assert matrix["packages"] == list(drift.RESOLUTIONS)
    assert job["runs-on"] == "${{ matrix.system }}" and job["strategy"]["fail-fast"] is False
    *_, python, test = job["steps"]
    assert python["with"] == {"python-version": "${{ matrix.python }}"}
    assert test == {"run": "python tests/drift.py ${{ matrix.packages }}"}


def test_every_week_the_oldest_and_the_newest_python_are_tried():
    [job] = WEEKLY["jobs"].values()
    supported = SpecifierSet(PROJECT["requires-python"])
    minors = [f"3.{minor}" for minor in range(30) if f"3.{minor}.5" in supported]
    assert job["strategy"]["matrix"]["python"] == [minors[0], minors[-1]]


def test_make_does_what_the_workflow_does():
    assert "\ntest-newest test-oldest: test-%: " in MAKEFILE
    assert "\t$(VENV)/bin/python tests/drift.py $*\n" in MAKEFILE
    assert {f"test-{kind}" for kind in drift.RESOLUTIONS} <= set(TARGETS)
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {f".venv-{kind}/" for kind in drift.RESOLUTIONS} <= set(ignored)


def test_a_kind_that_there_is_not_is_answered_with_those_that_there_are():
    for arguments in ([], ["new"], ["newest", "oldest"]):
        assert drift.main(arguments) == "python tests/drift.py newest|oldest"


@pytest.mark.parametrize("fails", [[], ["the package"], list(drift.TESTS)])
def test_all_is_run_and_what_failed_is_named(monkeypatch, capsys, fails):
    laid = []
    monkeypatch.setattr(drift, "lay", lambda *place_and_way: laid.append(place_and_way))
    monkeypatch.setattr(drift, "program", lambda folder: Path(sys.executable))
    for name in list(drift.TESTS):
        code = f"print('{name} was run'); raise SystemExit({int(name in fails)})"
        monkeypatch.setitem(drift.TESTS, name, ["-c", code])
    said = drift.main(["oldest"])
    assert laid == [(ROOT / ".venv-oldest", "lowest-direct")]
    named = f"With the oldest packages there are failures in: {', '.join(fails)}"
    assert said == (named if fails else 0)
    out = capsys.readouterr().out
    assert all(f"\n{name} was run\n" in out for name in drift.TESTS)


def test_the_container_is_set_up_like_a_clone():
    """By make, from the lock, on the Python that the conda environment has."""
    command, target = CONTAINER["postCreateCommand"].split()
    assert command == "make" and target in TARGETS
    [python] = [line for line in CONDA["dependencies"] if str(line).startswith("python=")]
    assert CONTAINER["image"] == python.replace("=", ":")
    settings = CONTAINER["customizations"]["vscode"]["settings"]
    assert settings == {"python.defaultInterpreterPath": ".venv/bin/python"}
    assert "\nVENV := .venv\n" in MAKEFILE
    assert CONTAINER["forwardPorts"] == [8888]  # JupyterLab's own choice, which make lab leaves


def test_what_others_build_the_course_from_is_in_the_readme():
    for name in ("environment.yml", "postBuild", ".devcontainer"):
        assert (ROOT / name).exists() and f"`{name}`" in README, name
    for target in ("test-newest", "test-oldest", "dist"):
        assert f"`make {target}`" in README, target
