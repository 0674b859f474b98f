"""What a learner predicted, beside what it was."""

import textwrap

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator

from course.plots.style import (
    GRAY,
    MISTAKE,
    SERIES,
    TRUTH,
    axes_or_new,
    describe,
    plain,
    styled,
    subplots,
)
from course.plots.words import course_of, sentence

ROW = 0.6  # inches for a question and its answer
WIDEST = 1e6  # factor beyond which a dot lies at the edge


@styled
def sketch(answer, result, x_name, y_name, x, y, ax=None, title=""):
    """A sketched curve, if there is one, and what it was; returns the Figure.

    answer, result: lists of (x, y), or None. x, y: from where to where the axes went for the
    sketch; they are widened where the result needs it.
    """
    ax = axes_or_new(ax, figsize=(4.8, 3.0))
    if answer is not None:
        ax.plot(*np.transpose(answer), "--", color=SERIES[1], label="you")
    ax.plot(*np.transpose(result), color=SERIES[0], label="it was")
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    ax.set_xlim(min(left, x[0]), max(right, x[1]))
    ax.set_ylim(min(bottom, y[0]), max(top, y[1]))
    ax.set(xlabel=x_name, ylabel=y_name, title=plain(title))
    if answer is not None:
        ax.legend()
    curves = {"you": answer, "it was": result}
    said = [f"{name} {course_of([y for _, y in curve])}" for name, curve in curves.items() if curve]
    describe(ax, sentence(title or f"The curve of {y_name} by {x_name}", said))
    return ax.figure


@styled
def predictions(numbers=(), choices=(), curves=()):
    """All predictions of a lesson, and how good they were; returns the Figure.

    numbers: (question, answer, result, factor) each, the first three as texts; the factor is above
    1 where the answer was too high, and None where there is none. choices: (question, answer,
    result) each. curves: a question and the arguments of `sketch`, each.
    """
    heights = [len(rows) * ROW + 0.6 for rows in (numbers, choices) if rows]
    heights += [2.4] * len(curves)
    figure, axes = subplots(
        len(heights), 1, figsize=(8.6, sum(heights)), squeeze=False, height_ratios=heights
    )
    panels = iter(axes[:, 0])
    if numbers:
        draw_numbers(next(panels), numbers)
    if choices:
        draw_choices(next(panels), choices)
    for question, *curve in curves:
        sketch(*curve, ax=next(panels), title=question)
    return figure


def draw_numbers(ax, rows):
    """A mark for each number: at 1 it was right; a circle, within the band, was near."""
    factors = [factor for *_, factor in rows if factor]
    most = min(WIDEST, max([10, *(max(factor, 1 / factor) for factor in factors)]))
    ax.axvspan(0.5, 2, color=TRUTH, alpha=0.15, linewidth=0)
    ax.axvline(1, color=GRAY, linewidth=1)
    for row, (*_, factor) in enumerate(rows):
        if factor:
            marker, color = ("o", TRUTH) if 0.5 <= factor <= 2 else ("D", MISTAKE)
            ax.plot(np.clip(factor, 1 / most, most), row, marker, color=color, markersize=7)
    write_rows(ax, rows)
    describe(ax, sentence("Numbers", [f"{q} you {a}, it was {r}" for q, a, r, _ in rows]))
    ax.set(xscale="log", xlim=(1 / most / 1.6, most * 1.6), title="Numbers")
    ax.set_xlabel("too low  ←  your answer, times what it was  →  too high")
    ax.xaxis.set_major_locator(LogLocator(numticks=7))
    ax.xaxis.set_major_formatter(FuncFormatter(factor_label))
    ax.minorticks_off()


def factor_label(factor, position=None):
    """A power of ten as one would say it: 1/100, 1, 100."""
    return f"{factor:,.0f}" if factor >= 1 else f"1/{1 / factor:,.0f}"


def draw_choices(ax, rows):
    """A word for each choice: right or wrong."""
    for row, (_, answer, result) in enumerate(rows):
        word, color = ("right", TRUTH) if answer == result else ("wrong", MISTAKE)
        ax.text(0.5, row, word, color=color, weight="bold", ha="center", va="center")
    write_rows(ax, rows)
    describe(ax, sentence("Choices", [f"{q} you {a}, it was {r}" for q, a, r in rows]))
    ax.set(xlim=(0, 1), xticks=[], title="Choices")
    ax.spines["bottom"].set_visible(False)


def write_rows(ax, rows):
    """Each row's question on the left; on the right what was answered, and what it was."""
    ax.set_yticks(range(len(rows)), [broken(question, 40) for question, *_ in rows])
    for row, (_, answer, result, *_) in enumerate(rows):
        text = f"{broken(f'You: {answer}')}\n{broken(f'It was: {result}')}"
        place = {"transform": ax.get_yaxis_transform(), "va": "center"}
        ax.text(1.03, row, text, fontsize=8, linespacing=1.4, **place)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0, labelsize=9)
    ax.grid(visible=False, axis="y")


def broken(text, width=30):
    """A text in lines that are not too long; of more than three the rest is left out."""
    lines = textwrap.wrap(plain(text), width, max_lines=3, placeholder=" …")
    return "\n".join(lines)
