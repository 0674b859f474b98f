"""Lesson 05: the XOR network, its training loop, its symmetries."""

import dataclasses
import itertools
from unittest.mock import Mock, call

import numpy as np
import pytest
from scipy.special import expit

from course import xor
from course.nn.gradcheck import check_gradients
from course.nn.optimizers import SGD
from course.nn.training import Observer

XOR, RECIPE = xor.XOR, xor.RECIPE


def train(model, **changes):
    trainer = dataclasses.replace(RECIPE, **changes).trainer(model)
    trainer.fit()
    return trainer


def test_it_is_the_table_of_exclusive_or():
    table = {(a, b): y for (a, b), y in zip(xor.INPUTS.tolist(), xor.TARGETS, strict=True)}
    assert table == {(a, b): a ^ b for a in (0, 1) for b in (0, 1)}


def test_has_17_parameters():
    assert sum(array.size for array in XOR().parameters.values()) == 17


@pytest.mark.parametrize("hidden", [1, 4, 7])
def test_gradients(hidden):
    errors = check_gradients(XOR(3, hidden), xor.INPUTS, xor.TARGETS, xor.HalfSquaredError())
    assert len(errors) == 5 and max(errors.values()) < 1e-6


@pytest.mark.parametrize("sigmoid", [xor.sigmoid, xor.sigmoid.py_func])
def test_sigmoid_is_right_for_any_number(sigmoid):
    z = np.array([-1e308, -1000.0, -710.0, -700.0, -20.0, 0.0, 3.0, 40.0, 1e308])
    found = [sigmoid(number) for number in z]
    np.testing.assert_allclose(found, expit(z), rtol=1e-14, atol=1e-300)


@pytest.mark.parametrize("function", [xor.train_epochs, xor.train_epochs.py_func])
def test_the_loop_by_hand_takes_the_steps_of_the_layers(function):
    """Compiled or not: one step per sample, each by the gradient that the layers compute."""
    by_hand, by_layers = XOR(5), XOR(5)
    done = function(xor.INPUTS, xor.TARGETS, *by_hand.parameters.values(), 0.3, 3, 0.0)
    optimizer, loss_fn, losses = SGD(by_layers), xor.HalfSquaredError(), []
    for n in [0, 1, 2, 3] * 3:
        x, y = xor.INPUTS[n : n + 1], xor.TARGETS[n : n + 1]
        loss, dy = loss_fn(by_layers.forward(x), y)
        losses.append(loss)
        by_layers.backward(dy)
        optimizer.step(0.3)
    assert done == pytest.approx((3, np.mean(losses[-4:])), rel=1e-12)
    for name, array in by_hand.parameters.items():
        np.testing.assert_allclose(array, by_layers.parameters[name], rtol=1e-12)


def starts(hidden, networks, dtype=np.float64):
    """Stacked weights of so many networks, and copies of them."""
    models = [XOR(seed, hidden, dtype) for seed in range(1, networks + 1)]
    stacks = [np.stack([m.parameters[name] for m in models]) for name in models[0].parameters]
    return stacks, [stack.copy() for stack in stacks]


@pytest.mark.parametrize("hidden", [1, 2, 4, 7])
@pytest.mark.parametrize("epochs", [0, 1, 2000])
@pytest.mark.parametrize("stop_below", [0.0, 0.1])
def test_without_a_compiler_the_same_bits(hidden, epochs, stop_below):
    """Python's floats are the processor's: what is rounded, and how, is as in the loop."""
    looped, plain = starts(hidden, 3)
    for n in range(3):
        cases = xor.INPUTS + n / 7, xor.TARGETS  # also other numbers than 0 and 1
        settings = 0.7, epochs, stop_below
        done, loss = xor.train_epochs.py_func(*cases, *(w[n] for w in looped), *settings)
        told = xor.train_epochs.numpy(*cases, *(w[n] for w in plain), *settings)
        assert told == (done, pytest.approx(loss, rel=5e-16))  # NumPy's own ** 2 may be a bit off
    for array, expected in zip(plain, looped, strict=True):
        assert array.tobytes() == expected.tobytes()


