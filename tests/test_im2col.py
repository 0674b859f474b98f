"""Convolution as a matrix product is the convolution of the loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course import cnn, im2col
from course.cnn import PRODUCT_FROM, Conv2D
from course.nn.rng import SimpleRng

few = st.integers(1, 4)
# Both add up the same at most 4 * 25 products, in another order: see tests/test_cnn.py.
SAME = {np.float32: 1e-4, np.float64: 1e-12}


def numbers(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def test_the_windows_of_a_small_image_can_be_written_by_hand():
    one = np.arange(9.0).reshape(3, 3)
    x = np.stack([one, -one], axis=2)  # two channels, which come last
    windows = np.full((4, 8), np.nan)
    im2col.im2col(x, 2, windows)
    first, second = windows[:, ::2], windows[:, 1::2]
    assert first.tolist() == [[0, 1, 3, 4], [1, 2, 4, 5], [3, 4, 6, 7], [4, 5, 7, 8]]
    assert np.array_equal(second, -first)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(max_examples=25, deadline=None)
@given(few, few, few, st.integers(1, 5), st.integers(0, 5), st.integers(0, 5), st.integers(0, 99))
def test_it_is_the_loops(dtype, batch, in_channels, out_channels, kernel, more, wider, seed):
    x = numbers(batch, in_channels, kernel + more, kernel + wider, seed=seed, dtype=dtype)
    w = numbers(out_channels, in_channels, kernel, kernel, seed=seed + 1, dtype=dtype)
    b = numbers(out_channels, seed=seed + 2, dtype=dtype)
    y, close = cnn.convolve(x, w, b), {"rtol": 0, "atol": SAME[dtype]}
    np.testing.assert_allclose(im2col.convolve(x, w, b), y, **close)
    dy = numbers(*y.shape, seed=seed + 3, dtype=dtype)
    for got, expected in zip(
        im2col.convolve_backward_weights(x, w, dy),
        cnn.convolve_backward_weights(x, w, dy),
        strict=True,
    ):
        assert got.dtype == dtype
        np.testing.assert_allclose(got, expected, **close)
    dx = cnn.convolve_backward_input(x, w, dy)
    np.testing.assert_allclose(im2col.convolve_backward_input(x, w, dy), dx, **close)


def test_windows_and_their_way_back_are_each_others_transpose():
    """<im2col(x), c> = <x, col2im(c)>: what the gradient of a linear function is."""
    x, c = numbers(6, 5, 3), numbers(4 * 3, 9 * 3, seed=1)
    windows, back = np.empty_like(c), np.zeros_like(x)
    im2col.im2col(x, 3, windows)
    im2col.col2im(c, 3, back)
    assert np.sum(windows * c) == pytest.approx(np.sum(x * back), rel=1e-12)


@pytest.mark.parametrize("channels", [PRODUCT_FROM - 1, PRODUCT_FROM])
@pytest.mark.parametrize("stride", [1, 2])
def test_the_layer_is_the_textbook_on_both_sides_of_its_rule(channels, stride):
    layer = Conv2D(channels, 3, 3, SimpleRng(1), stride, 1, np.float64)
    x = numbers(2, channels, 6, 5)
    padded, w, b = cnn.pad(x, 1), layer.parameters["w"], layer.parameters["b"]
    y = layer.forward(x)
    np.testing.assert_allclose(y, cnn.convolve_textbook(padded, w, b, stride), atol=1e-12)
    dy = numbers(*y.shape, seed=1)
    dx, dw, db = cnn.convolve_textbook_backward(padded, w, dy, stride)
    np.testing.assert_allclose(layer.backward(dy), dx[:, :, 1:-1, 1:-1], atol=1e-12)
    np.testing.assert_allclose(layer.gradients["w"], dw, atol=1e-12)
    np.testing.assert_allclose(layer.gradients["b"], db, atol=1e-12)
