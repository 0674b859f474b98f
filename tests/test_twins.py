"""Every compiled function and its NumPy twin do the same; `tests/twins` has arguments for each.

A module there, of any name, has a list `CASES` (see `twins.case.Case`) and a dict `WITHOUT_TWIN`:
the compiled functions that have none, each with the reason.
"""

import importlib
import pkgutil

import numpy as np
import pytest
import twins
from hypothesis import given, settings
from hypothesis import strategies as st
from twins.case import Case, whole
from walk import MODULES, compiled_functions

from course import cnn
from course.nn.compiled import jit

REGISTRY = [
    importlib.import_module(f"twins.{module.name}")
    for module in pkgutil.iter_modules(twins.__path__)
    if module.name != "case"
]
CASES = [case for module in REGISTRY for case in module.CASES]
WITHOUT_TWIN = {f for module in REGISTRY for f in module.WITHOUT_TWIN}


def name(function):
    return f"{function.py_func.__module__.removeprefix('course.')}.{function.py_func.__name__}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: name(case.function))
@settings(max_examples=30)
@given(data=st.data())
def test_the_twin_does_what_the_loop_does(case, data):
    arguments = data.draw(case.arguments)
    assert not case.differences(arguments)


@pytest.mark.parametrize("module", MODULES)
def test_every_twin_is_compared_and_who_has_none_is_named(module):
    compared = [case.function for case in CASES]
    for _, function in compiled_functions(module):
        if function.numpy is None:
            assert function in WITHOUT_TWIN, f"{name(function)} has no twin: say why in tests/twins"
        else:
            assert function in compared, f"{name(function)} has no case in tests/twins"
            assert function not in WITHOUT_TWIN, f"{name(function)} has a twin"


def test_what_is_not_the_same_is_found():
    arguments = (whole(np.random.default_rng(1), (2, 3), np.float64),)

    def twin_that(changes):
        return Case(jit(lambda x: x + 1, numpy=changes), st.just(arguments))

    assert not twin_that(lambda x: x + 1).differences(arguments)
    assert "apart" in twin_that(lambda x: x + 1.000001).differences(arguments)[0]
    assert "float32" in twin_that(lambda x: x.astype(np.float32) + 1).differences(arguments)[0]
    assert "(6,)" in twin_that(lambda x: x.reshape(-1) + 1).differences(arguments)[0]

    def in_place(x):
        x += 1
        return x

    assert twin_that(in_place).differences(arguments)[0].startswith("1: 1.0 apart")
    near = Case(jit(lambda x: x + 1, numpy=lambda x: x + 2), st.just(arguments), lambda x: 1.0)
    assert not near.differences(arguments)
    assert cnn.convolve in [case.function for case in CASES]
