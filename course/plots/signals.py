"""What a training run shows of itself, for whoever wonders why it does not learn.

Bands are what the doctor (`course.nn.doctor`) takes for healthy: it speaks of what lies outside.
"""

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import MaxNLocator

from course.nn.doctor.network import DEAD, FLOW
from course.nn.doctor.run import FAR, HEALTHY_RATIO, NEAR
from course.plots.style import (
    GRAY,
    GREEN,
    OCHRE,
    PALE,
    SERIES,
    TRAINING,
    axes_or_new,
    describe,
    looks_of,
    plain,
    styled,
    subplots,
)
from course.plots.training import show_percent
from course.plots.words import course_of, sentence

FLOOR = 1e-12  # of what is drawn on logarithmic axes
MUCH = 3.0  # times the loss of guessing: from there on the axis of the loss is logarithmic
MANY = 3  # lines whose names find room beside them


@styled
def learning_rate_sweep(sweep, used=None, ax=None, title="Loss while the learning rate grows"):
    """The losses of a `course.nn.rate_sweep.Sweep`, the usable rates, and the one suggested.

    `used` is a learning rate to mark besides. Returns the Figure.
    """
    ax, text = axes_or_new(ax), f"{title}. {sweep}"
    ax.plot(sweep.rates, sweep.losses, color=PALE, linewidth=0.8, label="each batch")
    ax.plot(sweep.rates, sweep.smoothed, color=TRAINING, label="smoothed")
    if sweep.usable:
        ax.axvspan(*sweep.usable, color=GREEN, alpha=0.12, label="usable")
        ax.axvline(sweep.suggestion, color=TRAINING, linestyle="--", label="try this")
    if used is not None:
        ax.axvline(used, color=OCHRE, linestyle=":", label="used")
        text += f" The rate that was used, {used:.2g}, is marked."
    ax.set(xscale="log", xlabel="learning rate", ylabel="loss", title=title)
    if np.isfinite(sweep.losses[0]):
        ax.set_ylim(0, 1.5 * sweep.losses[0])  # how high it shoots in the end is of no interest
    ax.legend(loc="lower left")
    describe(ax, text)
    return ax.figure


@dataclass(frozen=True)
class Line:
    """One line of a chart, over the epochs `x` (n,); `y` (n,) may hold what is no number."""

    name: str
    x: list
    y: list
    dashed: bool = False


@dataclass(frozen=True)
class Chart:
    """One of the signals: its lines, the healthy band (low and high at each x), a dotted line."""

    title: str
    lines: list
    band: tuple = ((), (), ())  # x, low, high
    mark: float | None = None
    log: bool = False
    share: bool = False  # from 0 to 1

    @property
    def description(self):
        said = [f"{line.name} {course_of(line.y) or 'no finite number'}" for line in self.lines]
        return sentence(self.title, said or ["nothing seen"])


def charts(recorder):
    """The charts of what a `course.nn.recorder.Recorder` saw: loss, ratio, units, gradient."""
    points, end = recorder.points, length_of(recorder)
    ends = [0, end]
    return [
        loss_chart(recorder, ends),
        Chart(
            "Update-to-weight ratio",
            lines_of(points, "ratios"),
            (ends, [NEAR, NEAR], [FAR, FAR]),
            mark=HEALTHY_RATIO,
            log=True,
        ),
        Chart(
            "Dead or saturated units",
            lines_of(points, "silent"),
            (ends, [0, 0], [DEAD, DEAD]),
            share=True,
        ),
        Chart("Gradient at each layer", lines_of(points, "deltas"), flow_band(points), log=True),
    ]


def loss_chart(recorder, ends):
    points, guessing = recorder.points, recorder.guessing
    losses = [point.loss for point in points]
    lines = [Line("training", [point.epoch for point in points], losses)] if points else []
    records = recorder.trainer.records if recorder.trainer else []
    if validated := [record for record in records if record.val_loss is not None]:
        found = [record.val_loss for record in validated]
        lines.append(Line("validation", [r.epoch for r in validated], found, dashed=True))
    all_losses = [loss for line in lines for loss in line.y if math.isfinite(loss)]
    log = bool(guessing) and max(all_losses, default=0) > MUCH * guessing
    low = guessing / 100 if log else 0
    band = (ends, [low, low], [guessing, guessing]) if guessing else ((), (), ())
    return Chart("Loss", lines, band, mark=guessing, log=log)


def lines_of(points, kind):
    """The lines of one of the dicts of the points: one for each name."""
    seen = {}
    for point in points:
        for name, value in getattr(point, kind).items():
            x, y = seen.setdefault(name, ([], []))
            x.append(point.epoch)
            y.append(value)
    return [Line(name, x, y) for name, (x, y) in seen.items()]


def flow_band(points):
    """Where the doctor wants the gradients: around that of the last layer, at each step."""
    last = [(point.epoch, [*point.deltas.values()][-1]) for point in points if point.deltas]
    last = [(epoch, delta) for epoch, delta in last if 0 < delta < math.inf]
    x, middle = zip(*last, strict=True) if last else ((), ())
    return x, [delta / FLOW for delta in middle], [delta * FLOW for delta in middle]


def length_of(recorder):
    """How many epochs the run is to have."""
    return recorder.trainer.settings.epochs if recorder.trainer else 1


@styled
def signals(recorder):
    """What a `course.nn.recorder.Recorder` saw, with the healthy bands shaded; returns the Figure.

    Loss, update-to-weight ratio, silent units, and the gradient at each layer, over the epochs.
    """
    figure, axes = subplots(2, 2, figsize=(8.4, 4.8))
    for ax, chart in zip(axes.flat, charts(recorder), strict=True):
        draw_chart(ax, chart)
        ax.set_xlim(0, length_of(recorder))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return figure


def draw_chart(ax, chart):
    """Draw a Chart; the lines of a logarithmic one end at FLOOR."""
    ax.fill_between(*chart.band, color=GREEN, alpha=0.12, linewidth=0)
    if chart.mark:
        ax.axhline(chart.mark, color=GRAY, linestyle=":")
    looks = looks_of([line.name for line in chart.lines])
    for n, (line, look) in enumerate(zip(chart.lines, looks, strict=True)):
        y = np.maximum(line.y, FLOOR) if chart.log else line.y
        style = {"linestyle": "--" if line.dashed else "-", "markevery": max(1, len(y) // 8)}
        if n >= len(SERIES):  # the looks begin anew
            style |= {"linestyle": "-.", "markerfacecolor": "white"}
        ax.plot(line.x, y, label=plain(line.name), **style, **look)
    ax.set(title=chart.title, xlabel="epoch")
    if chart.log:
        ax.set_yscale("log")
    else:
        ax.set_ylim(-0.02 * chart.share, 1.02 if chart.share else None)
    if chart.share:
        show_percent(ax.yaxis)
    if len(chart.lines) > MANY:
        ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=7)
    elif chart.lines:
        ax.legend()
    describe(ax, chart.description)
