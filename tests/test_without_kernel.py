"""The line above each widget for a page that is loaded without its kernel."""

import json

import numpy as np
import pytest

from course import plots
from course.attention import PatchAttention
from course.recognizer.widget import Recognizer
from course.widgets import without_kernel
from course.widgets.attention_explorer import AttentionExplorer
from course.widgets.backprop_stepper import BackpropStepper
from course.widgets.download_button import DownloadButton
from course.widgets.explorer import Explorer
from course.widgets.kernel_hover import KernelHover
from course.widgets.luggage import Luggage
from course.widgets.predict import Predictions
from course.widgets.progress_panel import ProgressPanel
from course.widgets.training_panel import TrainingPanel
from course.xor import XOR

DIGITS = np.zeros((2, 784), np.float32)
WIDGETS = {  # how to make one, and what stands in for it where no kernel runs
    "recognizer": (lambda folder: Recognizer({}, folder=folder), "image/png"),
    "attention": (lambda folder: AttentionExplorer(PatchAttention(seed=0), DIGITS), "image/png"),
    "stepper": (lambda folder: BackpropStepper(XOR(seed=0)), "image/svg+xml"),
    "download": (lambda folder: DownloadButton(), "text/plain"),
    "explorer": (lambda folder: Explorer(lambda: plots.subplots()[0]), "image/png"),
    "hover": (lambda folder: KernelHover({"edge": np.ones((3, 3))}, DIGITS), "image/png"),
    "luggage": (lambda folder: Luggage(), "text/plain"),
    "progress": (lambda folder: ProgressPanel("x", folder), "text/html"),
    "training": (lambda folder: TrainingPanel(DIGITS, np.zeros(2, int)), "image/png"),
    "prediction": (lambda folder: Predictions("x", folder)("name", "Why?"), "text/html"),
}


@pytest.fixture
def shown(monkeypatch):
    shown = []
    monkeypatch.setattr(without_kernel, "display", lambda data, **options: shown.append(data))
    return shown


@pytest.mark.parametrize("name", WIDGETS)
def test_on_a_page_a_line_says_what_to_do_and_the_widget_follows(
    name, shown, tmp_path, monkeypatch
):
    monkeypatch.setenv(without_kernel.JUPYTER, "lesson.ipynb")
    make, still = WIDGETS[name]
    make(tmp_path)._ipython_display_()
    line, widget = shown
    assert "run this cell again" in line["text/plain"] and line["text/plain"] in line["text/html"]
    assert {"application/vnd.jupyter.widget-view+json", "text/plain", still} <= set(widget)
    assert json.loads(json.dumps(widget)) == widget  # a browser's kernel encodes no bytes here


def test_a_stored_notebook_has_the_widget_alone(shown, monkeypatch):
    monkeypatch.delenv(without_kernel.JUPYTER, raising=False)
    DownloadButton()._ipython_display_()
    assert ["DownloadButton()"] == [data["text/plain"] for data in shown]
