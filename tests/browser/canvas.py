"""The recognizer in a page, as somebody in front of the screen sees and uses it."""

import io
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import TimeoutError

from course.recognizer.strokes import draw_digit


def written(label, seed=0):
    """A digit that nobody would misread, in strokes as wide as the brush is at first."""
    random = np.random.default_rng(seed)
    strokes = draw_digit(label, random, style=0, size=200, slant=0, brush=20)
    for stroke in strokes:  # no more points than a hand would make
        stroke["points"] = stroke["points"][:-1:3] + stroke["points"][-1:]
    return strokes


NAME = "06-recognizer.ipynb"  # lesson with the widget


class Canvas:
    """One view of the widget in a `lab.Notebook`, counted from 0."""

    def __init__(self, notebook, view=0):
        self.notebook, self.page = notebook, notebook.page
        self.root = self.page.locator(".recognizer").nth(view)
        self.surface = self.root.locator(".recognizer-surface")

    def button(self, name):
        return self.root.get_by_role("button", name=name, exact=True).first

    def press(self, name):
        self.button(name).click()

    def choose_file(self, data):
        """Choose a picture file with these bytes, and wait for the answer."""
        picture = {"name": "picture.jpg", "mimeType": "image/jpeg", "buffer": data}
        self.root.locator("input[type=file]").set_input_files(picture)
        self.settle()

    def keep_in(self, folder):
        """Let the widget keep saved digits there."""
        path = f"type(recognizer.collection.folder)({str(folder)!r})"
        self.notebook.run_python(f"recognizer.collection.folder = {path}")

    def wait(self, condition, argument=None, seconds=20):
        """Wait until a JavaScript function of this view's element and `argument` holds."""
        arguments = [self.root.element_handle(), argument]
        function = f"([root, argument]) => ({condition})(root, argument)"
        self.page.wait_for_function(function, arg=arguments, timeout=1000 * seconds)

    def settle(self):
        """Wait until the kernel has answered everything."""
        self.wait("root => root.dataset.state === 'answered'")

    def reads(self, label):
        """Wait until all models read this digit; None for an empty canvas."""
        self.settle()
        panels = "[...root.querySelectorAll('.recognizer-model')]"
        condition = f"(root, digit) => {panels}.every(panel => panel.dataset.digit === digit)"
        try:
            self.wait(condition, "" if label is None else str(label))
        except TimeoutError:
            pytest.fail(f"{self.readings()} is read, not {label}")

    def clear(self):
        self.press("Clear")
        self.reads(None)

    def write(self, strokes, draw=None):
        """Draw on an empty canvas."""
        if not self.is_empty():
            self.clear()
        (draw or self.mouse)(strokes)

    def places(self, stroke):
        """The points of a stroke in the page's coordinates."""
        self.surface.scroll_into_view_if_needed()
        box = self.surface.bounding_box()
        return [(box["x"] + x, box["y"] + y) for x, y in stroke["points"]]

    def mouse(self, strokes, pause=0):
        """Draw, with so many milliseconds between two moves."""
        for stroke in strokes:
            (x, y), *rest = self.places(stroke)
            self.page.mouse.move(x, y)
            self.page.mouse.down()
            for x, y in rest:
                self.page.mouse.move(x, y)
                self.page.wait_for_timeout(pause)
            self.page.mouse.up()

    def finger(self, strokes):
        session = self.page.context.new_cdp_session(self.page)
        for stroke in strokes:
            for number, (x, y) in enumerate(self.places(stroke)):
                kind = "touchMove" if number else "touchStart"
                points = [{"x": x, "y": y}]
                session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
            session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def readings(self):
        """What each model reads: name -> digit, or "" where nothing is drawn."""
        panels = self.root.locator(".recognizer-model").all()
        return {p.get_attribute("data-model"): p.get_attribute("data-digit") for p in panels}

    def ink(self):
        """The drawing as it is seen: (280, 280), 0 to 255."""
        png = self.surface.evaluate("canvas => canvas.toDataURL().split(',')[1]")
        return np.array(Image.open(io.BytesIO(b64decode(png))).convert("L"), int)

    def is_empty(self):
        return self.ink().max() < 200  # but for the gray words that say what to do

    @property
    def notice(self):
        return self.root.locator(".recognizer-notice").inner_text()
