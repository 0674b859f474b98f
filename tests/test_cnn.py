"""Lesson 03: convolution and pooling, their backward passes, and the network made of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course import cnn
from course.cnn import CNN, Conv2D, MaxPool2D
from course.nn.activations import ReLU
from course.nn.gradcheck import check_gradients, relative_error
from course.nn.layers import Dense, Flatten, Sequential
from course.nn.losses import SoftmaxCrossEntropy
from course.nn.optimizers import SGD
from course.nn.rng import SimpleRng

TIGHT = 1e-6
few = st.integers(1, 3)
# The two orders add up the same 9 * channels products; each addition rounds by at most half a
# unit, 6e-8 in float32 and 1.1e-16 in float64, of sums that stay below about 50 here.
SAME = {np.float32: 1e-4, np.float64: 1e-12}


def numbers(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def distinct(*shape):
    """Numbers of which no two are closer than 0.01, so that a nudge changes no maximum."""
    return np.random.default_rng(2).permutation(np.arange(np.prod(shape)) / 100).reshape(shape)


def conv(in_channels, out_channels, kernel, stride=1, padding=0, **options):
    rng = SimpleRng(7)
    layer = Conv2D(in_channels, out_channels, kernel, rng, stride, padding, np.float64, **options)
    layer.parameters["b"][...] = numbers(out_channels, seed=3)  # not the zeros it starts with
    return layer


@st.composite
def convolutions(draw):
    """A layer with any kernel, stride and padding, and images that it fits on, just or amply."""
    kernel, stride, padding = draw(st.integers(1, 5)), draw(few), draw(st.integers(0, 3))
    smallest = max(1, kernel - 2 * padding)
    height, width = (smallest + draw(st.integers(0, 5)) for _ in "hw")
    channels = draw(few)
    layer = conv(channels, draw(few), kernel, stride, padding)
    return layer, numbers(draw(few), channels, height, width, seed=draw(st.integers(0, 99)))


# Convolution


@pytest.mark.parametrize("function", [cnn.convolve_textbook, cnn.convolve_textbook.py_func])
def test_a_convolution_that_can_be_done_in_the_head(function):
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    w = np.array([[[[0.0, 1.0], [10.0, 100.0]]]])  # right neighbor + 10 * below + 100 * both
    y = function(x, w, np.array([1000.0]), 1)
    assert y[0, 0, 0, 0] == 1000 + 1 + 40 + 500
    assert y[0, 0, 2, 2] == 1000 + 11 + 140 + 1500
    assert function(x, w, np.zeros(1), 2).tolist() == [[[[541, 763], [1429, 1651]]]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_rung_of_the_ladder_computes_the_same(dtype):
    x = cnn.pad(numbers(2, 3, 6, 9, dtype=dtype), 1)
    w, b = numbers(4, 3, 3, 3, seed=1, dtype=dtype), numbers(4, seed=2, dtype=dtype)
    expected = cnn.convolve_textbook.py_func(x, w, b)
    assert expected.shape == (2, 4, 6, 9) and expected.dtype == dtype
    for function in (
        cnn.convolve_textbook, cnn.convolve_numpy, cnn.convolve, cnn.convolve.py_func
    ):  # fmt: skip
        y = function(x, w, b)
        assert y.dtype == dtype
        np.testing.assert_allclose(y, expected, rtol=0, atol=SAME[dtype])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_ordered_backward_is_the_textbook_backward(dtype):
    x = cnn.pad(numbers(2, 2, 5, 4, dtype=dtype), 1)
    w, dy = numbers(3, 2, 3, 3, seed=1, dtype=dtype), numbers(2, 3, 5, 4, seed=2, dtype=dtype)
    dx, dw, db = cnn.convolve_textbook_backward.py_func(x, w, dy)
    expected = {
        cnn.convolve_textbook_backward: (dx, dw, db),
        cnn.convolve_backward_weights: (dw, db),
        cnn.convolve_backward_weights.py_func: (dw, db),
        cnn.convolve_backward_input: (dx,),
        cnn.convolve_backward_input.py_func: (dx,),
    }
    for function, arrays in expected.items():
        result = function(x, w, dy)
        for got, array in zip(result if len(arrays) > 1 else (result,), arrays, strict=True):
            assert got.dtype == dtype
            np.testing.assert_allclose(got, array, rtol=0, atol=SAME[dtype])


@settings(max_examples=40)
@given(convolutions())
def test_conv2d_is_the_textbook_convolution(layer_and_x):
    layer, x = layer_and_x
    w, b = layer.parameters["w"], layer.parameters["b"]
    padded = np.pad(x, [(0, 0), (0, 0), (layer.padding,) * 2, (layer.padding,) * 2])
    expected = cnn.convolve_textbook(padded, w, b, layer.stride)
    y = layer.forward(x)
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        cnn.convolve_numpy(padded, w, b, layer.stride), expected, rtol=0, atol=1e-12
    )

    dy = numbers(*y.shape, seed=5)
    dx, dw, db = cnn.convolve_textbook_backward(padded, w, dy, layer.stride)
    height, width = x.shape[2:]
    p = layer.padding
    inner = dx[:, :, p : p + height, p : p + width]
    np.testing.assert_allclose(layer.backward(dy), inner, rtol=0, atol=1e-12)
    np.testing.assert_allclose(layer.gradients["w"], dw, rtol=0, atol=1e-12)
    np.testing.assert_allclose(layer.gradients["b"], db, rtol=0, atol=1e-12)


@settings(max_examples=15)
@given(convolutions())
def test_conv2d_gradients(layer_and_x):
    errors = check_gradients(*layer_and_x)
    assert errors.keys() == {"w", "b", "x"}
    assert max(errors.values()) <= TIGHT


def test_a_first_layer_saves_the_input_gradient():
    layer = conv(2, 3, 3, padding=1, needs_input_gradient=False)
    x, whole = numbers(2, 2, 5, 5), conv(2, 3, 3, padding=1)
    dy = numbers(*layer.forward(x).shape)
    whole.forward(x)
    whole.backward(dy)
    assert layer.backward(dy) is None
    assert (layer.gradients["w"] == whole.gradients["w"]).all()


def test_a_new_layer_has_weights_drawn_row_major_within_the_xavier_limit():
    layer = Conv2D(2, 8, 3, SimpleRng(5))
    limit = np.sqrt(np.float32(6) / np.float32(2 * 9 + 8 * 9))
    assert layer.parameters["w"].shape == (8, 2, 3, 3)
    drawn = SimpleRng(5).uniform(-limit, limit, 8 * 2 * 9)
    assert (layer.parameters["w"].ravel() == drawn).all()
    assert not layer.parameters["b"].any()
    images = np.zeros((1, 2, 5, 6), np.float32)
    assert layer.forward(images).shape == (1, 8, 3, 4)  # stride 1 and no padding unless given


def test_forward_leaves_its_input_alone_and_earlier_outputs_too():
    layer, x = conv(1, 2, 3), numbers(1, 1, 5, 5)
    before = x.copy()
    first = layer.forward(x)
    kept = first.copy()
    layer.forward(x + 1)
    assert (x == before).all() and (first == kept).all()


# Pooling


def pool_by_numpy(x, size, stride):
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]
    return windows.max(axis=(4, 5)), windows.reshape(*windows.shape[:4], -1).argmax(axis=4)


@settings(max_examples=30)
@given(size=few, stride=few, extra=st.tuples(*[st.integers(0, 5)] * 2), levels=st.integers(1, 9))
def test_max_pool_and_who_won(size, stride, extra, levels):
    """With few levels there are many ties: then NumPy, too, takes the first in reading order."""
    height, width = size + extra[0], size + extra[1]
    x = np.random.default_rng(0).integers(0, levels, (2, 3, height, width)).astype(np.float64)
    expected, winner = pool_by_numpy(x, size, stride)
    y, where = cnn.max_pool(x, size, stride)
    assert (y == expected).all()
    assert (
        np.take_along_axis(x.reshape(2, 3, -1), where.reshape(2, 3, -1), 2) == y.reshape(2, 3, -1)
    ).all()
    row, column = where // width, where % width
    i = row - np.arange(y.shape[2])[:, None] * stride
    j = column - np.arange(y.shape[3]) * stride
    assert (i * size + j == winner).all()


@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 2)])
def test_compiled_pooling_is_the_function_as_written(size, stride):
    x = numbers(2, 2, 7, 6)
    y, where = cnn.max_pool(x, size, stride)
    plain_y, plain_where = cnn.max_pool.py_func(x, size, stride)
    assert (y == plain_y).all() and (where == plain_where).all()
    dy = numbers(*y.shape)
    plain = cnn.max_pool_backward.py_func(dy, where, 7, 6)
    assert (cnn.max_pool_backward(dy, where, 7, 6) == plain).all()


@settings(max_examples=15)
@given(size=few, stride=few, extra=st.tuples(*[st.integers(0, 5)] * 2))
def test_max_pool_gradients(size, stride, extra):
    errors = check_gradients(
        MaxPool2D(size, stride), distinct(2, 2, size + extra[0], size + extra[1])
    )
    assert errors["x"] <= TIGHT


@pytest.mark.parametrize("size", [1, 2, 3])
def test_windows_lie_side_by_side_unless_a_stride_is_given(size):
    x = distinct(2, 2, 7, 8)
    assert (MaxPool2D(size).forward(x) == pool_by_numpy(x, size, size)[0]).all()
    assert (MaxPool2D(size, stride=1).forward(x) == pool_by_numpy(x, size, 1)[0]).all()
    assert MaxPool2D().forward(x).shape == (2, 2, 3, 4)


def test_of_equal_pixels_the_first_gets_the_gradient():
    pool = MaxPool2D(2)
    assert pool.forward(np.zeros((1, 1, 2, 4))).tolist() == [[[[0, 0]]]]
    assert pool.backward(np.array([[[[5.0, 7.0]]]])).tolist() == [[[[5, 0, 7, 0], [0, 0, 0, 0]]]]


def test_a_row_that_fills_no_window_is_left_out():
    x = distinct(1, 1, 5, 7)
    pool = MaxPool2D(2)
    assert pool.forward(x).shape == (1, 1, 2, 3)
    dx = pool.backward(np.ones((1, 1, 2, 3)))
    assert dx.shape == x.shape and dx.sum() == 6
    assert not dx[:, :, 4].any() and not dx[:, :, :, 6].any()


def test_a_pixel_in_two_windows_gets_both_gradients():
    x = np.zeros((1, 1, 3, 3))
    x[0, 0, 1, 1] = 1.0
    pool = MaxPool2D(2, stride=1)
    pool.forward(x)
    assert pool.backward(np.ones((1, 1, 2, 2)))[0, 0, 1, 1] == 4.0


# What does not fit


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (conv(2, 1, 3), (4, 3, 8, 8), r"shape \(batch, 2, height, width\), got \(4, 3, 8, 8\)"),
        (conv(1, 1, 3), (4, 784), r"shape \(batch, 1, height, width\), got \(4, 784\)"),
        (conv(1, 1, 5), (1, 1, 9, 4), "a 5x5 window does not fit into a 9x4 image$"),
        (conv(1, 1, 5, padding=1), (1, 1, 2, 9), "5x5 .* into a 2x9 image, padded by 1$"),
        (MaxPool2D(3), (1, 1, 2, 5), "max-pooling: a 3x3 window does not fit into a 2x5 image$"),
        (MaxPool2D(2), (3, 5), r"shape \(batch, channels, height, width\), got \(3, 5\)"),
    ],
)
def test_images_that_do_not_fit(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        layer.forward(np.zeros(shape))


@pytest.mark.parametrize(
    "sizes", [dict(kernel=0), dict(stride=0), dict(padding=-1), dict(in_channels=0)]
)
def test_sizes_that_make_no_sense(sizes):
    sizes = dict(in_channels=1, out_channels=1, kernel=3, stride=1, padding=0) | sizes
    with pytest.raises(ValueError, match="convolution: .*at least"):
        Conv2D(**sizes, rng=SimpleRng(1))
    with pytest.raises(ValueError, match="max-pooling: .*at least 1, got size=2, stride=0"):
        MaxPool2D(2, stride=0)


# Networks


def small_network(rng):
    """Two convolutions, one with a stride, on 11x9 images."""
    return Sequential(
        conv1=Conv2D(1, 3, 3, rng, padding=1, dtype=np.float64),
        relu1=ReLU(),
        pool=MaxPool2D(2),  # 5x4, a row and a column left out
        conv2=Conv2D(3, 4, 3, rng, stride=2, padding=1, dtype=np.float64),
        relu2=ReLU(),
        flatten=Flatten(),
        dense=Dense(4 * 3 * 2, 3, rng, np.float64),
    )


def test_gradients_through_two_convolutions():
    network, x = small_network(SimpleRng(3)), numbers(3, 1, 11, 9)
    errors = check_gradients(network, x, np.array([0, 2, 1]), SoftmaxCrossEntropy())
    assert len(errors) == 7 and max(errors.values()) <= TIGHT


def test_gradients_of_the_whole_cnn():
    """h is small: a nudge must not carry one of the 19,000 sums over ReLU's kink, or past its
    rival in the pool, where the loss has no slope."""
    model, x, y = CNN(seed=2, dtype=np.float64), numbers(3, 784), np.array([0, 2, 9])
    errors = check_gradients(model, x, y, SoftmaxCrossEntropy(), h=1e-7, max_entries=60)
    assert errors.keys() == {"conv.w", "conv.b", "classifier.w", "classifier.b"}
    assert max(errors.values()) <= TIGHT


def stripes(count, seed):
    """Images 11x9 of horizontal (0), vertical (1) or diagonal (2) stripes at random offsets."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, count)
    row, column = np.indices((11, 9))
    phase = np.array([row, column, row + column])[labels] + random.integers(0, 4, (count, 1, 1))
    noise = random.normal(0, 0.3, (count, 11, 9))
    return ((phase % 4 < 2) + noise)[:, None], labels


