"""The lessons in JupyterLite: a JupyterLab whose server and kernel are in the reader's browser."""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pyodide_folder
import wheels

from course import copies

HERE = Path(__file__).parent
COURSE = HERE.parent
KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"
# What the kernel needs to start. JupyterLite would otherwise find them one after the other, with
# pip; and it would load ssl, 2 MB for connections that a page cannot make.
START = ["micropip", "piplite", "sqlite3", "ipykernel", "comm", "pyodide_kernel", "jedi", "ipython"]
OMITTED = ["ssl"]
PACKAGES = "packages.json"  # what site/pyodide.js reads
AHEAD = ["numpy", "openblas", "scipy", "matplotlib", "pillow"]
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {
        "checkForUpdates": False,
        "fetchNews": "false",
    }
}


def build(out):
    """Build JupyterLite with the course into the folder `out`, which is made.

    It loads Pyodide from its public address; `carry_pyodide` changes that.
    """
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary)  # nothing of an earlier run is in it
        lay_contents(source / "contents")
        (source / "jupyter-lite.json").write_text(json.dumps(configuration(), indent=1))
        (source / "overrides.json").write_text(json.dumps(SETTINGS))
        subprocess.run(
            [
                *(sys.executable, "-m", "jupyterlite_core", "build", "--apps=lab"),
                *("--no-sourcemaps", "--no-unused-shared-packages"),
                *(f"--lite-dir={source}", f"--contents={source / 'contents'}"),
                *(f"--settings-overrides={source / 'overrides.json'}", f"--output-dir={out}"),
            ],
            check=True,
            cwd=source,
        )
    (out / "service-worker.js").rename(out / "jupyterlite-service-worker.js")
    for name in ("pyodide.js", "fresh.html", "fresh.js"):
        shutil.copy(HERE / name, out)
    packages = {"pyodide": pyodide_folder.ADDRESS, "ahead": AHEAD, "omitted": OMITTED}
    packages["packages"] = wheels.collect(out / "wheels")
    (out / PACKAGES).write_text(json.dumps(packages, indent=1))
    lay_service_worker(out)


def carry_pyodide(out, folder):
    """Copy Pyodide from `folder`, as far as the course needs it, into what `build` has built."""
    packages = json.loads((out / PACKAGES).read_text())
    asked = [*START, *AHEAD]
    pyodide_folder.copy(folder, out / "pyodide", packages["packages"], asked)
    packages["pyodide"] = "./pyodide/"
    (out / PACKAGES).write_text(json.dumps(packages, indent=1))
    lay_service_worker(out)


def lay_service_worker(out):
    """Put ours, which keeps files for a visit without a network, before JupyterLite's own.

    files.json lists what it fetches by itself. Pyodide and the wheels come when they are needed.
    """
    own, listing = out / "service-worker.js", out / "files.json"
    paths = sorted(path for path in out.rglob("*") if path.is_file() and path not in (own, listing))
    files = [path.relative_to(out).as_posix() for path in paths]
    files = [name for name in files if not name.startswith(("pyodide/", "wheels/"))]
    listing.write_text(json.dumps(files))
    content = hashlib.sha256()
    for path in paths:
        content.update(path.read_bytes())
    source = (HERE / "service-worker.js").read_text()
    own.write_text(source.replace("RELEASE", content.hexdigest()[:12]))


def configuration():
    """What jupyter-lite.json says, as a dict.

    What a learner changes is kept in the browser under a name of the release: a changed copy would
    otherwise hide the newer lesson for ever.
    """
    version = tomllib.loads((COURSE / "pyproject.toml").read_text())["project"]["version"]
    kernel = {
        "pyodideUrl": "./pyodide.js",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {"packages": [*START, *OMITTED]},
    }
    return {
        "jupyter-lite-schema-version": 0,
        "jupyter-config-data": {
            "appName": "Networks by hand",
            "contentsStorageName": f"course {version}",
            "settingsStorageName": "course settings",
            "workspacesStorageName": "course workspaces",
            "exposeAppInBrowser": True,
            "litePluginSettings": {KERNEL: kernel},
        },
    }


def lay_contents(folder):
    """What the learner sees there: the lessons without results, and the code that they link to.

    As in a clone a lesson has the code in ../course; it runs that of the wheel.
    """
    skip = shutil.ignore_patterns("__pycache__", "*.safetensors", "*.gz", "*.css", "*.js")
    shutil.copytree(COURSE / "course", folder / "course", ignore=skip)
    (folder / "docs").mkdir()
    for name in ("notation.md", "cluster.md"):  # lessons lead to them
        shutil.copy(COURSE / "docs" / name, folder / "docs")
    lay_lessons(folder / "lessons")


def lay_lessons(folder):
    """Copies of the lessons without results: one sees a result only after having run it.

    They are laid as in a clone, so that `course pack` knows which of them a learner has changed.
    """
    folder.mkdir()
    for path in sorted((COURSE / "notebooks").glob("*.ipynb")):
        notebook, _, _ = copies.read(path)
        notebook["metadata"].pop("widgets", None)
        (folder / path.name).write_bytes(copies.as_laid(notebook))
