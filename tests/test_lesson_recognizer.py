"""Lessons 06 and 06b: erasing pixels, figures, and the wrong answers that exercises refuse."""

import io

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from course import plots
from course.cnn import CNN
from course.exercises import recognizer as exercises
from course.mlp import MLP
from course.nn.losses import softmax
from course.plots.style import FOCUS
from course.recognizer import erasing, preprocess
from course.recognizer.erasing import by_gradient, by_trying, erase_until_it_flips
from course.recognizer.preprocess import normalize


class Linear:
    """A model whose logits can be computed in the head: `w` is (784, 10)."""

    def __init__(self, **w):
        self.w = np.zeros((784, 10), np.float32)
        for name, weight in w.items():
            pixel, digit = map(int, name.strip("p").split("_"))
            self.w[pixel, digit] = weight

    def forward(self, x):
        return x @ self.w

    def backward(self, dlogits):
        return dlogits @ self.w.T

    def walk(self):
        return []


def ink(*pixels):
    x = np.zeros((1, 784), np.float32)
    x[0, list(pixels)] = 1
    return x


# Erasing


def test_pixels_go_in_the_order_of_what_they_are_worth_until_another_digit_is_read():
    model = Linear(p5_3=1.0, p6_3=3.0, p7_3=2.0, p8_3=0.5, p8_4=3.0)
    x = ink(5, 6, 7, 8)  # 6.5 speak for a 3, 3.0 for a 4
    erased = erase_until_it_flips(model, x)
    assert erased.pixels.tolist() == [6, 7]  # 3.5 for each, then 1.5 against 3.0
    assert erased.readings.tolist() == [3, 3, 4]
    np.testing.assert_array_equal(erased.x, np.concatenate([x, ink(5, 7, 8), ink(5, 8)]))
    np.testing.assert_allclose(erased.probabilities, softmax(erased.x @ model.w), rtol=1e-6)


def test_a_pixel_that_speaks_for_two_digits_matters_less_than_its_gradient_says():
    model = Linear(p5_3=3.0, p5_4=2.9, p6_3=1.0)
    assert by_gradient(model, ink(5, 6), 3) == 5
    assert by_trying(model, ink(5, 6), 3) == 6


def test_erasing_ends_when_no_ink_is_left():
    for choose in (by_trying, by_gradient):
        erased = erase_until_it_flips(Linear(), ink(1, 2), choose)  # reads 0, whatever comes
        assert sorted(erased.pixels) == [1, 2] and not erased.x[-1].any()
        assert erased.readings.tolist() == [0, 0, 0]
    assert len(erase_until_it_flips(Linear(), ink()).pixels) == 0


@pytest.mark.parametrize("model", [MLP(1, hidden=32), CNN()], ids=["mlp", "cnn"])
def test_trying_finds_the_pixel_that_a_loop_over_all_finds(model):
    x = np.random.default_rng(0).random((1, 784), np.float32)
    x[:, ::2] = 0
    digit = int(model.forward(x).argmax())
    leads = {}
    for pixel in np.flatnonzero(x):
        without = x.copy()
        without[0, pixel] = 0
        leads[pixel] = erasing.lead(model.forward(without), digit)[0]
    assert leads[by_trying(model, x, digit)] == pytest.approx(min(leads.values()), abs=1e-5)


def test_lead_is_negative_when_another_digit_is_ahead():
    logits = np.array([[1.0, 4.0, 2.5], [9.0, 1.0, 8.0]])
    np.testing.assert_array_equal(erasing.lead(logits, 1), [1.5, -8.0])


def test_the_drawing_itself_is_not_touched():
    x = ink(5, 6)
    erase_until_it_flips(Linear(p5_3=1.0), x)
    np.testing.assert_array_equal(x, ink(5, 6))


def test_several_drawings_at_once_are_refused_at_once():
    with pytest.raises(
        erasing.DrawingsError, match=r"one drawing at a time, \(1, 784\), not \(300, 784\)"
    ):
        erase_until_it_flips(Linear(), np.ones((300, 784), np.float32))


# Figures


def test_normalization_shows_every_step_and_frames_what_is_cut_out():
    drawing = np.zeros((280, 280), np.uint8)
    drawing[40:120, 200:230] = 255
    steps = normalize(drawing)
    figure = plots.normalization(drawing, steps)
    given = [drawing, steps.cropped, steps.scaled, steps.centered]
    for ax, picture in zip(figure.axes, given, strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), picture)
    (box,) = figure.axes[0].patches
    assert (box.get_y() + 0.5, box.get_x() + 0.5) == (40, 200)
    assert (box.get_height(), box.get_width()) == (80, 30)
    assert figure.axes[2].get_title() == "scaled: 20 × 8"
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_a_picture_is_shown_upright_as_it_was_sent_above_what_is_received():
    upright, received = np.arange(24, dtype=np.uint8).reshape(6, 4), np.eye(28)
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6  # lies on its side, to be turned clockwise
    Image.fromarray(np.rot90(upright)).save(file, "PNG", exif=exif)
    above, below = plots.as_sent([file.getvalue()], [received], ["a photo"]).axes
    assert above.get_title() == "a photo" and not below.get_title()
    np.testing.assert_array_equal(above.images[0].get_array(), upright)
    np.testing.assert_array_equal(below.images[0].get_array(), received)


