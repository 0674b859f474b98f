"""Weights for PyTorch and from it: names, order of axes, and files that are refused.

`tests/oracle` has PyTorch itself read and write them.
"""

import numpy as np
import pytest
import safetensors.numpy

from course import models
from course.interchange import InterchangeError, read_torch, to_torch, write_torch
from course.interchange.torch_names import torch_name
from course.models.architecture import Network


def moved(name, seed=1, **config):
    """A model with no number in it that comes twice."""
    model, random = models.build(name, **config), np.random.default_rng(seed)
    for parameter in model.parameters.values():
        parameter[...] = random.standard_normal(parameter.shape)
    return model


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("hidden.w", "hidden.weight"),
        ("hidden.b", "hidden.bias"),
        ("ff1_w", "ff1.weight"),
        ("key_b", "key.bias"),
        ("positions", "positions"),
        ("raw", "raw"),
        ("w", "w"),
    ],
)
def test_names(here, there):
    assert torch_name(here) == there


def test_dense_weights_are_turned_and_kernels_are_not():
    mlp, cnn = moved("mlp", hidden=3), moved("cnn")
    state = to_torch(mlp.parameters) | to_torch(cnn.parameters)
    assert np.array_equal(state["hidden.weight"], mlp.parameters["hidden.w"].T)
    assert np.array_equal(state["hidden.bias"], mlp.parameters["hidden.b"])
    assert np.array_equal(state["conv.weight"], cnn.parameters["conv.w"])
    attention = moved("attention")
    positions = to_torch(attention.parameters)["positions"]
    assert np.array_equal(positions, attention.parameters["positions"])  # two axes, no weights


@pytest.mark.parametrize("name", ["mlp", "cnn", "attention", "xor"])
def test_what_is_written_is_read(tmp_path, name):
    path, model, other = tmp_path / "a.safetensors", moved(name, seed=1), moved(name, seed=2)
    write_torch(path, model)
    read_torch(path, other)
    for key, array in model.parameters.items():
        assert np.array_equal(other.parameters[key], array), key


def test_the_file_has_the_new_order_of_numbers_and_not_only_the_shape(tmp_path):
    path, model = tmp_path / "a.safetensors", moved("mlp", hidden=3)
    write_torch(path, model)
    saved = safetensors.numpy.load_file(path)
    assert np.array_equal(saved["output.weight"], model.parameters["output.w"].T)


def test_other_precisions_are_converted(tmp_path):
    path, model = tmp_path / "a.safetensors", moved("mlp", hidden=3)
    for dtype in (np.float16, np.float64):
        arrays = {k: a.astype(dtype) for k, a in to_torch(model.parameters).items()}
        safetensors.numpy.save_file(arrays, path)
        other = moved("mlp", seed=2, hidden=3)
        read_torch(path, other)
        assert other.parameters["hidden.w"].dtype == np.float32
        assert np.allclose(other.parameters["hidden.w"], model.parameters["hidden.w"], rtol=1e-3)


WRONG = {
    "a missing array": (lambda s: s.pop("hidden.bias"), "only one side has 'hidden.bias'"),
    "one too many": (lambda s: s.update(more=np.zeros(1)), "only one side has 'more'"),
    "not turned": (
        lambda s: s.update({"hidden.weight": np.zeros((784, 3), np.float32)}),
        r"hidden.weight is float32 \(784, 3\), expected numbers \(3, 784\)",
    ),
    "whole numbers": (
        lambda s: s.update({"output.bias": np.zeros(10, np.int64)}),
        "output.bias is int64",
    ),
    "not finite": (
        lambda s: s.update({"output.bias": np.full(10, np.nan)}),
        "output.bias has 10 numbers that are not finite",
    ),
    "too large": (
        lambda s: s.update({"output.bias": np.full(10, 1e300)}),
        "output.bias has 10 numbers that are not finite",
    ),
}


@pytest.mark.parametrize(("spoil", "message"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_refused_and_changes_nothing(tmp_path, spoil, message):
    path, model = tmp_path / "a.safetensors", moved("mlp", hidden=3)
    state = to_torch(moved("mlp", seed=2, hidden=3).parameters)
    spoil(state)
    safetensors.numpy.save_file(state, path)
    before = {name: array.copy() for name, array in model.parameters.items()}
    with pytest.raises(InterchangeError, match=message):
        read_torch(path, model)
    assert all(np.array_equal(model.parameters[name], array) for name, array in before.items())


def test_files_that_are_none(tmp_path):
    path, model = tmp_path / "a.safetensors", moved("mlp", hidden=3)
    with pytest.raises(FileNotFoundError):
        read_torch(path, model)
    path.write_bytes(b"PK\x03\x04 a pickle in an archive, as torch.save writes it")
    with pytest.raises(InterchangeError, match="no readable safetensors file"):
        read_torch(path, model)
    header = b'{"hidden.bias":{"dtype":"BF16","shape":[3],"data_offsets":[0,6]}}'
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(6))
    with pytest.raises(InterchangeError, match=r"that NumPy does not have .*\.float\(\)"):
        read_torch(path, model)


def test_batch_norm_is_refused(tmp_path):
    layers = [
        {"layer_type": "dense", "input_size": 784, "output_size": 4},
        {"layer_type": "batchnorm", "size": 4},
        {"layer_type": "dense", "input_size": 4, "output_size": 10},
    ]
    with pytest.raises(InterchangeError, match="write a model without batch norm"):
        write_torch(tmp_path / "a.safetensors", Network(layers, seed=1))
    assert list(tmp_path.iterdir()) == []
