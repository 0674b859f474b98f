"""The backprop stepper's JavaScript computes what `course.xor` does."""

import json
import shutil

import numpy as np
import pytest
from test_javascript import evaluate as evaluate_in

from course import xor
from course.widgets.backprop_stepper import BackpropStepper
from course.xor import INPUTS, TARGETS, XOR

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")


def evaluate(expression, **names):
    """The value of a JavaScript expression in the widget's module, in which `names` have values."""
    known = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in names.items())
    return evaluate_in(expression, f"{BackpropStepper._esm}\n{known}")


def flat(arrays):
    return [float(number) for array in arrays.values() for number in array.flat]


def lively(hidden, seed=3):
    """A network none of whose 4 * hidden + 1 numbers is zero."""
    model = XOR(seed, hidden)
    random = np.random.default_rng(seed)
    for array in model.parameters.values():
        array += random.normal(0, 1, array.shape)
    return model


def backward(model, x, y):
    """Gradients by the package, of one case: x (2,), y."""
    _, dy = xor.HalfSquaredError()(model.forward(np.array([x])), np.array([y]))
    model.backward(dy)
    return model.gradients


@needs_node
@pytest.mark.parametrize("hidden", [1, 2, 4, 7])
def test_forward_and_backward_are_those_of_the_package(hidden):
    model = lively(hidden)
    x, y = [0.3, -1.2], 0.7
    found = evaluate(
        "[forward(network, x).a2, backward(network, x, y).dnetwork]",
        network=flat(model.parameters), x=x, y=y,
    )  # fmt: skip
    expected = [model.forward(np.array([x]))[0, 0], flat(backward(model, x, y))]
    np.testing.assert_allclose(found[0], expected[0], atol=1e-12)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-12)


@needs_node
@pytest.mark.parametrize("hidden", [2, 4])
def test_training_goes_where_train_epochs_goes(hidden):
    model = XOR(5, hidden)
    train = """(() => {
        let done = { network: newNetwork(5, hidden) };
        for (let epoch = 0; epoch < 300; epoch++) done = trainEpoch(done.network, 1.3);
        return [done, evaluate(done.network)];
    })()"""
    last, result = evaluate(train, hidden=hidden)
    _, loss = xor.train_epochs(INPUTS, TARGETS, *model.parameters.values(), 1.3, 300, 0.0)
    np.testing.assert_allclose(last["network"], flat(model.parameters), atol=1e-6)
    assert last["loss"] == pytest.approx(loss, abs=1e-9)
    assert [result["loss"], result["right"] / 4] == pytest.approx(xor.evaluate(model), abs=1e-9)


@needs_node
def test_a_seed_gives_the_network_that_it_gives_in_python():
    seeds = [(0, 1), (1, 4), (2, 2), (99, 3), (2**53 - 1, 8)]
    found = evaluate("seeds.map(([seed, hidden]) => newNetwork(seed, hidden))", seeds=seeds)
    assert found == [flat(XOR(seed, hidden).parameters) for seed, hidden in seeds]


@needs_node
@pytest.mark.parametrize("hidden", [1, 2, 4])
def test_the_steps_end_in_every_gradient_and_each_is_said_once(hidden):
    model = lively(hidden)
    x, y = [1.0, 0.5], 1.0
    steps = evaluate("steps(network, x, y)", network=flat(model.parameters), x=x, y=y)
    back = {step["name"]: step["value"] for step in steps if step["isGradient"]}
    gradients = backward(model, x, y)
    named = {"db2": gradients["output.b"][0]}
    for j in range(hidden):
        named[f"db1[{j}]"] = gradients["hidden.b"][j]
        named[f"dw2[{j}]"] = gradients["output.w"][j, 0]
        named |= {f"dw1[{i}, {j}]": gradients["hidden.w"][i, j] for i in (0, 1)}
    assert {name: back[name] for name in named} == pytest.approx(named, abs=1e-12)
    assert len(back) == sum(step["isGradient"] for step in steps) == 4 * hidden + 3 + 2 * hidden
    forward = {step["name"]: step["value"] for step in steps if not step["isGradient"]}
    assert forward["loss"] == pytest.approx((model.forward(np.array([x]))[0, 0] - y) ** 2 / 2)


@needs_node
def test_each_step_can_be_computed_from_the_numbers_that_it_shows():
    steps = evaluate("steps(network, [0, 1], 1)", network=flat(lively(4).parameters))
    names = {"exp": np.exp, "__builtins__": {}}
    for step in steps:
        shown = step["numbers"].translate({ord("−"): "-", ord("·"): "*", ord("²"): "**2"})
        value = eval(shown, names)
        assert value == pytest.approx(step["value"], rel=0.02, abs=0.003), step


@needs_node
@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("[0, 1, -2, 0.5, -0.0123456, 0.1, 12.34567, -3e-5, 1e-9].map(text)",
         ["0", "1", "−2", "0.500", "−0.0123", "0.100", "12.346", "−3.0e−5", "1.0e−9"]),
        ("verdict(-0.12, -0.1201)", "Right."),
        ("verdict(0, 0)", "Right."),
        ("verdict(0, -0.12)", "Not quite: you said 0."),
        ("verdict(0.12, -0.12)", "The size is right, the sign is the other one."),
        ("verdict(0.12, 0)", "It is exactly 0: one of its factors is."),
        ("lineInSquare([1, 1, -1], 0, 1)", [[0, 1], [1, 0]]),
        ("lineInSquare([0, 2, -1], 0, 1)", [[0, 0.5], [1, 0.5]]),
        ("lineInSquare([1, 1, -3], 0, 1)", None),
        ("lineInSquare([0, 0, 1], 0, 1)", None),
        ("contour([0, 0, 1, 1], 2, 0.25)", [[1, 0.25, 0, 0.25]]),
        ("contour([0, 1, 0, 1], 2, 0.25)", [[0.25, 0, 0.25, 1]]),
        ("contour([0, 0, 0, 0], 2, 0.25)", []),
        ("contour([0, 1, 1, 0], 2, 0.5).length", 2),
        ("heat(0.5)", [255, 255, 255]),
    ],
)  # fmt: skip
def test_numbers_and_lines(expression, value):
    assert evaluate(expression) == value


@needs_node
def test_a_long_history_has_few_points_and_ends_with_the_last():
    added = "(() => { const h = new History(1); for (let i = 0; i < 20000; i++) h.add(10, i); return h.points; })()"  # noqa: E501
    points = evaluate(added)
    assert points[:3] == [[0, 1], [10, 0], [20, 1]] and points[-1] == [200_000, 19_999]
    assert 300 < len(points) < 1500
    assert points == sorted(points)


def test_the_page_gets_the_network_and_the_model_stays_as_it_is():
    model = lively(2)
    before = flat(model.parameters)
    widget = BackpropStepper(model, learning_rate=2, case=3)
    assert widget.network == before == flat(model.parameters)
    assert (widget.learning_rate, widget.case, widget.asks) == (2.0, 3, True)
    assert repr(widget) == "BackpropStepper(9 numbers)"


def test_where_nothing_runs_there_is_a_picture_of_the_network():
    bundle, _ = BackpropStepper(lively(2), case=1)._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "For 0 and 1 it answers" in bundle["text/html"] and "<img" in bundle["text/html"]
    assert bundle["text/plain"] == "BackpropStepper(9 numbers)"
