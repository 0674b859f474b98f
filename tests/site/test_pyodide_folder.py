"""Where the site has Pyodide from: its public address, or a folder that is what it says."""

import hashlib
import json

import pyodide_folder
import pytest
from visitor import COURSE


def lay(folder, version="0.27.7", content=b"numpy", depends=()):
    """A folder like Pyodide's, with one package."""
    folder.mkdir()
    sha256 = hashlib.sha256(b"numpy").hexdigest()
    entry = {"file_name": "numpy.whl", "sha256": sha256, "depends": list(depends)}
    lock = {"info": {"version": version}, "packages": {"numpy": entry, "pandas": {}}}
    (folder / "pyodide-lock.json").write_text(json.dumps(lock))
    for name in pyodide_folder.CORE:
        (folder / name).write_bytes(b"core")
    (folder / "numpy.whl").write_bytes(content)
    return folder


def test_copies_what_is_needed_and_no_more(tmp_path):
    pyodide_folder.copy(lay(tmp_path / "from"), tmp_path / "to", {}, ["numpy"])
    names = {path.name for path in (tmp_path / "to").iterdir()}
    assert names == {*pyodide_folder.CORE, "numpy.whl", "pyodide-lock.json"}
    lock = json.loads((tmp_path / "to" / "pyodide-lock.json").read_text())
    assert list(lock["packages"]) == ["numpy"]


@pytest.mark.parametrize(
    ("different", "sentence"),
    [
        ({"version": "0.27.6"}, "has Pyodide 0.27.6, and this site needs 0.27.7"),
        ({"content": b"other"}, "numpy.whl is not the file that pyodide-lock.json names"),
        ({"depends": ["openblas"]}, "Neither Pyodide 0.27.7 nor this site has .* openblas"),
    ],
)
def test_refuses_another_folder(tmp_path, different, sentence):
    with pytest.raises(SystemExit, match=sentence):
        pyodide_folder.copy(lay(tmp_path / "from", **different), tmp_path / "to", {}, ["numpy"])


def test_refuses_no_folder_of_pyodide(tmp_path):
    with pytest.raises(SystemExit, match="it is no folder of Pyodide"):
        pyodide_folder.copy(tmp_path, tmp_path / "to", {}, [])


def test_make_site_names_the_public_address_of_this_version(site):
    packages = json.loads((COURSE / "build" / "site" / "run" / "packages.json").read_text())
    assert packages["pyodide"] == "https://cdn.jsdelivr.net/pyodide/v0.27.7/full/"
    assert json.loads((site / "run" / "packages.json").read_text())["pyodide"] == "./pyodide/"
    for name, entry in packages["packages"].items():
        wheel = site / "run" / entry["file_name"]
        assert hashlib.sha256(wheel.read_bytes()).hexdigest() == entry["sha256"], name
