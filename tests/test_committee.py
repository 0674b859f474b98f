"""Networks, or views of one, whose probabilities are averaged."""

import numpy as np
import pytest

from course import models
from course.committee import Committee, Shifted, from_several_places
from course.nn import training
from course.nn.layers import Layer
from course.nn.losses import log_softmax, softmax
from course.recognizer import readers


class Says(Layer):
    """Gives the same logits, whatever it is shown."""

    def __init__(self, *logits):
        super().__init__()
        self.logits = np.array(logits, np.float32)

    def forward(self, x):
        return np.tile(self.logits, (len(x), 1))


X = np.random.default_rng(1).random((5, 784), np.float32)


def test_probabilities_are_averaged():
    members = [models.build("mlp", seed=seed, hidden=8) for seed in (1, 2, 3)]
    expected = np.mean([softmax(member.forward(X)) for member in members], axis=0)
    answers = Committee(members).forward(X)
    np.testing.assert_allclose(np.exp(answers), expected, rtol=1e-5)
    np.testing.assert_allclose(softmax(answers), expected, rtol=1e-5)
    assert answers.dtype == np.float32


def test_one_who_is_sure_outvotes_two_who_are_not():
    committee = Committee([Says(1, 0), Says(1, 0), Says(-4, 4)])
    assert committee.forward(X).argmax(axis=1).tolist() == [1] * 5


def test_probabilities_of_zero_make_no_infinite_loss():
    committee = Committee([Says(0, 1000), Says(0, 2000)])
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        loss, accuracy = training.evaluate(committee, X, np.zeros(5, np.int64))
    assert np.isfinite(loss) and accuracy == 0.0


def test_log_softmax_is_the_logarithm():
    logits = np.random.default_rng(2).normal(0, 3, (4, 6))
    np.testing.assert_allclose(log_softmax(logits), np.log(softmax(logits)), atol=1e-12)


def test_a_committee_reads_like_any_network():
    members = [models.build(name, seed=1) for name in ("mlp", "cnn")]
    committee = Committee(members)
    assert readers.what_it_tells_apart(committee) == tuple("0123456789")
    committee.training = True
    assert not committee.training
    with pytest.raises(ValueError, match="at least one member"):
        Committee([])


def test_several_places_are_moved_pictures():
    class Remembers(Says):
        def forward(self, x):
            seen.append(x.reshape(-1, 28, 28))
            return super().forward(x)

    seen = []
    from_several_places(Remembers(0, 1), pixels=2).forward(X)
    pictures = X.reshape(-1, 28, 28)
    moved = dict(zip([(0, 0), (2, 0), (-2, 0), (0, 2), (0, -2)], seen, strict=True))
    assert np.array_equal(moved[0, 0], pictures)
    for (down, right), found in moved.items():
        assert np.array_equal(found[:, 10 + down, 10 + right], pictures[:, 10, 10])


def test_a_shifted_network_takes_every_shape_of_pictures():
    flat = Shifted(models.build("deep", seed=1), 1, 0)
    np.testing.assert_allclose(flat.forward(X), flat.forward(X.reshape(-1, 1, 28, 28)), rtol=1e-6)
