"""The doctor: it finds each illness in a run made to have it, and none in healthy runs."""

import contextlib
import dataclasses

import numpy as np
import pytest

from course import attention, cnn, mlp, mnist, xor
from course.nn.activations import ReLU, Sigmoid, Tanh
from course.nn.doctor import ILLNESSES, ExamineError, examine
from course.nn.layers import Dense, Layer, Sequential
from course.nn.optimizers import SGD
from course.nn.recipe import Recipe
from course.nn.regularization import BatchNorm, Dropout
from course.nn.rng import SimpleRng
from course.nn.schedules import Constant
from course.nn.signals import Monitor
from course.nn.training import DivergedError, Settings, Trainer, copy_weights

DIGITS = mnist.load(mnist.CLONE_DATA / "sample")
X, Y = mnist.to_float(DIGITS.train_images).reshape(-1, 784), DIGITS.train_labels
FEW = Recipe(optimizer="momentum", learning_rate=0.05, epochs=3, batch_size=32)


def network(hidden=ReLU, scale=1.0, seed=1, output=Dense, **more):
    rng = SimpleRng(seed)
    model = Sequential(first=Dense(784, 32, rng), bend=hidden(), **more, last=output(32, 10, rng))
    model.parameters["first.w"] *= scale
    return model


def deep(bend, layers, scale=1.0):
    rng, parts = SimpleRng(1), {}
    for i in range(layers):
        parts |= {f"dense{i}": Dense(32 if i else 784, 32, rng), f"bend{i}": bend()}
    model = Sequential(**parts, last=Dense(32, 10, rng))
    for w in model.parameters.values():
        w *= scale
    return model


def run(model, x=X[:1000], y=Y[:1000], monitor=True, **choices):
    """Train as FEW says, but for `choices`; return what `examine` needs."""
    observers = [Monitor()] if monitor else []
    trainer = dataclasses.replace(FEW, **choices).trainer(model, observers)
    with contextlib.suppress(DivergedError):
        trainer.fit(x, y)
    return trainer, x, y


def spoiled(factor):
    """A dense layer whose weight gradient is multiplied by a number, or changed by a function."""

    class Spoiled(Dense):
        def backward(self, dy):
            dx = super().backward(dy)
            target = self.gradients["w"]
            target[...] = factor(target, len(dy)) if callable(factor) else factor * target
            return dx

        def redirect_weight_gradient(self, target, alpha, beta):
            """The optimizer then adds what `backward` left."""

    return Spoiled


def wrong_gradient(factor):
    return lambda: run(network(output=spoiled(factor)), optimizer="adam", learning_rate=0.001)


class ScaledTwice(cnn.CNN):
    """What computes loss and gradients in one go divides by the batch once more."""

    def loss_and_gradients(self, x, labels):
        result = super().loss_and_gradients(x, labels)
        self.gradients["conv.w"] /= len(x)
        return result


class OwnReLU(Layer):
    """A learner's own."""

    def forward(self, x):
        self.positive = x > 0
        return x * self.positive

    def backward(self, dy):
        return dy * self.positive


class Blind(Layer):
    """Forgets what it got."""

    def forward(self, x):
        return 0 * x

    def backward(self, dy):
        return 0 * dy


def killed(bend=ReLU):
    model = network(bend)
    model.parameters["first.b"][:24] = -50
    return model


def constant():
    model = network()
    for w in model.parameters.values():
        w[...] = 0.01
    return model


def frozen():
    model = network()
    parts = SGD(model.layers["last"]), Constant(0.1), Settings(epochs=3)
    trainer = Trainer(model, *parts, observers=[Monitor()])
    trainer.fit(X[:1000], Y[:1000])
    return trainer, X[:1000], Y[:1000]


def half_noise():
    random = np.random.default_rng(1)
    return np.where(random.random(1000) < 0.4, random.integers(0, 10, 1000), Y[:1000])


SHUFFLED = np.random.default_rng(1).permutation(Y[:1000])
TWICE = np.concatenate([X[:900], X[:100]])


HOLES = np.where(X[:1000] > 0.99, np.nan, X[:1000])
ILL = {  # name: (a run, the illness found first, a part of what is said)
    "pixels to 255": (lambda: run(network(), X[:1000] * 255), "inputs", "to 255, with"),
    "scaled twice": (lambda: run(network(), X[:1000] / 255), "inputs", "by 255, once"),
    "no number": (lambda: run(network(), HOLES), "inputs", "not finite"),
    "one label": (lambda: run(network(), y=0 * Y[:1000]), "labels", "All 900 labels are 0"),
    "shuffled": (lambda: run(network(), y=SHUFFLED, epochs=8), "labels", "do not belong"),
    "copies": (lambda: run(network(), TWICE), "leak", "100% of the 100 validation samples"),
    "twice 1/batch": (wrong_gradient(lambda g, batch: g / batch), "gradient", "divided by the ba"),
    "no 1/batch": (wrong_gradient(lambda g, batch: g * batch), "gradient", "as if never divided"),
    "in one go": (lambda: run(ScaledTwice(), epochs=1), "gradient", "'conv.w' is wrong: it is 64 "),
    "attention": (
        lambda: run(attention.PatchAttention(), epochs=1, optimizer="adam", learning_rate=1.0),
        "rate too large", "Try one",
    ),
    "doubled": (wrong_gradient(2), "gradient", "it claims 2 times the slope"),
    "sign": (wrong_gradient(-1), "gradient", "uphill"),
    "half of it": (
        wrong_gradient(lambda g, batch: g * (np.arange(10) % 2)), "gradient", "parts of it"
    ),
    "all alike": (lambda: run(constant()), "alike", "All 32 units of 'first.w'"),
    "deep sigmoids": (lambda: run(deep(Sigmoid, 8)), "vanishing", "at 'dense0'"),
    "large weights": (lambda: run(deep(ReLU, 8, 4.0)), "exploding", "at 'dense0'"),
    "rate 20": (lambda: run(network(), learning_rate=20.0), "rate too large", "times smaller"),
    "rate 1e-6": (lambda: run(network(), learning_rate=1e-6), "rate too small", "times larger"),
    "saturated": (lambda: run(network(Sigmoid, 100.0)), "saturated", "The sigmoid of 'bend'"),
    "saturated tanh": (lambda: run(network(Tanh, 60.0)), "saturated", "The tanh of 'bend'"),
    "dead": (lambda: run(killed()), "dead", "24 of the 32 ReLUs of 'bend'"),
    "dead, own": (lambda: run(killed(OwnReLU)), "dead", "24 of the 32 ReLUs of 'bend'"),
    "diverged": (lambda: run(network(), monitor=0, learning_rate=1e25), "not finite", "epoch 1"),
    "by heart": (
        lambda: run(network(OwnReLU), y=half_noise(), epochs=60, learning_rate=0.02),
        "overfitting", "since epoch",
    ),
    "part of the model": (frozen, "frozen", "'first.w' hardly moves"),
    "blind": (lambda: run(network(blind=Blind())), "stuck", "ln(10) = 2.303"),
}  # fmt: skip


