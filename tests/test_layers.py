"""Layers: each backward pass against finite differences, and what each forward pass promises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.nn.activations import ReLU, Sigmoid
from course.nn.gradcheck import (
    check_gradients,
    directional_derivative,
    numerical_gradient,
    one_sided_derivatives,
    relative_error,
)
from course.nn.layers import Dense, Flatten, Layer, Sequential
from course.nn.losses import SoftmaxCrossEntropy
from course.nn.regularization import BatchNorm, Dropout
from course.nn.rng import SimpleRng

TIGHT = 1e-6
widths = st.integers(1, 12)


def numbers(*shape, seed=0):
    """Standard normal, but never within 1e-3 of the kink of ReLU, where no slope is right."""
    x = np.random.default_rng(seed).standard_normal(shape)
    return np.where(np.abs(x) < 1e-3, 0.5, x)


def dense(inputs, outputs, **options):
    layer = Dense(inputs, outputs, SimpleRng(7), np.float64, **options)
    layer.parameters["b"][...] = numbers(outputs, seed=3)  # not the zeros it starts with
    return layer


def batch_norm(features, **options):
    layer = BatchNorm(features, dtype=np.float64, **options)
    layer.parameters["gamma"][...] = numbers(features, seed=4)
    layer.parameters["beta"][...] = numbers(features, seed=5)
    layer.buffers["mean"][...] = numbers(features, seed=6)
    layer.buffers["variance"][...] = 0.5 + numbers(features, seed=7) ** 2
    return layer


# The backward passes


@settings(max_examples=25)
@given(batch=widths, inputs=widths, outputs=widths)
def test_dense_gradients(batch, inputs, outputs):
    errors = check_gradients(dense(inputs, outputs), numbers(batch, inputs))
    assert errors.keys() == {"w", "b", "x"}
    assert max(errors.values()) <= TIGHT


@settings(max_examples=20)
@given(batch=st.integers(2, 12), features=widths, training=st.booleans())
def test_batch_norm_gradients(batch, features, training):
    # With hardly any epsilon, two or three rows always come out as the same few numbers, whatever
    # they were: their gradient is almost zero, and nothing is left to compare.
    layer = batch_norm(features, epsilon=0.1)
    layer.training = training
    errors = check_gradients(layer, numbers(batch, features))
    assert errors.keys() == {"gamma", "beta", "x"}
    assert max(errors.values()) <= TIGHT


@settings(max_examples=15)
@given(rate=st.floats(0, 0.9), batch=widths, training=st.booleans())
def test_dropout_gradients(rate, batch, training):
    layer = Dropout(rate)
    layer.training = training
    assert check_gradients(layer, numbers(batch, 6))["x"] <= TIGHT


def deep_network():
    return Sequential(
        flat=Flatten(),
        first=dense(12, 8),
        norm=batch_norm(8),
        relu=ReLU(),
        drop=Dropout(0.3),
        block=Sequential(second=dense(8, 6), squash=Sigmoid()),
        last=dense(6, 4),
    )


@pytest.mark.parametrize("training", [False, True])
def test_gradients_through_everything_down_to_the_loss(training):
    network = deep_network()
    network.training = training
    x, labels = numbers(9, 3, 4), np.arange(9) % 4
    errors = check_gradients(network, x, labels, SoftmaxCrossEntropy())
    assert {"x", "first.w", "norm.gamma", "block.second.b", "last.w"} <= errors.keys()
    if training:  # batch norm takes off what the bias before it adds: both gradients are zero
        assert np.abs(network.gradients["first.b"]).max() < 1e-12
        del errors["first.b"]
    assert max(errors.values()) <= TIGHT


def test_the_gradient_check_finds_a_wrong_gradient():
    class Wrong(Dense):
        def backward(self, dy):
            dx = super().backward(dy)
            self.gradients["b"] *= 1.00001
            return dx

    errors = check_gradients(Wrong(3, 2, SimpleRng(1), np.float64), numbers(4, 3))
    assert errors["b"] > TIGHT and max(errors["w"], errors["x"]) <= TIGHT


@pytest.mark.parametrize("place", range(6))
def test_the_gradient_check_looks_at_every_entry_of_a_small_array(place):
    class Wrong(Dense):
        def backward(self, dy):
            dx = super().backward(dy)
            self.gradients["w"].flat[place] += 1
            return dx

    errors = check_gradients(Wrong(3, 2, SimpleRng(1), np.float64), numbers(4, 3), max_entries=6)
    assert errors["w"] > TIGHT


def test_the_gradient_check_puts_everything_back_and_looks_at_large_arrays_in_places():
    network, x = deep_network(), numbers(5, 3, 4)
    network.training = True
    before = {k: a.copy() for k, a in network.parameters.items()}
    check_gradients(network, x, max_entries=3)
    assert np.array_equal(x, numbers(5, 3, 4))
    assert all(np.array_equal(network.parameters[k], a) for k, a in before.items())


def test_directional_derivative_of_a_known_function():
    w = np.array([1.0, 2.0, -3.0], np.float32)
    along, before = np.array([1.0, 0.0, 2.0]), w.copy()
    slope = directional_derivative(lambda: float((w.astype(float) ** 3).sum()), w, along, 1e-3)
    assert slope == pytest.approx(3 * 1 + 2 * 3 * 9, rel=1e-3)
    assert np.array_equal(w, before)


def test_a_kink_has_a_slope_on_each_side():
    w = np.array([1.0])
    slopes = one_sided_derivatives(lambda: float(abs(w[0] - 1)), w, np.array([2.0]), 1e-3)
    assert slopes == (pytest.approx(-2), pytest.approx(2)) and w == [1.0]


def test_numerical_gradient_of_a_known_function():
    w = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert np.allclose(numerical_gradient(lambda: float((w**3).sum()), w), 3 * w**2)
    assert np.allclose(numerical_gradient(lambda: float((w**3).sum()), w, indices=[2]), [27.0])
    with pytest.raises(ValueError, match="in place"):
        numerical_gradient(lambda: 0.0, w.T)


class Cube(Layer):
    """y = x^3: central differences find its slope 3 x^2 too steep by exactly h^2."""

    def forward(self, x):
        self.x = x
        return x**3

    def backward(self, dy):
        return 3 * self.x**2 * dy


@pytest.mark.parametrize(("options", "h"), [({}, 1e-5), ({"h": 1e-2}, 1e-2)])
def test_the_nudge_is_as_small_as_it_says(options, h):
    w, x = np.zeros(1), 1e-3
    assert numerical_gradient(lambda: w[0] ** 3, w, **options)[0] == pytest.approx(h**2, rel=1e-9)
    error = check_gradients(Cube(), np.full((2, 1), x), **options)["x"]
    assert error == pytest.approx(h**2 / (6 * x**2 + h**2), rel=1e-6)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([3, 0], [0, 4], 5 / 7),
        ([1], [1], 0),
        ([0], [0], 0),
        ([1], [-1], 1),
        ([6e-10], [-6e-10], 1),  # small, and wrong
        ([4e-10], [-4e-10], 0),  # together below 1e-9: nothing but rounding
    ],
)
def test_relative_error(a, b, expected):
    assert relative_error(np.array(a, float), np.array(b, float)) == pytest.approx(expected)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_gradients_that_are_not_finite_are_not_right(bad):
    for a, b in ([bad, 1.0], [2.0, 1.0]), ([2.0, 1.0], [bad, 1.0]), ([bad], [bad]):
        assert relative_error(np.array(a), np.array(b)) == np.inf


# What a layer is


def test_gradients_are_overwritten_in_place_not_added_up():
    layer, x = dense(3, 2), numbers(4, 3)
    arrays = dict(layer.gradients)
    for _ in range(2):
        layer.forward(x)
        layer.backward(np.ones((4, 2)))
    assert all(layer.gradients[name] is array for name, array in arrays.items())
    assert np.allclose(arrays["w"], x.T @ np.ones((4, 2)))
    assert np.allclose(arrays["b"], [4, 4])


def test_dense_starts_with_drawn_weights_and_zero_biases():
    layer = Dense(30, 20, SimpleRng(5))
    assert layer.parameters["w"].dtype == layer.forward(np.ones((1, 30), "f4")).dtype == np.float32
    limit = np.sqrt(np.float32(6 / 50))
    assert np.allclose(layer.parameters["w"], SimpleRng(5).uniform(-limit, limit, (30, 20)))
    assert not layer.parameters["b"].any()


def test_a_first_layer_spares_itself_the_input_gradient():
    layer, x = dense(3, 2, needs_input_gradient=False), numbers(4, 3)
    assert set(check_gradients(layer, x)) == {"w", "b"}
    assert layer.backward(np.ones((4, 2))) is None


def test_redirected_weight_gradient_is_added_where_it_should_go():
    layer, x, dy = dense(3, 2), numbers(4, 3), numbers(4, 2, seed=1)
    layer.forward(x)
    layer.gradients["w"][...] = 77
    target = numbers(3, 2, seed=2)
    expected = 0.5 * target - 0.1 * x.T @ dy
    layer.redirect_weight_gradient(target, -0.1, 0.5)
    layer.backward(dy)
    assert np.allclose(target, expected) and (layer.gradients["w"] == 77).all()
    layer.restore_weight_gradient()
    layer.backward(dy)
    assert np.allclose(target, expected) and np.allclose(layer.gradients["w"], x.T @ dy)


def test_flatten_there_and_back():
    layer, x = Flatten(), numbers(2, 3, 4, 5)
    assert layer.forward(x).shape == (2, 60)
    assert np.array_equal(layer.backward(layer.forward(x)), x)


def test_sequential_shares_the_arrays_of_its_layers_under_their_names():
    network = deep_network()
    inner = network.layers["block"].layers["second"]
    assert network.parameters["block.second.w"] is inner.parameters["w"]
    assert network.gradients["block.second.w"] is inner.gradients["w"]
    assert set(network.buffers) == {"norm.mean", "norm.variance", "drop.rng_state"}
    found = dict(network.walk())
    assert found["block.second"] is inner and found[""] is network
    assert all(isinstance(layer, Layer) for layer in found.values())


def test_sequential_switches_training_for_all_inside():
    network = deep_network()
    for value in (True, False):
        network.training = value
        assert {layer.training for _, layer in network.walk()} == {value}


def test_a_bare_layer_says_that_it_computes_nothing():
    for call in (Layer().forward, Layer().backward):
        with pytest.raises(NotImplementedError):
            call(np.ones(1))


# Dropout


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dropout_drops_the_right_share_and_scales_up_the_others(rate, dtype):
    layer = Dropout(rate, seed=3)
    layer.training = True
    y = layer.forward(np.ones((200, 100), dtype))
    assert y.dtype == dtype
    assert set(np.unique(y)) == {0, dtype(1 / (1 - rate))}
    # Each of n values is 1 / (1 - rate) or 0; the mean is 1 with this standard deviation.
    deviation = np.sqrt(rate / (1 - rate) / y.size)
    assert abs(y.mean(dtype=np.float64) - 1) < 5 * deviation
    assert np.array_equal(layer.backward(np.ones_like(y)), y)


def test_dropout_in_use_does_nothing_and_draws_nothing():
    layer, x = Dropout(0.5), numbers(3, 4)
    state = layer.buffers["rng_state"].copy()
    assert np.array_equal(layer.forward(x), x)
    assert np.array_equal(layer.backward(x), x)
    assert np.array_equal(layer.buffers["rng_state"], state)


def test_dropout_draws_a_new_mask_each_time_and_the_same_again_from_the_same_state():
    layer, x = Dropout(0.5), np.ones((10, 10))
    layer.training = True
    start = layer.buffers["rng_state"].copy()
    first, second = layer.forward(x), layer.forward(x)
    assert not np.array_equal(first, second)
    layer.buffers["rng_state"][...] = start
    assert np.array_equal(layer.forward(x), first)
    assert np.array_equal(layer.forward(x), second)


@pytest.mark.parametrize("rate", [-0.1, 1.0, 1.5, float("nan")])
def test_dropout_refuses_a_rate_that_is_none(rate):
    with pytest.raises(ValueError, match="rate"):
        Dropout(rate)


# Batch norm


def test_batch_norm_in_training_gives_mean_beta_and_deviation_gamma():
    layer = batch_norm(3)
    layer.training = True
    y = layer.forward(5 + 3 * numbers(200, 3))
    assert np.allclose(y.mean(axis=0), layer.parameters["beta"])
    assert np.allclose(y.std(axis=0), np.abs(layer.parameters["gamma"]), rtol=1e-5)


@settings(max_examples=20)
@given(batch=st.integers(2, 20), momentum=st.sampled_from([0.1, 0.3, 1.0]), steps=st.integers(1, 3))
def test_batch_norm_running_statistics(batch, momentum, steps):
    layer = BatchNorm(4, momentum=momentum, dtype=np.float64)
    layer.training = True
    mean, variance = np.zeros(4), np.ones(4)
    for step in range(steps):
        x = 2 + numbers(batch, 4, seed=step)
        layer.forward(x)
        mean = (1 - momentum) * mean + momentum * x.mean(axis=0)
        variance = (1 - momentum) * variance + momentum * x.var(axis=0, ddof=1)
    assert np.allclose(layer.buffers["mean"], mean, rtol=1e-12)
    assert np.allclose(layer.buffers["variance"], variance, rtol=1e-12)


def test_batch_norm_in_use_takes_the_running_statistics_and_leaves_them():
    layer, x = batch_norm(3), numbers(5, 3)
    mean, variance = (layer.buffers[name].copy() for name in ("mean", "variance"))
    expected = (x - mean) / np.sqrt(variance + 1e-5)
    expected = layer.parameters["gamma"] * expected + layer.parameters["beta"]
    assert np.allclose(layer.forward(x), expected, rtol=1e-12)
    assert np.allclose(layer.forward(x[:1]), expected[:1], rtol=1e-12)  # one image is enough
    assert np.array_equal(layer.buffers["mean"], mean)
    assert np.array_equal(layer.buffers["variance"], variance)


def test_batch_norm_stays_in_float32():
    layer = BatchNorm(3)
    layer.training = True
    x = numbers(5, 3).astype(np.float32)
    assert layer.forward(x).dtype == layer.backward(x).dtype == np.float32
    assert layer.buffers["mean"].dtype == layer.buffers["variance"].dtype == np.float32


def test_batch_norm_refuses_to_train_on_one():
    layer = BatchNorm(3)
    layer.training = True
    with pytest.raises(ValueError, match="batch of one"):
        layer.forward(np.ones((1, 3), np.float32))
    assert np.array_equal(layer.buffers["mean"], np.zeros(3))
