"""pyproject.toml, the lock, environment.yml and the Makefile agree; imports point one way."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from jupyterlab.commands import get_app_dir
from jupyterlab_server.settings_utils import get_settings
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
PLATFORMS = {"linux": "posix", "darwin": "posix", "win32": "nt"}  # sys.platform: os.name
LESSONS = ["idx", "mnist", "mlp", "cnn", "attention", "xor", "deep", "committee"]
COMMAND_LINE = ["__main__", "commands"]
WITH_WIDGETS = ["plots", "recognizer", "widgets"]  # or with Matplotlib
PACKAGE = sorted((ROOT / "course").rglob("*.py"))


def environments():
    """The values of the markers on every Python and platform that the course runs on."""
    for python in PYTHONS:
        for sys_platform, os_name in PLATFORMS.items():
            yield {
                "python_version": python,
                "python_full_version": f"{python}.5",
                "sys_platform": sys_platform,
                "os_name": os_name,
                "implementation_name": "cpython",
            }


def locked_requirements():
    """One Requirement for each line of the lock that is not a comment."""
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in LOCK.splitlines())
    return [Requirement(line) for line in lines if line]


def locked_versions(environment):
    """Name -> version in one environment; a name may have one line there at most."""
    versions = {}
    for requirement in locked_requirements():
        if requirement.marker is None or requirement.marker.evaluate(environment):
            (pin,) = requirement.specifier
            assert pin.operator == "==", f"{requirement} is not pinned"
            name = canonicalize_name(requirement.name)
            assert name not in versions, f"{name} is pinned twice in {environment}"
            versions[name] = Version(pin.version)
    return versions


@pytest.mark.parametrize("environment", list(environments()), ids=lambda e: "-".join(e.values()))
def test_lock_satisfies_pyproject(environment):
    locked = locked_versions(environment)
    wanted = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]
    for requirement in map(Requirement, wanted):
        name = canonicalize_name(requirement.name)
        assert name in locked, f"{name} is not in the lock: run `make lock`"
        assert locked[name] in requirement.specifier, f"{requirement}, but {locked[name]} locked"


PYODIDE = {"matplotlib": "3.8.4", "numpy": "2.0.2", "pillow": "10.2.0", "scipy": "1.14.1"}  # 0.27
NOT_IN_A_BROWSER = {"filelock", "joblib", "jupyterlab", "numba", "safetensors"}


def test_a_browser_needs_what_it_has():
    """Its versions are fixed by Pyodide, and what is compiled or starts processes is not there."""
    needed = {
        canonicalize_name(requirement.name): requirement.specifier
        for requirement in map(Requirement, PROJECT["dependencies"])
        if not requirement.marker or requirement.marker.evaluate({"platform_system": "Emscripten"})
    }
    assert not NOT_IN_A_BROWSER & needed.keys()
    for name, version in PYODIDE.items():
        assert Version(version) in needed.pop(name)
    assert needed.keys() == {"anywidget", "ipywidgets", "packaging", "threadpoolctl", "tqdm"}
    assert Version("3.12.7") in SpecifierSet(PROJECT["requires-python"])


def test_what_the_lessons_import_is_there_without_what_a_browser_lacks(tmp_path):
    for name in NOT_IN_A_BROWSER:
        (tmp_path / f"{name}.py").write_text("raise ImportError(__name__)")
    imports = {
        ast.unparse(node)
        for path in (ROOT / "notebooks").glob("*.ipynb")
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
        for node in ast.walk(ast.parse("".join(cell["source"])))
        if isinstance(node, ast.Import | ast.ImportFrom) and "course" in ast.unparse(node)
    }
    assert len(imports) > 50
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-c", "\n".join(sorted(imports))]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr


def test_lock_names_no_host_and_no_path():
    assert not re.search(r"://|--\w|\bfile:|(^|\s)[~./\\]|[A-Z]:\\", LOCK, re.MULTILINE)


def test_what_only_a_ci_run_needs_is_pinned_and_not_in_the_lock():
    """PyTorch and Playwright are large, and no learner needs them."""
    script = (ROOT / ".ci" / "run").read_text()
    browser = [Requirement(line) for line in PROJECT["optional-dependencies"]["browser"]]
    assert [str(requirement.specifier)[:2] for requirement in browser] == ["=="]
    assert '--constraint requirements.lock --no-build-isolation --editable ".[browser]"' in script
    assert re.search(r"^torch=\d+\.\d+\.\d+ ", script, re.MULTILINE)
    locked = {canonicalize_name(r.name) for r in locked_requirements()}
    assert not locked & {"torch", "greenlet", *(canonicalize_name(r.name) for r in browser)}


def test_jupyterlab_offers_no_news_and_looks_for_no_update(monkeypatch, tmp_path):
    lab = re.search(r"^lab:.*?\n\n", MAKEFILE, re.MULTILINE | re.DOTALL)[0]
    path = re.search(r'^SETTINGS := JUPYTER_CONFIG_PATH="(.+?)\$\$', MAKEFILE, re.MULTILINE)[1]
    assert "$(SETTINGS) $(RUN) jupyterlab" in lab
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", path.replace("$(CURDIR)", str(ROOT)))
    schemas = Path(get_app_dir(), "schemas")
    plugin = "@jupyterlab/apputils-extension:notification"
    settings, _ = get_settings(str(tmp_path), str(schemas), str(tmp_path), plugin)
    defaults = {k: v["default"] for k, v in settings["schema"]["properties"].items()}
    assert (defaults["fetchNews"], defaults["checkForUpdates"]) == ("false", False)


def test_conda_environment_is_that_of_pyproject_and_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    assert environment["name"] == PROJECT["name"]
    assert conda == ["python=3.11", "pip"]
    assert pip == {"pip": ["-c requirements.lock", "-e .[dev]"]}


def test_one_range_of_pythons_everywhere():
    supported = SpecifierSet(PROJECT["requires-python"])
    minors = [f"3.{minor}" for minor in range(20) if f"3.{minor}.5" in supported]
    assert minors == PYTHONS
    searched = re.search(r"^PYTHONS := .*python3 (.*)\)$", MAKEFILE, re.MULTILINE)[1]
    assert searched.split() == [f"python{python}" for python in reversed(PYTHONS)]
    low, high = re.search(r"\((3, \d+)\) <= sys.version_info < \((3, \d+)\)", MAKEFILE).groups()
    assert supported == SpecifierSet(f">={low},<{high}".replace(", ", "."))


def test_importing_the_package_loads_neither_jupyter_nor_matplotlib():
    parts = {path.relative_to(ROOT / "course").with_suffix("").parts[0] for path in PACKAGE}
    plain = sorted(parts - {"__init__", *WITH_WIDGETS, *COMMAND_LINE})
    heavy = {"IPython", "ipykernel", "jupyter_core", "ipywidgets", "anywidget", "matplotlib"}
    code = f"""
