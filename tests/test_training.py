"""The training loop: what it feeds to the model, whom it tells, and how it ends."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.nn.activations import ReLU
from course.nn.layers import Dense, Layer, Sequential
from course.nn.losses import SoftmaxCrossEntropy
from course.nn.observers import PrintEpochs, ProgressBar
from course.nn.optimizers import SGD, Adam
from course.nn.recipe import OPTIMIZERS, Recipe
from course.nn.regularization import BatchNorm, Dropout
from course.nn.rng import SimpleRng
from course.nn.schedules import Constant
from course.nn.training import (
    DivergedError,
    EpochRecord,
    Observer,
    Settings,
    Trainer,
    evaluate,
    put_back,
)


def network(seed=1):
    rng = SimpleRng(seed)
    return Sequential(
        first=Dense(6, 8, rng),
        norm=BatchNorm(8),
        relu=ReLU(),
        drop=Dropout(0.2),
        last=Dense(8, 3, rng),
    )


def data(count=50, seed=0):
    """Points around three centers: something that can be learned."""
    random = np.random.default_rng(seed)
    y = random.integers(0, 3, count).astype(np.uint8)
    centers = 2 * random.standard_normal((3, 6))
    return (centers[y] + random.standard_normal((count, 6))).astype(np.float32), y


def trainer(model=None, rate=0.05, observers=(), **choices):
    model = model or network()
    options = {"epochs": 3, "batch_size": 8} | choices
    return Trainer(model, SGD(model), Constant(rate), Settings(**options), observers=[*observers])


def weights(model):
    return {name: array.copy() for name, array in (model.parameters | model.buffers).items()}


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


class Recorder(Layer):
    """A model that only writes down what it is fed; rows are numbered in column 0."""

    def __init__(self):
        super().__init__()
        self.batches = []  # (training, rows, contiguous)
        self.add_parameter("w", np.zeros(3, np.float32))

    def forward(self, x):
        self.batches.append((self.training, x[:, 0].astype(int).tolist(), x.flags.c_contiguous))
        return np.zeros((len(x), 3), np.float32) + self.parameters["w"]

    def backward(self, dy):
        self.gradients["w"][...] = dy.sum(axis=0)


def numbered(count):
    return np.arange(count, dtype=np.float32)[:, None] * [1, 0], np.arange(count) % 3


# What is fed


@settings(max_examples=25)
@given(
    count=st.integers(1, 40),
    batch_size=st.integers(1, 50),
    split=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9]),
)
def test_each_sample_once_an_epoch_in_contiguous_batches_and_validation_from_the_end(
    count, batch_size, split
):
    model = Recorder()
    run = trainer(model, epochs=2, batch_size=batch_size, validation_split=split)
    x, y = numbered(count)
    run.fit(x, y)
    held_out = math.floor(count * split)
    trained = count - held_out
    assert all(contiguous for _, _, contiguous in model.batches)

    batches = math.ceil(trained / batch_size)
    validations = 1 if held_out else 0
    assert len(model.batches) == 2 * (batches + validations)
    for epoch in (
        model.batches[: len(model.batches) // 2],
        model.batches[len(model.batches) // 2 :],
    ):
        rows = [rows for training, rows, _ in epoch if training]
        assert sorted(sum(rows, [])) == list(range(trained))
        assert [len(r) for r in rows[:-1]] == [batch_size] * (batches - 1)
        assert len(rows[-1]) == trained - batch_size * (batches - 1)
        assert [rows for training, rows, _ in epoch if not training] == (
            [list(range(trained, count))] if held_out else []
        )


def test_the_order_is_that_of_the_generator_and_new_in_each_epoch():
    model = Recorder()
    run = trainer(model, epochs=2, batch_size=7, validation_split=0.0, seed=5)
    run.fit(*numbered(20))
    rng = SimpleRng(5)
    for epoch in (model.batches[:3], model.batches[3:]):
        assert sum((rows for _, rows, _ in epoch), []) == rng.permutation(20).tolist()


def test_labels_stay_with_their_images():
    seen = []

    class Loss:
        def __call__(self, logits, labels):
            seen.append(labels.tolist())
            return 0.0, np.zeros_like(logits)

    model = Recorder()
    run = trainer(model, validation_split=0.2)
    run.loss_fn = Loss()
    run.fit(*numbered(30))
    assert seen == [[row % 3 for row in rows] for _, rows, _ in model.batches]


def test_a_step_is_plain_gradient_descent_on_the_mean_loss():
    """Seven samples in batches of five: by hand, with the last batch's mean over two."""
    x, y = data(7)
    model = Sequential(only=Dense(6, 3, SimpleRng(1), np.float64))
    w, b = model.parameters["only.w"].copy(), np.zeros(3)
    run = trainer(model, rate=0.5, epochs=1, batch_size=5, validation_split=0.0, seed=3)
    run.fit(x.astype(np.float64), y)

    total, order = 0.0, SimpleRng(3).permutation(7)
    for rows in (order[:5], order[5:]):
        z = x[rows].astype(np.float64) @ w + b
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        total += -np.log(p[range(len(rows)), y[rows]]).sum()
        dz = (p - np.eye(3)[y[rows]]) / len(rows)
        w, b = w - 0.5 * x[rows].T @ dz, b - 0.5 * dz.sum(axis=0)
    assert np.allclose(model.parameters["only.w"], w, rtol=1e-12, atol=1e-14)
    assert np.allclose(model.parameters["only.b"], b, rtol=1e-12, atol=1e-14)
    assert run.records[0].train_loss == pytest.approx(total / 7, rel=1e-12)