def test_two_convolutions_learn_what_is_a_matter_of_direction():
    network, loss_fn = small_network(SimpleRng(1)), SoftmaxCrossEntropy()
    optimizer = SGD(network, momentum=0.9)
    x, y = stripes(320, seed=0)
    for _ in range(8):
        for start in range(0, len(x), 32):
            batch = slice(start, start + 32)
            _, dlogits = loss_fn(network.forward(x[batch]), y[batch])
            optimizer.backward_and_step(dlogits, 0.05)
    x, y = stripes(300, seed=1)
    assert (network.forward(x).argmax(axis=1) == y).mean() > 0.95


def test_the_cnn_has_the_names_and_shapes_of_the_lesson():
    model = CNN()
    shapes = {name: array.shape for name, array in model.parameters.items()}
    assert shapes == {
        "conv.w": (8, 1, 3, 3), "conv.b": (8,), "classifier.w": (1568, 10), "classifier.b": (10,)
    }  # fmt: skip
    assert sum(array.size for array in model.parameters.values()) == 15_770
    assert all(array.dtype == np.float32 for array in model.parameters.values())
    assert type(model)(**model.config).parameters.keys() == model.parameters.keys()


def test_digits_may_come_flat_or_as_images():
    model, x = CNN(), numbers(5, 784, dtype=np.float32)
    logits = model.forward(x)
    assert logits.shape == (5, 10) and logits.dtype == np.float32
    assert (model.forward(x.reshape(5, 1, 28, 28)) == logits).all()


