"""How the cost of training grows: seconds an epoch against sizes, batches and cores.

What should grow like a power of the size, seconds ~ size^p, is a straight line where both axes are
logarithmic, and p is its slope. A step that leaves the line is worth a look: a cache that is full,
or a machine that did something else.
"""

import math
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from course import models
from course.benchmark import SAMPLES
from course.benchmark.course_side import digits, make_trainer
from course.nn import shares

LEAST_SECONDS = 0.3  # of training in one measurement
OFF = 1.5  # a step is off the trend when it is this many times as large or as small


class Axis(NamedTuple):
    """Something that can be larger or smaller, and which models are measured along it."""

    label: str
    models: tuple[str, ...]
    values: tuple[int, ...]
    setup: Callable  # value -> what it changes: "config" of the model, "batch_size" or "cores"


DIGIT_READERS = ("mlp", "cnn", "attention")
AXES = {
    "hidden": Axis(
        "hidden units",
        ("mlp",),
        tuple(2**k for k in range(6, 13)),
        lambda n: {"config": {"hidden": n}},
    ),
    "channels": Axis("channels", ("cnn",), (8, 16, 32, 64), lambda n: {"config": {"channels": n}}),
    "tokens": Axis(
        "tokens",
        ("attention",),
        (16, 49, 196),  # patches of 7x7, 4x4 and 2x2 pixels
        lambda n: {"config": {"patch": 28 // math.isqrt(n)}},
    ),
    "batch": Axis(
        "images a batch", DIGIT_READERS, (1, 4, 16, 64, 256, 1024), lambda n: {"batch_size": n}
    ),
    "cores": Axis("cores", DIGIT_READERS, (1, 2), lambda n: {"cores": n}),
}


class Point:
    """One setting, and how long it takes to train on `count` digits in it."""

    def __init__(self, model, optimizer, config=None, batch_size=None, cores=shares.CORES):
        self.batch_size = batch_size or models.recipe(model).batch_size
        self.trainer = make_trainer(models.build(model, **config or {}), optimizer, self.batch_size)
        self.cores = cores

    def seconds(self, x, y):
        """Train once on the digits x (count, 784), y (count,); return the seconds."""
        with shares.limit(self.cores):
            started = time.perf_counter()
            self.trainer.train_epoch(x, y)
            return time.perf_counter() - started

    def count_for(self, least, x, y):
        """Return how many digits take `least` seconds or more; all, if they take less."""
        count = min(self.batch_size, len(x))
        self.seconds(x[:count], y[:count])  # warm up
        while count < len(x) and self.seconds(x[:count], y[:count]) < least:
            count = min(2 * count, len(x))
        return count


def measure(
    axes=tuple(AXES), optimizer="sgd", rounds=5, samples=SAMPLES, least=LEAST_SECONDS, report=print
):
    """Measure along the AXES of these names; return a list of curves.

    A curve is a dict: `model`, `axis` (its label), `values`, and for each value `seconds` for an
    epoch of `samples` digits and `digits`, how many were trained on to know that: enough for
    `least` seconds, or all. The values take turns, `rounds` times, and `seconds` are medians.
    `slope` and `off_trend` are those of `trend`. `report` is told of each curve before it begins.
    """
    x, y = digits(samples)
    curves = []
    for axis in map(AXES.get, axes):
        values = axis.values
        if axis is AXES["cores"]:
            values = [count for count in values if count <= shares.CORES]
        for model in axis.models if values else ():
            report(f"{model}: {axis.label} {', '.join(map(str, values))}")
            points = [Point(model, optimizer, **axis.setup(value)) for value in values]
            curve = {"model": model, "axis": axis.label, "values": list(values)}
            curves.append(curve | measure_points(points, x, y, rounds, least))
            curves[-1].update(trend(values, curves[-1]["seconds"]))
    return curves


def measure_points(points, x, y, rounds, least):
    """Return the median seconds of an epoch at each point, and the digits that were enough."""
    counts = [point.count_for(least, x, y) for point in points]
    times = [[] for _ in points]
    for _ in range(rounds):
        for point, count, seconds in zip(points, counts, times, strict=True):
            seconds.append(point.seconds(x[:count], y[:count]) * len(x) / count)
    return {"seconds": [statistics.median(seconds) for seconds in times], "digits": counts}


def trend(values, seconds):
    """Return `slope`, the p of seconds ~ value^p, and `off_trend`, one entry for each value.

    The entry says how many times as large the step from the value before is as it would be on the
    trend, if that is more than OFF or less than 1 / OFF, and is None otherwise. A single value has
    no slope: None.
    """
    if len(values) < 2:
        return {"slope": None, "off_trend": [None]}
    x, y = np.log(values), np.log(seconds)
    slope = np.polyfit(x, y, 1)[0]
    steps = np.exp(np.diff(y) - slope * np.diff(x)).tolist()
    off = [step if max(step, 1 / step) > OFF else None for step in steps]
    return {"slope": float(slope), "off_trend": [None, *off]}


def table(curves) -> str:
    """The curves as text: a heading for each, then a line for each value."""
    lines = []
    for curve in curves:
        heading = f"{curve['model']}: seconds an epoch by {curve['axis']}"
        if curve["slope"] is not None:
            heading += f", slope {curve['slope']:.2f}"
        lines.append(heading)
        rows = zip(curve["values"], curve["seconds"], curve["off_trend"], strict=True)
        for value, seconds, off in rows:
            note = f"   off the trend: a step {off:.2g} times as large" if off else ""
            lines.append(f"{value:>8}{seconds:>10.3g}{note}")
    return "\n".join(lines)
