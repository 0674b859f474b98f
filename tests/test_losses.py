"""Losses: the mean, its gradient, and no overflow however large the logits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import log_softmax

from course.nn.gradcheck import numerical_gradient, relative_error
from course.nn.losses import MeanSquaredError, SoftmaxCrossEntropy, softmax

CLASSES = 5
batches = st.integers(1, 8)


def logits_up_to(limit, dtype):
    elements = st.floats(-limit, limit, width=8 * np.dtype(dtype).itemsize)
    return batches.flatmap(lambda batch: arrays(dtype, (batch, CLASSES), elements=elements))


def some_labels(batch):
    return np.random.default_rng(1).integers(0, CLASSES, batch).astype(np.uint8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data())
def test_cross_entropy_against_scipy_however_large_the_logits(dtype, data):
    logits = data.draw(logits_up_to(1e4, dtype))
    labels = some_labels(len(logits))
    with np.errstate(all="raise", under="ignore"):
        loss, dlogits = SoftmaxCrossEntropy()(logits, labels)

    rows = np.arange(len(labels))
    exact = log_softmax(logits.astype(np.float64), axis=1)
    # shifted = z - max is rounded once (of at most 2e4); log(sum) <= log 5 to a few units; each of
    # up to 8 losses and their sum lie below 1.7e5: ten roundings of the largest is generous.
    eps = float(np.finfo(dtype).eps)
    assert loss == pytest.approx(-exact[rows, labels].mean(), rel=10 * eps, abs=10 * eps)

    expected = np.exp(exact)
    expected[rows, labels] -= 1
    expected /= len(labels)
    assert dlogits.dtype == dtype
    # exp(-s) with s off by s * eps / 2 is off by s * exp(-s) * eps / 2, which is below eps / 5 for
    # any s; the sum of five, the quotient and the subtraction of 1 add a few eps.
    assert np.allclose(dlogits, expected, rtol=0, atol=8 * eps)
    assert np.allclose(dlogits.sum(axis=1, dtype=np.float64), 0, atol=CLASSES * eps)


@given(logits=logits_up_to(5, np.float64))
def test_cross_entropy_gradient(logits):
    labels, loss_fn = some_labels(len(logits)), SoftmaxCrossEntropy()
    _, dlogits = loss_fn(logits, labels)
    numeric = numerical_gradient(lambda: loss_fn(logits, labels)[0], logits)
    assert relative_error(dlogits, numeric) <= 1e-6


def test_cross_entropy_of_cases_known_by_heart():
    loss_fn = SoftmaxCrossEntropy()
    assert loss_fn(np.zeros((3, 10)), np.array([0, 4, 9]))[0] == pytest.approx(np.log(10))
    assert loss_fn(np.array([[1e4, -1e4]]), np.array([0]))[0] == 0
    assert loss_fn(np.array([[1e4, -1e4]]), np.array([1]))[0] == 2e4
    loss, dlogits = loss_fn(np.log([[1.0, 3.0], [1.0, 1.0]]), np.array([1, 0]))
    assert loss == pytest.approx((np.log(4 / 3) + np.log(2)) / 2)  # a mean over the batch
    assert np.allclose(dlogits, [[0.125, -0.125], [-0.25, 0.25]])


def test_cross_entropy_leaves_its_arguments_alone():
    logits, labels = np.ones((2, 3)), np.array([0, 2])
    SoftmaxCrossEntropy()(logits, labels)
    assert (logits == 1).all() and labels.tolist() == [0, 2]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_network_that_has_gone_wrong_has_a_loss_that_says_so(bad):
    logits = np.array([[0.0, bad, 0.0]])
    with np.errstate(invalid="ignore"):
        loss, _ = SoftmaxCrossEntropy()(logits, np.array([0]))
    assert not np.isfinite(loss)


@given(logits=logits_up_to(1e4, np.float32))
def test_softmax_are_probabilities(logits):
    with np.errstate(all="raise", under="ignore"):
        probabilities = softmax(logits)
    assert (probabilities >= 0).all()
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert np.array_equal(
        probabilities.max(axis=1), probabilities[np.arange(len(logits)), logits.argmax(axis=1)]
    )
    assert np.allclose(softmax(logits[:, ::-1]), probabilities[:, ::-1], atol=1e-6)


def test_softmax_by_hand():
    assert np.allclose(softmax(np.log([[1.0, 2.0, 5.0]])), [[0.125, 0.25, 0.625]])


@given(predictions=logits_up_to(5, np.float64))
def test_mean_squared_error_and_its_gradient(predictions):
    targets, loss_fn = (
        np.linspace(-1, 1, predictions.size).reshape(predictions.shape),
        MeanSquaredError(),
    )
    loss, dpredictions = loss_fn(predictions, targets)
    assert loss == pytest.approx(
        sum((p - t) ** 2 for p, t in zip(predictions.flat, targets.flat, strict=True))
        / targets.size
    )
    numeric = numerical_gradient(lambda: loss_fn(predictions, targets)[0], predictions)
    assert relative_error(dpredictions, numeric) <= 1e-6


def test_mean_squared_error_by_hand():
    loss, dpredictions = MeanSquaredError()(np.array([[1.0, 2.0]]), np.array([[0.0, 4.0]]))
    assert loss == 2.5 and dpredictions.tolist() == [[1.0, -2.0]]
