"""Attention without a compiler: what NumPy computes for a share of a batch is what the loops do."""

import numpy as np
import pytest

from course.attention import PatchAttention, batch, image
from course.nn.gradcheck import relative_error

VARIANTS = [
    {"residual": residual, "layer_norm": layer_norm}
    for residual in (False, True)
    for layer_norm in (False, True)
]
SIZES = [  # of an image, of a patch, of a token, of the feed-forward part, of the answer
    {"height": 8, "width": 12, "patch": 4, "d_model": 6, "d_ff": 10, "outputs": 4},
    {"height": 9, "width": 6, "patch": 3, "d_model": 5, "d_ff": 3, "outputs": 2},
    {"height": 2, "width": 2, "patch": 2, "d_model": 1, "d_ff": 1, "outputs": 3},  # one token
]
BATCHES = [1, batch.IMAGES, 2 * batch.IMAGES + 3]


class Share:
    """A model and a share of a batch for it, from one seed; the weights are not the first ones."""

    def __init__(self, count, dtype=np.float64, **options):
        random = np.random.default_rng(count)
        model = PatchAttention(**options, dtype=dtype)
        for parameter in model.parameters.values():
            parameter += 0.1 * random.standard_normal(parameter.shape).astype(dtype)
        self.model, outputs = model, model.config["outputs"]
        self.images = random.random((count, model.height, model.width)).astype(dtype)
        self.labels = random.integers(0, outputs, count)
        self.dlogits = random.standard_normal((count, outputs)).astype(dtype)

    def train(self, function):
        """Return (loss, number right), and the gradients by name."""
        g = self.zeros()
        arguments = (self.images, self.labels, len(self.images) + 5, self.model.weights)
        return function(*arguments, g, self.model.options), g._asdict()

    def forward(self, function, keep_attention=True):
        """Return logits and attention."""
        count, tokens = len(self.images), self.model.tokens
        logits = np.zeros(self.dlogits.shape, self.images.dtype)
        attention = np.zeros((count * keep_attention, tokens, tokens), self.images.dtype)
        function(self.images, self.model.weights, self.model.options, logits, attention)
        return logits, attention

    def backward(self, function):
        """Return dimages, and the gradients by name."""
        g, dimages = self.zeros(), np.full_like(self.images, np.nan)
        arguments = (self.images, self.dlogits, self.model.weights)
        function(*arguments, g, self.model.options, dimages)
        return dimages, g._asdict()

    def zeros(self):
        weights = self.model.weights
        return type(weights)(*(np.zeros_like(w) for w in weights))


@pytest.fixture(params=[(n, s, v) for n in BATCHES for s in SIZES for v in VARIANTS], ids=str)
def share(request):
    count, sizes, variant = request.param
    return Share(count, **sizes, **variant)


# A number goes through sums of some hundred terms on its way there and back, each rounded by up to
# 1.1e-16 of what it has by then; what both ways of adding up may differ by is far less than this.
CLOSE = {"rtol": 1e-11, "atol": 1e-13}


def test_there_and_back(share):
    (loss, right), expected = share.train(image.train_share.py_func)
    (twins_loss, twins_right), found = share.train(image.train_share.numpy)
    assert twins_loss == pytest.approx(loss, rel=1e-13) and twins_right == right
    assert_same(found, expected)


def test_there(share):
    logits, attention = share.forward(image.forward_share.py_func)
    found, twins_attention = share.forward(image.forward_share.numpy)
    assert np.allclose(found, logits, **CLOSE) and np.abs(logits).max() > 0.01
    assert np.allclose(twins_attention, attention, **CLOSE) and attention.all()
    without, nothing = share.forward(image.forward_share.numpy, keep_attention=False)
    assert np.array_equal(without, found) and not nothing.size


def test_back(share):
    dimages, expected = share.backward(image.backward_share.py_func)
    found, gradients = share.backward(image.backward_share.numpy)
    assert np.allclose(found, dimages, **CLOSE)
    assert_same(gradients, expected)


def assert_same(found, expected):
    for name, gradient in expected.items():
        assert np.allclose(found[name], gradient, **CLOSE), name


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_in_float32_they_are_as_close_to_float64_as_rounding_allows(variant):
    # As for the loops (test_attention.py): in the full model 500 roundings by up to 6e-8 there, as
    # many back, of either sign, so that n of them add up to about sqrt(n); allowed is twice that.
    forward, there_and_back = 2 * 500**0.5 * 6e-8, 2 * 1000**0.5 * 6e-8
    single, double = (Share(19, dtype, **variant) for dtype in (np.float32, np.float64))
    for w, exact in zip(single.model.weights, double.model.weights, strict=True):
        exact[...] = w
    double.images[...], double.dlogits[...] = single.images, single.dlogits
    logits, _ = single.forward(image.forward_share.numpy)
    expected_logits, _ = double.forward(image.forward_share.py_func)
    assert logits.dtype == np.float32 and relative_error(logits, expected_logits) < forward
    (loss, _), found = single.train(image.train_share.numpy)
    (expected_loss, _), expected = double.train(image.train_share.py_func)
    assert abs(loss - expected_loss) < forward * expected_loss
    for name in found.keys() - {"key_b"}:  # which is nothing but rounding
        assert relative_error(found[name], expected[name]) < there_and_back, name


def test_gradients_are_added_to_what_is_there():
    share = Share(3, **SIZES[0])
    g, (_, expected) = share.zeros(), share.train(batch.train_share)
    for array in g:
        array[...] = 1
    arguments = (share.images, share.labels, 8, share.model.weights, g, share.model.options)
    batch.train_share(*arguments)
    for name, gradient in g._asdict().items():
        assert np.allclose(gradient, 1 + expected[name], **CLOSE), name


def test_a_loss_that_is_not_finite_is_told():
    share = Share(3, **SIZES[0])
    share.model.parameters["classifier_b"][0] = np.nan
    (loss, _), _ = share.train(batch.train_share)
    assert np.isnan(loss)
