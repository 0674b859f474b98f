"""What a learner predicted, beside what it was."""

import textwrap

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator

from course.plots.style import (
    BLUE,
    GRAY,
    GREEN,
    VERMILLION,
    axes_or_new,
    plain,
    styled,
    subplots,
)

ROW = 0.62  # inches for a question and its answer
WIDEST = 1e6  # factor beyond which a dot lies at the edge


@styled
def sketch(answer, result, x_name, y_name, x, y, ax=None, title=""):
    """A sketched curve, if there is one, and what it was; returns the Figure.

    answer, result: lists of (x, y), or None. x, y: from where to where the axes went for the
    sketch; they are widened where the result needs it.
    """
    ax = axes_or_new(ax, figsize=(4.8, 3.0))
    if answer is not None:
        ax.plot(*np.transpose(answer), "--", color=VERMILLION, label="you")
    ax.plot(*np.transpose(result), color=BLUE, label="it was")
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    ax.set_xlim(min(left, x[0]), max(right, x[1]))
    ax.set_ylim(min(bottom, y[0]), max(top, y[1]))
    ax.set(xlabel=x_name, ylabel=y_name, title=plain(title))
    if answer is not None:
        ax.legend()
    return ax.figure


@styled
def predictions(numbers, choices, curves=()):
    """All predictions of a lesson, and how good they were; returns the Figure.

    numbers: (question, factor, sentence) each, the factor being above 1 where the answer was too
    high, or None. choices: (question, whether it was right, sentence) each. curves: arguments of
    `sketch`, after a question, each.
    """
    parts = [part for part in (numbers, choices, curves) if part]
    heights = [len(part) * (2.4 if part is curves else ROW) + 0.7 for part in parts]
    figure, axes = subplots(
        len(parts), 1, figsize=(8.6, sum(heights)), squeeze=False, height_ratios=heights
    )
    panels = iter(axes[:, 0])
    if numbers:
        draw_factors(next(panels), numbers)
    if choices:
        draw_choices(next(panels), choices)
    if curves:
        draw_curves(next(panels), curves)
    return figure


def draw_factors(ax, rows):
    """A dot for each number: at 1 it was right, within the gray band near."""
    factors = [factor for _, factor, _ in rows if factor]
    most = min(WIDEST, max([10, *(max(f, 1 / f) for f in factors)]))
    ax.axvspan(0.5, 2, color=GREEN, alpha=0.15, linewidth=0)
    ax.axvline(1, color=GRAY, linewidth=1)
    for row, (_, factor, sentence) in enumerate(rows):
        if factor:
            near = 0.5 <= factor <= 2
            place = np.clip(factor, 1 / most, most)
            ax.plot(place, row, "o" if near else "D", color=GREEN if near else VERMILLION)
        ax.text(1 / most / 1.3, row + 0.36, plain(sentence), fontsize=8, va="center", color=GRAY)
    name_rows(ax, [question for question, _, _ in rows])
    ax.set_xscale("log")
    ax.set_xlim(1 / most / 1.5, most * 1.5)
    ax.xaxis.set_major_locator(LogLocator(numticks=7))
    ax.xaxis.set_major_formatter(FuncFormatter(factor_label))
    ax.minorticks_off()
    ax.set(xlabel="too low  ←  times what it was  →  too high", title="Numbers")


def factor_label(factor, position=None):
    """A factor as a learner would say it: 1/100, 1, 100."""
    return f"{factor:,.0f}" if factor >= 1 else f"1/{1 / factor:,.0f}"


def draw_choices(ax, rows):
    """A word for each choice: right or wrong."""
    for row, (_, is_right, sentence) in enumerate(rows):
        word, color = ("right", GREEN) if is_right else ("wrong", VERMILLION)
        ax.text(0.01, row, word, color=color, weight="bold", va="center")
        ax.text(0.01, row + 0.36, plain(sentence), fontsize=8, va="center", color=GRAY)
    name_rows(ax, [question for question, _, _ in rows])
    ax.set(xlim=(0, 1), xticks=[], title="Choices")
    ax.spines["bottom"].set_visible(False)


def draw_curves(ax, rows):
    """One small figure below another for each sketch."""
    ax.axis("off")
    ax.set_title("Sketches")
    for row, (question, *curve) in enumerate(rows):
        height = 1 / len(rows)
        inset = ax.inset_axes((0.06, 1 - (row + 0.85) * height, 0.6, 0.62 * height))
        sketch(*curve, ax=inset, title=question)


def name_rows(ax, names):
    """One row for each name, from the top; lines that would be too long are broken."""
    ax.set_yticks(range(len(names)), [textwrap.fill(plain(name), 38) for name in names])
    ax.set_ylim(len(names) - 0.35, -0.55)
    ax.tick_params(axis="y", length=0, labelsize=9)
    ax.grid(visible=False, axis="y")