class InOneGo(Sequential):
    """A model that computes loss and gradients by itself, as attention does."""

    def loss_and_gradients(self, x, y):
        logits = self.forward(x)
        loss, dlogits = SoftmaxCrossEntropy()(logits, y)
        self.backward(dlogits)
        return loss, int((logits.argmax(axis=1) == y).sum())


def test_a_model_that_does_it_all_in_one_go_takes_the_same_steps():
    def train(kind):
        run = trainer(kind(only=Dense(6, 3, SimpleRng(1))))
        return run.fit(*data()), weights(run.model)

    (records, found), (expected_records, expected) = train(InOneGo), train(Sequential)
    for name, array in expected.items():
        assert np.allclose(found[name], array, rtol=1e-5, atol=1e-6), name
    for record, other in zip(records, expected_records, strict=True):
        assert record.train_loss == pytest.approx(other.train_loss, rel=1e-5)


def test_a_step_in_one_go_is_not_taken_when_the_loss_is_not_finite():
    run = trainer(InOneGo(only=Dense(6, 3, SimpleRng(1))))
    before = weights(run.model)
    x, y = poisoned(8, [3])
    assert math.isnan(run.train_batch(x, y, 0.1)) and same(weights(run.model), before)


def test_the_schedule_is_asked_at_each_step_for_the_time_in_epochs():
    times = []
    run = trainer(epochs=2, batch_size=8, validation_split=0.0)
    run.schedule = lambda epoch: times.append(epoch) or 0.01 * (1 + epoch)
    records = run.fit(*data(32))
    assert times == [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75]
    assert [r.learning_rate for r in records] == [0.01 * 1.75, 0.01 * 2.75]  # each epoch's last


# What is recorded and who is told


def test_records_hold_what_evaluate_says():
    seen = []

    class Check(Observer):
        def on_epoch(self, record):
            seen.append((record, evaluate(run.model, x[40:], y[40:])))

    x, y = data(50)
    run = trainer(observers=[Check()], validation_split=0.2)
    records = run.fit(x, y)
    assert [record for record, _ in seen] == records == run.records
    assert [r.epoch for r in records] == [1, 2, 3]
    for record, (loss, accuracy) in seen:
        assert (record.val_loss, record.val_accuracy) == (loss, accuracy)
        assert 0 <= record.train_seconds < 60 and record.learning_rate == 0.05
    assert records[-1].train_loss < records[0].train_loss  # it learns


def test_without_validation_nothing_is_made_up():
    records = trainer(validation_split=0.0).fit(*data())
    assert {(r.val_loss, r.val_accuracy) for r in records} == {(None, None)}


