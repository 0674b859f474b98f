"""Cells for a framework run where it is, and elsewhere show what was stored; two sources."""

import importlib
import json

import pytest

from course import frameworks
from course.frameworks import FrameworkError, SideBySide, in_jax, in_torch
from course.nn.errors import CourseError


@pytest.fixture
def imports(monkeypatch):
    """What importing a module gives, or raises: by default none of them is installed."""
    found = {}

    def import_module(name):
        result = found.get(name, ModuleNotFoundError(f"No module named {name!r}"))
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(importlib, "import_module", import_module)
    return found


@pytest.fixture
def stored(monkeypatch, tmp_path):
    path = tmp_path / "stored.json"
    content = {"torch": {"version": "2.13.0", "printed": {"greet": "hello\nthere"}}}
    path.write_text(json.dumps(content | {"jax": {"version": "0.10.2", "printed": {}}}))
    monkeypatch.setattr(frameworks, "STORED", path)


def greet(module):
    print(f"{module} says hello")


def test_runs_where_the_framework_is(imports, capsys):
    imports |= {"torch": "PyTorch", "safetensors.torch": None, "jax": "JAX"}
    in_torch(greet)
    in_jax(greet)
    assert capsys.readouterr().out == "PyTorch says hello\nJAX says hello\n"


def test_shows_what_is_stored_where_it_is_not_and_says_so(imports, stored, capsys):
    in_torch(greet)
    expected = "[PyTorch is not installed here. Version 2.13.0 printed:]\nhello\nthere\n"
    assert capsys.readouterr().out == expected


@pytest.mark.parametrize("name", ["torch", "safetensors.torch"])
def test_says_why_an_installed_framework_cannot_be_used(imports, stored, capsys, name):
    imports |= {"torch": "PyTorch", name: OSError("no libgomp.so.1")}
    in_torch(greet)
    out = capsys.readouterr().out
    assert out.startswith("[PyTorch cannot be loaded (no libgomp.so.1) here. Version 2.13.0 ")


def test_a_function_of_which_nothing_is_stored(imports, stored):
    def new(torch):
        print("never run")

    for run, package in ((in_torch, "torch"), (in_jax, "jax")):
        with pytest.raises(
            FrameworkError, match=f"of new nothing is stored: run `pip .* {package}`"
        ):
            run(new)
    assert issubclass(FrameworkError, CourseError)


def test_what_the_function_raises_is_not_hidden(imports):
    imports["jax"] = "JAX"
    with pytest.raises(ZeroDivisionError):
        in_jax(lambda jax: 1 / 0)


def here(x):
    return x < 1


def there(x):
    y = x
    return y


def test_two_functions_line_by_line():
    view = SideBySide(course=here, PyTorch=there)
    assert repr(view).splitlines() == [
        "course            |  PyTorch",
        "def here(x):      |  def there(x):",
        "    return x < 1  |      y = x",
        "                  |      return y",
    ]
    page = view._repr_html_()
    assert page.count("<tr>") == 4 and page.count("<th ") == 2
    assert "    return x &lt; 1</td>" in page
