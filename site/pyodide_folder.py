"""A folder with Pyodide: checked, and copied as far as the course needs it."""

import hashlib
import json
import shutil

from packaging.utils import canonicalize_name

VERSION = "0.27.7"
ADDRESS = f"https://cdn.jsdelivr.net/pyodide/v{VERSION}/full/"
CORE = ("pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip")
LOCK = "pyodide-lock.json"


def copy(source, target, own, asked):
    """Copy Pyodide and its packages that are asked for by name or that `own`, lock entries, need.

    Raises SystemExit, with a sentence, where the folder is not of this version, lacks a file, or
    has another one than its list of packages says.
    """
    try:
        lock = json.loads((source / LOCK).read_text())
    except OSError as error:
        raise SystemExit(f"{source} has no {LOCK}: it is no folder of Pyodide") from error
    version = lock["info"]["version"]
    if version != VERSION:
        raise SystemExit(f"{source} has Pyodide {version}, and this site needs {VERSION}")
    wanted = closure({**lock["packages"], **own}, [*own, *asked])
    lock["packages"] = {n: e for n, e in lock["packages"].items() if n in wanted and n not in own}
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for name in CORE:
        copy_file(source / name, target)
    for entry in lock["packages"].values():
        copy_file(source / entry["file_name"], target, entry["sha256"])
    (target / LOCK).write_text(json.dumps(lock))


def closure(packages, names):
    """All names that these packages depend on, themselves included."""
    found, new = set(), list(names)
    while new:
        name = canonicalize_name(new.pop())
        if name not in packages:
            raise SystemExit(f"Neither Pyodide {VERSION} nor this site has the package {name}")
        if name not in found:
            found.add(name)
            new += packages[name]["depends"]
    return found


def copy_file(path, target, sha256=None):
    """Copy a file that has this hash."""
    if not path.is_file():
        raise SystemExit(f"{path} is missing: the site needs it")
    if sha256 and hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        raise SystemExit(f"{path} is not the file that {LOCK} names: its hash is another")
    shutil.copy(path, target)
