"""SimpleRng, number for number, against its definition in plain Python integers."""

import time
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.nn.rng import SimpleRng, xavier_uniform

seeds = st.integers(0, 2**64 - 1)


def xorshift64(seed):
    """The definition: Marsaglia 2003 with shifts 13, 7, 17; the output is the high half."""
    x = seed if seed else 0x9E3779B97F4A7C15
    while True:
        x ^= (x << 13) % 2**64
        x ^= x >> 7
        x ^= (x << 17) % 2**64
        yield x >> 32


def test_the_first_states_of_seed_1():
    # The first by hand: 1 ^ 1<<13 = 8193, 8193 ^ 8193>>7 = 8257, 8257 ^ 8257<<17 = 1082269761.
    rng = SimpleRng(1)
    states = [(rng.u32(), rng.state)[1] for _ in range(3)]
    assert states == [1082269761, 1152992998833853505, 11177516664432764457]


@given(seeds)
def test_bits_are_those_of_the_definition(seed):
    assert list(SimpleRng(seed).u32(50)) == list(islice(xorshift64(seed), 50))


@given(seeds, st.lists(st.integers(0, 9), max_size=8))
def test_draws_in_any_portions_are_the_same_stream(seed, portions):
    together, apart = SimpleRng(seed), SimpleRng(seed)
    expected = together.u32(2 * sum(portions))
    found = []
    for n in portions:
        found += [*apart.u32(n), *(apart.u32() for _ in range(n))]
    assert found == list(expected)
    assert apart.state == together.state


@given(seeds, st.sampled_from([(), (3,), (2, 3), (0,), (2, 1, 2)]))
def test_shapes_are_filled_row_by_row(seed, shape):
    drawn = SimpleRng(seed).u32(shape)
    assert drawn.shape == shape and drawn.dtype == np.uint32
    assert drawn.ravel().tolist() == list(islice(xorshift64(seed), drawn.size))


def test_seed_0_does_not_get_stuck():
    assert list(SimpleRng(0).u32(4)) == list(SimpleRng(0x9E3779B97F4A7C15).u32(4))
    assert len(set(SimpleRng(0).u32(1000))) > 990


def test_seeds_are_taken_modulo_2_to_the_64():
    assert SimpleRng(2**64 + 5).u32() == SimpleRng(5).u32()
    assert SimpleRng(-1).u32() == SimpleRng(2**64 - 1).u32()


def float32(value):
    """Round once to float32: a Python float holds an integer below 2^32 without rounding."""
    return float(np.float32(float(value)))


@given(seeds)
def test_random_is_u32_over_2_to_the_32_in_float32(seed):
    drawn = SimpleRng(seed).random(20)
    assert drawn.dtype == np.float32
    assert drawn.tolist() == [float32(u) / 2**32 for u in islice(xorshift64(seed), 20)]
    assert SimpleRng(seed).random() == drawn[0]


def test_random_can_round_up_to_1(monkeypatch):
    rng = SimpleRng()
    for u32, expected in ((2**32 - 1, 1.0), (2**32 - 128, 1.0), (2**32 - 129, 1 - 2**-24), (0, 0)):
        monkeypatch.setattr(rng, "u32", lambda size, u32=u32: u32)
        assert rng.random() == np.float32(expected)


@given(seeds, st.floats(-4, 4, width=32), st.floats(-4, 4, width=32))
def test_uniform_is_low_plus_width_times_random_in_float32(seed, low, high):
    low, high = np.float32(low), np.float32(high)
    drawn = SimpleRng(seed).uniform(low, high, 20)
    assert drawn.dtype == np.float32
    # A product of two float32 has 48 bits: exact in Python's floats. The sum is not always.
    for found, u in zip(drawn, islice(xorshift64(seed), 20), strict=True):
        product = float32(float32(high - low) * (float32(u) / 2**32))
        assert found == low + np.float32(product)


@given(seeds, st.integers(1, 2**32))
def test_index_is_u32_modulo_n(seed, n):
    assert SimpleRng(seed).index(n) == next(xorshift64(seed)) % n


@given(seeds, st.integers(0, 40))
def test_shuffle_is_fisher_yates_from_the_top(seed, n):
    expected, draws = list(range(n)), xorshift64(seed)
    for i in range(n - 1, 0, -1):
        j = next(draws) % (i + 1)
        expected[i], expected[j] = expected[j], expected[i]
    rng = SimpleRng(seed)
    found = rng.permutation(n)
    assert found.dtype == np.int64 and found.tolist() == expected
    assert rng.u32() == next(draws)  # no draw too many


def test_shuffle_moves_the_array_itself():
    array = np.array([5.0, 6.0, 7.0, 8.0])
    SimpleRng(3).shuffle(array)
    assert array.tolist() == [5.0 + i for i in SimpleRng(3).permutation(4)]
    assert array.tolist() != [5.0, 6.0, 7.0, 8.0]


def test_every_permutation_of_three_is_about_as_frequent():
    rng = SimpleRng(1)
    counts = {}
    for _ in range(6000):
        order = tuple(rng.permutation(3))
        counts[order] = counts.get(order, 0) + 1
    # 1000 each expected, standard deviation 29: five of those either way.
    assert len(counts) == 6 and all(abs(count - 1000) < 145 for count in counts.values())


@settings(max_examples=20)
@given(seeds, st.integers(0, 100))
def test_the_state_can_be_saved_and_put_back(seed, skipped):
    rng = SimpleRng(seed)
    rng.u32(skipped)
    state = rng.state
    assert isinstance(state, int)  # so that JSON holds all 64 bits
    expected = rng.u32(5)
    other = SimpleRng(99)
    other.state = state
    assert list(other.u32(5)) == list(expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_xavier_uniform(dtype):
    w = xavier_uniform(SimpleRng(1), 30, 20, (30, 20), dtype)
    assert w.dtype == dtype and w.shape == (30, 20)
    limit = np.sqrt(np.float32(6) / np.float32(50))
    assert np.array_equal(w, SimpleRng(1).uniform(-limit, limit, (30, 20)).astype(dtype))
    # 600 draws from U(-limit, limit) have the variance limit^2 / 3 within 5 of its own deviations.
    assert np.abs(w).max() <= limit
    assert abs(w.var() / (limit**2 / 3) - 1) < 5 * np.sqrt(0.8 / 600)


def test_all_weights_of_the_mlp_are_drawn_in_no_time():
    """A ratio, not seconds: 407,050 draws at once against 4,071 (a hundredth) one by one."""
    rng = SimpleRng(1)
    rng.u32(10), rng.u32()  # compiled

    def seconds(function):
        started = time.perf_counter()
        function()
        return time.perf_counter() - started

    at_once = min(seconds(lambda: rng.uniform(-1, 1, 407_050)) for _ in range(5))
    one_by_one = min(seconds(lambda: [rng.u32() for _ in range(4071)]) for _ in range(5))
    assert at_once < one_by_one
