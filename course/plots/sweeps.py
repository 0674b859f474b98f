"""What a sweep found: settings against accuracy, runs that are given up, luck that is chosen."""

import numpy as np

from course.plots.style import (
    AMOUNTS,
    BLACK,
    BLUE,
    GRAY,
    MISTAKE,
    OCHRE,
    PALE,
    axes_or_new,
    describe,
    looks_of,
    styled,
)
from course.plots.training import show_percent
from course.plots.words import extent_of, listed, sentence

WORDS = {"val_accuracy": "accuracy on held-out digits", "test_accuracy": "test accuracy"}


@styled
def accuracy_against_setting(sweep, setting, by=None, quantity="val_accuracy", ax=None, least=0.0):
    """What each value of a setting reaches: mean and spread over seeds; returns the Figure.

    sweep: a `course.sweep.table.Sweep`; setting: the name of a number in it; by: of a second
    setting, which gets a line for each value. The bands are one sample standard deviation to
    either side. Runs that diverged are left out and marked by a cross at the bottom. `least` is
    where the axis of accuracies begins.
    """
    ax, said = axes_or_new(ax), []
    names = [""] if by is None else [str(value) for value in dict.fromkeys(sweep[by].tolist())]
    for name, look in zip(names, looks_of(names), strict=True):
        runs = sweep if by is None else sweep.take(sweep[by].astype(str) == name)
        values, means, spreads, lost = means_of(runs, setting, quantity)
        ax.plot(values, means, label=name, **look)
        ax.fill_between(values, means - spreads, means + spreads, color=look["color"], alpha=0.15)
        cross = {"color": MISTAKE, "marker": "x", "linestyle": "", "clip_on": False}
        ax.plot(values[lost > 0], np.full(np.sum(lost > 0), least), **cross)
        said.append(line_in_words(name, setting, values, means, spreads, lost))
    title = f"{WORDS[quantity].capitalize()} by {setting.replace('_', ' ')}"
    ax.set(xlabel=setting.replace("_", " "), ylabel=WORDS[quantity], title=title)
    if values.min() > 0 and values.max() >= 10 * values.min():
        ax.set_xscale("log")
    ax.set_ylim(least, 1.0)
    show_percent(ax.yaxis)
    describe(ax, sentence(title, said))
    if by is not None:
        ax.legend()
    return ax.figure


def means_of(runs, setting, quantity):
    """Arrays (values,): the values of a setting, mean and deviation of the runs, how many diverged.

    The mean is NaN where all runs diverged, and the deviation 0 where there is one run.
    """
    values = np.unique(runs[setting])
    means, spreads = np.full(len(values), np.nan), np.zeros(len(values))
    lost = np.zeros(len(values), int)
    for place, value in enumerate(values):
        reached = runs[quantity][runs[setting] == value]
        good = reached[np.isfinite(reached)]
        lost[place] = len(reached) - len(good)
        if len(good):
            means[place] = good.mean()
        if len(good) > 1:
            spreads[place] = good.std(ddof=1)
    return values, means, spreads, lost


def line_in_words(name, setting, values, means, spreads, lost):
    """A line of the figure as text: where it is best, and where runs diverged."""
    text = f"{name} " if name else ""
    if np.isfinite(means).any():
        best = int(np.nanargmax(means))
        text += f"is best at {setting.replace('_', ' ')} {values[best]:g}, "
        text += f"{means[best]:.2%} ± {spreads[best]:.2%}"
    if lost.any():
        where = listed(f"{value:g}" for value in values[lost > 0])
        text += f", {lost.sum()} diverged, at {where}"
    return text.strip()


