"""The list of products that the benchmark times: what the models really multiply in a step."""

import sys

import numpy as np
import pytest

from course import cnn, models
from course.benchmark import products
from course.benchmark.products import PRODUCTS, multiplications
from course.nn import layers, optimizers
from course.nn.blas import gemm


@pytest.fixture
def dense_products(monkeypatch):
    """The products of dense layers from now on, as the benchmark writes them."""
    computed = []

    def spy(a, b, *rest, trans_a=False, trans_b=False, **options):
        m, k = a.shape[::-1] if trans_a else a.shape
        computed.append((m, k, b.shape[0] if trans_b else b.shape[1], trans_a, trans_b))
        return gemm(a, b, *rest, trans_a=trans_a, trans_b=trans_b, **options)

    monkeypatch.setattr(layers, "gemm", spy)
    return computed


def step(name, x):
    model = models.build(name)
    logits = model.forward(x)
    optimizers.SGD(model, momentum=0.9).backward_and_step(np.ones_like(logits), 0.1)


def test_mlp(dense_products):
    step("mlp", np.ones((8, 784), np.float32))
    assert sorted(dense_products) == sorted(PRODUCTS["mlp"](8))


def test_xor(dense_products):
    step("xor", np.ones((8, 2)))
    dense_products.remove((8, 4, 2, False, True))  # dx of the inputs, which training leaves out
    assert sorted(dense_products) == sorted(PRODUCTS["xor"](8))


class Counted(float):
    """A number that counts how often numbers of its kind are multiplied."""

    count = 0

    def __mul__(self, other):
        Counted.count += 1
        return float(self) * other

    __rmul__ = __mul__


def test_cnn(dense_products, monkeypatch):
    """The dense layer's products, and those of the textbook's convolution, one by one."""
    step("cnn", np.ones((1, 784), np.float32))
    monkeypatch.setattr(Counted, "count", 0)
    padded = cnn.pad(np.ones((1, 1, 7, 7)), 1)  # a sixteenth of an image
    pixels = np.frompyfunc(Counted, 1, 1)(padded)
    w, b = (p.astype(object) for p in models.build("cnn").layers["conv"].parameters.values())
    y = cnn.convolve_textbook.py_func(pixels, w, b)
    cnn.convolve_textbook_backward.py_func(pixels, w, y)  # dw = dy * pixel
    expected = PRODUCTS["cnn"](1)
    assert 16 * Counted.count + multiplications(dense_products) == multiplications(expected)
    assert set(dense_products) <= set(expected)


def test_attention(monkeypatch):
    """Whatever the compiled functions give to `np.dot`, counted while they run as plain Python."""
    computed = []
    plain_dot = np.dot

    def dot(a, b, *rest):
        computed.append((*a.shape, b.shape[1]))
        return plain_dot(a, b, *rest)

    for path, module in list(sys.modules.items()):
        if path.startswith("course.attention"):
            for name, function in list(vars(module).items()):
                if hasattr(function, "py_func"):
                    monkeypatch.setattr(module, name, function.py_func)
    monkeypatch.setattr(np, "dot", dot)
    model = models.build("attention")
    model.loss_and_gradients(np.ones((2, 784), np.float32), np.array([3, 5]))
    assert multiplications(computed) == multiplications(PRODUCTS["attention"](2)) > 8_000_000


def test_each_product_is_timed_as_often_as_it_occurs(monkeypatch):
    """Once by all threads together, or many times with the cores sharing them out."""
    done = []

    def multiply(a, b, out, times):
        np.dot(a, b, out)
        done.append((*a.shape, out.shape[1], times))

    def spy(a, b, out, trans_a, trans_b):
        m, k = a.shape[::-1] if trans_a else a.shape
        done.append((m, k, out.shape[1], 1))
        return gemm(a, b, out, trans_a=trans_a, trans_b=trans_b)

    monkeypatch.setattr(products, "multiply", multiply)
    monkeypatch.setattr(products, "gemm", spy)
    for listed in (PRODUCTS["mlp"](8), PRODUCTS["attention"](3)):
        done.clear()
        assert products.seconds(listed, rounds=3, repeats=2) > 0
        assert sum(m * k * n * times for m, k, n, times in done) == 6 * multiplications(listed)


def test_the_compiled_products_are_products():
    a, b, out = np.ones((3, 2)), np.ones((2, 5)), np.empty((3, 5))
    products.multiply(a, b, out, 2)
    assert np.array_equal(out, a @ b)
