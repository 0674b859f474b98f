"""All compiled functions of the course, as tests walk through them."""

import importlib
import importlib.util
import pkgutil

import course
from course.nn.compiled import HAS_NUMBA

LEFT_OUT = ["__main__", "torch_side", "jax_side"]
if not HAS_NUMBA:  # these are about Numba itself
    LEFT_OUT += ["nn.columns", "nn.helpers", "nn.machine_code"]
if not importlib.util.find_spec("distributed"):  # the extra "cluster", which is not in the lock
    LEFT_OUT += ["sweep.cluster"]
MODULES = [
    module.name
    for module in pkgutil.walk_packages(course.__path__, "course.")
    if not module.name.endswith(tuple(LEFT_OUT))
]


def compiled_functions(name):
    """The compiled functions that were written in the module `name`, each with its own name."""
    for key, value in vars(importlib.import_module(name)).items():
        if hasattr(value, "py_func") and value.py_func.__module__ == name:
            yield key, value
