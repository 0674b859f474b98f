"""Lesson 05's training, of one network and of many."""

from hypothesis import strategies as st
from twins.case import Case, randoms

from course import xor
from course.nn.compiled import HAS_NUMBA


@st.composite
def networks(draw, count=()):
    """(x, y, w1, b1, w2, b2, learning_rate, epochs), the weights with axes of `count` before."""
    random, hidden, samples = draw(randoms), draw(st.integers(1, 8)), draw(st.integers(1, 5))
    shapes = (2, hidden), (hidden,), (hidden, 1), (1,)
    weights = [random.uniform(-2, 2, (*count, *shape)) for shape in shapes]
    cases = random.uniform(-1, 2, (samples, 2)), random.integers(0, 2, samples).astype(float)
    return *cases, *weights, 0.7, draw(st.integers(0, 50))


def squared_by_numpy(*arguments):
    """Weights are the same bits. The uncompiled loop's `** 2` may round a loss, at most 1/2."""
    return 0.0 if HAS_NUMBA else 1.1e-16


def other_sigmoid(x, *arguments):
    """A sigmoid, of about 1, differs by some 4e-16, and weights follow by less than that a step."""
    return len(x) * 50 * 4e-16


stops = st.sampled_from([0.0, 0.1])
CASES = [
    Case(
        xor.train_epochs,
        st.builds(lambda network, stop: (*network, stop), networks(), stops),
        squared_by_numpy,
    ),
    Case(xor.train_many, networks((20,)), other_sigmoid),
]
WITHOUT_TWIN = {xor.sigmoid: "a number's"}
