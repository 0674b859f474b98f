"""A panel that follows a training run: the signals by which the doctor judges, and what it says."""

import math
import time
from pathlib import Path

import anywidget
from traitlets import Dict, Int, List, Unicode

from course import plots
from course.nn import doctor
from course.nn.recorder import Recorder
from course.plots.signals import charts, length_of
from course.plots.style import looks_of
from course.widgets.without_kernel import WithoutKernel

HERE = Path(__file__).parent
PARTS = ("common.js", "training_panel_chart.js", "training_panel.js")
INTERVAL = 0.25  # seconds between two messages to the page
MOST = 150  # points of a line in the page
ALL_WELL = "The doctor finds nothing wrong so far."


class TrainingPanel(WithoutKernel, Recorder, anywidget.AnyWidget):
    """An observer of the training loop: shows what a `Recorder` sees while it goes on.

    Show it first, then train:

    >>> panel = TrainingPanel(x, y)
    >>> display(panel)
    >>> RECIPE.trainer(model, observers=[panel]).fit(x, y)

    x (samples, ...) and y (samples,) are those that it trains on. All that it does takes about
    `share` of the time of training; `every` instead lets it look at every so many steps. Where no
    page is, there is a picture of how it ended.
    """

    _esm = "\n".join((HERE / name).read_text("utf-8") for name in PARTS)
    _css = HERE / "training_panel.css"

    drawn = List(Dict()).tag(sync=True)  # see `for_page`
    epochs = Int(1).tag(sync=True)
    words = Unicode("Training has not begun.").tag(sync=True)

    def __init__(self, x, y, share=0.03, every=None):
        anywidget.AnyWidget.__init__(self)
        Recorder.__init__(self, x, y, share, every)
        self._show(self.words)

    def on_begin(self, trainer):
        super().on_begin(trainer)
        self._show("Training has begun.")

    def _look(self, epoch):
        super()._look(epoch)
        if time.monotonic() - self._shown_at >= INTERVAL:
            self._show(self._found())

    def on_end(self, trainer):
        self._show(self._found())
        if self.shown:
            data, metadata = self._repr_mimebundle_()
            self.shown.update(data, metadata=metadata, raw=True)

    def _found(self):
        """The first finding, as the others may follow from it."""
        return next(map(str, doctor.glance(self)), ALL_WELL)

    def _show(self, words):
        with self.hold_sync():  # in one message
            self.drawn = [for_page(chart) for chart in charts(self)]
            self.epochs, self.words = length_of(self), words
        self._shown_at = time.monotonic()

    def __repr__(self):
        return f"TrainingPanel({len(self.x)} samples)"

    def _repr_mimebundle_(self, **options):
        """The live widget, with a picture of what is known so far for where it cannot be shown."""
        data, metadata = super()._repr_mimebundle_(**options)
        picture, described = plots.signals(self)._repr_mimebundle_()
        return data | picture | {"text/plain": repr(self)}, metadata | described


def for_page(chart):
    """A `plots.signals.Chart` as JSON: at most MOST points a line, and None for no number."""
    looks = looks_of([line.name for line in chart.lines])
    lines = [
        {
            "name": line.name,
            "color": look["color"],
            "points": [[x, number(y)] for x, y in thinned([*zip(line.x, line.y, strict=True)])],
        }
        for line, look in zip(chart.lines, looks, strict=True)
    ]
    return {
        "title": chart.title,
        "description": chart.description,
        "lines": lines,
        "band": thinned([[*part] for part in zip(*chart.band, strict=True)]),
        "mark": chart.mark,
        "log": chart.log,
        "share": chart.share,
    }


def thinned(points):
    """MOST of the points at most, evenly spread, the last one among them."""
    every = math.ceil(len(points) / MOST) or 1
    return points[::-every][::-1]


def number(value):
    return value if math.isfinite(value) else None
