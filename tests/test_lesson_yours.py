"""Lessons 09 and 09c: whoever types in right functions gets a network; slow ones get a smaller one.

The checks of their exercises are in `test_exercises.py`, but for what is particular to an epoch.
"""

import inspect
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from course import mnist, models, yours
from course.exercises import (
    Exercise,
    yours_convolution,
    yours_stretch,
    yours_training,
)
from course.exercises import yours as exercises
from course.nn import checkpoint
from course.nn.gradcheck import check_gradients
from course.progress import Progress
from course.recognizer import insight
from course.recognizer.tuning import fine_tune
from course.yours import planning

ROOT = Path(__file__).parents[1]
MODULES = (exercises, yours_training, yours_convolution, yours_stretch)
SOLUTIONS = {
    found.solution.__name__: found.solution
    for module in MODULES
    for found in vars(module).values()
    if isinstance(found, Exercise)
}
CORE = ("read_idx", "dense", "dense_backward", "relu", "softmax_cross_entropy", "momentum_step",
        "train_epoch")  # fmt: skip


class Right(yours.Network):
    parts = SimpleNamespace(**SOLUTIONS)


class RightConvolutions(yours.ConvolutionalNetwork):
    parts = SimpleNamespace(**SOLUTIONS)


@pytest.fixture(scope="module")
def sample():
    digits = mnist.load(ROOT / "data" / "sample")
    x, test_x = (
        mnist.to_float(images).reshape(-1, 784)
        for images in (digits.train_images, digits.test_images)
    )
    with threadpool_limits(1, "blas"):
        yield x, digits.train_labels, test_x, digits.test_labels


