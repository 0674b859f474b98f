"""The two ways of a convolution, timed: the same numbers, one line for each number of channels."""

import numpy as np

from course.benchmark import convolutions


def test_both_ways_compute_the_same():
    loops, product = (compute() for compute in convolutions.sides(8).values())
    for a, b in zip(loops, product, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-3 * np.abs(a).max())


def test_the_table_has_a_line_for_each_number_of_channels():
    results = convolutions.measure(channels=(1, 2), rounds=1, repeats=1)
    assert [r["channels"] for r in results] == [1, 2]
    assert all(r["loops"] > 0 and r["product"] > 0 and r["ratio"] > 0 for r in results)
    assert results[1]["matrix_kib"] == 2 * results[0]["matrix_kib"] == 4 * 18 * 14 * 14 / 1024
    assert len(convolutions.table(results).splitlines()) == 4
