"""The benchmark's networks in PyTorch and JAX are the course's: same numbers, same work."""

import importlib
import json
import subprocess
import sys

import numpy as np
import pytest

from course import benchmark, models
from course.benchmark.course_side import CourseSide, digits
from course.benchmark.products import PRODUCTS, multiplications
from course.nn.rng import SimpleRng

MODELS = ("mlp", "cnn", "attention")
PEERS = {"torch": "PyTorch", "jax": "JAX"}


@pytest.fixture(params=PEERS)
def peer(request):
    """The name of a framework, and the module with the benchmark's networks in it."""
    pytest.importorskip(request.param, reason=f"{PEERS[request.param]} is not installed")
    return request.param, importlib.import_module(f"course.benchmark.{request.param}_side")


@pytest.fixture
def build(monkeypatch):
    """Let models begin with other numbers than zero in all of their parameters, biases too."""
    plain = models.build

    def build(name, **config):
        model, random = plain(name, **config), np.random.default_rng(3)
        for w in model.parameters.values():
            w += 0.05 * random.standard_normal(w.shape).astype(w.dtype)
        return model

    monkeypatch.setattr(models, "build", build)
    return build


def make_side(peer, model, optimizer, x, y):
    name, module = peer
    Side = module.TorchSide if name == "torch" else module.JaxSide
    return Side(model, optimizer, x, y)


@pytest.mark.parametrize("model", MODELS)
def test_same_weights_give_the_same_logits(peer, build, model):
    x, y = digits(50)
    side = make_side(peer, model, "sgd", x, y)
    name, _ = peer
    if name == "torch":
        logits = side.network(side.x).detach().numpy()
    else:
        logits = side.network(side.state[0], side.x)
    assert np.allclose(logits, build(model).forward(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("model", MODELS)
def test_same_order_of_digits_gives_the_same_losses(peer, build, model, optimizer):
    count = 5 * models.recipe(model).batch_size + 3  # the last batch is smaller
    x, y = digits(count)
    ours, theirs = CourseSide(model, optimizer, x, y), make_side(peer, model, optimizer, x, y)
    rng = SimpleRng(1)  # as the course's trainer shuffles
    for _ in range(3):
        order = np.array(rng.permutation(count))
        assert theirs.train_epoch(order) == pytest.approx(ours.train_epoch(), rel=1e-3)


def test_the_deep_network_is_the_same_in_training(peer, build):
    """But for dropout, and batch norm over the whole batch: as layers, not in shares."""
    x, y = digits(40)
    side, ours = make_side(peer, "deep", "sgd", x, y), build("deep", dropout=0.0)
    ours.training = True
    logits = ours.forward(x)
    loss, dlogits = ours.loss_fn(logits, y)
    ours.backward(dlogits)
    name, module = peer
    if name == "torch":
        side.network.dropout.p = 0.0
        theirs = side.network(side.x)
        their_loss = side.loss(theirs, side.y)
        their_loss.backward()
        theirs = theirs.detach().numpy()
        gradient = side.network.conv2.weight.grad.numpy()
    else:
        theirs = module.deep(side.state[0], side.x)
        gradient = None  # its loss drops values by a key of its own
    np.testing.assert_allclose(theirs, logits, rtol=1e-3, atol=1e-3)
    if gradient is not None:
        assert their_loss.item() == pytest.approx(loss, rel=1e-5)
        np.testing.assert_allclose(ours.gradients["conv2.w"], gradient, rtol=1e-2, atol=1e-5)


def torch_work(side):
    """Count the multiplications of a training step, forward and back."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        side.train_epoch()
    return counter.get_total_flops() // 2  # one multiplication, one addition


def jax_work(module, side):
    """Count those of a step's program, in every product of it."""
    from jax import make_jaxpr, value_and_grad
    from jax.extend.core import jaxprs_in_params

    def count(jaxpr):
        total = 0
        for equation in jaxpr.eqns:
            for inner in jaxprs_in_params(equation.params):
                total += count(inner)
            if equation.primitive.name == "dot_general":
                (contracted, _), _ = equation.params["dimension_numbers"]
                shape = equation.invars[0].aval.shape
                depth = np.prod([shape[axis] for axis in contracted])
                total += int(depth * np.prod(equation.outvars[0].aval.shape))
        return total

    loss = value_and_grad(lambda p: module.cross_entropy(side.network, p, side.x, side.y, 0))
    return count(make_jaxpr(loss)(side.state[0]).jaxpr)


@pytest.mark.parametrize("model", [*MODELS, "deep"])
def test_the_work_is_that_of_the_course(peer, model):
    name, module = peer
    if (name, model) == ("jax", "deep"):
        pytest.skip("XLA's convolutions on the way back multiply zeros, too")
    batch_size = models.recipe(model).batch_size
    side = make_side(peer, model, "sgd", *digits(batch_size))
    work = torch_work(side) if name == "torch" else jax_work(module, side)
    assert work == multiplications(PRODUCTS[model](batch_size))


@pytest.mark.parametrize("peer", benchmark.PEERS)
def test_the_benchmark_has_a_ratio(tmp_path, peer):
    if problem := benchmark.why_not(peer):
        pytest.skip(problem)
    options = ["--rounds", "2", "--samples", "640", "--against", peer, "--busy", "none", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "course", "bench", "mlp", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result[f"ratio_vs_{peer}"] > 0 and result[f"{peer}_seconds"] > 0
