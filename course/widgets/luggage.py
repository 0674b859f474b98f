"""The box of lesson 00 that hands out all of a learner's work in one zip, and takes it back."""

from base64 import b64decode, b64encode
from pathlib import Path

import anywidget
from traitlets import Bool, Int, Unicode

from course import luggage
from course.nn.errors import CourseError
from course.widgets.without_kernel import WithoutKernel

HERE = Path(__file__).parent
PARTS = ("common.js", "luggage.js")
NAME = "my-course-work.zip"


class Luggage(WithoutKernel, anywidget.AnyWidget):
    """A button that downloads what `course.luggage` packs, and a place to bring it back.

    The zip goes to the page and comes back as text (base64), in pieces on the way back: not every
    kernel takes bytes, and Jupyter's server takes no message of more than some megabytes.
    """

    _esm = "\n".join((HERE / name).read_text("utf-8") for name in PARTS)
    _css = HERE / "luggage.css"

    words = Unicode().tag(sync=True)  # what was done
    is_problem = Bool().tag(sync=True)
    answered = Int().tag(sync=True)  # number of the page's last message that was dealt with

    def __init__(self):
        super().__init__()
        self._pieces = []
        self.on_msg(self._on_message)

    def _on_message(self, widget, content, buffers):
        with self.hold_sync():  # all of the answer in one message
            try:
                self._answer(content)
                self.is_problem = False
            except (CourseError, OSError) as problem:
                self.words, self.is_problem = f"{problem}.", True
            except Exception as problem:  # in a callback nobody else would hear of it
                self.words, self.is_problem = f"{type(problem).__name__}: {problem}", True
            finally:
                self.answered = content.get("request", self.answered)

    def _answer(self, content):
        """Do what the page asks: "pack", or take a piece of a zip and unpack after the last."""
        if content.get("do") == "pack":
            packed, names = luggage.packed()
            self.send({"zip": b64encode(packed).decode(), "name": NAME})
            self.words = f"{NAME} has {luggage.in_words(names)}."
            return
        if content["first"]:
            self._pieces = []
        self._pieces.append(b64decode(content["piece"]))
        if sum(map(len, self._pieces)) > luggage.MOST_BYTES:
            self._pieces = []
            raise luggage.LuggageError(luggage.TOO_LARGE)
        if content["last"]:
            pieces, self._pieces = self._pieces, []
            self.words = str(luggage.unpacked(b"".join(pieces)))

    def __repr__(self):
        return "Luggage()"
