"""Matrix products through one BLAS.

BLAS ("Basic Linear Algebra Subprograms", Dongarra et al. 1990, ACM TOMS 16(1)) is the library below
every framework's matrix product. NumPy's and SciPy's wheels each bring their own copy, each with
its own threads, and two sets of threads fight over the cores. So every product of the course goes
through SciPy's, which is also the one that `np.dot` means inside a Numba function.

SciPy's BLAS has one thread here. A large product is cut into shares instead, blocks of columns,
which the cores take as they find the time (`course.nn.shares`). BLAS's own threads meet after every
product, so that one of them that has to wait for another program makes all wait; and with some
processors' code they add up in another order than one thread does. Without Numba nothing is cut.
"""

import itertools

import numpy as np
import threadpoolctl
from scipy.linalg import blas

from course.nn import shares
from course.nn.compiled import HAS_NUMBA

if HAS_NUMBA:
    from course.nn.columns import columns

SHARES = 2  # of a large product
LARGE = 2**22  # multiplications: below, a product takes less time than a meeting

FLOAT, DOUBLE = np.dtype(np.float32), np.dtype(np.float64)
_GEMM = {FLOAT: blas.sgemm, DOUBLE: blas.dgemm}


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
    # BLAS is column-major. A row-major matrix is the column-major form of its transpose, and
    # (A B)^T = B^T A^T: swap the operands, transpose the views, and nothing is copied.
    if HAS_NUMBA and m * n * k >= LARGE and n >= 16 * SHARES:
        a, b, factors = map(np.ascontiguousarray, (a, b, np.array([alpha, beta], a.dtype)))
        ends = [n * share // SHARES for share in range(SHARES + 1)]
        product = (a, b, out, factors, trans_a, trans_b, m, k)
        shares.run(columns, [(*product, *block) for block in itertools.pairwise(ends)])
    else:
        options = {"trans_a": trans_b, "trans_b": trans_a, "overwrite_c": 1}
        _GEMM[a.dtype](alpha, b.T, a.T, beta, out.T, **options)
    return out


def _use_one_thread():
    """Take BLAS's own threads from SciPy's copy (or from the one that NumPy and SciPy share).

    A browser's BLAS has none; if it is not even found, nothing is done.
    """
    libraries = threadpoolctl.ThreadpoolController().select(user_api="blas").lib_controllers
    of_scipy = [library for library in libraries if "scipy.libs" in library.filepath]
    for library in of_scipy or libraries:
        library.set_num_threads(1)


_use_one_thread()


def libraries():
    """Describe the BLAS libraries in this process: a list of dicts (threadpoolctl's `info`)."""
    return [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
