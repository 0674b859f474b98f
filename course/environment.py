"""Is everything in place? What lesson 00 asks before anything else."""

import importlib.metadata
import platform
import textwrap
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from course import idx, mnist

GOOD = "Everything is in place."
SET_UP_AGAIN = (
    "run `make setup` in the folder of the course (or `python -m pip install -c requirements.lock "
    "-e .`), then restart the kernel"
)
REPLACE_DIGITS = (
    "get the files again: `git restore data/sample` for the course's sample, "
    f"`{mnist.HOW_TO_DOWNLOAD}` for full MNIST"
)


@dataclass(frozen=True)
class Finding:
    """What was looked at, what was found, and if that is not right: what to do."""

    name: str
    found: str
    advice: str = ""


@dataclass(frozen=True, repr=False)
class Report:
    """All findings, one below the other when printed, and the verdict on them."""

    findings: list

    @property
    def problems(self):
        return [finding for finding in self.findings if finding.advice]

    @property
    def verdict(self):
        """GOOD, or for each problem what to do."""
        return "\n".join(f"{p.name}: {p.advice}." for p in self.problems) or GOOD

    def __repr__(self):
        lines = []
        for finding in self.findings:
            start = f"{'!!' if finding.advice else 'ok'}  {finding.name:10}"
            lines += textwrap.wrap(start + finding.found, 88, subsequent_indent=" " * len(start))
        return "\n".join(lines)


def check():
    """Look at Python, the packages and the digits; returns a Report."""
    return Report([check_python(), check_packages(), check_digits()])


def check_python():
    """Whether the course runs on this version of Python."""
    wanted, version = python_range(), platform.python_version()
    released = version.rstrip("+")  # a build from between two releases has a "+"
    if SpecifierSet(wanted).contains(released, prereleases=True):
        return Finding("Python", version)
    return Finding("Python", f"{version}, but the course needs {wanted}", SET_UP_AGAIN)


def check_packages():
    """Whether every package that the course needs is there, in a version that it was made for."""
    versions, wrong = [], []
    for requirement in map(Requirement, requirements()):
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        versions.append(f"{requirement.name} {version}")
        if not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{versions[-1]} is not {requirement.specifier}")
    if wrong:
        return Finding("packages", "; ".join(wrong), SET_UP_AGAIN)
    return Finding("packages", ", ".join(versions))


def check_digits():
    """Whether there are digits to read, and whether they are what they should be."""
    try:
        digits, files = mnist.load(), mnist.status()
    except (OSError, idx.IdxError) as error:
        return Finding("digits", "cannot be read", str(error).rstrip("."))
    if digits.source == "other digits":
        return Finding("digits", f"{digits}, not those of MNIST: your own?")
    if damaged := [file for file in files if file.problem]:
        found = "; ".join(f"{file.name} is {file.problem}" for file in damaged)
        return Finding("digits", found, REPLACE_DIGITS)
    return Finding("digits", f"{digits}, checksums right")


def python_range():
    """The versions of Python that the course runs on, as pyproject.toml has it."""
    return importlib.metadata.metadata("course")["Requires-Python"]


def requirements():
    """The packages that the course needs, as pyproject.toml has them."""
    return importlib.metadata.requires("course")
