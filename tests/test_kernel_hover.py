"""The kernel over a digit: its JavaScript computes what the package computes, from what it is sent.

`tests/browser` looks at what it shows, and at pointer and keys.
"""

import json
import shutil

import numpy as np
import pytest
import test_javascript

from course.cnn import CNN
from course.widgets.kernel_hover import KernelHover, KernelHoverError

RNG = np.random.default_rng(3)
DIGIT = np.rint(255 * RNG.random((28, 28)) * (RNG.random((28, 28)) < 0.4)) / 255
KERNEL = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")


def evaluate(expression, widget=None):
    """The value of an expression; it may name the widget's `weights`, its `image`, and `found`."""
    lines = [KernelHover._esm]
    if widget:
        lines += [
            f"const sent = {json.dumps(widget.network)};",
            "const numbers = (key) => unpack(sent[key], Float32Array);",
            "const weights = { biases: numbers('biases'), w: numbers('w'), b: numbers('b') };",
            "weights.kernels = inPieces(numbers('kernels'), 9);",
            f"const image = unpack('{widget.digits}', Uint8Array).map((level) => level / 255);",
            "const found = forward(image, weights);",
        ]
    return test_javascript.evaluate(expression, "\n".join(lines))


def network(channels, outputs, seed):
    """A CNN in double precision whose weights are those of single precision, as they are sent."""
    model = CNN(seed, channels, outputs, dtype=np.float64)
    random = np.random.default_rng(seed)
    for array in model.parameters.values():
        array[...] = random.standard_normal(array.shape).astype(np.float32)
    return model


@needs_node
@pytest.mark.parametrize("channels, outputs, seed", [(8, 10, 1), (3, 4, 2), (1, 1, 3)])
def test_every_layer_is_what_the_package_computes(channels, outputs, seed):
    model = network(channels, outputs, seed)
    found = evaluate("found", KernelHover(model, DIGIT))
    y = DIGIT[None, None]
    for name, key in [("conv", "z"), ("relu", "a"), ("pool", "pooled")]:
        y = model.layers[name].forward(y)
        shown = [one[key] for one in found["maps"]]
        assert np.allclose(shown, y[0].reshape(channels, -1), rtol=0, atol=1e-6), name
    assert np.array_equal(
        [one["where"] for one in found["maps"]], model.layers["pool"].where[0].reshape(channels, -1)
    )
    logits = model.forward(DIGIT[None])[0]
    assert np.allclose(found["logits"], logits, rtol=0, atol=1e-6)
    shares = np.exp(logits - logits.max())
    assert np.allclose(found["probabilities"], shares / shares.sum(), atol=1e-6)


@needs_node
def test_what_the_maps_add_to_a_logit_is_all_of_it_but_the_bias():
    model = network(3, 4, 5)
    shares = "found.maps.map((m, k) => contributions(m.pooled, k, 2, weights.w, 4))"
    added = evaluate(shares, KernelHover(model, DIGIT))
    logit = model.forward(DIGIT[None])[0, 2]
    assert np.sum(added) + model.parameters["classifier.b"][2] == pytest.approx(logit, abs=1e-6)
    features = model.layers["flatten"].forward(model.layers["pool"].forward(
        model.layers["relu"].forward(model.layers["conv"].forward(DIGIT[None, None]))))  # fmt: skip
    w = model.parameters["classifier.w"][:, 2]
    assert np.allclose(np.ravel(added), features[0] * w, rtol=0, atol=1e-6)


@needs_node
def test_a_pooled_number_leads_back_to_the_pixels_that_get_its_gradient():
    model = network(1, 2, 7)
    places = [(7, 6), (0, 0), (13, 4), (2, 13)]
    conv, relu, pool = (model.layers[name] for name in ("conv", "relu", "pool"))
    conv.needs_input_gradient = True
    pooled = pool.forward(relu.forward(conv.forward(DIGIT[None, None])))
    asked = "([row, column]) => related('pooled', row, column, found.maps[0])"
    found = evaluate(f"{json.dumps(places)}.map({asked})", KernelHover(model, DIGIT))
    for (row, column), lit in zip(places, found, strict=True):
        dpooled = np.zeros_like(pooled)
        dpooled[0, 0, row, column] = 1
        da = pool.backward(dpooled)
        dx = conv.backward(da)  # as if the ReLU were open
        assert sorted(lit["input"]) == list(np.flatnonzero(dx))
        assert lit["z"] == lit["a"] == list(np.flatnonzero(da))
        assert lit["pooled"] == [14 * row + column]


