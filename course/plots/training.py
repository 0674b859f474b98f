"""How training went: loss, accuracy, time and learning rate over the epochs, of one run or several.

A run is a `course.records.Log`, the path of a log file, or a list of the epoch records that the
training loop hands out. Several runs are a list of those, or a dict from name to run.
"""

import dataclasses
import os

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from course.nn.training import EpochRecord
from course.plots.style import (
    GRAY,
    TRAINING,
    VALIDATION,
    axes_or_new,
    describe,
    looks_of,
    plain,
    styled,
)
from course.plots.words import course_of, sentence
from course.records import Log, as_log


def as_logs(runs) -> list[Log]:
    """`runs` in any of the forms above, as a list of logs."""
    if isinstance(runs, dict):
        return [dataclasses.replace(as_log(run), name=str(name)) for name, run in runs.items()]
    if isinstance(runs, Log | str | os.PathLike):
        return [as_log(runs)]
    runs = list(runs)
    if runs and isinstance(runs[0], EpochRecord):
        return [as_log(runs)]
    return [as_log(run, f"run {number}") for number, run in enumerate(runs, start=1)]


def run_looks(logs) -> list[dict]:
    """The color and the marker of each run: those of the model its name begins with, or free."""
    return looks_of([log.name for log in logs])


def draw_column(ax, log, name, **look):
    """Draw one column of `log` over its epochs, with a marker at up to 30 of them."""
    values = getattr(log, name)
    measured = np.isfinite(values)
    every = max(1, measured.sum() // 15) if measured.sum() > 30 else 1
    return ax.plot(log.epoch[measured], values[measured], markevery=every, **look)


def in_words(log, name, form="{:.3g}"):
    """Say how a column of `log` went; empty if it was not measured."""
    return course_of(getattr(log, name), form)


def lasting(log, logs):
    """Name a run, where there are several, and say how long it was."""
    name = f"{log.name} " if len(logs) > 1 else ""
    return f"{name}over {len(log)} epoch{'s' * (len(log) != 1)}"


def label_axes(ax, logs, quantity, title):
    """Title and axis labels; the epochs logarithmic where one run is far longer than another."""
    lengths = [log.epoch[-1] for log in logs if len(log)]
    if lengths and max(lengths) > 30 * min(lengths):
        ax.set_xscale("log")
    else:
        ax.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True, min_n_ticks=1))
    ax.set(xlabel="epoch", ylabel=quantity, title=title)


def draw_runs(ax, runs, name, quantity, title, form="{:.3g}"):
    """Draw one column of every run, with a legend where there is more than one."""
    ax, logs = axes_or_new(ax), as_logs(runs)
    for log, look in zip(logs, run_looks(logs), strict=True):
        draw_column(ax, log, name, label=plain(log.name), **look)
    went = [in_words(log, name, form) or "not measured" for log in logs]
    said = [f"{lasting(log, logs)} {words}" for log, words in zip(logs, went, strict=True)]
    describe(ax, sentence(title, said))
    label_axes(ax, logs, quantity, title)
    if len(logs) > 1:
        ax.legend()
    return ax


@styled
def losses(runs, ax=None, title="Loss per epoch"):
    """Training loss (solid) and validation loss (dashed) over the epochs; returns the Figure.

    The loss axis is logarithmic where the losses span more than a factor of 100.
    """
    ax, logs = axes_or_new(ax), as_logs(runs)
    looks = run_looks(logs)
    if len(logs) == 1:  # then color can tell the losses apart instead of the runs
        looks[0]["color"] = TRAINING
    for log, look in zip(logs, looks, strict=True):
        draw_column(ax, log, "train_loss", **look, label="training")
        dashed = look | ({"color": VALIDATION} if len(logs) == 1 else {})
        draw_column(ax, log, "val_loss", **dashed, label="validation", linestyle="--")
    describe(ax, losses_in_words(logs, title))
    label_axes(ax, logs, "loss", title)

    if spans_widely([value for line in ax.lines for value in line.get_ydata()]):
        ax.set_yscale("log")
    if len(logs) == 1:
        ax.legend(handles=[line for line in ax.lines if len(line.get_xdata())])
    elif logs:
        ax.legend(handles=loss_keys(logs, looks))
    return ax.figure


def spans_widely(values, factor=100):
    """Whether `values` are all above zero and the greatest is over `factor` times the least."""
    return len(values) > 0 and 0 < factor * min(values) < max(values)


def losses_in_words(logs, title):
    """Say how the losses of every run went."""
    parts = []
    for log in logs:
        validation = in_words(log, "val_loss")
        parts.append(f"{lasting(log, logs)}, training {in_words(log, 'train_loss')}")
        parts[-1] += f", validation {validation}" if validation else ""
    return sentence(title, parts)


def loss_keys(logs, looks):
    """The legend of `losses`: which look is which run, and which line is which loss."""
    keys = [
        Line2D([], [], **look, label=plain(log.name)) for look, log in zip(looks, logs, strict=True)
    ]
    keys.append(Line2D([], [], color=GRAY, label="training"))
    if any(np.isfinite(log.val_loss).any() for log in logs):
        keys.append(Line2D([], [], color=GRAY, linestyle="--", label="validation"))
    return keys


@styled
def accuracies(runs, ax=None, title="Validation accuracy per epoch"):
    """Validation accuracy over the epochs; returns the Figure."""
    ax = draw_runs(ax, runs, "val_accuracy", "accuracy", title, "{:.2%}")
    show_percent(ax.yaxis)
    return ax.figure


def show_percent(axis):
    """Write the fractions along `axis` as percentages, with no more digits than they need."""
    axis.set_major_formatter(FuncFormatter(lambda fraction, _: f"{100 * fraction:.5g}%"))


@styled
def learning_rates(runs, ax=None, title="Learning rate"):
    """The learning rate over the epochs, which shows what a schedule did; returns the Figure."""
    ax = draw_runs(ax, runs, "learning_rate", "learning rate", title)
    return ax.figure


@styled
def times(runs, ax=None, title="Time per epoch"):
    """Seconds of training in each epoch; returns the Figure."""
    ax = draw_runs(ax, runs, "seconds_per_epoch", "seconds", title)
    ax.set_ylim(bottom=0)
    return ax.figure


@styled
def cumulative_times(runs, ax=None, title="Time since the start"):
    """Seconds of training up to the end of each epoch; returns the Figure."""
    ax = draw_runs(ax, runs, "seconds", "seconds", title)
    ax.set_ylim(bottom=0)
    return ax.figure