class Witness(Observer):
    def __init__(self, name, log):
        self.name, self.log = name, log

    def on_begin(self, trainer):
        self.log.append((self.name, "begin", trainer.epoch))

    def on_batch(self, batch, batches):
        self.log.append((self.name, "batch", batch, batches))

    def on_epoch(self, record):
        self.log.append((self.name, "epoch", record.epoch))

    def on_end(self, trainer):
        self.log.append((self.name, "end", trainer.stopped))


def test_observers_are_told_of_everything_in_order():
    log = []
    trainer(observers=[Witness("a", log), Witness("b", log)], epochs=2, batch_size=20).fit(*data())
    events = [("begin", 0)]
    for epoch in (1, 2):
        events += [("batch", 1, 3), ("batch", 2, 3), ("batch", 3, 3), ("epoch", epoch)]
    events.append(("end", "finished"))
    assert log == [(name, *event) for event in events for name in ("a", "b")]


def test_dropout_and_batch_norm_know_when_they_are_in_use():
    states = []

    class Check(Observer):
        def on_batch(self, batch, batches):
            states.append(run.model.layers["drop"].training)

        def on_epoch(self, record):
            states.append(run.model.layers["drop"].training)

    run = trainer(observers=[Check()], epochs=2, batch_size=45)
    run.fit(*data())
    assert states == [True, False, True, False]
    assert not run.model.training


def test_evaluate_by_hand_and_in_pieces():
    x, y = data(50)
    model = network()
    loss, accuracy = evaluate(model, x, y, batch_size=7)
    logits = model.forward(x).astype(np.float64)
    exact = -np.log(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))[range(50), y]
    assert loss == pytest.approx(exact.mean(), rel=1e-5)
    assert accuracy == (logits.argmax(axis=1) == y).mean()


# How it ends


class ValidationLosses:
    """A loss that is `losses[epoch]` in validation; the weights move all the same."""

    def __init__(self, model, losses):
        self.model, self.losses, self.epoch = model, losses, 0

    def __call__(self, logits, labels):
        if not self.model.training:
            self.epoch += 1
            return self.losses[self.epoch - 1], None
        return 1.0, np.full_like(logits, 0.01)


class KeepWeights(Observer):
    def on_begin(self, trainer):
        self.trainer, self.after = trainer, {}

    def on_epoch(self, record):
        self.after[record.epoch] = weights(self.trainer.model)


def run_with(losses, **choices):
    keep = KeepWeights()
    run = trainer(observers=[keep], epochs=len(losses), validation_split=0.1, **choices)
    run.loss_fn = ValidationLosses(run.model, losses)
    run.fit(*data())
    return run, keep.after


@pytest.mark.parametrize(
    ("losses", "patience", "min_delta", "epochs", "best", "stopped"),
    [
        ([3, 2, 1, 2, 3, 0], 2, 0, 5, 3, "early"),
        ([3, 2, 1, 2, 0.5, 0], 2, 0, 6, 6, "finished"),
        ([1, 1, 1, 1], 2, 0, 3, 1, "early"),  # equal is not better
        ([3, 2.9, 2.8, 2.7, 2.6], 2, 0.5, 3, 1, "early"),
        ([3, 2.9, 2.4, 2.3, 2.2, 1], 2, 0.5, 5, 3, "early"),  # against the best, not the last
        ([2, 3], 1, 0, 2, 1, "finished"),
        ([2, 3, 4], 1, 0, 2, 1, "early"),
    ],
)
def test_patience(losses, patience, min_delta, epochs, best, stopped):
    run, after = run_with(losses, patience=patience, min_delta=min_delta)
    assert (len(run.records), run.best_epoch, run.stopped) == (epochs, best, stopped)
    assert same(weights(run.model), after[best])
    if best != epochs:
        assert not same(weights(run.model), after[epochs])


def test_without_patience_the_best_weights_are_kept_but_the_last_are_used():
    run, after = run_with([2, 1, 3])
    assert run.best_epoch == 2 and same(run.best_weights, after[2])
    assert same(weights(run.model), after[3])


def test_the_best_weights_are_back_before_anyone_is_told_of_the_end():
    class Check(Observer):
        def on_end(self, trainer):
            self.seen = weights(trainer.model)

    check = Check()
    run = trainer(observers=[check], epochs=3, patience=2)
    run.loss_fn = ValidationLosses(run.model, [1, 2, 3])
    run.fit(*data())
    assert same(check.seen, run.best_weights)


