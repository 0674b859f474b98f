"""Automatic differentiation: every rule, broadcasting, the graph, and the lessons' gradients."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course import autograd, mlp, xor
from course.attention import PatchAttention
from course.autograd import Tensor, TensorError, tensors
from course.cnn import CNN, convolve_numpy
from course.nn.errors import CourseError
from course.nn.gradcheck import numerical_gradient, relative_error


def numbers(*shape, seed=0, low=-2.0, high=2.0):
    return np.random.default_rng(seed).uniform(low, high, shape)


def errors(compute, *arrays):
    """How far each array's gradient is from finite differences, for any result of `compute`."""
    operands = [Tensor(array) for array in arrays]
    y = compute(*operands)
    weights = numbers(*y.shape, seed=9)
    (y * weights).sum().backward()

    def loss():
        return float((compute(*map(Tensor, arrays)).data * weights).sum())

    assert [t.grad.shape for t in operands] == [array.shape for array in arrays]
    return [
        relative_error(t.grad, numerical_gradient(loss, array))
        for t, array in zip(operands, arrays, strict=True)
    ]


# The rules

UNARY = {
    "-x": lambda x: -x,
    "x^3": lambda x: x**3,
    "x^-1.5": lambda x: (x * x + 1) ** -1.5,
    "0^0": lambda x: (x * 0) ** 0 + x,
    "1 - x": lambda x: 1 - x,
    "1 / x": lambda x: 1 / (x * x + 1),
    "x / array": lambda x: x / np.arange(1.0, 5.0),
    "array @ x": lambda x: numbers(2, 3, seed=4) @ x,
    "x used twice": lambda x: x * x + x,
    "exp": Tensor.exp,
    "log": lambda x: (x * x + 1).log(),
    "relu": Tensor.relu,
    "sigmoid": Tensor.sigmoid,
    "tanh": Tensor.tanh,
    "sum": Tensor.sum,
    "sum(0)": lambda x: x.sum(0),
    "sum(-1, keepdims)": lambda x: x.sum(-1, keepdims=True) * x,
    "sum of several": lambda x: x.reshape(3, 2, 2).sum((0, -1)),
    "mean": Tensor.mean,
    "mean(1)": lambda x: x.mean(1),
    "mean(0, keepdims)": lambda x: x - x.mean(0, keepdims=True),
    "max(0)": lambda x: x.max(0),
    "max(-1, keepdims)": lambda x: x.max(-1, keepdims=True) * x,
    "slice": lambda x: x[1:, ::2],
    "rows, one twice": lambda x: x[np.array([2, 0, 2])],
    "places, one twice": lambda x: x[np.array([0, 1, 1]), np.array([3, 2, 2])],
    "reshape": lambda x: x.reshape(2, 6) ** 2,
    "transpose": lambda x: x.transpose() @ x,
    "transpose of three": lambda x: x.reshape(2, 3, 2).transpose(2, 0, 1) * numbers(2, 2, 3),
    "softmax": autograd.softmax,
    "cross-entropy": lambda x: autograd.softmax_cross_entropy(x, np.array([3, 0, 1])),
    "maxima of windows": lambda x: autograd.max_pool(x[:2].reshape(1, 2, 2, 2), 2),
}


@pytest.mark.parametrize("compute", UNARY.values(), ids=UNARY)
def test_every_rule_against_finite_differences(compute):
    assert max(errors(compute, numbers(3, 4, seed=1))) < 1e-8


SHAPES = [(), (1,), (4,), (3, 1), (3, 4), (1, 4), (2, 1, 4), (2, 3, 1), (1, 1, 1), (2, 3, 4)]
BINARY = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / (b * b + 1),
}


@settings(max_examples=100)
@given(
    compute=st.sampled_from(list(BINARY.values())),
    a=st.sampled_from(SHAPES),
    b=st.sampled_from(SHAPES),
    seed=st.integers(0, 99),
)
def test_gradients_of_what_was_broadcast_add_up(compute, a, b, seed):
    assert max(errors(compute, numbers(*a, seed=seed), numbers(*b, seed=seed + 100))) < 1e-7


@pytest.mark.parametrize("a", [(3, 4), (1, 3, 4), (2, 3, 4), (5, 1, 3, 4)])
@pytest.mark.parametrize("b", [(4, 2), (2, 4, 2), (1, 4, 2), (5, 2, 4, 2)])
def test_products_of_stacks_of_matrices(a, b):
    assert max(errors(lambda a, b: a @ b, numbers(*a), numbers(*b, seed=1))) < 1e-8


def test_convolutions_are_those_of_the_lesson():
    arrays = numbers(2, 3, 5, 6), numbers(4, 3, 3, 3, seed=1), numbers(4, seed=2)
    y = autograd.convolve(*map(Tensor, arrays)).data
    assert np.allclose(y, convolve_numpy(*arrays), rtol=1e-12)
    assert max(errors(autograd.convolve, *arrays)) < 1e-8


def test_of_equal_maxima_the_first_gets_the_gradient():
    x = Tensor([[1.0, 5.0, 5.0]])
    x.max(1).sum().backward()
    assert x.grad.tolist() == [[0, 1, 0]]


@pytest.mark.parametrize("size", [1e3, 1e5])
def test_nothing_overflows_where_scores_are_large(size):
    x = Tensor([[size, -size, 0.0]])
    loss = autograd.softmax_cross_entropy(x, np.array([1]))
    loss.backward()
    assert loss.data == 2 * size
    assert x.grad.tolist() == [[1, -1, 0]]
    assert autograd.softmax(x).data.tolist() == [[1, 0, 0]]


