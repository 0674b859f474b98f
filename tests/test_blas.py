"""One wrapper for all matrix products: right for any shape and layout, or it says why not."""

import numpy as np
import pytest
import threadpoolctl
from hypothesis import given, settings
from hypothesis import strategies as st

from course.nn import blas
from course.nn.blas import gemm

DTYPES = (np.float32, np.float64)
sizes = st.integers(0, 40)


def numbers(seed, *shape, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def operand(seed, rows, columns, transposed, strided, dtype):
    """What op() turns into (rows, columns); `strided` takes every other row and column."""
    shape = (columns, rows) if transposed else (rows, columns)
    if strided:
        return numbers(seed, 2 * shape[0], 2 * shape[1], dtype=dtype)[::2, ::2]
    return numbers(seed, *shape, dtype=dtype)


@settings(max_examples=150)
@given(
    m=sizes,
    k=sizes,
    n=sizes,
    trans_a=st.booleans(),
    trans_b=st.booleans(),
    strided=st.booleans(),
    alpha=st.sampled_from([1.0, -0.1, 0.0]),
    beta=st.sampled_from([0.0, 1.0, 0.9]),
    dtype=st.sampled_from(DTYPES),
)
def test_any_product_against_numpy(m, k, n, trans_a, trans_b, strided, alpha, beta, dtype):
    a, b = operand(1, m, k, trans_a, strided, dtype), operand(2, k, n, trans_b, False, dtype)
    before = numbers(3, m, n, dtype=dtype)
    out = before.copy()
    result = gemm(a, b, out, alpha=alpha, beta=beta, trans_a=trans_a, trans_b=trans_b)
    assert result is out

    op_a, op_b = (x.astype(np.float64) for x in (a.T if trans_a else a, b.T if trans_b else b))
    expected = alpha * (op_a @ op_b) + beta * before
    # Each of the k products and sums, the scalings and alpha and beta themselves (rounded to the
    # dtype) can lose half a unit in the last place of what has been added up so far: Higham,
    # "Accuracy and Stability of Numerical Algorithms", section 3.5. One more k: NumPy rounds, too.
    size = abs(alpha) * (np.abs(op_a) @ np.abs(op_b)) + abs(beta) * np.abs(before)
    bound = (2 * k + 4) * np.finfo(dtype).eps / 2 * size
    assert (np.abs(out - expected) <= bound).all()


def test_without_out_a_new_array_is_made_and_old_memory_does_not_matter():
    a, b = numbers(1, 3, 4), numbers(2, 4, 5)
    assert np.allclose(gemm(a, b), a @ b)
    out = np.full((3, 5), np.nan)  # beta = 0 overwrites, it does not multiply
    assert np.allclose(gemm(a, b, out), a @ b)


def test_a_sum_over_nothing_is_zero_or_what_was_there():
    a, b = np.ones((2, 0)), np.ones((0, 3))
    assert np.array_equal(gemm(a, b), np.zeros((2, 3)))
    assert np.array_equal(gemm(a, b, np.ones((2, 3)), beta=0.5), np.full((2, 3), 0.5))


@pytest.mark.parametrize("shapes", [((2, 3), (4, 5)), ((3,), (3, 2)), ((2, 3), (3,))])
def test_shapes_that_do_not_fit_are_named(shapes):
    a, b = (np.ones(shape) for shape in shapes)
    with pytest.raises(ValueError, match="3"):
        gemm(a, b)


@pytest.mark.parametrize(
    "dtypes", [("f4", "f8"), ("i4", "i4"), ("f2", "f2"), (">f4", ">f4"), ("c8", "c8")]
)
def test_other_dtypes_are_refused(dtypes):
    a, b = (np.ones((2, 2), dtype) for dtype in dtypes)
    with pytest.raises(TypeError, match="float32"):
        gemm(a, b)


def unaligned(rows, columns):
    memory = bytearray(8 * rows * columns + 1)
    return np.frombuffer(memory, np.float64, offset=1).reshape(rows, columns)


def read_only(rows, columns):
    out = np.zeros((rows, columns))
    out.flags.writeable = False
    return out


@pytest.mark.parametrize(
    "out",
    [
        np.zeros((3, 2)),  # shape
        np.zeros((2, 3), np.float32),
        np.zeros((3, 2)).T,  # column-major
        np.zeros((2, 6))[:, ::2],
        unaligned(2, 3),
        read_only(2, 3),
    ],
)
def test_out_that_could_not_be_written_in_place_is_refused(out):
    before = out.copy()
    with pytest.raises(ValueError, match="out must be"):
        gemm(np.ones((2, 4)), np.ones((4, 3)), out)
    assert np.array_equal(out, before)


def test_beta_needs_an_out():
    with pytest.raises(ValueError, match="beta"):
        gemm(np.ones((2, 2)), np.ones((2, 2)), beta=1.0)


# One thread or all


def threads():
    return [library["num_threads"] for library in blas.libraries()]


def test_use_one_thread_and_back():
    before = threads()
    blas.use_one_thread(True)
    blas.use_one_thread(True)
    assert set(threads()) == {1}
    blas.use_one_thread(False)
    blas.use_one_thread(False)
    assert threads() == before


def test_use_one_thread_respects_a_limit_set_outside():
    before = threads()
    with blas.limit_threads(1):
        blas.use_one_thread(True)
        blas.use_one_thread(False)
        assert set(threads()) == {1}
    assert threads() == before


def test_one_thread_cuts_a_long_sum_where_several_would():
    a, b = numbers(1, 16, 784, dtype=np.float32), numbers(2, 784, 32, dtype=np.float32)
    with blas.limit_threads(1):
        halves = gemm(a[:, :392], b[:392])
        gemm(a[:, 392:], b[392:], halves, beta=1.0)
    blas.use_one_thread(True)
    try:
        assert np.array_equal(gemm(a, b), halves)
    finally:
        blas.use_one_thread(False)


def test_a_long_sum_in_two_halves_is_the_same_sum():
    a, b, out = numbers(1, 7, 1101), numbers(2, 1101, 5), numbers(3, 7, 5)
    cases = [
        (a, b, {}),
        (np.ascontiguousarray(a.T), b, {"trans_a": True}),
        (a, np.ascontiguousarray(b.T), {"trans_b": True}),
    ]
    blas.use_one_thread(True)
    try:
        for x, y, options in cases:
            result = gemm(x, y, out.copy(), alpha=-0.5, beta=0.25, **options)
            assert np.allclose(result, -0.5 * (a @ b) + 0.25 * out, rtol=1e-12, atol=1e-12)
    finally:
        blas.use_one_thread(False)


@pytest.mark.parametrize("which", range(4))
def test_same_bits_notices_a_difference_in_any_of_the_products(which, monkeypatch):
    calls = 0

    def one_bit_off(*operands, **options):
        nonlocal calls
        out = gemm(*operands, **options)
        if blas._one_thread and calls % 4 == which:
            out[-1, -1] = np.nextafter(out[-1, -1], np.float32(np.inf))
        calls += 1
        return out

    monkeypatch.setattr(blas, "gemm", one_bit_off)
    assert not blas.same_bits_with_one_thread(8, 12, 6)
    assert not blas._one_thread


def test_same_bits_of_a_single_product_of_numbers():
    assert blas.same_bits_with_one_thread(1, 1, 1)


def test_same_bits_really_tries_one_thread_and_all(monkeypatch):
    seen = []

    def spy(*operands, **options):
        seen.append((blas._one_thread, max(threads())))
        return gemm(*operands, **options)

    monkeypatch.setattr(blas, "gemm", spy)
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        everything = max(threads())
        assert blas.same_bits_with_one_thread(1, 2, 3) in (True, False)
    assert set(seen) == {(False, everything), (True, 1)}
