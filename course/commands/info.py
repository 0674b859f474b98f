"""Say which versions, BLAS, threads and digits are in use: what to report with a problem."""

import importlib.metadata
import os
import platform

from course import __version__, commands, idx, mnist
from course.nn import blas

LIBRARIES = ("numpy", "scipy", "numba", "matplotlib", "jupyterlab", "ipywidgets", "anywidget")


def add_arguments(parser):
    commands.add_json_option(parser)


def run(arguments):
    facts = collect()
    for name, value in facts.items():
        print(f"{name + ':':12} {value}")
    if arguments.json:
        commands.print_json(facts)


def collect():
    """Return the facts as a dict of texts."""
    facts = {
        "course": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": str(
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        ),
    }
    for name in LIBRARIES:
        try:
            facts[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            facts[name] = "not installed"
    for library in blas.libraries():
        facts.setdefault("blas", "")
        facts["blas"] += (
            f"{library['internal_api']} {library['version']} ({library['num_threads']} threads)  "
        )
    try:
        facts["digits"] = f"{mnist.load()} in {mnist.find_directory()}"
    except (OSError, idx.IdxError) as error:
        facts["digits"] = str(error)
    return facts
