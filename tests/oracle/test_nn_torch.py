"""Layers, losses, optimizers and the whole MLP against PyTorch, in float64."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course import mlp, mnist
from course.mlp import MLP
from course.nn import schedules
from course.nn.activations import ELU, GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Tanh
from course.nn.layers import Dense
from course.nn.losses import MeanSquaredError, SoftmaxCrossEntropy
from course.nn.optimizers import SGD, Adam
from course.nn.regularization import BatchNorm
from course.nn.rng import SimpleRng
from course.nn.training import evaluate

torch = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")

widths = st.integers(1, 30)


def numbers(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def tensor(array, grad=False):
    return torch.tensor(array, requires_grad=grad)


def close(ours, theirs, rtol=1e-11, atol=1e-12):
    return np.allclose(ours, theirs.detach().numpy(), rtol=rtol, atol=atol)


def both_ways(layer, module, x):
    """Run forward and backward on both sides; compare outputs and input gradients."""
    dy = numbers(9, *layer.forward(x).shape)
    their_x = tensor(x, grad=True)
    y = module(their_x)
    y.backward(tensor(dy))
    assert close(layer.forward(x), y)
    assert close(layer.backward(dy), their_x.grad)


# Layers


@settings(max_examples=20)
@given(batch=widths, inputs=widths, outputs=widths)
def test_dense(batch, inputs, outputs):
    layer = Dense(inputs, outputs, SimpleRng(1), np.float64)
    layer.parameters["b"][...] = numbers(1, outputs)
    module = torch.nn.Linear(inputs, outputs, dtype=torch.float64)
    copy_dense(layer.parameters["w"], layer.parameters["b"], module)
    both_ways(layer, module, numbers(2, batch, inputs))
    assert close(layer.gradients["w"], module.weight.grad.T)
    assert close(layer.gradients["b"], module.bias.grad)


def copy_dense(w, b, module):
    with torch.no_grad():
        module.weight.copy_(tensor(w.T.copy()))  # PyTorch keeps (outputs, inputs)
        module.bias.copy_(tensor(b))


@pytest.mark.parametrize(
    ("layer", "module"),
    [
        (ReLU(), torch.nn.ReLU()),
        (LeakyReLU(), torch.nn.LeakyReLU()),
        (LeakyReLU(0.25), torch.nn.LeakyReLU(0.25)),
        (ELU(), torch.nn.ELU()),
        (ELU(1.5), torch.nn.ELU(1.5)),
        (GELU(), torch.nn.GELU()),
        (SiLU(), torch.nn.SiLU()),
        (Tanh(), torch.nn.Tanh()),
        (Sigmoid(), torch.nn.Sigmoid()),
    ],
    ids=lambda one: repr(one) if isinstance(one, torch.nn.Module) else "",
)
def test_activations(layer, module):
    both_ways(layer, module, 5 * numbers(3, 7, 11))
    both_ways(layer, module, np.array([[-1e4, -800.0, -30.0, -0.0, 0.0, 30.0, 800.0, 1e4]]))


@settings(max_examples=15)
@given(batch=st.integers(2, 20), features=widths, steps=st.integers(1, 4))
def test_batch_norm_in_training_and_then_in_use(batch, features, steps):
    layer = BatchNorm(features, dtype=np.float64)
    module = torch.nn.BatchNorm1d(features, dtype=torch.float64)
    for name, parameter in (("gamma", module.weight), ("beta", module.bias)):
        layer.parameters[name][...] = numbers(4, features)
        parameter.data.copy_(tensor(numbers(4, features)))
    layer.training = True
    for step in range(steps):
        x = 3 + 2 * numbers(step, batch, features)
        dy = numbers(step + 50, batch, features)
        their_x = tensor(x, grad=True)
        module.zero_grad()
        y = module(their_x)
        y.backward(tensor(dy))
        # With two rows the gradient is a small difference of large terms: they set the scale.
        assert close(layer.forward(x), y, atol=1e-10)
        assert close(layer.backward(dy), their_x.grad, atol=1e-8)
        assert close(layer.gradients["gamma"], module.weight.grad, atol=1e-10)
        assert close(layer.gradients["beta"], module.bias.grad)
    assert close(layer.buffers["mean"], module.running_mean)
    assert close(layer.buffers["variance"], module.running_var)
    layer.training = False
    both_ways(layer, module.eval(), numbers(8, batch, features))


# Losses


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_cross_entropy(scale):
    logits, labels = scale * numbers(1, 40, 10), np.arange(40) % 10
    theirs = tensor(logits, grad=True)
    their_loss = torch.nn.functional.cross_entropy(theirs, tensor(labels))
    their_loss.backward()
    loss, dlogits = SoftmaxCrossEntropy()(logits, labels)
    assert close(loss, their_loss) and close(dlogits, theirs.grad)


def test_mean_squared_error():
    predictions, targets = numbers(1, 12, 3), numbers(2, 12, 3)
    theirs = tensor(predictions, grad=True)
    their_loss = torch.nn.functional.mse_loss(theirs, tensor(targets))
    their_loss.backward()
    loss, dpredictions = MeanSquaredError()(predictions, targets)
    assert close(loss, their_loss) and close(dpredictions, theirs.grad)


# Optimizers: eight steps of a small MLP, each side by its own gradients


def pair(inputs=12, hidden=9, outputs=4):
    """Our MLP and PyTorch's, with the same weights."""
    ours = MLP(seed=2, inputs=inputs, hidden=hidden, outputs=outputs, dtype=np.float64)
    theirs = torch.nn.Sequential(
        torch.nn.Linear(inputs, hidden, dtype=torch.float64),
        torch.nn.ReLU(),
        torch.nn.Linear(hidden, outputs, dtype=torch.float64),
    )
    w1, b1, w2, b2 = ours.parameters.values()
    copy_dense(w1, b1, theirs[0])
    copy_dense(w2, b2, theirs[2])
    return ours, theirs


