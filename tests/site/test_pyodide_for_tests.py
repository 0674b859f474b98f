"""The Pyodide of these tests takes only files that are Pyodide's own."""

import hashlib
import json
import zipfile

import pytest
from pyodide_for_tests import LOCK, NotToBeHadError, take_packages

NAME = "numpy-2.0.2-cp312-cp312-pyodide_2024_0_wasm32.whl"


def lay(tmp_path, content, listed):
    """A wheel with one package, and a list that names it with the hash of `listed`."""
    entry = {"file_name": NAME, "sha256": hashlib.sha256(listed).hexdigest()}
    (tmp_path / LOCK).write_text(json.dumps({"packages": {"numpy": entry}}))
    with zipfile.ZipFile(tmp_path / "some.whl", "w") as archive:
        archive.writestr(f"some/assets/pyodide/{NAME}", content)
        archive.writestr("some/assets/pyodide/evil.js", b"not listed")
    return tmp_path / "some.whl"


def test_takes_what_is_listed_and_nothing_else(tmp_path):
    assert take_packages(lay(tmp_path, b"numpy", b"numpy"), tmp_path) == 1
    assert (tmp_path / NAME).read_bytes() == b"numpy"
    assert not (tmp_path / "evil.js").exists()


def test_refuses_a_package_with_another_hash(tmp_path):
    with pytest.raises(NotToBeHadError, match=f"{NAME} .* is not Pyodide's"):
        take_packages(lay(tmp_path, b"changed", b"numpy"), tmp_path)
    assert not (tmp_path / NAME).exists()