@pytest.fixture(autouse=True)
def progress(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_PROGRESS_DIR", str(tmp_path / "progress"))
    monkeypatch.setenv("COURSE_DATA_DIR", str(ROOT / "data" / "sample"))


def work_through(lesson, folder, typed=SOLUTIONS):
    """Run the cells of a lesson with functions typed in; returns their names."""
    path = ROOT / "notebooks" / f"{lesson}.ipynb"
    names = {"__name__": "__main__"}
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        source = "".join(cell["source"])
        function = source.partition("(")[0].removeprefix("def ")
        if function in typed:
            source = inspect.getsource(typed[function])
        file = folder / f"{lesson}-{cell['id']}.py"
        file.write_text(source, encoding="utf-8")  # where Python finds the source of a function
        exec(compile(source, str(file), "exec"), names)
    return names


# ---- The lessons ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_their_code_alone_trains_and_goes_on_in_the_next_lesson(tmp_path, capsys):
    names = work_through("09-yours", tmp_path)
    out = capsys.readouterr().out
    assert out.count("Correct, in all ") == len(CORE)
    assert "All 7 functions are yours." in out and "Until then" not in out
    assert names["right"] >= 0.93
    kept = Progress("09-yours").entries("exercises")
    assert {name: entry["status"] for name, entry in kept.items()} == dict.fromkeys(CORE, "passed")
    assert yours.kept().keys() == set(CORE)

    names = work_through("09c-stretch", tmp_path)
    out = capsys.readouterr().out
    assert out.count("Correct, in all ") == len(SOLUTIONS) - len(CORE)
    assert "What follows uses your own dense.\n" in out and "the course's" not in out
    assert "All 10 functions are yours." in out and names["right"] >= 0.93


def typed(source, folder):
    """The functions of a source, as a learner would have typed them."""
    file = folder / "typed.py"
    file.write_text(source, encoding="utf-8")
    names = {"np": np, "__name__": "__main__"}
    exec(compile(source, str(file), "exec"), names)
    return names


def test_functions_that_are_kept_are_found_again_and_damage_is_no_harm(tmp_path):
    assert yours.kept() == {}
    assert yours.keep(Right.parts) == "Kept for lesson 09c: none of yours yet."
    names = typed("def relu(z):\n    return np.maximum(z, 0), z > 0\n", tmp_path)
    parts = SimpleNamespace(relu=names["relu"], dense=exercises.dense)
    assert yours.keep(parts) == "Kept for lesson 09c: relu."
    assert yours.whose(parts) == "Lent by the course, until yours are right: dense."
    yours.keep(Right.parts)  # of a fresh copy of the lesson: what was kept stays
    Progress("09-yours").keep("functions", "dense", {"source": "def dense(x:"})
    assert yours.kept().keys() == {"relu"}
    assert yours.kept()["relu"](np.array([-1.0, 2.0]))[0].tolist() == [0, 2]


def test_nothing_of_the_package_computes_in_their_training(sample):
    x, labels = sample[0][:64], sample[1][:64]
    called = set()

    def note(frame, event, argument):
        if event == "call":
            called.add((Path(frame.f_code.co_filename).as_posix(), frame.f_code.co_name))

    network = Right(8)
    sys.setprofile(note)
    try:
        yours.train(network, x, labels, epochs=1)
    finally:
        sys.setprofile(None)
    assert {*CORE[1:]} <= {name for path, name in called if "/course/exercises/" in path}
    assert not {(path, name) for path, name in called if "/course/nn/" in path}


# ---- The networks --------------------------------------------------------------------------------


@pytest.mark.parametrize("network", [Right(6), RightConvolutions(2)], ids=["dense", "convolutions"])
def test_the_functions_are_put_together_rightly(network):
    random = np.random.default_rng(1)
    network.parameters = {
        name: random.normal(0, 0.1, w.shape) for name, w in network.parameters.items()
    }
    x, labels = random.random((4, 784)), np.array([3, 1, 4, 1])
    loss_fn = exercises.softmax_cross_entropy
    errors = check_gradients(network, x, labels, loss_fn, h=1e-7, max_entries=40)
    assert errors.keys() == {*network.parameters, "x"} and max(errors.values()) < 1e-5


def test_a_network_is_saved_and_comes_back_if_it_is_allowed(tmp_path):
    for network in (Right(5), RightConvolutions(3)):
        path = tmp_path / "mine.safetensors"
        models.save(path, network)
        with pytest.raises(checkpoint.CheckpointError, match=type(network).__name__):
            models.load(path)
        again = models.load(path, allow=[type(network)])
        x = np.random.default_rng(2).random((3, 784), np.float32)
        assert again.units == network.units
        assert np.array_equal(again.forward(x), network.forward(x))


def test_it_can_be_fine_tuned_and_says_what_speaks_for_its_answer(sample):
    x, labels, *_ = sample
    network = Right(32)
    yours.train(network, x[:1000], labels[:1000], epochs=2)
    images = np.uint8(255 * x[:20]).reshape(-1, 28, 28)
    change = fine_tune(network, images, labels[:20])
    assert change.mnist[1] > 0.7
    evidence = insight.evidence(network, x[:1], 0)
    assert evidence.shape == (28, 28) and evidence.any()


# ---- Slow functions ------------------------------------------------------------------------------


def slow_dense(x, w, b):
    y = np.zeros((len(x), w.shape[1]))
    for n in range(len(x)):
        for j in range(w.shape[1]):
            y[n, j] = b[j]
            for i in range(x.shape[1]):
                y[n, j] += x[n, i] * w[i, j]
    return y


def slow_dense_backward(x, w, dy):
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(w.shape[1])
    for n in range(len(x)):
        for j in range(w.shape[1]):
            db[j] += dy[n, j]
            for i in range(x.shape[1]):
                dx[n, i] += dy[n, j] * w[i, j]
                dw[i, j] += dy[n, j] * x[n, i]
    return dx, dw, db


SLOW = {"dense": slow_dense, "dense_backward": slow_dense_backward}


class Slow(yours.Network):
    parts = SimpleNamespace(**SOLUTIONS | SLOW)


def test_slow_functions_are_right_all_the_same():
    for name, slow in SLOW.items():
        found = {e.solution.__name__: e for e in vars(exercises).values() if type(e) is Exercise}
        assert found[name].verdict(slow).status == "passed"


@pytest.mark.slow
def test_slow_loops_get_a_smaller_run_that_works_and_are_told_what_to_change(sample):
    x, labels, test_x, test_labels = sample
    a_batch = sum(planning.time_batch(Slow(16), x, labels).values())
    plan = yours.plan(Slow, x, labels, seconds=12 * a_batch)  # 4 where the machine is quiet
    assert not plan.is_whole and plan.units == 16 and plan.digits < 2000
    assert max(plan.shares, key=plan.shares.get) == "dense_backward"
    assert "What to change in dense_backward: each of its results is one operation" in str(plan)
    network = Slow(plan.units)
    records = yours.train(network, x[: plan.digits], labels[: plan.digits], plan.epochs)
    assert sum(record.train_seconds for record in records) < 5 * 12 * a_batch
    fast = Right(plan.units)
    fast.parameters = network.parameters
    assert yours.accuracy(fast, test_x, test_labels) > 0.25


def test_fast_functions_get_all_of_it(sample):
    plan = yours.plan(Right, *sample[:2], seconds=1000)
    assert plan.is_whole and (plan.units, plan.digits, plan.epochs) == (256, 4000, 10)
    assert sum(plan.shares.values()) == pytest.approx(1) and "Too slow" not in str(plan)


# ---- What the lessons say that one should find ---------------------------------------------------


def accuracy_with(sample, reorder=None, **changed):
    x, labels, test_x, test_labels = sample
    if reorder is not None:
        x, labels = x[reorder], labels[reorder]

    class Broken(yours.Network):
        parts = SimpleNamespace(**SOLUTIONS | changed)

    network = Broken()
    yours.train(network, x, labels)
    return yours.accuracy(network, test_x, test_labels)


def in_the_given_order(weights, velocity, x, *rest):
    unshuffled = SimpleNamespace(permutation=np.arange)
    return yours_training.train_epoch(weights, velocity, x, *rest[:-3], unshuffled, *rest[-2:])


@pytest.mark.slow
def test_what_breaks_it_and_how_much(sample):
    def undivided(logits, labels):
        loss, dlogits = exercises.softmax_cross_entropy(logits, labels)
        return loss, dlogits * len(labels)

    def always_1(z):
        return np.maximum(z, 0), np.ones_like(z)

    by_label = np.argsort(sample[1], kind="stable")
    assert accuracy_with(sample, train_epoch=in_the_given_order) >= 0.93
    assert 0.05 < accuracy_with(sample, by_label, train_epoch=in_the_given_order) < 0.3
    assert accuracy_with(sample, softmax_cross_entropy=undivided) < 0.2
    assert 0.7 < accuracy_with(sample, relu=always_1) < 0.92


@pytest.mark.slow
def test_momentum_trains_the_convolutions_about_as_well_as_adam(sample):
    x, labels, test_x, test_labels = sample
    reached = []
    for method in (yours.ADAM, yours.MOMENTUM):
        network = RightConvolutions()
        yours.train(network, x, labels, yours.ADAM.epochs, method)
        reached.append(yours.accuracy(network, test_x, test_labels))
    assert min(reached) > 0.9 and abs(reached[0] - reached[1]) < 0.03


# ---- An epoch, in other ways ---------------------------------------------------------------------


def shuffled_copies(weights, velocity, x, labels, gradients, step, random, size, learning_rate):
    """Right, and written otherwise: shuffles copies, cuts them with array_split."""
    order = np.arange(len(x))
    random.shuffle(order)
    weights, velocity, losses = dict(weights), dict(velocity), []
    cuts = range(size, len(x), size)
    for xs, ys in zip(np.split(x[order], cuts), np.split(labels[order], cuts), strict=True):
        loss, gradient = gradients(weights, xs, ys)
        for name in weights:
            weights[name], velocity[name] = step(
                weights[name], velocity[name], gradient[name], learning_rate
            )
        losses += [loss] * len(xs)
    return weights, velocity, np.mean(losses)


def in_place(weights, velocity, x, labels, gradients, step, random, size, learning_rate):
    new = shuffled_copies(
        weights, velocity, x, labels, gradients, step, random, size, learning_rate
    )
    for name in weights:
        weights[name][...], velocity[name][...] = new[0][name], new[1][name]
    return new


def with_replacement(weights, velocity, x, labels, gradients, *rest):
    chosen = rest[1].integers(0, len(x), len(x))
    return shuffled_copies(weights, velocity, x[chosen], labels[chosen], gradients, *rest)


@pytest.mark.parametrize("kind", [bool, int, np.uint8, np.float32, float])
def test_ones_and_zeros_may_be_of_any_kind(kind):
    def relu(z):
        return np.maximum(z, 0), (z > 0).astype(kind)

    def max_pool(x):
        y, won = yours_convolution.max_pool(x)
        return y, won.astype(kind)

    for exercise, attempt in ((exercises.RELU, relu), (yours_convolution.MAX_POOL, max_pool)):
        assert exercise.verdict(attempt).status == "passed"


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (in_place, "changes its input weights"),
        (with_replacement, "times' in part 'how often a sample comes', expected '1 to 1 times'"),
        (lambda *all: shuffled_copies(*all)[0], "TypeError: three results are expected"),
        (lambda *all: (*shuffled_copies(*all)[:2], None), "in part 'mean loss"),
        (lambda w, v, *rest: (w, *shuffled_copies(w, v, *rest)[1:]), "'weights are the newest'"),
        (lambda w, v, *rest: (shuffled_copies(w, v, *rest)[0], v, 1.8), "'velocity is the newest'"),
    ],
)
def test_an_epoch_that_goes_wrong_is_told_where(attempt, message):
    verdict = yours_training.TRAIN_EPOCH.verdict(attempt)
    assert verdict.status == "wrong" and message in verdict.message
    assert "random=<random generator>, " in verdict.message  # and no address