@needs_node
def test_a_pixel_leads_on_to_the_answers_that_it_changes():
    model = network(1, 2, 7)
    places = [(12, 15), (0, 0), (27, 3)]
    asked = "([row, column]) => related('input', row, column, found.maps[0])"
    found = evaluate(f"{json.dumps(places)}.map({asked})", KernelHover(model, DIGIT))
    for (row, column), lit in zip(places, found, strict=True):
        other = DIGIT.copy()
        other[row, column] += 1
        answers = [model.layers["conv"].forward(x[None, None]) for x in (DIGIT, other)]
        assert sorted(lit["z"]) == list(np.flatnonzero(answers[0] != answers[1]))
        assert lit["input"] == [28 * row + column]
        assert sorted(lit["pooled"]) == sorted({q // 56 * 14 + q % 28 // 2 for q in lit["z"]})


@needs_node
def test_keys_ink_and_colors():
    expected = {
        "moved([3, 5], 'ArrowRight', 28)": [3, 6],
        "moved([0, 5], 'ArrowUp', 28)": [0, 5],
        "moved([3, 5], 'End', 14)": [13, 13],
        "moved([3, 5], 'a', 14)": None,
        "maxPool(new Array(784).fill(1)).where.slice(0, 2)": [0, 2],  # of equals the first
        "inked(new Array(784).fill(0), 5.5, 3.5).indexOf(1)": 3 * 28 + 5,
        "inked(new Array(784).fill(0), 5.5, 3.5)[3 * 28 + 8]": 0,
        "sum(inked(new Array(784).fill(1), 2, 2))": 784,  # never whiter than white
        "line([0, 0], [1, 0])": [[0.5, 0], [1, 0]],
        "line([2, 2], [2, 2])": [[2, 2]],
        "told(-0.256)": "−0.26",
        "told(-0.0001)": "0",
        "signed(0, 0)": [255, 255, 255],
        "[signed(3, 3), signed(-3, 3)]": [[5, 48, 97], [103, 0, 31]],
        "[readable([255, 255, 255]), readable([5, 48, 97])]": ["black", "white"],
    }
    found = evaluate(f"[{', '.join(expected)}]")
    assert dict(zip(expected, found, strict=True)) == expected


@needs_node
def test_kernels_by_name_are_shown_without_a_network():
    widget = KernelHover({"upright": KERNEL, "level": np.transpose(KERNEL)}, DIGIT)
    found = evaluate("found.maps.map(({ z }) => z)", widget)
    expected = CNN(1, channels=2, dtype=np.float64)
    expected.parameters["conv.w"][:, 0] = KERNEL, np.transpose(KERNEL)
    y = expected.layers["conv"].forward(DIGIT[None, None])
    assert np.allclose(found, y[0].reshape(2, -1), rtol=0, atol=1e-6)
    assert evaluate("weights.b.length", widget) == 0


@pytest.mark.parametrize(
    "network, digits, words",
    [
        ({}, DIGIT, "must be a CNN, or kernels of 3 x 3"),
        ({"a": np.eye(5)}, DIGIT, "must be a CNN, or kernels of 3 x 3"),
        ({"a": KERNEL}, 255 * DIGIT, "from 0 to 1"),
        ({"a": KERNEL}, np.zeros((0, 28, 28)), "from 0 to 1"),
        ({"a": KERNEL}, np.zeros((5, 7)), "28 x 28"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_a_sentence(network, digits, words):
    with pytest.raises(KernelHoverError, match=words):
        KernelHover(network, digits)


def test_without_javascript_there_is_a_picture():
    widget = KernelHover(CNN(), np.stack([DIGIT, DIGIT])[:, None])
    assert repr(widget) == "KernelHover(8 kernels, 2 digits)"
    data, metadata = widget._repr_mimebundle_()
    assert data["text/plain"] == repr(widget)
    assert data["image/png"].startswith("iVBOR")
    assert "kernel" in metadata["image/png"]["alt"]
