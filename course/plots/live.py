"""A figure that follows a training run while it goes on."""

import sys
import time

from course.nn.training import Observer
from course.plots.style import styled, subplots
from course.plots.training import accuracies, losses


class LiveFigure(Observer):
    """An observer of the training loop: loss and validation accuracy, redrawn as epochs end.

    In a notebook it shows one picture and updates it in place, at most once in `interval` seconds,
    so that drawing does not slow training down; the end is always drawn. Anywhere else it shows
    nothing. `figure` is the drawing.
    """

    def __init__(self, title="Loss per epoch", interval=0.5):
        self.title, self.interval = title, interval
        self.figure, self._axes = subplots(1, 2, figsize=(10, 3.6))
        self._begin([], epochs=None)

    def _begin(self, records, epochs):
        self.records, self.epochs = list(records), epochs
        self._handle, self._drawn_at = None, -float("inf")

    def on_begin(self, trainer):
        self._begin(trainer.records, trainer.settings.epochs)

    def on_epoch(self, record):
        self.records.append(record)
        if time.monotonic() - self._drawn_at >= self.interval:
            self.draw()

    def on_end(self, trainer):
        self.draw()

    @styled
    def draw(self):
        """Draw what is known so far, and show it if this is a notebook."""
        for ax in self._axes:
            ax.clear()
            if self.epochs:  # leave room for the epochs to come
                ax.set_xlim(0.5, self.epochs + 0.5)
        losses(self.records, ax=self._axes[0], title=self.title)
        accuracies(self.records, ax=self._axes[1])
        if in_notebook():
            self._show()
        self._drawn_at = time.monotonic()

    def _show(self):
        if self._handle is None:
            from IPython.display import display

            self._handle = display(self.figure, display_id=True)
        else:
            self._handle.update(self.figure)


def in_notebook() -> bool:
    """Whether this code runs in a Jupyter kernel, found out without importing IPython."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return hasattr(shell, "kernel")