def same_weights(ours, theirs, **tolerance):
    w1, b1, w2, b2 = ours.parameters.values()
    return all(
        close(a, b, **tolerance)
        for a, b in (
            (w1, theirs[0].weight.T),
            (b1, theirs[0].bias),
            (w2, theirs[2].weight.T),
            (b2, theirs[2].bias),
        )
    )


@pytest.mark.parametrize(
    ("optimizer", "their_optimizer", "options", "their_options"),
    [
        (SGD, "SGD", {}, {}),
        (SGD, "SGD", {"weight_decay": 0.1}, {"weight_decay": 0.1}),
        (SGD, "SGD", {"momentum": 0.9}, {"momentum": 0.9}),
        (
            SGD,
            "SGD",
            {"momentum": 0.9, "weight_decay": 0.1},
            {"momentum": 0.9, "weight_decay": 0.1},
        ),
        (SGD, "SGD", {"momentum": 0.9, "nesterov": True}, {"momentum": 0.9, "nesterov": True}),
        (Adam, "Adam", {}, {}),
        (Adam, "AdamW", {"weight_decay": 0.1}, {"weight_decay": 0.1}),
        (Adam, "Adam", {"beta1": 0.8, "beta2": 0.9}, {"betas": (0.8, 0.9)}),
    ],
)
@pytest.mark.parametrize("fused", [False, True])
def test_optimizers(optimizer, their_optimizer, options, their_options, fused):
    ours, theirs = pair()
    optimizer = optimizer(ours, **options)
    their_optimizer = getattr(torch.optim, their_optimizer)(
        theirs.parameters(), lr=0.1, **their_options
    )
    for step in range(8):
        rate = 0.1 / (step + 1)
        x, labels = numbers(step, 20, 12), np.arange(20) % 4
        for group in their_optimizer.param_groups:
            group["lr"] = rate
        their_optimizer.zero_grad()
        torch.nn.functional.cross_entropy(theirs(tensor(x)), tensor(labels)).backward()
        their_optimizer.step()
        _, dlogits = SoftmaxCrossEntropy()(ours.forward(x), labels)
        if fused:
            optimizer.backward_and_step(dlogits, rate)
        else:
            ours.backward(dlogits)
            optimizer.step(rate)
        assert same_weights(ours, theirs, rtol=1e-9, atol=1e-11), step


@pytest.mark.parametrize(
    ("ours", "theirs", "options"),
    [
        (schedules.StepDecay(0.1, 3, 0.5), "StepLR", {"step_size": 3, "gamma": 0.5}),
        (schedules.Exponential(0.1, 0.9), "ExponentialLR", {"gamma": 0.9}),
        (
            schedules.CosineAnnealing(0.1, 10, 1e-4),
            "CosineAnnealingLR",
            {"T_max": 10, "eta_min": 1e-4},
        ),
    ],
)
def test_schedules(ours, theirs, options):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = getattr(torch.optim.lr_scheduler, theirs)(optimizer, **options)
    for epoch in range(11):
        assert ours(epoch + 0.5) == pytest.approx(scheduler.get_last_lr()[0], rel=1e-9)
        optimizer.step()
        scheduler.step()


# The whole MLP


def test_an_epoch_of_the_recipe_on_the_sample():
    """The training loop itself, 57 steps; PyTorch gets the same batches and learning rates."""
    digits = mnist.load(mnist.CLONE_DATA / "sample")
    x = mnist.to_float(digits.train_images, np.float64).reshape(-1, 784)
    ours, theirs = pair(784, 512, 10)
    trainer = replace(mlp.RECIPE, epochs=1).trainer(ours)
    order = SimpleRng(mlp.RECIPE.seed).permutation(3600)
    batches = np.split(order, range(64, 3600, 64))
    record = trainer.fit(x, digits.train_labels)[0]

    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.1, momentum=0.9)
    total, labels = 0.0, digits.train_labels.astype(np.int64)
    for number, rows in enumerate(batches):
        optimizer.param_groups[0]["lr"] = trainer.schedule(number / len(batches))
        loss = torch.nn.functional.cross_entropy(theirs(tensor(x[rows])), tensor(labels[rows]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    assert record.train_loss == pytest.approx(total / 3600, rel=1e-9)
    # Rounding differences grow from step to step; 57 of them stay far below this.
    assert same_weights(ours, theirs, rtol=1e-6, atol=1e-8)
    with torch.no_grad():
        logits = theirs(tensor(x[3600:]))
        loss = torch.nn.functional.cross_entropy(logits, tensor(labels[3600:])).item()
        accuracy = (logits.argmax(1).numpy() == labels[3600:]).mean()
    assert (record.val_loss, record.val_accuracy) == (pytest.approx(loss, rel=1e-6), accuracy)
    assert evaluate(ours, x[3600:], labels[3600:])[1] == accuracy
