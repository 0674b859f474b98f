"""Optimizers: each against its textbook form, and the fused steps against the plain ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.nn.activations import ReLU
from course.nn.layers import Dense, Sequential
from course.nn.optimizers import SGD, Adam
from course.nn.regularization import BatchNorm
from course.nn.rng import SimpleRng

RATES = (0.1, 0.03, 0.2, 0.1)  # of four steps: a schedule changes them


def network(dtype=np.float64, inputs=5, outputs=3):
    rng = SimpleRng(2)
    return Sequential(
        first=Dense(inputs, 4, rng, dtype, needs_input_gradient=False),
        norm=BatchNorm(4, dtype=dtype),
        block=Sequential(relu=ReLU(), second=Dense(4, outputs, rng, dtype)),
    )


def backward(model, step, batch=6):
    """Leave a gradient in `model` that is another one in each step."""
    x, dy = inputs(model, step, batch)
    model.training = True
    model.forward(x)
    model.backward(dy)


def inputs(model, step, batch):
    random = np.random.default_rng(step)
    dtype, shape = model.parameters["first.w"].dtype, model.parameters["first.w"].shape
    outputs = model.parameters["block.second.b"].size
    x, dy = random.standard_normal((batch, shape[0])), random.standard_normal((batch, outputs))
    return x.astype(dtype), dy.astype(dtype)


def copies(arrays):
    return {name: array.copy() for name, array in arrays.items()}


# Textbook forms: generators that are sent g and the learning rate and yield w.


def textbook_sgd(w, momentum=0.0, nesterov=False, weight_decay=0.0):
    v = np.zeros_like(w)
    while True:
        g, rate = yield w
        g = g + weight_decay * w
        v = momentum * v + g
        w = w - rate * (g + momentum * v if nesterov else v)


def textbook_adam(w, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.0):
    m, v, t = np.zeros_like(w), np.zeros_like(w), 0
    while True:
        g, rate = yield w
        t += 1
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        w = w - rate * weight_decay * w  # AdamW: not through the means
        w = w - rate * m_hat / (np.sqrt(v_hat) + epsilon)


CASES = [
    (SGD, textbook_sgd, {}),
    (SGD, textbook_sgd, {"weight_decay": 0.3}),
    (SGD, textbook_sgd, {"momentum": 0.9}),
    (SGD, textbook_sgd, {"momentum": 0.8, "weight_decay": 0.3}),
    (SGD, textbook_sgd, {"momentum": 0.9, "nesterov": True}),
    (SGD, textbook_sgd, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.3}),
    (Adam, textbook_adam, {}),
    (Adam, textbook_adam, {"weight_decay": 0.3}),
    (Adam, textbook_adam, {"beta1": 0.5, "beta2": 0.9, "epsilon": 0.01}),
]


@pytest.mark.parametrize(("optimizer_class", "textbook", "options"), CASES)
def test_four_steps_as_in_the_textbook(optimizer_class, textbook, options):
    model = network()
    optimizer = optimizer_class(model, **options)
    arrays = dict(model.parameters)
    books = {name: textbook(w.copy(), **options) for name, w in arrays.items()}
    for book in books.values():
        next(book)
    for step, rate in enumerate(RATES):
        backward(model, step)
        gradients = copies(model.gradients)
        optimizer.step(rate)
        for name, book in books.items():
            expected = book.send((gradients[name], rate))
            assert np.allclose(model.parameters[name], expected, rtol=1e-12, atol=1e-14), name
            assert model.parameters[name] is arrays[name]  # in place
            assert np.array_equal(model.gradients[name], gradients[name])


@pytest.mark.parametrize(("optimizer_class", "textbook", "options"), CASES)
@settings(max_examples=10)
@given(batch=st.integers(2, 40), width=st.integers(1, 30), dtype=st.sampled_from(["f4", "f8"]))
def test_fused_is_backward_and_step_up_to_rounding(
    optimizer_class, textbook, options, batch, width, dtype
):
    fused, plain = (network(dtype, width, width) for _ in range(2))
    fused_optimizer, plain_optimizer = (optimizer_class(m, **options) for m in (fused, plain))
    for model, optimizer in ((fused, fused_optimizer), (plain, plain_optimizer)):
        backward(model, 0, batch)  # a step, so that there is a velocity
        optimizer.step(0.1)
    old, state = copies(plain.parameters), copies(plain_optimizer.state)

    rate = 0.1
    backward(plain, 1, batch)
    x, dy = inputs(plain, 1, batch)
    terms = sums_of_absolute_terms(plain, dy)
    plain_optimizer.step(rate)
    fused.forward(x)
    fused_optimizer.backward_and_step(dy, rate)

    for name, w in fused.parameters.items():
        # An entry of the gradient adds `batch` products to the old velocity: both ways round each
        # product and sum once, half an epsilon of what is there so far. Then four operations on it
        # and the weight, in either way.
        velocity = f"velocity.{name}"
        moved = terms[name] + abs(state.get(velocity, 0))
        share = (2 * batch + 12) * np.finfo(dtype).eps / 2
        bound = share * (rate * moved + abs(old[name]))
        assert (abs(w - plain.parameters[name]) <= bound).all(), name
        if velocity in state:
            difference = fused_optimizer.state[velocity] - plain_optimizer.state[velocity]
            assert (abs(difference) <= share * moved).all(), name


def sums_of_absolute_terms(model, dy):
    """|x|^T |dy| of the dense layers, from what the last pass left; elsewhere |gradient|."""
    first, block = model.layers["first"], model.layers["block"]
    second = block.layers["second"]
    sums = {name: abs(g) for name, g in model.gradients.items()}
    sums["block.second.w"] = abs(second.x).T @ abs(dy)
    dz = model.layers["norm"].backward(block.backward(dy))
    sums["first.w"] = abs(first.x).T @ abs(dz)
    return sums


@pytest.mark.parametrize("options", [{}, {"weight_decay": 0.1}, {"momentum": 0.9}])
def test_fused_steps_need_no_gradient_of_dense_weights(options):
    model = network()
    optimizer = SGD(model, **options)
    x, dy = inputs(model, 0, 6)
    model.training = True
    model.forward(x)
    for g in model.gradients.values():
        g[...] = np.nan
    optimizer.backward_and_step(dy, 0.1)
    assert np.isnan(model.gradients["first.w"]).all()  # not touched: so it was fused
    assert all(np.isfinite(w).all() for w in model.parameters.values())


def test_a_dense_layer_can_be_the_whole_model():
    layer, x, dy = Dense(3, 2, SimpleRng(1), np.float64), np.ones((4, 3)), np.ones((4, 2))
    expected = layer.parameters["w"] - 0.5 * x.T @ dy
    layer.forward(x)
    SGD(layer).backward_and_step(dy, 0.5)
    assert np.allclose(layer.parameters["w"], expected)
    assert np.allclose(layer.parameters["b"], [-2, -2])


@pytest.mark.parametrize("options", [{}, {"momentum": 0.9}])
def test_an_interrupt_within_a_fused_step_leaves_ordinary_layers(options, monkeypatch):
    model = network()
    optimizer = SGD(model, **options)
    backward(model, 0)
    expected = copies(model.gradients)

    def interrupted(dy):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(model.layers["norm"], "backward", interrupted)
        with pytest.raises(KeyboardInterrupt):
            optimizer.backward_and_step(inputs(model, 0, 6)[1], 0.0)
    for g in model.gradients.values():
        g[...] = 0
    backward(model, 0)
    assert all(np.array_equal(model.gradients[name], g) for name, g in expected.items())


def test_the_state_is_all_that_an_optimizer_remembers():
    names = network().parameters
    assert SGD(network()).state == {}
    assert SGD(network(), momentum=0.9).state.keys() == {f"velocity.{name}" for name in names}
    adam = Adam(network(np.float32))
    assert adam.state.keys() == {
        "steps",
        *(f"{kind}.{name}" for kind in ("mean", "square") for name in names),
    }
    assert adam.state["mean.first.w"].dtype == np.float32
    backward(adam.model, 0)
    adam.step(0.1)
    assert adam.state["steps"].tolist() == [1]


def test_nesterov_needs_momentum():
    with pytest.raises(ValueError, match="momentum"):
        SGD(network(), nesterov=True)


def test_adam_in_float32_is_adam_in_float64_rounded():
    """Twenty steps, one weight each; each step rounds about ten times, by half an epsilon."""
    models = [network(dtype) for dtype in (np.float32, np.float64)]
    optimizers = [Adam(model) for model in models]
    for step in range(20):
        backward(models[1], step)
        for model, optimizer in zip(models, optimizers, strict=True):
            for name, g in models[1].gradients.items():
                model.gradients[name][...] = g.astype(np.float32)
            optimizer.step(0.01)
    for name, w in models[0].parameters.items():
        assert w.dtype == np.float32
        # A step is at most about 0.01; its error a few eps of that, and eps / 2 of the weight.
        bound = 20 * np.finfo(np.float32).eps * (10 * 0.01 + np.abs(w))
        assert (np.abs(w - models[1].parameters[name]) <= bound).all(), name