import importlib, sys
for name in {plain}:
    importlib.import_module(f"course.{{name}}")
    print(name, *sorted({heavy | {"torch"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == plain  # a name followed by others has loaded those


def imported_modules(path):
    """Absolute names of all modules that a file of the package imports, wherever in the file."""
    package = ".".join(path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level]
            base = ".".join((above if node.level else []) + ([node.module] if node.module else []))
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def imports_any(path, names):
    """The imports in a file that are one of the names or lie inside it."""
    return [
        module
        for module in imported_modules(path)
        if any(module == name or module.startswith(f"{name}.") for name in names)
    ]


@pytest.mark.parametrize("path", PACKAGE, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    *folders, name = path.relative_to(ROOT / "course").with_suffix("").parts
    part = folders[0] if folders else name
    if part not in COMMAND_LINE:
        assert not imports_any(path, [f"course.{name}" for name in COMMAND_LINE])
    if part in LESSONS:
        assert not imports_any(path, ["course.plots", "course.recognizer"])
    if part == "nn":
        ours = imports_any(path, ["course"])
        assert [m for m in ours if m != "course" and m.split(".")[1] != "nn"] == []
    if part not in WITH_WIDGETS:
        assert not imports_any(path, ["matplotlib", "ipywidgets", "anywidget", "IPython"])
