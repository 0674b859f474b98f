"""Many draws of `course.nn.rng` at once, for where Numba is missing; the same to the bit.

A draw follows from the one before, so no two can be made at the same time, unless a state further
on is known. Shifts and exclusive-ors are linear: the state after so many draws is the exclusive-or
of what each bit of this one would become by itself, so a table of that jumps there in one go
(Haramoto et al., "Efficient jump ahead for F2-linear random number generators", INFORMS Journal on
Computing 20(3), 2008). Jumps find the states with which rows of draws begin; then all rows take one
step at a time together.
"""

import functools

import numpy as np

ROW = 64  # draws; a power of two. Longer rows need fewer jumps and more steps.


def step(x):
    """The states after x, an array of uint64."""
    x = x ^ (x << np.uint64(13))
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    return x


@functools.cache
def jump_table(doublings):
    """What each byte of a state (8, 256) adds to the one that is 2^doublings draws ahead."""
    bits = np.left_shift(np.uint64(1), np.arange(64, dtype=np.uint64))
    if doublings == 0:
        ahead = step(bits)
    else:
        half = jump_table(doublings - 1)
        ahead = jump(jump(bits, half), half)
    of_bit, table = ahead.reshape(8, 8), np.zeros((8, 256), np.uint64)
    for bit in range(8):  # bytes with this bit are those without, and the bit
        known = 1 << bit
        table[:, known : 2 * known] = table[:, :known] ^ of_bit[:, bit, None]
    return table


def jump(x, table):
    """The states that are as far ahead of x, an array of uint64, as the table reaches."""
    ahead = np.zeros_like(x)
    for place, of_byte in enumerate(table):
        ahead ^= of_byte[(x >> np.uint64(8 * place)).astype(np.uint8)]
    return ahead


def fill_u32(state, out):
    """Same as `course.nn.rng._fill_u32`, to the bit."""
    if not out.size:
        return np.uint64(state)
    rows = -(-out.size // ROW)
    x = np.empty(rows, np.uint64)  # the states with which the rows begin
    x[:1] = step(np.array([state], np.uint64))
    known = 1
    while known < rows:  # as many again
        more = x[known : 2 * known]
        more[:] = jump(x[: len(more)], jump_table((known * ROW).bit_length() - 1))
        known *= 2
    draws = np.empty((ROW, rows), np.uint32)
    for i in range(min(ROW, out.size)):
        if i:
            x = step(x)
        draws[i] = x >> np.uint64(32)
        if i == (out.size - 1) % ROW:
            last = x[-1]
    out[:] = draws.T.reshape(-1)[: out.size]
    return last


def fisher_yates(draws, order):
    """Same as `course.nn.rng._fisher_yates`.

    Swaps are made one after the other; in a list they cost Python least.
    """
    swapped = order.tolist()
    partners = draws % np.arange(order.size, 1, -1)
    for i, j in zip(range(order.size - 1, 0, -1), partners.tolist(), strict=True):
        swapped[i], swapped[j] = swapped[j], swapped[i]
    order[:] = swapped
