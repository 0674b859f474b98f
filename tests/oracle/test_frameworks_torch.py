"""Lesson 10b with PyTorch and JAX: what it stores is what they print, and weights go both ways."""

import importlib.metadata
import json

import framework_cells
import numpy as np
import pytest

from course import frameworks, models
from course.benchmark.course_side import digits
from course.interchange import read_torch, write_torch

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
safetensors_torch = pytest.importorskip("safetensors.torch")


def test_the_lesson_runs_and_prints_what_is_stored():
    pytest.importorskip("jax", reason="JAX is not installed")
    kept = json.loads(frameworks.STORED.read_text(encoding="utf-8"))
    versions = {p: importlib.metadata.version(p).split("+")[0] for p in kept}
    assert versions == {package: entry["version"] for package, entry in kept.items()}
    printed = framework_cells.printed(framework_cells.executed())
    assert printed == {package: entry["printed"] for package, entry in kept.items()}


def moved(name, seed):
    model, random = models.build(name), np.random.default_rng(seed)
    for parameter in model.parameters.values():
        parameter += 0.05 * random.standard_normal(parameter.shape).astype(parameter.dtype)
    return model


@pytest.mark.parametrize("name", ["mlp", "cnn", "attention"])
def test_files_in_both_directions(tmp_path, name):
    from course.benchmark.torch_side import NETWORKS

    ours, network, path = moved(name, 1), NETWORKS[name](), tmp_path / "a.safetensors"
    x, _ = digits(50)
    write_torch(path, ours)
    network.load_state_dict(safetensors_torch.load_file(path))
    assert close(network, x, ours)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    safetensors_torch.save_file(network.state_dict(), path)
    assert not close(network, x, ours)
    read_torch(path, ours)
    assert close(network, x, ours)


def close(network, x, ours):
    logits = network(torch.from_numpy(x)).detach().numpy()
    return np.allclose(logits, ours.forward(x), rtol=1e-5, atol=1e-5)


def test_the_slope_of_an_absolute_value_at_zero_is_taken_to_be_zero():
    x = torch.zeros(1, requires_grad=True)
    x.abs().sum().backward()
    assert x.grad.item() == 0
