"""Does the course work with other packages than those of the lock, and will it next month?

    python tests/drift.py newest
    python tests/drift.py oldest

lays an environment, .venv-newest or .venv-oldest, with the newest versions in the ranges of
pyproject.toml or with the lowest, prints them, and runs in it the tests that are not marked slow,
and every notebook. Stored results are those of the lock, so cells only have to run and to keep what
they assert. The lowest version is the lowest that has a wheel for this Python and machine.
"""

import contextlib
import os
import subprocess
import sys
import sysconfig
import tempfile
import textwrap
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESOLUTIONS = {"newest": "highest", "oldest": "lowest-direct"}
TESTS = {  # what is run, by what is said of it
    "the package": ["-m", "pytest", "-m", "not slow", "tests"],
    "every notebook": ["-m", "pytest", "-p", "conftest", "--nbval-lax", "notebooks"],
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
    if code := start(folder, *arguments, **options).wait():
        raise subprocess.CalledProcessError(code, arguments)


def start(folder, *arguments, **options):
    """Start the environment's Python, and return the process."""
    python = program(folder)
    surroundings = os.environ | {
        "COURSE_DATA_DIR": str(ROOT / "data" / "sample"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "NUMBA_CACHE_DIR": str(folder / "machine-code"),  # that of .venv is of another Numba
        "PATH": os.pathsep.join([str(python.parent), os.environ["PATH"]]),  # for a notebook's "!"
        "PYTHONPATH": str(ROOT / "tests"),  # where notebooks alone find conftest.py, by its name
    }
    return subprocess.Popen([python, *arguments], cwd=ROOT, env=surroundings, **options)


def test(folder):
    """Run all TESTS at the same time; returns the names of those that failed.

    What they say is printed one after the other.
    """
    with contextlib.ExitStack() as stack:
        running = {}
        for name, arguments in TESTS.items():
            said = stack.enter_context(tempfile.TemporaryFile())
            process = start(folder, *arguments, stdout=said, stderr=subprocess.STDOUT)
            running[name] = said, process
        failed = []
        for name, (said, process) in running.items():
            if process.wait():
                failed.append(name)
            said.seek(0)
            sys.stdout.buffer.write(f"\n{name}\n".encode() + said.read())
            sys.stdout.flush()
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
