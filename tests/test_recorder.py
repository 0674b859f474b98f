"""The recorder: what it sees is what there is, it changes nothing, and it costs little."""

import contextlib
import math

import numpy as np
import pytest
from test_doctor import FEW, HEALTHY, ILL, X, Y, deep, killed, network

from course import plots, xor
from course.nn.activations import Sigmoid
from course.nn.doctor import examine, glance
from course.nn.recorder import Recorder
from course.nn.regularization import BatchNorm, Dropout
from course.nn.training import DivergedError, copy_weights
from course.plots.style import SERIES


def record(model, recipe=FEW, x=X[:1000], y=Y[:1000], **choices):
    recorder = Recorder(x, y, **choices)
    trainer = recipe.trainer(model, [recorder])
    with contextlib.suppress(DivergedError):
        trainer.fit(x, y)
    return recorder


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_training_goes_the_same_way_with_and_without_it(optimizer):
    ended = []
    for observers in ([], [Recorder(X[:1000], Y[:1000], every=1)]):
        model = network(norm=BatchNorm(32), drop=Dropout(0.2))
        recipe = type(FEW)(optimizer=optimizer, epochs=2)
        recipe.trainer(model, observers).fit(X[:1000], Y[:1000])
        ended.append(copy_weights(model))
    assert all(np.array_equal(ended[0][name], ended[1][name]) for name in ended[0])


def test_it_sees_steps_units_gradients_and_the_loss():
    recorder = record(killed(), every=10)
    steps = [point.step for point in recorder.points]
    assert steps[:6] == [0, 1, 2, 3, 10, 20] and steps[-1] == 80
    first, *_, last = recorder.points
    assert (first.epoch, last.epoch) == (0, pytest.approx(80 / 29))
    assert first.silent == {"bend": 0.75} and 0.75 <= last.silent["bend"] < 0.8
    assert first.ratios == {} and 1e-4 < last.ratios["first.w"] < 0.1
    assert list(last.deltas) == ["first", "last"]
    assert last.loss < first.loss and recorder.guessing == math.log(10)


def test_saturated_outputs_count_as_well():
    assert record(network(Sigmoid, 100.0)).points[0].silent["bend"] > 0.6


@pytest.mark.slow
def test_by_itself_it_takes_a_few_percent_of_the_time():
    make, recipe = HEALTHY["mlp"]
    recorder = record(make(seed=1), type(recipe)(epochs=40), X, Y)
    took = sum(epoch.train_seconds for epoch in recorder.trainer.records)
    looks = len(recorder.points)
    assert looks > 10
    assert recorder.seconds / took < 0.03 + 2 * 0.03 / looks + 0.02  # first looks, and the last one


def test_it_knows_other_losses_and_trainers_that_tell_nothing():
    recorder = Recorder(xor.INPUTS, xor.TARGETS)
    trainer = xor.XORRecipe(epochs=2000, batch_size=1, validation_split=0.0).trainer(
        xor.XOR(), [recorder]
    )
    trainer.fit()
    assert recorder.guessing is None and len(recorder.points) == 1
    assert "Loss: training" in plots.signals(recorder).alt


def test_the_doctor_takes_it_for_a_monitor():
    recorder = record(network(), type(FEW)(learning_rate=1e-7, epochs=1))
    assert [f.illness for f in examine(recorder.trainer, X[:1000], Y[:1000])] == ["rate too small"]


GLANCED = {  # what can be seen in passing
    "deep sigmoids": "vanishing", "large weights": "exploding", "all alike": "alike",
    "rate 20": "rate too large", "rate 1e-6": "rate too small", "saturated": "saturated",
    "dead": "dead", "diverged": "not finite", "pixels to 255": "inputs",
}  # fmt: skip


@pytest.mark.parametrize("name", GLANCED)
def test_at_a_glance_the_doctor_sees_what_examining_finds(name, monkeypatch):
    recorders = []

    def recording():
        recorders.append(Recorder(X[:1000] * (255 if name == "pixels to 255" else 1), Y[:1000]))
        return recorders[-1]

    monkeypatch.setattr("test_doctor.Monitor", recording)
    trainer, _, _ = ILL[name][0]()
    trainer.observers or trainer.observers.append(recording())
    if not recorders[-1].trainer:  # the run was made without one
        recorders[-1].on_begin(trainer)
    assert glance(recorders[-1])[0].illness == GLANCED[name]


def test_before_training_there_is_nothing_to_say():
    recorder = Recorder(X[:10], Y[:10])
    assert glance(recorder) == [] and recorder.guessing is None
    assert "Loss: nothing seen." in plots.signals(recorder).alt


@pytest.mark.slow
@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_run_hears_nothing_from_beginning_to_end(name):
    said = []

    class Listening(Recorder):
        def _look(self, epoch):
            super()._look(epoch)
            said.extend(map(str, glance(self)))

    make, recipe = HEALTHY[name]
    recipe.trainer(make(seed=1), [Listening(X, Y, every=15)]).fit(X, Y)
    assert said == []


def test_the_figure_holds_what_is_not_finite_and_many_layers():
    assert "not" not in plots.signals(record(deep(Sigmoid, 8))).alt
    wild = record(network(), type(FEW)(optimizer="momentum", learning_rate=1e25, epochs=1))
    assert "no finite number" in plots.signals(wild).alt
    assert plots.signals(wild)._repr_png_()


def test_what_is_held_out_is_not_taken_for_training():
    x, y = X[:1000], Y[:1000].copy()
    recorder = record(network(), type(FEW)(epochs=2, validation_split=0.5), x, y)
    assert all((x[:500] == sample).all(axis=1).any() for sample in recorder.x)
    again = record(network(), type(FEW)(epochs=2, validation_split=0.0), x, y)
    assert not all((x[:500] == sample).all(axis=1).any() for sample in again.x)


def test_more_lines_than_looks_can_still_be_told_apart():
    figure = plots.signals(record(deep(Sigmoid, 8)))
    drawn = [
        (line.get_color(), line.get_linestyle(), line.get_markerfacecolor())
        for line in figure.axes[3].lines
    ]
    assert len(drawn) == len(set(drawn)) > len(SERIES)