def test_without_a_compiler_the_sigmoid_is_right_far_out_and_float32_is_rounded_once():
    looped, plain = starts(4, 1)
    for function, w in ((xor.train_epochs.py_func, looped), (xor.train_epochs.numpy, plain)):
        w[0] *= 2000  # where exp(-z) would overflow
        w[2][:, :2] *= -2000
        function(xor.INPUTS, xor.TARGETS, *(stack[0] for stack in w), 0.7, 200, 0.0)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(looped, plain, strict=True))
    single, exact = starts(4, 1, np.float32)
    exact = [stack.astype(np.float64) for stack in exact]
    for w in (single, exact):
        xor.train_epochs.numpy(xor.INPUTS, xor.TARGETS, *(stack[0] for stack in w), 0.5, 50, 0.0)
    for array, expected in zip(single, exact, strict=True):
        assert array.dtype == np.float32 and np.array_equal(array, expected.astype(np.float32))


@pytest.mark.parametrize("hidden", [1, 2, 4, 8])
def test_without_a_compiler_many_networks_are_trained_like_each_alone(hidden):
    # 400 steps, in each some ten roundings by up to 1.1e-16 that the loop does otherwise (its
    # sigmoid is another one): less than 1e-12, and nothing on so short a way makes more of it.
    looped, at_once = starts(hidden, 30)
    cases = xor.INPUTS + 0.25, xor.TARGETS
    assert xor.train_many.numpy(*cases, *at_once, 0.9, 100) is None
    for k in range(30):
        xor.train_epochs.py_func(*cases, *(stack[k] for stack in looped), 0.9, 100, 0.0)
    for array, expected in zip(at_once, looped, strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("answers", "loss", "right"),
    [
        ([0.0, 1.0, 1.0, 0.0], 0.0, 1.0),
        ([0.45, 0.55, 0.55, 0.45], 0.45**2 / 2, 1.0),  # just on the right side of 1/2
        ([0.55, 0.55, 0.55, 0.45], (3 * 0.45**2 + 0.55**2) / 8, 0.75),
        ([0.45, 0.45, 0.55, 0.45], (3 * 0.45**2 + 0.55**2) / 8, 0.75),
        ([1.0, 0.0, 0.0, 1.0], 0.5, 0.0),
    ],
)
def test_an_answer_is_right_on_its_side_of_one_half(answers, loss, right, monkeypatch):
    model = XOR()
    monkeypatch.setattr(model, "forward", lambda x: np.array(answers)[:, None])
    assert xor.evaluate(model) == (pytest.approx(loss, rel=1e-12), right)
    assert xor.is_solved(model) == (right == 1.0)


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "momentum"},
        {"schedule": "one_cycle"},
        {"batch_size": 4},
        {"weight_decay": 0.1},
        {"validation_split": 0.1},
    ],
    ids=str,
)
def test_what_the_loop_by_hand_has_not_is_refused(changes):
    with pytest.raises(ValueError, match="only epochs, learning rate and seed can be chosen"):
        dataclasses.replace(RECIPE, **changes)


def test_a_million_epochs_solve_it_and_give_the_same_bits_twice():
    models = [XOR(1), XOR(1)]
    trainers = [train(model) for model in models]
    assert xor.is_solved(models[0])
    assert trainers[0].epoch == 1_000_000 and len(trainers[0].records) == xor.REPORTS
    assert trainers[0].records[-1].train_loss < 1e-4
    for name, array in models[0].parameters.items():
        assert array.tobytes() == models[1].parameters[name].tobytes()


