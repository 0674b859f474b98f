"""Lesson 03: its figures show the numbers that they are given, each at its place."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from course import plots
from course.plots.style import looks_of

RNG = np.random.default_rng(1)
IMAGE, KERNEL = RNG.random((7, 6)), np.array([[-1.0, 0.25], [0.0, 2.0]])
ANSWER = RNG.standard_normal((6, 5))


def pictures(figure):
    return [np.asarray(ax.images[0].get_array()) for ax in figure.axes if ax.images]


def frames(ax):
    """Corners (row, column) and sizes of the frames in orange."""
    boxes = [box for box in ax.patches if box.get_linewidth() > 2]
    return [(b.get_y() + 0.5, b.get_x() + 0.5, b.get_height(), b.get_width()) for b in boxes]


def test_convolution_shows_all_three_and_frames_what_belongs_together():
    figure = plots.convolution(IMAGE, KERNEL, ANSWER, at=(4, 1))
    for shown, given in zip(pictures(figure), (IMAGE, KERNEL, ANSWER), strict=True):
        assert np.array_equal(shown, given)
    image, kernel, answer = figure.axes
    assert [text.get_text() for text in kernel.texts] == ["-1", "0.25", "0", "2"]
    assert frames(image) == [(4, 1, 2, 2)]
    assert frames(answer) == [(4, 1, 1, 1)]
    assert answer.get_title() == f"answer 6 × 5, {ANSWER[4, 1]:.2f} in the frame"
    assert frames(plots.convolution(IMAGE, KERNEL, ANSWER).axes[0]) == []


def test_weights_can_be_read_on_every_ground():
    texts = plots.convolution(IMAGE, KERNEL, ANSWER).axes[1].texts
    for text, weight in zip(texts, KERNEL.flat, strict=True):
        assert (to_hex(text.get_color()) == "#ffffff") == (abs(weight) > 1.2)


def test_convolution_refuses_an_answer_of_another_size():
    with pytest.raises(ValueError, match=r"expected an answer of shape \(6, 5\), found \(7, 6\)"):
        plots.convolution(IMAGE, KERNEL, IMAGE)


def test_there_and_back_shows_numbers_around_zero_with_zero_in_white():
    forward = {"digit": IMAGE, "pooled": IMAGE[None, None, :3, :3]}
    backward = {"dx": 1e-3 * ANSWER[None, None], "dy": np.zeros((3, 3))}
    figure = plots.there_and_back(forward, backward)
    assert [ax.get_title() for ax in figure.axes] == ["digit", "pooled", "dx", "dy"]
    given = [*forward.values(), *backward.values()]
    for shown, array in zip(pictures(figure), given, strict=True):
        assert np.array_equal(shown, array.reshape(shown.shape))
    for ax in figure.axes[2:]:
        low, high = ax.images[0].get_clim()
        assert low == -high
    assert figure.axes[2].images[0].get_clim()[1] == np.abs(1e-3 * ANSWER).max()


def test_there_and_back_needs_as_many_pictures_in_both_directions():
    with pytest.raises(ValueError, match="1 pictures forward, but 0 backward"):
        plots.there_and_back({"digit": IMAGE}, {})


def test_accuracy_against_shift_draws_each_model_in_its_color():
    shifts, accuracies = [-1, 0, 1], {"cnn": [0.5, 0.9, 0.6], "mine": [0.7, 0.8, 0.7]}
    (ax,) = plots.accuracy_against_shift(shifts, accuracies).axes
    assert {line.get_label(): list(line.get_ydata()) for line in ax.lines} == accuracies
    assert all(list(line.get_xdata()) == shifts for line in ax.lines)
    looks = [{"color": line.get_color(), "marker": line.get_marker()} for line in ax.lines]
    assert looks == looks_of(["cnn", "mine"])


def test_figures_can_be_drawn():
    for figure in (
        plots.convolution(IMAGE, KERNEL, ANSWER, at=(0, 0)),
        plots.there_and_back({"digit": IMAGE}, {"dx": ANSWER}),
        plots.accuracy_against_shift([0], {"cnn": [1.0]}),
    ):
        assert figure._repr_png_().startswith(b"\x89PNG")