def test_a_digit_gets_the_same_logits_in_any_batch():
    model, x = CNN(dtype=np.float64), numbers(7, 784)
    logits = model.forward(x)
    for part in (slice(0, 1), slice(1, 4), slice(4, 7)):
        np.testing.assert_allclose(model.forward(x[part]), logits[part], rtol=1e-12, atol=1e-12)


def test_training_gives_the_same_bits_twice():
    x = np.random.default_rng(0).random((100, 784), dtype=np.float32)
    y = np.random.default_rng(1).integers(0, 10, 100)
    weights = []
    for _ in range(2):
        trainer = cnn.RECIPE.trainer(CNN(seed=1))
        trainer.fit(x, y)
        weights.append(b"".join(w.tobytes() for w in trainer.model.parameters.values()))
    assert weights[0] == weights[1]


# There and back in shares

LABELS = np.random.default_rng(4).integers(0, 10, 32)


@pytest.mark.parametrize("batch", [1, 3, 32])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shares_give_what_the_layers_give(batch, dtype):
    model, x, y = CNN(3, channels=5, dtype=dtype), numbers(batch, 784, dtype=dtype), LABELS[:batch]
    expected, dlogits = SoftmaxCrossEntropy()(model.forward(x), y)
    right = int(model.is_right(model.forward(x), y).sum())
    model.backward(dlogits)
    by_layers = {name: g.copy() for name, g in model.gradients.items()}
    loss, correct = model.loss_and_gradients(x, y)
    eps = float(np.finfo(dtype).eps)
    assert correct == right and loss == pytest.approx(expected, rel=50 * eps)
    for name, g in model.gradients.items():
        # Both add up the same products, at most batch * 784 of them, in another order. Errors of
        # that many roundings are like a random walk: its square root, and some room.
        room = 10 * np.sqrt(batch * 784) * eps
        assert relative_error(g, by_layers[name]) < room, name


def test_shares_compiled_and_not_are_the_same(monkeypatch):
    model, x, y = CNN(2, channels=2, dtype=np.float64), numbers(2, 784), LABELS[:2]
    loss, _ = model.loss_and_gradients(x, y)
    expected = {name: g.copy() for name, g in model.gradients.items()}
    for name, value in vars(cnn).items():
        if hasattr(value, "py_func"):
            monkeypatch.setattr(cnn, name, value.py_func)
    assert model.loss_and_gradients(x, y)[0] == pytest.approx(loss, rel=1e-12)
    for name, g in model.gradients.items():
        assert np.allclose(g, expected[name], rtol=1e-10, atol=1e-14), name


@pytest.mark.parametrize("labels", [[0, 1], [0, 1, 10], [0, -1, 2]])
def test_labels_that_cannot_be_are_refused(labels):
    with pytest.raises(ValueError, match="expected 3 labels, each from 0 to 9"):
        CNN().loss_and_gradients(np.zeros((3, 784), np.float32), labels)