def test_parts_do_not_change_the_result():
    whole, parts, told = XOR(2), XOR(2), Observer()
    told.on_epoch = Mock()
    xor.train_epochs(xor.INPUTS, xor.TARGETS, *whole.parameters.values(), 0.5, 1003, 0.0)
    trainer = dataclasses.replace(RECIPE, learning_rate=0.5, epochs=1003).trainer(parts, [told])
    records = trainer.fit()
    assert trainer.epoch == 1003
    assert [record.epoch for record in records] == [*range(10, 1003, 10), 1003]
    assert told.on_epoch.mock_calls == [call(record) for record in records]
    assert whole.parameters["hidden.w"].tobytes() == parts.parameters["hidden.w"].tobytes()


def test_stops_below_a_loss():
    trainer = RECIPE.trainer(XOR(1))
    trainer.settings = dataclasses.replace(RECIPE, learning_rate=1.0)
    trainer.stop_below = 0.01
    records = trainer.fit()
    assert trainer.stopped == "early" and trainer.epoch < RECIPE.epochs
    assert records[-1].train_loss < 0.01 and records[-1].epoch == trainer.epoch


def test_two_hidden_units_get_stuck_more_often_than_eight():
    failures = {}
    for hidden in (2, 8):
        models, solved = xor.sweep(hidden, range(1, 201))
        assert [xor.is_solved(model) for model in models] == list(solved)
        failures[hidden] = 1 - solved.mean()
    assert failures[8] < 0.05 < failures[2] < 0.9


def test_the_sweep_trains_like_a_single_run():
    (model,), _ = xor.sweep(4, [7], learning_rate=1.0, epochs=500)
    alone = XOR(7)
    train(alone, learning_rate=1.0, epochs=500)
    np.testing.assert_allclose(
        model.parameters["hidden.w"], alone.parameters["hidden.w"], rtol=1e-9
    )


def test_many_networks_train_on_from_where_they_are():
    seeds = range(1, 7)
    models, _ = xor.sweep(2, seeds, epochs=700)
    solved = xor.train_all(models, 1.0, 300)
    at_once, solved_at_once = xor.sweep(2, seeds, epochs=1000)
    assert list(solved) == list(solved_at_once)
    for model, other in zip(models, at_once, strict=True):
        for name, array in model.parameters.items():
            np.testing.assert_array_equal(array, other.parameters[name])


def test_snapshots_are_copies_of_the_training():
    model = XOR(3)
    copies = xor.snapshots(model, [0, 10, 400], learning_rate=0.7)
    for epochs, found in zip([0, 10, 400], copies, strict=True):
        alone = XOR(3)
        xor.train_epochs(xor.INPUTS, xor.TARGETS, *alone.parameters.values(), 0.7, epochs, 0.0)
        for name, array in alone.parameters.items():
            np.testing.assert_array_equal(found.parameters[name], array)
    np.testing.assert_array_equal(model.parameters["hidden.w"], copies[-1].parameters["hidden.w"])


def test_384_networks_are_the_same_function():
    """4! orders of the hidden units times 2^4 choices of their signs."""
    model = XOR(1)
    train(model, learning_rate=1.0, epochs=2000)
    x = np.random.default_rng(0).uniform(-2, 2, (50, 2))
    expected = model.forward(x)
    seen = set()
    for order in itertools.permutations(range(4)):
        for signs in itertools.product([False, True], repeat=4):
            other = xor.permuted(model, list(order))
            for unit, flip in enumerate(signs):
                other = xor.flipped(other, unit) if flip else other
            np.testing.assert_allclose(other.forward(x), expected, rtol=1e-9)
            seen.add(other.parameters["hidden.w"].tobytes())
    assert len(seen) == 384


def test_the_loss_surface_goes_through_the_model():
    model = XOR(4)
    w = model.parameters["hidden.w"]
    before = w.copy()
    surface = xor.loss_surface(model, ((0, 1), [w[0, 1], 2.0]), ((1, 3), [-1.0, w[1, 3], 5.0]))
    loss, _ = xor.HalfSquaredError()(model.forward(xor.INPUTS), xor.TARGETS)
    assert surface.shape == (3, 2)
    assert surface[1, 0] == pytest.approx(loss, rel=1e-12) != surface[0, 1]
    assert (w == before).all()
