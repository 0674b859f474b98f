"""Networks from JSON: what the file says is what computes, and what cannot work is refused."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course import models
from course.mlp import MLP
from course.models import architecture
from course.models.architecture import ArchitectureError, Network
from course.nn.activations import ACTIVATIONS
from course.nn.gradcheck import check_gradients
from course.nn.layers import Dense
from course.nn.recipe import Recipe

RNG = np.random.default_rng(1)
ACTIVATED = tuple(ACTIVATIONS.values())


def dense(inputs, outputs):
    return {"layer_type": "dense", "input_size": inputs, "output_size": outputs}


def conv2d(in_channels, out_channels, side, **more):
    return {
        "layer_type": "conv2d",
        "in_channels": in_channels,
        "out_channels": out_channels,
        "kernel_size": 3,
        "input_height": side,
        "input_width": side,
    } | more


def maxpool(channels, side, size=2):
    sides = {"pool_input_height": side, "pool_input_width": side}
    return {"layer_type": "maxpool", "pool_size": size, "pool_channels": channels} | sides


def batchnorm(size, **more):
    return {"layer_type": "batchnorm", "size": size} | more


def dropout(size, rate=0.5):
    return {"layer_type": "dropout", "size": size, "drop_rate": rate}


# ------------------------------------------------------------------------------ building


def test_two_dense_layers_are_the_mlp():
    network, mlp = Network([dense(784, 512), dense(512, 10)], seed=3), MLP(seed=3)
    x = RNG.random((4, 784), np.float32)
    np.testing.assert_array_equal(network.forward(x), mlp.forward(x))
    assert list(network.parameters) == ["dense0.w", "dense0.b", "dense1.w", "dense1.b"]
    assert (network.inputs, network.outputs) == (784, 10)


def test_convolution_and_dense_compute_what_their_layers_compute():
    network = Network([conv2d(1, 8, 28, padding=1, stride=1), dense(6272, 10)])
    conv, last = network.layers["conv2d0"], network.layers["dense1"]
    x = RNG.random((3, 784), np.float32)
    z = conv.forward(x.reshape(3, 1, 28, 28))  # (3, 8, 28, 28)
    expected = last.forward(np.maximum(z, 0).reshape(3, 6272))
    np.testing.assert_array_equal(network.forward(x), expected)
    np.testing.assert_array_equal(network.forward(x.reshape(3, 1, 28, 28)), expected)


def test_names_and_order_follow_the_file():
    network = Network(
        [conv2d(1, 2, 8), maxpool(2, 6), batchnorm(18), dropout(18), dense(18, 5), dense(5, 3)]
    )
    assert list(network.layers) == [
        "conv2d0",
        "relu0",
        "maxpool1",
        "flatten2",
        "batchnorm2",
        "dropout3",
        "dense4",
        "relu4",
        "dense5",
    ]


def test_batch_norm_after_a_picture_has_a_feature_for_each_channel():
    pictures = [conv2d(1, 2, 8), maxpool(2, 6), batchnorm(2)]
    network = Network([*pictures, dense(18, 3)])
    assert list(network.layers) == [
        "conv2d0",
        "relu0",
        "maxpool1",
        "batchnorm2",
        "flatten3",
        "dense3",
    ]
    network.training = True
    outputs = network.layers["batchnorm2"].forward(
        np.random.default_rng(1).random((4, 2, 3, 3), np.float32)
    )
    np.testing.assert_allclose(outputs.mean(axis=(0, 2, 3)), 0, atol=1e-5)
    again = Network(**network.config)
    assert network.parameters.keys() == again.parameters.keys()
    with pytest.raises(ArchitectureError, match=r"gives 18 \(2 x 3 x 3\), but .* takes 3"):
        Network([*pictures[:2], batchnorm(3), dense(18, 3)])


def bends(network):
    return [name for name, layer in network.layers.items() if isinstance(layer, ACTIVATED)]


@pytest.mark.parametrize(
    ("layers", "relus"),
    [
        ([dense(6, 4)], []),
        ([dense(6, 4), dense(4, 3)], ["relu0"]),
        ([dense(6, 4), batchnorm(4), dense(4, 3)], ["relu1"]),
        ([dense(6, 4), batchnorm(4), dropout(4), dense(4, 3)], ["relu1"]),
        ([dense(6, 4), dropout(4), dense(4, 3)], ["relu0"]),
        ([dense(6, 4), dropout(4), batchnorm(4), dense(4, 3)], ["relu0"]),
        ([dense(6, 4), dense(4, 3), batchnorm(3)], ["relu0"]),
        ([batchnorm(6), dense(6, 4)], []),
        ([dropout(6), dense(6, 4), dense(4, 3), dropout(3)], ["relu1"]),
    ],
)
def test_a_relu_follows_each_layer_with_weights_but_the_last(layers, relus):
    network = Network(layers)
    assert bends(network) == relus
    assert network.forward(np.ones((2, 6), np.float32)).shape == (2, network.outputs)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_file_names_the_activation_of_all_or_of_one_layer(tmp_path, name):
    path = tmp_path / "net.json"
    own = conv2d(1, 2, 6) | {"activation": name.upper()}
    layers = [own, dense(32, 5), batchnorm(5), dense(5, 4) | {"activation": "elu"}, dense(4, 3)]
    path.write_text(json.dumps({"activation": name, "layers": layers}))
    network = architecture.load(path, dtype=np.float64)
    assert bends(network) == [f"{name}0", f"{name}2", "elu3"]
    assert isinstance(network.layers[f"{name}0"], ACTIVATIONS[name])
    assert bends(Network(layers)) == [f"{name}0", "relu2", "elu3"]
    assert max(check_gradients(network, RNG.normal(size=(4, 36))).values()) <= 1e-6


def test_an_activation_is_saved_with_the_weights(tmp_path):
    network = Network([dense(6, 4), dense(4, 3)], activation="tanh")
    x = RNG.random((2, 6), np.float32)
    models.save(tmp_path / "net.safetensors", network)
    again = models.load(tmp_path / "net.safetensors")
    assert bends(again) == ["tanh0"]
    np.testing.assert_array_equal(again.forward(x), network.forward(x))


def test_pictures_are_laid_out_and_picked_up_again():
    network = Network([conv2d(1, 2, 6), dropout(32), conv2d(2, 3, 4), batchnorm(12)])
    assert list(network.layers) == [
        "conv2d0",
        "relu0",
        "flatten1",
        "dropout1",
        "reshape2",
        "conv2d2",
        "flatten3",
        "batchnorm3",
    ]
    assert network.forward(np.ones((2, 36), np.float32)).shape == (2, 12)


def test_a_network_that_ends_in_pictures_gives_rows():
    network = Network([conv2d(1, 2, 6)])
    assert network.forward(np.ones((5, 36), np.float32)).shape == (5, 32)


def test_settings_reach_the_layers():
    network = Network(
        [
            conv2d(1, 2, 9, padding=2, stride=2),
            maxpool(2, 6, size=3) | {"pool_stride": 1},
            batchnorm(32, epsilon=0.01, momentum=0.75),
            dropout(32, 0.25),
            dense(32, 2),
        ]
    )
    conv, pool = network.layers["conv2d0"], network.layers["maxpool1"]
    assert (conv.padding, conv.stride) == (2, 2)
    assert (pool.size, pool.stride) == (3, 1)
    norm = network.layers["batchnorm2"]
    assert norm.epsilon == 0.01
    assert norm.momentum == 0.25  # the share of the new batch; the file gives that of the old
    assert network.layers["dropout3"].rate == 0.25


def test_defaults_are_those_of_the_description():
    network = Network([conv2d(1, 2, 6), batchnorm(32)])
    assert (network.layers["conv2d0"].padding, network.layers["conv2d0"].stride) == (0, 1)
    norm = network.layers["batchnorm1"]
    assert norm.epsilon == 1e-5
    assert norm.momentum == pytest.approx(0.1)


def test_other_names_of_types_and_fields_are_known():
    network = Network(
        [
            {"layer_type": "Linear", "in_features": 6, "out_features": 4, "stride": None},
            {"layer_type": "BATCH_NORM", "num_features": 4, "eps": 0.5},
            {"layer_type": "Dropout", "size": 4, "p": 0.125},
        ]
    )
    assert isinstance(network.layers["dense0"], Dense)
    assert network.layers["batchnorm1"].epsilon == 0.5
    assert network.layers["dropout2"].rate == 0.125


def test_gradients_are_right_through_every_kind_of_layer():
    layers = [
        conv2d(1, 2, 8, padding=1),
        maxpool(2, 8),
        dropout(32, 0.0),
        conv2d(2, 3, 4, stride=2, padding=1),
        batchnorm(12),
        dense(12, 5),
        dense(5, 3),
    ]
    network = Network(layers, dtype=np.float64)
    network.training = True
    errors = check_gradients(network, RNG.normal(size=(4, 64)))
    assert errors.keys() == network.parameters.keys()  # a first layer with weights gives no dx
    assert max(errors.values()) <= 1e-6


@pytest.mark.parametrize("first", [batchnorm(6), dropout(6)])
def test_a_network_may_begin_without_weights(first):
    network = Network([first, dense(6, 4), dense(4, 3)], dtype=np.float64)
    errors = check_gradients(network, RNG.normal(size=(5, 6)))
    assert errors.keys() == {*network.parameters, "x"}
    assert max(errors.values()) <= 1e-6


def test_a_network_from_a_file_learns(tmp_path):
    path = tmp_path / "net.json"
    layers = [dense(20, 16), batchnorm(16), dropout(16, 0.1), dense(16, 3)]
    path.write_text(json.dumps({"layers": layers}))
    x = RNG.normal(size=(600, 20)).astype(np.float32)
    y = x[:, :3].argmax(axis=1).astype(np.uint8)
    recipe = Recipe(optimizer="adam", learning_rate=0.01, epochs=15, batch_size=32)
    last = recipe.trainer(architecture.load(path)).fit(x, y)[-1]
    assert last.val_accuracy > 0.8  # one in three by guessing


# ------------------------------------------------------------------------------ refusing


@pytest.mark.parametrize(
    ("layers", "problem"),
    [
        (
            [dense(784, 256), dense(128, 10)],
            "layer 0 (dense) gives 256, but layer 1 (dense) takes 128",
        ),
        (
            [conv2d(1, 8, 28, padding=1), dense(784, 10)],
            "layer 0 (conv2d) gives 6,272 (8 x 28 x 28), but layer 1 (dense) takes 784",
        ),
        (
            [conv2d(1, 8, 6), conv2d(2, 4, 8)],  # both 128 numbers
            "layer 0 (conv2d) gives 128 (8 x 4 x 4), but layer 1 (conv2d) takes 128 (2 x 8 x 8)",
        ),
        ([dense(6, 4), batchnorm(5)], "layer 0 (dense) gives 4, but layer 1 (batchnorm) takes 5"),
        ([dense(6, 4), dropout(5)], "layer 0 (dense) gives 4, but layer 1 (dropout) takes 5"),
        ([], '"layers" must be a list of at least one layer'),
        ({}, '"layers" must be a list of at least one layer'),
        ([7], 'layer 0: must have a "layer_type"'),
        ([{"layer_type": 7}], 'layer 0: must have a "layer_type"'),
        ([{"layer_type": "lstm"}], "layer 0: unknown layer_type 'lstm'; known are dense, conv2d"),
        ([{"layer_type": "dense", "input_size": 4}], "layer 0 (dense): output_size is missing"),
        ([dense(4, None)], "layer 0 (dense): output_size is missing"),
        ([dense(4, 0)], "layer 0 (dense): output_size must be a whole number from 1, found 0"),
        ([dense(4, -2)], "output_size must be a whole number from 1, found -2"),
        ([dense(4, 2.0)], "output_size must be a whole number from 1, found 2.0"),
        ([dense(4, True)], "output_size must be a whole number from 1, found True"),
        ([dense("4", 2)], "input_size must be a whole number from 1, found 4"),
        ([dense(4, 10**12)], "output_size must be a whole number from 1, found 1000000000000"),
        ([dense(100_000, 100_000)], "10,000,100,000 weights are more than 268,435,456"),
        ([dense(1, 1)] * 1001, "1,001 layers are more than 1,000"),
        ([conv2d(1, 1, 6, padding=3)], "padding 3 must be smaller than kernel_size 3"),
        ([dense(4, 2) | {"inputs": 4}], "layer 0 (dense): input_size and inputs are the same"),
        (
            [dense(4, 2) | {"activation": "gleu"}, dense(2, 2)],
            "layer 0 (dense): unknown activation 'gleu'; known are relu, leaky_relu, elu, gelu, "
            "silu, tanh, sigmoid",
        ),
        ([dense(4, 2) | {"activation": ["relu"]}], "unknown activation \"['relu']\"; known are"),
        (
            [dense(4, 2), dense(2, 2) | {"activation": "tanh"}, dropout(2)],
            "layer 1 (dense): no activation follows the last dense or conv2d layer",
        ),
        ([dropout(4) | {"activation": "tanh"}], "unknown field 'activation'; known are size"),
        ([conv2d(1, 2, 2)], "layer 0 (conv2d): a window of 3 does not fit into 2"),
        ([conv2d(1, 2, 4, padding=-1)], "padding must be a whole number from 0, found -1"),
        ([conv2d(1, 2, 4, stride=0)], "stride must be a whole number from 1, found 0"),
        ([dropout(4, 1.0)], "layer 0 (dropout): drop_rate must be from 0 to 0.999, found 1.0"),
        ([dropout(4, math.nan)], "drop_rate must be from 0 to 0.999, found nan"),
        ([batchnorm(4, epsilon=0)], "layer 0 (batchnorm): epsilon must be from 1e-12 to 1"),
        ([batchnorm(4, momentum=1.5)], "momentum must be from 0 to 1, found 1.5"),
    ],
)
def test_what_cannot_be_built_is_refused_with_layer_and_sizes(layers, problem):
    with pytest.raises(ArchitectureError) as caught:
        Network(layers)
    assert problem in str(caught.value)


FITTING = b'{"layers": [{"layer_type": "dense", "inputs": 4, "outputs": 2}], "activation": %s}'


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "no readable JSON"),
        (b"{", "no readable JSON"),
        (b"\xff\xfe{}", "no readable JSON"),
        (b"[" * 100_000, "no readable JSON"),
        (b'{"layers": [' + b"9" * 10_000 + b"]}", "no readable JSON"),
        (b"[]", 'there is no list of "layers"'),
        (b'{"layer": []}', 'there is no list of "layers"'),
        (b'{"layers": [], "activations": "tanh"}', "unknown field 'activations'; known are layers"),
        (b'{"layers": [], "activation": "swash"}', '"layers" must be a list of'),
        (FITTING % b'"swash"', "unknown activation 'swash'; known are relu, leaky_relu"),
        (FITTING % b"7", "unknown activation '7'; known are relu, leaky_relu"),
        (b'{"layers": []}', '"layers" must be a list of at least one layer'),
    ],
)
def test_a_damaged_file_is_refused_by_name(tmp_path, content, problem):
    path = tmp_path / "net.json"
    path.write_bytes(content)
    with pytest.raises(ArchitectureError) as caught:
        architecture.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert problem in str(caught.value)


values = st.none() | st.booleans() | st.integers(-2, 40) | st.floats() | st.text(max_size=5)
names = [name for fields in architecture.FIELDS.values() for all in fields.values() for name in all]
layer = st.fixed_dictionaries(
    {"layer_type": st.sampled_from([*architecture.FIELDS, "linear", "gru", 3])},
    optional={name: values for name in names},
)


@pytest.mark.slow
@settings(max_examples=300)
@given(st.lists(layer, max_size=3) | st.recursive(values, st.lists, max_leaves=5))
def test_no_description_breaks_the_builder(layers):
    try:
        network = Network(layers)
    except ArchitectureError:
        return
    x = np.ones((2, network.inputs), np.float32)
    assert network.forward(x).shape == (2, network.outputs)


sizes = st.lists(st.integers(1, 9), min_size=2, max_size=5)


@given(sizes, st.data())
def test_any_chain_that_fits_is_built(sizes, data):
    layers = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers.append(dense(inputs, outputs))
        layers += data.draw(st.sampled_from([[], [batchnorm(outputs)], [dropout(outputs)]]))
    network = Network(layers)
    assert network.forward(np.ones((2, sizes[0]), np.float32)).shape == (2, sizes[-1])