# The graph


def test_parents_come_before_children_and_each_once():
    x = Tensor(2.0)
    y = x * x
    z = (y + x) * y
    order = z.graph()
    assert len(order) == len(set(order)) == 4
    assert all(order.index(p) < order.index(t) for t in order for p, _ in t.parents)
    z.backward()
    assert x.grad == 4 * 2**3 + 3 * 2**2  # z = x^4 + x^3


def test_graphs_may_be_deeper_than_the_stack_of_python():
    x = Tensor(1.0)
    y = x
    for _ in range(3 * sys.getrecursionlimit()):
        y = y + x
    y.backward()
    assert x.grad == 3 * sys.getrecursionlimit() + 1


def test_a_second_call_overwrites_and_no_two_gradients_share_memory():
    a, b = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    loss = (a + b).sum()
    for _ in range(2):
        loss.backward()
        assert a.grad.tolist() == b.grad.tolist() == [1, 1]
    a.grad *= 5
    assert b.grad.tolist() == [1, 1]


def test_constants_get_no_gradient_and_cost_none():
    w, x = Tensor([[1.0], [2.0]]), np.array([[3.0, 4.0]])
    z = x @ w
    (constant, rule), _ = z.parents
    assert np.array_equal(rule(np.ones((1, 1))), w.data.T)
    z.parents = ((constant, None), z.parents[1])  # a rule that cannot be called is not
    z.sum().backward()
    assert constant.grad is None and not constant.needs_gradient
    assert w.grad.tolist() == [[3], [4]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_type_stays_that_of_the_tensor(dtype):
    x = Tensor(np.ones((2, 3), dtype))
    y = (2 - np.ones(3) * x / 2.0).exp().mean(0) ** 2
    loss = autograd.softmax_cross_entropy(y.reshape(1, 3) + 1, [0])
    loss.backward()
    assert {t.data.dtype for t in loss.graph()} == {np.dtype(dtype)} == {x.grad.dtype}


@pytest.mark.parametrize(
    ("compute", "message"),
    [
        (lambda x: x.backward(), r"one number, and this has shape \(2, 3\): take its sum"),
        (lambda x: Tensor(1.0, needs_gradient=False).exp().backward(), "is constant"),
        (lambda x: x @ np.ones(3), r"@ needs two axes or more on both sides, got \(2, 3\)"),
        (lambda x: x**x, "must be a plain number"),
        (lambda x: Tensor("x"), "holds real numbers"),
        (lambda x: Tensor(x), "holds real numbers"),
    ],
)
def test_what_cannot_be_is_refused(compute, message):
    with pytest.raises(TensorError, match=message) as caught:
        compute(Tensor(np.ones((2, 3))))
    assert isinstance(caught.value, CourseError)


@pytest.mark.parametrize("labels", [[0, 3], [-1, 0], [0]])
def test_labels_that_are_no_classes(labels):
    with pytest.raises(ValueError, match="expected 2 labels, each from 0 to 2"):
        autograd.softmax_cross_entropy(Tensor(np.ones((2, 3))), labels)


# The lessons

LABELS = np.arange(6) % 4


def moved(model):
    """The model with no weight at its first value, where biases would all be zero."""
    for seed, parameter in enumerate(model.parameters.values()):
        parameter += 0.1 * numbers(*parameter.shape, seed=seed)
    return model


ATTENTION = {"height": 8, "width": 12, "d_model": 6, "d_ff": 10, "outputs": 4}
LESSONS = {
    "02": (mlp.MLP(dtype=np.float64), autograd.mlp_loss, numbers(6, 784, low=0), LABELS),
    "03": (CNN(dtype=np.float64), autograd.cnn_loss, numbers(6, 784, low=0), LABELS),
    "04": (
        PatchAttention(**ATTENTION, dtype=np.float64),
        lambda w, x, y: autograd.attention_loss(w, x.reshape(-1, 8, 12), y),
        numbers(6, 96, low=0),
        LABELS,
    ),
    "05": (xor.XOR(), autograd.xor_loss, xor.INPUTS, xor.TARGETS),
}


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_gradients_of_the_lessons(lesson):
    model, loss_of, x, y = LESSONS[lesson]
    moved(model)
    expected, dy = model.loss_fn(model.forward(x), y)
    model.backward(dy)
    w = tensors(model.parameters)
    loss = loss_of(w, x, y)
    loss.backward()
    assert loss.data == pytest.approx(expected, rel=1e-12)
    for name, by_hand in model.gradients.items():
        assert np.abs(w[name].grad - by_hand).max() < 1e-9, name
    largest = {name: np.abs(g).max() for name, g in model.gradients.items() if name != "key_b"}
    assert min(largest.values()) > 1e-4  # what is compared is not nothing


def test_a_network_trains_on_it():
    w = tensors(xor.XOR(seed=1).parameters)
    for _ in range(3000):
        loss = autograd.xor_loss(w, xor.INPUTS, xor.TARGETS)
        loss.backward()
        for parameter in w.values():
            parameter.data -= 2.0 * parameter.grad
    assert loss.data < 0.01


def test_it_needs_no_matplotlib_and_no_jupyter():
    code = (
        "import sys; import course.autograd; "
        "print([n for n in ('matplotlib', 'IPython', 'ipywidgets') if n in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
