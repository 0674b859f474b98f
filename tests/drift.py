"""Does the course work with other packages than those of the lock, and will it next month?

    python tests/drift.py newest
    python tests/drift.py oldest

lays an environment, .venv-newest or .venv-oldest, with the newest versions in the ranges of
pyproject.toml or with the lowest, prints them, and runs in it the tests that are not marked slow,
and every notebook. Stored results are those of the lock, so cells only have to run and to keep what
they assert. The lowest version is the lowest that has a wheel for this Python and machine.
"""

import os
import subprocess
import sys
import sysconfig
import textwrap
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESOLUTIONS = {"newest": "highest", "oldest": "lowest-direct"}
TESTS = {  # what is run, by what is said of it
    "the package": ["-m", "not slow", "tests"],
    "every notebook": ["-p", "conftest", "--nbval-lax", "notebooks"],
}


def lay(folder, resolution):
    """Make the environment, with the course in it."""
    venv.create(folder, clear=True, with_pip=True, symlinks=os.name != "nt")
    versions = folder / "versions.txt"
    uv = ["-m", "uv", "pip"]
    run(folder, "-m", "pip", "install", "--quiet", "uv")
    options = ["--extra=dev", "--only-binary=:all:", "--no-annotate", "--no-header", "--quiet"]
    options += [f"--resolution={resolution}", f"--output-file={versions}"]
    run(folder, *uv, "compile", *options, "pyproject.toml", stdout=subprocess.DEVNULL)
    pins = [line for line in versions.read_text().splitlines() if "==" in line]
    print(textwrap.fill(", ".join(pins), 100, break_on_hyphens=False), flush=True)
    install = [*uv, "install", "--quiet", f"--python={program(folder)}"]
    run(folder, *install, "--only-binary=:all:", f"--requirement={versions}")
    run(folder, *install, "--no-build-isolation", "--no-deps", "--editable=.")
    run(folder, "-m", "course", "compile")
    run(folder, "-m", "course", "info")


def program(folder):
    """The Python of an environment."""
    scripts = sysconfig.get_path("scripts", scheme="venv", vars={"base": str(folder)})
    return Path(scripts, "python")


def run(folder, *arguments, **options):
    """Run the environment's Python; raises CalledProcessError where that fails."""
    python = program(folder)
    surroundings = os.environ | {
        "COURSE_DATA_DIR": str(ROOT / "data" / "sample"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "NUMBA_CACHE_DIR": str(folder / "machine-code"),  # that of .venv is of another Numba
        "PATH": os.pathsep.join([str(python.parent), os.environ["PATH"]]),  # for a notebook's "!"
        "PYTHONPATH": str(ROOT / "tests"),  # where notebooks alone find conftest.py, by its name
    }
    subprocess.run([python, *arguments], cwd=ROOT, env=surroundings, check=True, **options)


def test(folder):
    """Run all TESTS; returns the names of those that failed."""
    failed = []
    for name, arguments in TESTS.items():
        try:
            run(folder, "-m", "pytest", *arguments)
        except subprocess.CalledProcessError:
            failed.append(name)
    return failed


def main(arguments):
    if len(arguments) != 1 or arguments[0] not in RESOLUTIONS:
        return f"python tests/drift.py {'|'.join(RESOLUTIONS)}"
    [kind] = arguments
    folder = ROOT / f".venv-{kind}"
    try:
        lay(folder, RESOLUTIONS[kind])
    except subprocess.CalledProcessError as error:
        return f"The {kind} packages cannot be installed: {error}"
    if failed := test(folder):
        return f"With the {kind} packages there are failures in: {', '.join(failed)}"
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