def test_an_epoch_may_shuffle_and_cut_in_any_way():
    for seed in range(5):
        assert yours_training.TRAIN_EPOCH.verdict(shuffled_copies, seed=seed).status == "passed"


# ---- Large inputs, and forward passes of one's own -----------------------------------------------


def test_a_softmax_without_the_maximum_is_called_unstable():
    def naive(logits, labels):
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        rows = np.arange(len(labels))
        dlogits = p.copy()
        dlogits[rows, labels] -= 1
        return -np.log(p[rows, labels]).mean(), dlogits / len(labels)

    assert exercises.SOFTMAX_CROSS_ENTROPY.verdict(naive).kind == "unstable"


@pytest.mark.parametrize(
    ("exercise", "forward"),
    [
        (exercises.DENSE_BACKWARD, exercises.dense),
        (yours_convolution.CONVOLUTION_BACKWARD, yours_convolution.convolution),
        (yours_stretch.BATCH_NORM_BACKWARD, yours_stretch.batch_norm),
    ],
)
def test_a_backward_pass_is_held_against_the_forward_pass_it_belongs_to(exercise, forward):
    def right(*arguments):
        return exercise.solution(*arguments)

    assert "of your forward pass, too" in exercise.verdict(right, forward).message
    twice = exercise.verdict(right, lambda *arguments: 2 * forward(*arguments))
    assert twice.status == "wrong" and "but not of yours" in twice.message

    def of_another(*arguments):
        return tuple(2 * part for part in exercise.solution(*arguments))

    own = exercise.verdict(of_another, lambda *arguments: 2 * forward(*arguments))
    assert "the gradient of your forward pass, but that is not the course's" in own.message
