"""One look for every figure of the course.

Colors are those of Okabe and Ito ("Color Universal Design", 2008), which readers with any of the
common color-vision deficiencies can tell apart, most of them a little darker, for lines on white.
Each stands for one thing; orange is a mistake and nothing else. No meaning is left to color alone:
beside it stands a word, a marker or a line style. The background is opaque white, so that a figure
reads the same in JupyterLab's light and dark themes, on GitHub and on paper.

Every figure says in `alt` what it shows, for whoever does not see it: the functions `describe` what
they draw, and a notebook stores that with the picture. JupyterLab gives only pictures in HTML an
alternative text, and as HTML they would be twice in the notebook or compared to the pixel. So the
PNG holds its text, too, and the course's widgets name the pictures of their page by it
(`widgets/common.js`).

Nothing here changes Matplotlib's global settings or touches `pyplot`: a function decorated with
`styled` sees the style only while it runs, and a figure appears in a notebook exactly when it is
the value of a cell.
"""

import functools
import io
import math
from base64 import b64encode

import matplotlib
import matplotlib.figure
from cycler import cycler
from matplotlib.patheffects import withStroke
from PIL.PngImagePlugin import PngInfo

from course.nn.text import visible

BLUE, OCHRE, GREEN, PURPLE = "#0072B2", "#9A6F00", "#00795A", "#A8497F"
VERMILLION, SKY, YELLOW = "#B84E00", "#56B4E9", "#F0E442"
BLACK, GRAY, PALE = "#222222", "#767676", "#949494"

SERIES = (BLUE, OCHRE, GREEN, PURPLE, BLACK, GRAY)  # lines beside each other
MARKERS = ("o", "s", "^", "D", "v", "P")  # theirs, as well
MISTAKE = VERMILLION  # an answer that is wrong
TRUTH = GREEN  # the right one
ANSWER = BLUE  # what a network says
TRAINING, VALIDATION = BLUE, OCHRE  # solid, and dashed
FOCUS, PLACE = SKY, YELLOW  # over pictures: what the text speaks of, and where it is seen from

# A model keeps its color and its marker in every figure that names it.
MODELS = ("mlp", "cnn", "attention", "xor")

DIGITS = "gray"  # white strokes on black, as MNIST stores them
AMOUNTS = "Blues"  # numbers from zero upwards, on a light ground
ACTIVITY = "viridis"  # numbers from zero upwards, on a dark ground
SIGNED = "RdBu"  # numbers around zero: red below, white at zero, blue above

STYLE = {
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "axes.facecolor": "white",
    "axes.prop_cycle": cycler(color=SERIES),
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

    @property
    def alt(self):
        """The alternative text: what was said of the figure, or of its axes, or their titles."""
        said = [getattr(part, "description", "") for part in (self, *self.axes)]
        titles = [ax.get_title(loc="left") or ax.get_title() for ax in self.axes]
        return said[0] or " ".join(filter(None, said)) or "; ".join(filter(None, titles))

    def _repr_png_(self) -> bytes:
        png, about = io.BytesIO(), PngInfo()
        about.add_itxt("Description", self.alt)
        self.savefig(png, format="png", pil_kwargs={"pnginfo": about})
        return png.getvalue()

    def _repr_mimebundle_(self, include=None, exclude=None):
        """The picture, and its alternative text where notebooks look for it.

        As text, which every kernel takes: that of a browser encodes no bytes in live displays.
        """
        return {"image/png": base64_text(self._repr_png_())}, alt_metadata(self.alt)


def base64_text(png):
    """A picture's bytes as they stand in a notebook."""
    return b64encode(png).decode()


def alt_metadata(alt):
    """The metadata of an output that give its picture an alternative text."""
    return {"image/png": {"alt": alt}} if alt else {}


def describe(drawn, text):
    """Say in a sentence or two what was drawn: in `drawn`, a figure or one of its axes."""
    drawn.description = visible(text)


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


def outlined():
    """The path effect that lets a light line be seen on any picture: a dark edge around it."""
    return [withStroke(linewidth=4.5, foreground=BLACK)]


def looks_of(names) -> list[dict]:
    """The color and the marker of each name: a model's own, if it begins with one, or free ones."""
    places = [MODELS.index(first) if (first := name.split(" ")[0]) in MODELS else None
              for name in names]  # fmt: skip
    for index, place in enumerate(places):
        if place is None or place in places[:index]:
            free = [place for place in range(len(SERIES)) if place not in places]
            places[index] = free[0] if free else index % len(SERIES)
    return [{"color": SERIES[place], "marker": MARKERS[place]} for place in places]


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
