"""Lesson 08: the deeper network, its replicas, and what is new in its layers."""

import copy

import numpy as np
import pytest

from course.deep import DeepCNN
from course.nn import shares, training
from course.nn.gradcheck import check_gradients
from course.nn.layers import Sequential
from course.nn.losses import SoftmaxCrossEntropy
from course.nn.recipe import Recipe
from course.nn.regularization import BatchNorm


def numbers(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def small(**options):
    return DeepCNN(channels=2, hidden=6, dtype=np.float64, **options)


def batch(size=10):
    return numbers(size, 784) * 0.3 + 0.5, np.arange(size) % 10


def test_it_has_few_parameters():
    assert sum(w.size for w in DeepCNN().parameters.values()) <= 300_000


def test_gradients_are_those_of_the_loss():
    """In use, batch norm and dropout do nothing that depends on the batch."""
    x, y = batch(4)
    assert max(check_gradients(small(), x, y).values()) < 1e-6


def test_shares_add_up_to_what_the_layers_give_for_each_share():
    x, y = batch()
    model = small(dropout=0.0)
    alone = [copy.deepcopy(Sequential(**model.layers)) for _ in range(shares.OF_A_BATCH)]
    loss, correct = model.loss_and_gradients(x, y)
    expected = {name: np.zeros_like(g) for name, g in model.gradients.items()}
    losses, right, buffers = 0.0, 0, []
    for k, layers in enumerate(alone):
        part = slice(10 * k // shares.OF_A_BATCH, 10 * (k + 1) // shares.OF_A_BATCH)
        layers.training = True
        logits = layers.forward(x[part].reshape(-1, 1, 28, 28))
        share_loss, dlogits = model.loss_fn(logits, y[part])
        weight = len(logits) / 10
        layers.backward(dlogits * weight)
        losses += share_loss * weight
        right += (logits.argmax(axis=1) == y[part]).sum()
        buffers.append(layers.buffers)
        for name, g in layers.gradients.items():
            expected[name] += g
    assert loss == pytest.approx(losses, rel=1e-12) and correct == right
    for name, g in model.gradients.items():
        np.testing.assert_allclose(g, expected[name], atol=1e-12)
    for name in ("norm1.mean", "norm2.variance"):
        np.testing.assert_allclose(
            model.buffers[name], np.mean([b[name] for b in buffers], axis=0), atol=1e-12
        )


def test_the_number_of_cores_changes_no_bit():
    x, y = batch()
    results = []
    for cores in (1, 2):
        model = DeepCNN(channels=2, hidden=6)
        with shares.limit(cores):
            for _ in range(3):
                model.loss_and_gradients(x.astype(np.float32), y)
        results.append(training.copy_weights(model) | model.gradients)
    for name, array in results[0].items():
        assert np.array_equal(array, results[1][name]), name


def test_each_share_drops_other_values_and_each_step_too():
    model = small(dropout=0.5)
    masks = []
    for _ in range(2):
        model.loss_and_gradients(*batch(40))
        masks += [replica.layers["dropout"].mask for replica in model._replicas.copies]
    assert len({mask.tobytes() for mask in masks}) == len(masks)


def test_a_batch_smaller_than_the_number_of_shares_is_refused_by_batch_norm_alone():
    """One image still has 196 places for a mean and a variance."""
    loss, _ = small().loss_and_gradients(*batch(1))
    assert np.isfinite(loss)


def test_a_run_that_is_resumed_is_the_run(tmp_path):
    """Dropout and augmentation draw what they would have drawn."""
    from course import models
    from course.nn import checkpoint

    x, y = np.clip(batch(40)[0], 0, 1).astype(np.float32), batch(40)[1]
    recipe = Recipe(
        epochs=3, batch_size=20, optimizer="adam", augment=True, average=0.9, validation_split=0.0
    )

    def trainer(observers=()):
        return recipe.trainer(DeepCNN(channels=2, hidden=6), observers=observers)

    whole = trainer()
    whole.fit(x, y)
    path = tmp_path / "run.safetensors"
    info = models.describe(whole.model)

    class Stop(training.Observer):
        def on_epoch(self, record):
            if record.epoch == 2:
                raise KeyboardInterrupt

    first = trainer([checkpoint.SaveCheckpoint(path, info), Stop()])
    first.fit(x, y)
    second = trainer()
    checkpoint.read(path).restore_trainer(second)
    second.fit(x, y)
    for name, w in training.copy_weights(whole.model).items():
        assert np.array_equal(w, second.model.parameters.get(name, second.model.buffers.get(name)))


# ---- Batch norm for pictures, label smoothing ---------------------------------------------------


def test_batch_norm_of_pictures_is_that_of_their_places():
    """A picture of 3 channels is 4 * 5 samples of 3 features."""
    x, dy = numbers(6, 3, 4, 5), numbers(6, 3, 4, 5, seed=1)
    rows = [a.transpose(0, 2, 3, 1).reshape(-1, 3) for a in (x, dy)]
    results = []
    for inputs, gradient in ((x, dy), rows):
        layer = BatchNorm(3, dtype=np.float64)
        layer.parameters["gamma"][...] = [0.5, -1.0, 2.0]
        layer.training = True
        results.append((layer.forward(inputs), layer.backward(gradient), layer))
    (y, dx, pictures), (y_rows, dx_rows, flat) = results
    np.testing.assert_allclose(y.transpose(0, 2, 3, 1).reshape(-1, 3), y_rows, atol=1e-12)
    np.testing.assert_allclose(dx.transpose(0, 2, 3, 1).reshape(-1, 3), dx_rows, atol=1e-12)
    for kind in ("gradients", "buffers"):
        for name, array in getattr(pictures, kind).items():
            np.testing.assert_allclose(array, getattr(flat, kind)[name], atol=1e-12)


def test_label_smoothing_is_cross_entropy_with_a_truth_that_is_spread():
    logits, labels = numbers(5, 4), np.array([0, 1, 2, 3, 0])
    loss, dlogits = SoftmaxCrossEntropy(smoothing=0.2)(logits, labels)
    truth = np.full((5, 4), 0.05) + 0.8 * np.eye(4)[labels]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert loss == pytest.approx(-np.sum(truth * np.log(probabilities)) / 5)
    np.testing.assert_allclose(dlogits, (probabilities - truth) / 5, atol=1e-12)
