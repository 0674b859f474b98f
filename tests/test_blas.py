"""One wrapper for all matrix products: right for any shape and layout, or it says why not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.nn import blas, shares
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


# Shares


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("trans_a", [False, True])
@pytest.mark.parametrize("trans_b", [False, True])
def test_a_large_product_in_shares_is_the_same_product(trans_a, trans_b, dtype, monkeypatch):
    m, k, n = 71, 301, 203  # no multiple of anything
    a, b = operand(1, m, k, trans_a, False, dtype), operand(2, n, k, not trans_b, True, dtype)
    out = numbers(3, m, n, dtype=dtype)
    options = {"alpha": -0.5, "beta": 0.25, "trans_a": trans_a, "trans_b": trans_b}
    assert m * k * n >= blas.LARGE
    in_shares = gemm(a, b, out.copy(), **options)
    monkeypatch.setattr(blas, "LARGE", np.inf)
    whole = gemm(a, b, out.copy(), **options)
    # Both round each of the k products and sums; see above.
    op_a, op_b = a.T if trans_a else a, b.T if trans_b else b
    size = 0.5 * np.abs(op_a) @ np.abs(op_b) + 0.25 * np.abs(out)
    assert (np.abs(in_shares - whole) <= (2 * k + 4) * np.finfo(dtype).eps * size).all()


def test_who_computes_a_share_does_not_matter_to_a_single_bit(monkeypatch):
    a, b = numbers(1, 64, 784, dtype=np.float32), numbers(2, 784, 512, dtype=np.float32)
    together = gemm(a, b)
    monkeypatch.setattr(shares, "run", lambda task, calls: [task(*c) for c in reversed(calls)])
    assert np.array_equal(gemm(a, b), together)


def test_the_blas_of_the_course_has_one_thread():
    of_scipy = [library for library in blas.libraries() if "scipy.libs" in library["filepath"]]
    assert {library["num_threads"] for library in of_scipy or blas.libraries()} == {1}
