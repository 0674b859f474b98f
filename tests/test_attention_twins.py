"""Attention without a compiler: what `tests/twins` does not say of NumPy's shares of a batch."""

import numpy as np
import pytest

from course.attention import PatchAttention, batch, image
from course.nn.gradcheck import relative_error

VARIANTS = [
    {"residual": residual, "layer_norm": layer_norm}
    for residual in (False, True)
    for layer_norm in (False, True)
]


def numbers(count):
    """Images (count, 28, 28) and labels (count,)."""
    random = np.random.default_rng(count)
    return random.random((count, 28, 28)), random.integers(0, 10, count)


def trained(train_share, model, images, labels):
    """Return the sum of losses, and the gradients by name."""
    g = type(model.weights)(*(np.zeros_like(w) for w in model.weights))
    images = images.astype(model.dtype)
    loss, _ = train_share(images, labels, len(images), model.weights, g, model.options)
    return loss, g._asdict()


def logits(forward_share, model, images):
    found = np.zeros((len(images), 10), model.dtype)
    nothing = np.zeros((0, 49, 49), model.dtype)
    forward_share(images.astype(model.dtype), model.weights, model.options, found, nothing)
    return found


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_float32_is_as_close_to_float64_as_rounding_allows(variant):
    # As for the loops (test_attention.py): in the full model 500 roundings by up to 6e-8 there, as
    # many back, of either sign, so that n of them add up to about sqrt(n); allowed is twice that.
    forward, there_and_back = 2 * 500**0.5 * 6e-8, 2 * 1000**0.5 * 6e-8
    single, double = (PatchAttention(2, **variant, dtype=d) for d in (np.float32, np.float64))
    for w, rounded in zip(double.weights, single.weights, strict=True):
        w[...] = rounded
    images, labels = numbers(2 * batch.IMAGES + 3)
    images = images.astype(np.float32)
    expected = logits(image.forward_share.py_func, double, images)
    assert relative_error(logits(batch.forward_share, single, images), expected) < forward
    loss, found = trained(batch.train_share, single, images, labels)
    expected_loss, expected = trained(image.train_share.py_func, double, images, labels)
    assert abs(loss - expected_loss) < forward * expected_loss
    for name in found.keys() - {"key_b"}:  # which is nothing but rounding
        assert found[name].dtype == np.float32
        assert relative_error(found[name], expected[name]) < there_and_back, name


def test_a_loss_that_is_not_finite_is_told():
    model = PatchAttention()
    model.parameters["classifier_b"][0] = np.nan
    assert np.isnan(trained(batch.train_share, model, *numbers(3))[0])