def test_patience_without_digits_to_validate_on_is_refused():
    with pytest.raises(ValueError, match="validat"):
        trainer(patience=1, validation_split=0.1).fit(*data(9))


def test_a_run_that_is_over_does_not_go_on_when_asked_again():
    run = trainer()
    run.fit(*data())
    before = weights(run.model)
    assert len(run.fit(*data())) == 3
    assert run.stopped == "finished" and same(weights(run.model), before)


def poisoned(count, rows):
    """Data with NaN in some rows."""
    x, y = data(count)
    x[rows] = np.nan
    return x, y


def test_a_loss_that_is_not_finite_stops_at_once():
    log = []
    x, y = data(40)
    order = SimpleRng(1).permutation(40)
    x[order[10]] = np.nan  # in the second batch of eight
    run = trainer(observers=[Witness("a", log)], validation_split=0.0)
    before = weights(run.model)
    with pytest.raises(DivergedError, match="learning rate.*scaled"):
        run.fit(x, y)
    assert log == [("a", "begin", 0), ("a", "batch", 1, 5), ("a", "end", "diverged")]
    assert same(weights(run.model), before)
    assert run.epoch == 0 and run.records == []


@pytest.mark.parametrize("at", [2, 2.4, 2.8])  # of 0, 0.2 ... 0.8: the last is the last batch
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_weights_of_the_last_good_epoch_are_back(at, optimizer):
    keep = KeepWeights()
    run = trainer(observers=[keep], epochs=9, validation_split=0.0)
    run.optimizer = OPTIMIZERS[optimizer](run.model, Recipe())
    run.schedule = lambda epoch: 0.05 if epoch < at else 1e300
    with pytest.raises(DivergedError, match="in epoch 3.*after epoch 2"):
        run.fit(*data(40))
    assert same(weights(run.model), keep.after[2])
    assert len(run.records) == run.epoch == 2
    assert all(np.isfinite(w).all() for w in run.model.parameters.values())


def test_a_validation_loss_that_is_not_finite_stops_as_well():
    run = trainer(validation_split=0.2)
    before = weights(run.model)
    with pytest.raises(DivergedError, match=r"in epoch 1 \(loss nan\)"):
        run.fit(*poisoned(50, slice(45, None)))
    assert run.stopped == "diverged" and same(weights(run.model), before)


def test_divergence_is_told_without_warnings(recwarn):
    run = trainer(rate=1e30, epochs=5)
    with pytest.raises(DivergedError):
        run.fit(*data())
    assert not recwarn.list


class Interrupt(Observer):
    """Ctrl-C at the given event."""

    def __init__(self, event, at=1):
        self.event, self.at = event, at

    def _maybe(self, event, at):
        if (event, at) == (self.event, self.at):
            raise KeyboardInterrupt

    def on_batch(self, batch, batches):
        self._maybe("batch", batch)

    def on_epoch(self, record):
        self._maybe("epoch", record.epoch)


@pytest.mark.parametrize(
    ("interrupt", "epochs"), [(Interrupt("batch", 3), 0), (Interrupt("epoch", 2), 2)]
)
def test_an_interrupt_stops_cleanly(interrupt, epochs):
    log = []
    run = trainer(observers=[Witness("a", log), interrupt], patience=2)
    before = weights(run.model)
    records = run.fit(*data())
    assert run.stopped == "interrupted" and log[-1] == ("a", "end", "interrupted")
    assert len(records) == run.epoch == epochs
    assert run.within_epoch == (interrupt.event == "batch")
    assert not same(weights(run.model), before)  # it keeps what it has learned
    assert all(np.isfinite(w).all() for w in run.model.parameters.values())
    assert not run.model.training

    run.observers.remove(interrupt)
    assert len(run.fit(*data())) == 3 and run.stopped == "finished"


def test_an_error_in_an_observer_gets_out_but_the_others_hear_of_the_end():
    class Fails(Observer):
        def on_batch(self, batch, batches):
            raise OSError("disk full")

    log = []
    with pytest.raises(OSError, match="disk full"):
        trainer(observers=[Witness("a", log), Fails()]).fit(*data())
    assert log[-1][:2] == ("a", "end")


