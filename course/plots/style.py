"""One look for every figure of the course.

Colors are those of Okabe and Ito ("Color Universal Design", 2008), which readers with any of the
common color-vision deficiencies can tell apart. The background is opaque white, so that a figure
reads the same in JupyterLab's light and dark themes, on GitHub and on paper.

Nothing here changes Matplotlib's global settings or touches `pyplot`: a function decorated with
`styled` sees the style only while it runs, and a figure appears in a notebook exactly when it is
the value of a cell.
"""

import functools
import io
import math

import matplotlib
import matplotlib.figure
from cycler import cycler

from course.nn.text import visible

BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, ORANGE, BLACK, GRAY = "#56B4E9", "#E69F00", "#222222", "#767676"
COLORS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)

# A model keeps its color in every figure that names it.
MODEL_COLORS = {"mlp": BLUE, "cnn": VERMILLION, "attention": GREEN, "xor": PURPLE}

DIGITS = "gray"  # white strokes on black, as MNIST stores them
AMOUNTS = "Blues"  # numbers from zero upwards, on a light ground
ACTIVITY = "viridis"  # numbers from zero upwards, on a dark ground
SIGNED = "RdBu"  # numbers around zero: red below, white at zero, blue above

STYLE = {
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "axes.facecolor": "white",
    "axes.prop_cycle": cycler(color=COLORS),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GRAY,
    "axes.labelcolor": BLACK,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.8,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "text.color": BLACK,
    "xtick.color": BLACK,
    "ytick.color": BLACK,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "image.interpolation": "nearest",
}


class Figure(matplotlib.figure.Figure):
    """A Matplotlib figure that a notebook can show without `pyplot` having been imported."""

    def draw(self, renderer):
        with matplotlib.rc_context(STYLE):  # Matplotlib makes some ticks only now
            super().draw(renderer)

    def _repr_png_(self) -> bytes:
        png = io.BytesIO()
        self.savefig(png, format="png")
        return png.getvalue()


def styled(function):
    """Decorator: the function draws in the course's style, and leaves no setting behind."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        with matplotlib.rc_context(STYLE):
            return function(*args, **kwargs)

    return wrapper


@styled
def subplots(rows=1, columns=1, figsize=(6.4, 4.0), **options):
    """A figure and its axes, as `pyplot.subplots` makes them, in the course's style.

    Use it to lay out several of the figures below side by side and pass each one its `ax`.
    `figsize` is (width, height) in inches, at 100 pixels an inch; other options go to
    `Figure.subplots`.
    """
    figure = Figure(figsize=figsize, layout="constrained")
    return figure, figure.subplots(rows, columns, **options)


def plain(name):
    """The name of a run as Matplotlib is to write it: what lies between dollars is no formula."""
    return visible(name).replace("$", r"\$")


def axes_or_new(ax, figsize=(6.4, 4.0)):
    """The axes to draw on: the caller's, or those of a new figure."""
    return subplots(figsize=figsize)[1] if ax is None else ax


def picture_grid(count, columns, cell=(1.0, 1.0), title=None, beside=0.0):
    """A figure of `count` picture axes in rows of `columns`, without ticks, frames or grid.

    `cell` is the width and height of one picture in inches, `beside` the room for a color scale.
    Returns (figure, list of axes).
    """
    columns = max(1, min(columns, count))
    rows = math.ceil(count / columns)
    heading = 0.45 if title else 0.0
    figsize = (columns * cell[0] + beside, rows * cell[1] + heading)
    figure, axes = subplots(rows, columns, figsize=figsize, squeeze=False)
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.05, wspace=0.02, hspace=0.02)
    for ax in axes.flat:
        ax.axis("off")
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    return figure, list(axes.flat[:count])
