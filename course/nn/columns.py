"""Some columns of a matrix product, by BLAS called from compiled code: a share of `blas.gemm`."""

import llvmlite.binding as llvm
import numpy as np
from numba import types
from numba.extending import get_cython_function_address

from course.nn.compiled import jit

# SciPy's BLAS by address: called in this way from compiled code, it needs no Python.
for name in ("sgemm", "dgemm"):
    llvm.add_symbol(f"course_{name}", get_cython_function_address("scipy.linalg.cython_blas", name))
_BY_ADDRESS = types.void(*[types.uintp] * 13)
_sgemm = types.ExternalFunction("course_sgemm", _BY_ADDRESS)
_dgemm = types.ExternalFunction("course_dgemm", _BY_ADDRESS)


@jit(nogil=True)
def columns(a, b, out, factors, trans_a, trans_b, m, k, first, end):
    """Compute columns first to end (exclusive) of a product; factors are alpha and beta.

    BLAS wants the address of everything: here t of whether to transpose, s of sizes, f of factors.
    """
    transposed = np.array([84 if trans_b else 78, 84 if trans_a else 78], np.uint8)  # "T" or "N"
    sizes = np.array([end - first, m, k, b.shape[1], a.shape[1], out.shape[1]], np.int32)
    t, s, f = transposed.ctypes.data, sizes.ctypes.data, factors.ctypes.data
    skipped = first * a.itemsize
    if trans_b:  # columns of op(b) are rows of b
        skipped *= b.shape[1]
    x, y, z = a.ctypes.data, b.ctypes.data + skipped, out.ctypes.data + first * a.itemsize
    if a.itemsize == 4:
        _sgemm(t, t + 1, s, s + 4, s + 8, f, y, s + 12, x, s + 16, f + 4, z, s + 20)
    else:
        _dgemm(t, t + 1, s, s + 4, s + 8, f, y, s + 12, x, s + 16, f + 8, z, s + 20)