def test_erased_pixels_are_in_color_and_the_first_is_ringed():
    x = ink(30, 31, 60)
    (ax,) = plots.erased_pixels(x, np.array([60, 30])).axes
    shown = np.asarray(ax.images[0].get_array()).reshape(784, 3)
    np.testing.assert_allclose(shown[[30, 60]], [to_rgb(FOCUS)] * 2, atol=1e-6)
    np.testing.assert_array_equal(shown[31], [1, 1, 1])
    assert shown.sum() == pytest.approx(3 + 2 * sum(to_rgb(FOCUS)), abs=1e-5)
    assert ax.lines[0].get_xydata().tolist() == [[4, 2]]  # column, row
    assert ax.get_title() == "2 pixels erased"
    untouched = plots.erased_pixels(x, np.array([], int), "as it was").axes[0]
    assert untouched.get_title() == "as it was" and not untouched.lines


# Exercises


def test_a_slant_is_what_it_looks_like():
    lean = np.zeros((9, 30))
    for row in range(9):
        lean[row, 3 * row + 2] = 7
    assert exercises.slant(lean) == pytest.approx(3)
    assert exercises.slant(lean[:, ::-1]) == pytest.approx(-3)
    assert exercises.slant(np.ones((5, 4))) == pytest.approx(0)


def slant(image, about_mean=True, by="rows", weights=True):
    weights = image if weights else (image > 0).astype(float)
    rows, columns = np.indices(image.shape).astype(float)
    if about_mean:
        rows, columns = (a - np.average(a, weights=weights) for a in (rows, columns))
    square = {"rows": rows**2, "columns": columns**2}[by]
    return (weights * rows * columns).sum() / (weights * square).sum()


def center(scaled):
    """By a loop, and without clip."""
    ink = scaled.astype(float)
    row, column = (sum(i * a.sum() for i, a in enumerate(m)) / m.sum() for m in (ink, ink.T))
    centered = np.zeros((28, 28))
    top = min(max(0, int(np.rint(14 - row))), 28 - len(scaled))
    left = min(max(0, int(np.rint(14 - column))), 28 - len(scaled.T))
    centered[top : top + len(scaled), left : left + len(scaled.T)] = scaled
    return centered.astype(np.uint8)


def test_the_center_of_the_exercise_is_that_of_the_package():
    for (scaled,) in exercises.CENTER.cases(np.random.default_rng(1)):
        np.testing.assert_array_equal(exercises.center(scaled), preprocess.center(scaled)[0])


def test_own_digits_come_first_and_at_least_as_often_as_known_ones():
    own, known = np.array([1, 2, 3]), np.array([7, 8, 9, 0])
    assert exercises.rehearse(own, known).tolist() == [1, 2, 3, 1, 2, 3, 7, 8, 9, 0]
    assert exercises.rehearse(known, own).tolist() == [7, 8, 9, 0, 1, 2, 3]


def rehearse(own, known, count=None):
    """By a loop; `count` is how many of `own` are wanted at least."""
    digits = []
    while len(digits) < (len(known) if count is None else count):
        digits += [*own]
    return np.array([*digits, *known])


def refuse(probabilities, threshold):
    return [int(p.argmax()) if p.max() >= threshold else -1 for p in probabilities]


@pytest.mark.parametrize(
    ("exercise", "attempt"),
    [
        (exercises.SLANT, slant),
        (exercises.CENTER, center),
        (exercises.REFUSE, refuse),
        (exercises.REHEARSE, rehearse),
    ],
)
def test_another_way_is_right_too(exercise, attempt):
    assert exercise.verdict(attempt).status == "passed"


def center_box(scaled):
    return np.pad(scaled, [((28 - n) // 2, (29 - n) // 2) for n in scaled.shape])


WRONG = {
    "slant about the corner": (exercises.SLANT, lambda i: slant(i, about_mean=False)),
    "slant by the columns": (exercises.SLANT, lambda i: slant(i, by="columns")),
    "slant of the shape alone": (exercises.SLANT, lambda i: slant(i, weights=False)),
    "slant the other way": (exercises.SLANT, lambda i: -slant(i)),
    "center of the box": (exercises.CENTER, center_box),
    "refuse nothing": (exercises.REFUSE, lambda p, t: p.argmax(1)),
    "refuse 0 only": (exercises.REFUSE, lambda p, t: np.where(p[:, 0] < t, -1, p.argmax(1))),
    "refuse the sure": (exercises.REFUSE, lambda p, t: np.where(p.max(1) < t, p.argmax(1), -1)),
    "refuse at the threshold": (
        exercises.REFUSE, lambda p, t: np.where(p.max(1) > t, p.argmax(1), -1)
    ),
    "rehearse own ones once": (exercises.REHEARSE, lambda o, k: rehearse(o, k, len(o))),
    "rehearse too few": (exercises.REHEARSE, lambda o, k: rehearse(o, k, len(k) - len(o) + 1)),
    "rehearse no known ones": (exercises.REHEARSE, lambda o, k: rehearse(o, k)[: -len(k)]),
    "refuse with 0": (exercises.REFUSE, lambda p, t: np.where(p.max(1) < t, 0, p.argmax(1))),
}  # fmt: skip


@pytest.mark.parametrize(("exercise", "attempt"), WRONG.values(), ids=WRONG)
def test_typical_mistakes_are_told(exercise, attempt):
    for seed in range(5):
        assert "It looks as if" in exercise.verdict(attempt, seed=seed).message