@styled
def accuracy_map(sweep, across, down, quantity="val_accuracy", ax=None, least=0.0):
    """Two settings at a time: the mean over seeds of each pair of values; returns the Figure.

    sweep: as for `accuracy_against_setting`; across, down: names of settings. A pair with runs that
    diverged has their number below its mean. `least` is where the scale of colors begins.
    """
    columns, rows = (list(dict.fromkeys(sorted(sweep[name].tolist()))) for name in (across, down))
    ax = axes_or_new(ax, figsize=(1.2 + 0.8 * len(columns), 1.3 + 0.6 * len(rows)))
    means = np.full((len(rows), len(columns)), np.nan)
    for place in np.ndindex(means.shape):
        runs = sweep.where(**{down: rows[place[0]], across: columns[place[1]]})
        good = runs[quantity][np.isfinite(runs[quantity])]
        means[place] = good.mean() if len(good) else np.nan
        lost = len(runs) - len(good)
        text = f"{means[place]:.1%}" if len(good) else "" if len(runs) else "–"
        text += f"\n{lost} diverged".lstrip("\n" if not text else "") if lost else ""
        color = "white" if means[place] - least > 0.6 * (1 - least) else BLACK
        ax.text(*place[::-1], text, ha="center", va="center", fontsize=8, color=color)
    ax.imshow(means, cmap=AMOUNTS, vmin=least, vmax=1.0, aspect="auto")
    ax.set_xticks(range(len(columns)), [label(value) for value in columns])
    ax.set_yticks(range(len(rows)), [label(value) for value in rows])
    title = f"{WORDS[quantity].capitalize()}, mean over seeds"
    ax.set(xlabel=across.replace("_", " "), ylabel=down.replace("_", " "), title=title)
    ax.grid(visible=False)
    describe(ax, sentence(title, map_in_words(means, columns, rows)))
    return ax.figure


def label(value):
    """A value of a setting, short."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def map_in_words(means, columns, rows):
    """The best pair of each row as text."""
    for name, row in zip(rows, means, strict=True):
        if np.isfinite(row).any():
            best = int(np.nanargmax(row))
            yield f"{label(name)} is best at {label(columns[best])}, with {row[best]:.2%}"
        else:
            yield f"{label(name)} diverged throughout"


@styled
def halving(curves, halving, ax=None, title="Only the best go on", least=0.0):
    """Runs that end early, and the one that is left; returns the Figure.

    curves: (runs, epochs) accuracies; halving: a `course.sweep.choosing.Halving` of them. A run is
    drawn as far as it was trained. `least` is where the axis of accuracies begins.
    """
    ax = axes_or_new(ax)
    epochs = np.arange(1, len(halving.rungs) + 1)
    last = np.zeros(len(curves), int)  # the epochs that each run was trained for
    for epoch, rung in zip(epochs, halving.rungs, strict=True):
        last[rung] = epoch
    for run in np.argsort(last):
        ends = last[run] == len(epochs)
        color = BLUE if ends else PALE
        ax.plot(epochs[: last[run]], curves[run, : last[run]], color=color, linewidth=0.9,
                marker=".", markersize=4, alpha=0.9 if ends else 0.5)  # fmt: skip
    ax.plot(epochs, curves[halving.winner], color=OCHRE, marker="s", label="the winner")
    ax.set(xlabel="epoch", ylabel=WORDS["val_accuracy"], title=title)
    ax.set_xticks(epochs)
    top = np.nanmax(curves)
    ax.set_ylim(least, top + 0.05 * (top - least))
    show_percent(ax.yaxis)
    ax.legend(loc="lower right")
    said = [f"{len(rung)} runs in epoch {n}" for n, rung in zip(epochs, halving.rungs, strict=True)]
    reached = curves[halving.winner, -1]
    describe(ax, sentence(title, [*said, f"the winner reaches {reached:.2%}"]))
    return ax.figure


@styled
def chosen(val, test, ax=None, title="What was chosen by, and what it is worth"):
    """Each run's accuracy on the test digits over that on the held-out ones; returns the Figure.

    val, test: (runs,) fractions of 1. The winner by `val` has a ring; the dashed line is where
    runs lie that lose as much as all do on the mean.
    """
    ax, winner = axes_or_new(ax), int(np.argmax(val))
    ax.plot(val, test, "o", color=BLUE, alpha=0.4, label="a run")
    ends = np.array([val.min(), val.max()])
    lost = np.mean(val - test)
    ax.plot(ends, ends - lost, color=GRAY, linestyle="--", label="as all lose on the mean")
    ring = {"color": OCHRE, "markersize": 13, "fillstyle": "none", "markeredgewidth": 2}
    ax.plot(val[winner], test[winner], "o", label="the winner", **ring)
    ax.set(xlabel=WORDS["val_accuracy"], ylabel=WORDS["test_accuracy"], title=title)
    show_percent(ax.xaxis)
    show_percent(ax.yaxis)
    ax.legend(loc="upper left")
    said = [
        f"{len(val)} runs, {extent_of(val, '{:.2%}')} on held-out digits",
        f"the winner has {val[winner]:.2%} there and {test[winner]:.2%} on the test digits",
        f"all runs lose {lost:.2%} on the mean",
    ]
    describe(ax, sentence(title, said))
    return ax.figure
