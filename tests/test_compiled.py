"""Compiled functions: what one reads is what runs."""

import types

import pytest
from walk import MODULES, compiled_functions

from course import cnn
from course.nn.compiled import jit


def foreign_calls(function):
    """Names by which a compiled function reaches other files of the course."""
    plain, found = function.py_func, []
    for name in plain.__code__.co_names:
        used = plain.__globals__.get(name)
        home = used if isinstance(used, types.ModuleType) else getattr(used, "py_func", None)
        place = getattr(home, "__module__", None) or getattr(home, "__name__", "")
        if place.startswith("course") and place != plain.__module__:
            found.append(name)
    return found


@pytest.mark.parametrize("name", MODULES)
def test_no_compiled_function_calls_one_of_another_file(name):
    """Numba's cache looks at a function's own file alone: an edit elsewhere would do nothing."""
    for function, compiled in compiled_functions(name):
        assert not foreign_calls(compiled), function


def test_there_are_compiled_functions_and_a_foreign_call_would_be_found():
    found = [f for name in MODULES for f in compiled_functions(name)]
    assert {"convolve", "train_share", "train_epochs", "adam_update"} <= dict(found).keys()
    namespace = {"__name__": "elsewhere", "shift": cnn.convolve, "cnn": cnn}
    exec("def by_name(x, w, b): return shift(x, w, b)", namespace)
    exec("def by_module(x, w, b): return cnn.convolve(x, w, b)", namespace)
    assert foreign_calls(jit(namespace["by_name"])) == ["shift"]
    assert foreign_calls(jit(namespace["by_module"])) == ["cnn"]
