"""Random numbers that are the same on every machine: xorshift64.

Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8(14), 2003: three shifts and three
exclusive-ors walk through all 2^64 - 1 non-zero states. Good enough to draw weights and to shuffle
digits, short enough to check by hand; not for cryptography.
"""

import numpy as np

from course.nn import rng_numpy
from course.nn.compiled import jit

_SEED_FOR_ZERO = 0x9E3779B97F4A7C15  # state 0 would stay 0 for ever


@jit(numpy=rng_numpy.fill_u32)
def _fill_u32(state, out):
    """Write the next len(out) draws into `out` and return the state after them."""
    x = np.uint64(state)
    for i in range(out.size):
        x ^= x << np.uint64(13)
        x ^= x >> np.uint64(7)
        x ^= x << np.uint64(17)
        out[i] = x >> np.uint64(32)  # the high half is the better one
    return x


@jit(numpy=rng_numpy.fisher_yates)
def _fisher_yates(draws, order):
    """Shuffle `order` in place, from the top; draws[i] decides the i-th swap."""
    for i in range(order.size - 1, 0, -1):
        j = draws[order.size - 1 - i] % (i + 1)
        swap = order[i]
        order[i] = order[j]
        order[j] = swap


class SimpleRng:
    """The course's random number generator.

    `state` (an int) is all there is to it: save it, set it, and the stream goes on from there.
    Bulk draws give exactly the numbers that one-by-one draws would.
    """

    def __init__(self, seed=1):
        self.state = int(seed) % 2**64 or _SEED_FOR_ZERO

    def u32(self, size=None):
        """Draw integers in [0, 2^32): an int, or a uint32 array of shape `size`."""
        out = np.empty(1 if size is None else size, np.uint32)
        self.state = int(_fill_u32(np.uint64(self.state), out.reshape(-1)))
        return int(out[0]) if size is None else out

    def random(self, size=None):
        """Draw float32 numbers u32 / 2^32, uniform in [0, 1].

        1.0 itself can occur: the 128 largest integers round up to 2^32 in float32.
        """
        return np.float32(self.u32(size)) / np.float32(2**32)

    def uniform(self, low, high, size=None):
        """Draw float32 numbers low + (high - low) * random, all of it in float32."""
        low, high = np.float32(low), np.float32(high)
        return low + (high - low) * self.random(size)

    def index(self, n):
        """Draw an int in [0, n). The bias of the modulo is below n / 2^32."""
        return self.u32() % n

    def shuffle(self, array):
        """Shuffle a one-dimensional array in place (Fisher-Yates, from the top)."""
        _fisher_yates(self.u32(max(len(array) - 1, 0)), array)

    def permutation(self, n):
        """Return the numbers 0 to n-1 in random order, an int64 array."""
        order = np.arange(n, dtype=np.int64)  # NumPy's own choice has 32 bits in a browser
        self.shuffle(order)
        return order


def xavier_uniform(rng, fan_in, fan_out, shape, dtype=np.float32):
    """Draw weights from U(-limit, limit), limit = sqrt(6 / (fan_in + fan_out)), row-major.

    Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS 2010, eq. 16. Drawn in float32 and then converted, so that a float64 network starts from
    the same weights.
    """
    limit = np.sqrt(np.float32(6.0) / np.float32(fan_in + fan_out))
    return rng.uniform(-limit, limit, shape).astype(dtype)
