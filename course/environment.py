"""Is everything in place? What lesson 00 asks before anything else, and `python -m course info`.

What the course needs may be missing, so the packages are imported only where they are looked at.
"""

import importlib.metadata
import os
import platform
import sys
import textwrap
from dataclasses import dataclass

from course import __version__
from course.nn.errors import CourseError

DISTRIBUTION = "networks-by-hand"  # what is installed, by the name in pyproject.toml
GOOD = "Everything is in place."
SET_UP_AGAIN = (
    "run `make setup` in the folder of the course (or `python -m pip install --require-hashes "
    "-r requirements.lock` and `python -m pip install --no-build-isolation --no-deps -e .`), then "
    "restart the kernel"
)
REPLACE_DIGITS = (
    "get the files again: `git restore data/sample` for the course's sample, "
    "`python -m course data --download` for full MNIST"
)


class Here:
    """What can be done where the course runs: lessons ask it how much they may compute."""

    @property
    def compiled(self):
        """Whether loops are compiled (Numba), and not replaced by operations on whole arrays."""
        from course.nn import compiled

        return compiled.HAS_NUMBA

    @property
    def browser(self):
        """Whether Python runs in a web page: no threads, no other processes, no downloads."""
        return sys.platform == "emscripten"

    def scaled(self, number, without):
        """`number` where loops are compiled; elsewhere the smaller one that is bearable there."""
        return number if self.compiled else without


HERE = Here()


@dataclass(frozen=True)
class Finding:
    """What was looked at, what was found, and if that is not right: what to do."""

    name: str
    found: str
    advice: str = ""
    facts: dict | None = None  # name to value, where programs want more than `found`


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

    @property
    def facts(self):
        """The same for programs: a dict from name to what was found, and the list of problems."""
        facts = {}
        for finding in self.findings:
            facts |= finding.facts or {finding.name.lower(): finding.found}
        keys = ("name", "found", "advice")
        return facts | {"problems": [{key: getattr(p, key) for key in keys} for p in self.problems]}

    def __repr__(self):
        lines = []
        for finding in self.findings:
            start = f"{'!!' if finding.advice else 'ok'}  {finding.name:10}"
            lines += textwrap.wrap(
                start + finding.found,
                88,
                subsequent_indent=" " * len(start),
                break_long_words=False,  # so that a path can be copied
                break_on_hyphens=False,
            )
        return "\n".join(lines)


def check():
    """Look at Python, the packages, the machine and the digits; returns a Report."""
    looks = {
        "Python": check_python,
        "packages": check_packages,
        "machine": check_machine,
        "loops": check_loops,
        "BLAS": check_blas,
        "digits": check_digits,
    }
    findings = [Finding("course", __version__)]
    for name, look in looks.items():
        try:
            findings.append(look())
        except ImportError as error:  # also of the course itself, where it is not installed
            findings.append(Finding(name, f"cannot be looked at: {error}", SET_UP_AGAIN))
    return Report(findings)


def check_python():
    """Whether the course runs on this version of Python."""
    from packaging.specifiers import SpecifierSet

    wanted, version = python_range(), platform.python_version()
    released = version.rstrip("+")  # a build from between two releases has a "+"
    if SpecifierSet(wanted).contains(released, prereleases=True):
        return Finding("Python", version)
    return Finding("Python", f"{version}, but the course needs {wanted}", SET_UP_AGAIN)


def check_packages():
    """Whether every package that the course needs is there, in a version that it was made for."""
    from packaging.requirements import Requirement

    versions, wrong = {}, []
    for requirement in map(Requirement, requirements()):
        name = requirement.name
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
            wrong.append(f"{name} is missing")
            continue
        if not requirement.specifier.contains(versions[name], prereleases=True):
            wrong.append(f"{name} {versions[name]} is not {requirement.specifier}")
    if wrong:
        return Finding("packages", "; ".join(wrong), SET_UP_AGAIN, versions)
    found = ", ".join(f"{name} {version}" for name, version in versions.items())
    return Finding("packages", found, facts=versions)


def check_machine():
    """What it runs on, and how many cores it may use."""
    system = f"{platform.system()} {platform.machine()}"
    limited = hasattr(os, "sched_getaffinity")  # as in a container
    cores = len(os.sched_getaffinity(0)) if limited else os.cpu_count()
    return Finding("machine", f"{system}, {cores} cores", facts={"system": system, "cores": cores})


def check_loops():
    """What the loops of the course run as."""
    if HERE.compiled:
        return Finding("loops", "compiled by Numba")
    return Finding("loops", "computes with NumPy: Numba is not available here")


def check_blas():
    """Which libraries compute the products of matrices: NumPy's, and SciPy's that the course uses.

    None is listed on a Mac whose packages use Apple's own.
    """
    from course.nn import blas

    found = [
        f"{library['internal_api']} {library['version']} ({library['num_threads']} threads, "
        f"{library.get('architecture', 'any processor')})"
        for library in blas.libraries()
    ]
    return Finding("BLAS", ", ".join(found) or "the system's own")


def check_digits():
    """Whether there are digits to read, and whether they are what they should be."""
    from course import mnist

    try:
        digits, files = mnist.load(), mnist.status()
    except (OSError, CourseError) as error:
        return Finding("digits", "cannot be read", str(error).rstrip("."))
    if digits.source.startswith("other"):
        return Finding("digits", f"{digits}, not those of MNIST: your own?")
    if damaged := [file for file in files if file.problem]:
        found = "; ".join(f"{file.name} is {file.problem}" for file in damaged)
        return Finding("digits", found, REPLACE_DIGITS)
    return Finding("digits", f"{digits}, checksums right")


def python_range():
    """The versions of Python that the course runs on, as pyproject.toml has it."""
    return importlib.metadata.metadata(DISTRIBUTION)["Requires-Python"]


def requirements():
    """The packages that the course needs, as pyproject.toml has them."""
    return importlib.metadata.requires(DISTRIBUTION)
