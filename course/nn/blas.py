"""Matrix products through one BLAS.

BLAS ("Basic Linear Algebra Subprograms", Dongarra et al. 1990, ACM TOMS 16(1)) is the library below
every framework's matrix product. NumPy's and SciPy's wheels each bring their own copy, each with
its own threads, and two sets of threads fight over the cores. So every product of the course goes
through SciPy's, which is also the one that `np.dot` means inside a Numba function.
"""

import functools

import numpy as np
import threadpoolctl
from scipy.linalg import blas

_GEMM = {np.dtype(np.float32): blas.sgemm, np.dtype(np.float64): blas.dgemm}
_one_thread = False  # set by use_one_thread


def gemm(a, b, out=None, *, alpha=1.0, beta=0.0, trans_a=False, trans_b=False):
    """Compute ``out <- alpha * op(a) @ op(b) + beta * out`` and return `out`.

    `op(a)` has shape (m, k) and `op(b)` (k, n), where op transposes if `trans_a` or `trans_b` is
    set, without moving any data. All arrays are row-major and of one dtype, float32 or float64.
    `out` has shape (m, n); it is written in place, and made if not given (then beta must be 0).

    Raises ValueError if the shapes do not fit or `out` could not be written in place, TypeError if
    the dtypes differ or are no floats that BLAS knows.
    """
    if a.ndim != 2 or b.ndim != 2:
        raise ValueError(f"gemm: needs two matrices, got shapes {a.shape} and {b.shape}")
    m, k = a.shape[::-1] if trans_a else a.shape
    k_b, n = b.shape[::-1] if trans_b else b.shape
    if k != k_b:
        raise ValueError(f"gemm: op(a) is {m}x{k} and op(b) is {k_b}x{n}: {k} != {k_b}")
    if a.dtype != b.dtype or a.dtype not in _GEMM:
        raise TypeError(f"gemm: needs two float32 or two float64 arrays, got {a.dtype}, {b.dtype}")
    if out is None:
        if beta != 0.0:
            raise ValueError("gemm: beta without out has nothing to scale")
        out = np.empty((m, n), a.dtype)
    elif out.shape != (m, n) or out.dtype != a.dtype or not out.flags.carray:
        # The wrapper below would work on a copy without a word, and `out` would stay as it was.
        # (Flag `carray`: row-major, aligned and writeable.)
        raise ValueError(
            f"gemm: out must be a row-major, writeable {m}x{n} array of {a.dtype}, got "
            f"{'x'.join(map(str, out.shape))} of {out.dtype}"
        )
    if not out.size:
        return out  # BLAS refuses empty matrices
    if _one_thread and k > 512:  # see use_one_thread
        half = (k + 1) // 2
        first_a, rest_a = np.split(a, [half], axis=0 if trans_a else 1)
        first_b, rest_b = np.split(b, [half], axis=1 if trans_b else 0)
        _product(first_a, first_b, out, alpha, beta, trans_a, trans_b)
        _product(rest_a, rest_b, out, alpha, 1.0, trans_a, trans_b)
    else:
        _product(a, b, out, alpha, beta, trans_a, trans_b)
    return out


def _product(a, b, out, alpha, beta, trans_a, trans_b):
    """Call BLAS on checked operands, all row-major."""
    # BLAS is column-major. A row-major matrix is the column-major form of its transpose, and
    # (A B)^T = B^T A^T: swap the operands, transpose the views, and nothing is copied.
    _GEMM[a.dtype](alpha, b.T, a.T, beta, out.T, trans_a=trans_b, trans_b=trans_a, overwrite_c=1)


_all_threads = []  # (library, its number of threads), while it has only one


def use_one_thread(only_one):
    """Let BLAS use one thread from now on, or all of them again.

    With several threads OpenBLAS adds up a sum over k in two halves where one thread would cut it
    elsewhere, and the last bits differ. So with one thread `gemm` cuts at the half by itself.
    That is what was seen, not what is promised: ask `same_bits_with_one_thread`.
    """
    global _one_thread
    if only_one and not _one_thread:
        for library in _blas_controllers():
            _all_threads.append((library, library.get_num_threads()))
            library.set_num_threads(1)
    elif _one_thread and not only_one:
        while _all_threads:
            library, threads = _all_threads.pop()
            library.set_num_threads(threads)
    _one_thread = only_one


@functools.cache
def _blas_controllers():
    return threadpoolctl.ThreadpoolController().select(user_api="blas").lib_controllers


def same_bits_with_one_thread(batch, inputs, outputs, dtype=np.float32):
    """Try whether the products of a dense layer of this size have the same bits either way."""
    numbers = np.random.default_rng(0).standard_normal
    x, w = numbers((batch, inputs)).astype(dtype), numbers((inputs, outputs)).astype(dtype)
    dy = numbers((batch, outputs)).astype(dtype)

    def products():
        moved = gemm(x, dy, w.copy(), alpha=-0.1, beta=0.9, trans_a=True)
        return gemm(x, w), gemm(dy, w, trans_b=True), gemm(x, dy, trans_a=True), moved

    with_all = products()
    use_one_thread(True)
    try:
        with_one = products()
    finally:
        use_one_thread(False)
    return all(map(np.array_equal, with_all, with_one))


def limit_threads(limit):
    """Context manager: BLAS uses at most `limit` threads inside the block."""
    return threadpoolctl.threadpool_limits(limit, user_api="blas")


def libraries():
    """Describe the BLAS libraries in this process: a list of dicts (threadpoolctl's `info`)."""
    return [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