# Reproducibility


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_same_seed_same_bits(optimizer):
    def run(seed):
        recipe = Recipe(epochs=2, batch_size=8, optimizer=optimizer, seed=seed)
        result = recipe.trainer(network(seed))
        result.fit(*data())
        return result

    first, second, other = run(1), run(1), run(2)
    assert same(weights(first.model), weights(second.model))
    losses = [[(r.train_loss, r.val_loss) for r in a.records] for a in (first, second, other)]
    assert losses[0] == losses[1] != losses[2]


# Settings


@pytest.mark.parametrize(
    "choices",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"validation_split": -0.1},
        {"validation_split": 1.0},
        {"validation_split": float("nan")},
        {"patience": 0},
        {"patience": 3, "validation_split": 0.0},
        {"min_delta": -1.0},
        {"min_delta": float("nan")},
        {"optimizer": "adagrad"},
        {"learning_rate": 0.0},
        {"learning_rate": float("inf")},
        {"learning_rate": float("nan")},
        {"weight_decay": -0.1},
        {"weight_decay": float("nan")},
        {"beta2": 1.0},
        {"beta2": -0.1},
        {"schedule": "linear"},
    ],
    ids=str,
)
def test_settings_that_make_no_sense_are_refused(choices):
    with pytest.raises(ValueError, match=".{10}"):
        Recipe(**choices)


@pytest.mark.parametrize(
    ("choices", "kind", "expected"),
    [
        ({}, SGD, {"momentum": 0.0, "weight_decay": 0.0}),
        ({"optimizer": "sgd", "weight_decay": 0.2}, SGD, {"momentum": 0.0, "weight_decay": 0.2}),
        (
            {"optimizer": "momentum", "weight_decay": 0.2},
            SGD,
            {"momentum": 0.9, "nesterov": False, "weight_decay": 0.2},
        ),
        (
            {"optimizer": "adam", "weight_decay": 0.2, "beta2": 0.95},
            Adam,
            {"beta1": 0.9, "beta2": 0.95, "weight_decay": 0.2},
        ),
    ],
)
def test_a_recipe_makes_the_optimizer_it_names(choices, kind, expected):
    optimizer = Recipe(**choices).trainer(network()).optimizer
    assert type(optimizer) is kind
    assert {name: getattr(optimizer, name) for name in expected} == expected


def test_put_back_is_the_inverse_of_keeping():
    model = network()
    kept = weights(model)
    arrays = dict(model.parameters)
    for array in (model.parameters | model.buffers).values():
        array += 1
    put_back(model, kept)
    assert same(weights(model), kept)
    assert all(model.parameters[name] is array for name, array in arrays.items())


# What is printed


def test_one_line_an_epoch_and_why_it_ended(capsys):
    run = trainer(observers=[PrintEpochs()], epochs=9, patience=1)
    run.loss_fn = ValidationLosses(run.model, [1.0, 0.5, 0.75])
    run.fit(*data())
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert [line.split()[:2] for line in lines[:3]] == [["epoch", f"{n}/9"] for n in (1, 2, 3)]
    assert "loss 1.0000  val loss 0.5000" in lines[1] and lines[1].endswith(" s")
    assert lines[3:] == ["no better since epoch 2: stopped"] and not err


def test_an_interrupt_is_printed(capsys):
    trainer(observers=[PrintEpochs(), Interrupt("batch")], validation_split=0.0).fit(*data())
    assert capsys.readouterr().out == "interrupted in epoch 1\n"


def test_the_progress_bar_prints_the_same_lines(capsys):
    trainer(observers=[ProgressBar()], validation_split=0.0).fit(*data())
    parts = capsys.readouterr().out.replace("\r", "\n").split("\n")
    lines = [part.split() for part in parts if "loss" in part]
    assert [line[:3] for line in lines] == [["epoch", f"{n}/3", "loss"] for n in (1, 2, 3)]
    assert any("0/7 [" in part for part in parts)  # the bar, at the start of an epoch


def test_a_record_is_what_the_log_writes():
    assert list(EpochRecord.__dataclass_fields__) == [
        "epoch",
        "train_loss",
        "train_seconds",
        "val_loss",
        "val_accuracy",
        "learning_rate",
    ]
