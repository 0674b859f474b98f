"""Weights between the course and PyTorch: other names, and dense weights the other way round.

A dense layer computes x @ w + b, with w (inputs, outputs). `torch.nn.Linear` computes
x @ weight.T + bias, with weight (outputs, inputs). Convolutions have the same order in both.

    here            in PyTorch        (inputs, outputs) becomes (outputs, inputs)
    "hidden.w"      "hidden.weight"   transposed if it has two axes
    "hidden.b"      "hidden.bias"     as it is
    "norm.gamma"    "norm.weight"     as it is
    "norm.beta"     "norm.bias"       as it is
    "positions"     "positions"       as it is

The files are those of `safetensors.torch.save_file(network.state_dict(), path)`: plain safetensors,
to be read and written without PyTorch.
"""

import os
import re

import numpy as np

from course.interchange.binary import InterchangeError, check_finite
from course.nn import tensor_file
from course.nn.files import replacing

KINDS = {"w": ".weight", "b": ".bias", "gamma": ".weight", "beta": ".bias", None: ""}
FLOATS = ("float16", "float32", "float64")


def torch_name(name):
    """What PyTorch calls the parameter `name`: "hidden.w" and "hidden_w" are "hidden.weight"."""
    stem, kind = re.fullmatch(r"(.*?)(?:[._](w|b|gamma|beta))?", name).groups()
    return stem + KINDS[kind]


def turned(name, array):
    """The array of the parameter `name` in the other side's order of axes: dense weights turn."""
    is_dense = torch_name(name).endswith(".weight") and array.ndim == 2
    # Contiguous: of a transposed view safetensors would write the numbers in the old order.
    return np.ascontiguousarray(array.T if is_dense else array)


def to_torch(parameters):
    """A model's parameters (name to array) as PyTorch names and turns them: a `state_dict`."""
    return {torch_name(name): turned(name, array) for name, array in parameters.items()}


def write_torch(path, model):
    """Write a model's parameters to `path`, whole or not at all, for PyTorch to load.

    Raises `InterchangeError` for a model with buffers, such as batch norm's: those have no
    counterpart of the same name. Raises `OSError`.
    """
    if model.buffers:
        names = ", ".join(model.buffers)
        raise InterchangeError(
            f"{path}: PyTorch has other names for {names}: write a model without batch norm"
        )
    content = tensor_file.serialize(to_torch(model.parameters))
    with replacing(path) as file:
        file.write(content)


def read_torch(path, model):
    """Write the parameters in a file of PyTorch's into `model`, all of them or none.

    Numbers are converted to the model's own type. Raises `InterchangeError` for a file that is no
    safetensors, for other names or shapes than the model's, and for numbers that are not finite;
    `OSError` if it cannot be read.
    """
    saved = _arrays(path)
    expected = to_torch(model.parameters)
    if odd := sorted(saved.keys() ^ expected.keys()):
        raise InterchangeError(
            f"{path}: does not fit the model: only one side has {', '.join(odd[:5])!a:.200}"
        )
    arrays = {}
    for name, parameter in model.parameters.items():
        theirs = torch_name(name)
        found, shape = saved[theirs], expected[theirs].shape
        if found.dtype.name not in FLOATS or found.shape != shape:
            raise InterchangeError(
                f"{path}: {theirs} is {found.dtype} {found.shape}, expected numbers {shape}"
            )
        with np.errstate(over="ignore"):  # what becomes infinite is refused in the next line
            arrays[name] = turned(name, found).astype(parameter.dtype)
        check_finite(path, theirs, arrays[name])
    for name, parameter in model.parameters.items():
        parameter[...] = arrays[name]


def _arrays(path):
    """What is in a safetensors file: name to array."""
    path = os.fspath(path)
    try:
        with tensor_file.opened(path) as (_, read):
            return read()
    except tensor_file.NumberTypeError as error:
        raise InterchangeError(
            f"{path}: {error} (convert them with .float() in PyTorch first)"
        ) from None
    except tensor_file.TensorFileError as error:
        raise InterchangeError(f"{path}: no readable safetensors file: {error}") from None
