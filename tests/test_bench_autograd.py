"""What autograd costs is measured on two ways to the same gradients."""

import numpy as np
import pytest

from course.benchmark import autograd


@pytest.mark.parametrize("model", autograd.LOSSES)
def test_both_sides_compute_the_same_gradients(model):
    by_hand, by_autograd = (compute() for compute in autograd.sides(model))
    assert by_hand.keys() == by_autograd.keys()
    for name, gradient in by_hand.items():
        assert by_autograd[name].dtype == gradient.dtype  # neither has the cheaper numbers
        assert np.abs(by_autograd[name] - gradient).max() < 1e-5, name  # float32
    assert max(np.abs(gradient).max() for gradient in by_hand.values()) > 1e-3


def test_figures_are_medians_of_rounds_in_turn(monkeypatch):
    times = iter([2, 8, 4, 4, 3, 30])  # by hand, by autograd, and so on
    monkeypatch.setattr(autograd, "milliseconds", lambda compute: next(times))
    figures = autograd.measure(["xor"], rounds=3)
    assert figures == {"xor": (3, 8, 4)}
    heading, line = autograd.table(figures).splitlines()
    assert heading.split() == ["model", "by", "hand", "autograd", "times", "as", "long"]
    assert line.split() == ["xor", "3", "ms", "8", "ms", "4"]


def test_what_is_measured_takes_time():
    ((by_hand, by_autograd, ratio),) = autograd.measure(["xor"], rounds=3).values()
    assert min(by_hand, by_autograd, ratio) > 0
