"""Convolution, pooling and the whole CNN against PyTorch, on random shapes in float64."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from course.cnn import CNN, Conv2D, MaxPool2D
from course.nn.activations import ReLU
from course.nn.layers import Dense, Flatten, Sequential
from course.nn.losses import SoftmaxCrossEntropy
from course.nn.optimizers import SGD
from course.nn.rng import SimpleRng

torch = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
functional = torch.nn.functional

few = st.integers(1, 4)
sides = st.integers(1, 12)


def numbers(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def tensor(array):
    return torch.tensor(array, requires_grad=True)


def close(ours, theirs, tolerance=1e-10):
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=tolerance, atol=tolerance)


@settings(max_examples=100)
@given(
    few, few, few, st.integers(1, 5), few, st.integers(0, 3), sides, sides, st.integers(0, 2**32)
)
def test_convolution(batch, channels, filters, kernel, stride, padding, height, width, seed):
    assume(kernel <= min(height, width) + 2 * padding)
    layer = Conv2D(channels, filters, kernel, SimpleRng(seed), stride, padding, np.float64)
    layer.parameters["b"][...] = numbers(seed, filters)
    x = numbers(seed, batch, channels, height, width)
    x2, w, b = tensor(x), tensor(layer.parameters["w"].copy()), tensor(layer.parameters["b"].copy())
    expected = functional.conv2d(x2, w, b, stride, padding)
    y = layer.forward(x)
    close(y, expected)
    dy = numbers(seed + 1, *y.shape)
    expected.backward(torch.from_numpy(dy))
    close(layer.backward(dy), x2.grad)
    close(layer.gradients["w"], w.grad)
    close(layer.gradients["b"], b.grad)


@settings(max_examples=100)
@given(few, few, few, few, sides, sides, st.integers(1, 50), st.integers(0, 2**32))
def test_max_pooling(batch, channels, size, stride, height, width, levels, seed):
    """With few levels there are ties: PyTorch, too, lets the first in reading order win."""
    assume(size <= min(height, width))
    x = np.random.default_rng(seed).integers(0, levels, (batch, channels, height, width)) * 1.0
    layer, x2 = MaxPool2D(size, stride), tensor(x)
    expected, where = functional.max_pool2d(x2, size, stride, return_indices=True)
    y = layer.forward(x)
    close(y, expected)
    assert (layer.where == where.numpy()).all()
    dy = numbers(seed, *y.shape)
    expected.backward(torch.from_numpy(dy))
    close(layer.backward(dy), x2.grad)


def train_both(model, network, x, y, steps, learning_rate):
    """Take the same steps of plain SGD with both, from the same weights, on batches of 32."""
    with torch.no_grad():
        for ours, theirs in zip(model.parameters.values(), network.parameters(), strict=True):
            dense = ours.ndim == 2  # ours is (inputs, outputs), theirs the other way round
            theirs.copy_(torch.from_numpy(ours.T if dense else ours))
    loss_fn, optimizer = SoftmaxCrossEntropy(), SGD(model)
    torch_optimizer = torch.optim.SGD(network.parameters(), learning_rate)
    for step in range(steps):
        chosen = slice(32 * step, 32 * step + 32)
        loss, dlogits = loss_fn(model.forward(x[chosen]), y[chosen])
        optimizer.backward_and_step(dlogits, learning_rate)
        torch_optimizer.zero_grad()
        expected = functional.cross_entropy(
            network(torch.from_numpy(x[chosen])), torch.from_numpy(y[chosen])
        )
        expected.backward()
        torch_optimizer.step()
        assert loss == pytest.approx(expected.item(), rel=1e-9)
    for ours, theirs in zip(model.parameters.values(), network.parameters(), strict=True):
        close(ours.T if ours.ndim == 2 else ours, theirs, 1e-9)


def test_the_cnn_trains_as_in_pytorch():
    network = torch.nn.Sequential(
        torch.nn.Unflatten(1, (1, 28, 28)),
        torch.nn.Conv2d(1, 8, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(1568, 10),
    ).double()
    x, y = numbers(0, 32 * 8 - 3, 784), np.random.default_rng(1).integers(0, 10, 32 * 8 - 3)
    train_both(CNN(dtype=np.float64), network, x, y, 8, 0.05)  # the last batch is a partial one


def test_two_convolutions_train_as_in_pytorch():
    rng = SimpleRng(1)
    model = Sequential(
        conv1=Conv2D(2, 5, 3, rng, padding=1, dtype=np.float64),
        relu1=ReLU(),
        pool1=MaxPool2D(3, stride=2),
        conv2=Conv2D(5, 6, 3, rng, stride=2, padding=2, dtype=np.float64),
        relu2=ReLU(),
        flatten=Flatten(),
        dense=Dense(6 * 4 * 4, 3, rng, np.float64),
    )
    network = torch.nn.Sequential(
        torch.nn.Conv2d(2, 5, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(3, 2),
        torch.nn.Conv2d(5, 6, 3, stride=2, padding=2),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(6 * 4 * 4, 3),
    ).double()
    x, y = numbers(0, 32 * 8, 2, 12, 11), np.random.default_rng(1).integers(0, 3, 32 * 8)
    train_both(model, network, x, y, 8, 0.05)
