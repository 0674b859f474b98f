"""The wheels that the site carries, as entries of Pyodide's list of packages, its lock file."""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from email.parser import HeaderParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

HERE = Path(__file__).parent
COURSE = HERE.parent
# What the kernel of JupyterLite is written in: its package carries these wheels.
KERNEL_WHEELS = Path(
    sys.prefix, "share/jupyter/labextensions/@jupyterlite/pyodide-kernel-extension/static/pypi"
)
KERNEL = ("ipykernel", "piplite", "pyodide-kernel")
# The kernel's wheels say nothing of what they import.
KERNEL_DEPENDS = {
    "ipykernel": [],
    "piplite": ["micropip"],
    "pyodide-kernel": ["ipykernel", "ipython", "comm", "traitlets"],
}
# Needed by others, but not in a kernel: their parts for the page are extensions of JupyterLite.
IN_THE_PAGE = {"jupyterlab-widgets", "widgetsnbextension"}
EMSCRIPTEN = {
    "extra": "",
    "os_name": "posix",
    "platform_machine": "wasm32",
    "platform_python_implementation": "CPython",
    "platform_system": "Emscripten",
    "python_full_version": "3.12.7",
    "python_version": "3.12",
    "sys_platform": "emscripten",
}
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]


def collect(folder):
    """Lay all wheels into `folder`: the course's own, the kernel's, and those of wheels.lock.

    Returns
    -------
    dict: name -> entry for pyodide-lock.json, with file_name relative to the parent of `folder`.
    """
    folder.mkdir(parents=True)
    subprocess.run(
        [
            *(*PIP, "download", "--no-deps", "--require-hashes", "--only-binary=:all:"),
            *("--python-version=3.12", "--implementation=py", "--abi=none", "--platform=any"),
            *("--requirement", HERE / "wheels.lock", "--dest", folder),
        ],
        check=True,
    )
    for name in KERNEL:
        [wheel] = KERNEL_WHEELS.glob(f"{name.replace('-', '_')}-*.whl")
        shutil.copy(wheel, folder)
    build_course(folder)
    return dict(map(entry, sorted(folder.glob("*.whl"))))


def build_course(folder):
    """Lay the wheel of the course as it is now into `folder`."""
    shutil.rmtree(COURSE / "build" / "lib", ignore_errors=True)  # has what was removed since
    subprocess.run(
        [*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, COURSE],
        check=True,
    )


def entry(wheel):
    """(name, entry) of a wheel, which gets a folder named like its content.

    A browser that has kept an older wheel asks for the newer one, because its address is another.
    """
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    place = wheel.parent / sha256[:12]
    place.mkdir()
    name, version, *_ = parse_wheel_filename(wheel.name)
    name = canonicalize_name(name)
    with zipfile.ZipFile(wheel) as archive:
        imports, depends = modules(archive), requirements(archive)
    wheel = wheel.rename(place / wheel.name)
    return name, {
        "name": name,
        "version": str(version),
        "file_name": wheel.relative_to(wheel.parents[2]).as_posix(),
        "sha256": sha256,
        "install_dir": "site",
        "package_type": "package",
        "imports": imports,
        "depends": KERNEL_DEPENDS.get(name, depends),
        "unvendored_tests": False,
    }


def modules(archive):
    """Names of the top-level modules and packages in a wheel."""
    tops = {name.partition("/")[0] for name in archive.namelist() if name.endswith(".py")}
    return sorted(top.removesuffix(".py") for top in tops if not top.endswith(".data"))


def requirements(archive):
    """Names of what a wheel needs in a browser."""
    [path] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    metadata = HeaderParser().parsestr(archive.read(path).decode())
    wanted = map(Requirement, metadata.get_all("Requires-Dist", []))
    return sorted(
        canonicalize_name(need.name)
        for need in wanted
        if need.marker is None or need.marker.evaluate(EMSCRIPTEN)
        if canonicalize_name(need.name) not in IN_THE_PAGE
    )
