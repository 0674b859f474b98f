"""Activations: values, slopes against finite differences, and what happens far out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, ndtr

from course.nn.activations import ACTIVATIONS, ELU, LeakyReLU, ReLU, Sigmoid
from course.nn.gradcheck import check_gradients

ALL = [
    pytest.param(layer, id=name)
    for name, layer in [
        *((name, activation()) for name, activation in ACTIVATIONS.items()),
        ("leaky_relu 0.3", LeakyReLU(0.3)),
        ("elu 2", ELU(2.0)),
    ]
]


def numbers(*shape, seed=0):
    """Standard normal, but never within 1e-3 of 0, where some have a kink and no slope."""
    x = np.random.default_rng(seed).standard_normal(shape)
    return np.where(np.abs(x) < 1e-3, 0.5, x)


@settings(max_examples=15)
@given(shape=st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple))
@pytest.mark.parametrize("layer", ALL)
def test_gradients(layer, shape):
    assert max(check_gradients(layer, 3 * numbers(*shape)).values()) <= 1e-6


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("relu", lambda x: np.maximum(x, 0)),
        ("leaky_relu", lambda x: np.maximum(x, 0.01 * x)),
        ("elu", lambda x: np.maximum(x, np.exp(np.minimum(x, 0)) - 1)),
        ("gelu", lambda x: x * ndtr(x)),
        ("silu", lambda x: x * expit(x)),
        ("tanh", lambda x: 2 * expit(2 * x) - 1),
        ("sigmoid", expit),
    ],
)
def test_values(name, expected):
    x = 4 * numbers(99)
    np.testing.assert_allclose(ACTIVATIONS[name]().forward(x), expected(x), atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layer", ALL)
def test_type_and_shape_stay_and_nothing_given_is_changed(layer, dtype):
    x, dy = numbers(2, 3, 4).astype(dtype), numbers(2, 3, 4, seed=1).astype(dtype)
    x_before, dy_before = x.copy(), dy.copy()
    for given_back in (layer.forward(x), layer.backward(dy)):
        assert given_back.dtype == dtype and given_back.shape == x.shape
    np.testing.assert_array_equal(x, x_before)
    np.testing.assert_array_equal(dy, dy_before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("name", "y", "slopes"),  # at -10,000 and 10,000
    [
        ("relu", (0, 1e4), (0, 1)),
        ("leaky_relu", (-100, 1e4), (0.01, 1)),
        ("elu", (-1, 1e4), (0, 1)),
        ("gelu", (0, 1e4), (0, 1)),
        ("silu", (0, 1e4), (0, 1)),
        ("tanh", (-1, 1), (0, 0)),
        ("sigmoid", (0, 1), (0, 0)),
    ],
)
def test_far_out_they_are_what_they_tend_to_and_do_not_warn(name, y, slopes, dtype):
    layer = ACTIVATIONS[name]()
    with np.errstate(all="raise", under="ignore"):
        np.testing.assert_allclose(layer.forward(np.array([-1e4, 1e4], dtype)), y, rtol=1e-6)
        np.testing.assert_allclose(layer.backward(np.ones(2, dtype)), slopes, rtol=1e-6)


def test_relu_at_and_around_zero():
    layer = ReLU()
    assert layer.forward(np.array([-2.0, 0.0, 3.0])).tolist() == [0, 0, 3]
    assert layer.backward(np.array([5.0, 5.0, 5.0])).tolist() == [0, 0, 5]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_is_scipys_at_any_number_and_does_not_warn(dtype):
    far = np.array([0, 1e-30, 1, 17, 50, 87, 89, 700, 745, 1e4, np.finfo(dtype).max, np.inf], dtype)
    x = np.concatenate([-far, far, numbers(9).astype(dtype)])
    with np.errstate(all="raise", under="ignore"):
        y = Sigmoid().forward(x)
    assert y.dtype == dtype
    np.testing.assert_allclose(y, expit(x), rtol=4 * np.finfo(dtype).eps, atol=np.finfo(dtype).tiny)
