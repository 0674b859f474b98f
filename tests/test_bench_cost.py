"""`bench cost`: its curves, its trend, and what it says of a step that leaves the trend."""

import json
from pathlib import Path

import numpy as np
import pytest

from course.benchmark import cost
from course.nn import shares

pytestmark = pytest.mark.usefixtures("elsewhere")


def test_the_trend_is_a_power_and_a_step_off_it_is_told():
    values = np.array([1, 2, 4, 8, 16])
    assert cost.trend(values, 3 * values**1.5) == {
        "slope": pytest.approx(1.5),
        "off_trend": 5 * [None],
    }
    bumped = cost.trend(values, 3 * values**1.5 * [1, 1, 4, 1, 1])
    assert bumped["slope"] == pytest.approx(1.5)
    assert bumped["off_trend"] == [None, None, pytest.approx(4), pytest.approx(1 / 4), None]
    assert cost.trend([1], [2.0]) == {"slope": None, "off_trend": [None]}


class Steady:
    """A point that takes a millisecond for each digit."""

    batch_size = 4
    count_for = cost.Point.count_for

    def __init__(self):
        self.asked = []

    def seconds(self, x, y):
        self.asked.append(len(x))
        return len(x) * 0.001


@pytest.mark.parametrize(("least", "count"), [(0.001, 4), (0.03, 32), (9, 100)])
def test_a_part_of_the_epoch_is_enough(least, count):
    x, points = np.zeros(100), [Steady(), Steady()]
    found = cost.measure_points(points, x, x, rounds=3, least=least)
    assert found == {"seconds": 2 * [pytest.approx(0.1)], "digits": [count, count]}
    assert points[0].asked[-3:] == [count] * 3


def test_every_axis_is_measured(course):
    options = ["--samples", "16", "--rounds", "1", "--least-seconds", "1e-9", "--json"]
    code, lines, _ = course("bench", "cost", *options, "--out", "new/cost.json")
    assert code == 0
    curves = json.loads(lines[-1])
    cores = min(2, shares.CORES)
    expected = [
        (model, axis.label, [*axis.values][: cores if name == "cores" else None])
        for name, axis in cost.AXES.items()
        for model in axis.models
    ]
    assert [(curve["model"], curve["axis"], curve["values"]) for curve in curves] == expected
    assert all(min(curve["seconds"]) > 0 for curve in curves)
    saved = json.load(open("new/cost.json"))
    assert saved["results"] == curves and "cores" in saved["machine"]
    assert set(cost.table(curves).splitlines()) <= set(lines)


def test_sizes_are_those_of_the_models():
    sizes = {
        "hidden": lambda trainer: trainer.model.config["hidden"],
        "channels": lambda trainer: trainer.model.config["channels"],
        "tokens": lambda trainer: trainer.model.tokens,
        "batch": lambda trainer: trainer.settings.batch_size,
    }
    for name, size in sizes.items():
        axis = cost.AXES[name]
        for value in axis.values[:2]:
            point = cost.Point(axis.models[0], "sgd", **axis.setup(value))
            assert size(point.trainer) == value


def test_the_table_marks_what_is_off_the_trend():
    curve = {"model": "mlp", "axis": "hidden units", "values": [64, 128], "seconds": [0.5, 4.0]}
    rows = cost.table([curve | {"slope": 0.875, "off_trend": [None, 1.625]}]).splitlines()
    assert rows == [
        "mlp: seconds an epoch by hidden units, slope 0.88",
        "      64       0.5",
        "     128         4   off the trend: a step 1.6 times as large",
    ]


def test_the_readme_tells_what_was_measured_and_explains_every_step_off_the_trend():
    root = Path(__file__).parents[1]
    text = (root / "README.md").read_text(encoding="utf-8")
    paragraphs = " ".join(text.split())
    for curve in json.loads((root / "logs/cost.json").read_text(encoding="utf-8"))["results"]:
        (row,) = (
            line for line in text.splitlines() if f"| {curve['model']}, {curve['axis']} |" in line
        )
        _, _, sizes, seconds, slope, _ = row.split("|")
        assert [int(size) for size in sizes.split(",")] == curve["values"]
        assert [float(s) for s in seconds.split(",")] == [
            float(f"{s:.2g}") for s in curve["seconds"]
        ]
        assert float(slope) == round(curve["slope"], 2)
        for before, value, off in zip(
            curve["values"], curve["values"][1:], curve["off_trend"][1:], strict=False
        ):
            if off:
                assert f"rom {before} to {value} {curve['axis']}" in paragraphs