@pytest.mark.parametrize("name", ILL)
def test_an_illness_is_the_first_thing_found(name):
    sick, illness, part = ILL[name]
    findings = examine(*sick())
    assert [f.illness for f in findings][:1] == [illness], [*map(str, findings)]
    assert part in str(findings[0])


def test_every_illness_that_is_tested_has_its_words_and_the_other_way_round():
    assert {illness for _, illness, _ in ILL.values()} == set(ILLNESSES)


def small(seed):
    """Layers of several kinds, with dropout and batch norm."""
    rng = SimpleRng(seed)
    return Sequential(
        first=Dense(784, 64, rng),
        norm=BatchNorm(64),
        tanh=Tanh(),
        drop=Dropout(0.1, seed),
        second=Dense(64, 32, rng),
        relu=ReLU(),
        last=Dense(32, 10, rng),
    )


HEALTHY = {
    "mlp": (mlp.MLP, mlp.RECIPE),
    "cnn": (cnn.CNN, cnn.RECIPE),
    "attention": (attention.PatchAttention, attention.RECIPE),
    "small": (small, Recipe(optimizer="momentum", learning_rate=0.05)),
}


def test_test_samples_among_the_training_samples_are_found():
    trainer, x, y = run(network(), epochs=1)
    [finding] = examine(trainer, x, y, test_x=np.concatenate([X[:50], X[-150:]]))
    assert "25% of the 200 test samples" in str(finding)


def test_a_model_is_left_as_it_was():
    model = network(norm=BatchNorm(32), drop=Dropout(0.5))
    trainer, x, y = run(model, epochs=1)
    before, members = copy_weights(model), [vars(layer).keys() for _, layer in model.walk()]
    examine(trainer, x, y)
    after = copy_weights(model)
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert [vars(layer).keys() for _, layer in model.walk()] == members
    assert not model.training and "forward" not in members[1] and "backward" not in members[1]


def test_before_training_only_what_can_be_seen_is_judged():
    trainer = FEW.trainer(network(output=spoiled(-1)), [Monitor()])
    assert [f.illness for f in examine(trainer, X[:1000], Y[:1000])] == ["gradient"]
    trainer = FEW.trainer(network())
    assert examine(trainer, X[:1000], Y[:1000]) == []


@pytest.mark.parametrize("count", [0, 7])
def test_samples_without_their_labels_are_refused(count):
    with pytest.raises(ExamineError, match=f"{count} samples with 0 labels"):
        examine(FEW.trainer(network()), X[:count], Y[:0])


def test_an_output_layer_may_start_at_zero():
    """All its units are alike then, and its second step goes as far as it has come."""
    model = network()
    model.parameters["last.w"][...] = 0
    assert examine(FEW.trainer(model), X[:1000], Y[:1000]) == []
    assert examine(*run(model)) == []


def test_float64_and_another_loss_are_looked_at_too():
    """XOR's own loop tells no observer of its steps."""
    trainer = xor.XORRecipe(epochs=20_000, batch_size=1, validation_split=0.0).trainer(
        xor.XOR(), [Monitor()]
    )
    trainer.fit()
    assert examine(trainer, xor.INPUTS, xor.TARGETS) == []


def test_a_monitor_measures_how_far_steps_go():
    monitor, model = Monitor(every=2), network()
    start = model.parameters["last.w"].copy()
    Trainer(
        model, SGD(model), Constant(0.1), Settings(1, 500, validation_split=0), observers=[monitor]
    ).fit(X[:500], Y[:500])
    moved = np.linalg.norm(model.parameters["last.w"] - start) / np.linalg.norm(start)
    assert monitor.ratios["last.w"] == [pytest.approx(moved)]


def findings_of_healthy(name, seed):
    make, recipe = HEALTHY[name]
    trainer = dataclasses.replace(recipe, seed=seed).trainer(make(seed=seed), [Monitor()])
    trainer.fit(X, Y)
    assert trainer.records[-1].val_accuracy > 0.8
    test_x = mnist.to_float(DIGITS.test_images).reshape(-1, 784)
    return [*map(str, examine(trainer, X, Y, test_x))]


@pytest.mark.slow
@pytest.mark.parametrize("name", HEALTHY)
@pytest.mark.parametrize("seed", [1, 2])  # and others in tests/full
def test_a_healthy_run_is_left_in_peace(name, seed):
    assert findings_of_healthy(name, seed) == []
