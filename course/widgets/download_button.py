"""The button of lesson 00 that fetches full MNIST, with its progress and whatever goes wrong."""

import contextlib
import html
import threading
from concurrent import futures
from pathlib import Path

import ipywidgets as widgets

from course import download, mnist
from course.environment import HERE
from course.widgets.kernel_watch import KernelWatch
from course.widgets.without_kernel import WithoutKernel

TOTAL = 11_594_722  # bytes of the four files, compressed, as the mirrors send them
HOW_ELSE = f"run `{mnist.HOW_TO_DOWNLOAD}` in a terminal"
INTERVAL = 0.2  # seconds between two looks at how far it is


class DownloadButton(WithoutKernel, widgets.VBox):
    """Fetches full MNIST at a click, in a thread, so that the notebook stays usable meanwhile.

    The files go where `download.fetch` puts them, and come from `mirrors`. Where Python runs in the
    browser itself there is no button, but a sentence that says what to do instead.
    """

    def __init__(self, mirrors=download.MIRRORS):
        self.mirrors = mirrors
        self.button = widgets.Button(
            description=f"Get full MNIST ({TOTAL / 1e6:.0f} MB)",
            icon="download",
            layout=widgets.Layout(width="auto"),
        )
        self.button.on_click(self._start)
        self.bar = widgets.IntProgress(max=TOTAL, layout=widgets.Layout(visibility="hidden"))
        self.message = widgets.HTML()
        row = [] if HERE.browser else [widgets.HBox([self.button, self.bar])]
        super().__init__([*row, self.message, KernelWatch()])
        if HERE.browser:
            self._say(download.in_a_browser(mnist.download_directory()))

    def __repr__(self):
        return "DownloadButton()"

    def _start(self, button):
        button.disabled = True
        self.thread = threading.Thread(target=self._fetch, daemon=True)
        try:
            self.thread.start()
        except RuntimeError as problem:  # a machine that is full
            self._say(f"The download cannot begin ({problem}): {HOW_ELSE}.", is_error=True)
            button.disabled = False

    def _fetch(self):
        folder = mnist.download_directory()
        self._say(f"Downloading to {folder} …")
        self.bar.value, self.bar.layout.visibility = bytes_there(folder), "visible"
        with futures.ThreadPoolExecutor(1) as pool:
            coming = pool.submit(download.fetch, folder, self.mirrors, progress=False)
            while futures.wait([coming], INTERVAL).not_done:
                self.bar.value = bytes_there(folder)
        self.bar.layout.visibility = "hidden"
        if problem := coming.exception():
            is_expected = isinstance(problem, download.DownloadError)
            kind = "" if is_expected else f"{type(problem).__name__}: "
            self._say(f"{kind}{problem}", is_error=True)
        else:
            self._say(
                f"Full MNIST is in {folder}, complete and verified. Choose Run > Run All Cells, "
                "and the network above trains on all of it."
            )
        self.button.disabled = False

    def _say(self, text, is_error=False):
        """Show a text under the button; a screen reader says it aloud."""
        look = "white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.5"
        role, color = ("alert", "var(--jp-error-color1, #b71c1c)") if is_error else ("status", "")
        self.message.value = (
            f'<div role="{role}" style="{look}; color: {color}">{html.escape(text)}</div>'
        )


def bytes_there(folder):
    """The size of MNIST's compressed files in `folder`, with what has come so far of the next."""
    size = 0
    for name in mnist.FULL:
        for path in Path(folder).glob(f"{name}.gz*"):
            with contextlib.suppress(FileNotFoundError):  # it has just got its final name
                size += path.stat().st_size
    return size
