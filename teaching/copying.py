"""Copies of this repository: what git knows of it, with the content that it has now."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"


class CopyError(Exception):
    """A copy that is not made; its text says why."""


def files():
    """The paths of all files that git knows and that are there, relative to ROOT."""
    try:
        found = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
        )
    except (OSError, subprocess.CalledProcessError):
        raise CopyError("git has to say which files belong to the course, and does not") from None
    names = [name for name in found.stdout.split("\0") if name]
    return [Path(name) for name in names if (ROOT / name).is_file()]


def copy(paths, target):
    """Copy files of ROOT into a folder that is emptied first."""
    shutil.rmtree(target, ignore_errors=True)
    for path in paths:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target / path)


def main(whose, about, write, said):
    """Write the copy for `whose` ("student"), as `make` of that name does; returns the exit code.

    `about` describes the command, `write(target)` does it, and `said` is printed of the copy.
    """
    parser = argparse.ArgumentParser(prog=f"make {whose}", description=about)
    parser.add_argument("--out", metavar="FOLDER", type=Path, default=BUILD / whose)
    target = parser.parse_args().out.resolve()
    try:
        write(target)
    except CopyError as error:
        print(f"The copy for {whose}s is not written:\n{error}", file=sys.stderr)
        return 1
    print(f"{os.path.relpath(target)} is the copy for {whose}s: {said}")
    return 0
