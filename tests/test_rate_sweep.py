"""The sweep of learning rates: what it suggests is good, and it leaves everything as it was."""

import dataclasses

import numpy as np
import pytest
from test_doctor import FEW, HEALTHY, ILL, X, Y, network, run, spoiled

from course import mlp, plots
from course.nn.activations import Tanh
from course.nn.doctor import ExamineError, examine
from course.nn.optimizers import SGD
from course.nn.rate_sweep import Sweep, sweep
from course.nn.recipe import Recipe
from course.nn.regularization import BatchNorm, Dropout
from course.nn.training import DivergedError, Trainer, copy_weights

MODELS = HEALTHY | {
    "tanh": (lambda seed: network(Tanh, seed=seed), FEW),
    "plain SGD": (mlp.MLP, Recipe(learning_rate=0.2)),
    "Adam": (mlp.MLP, Recipe(learning_rate=0.002, optimizer="adam")),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_suggestion_is_near_the_rate_of_the_recipe(name, seed):
    make, recipe = MODELS[name]
    found = sweep(recipe.trainer(make(seed=seed)), X, Y)
    low, high = found.usable
    assert low < found.suggestion < high
    assert 1 / 3 < found.suggestion / recipe.learning_rate < 3


RATES = [0.25, 0.5, 1, 2, 4]  # times what is suggested


def reached(make, recipe, seed):
    """Factor -> accuracy on held-out training digits after three epochs."""
    suggestion = sweep(recipe.trainer(make(seed=seed)), X, Y).suggestion
    found = {}
    for factor in RATES:
        rates = {"learning_rate": factor * suggestion, "schedule": "constant"}
        trainer = dataclasses.replace(recipe, epochs=3, **rates).trainer(make(seed=seed))
        try:
            found[factor] = trainer.fit(X, Y)[-1].val_accuracy
        except DivergedError:
            found[factor] = 0.0
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_hardly_any_constant_rate_is_better_on_held_out_training_digits(name):
    """On the mean of two seeds: of one, the last bits of a processor's sums may decide."""
    first, second = (reached(*MODELS[name], seed) for seed in (1, 2))
    means = {factor: (first[factor] + second[factor]) / 2 for factor in RATES}
    assert means[1] > max(means.values()) - 0.05, means


def test_everything_is_left_as_it_was_and_nobody_is_told():
    model = network(norm=BatchNorm(32), drop=Dropout(0.5))
    trainer, x, y = run(model, epochs=1)
    trainer.observers = [None]  # would fail to be told
    before, state = copy_weights(model), {k: v.copy() for k, v in trainer.optimizer.state.items()}
    told = vars(trainer).copy()
    rng = trainer.rng.state
    first, second = (sweep(trainer, x, y) for _ in range(2))
    assert np.array_equal(first.losses, second.losses)
    assert all(np.array_equal(before[k], v) for k, v in copy_weights(model).items())
    assert all(np.array_equal(state[k], v) for k, v in trainer.optimizer.state.items())
    assert vars(trainer) == told and trainer.rng.state == rng and not model.training


def test_where_the_loss_cannot_fall_it_says_so():
    shuffled = np.random.default_rng(1).permutation(Y[:1000])
    for x, y in [(X[:1000] * np.nan, Y[:1000]), (X[:1000], shuffled)]:
        found = sweep(FEW.trainer(network()), x, y)
        assert (found.usable, found.suggestion) == (None, None)
        assert "falls at no learning rate from 1e-06" in str(found)


def test_what_is_held_out_is_not_trained_on():
    seen = set()

    class Watching(SGD):
        def backward_and_step(self, dy, learning_rate):
            seen.update(self.model.layers["first"].x[:, 0])
            super().backward_and_step(dy, learning_rate)

    x = np.tile(np.arange(500, dtype=np.float32)[:, None] / 500, 784)
    model = network()
    settings = dataclasses.replace(FEW, validation_split=0.2)
    sweep(Trainer(model, Watching(model), None, settings), x, Y[:500])
    assert len(seen) == 400 and max(seen) == x[399, 0]


@pytest.mark.parametrize("name", ["rate 20", "rate 1e-6"])
def test_the_doctor_can_use_it(name):
    sick, illness, _ = ILL[name]
    [finding, *symptoms] = examine(*sick(), sweep=True)
    assert finding.illness == illness
    assert "in a sweep the loss falls at rates from" in finding.text
    assert {f.illness for f in symptoms} <= {"dead"}


def test_with_a_sweep_the_doctor_still_leaves_the_healthy_in_peace():
    assert examine(*run(network()), sweep=True) == []
    assert examine(FEW.trainer(network()), X[:1000], Y[:1000], sweep=True) == []


def test_a_rate_is_not_blamed_for_what_no_rate_can_mend():
    trainer, x, y = run(network(output=spoiled(-1)), learning_rate=1e-4)
    assert examine(trainer, x, y, sweep=True)[0].illness == "gradient"


def test_without_the_first_weights_the_doctor_cannot_sweep():
    with pytest.raises(ExamineError, match=r"observers=\[Monitor\(\)\]"):
        examine(*run(network(), monitor=False, epochs=1), sweep=True)


def test_the_figure_of_a_sweep_is_drawn_whatever_was_found():
    rates = np.geomspace(1e-6, 10, 100)
    for losses in (0 * rates + 2.3, 0 * rates + np.nan):
        assert "no learning rate" in plots.learning_rate_sweep(Sweep(rates, losses)).alt
