"""The trial of the recognizer, with models of which the answers are known."""

import functools
import json

import numpy as np
import pytest

from course import mnist, models
from course.commands.cli import main
from course.mlp import MLP
from course.recognizer.drawings import STYLES, drawings
from course.recognizer.pictures import PictureError
from course.recognizer.strokes import draw_digit, paste_digit
from course.recognizer.style_trial import ALL, trial_by_style
from course.recognizer.trial import trial


class Fixed:
    """Reads what it is told to, or the one of the test digits that looks most alike."""

    def __init__(self, answer=None, known=None):
        self.answer, self.known = answer, known

    def forward(self, x):
        if self.known is None:
            return np.tile(np.eye(10)[self.answer], (len(x), 1))
        images, labels = self.known
        flat = mnist.to_float(images).reshape(len(images), -1)
        nearest = ((x[:, None] - flat) ** 2).sum(axis=2).argmin(axis=1)
        return np.eye(10)[labels[nearest]]


@pytest.fixture(scope="module")
def digits():
    sample = mnist.load(mnist.CLONE_DATA / "sample")
    return sample.test_images[:50], sample.test_labels[:50]  # five of each class, in turn


@pytest.fixture(scope="module")
def result(digits):
    return trial({"seven": Fixed(7), "nearest": Fixed(known=digits)}, *digits, drawings=40)


def test_shares_are_those_of_the_right_answers(result, digits):
    sevens = np.mean(digits[1] == 7)
    assert [row["seven"] for row in result.read_right.values()] == [sevens] * 4 + [0.1] * 2
    nearest = [row["nearest"] for row in result.read_right.values()]
    assert nearest[:2] == [1, 1]  # each of them is the nearest to itself
    assert nearest[2] > 0.9 > 0.6 > nearest[3]  # normalized it finds them again, raw it does not
    assert nearest[4] > nearest[5]


def test_most_digits_are_left_as_they_are(result):
    assert result.unchanged == 1 and result.moved == 0  # none of these has hairlines
    assert result.same_answer == {"seven": 1, "nearest": 1}


def test_a_digit_that_lies_elsewhere_is_told_as_moved(digits):
    images = np.roll(digits[0][:10], 1, axis=2)
    found = trial({"seven": Fixed(7)}, images, digits[1][:10], drawings=10)
    assert (found.unchanged, found.moved) == (0, 1)


def test_the_seed_decides_over_places_and_sizes(digits, monkeypatch):
    seen = []
    for name, real in (("paste_digit", paste_digit), ("draw_digit", draw_digit)):

        def noted(*arguments, real=real):
            made = real(*arguments)
            seen.append(np.asarray(made).tobytes() if isinstance(made, np.ndarray) else str(made))
            return made

        monkeypatch.setattr(f"course.recognizer.trial.{name}", noted)
    runs = []
    for seed in (1, 1, 2):
        seen.clear()
        trial({"seven": Fixed(7)}, digits[0][:5], digits[1][:5], drawings=10, seed=seed)
        runs.append(list(seen))
    assert runs[0] == runs[1] != runs[2]
    assert len(set(runs[0])) == 15


def test_it_prints_a_table(result):
    lines = str(result).splitlines()
    assert lines[0].split() == ["read", "right", "seven", "nearest"]
    assert lines[1].split() == ["test", "digits", "10.00%", "100.00%"]
    assert len(lines) == 11 and max(map(len, lines)) < 90


@pytest.fixture(scope="module")
def by_style():
    return trial_by_style({"seven": Fixed(7), "six": Fixed(6)}, range(2))


def shares_of(digit):
    """Style -> the share of it among the two drawings, by the rule that `drawings` states."""
    return {
        style: np.mean([(place + number) % 10 == digit for place in range(2)])
        for number, style in enumerate(STYLES)
    }


def test_each_style_has_its_share_and_all_have_theirs(by_style):
    sixes, sevens = shares_of(6), shares_of(7)
    assert list(by_style.read_right) == [*STYLES, ALL]
    for style, row in by_style.read_right.items():
        if style == ALL:
            assert row["seven"] == pytest.approx(np.mean([*sevens.values()]))
        else:
            assert (row["six"], row["seven"]) == (sixes[style], sevens[style])
        assert row["mean"] == row["six"]  # 6 and 7 are as probable, and the first is read


def test_a_picture_without_ink_counts_as_misread(monkeypatch):
    def empty(source):
        raise PictureError("nothing there")

    monkeypatch.setattr("course.recognizer.style_trial.read_canvas", empty)
    label = next(drawings(range(1))).label
    found = trial_by_style({"right": Fixed(label)}, range(1)).read_right
    assert next(iter(found.values())) == {"right": 0}  # of one model there is no mean


def test_the_styles_print_a_table(by_style):
    lines = str(by_style).splitlines()
    assert lines[0].split()[-3:] == ["seven", "six", "mean"]
    six, seven = (np.mean([*shares_of(digit).values()]) for digit in (6, 7))
    assert lines[-2].split() == ["all", "styles", f"{seven:.1%}", f"{six:.1%}", f"{six:.1%}"]
    assert lines[-1].startswith("2 digits") and len(lines) == len(STYLES) + 3


def test_the_command(tmp_path, capsys, monkeypatch):
    """Of few drawings: tests/full has all of them."""
    few = functools.partial(trial, drawings=40)
    monkeypatch.setattr("course.recognizer.trial.trial", few)
    by_two = functools.partial(trial_by_style, writers=range(2))
    monkeypatch.setattr("course.recognizer.style_trial.trial_by_style", by_two)
    models.save(tmp_path / "own", MLP(1, hidden=8))
    sample = str(mnist.CLONE_DATA / "sample")
    assert main(["trial", "--model", str(tmp_path / "own"), "--data", sample, "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "have seen" in lines[1]
    found = json.loads(lines[-1])
    assert (found["digits"], found["drawings"]) == (1000, 40)
    assert all(0 < row["mlp"] < 0.5 for row in found["read_right"].values())
    assert found["by_style"]["writers"] == 2 and len(found["by_style"]["read_right"]) > 20
    assert main(["trial", "--model", "gone"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
