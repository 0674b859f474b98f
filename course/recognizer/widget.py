"""Lesson 06: a canvas to draw a digit on, and what the networks make of it.

The page (the four .js files) draws by itself and sends its strokes when the pen is lifted, and
while drawing as soon as the last answer has come. Everything that both sides know is a trait, so
that a second view, a reloaded page and Python all see the same drawing. Every message from the
page carries a number, which comes back in `answered`: a number that does not come back tells the
page that there is nobody to answer.
"""

import asyncio
import contextlib
import threading
import traceback
from pathlib import Path

import anywidget
import numpy as np
from PIL import Image
from traitlets import Bytes, Dict, Int, List, TraitError, Unicode, observe, validate

from course.models import load, pretrained
from course.nn.checkpoint import CheckpointError
from course.nn.errors import CourseError
from course.nn.losses import softmax
from course.nn.training import copy_weights, put_back
from course.recognizer import fallback
from course.recognizer.collection import Collection
from course.recognizer.insight import LOOKS
from course.recognizer.pictures import read_canvas
from course.recognizer.preprocess import CANVAS, EmptyDrawingError, normalize
from course.recognizer.strokes import StrokeError, check, render
from course.recognizer.tuning import accuracy, fine_tune
from course.widgets.without_kernel import WithoutKernel

HERE = Path(__file__).parent
PARTS = ("../widgets/common.js", "conversation.js", "canvas.js", "panels.js", "page.js")
THUMBNAIL = 140  # longer side of the cropped picture on the page
LONGEST = 500  # characters of an error that the page is told


def _as_bytes(value, widget):
    """What the page sends for bytes: a view of its message. Anything else is left to be refused."""
    return bytes(value) if isinstance(value, memoryview) else value


class MissingModelError(CourseError, LookupError):
    """There is no model under this name, yet; the message says why."""


class Recognizer(WithoutKernel, anywidget.AnyWidget):
    """Draw a digit and watch the models read it.

    Args:
        models: name -> model, anything with `forward(x) -> logits` for x (1, 784) in [0, 1], or
            the path of one that `python -m course train` left. A model that is not there may
            be None, or the exception that says why; the page shows it. By default the three
            that come with the course; to exchange one of them,
            `pretrained.load_all() | {"mlp": "../runs/mlp.safetensors"}`.
        strokes: what is drawn at the start, see `course.recognizer.strokes`.
        looks: name -> a look inside that model, where it is not one of the course's; see
            `course.recognizer.insight`.
        folder: where the learner's own digits are kept; see `Collection`.
    """

    _esm = "\n".join((HERE / name).read_text("utf-8") for name in PARTS)
    _css = HERE / "canvas.css"

    # the drawing: `strokes`, on top of a picture if there is one
    strokes = List().tag(sync=True)
    picture = Bytes().tag(sync=True, from_json=_as_bytes)  # 280 * 280 bytes, or none

    # the conversation
    request = Int().tag(sync=True)  # number of the page's last message
    answered = Int().tag(sync=True)  # number of the last one that was dealt with
    error = Unicode().tag(sync=True)  # what went wrong with it
    busy = Unicode().tag(sync=True)  # what takes a while, while it does

    # what the page shows
    names = List().tag(sync=True)  # of the models
    result = Dict().tag(sync=True)  # see `_read`
    own = Dict().tag(sync=True)  # see `_judge`
    tuned = Dict().tag(sync=True)  # see `fine_tune`

    def __init__(self, models=None, strokes=(), looks=None, folder=None):
        models = pretrained.load_all() if models is None else models
        self.models = {name: _opened(model) for name, model in models.items()}
        self.looks = looks or {}
        self.predictions = {}  # name -> probabilities (10,) of the present drawing
        self.steps = None  # the present drawing's Steps
        self.traceback = ""  # of the last exception, in full
        self._asked = None
        self._thread, self._loop = threading.current_thread(), None
        with contextlib.suppress(RuntimeError):  # outside a notebook there is none
            self._loop = asyncio.get_running_loop()
        self._before_tuning = {}
        self._warm_up()
        self.collection = Collection(folder)
        super().__init__(names=list(self.models))
        self.on_msg(self._on_button)
        with self._answering():
            self._judge()
        self.strokes = list(strokes)
        self._answer_drawing()  # an empty canvas is no change, but shows which models are missing

    def __repr__(self):
        return f"Recognizer({', '.join(self.models)})"

    def _repr_mimebundle_(self, **kwargs):
        """The live widget, with a still picture for where no kernel runs."""
        data, metadata = super()._repr_mimebundle_(**kwargs)
        figure = fallback.still_picture(self.drawing, self.steps, self.predictions)
        picture, described = figure._repr_mimebundle_()
        return data | picture, metadata | described

    # For Python

    @property
    def drawing(self):
        """The canvas as it is now: (280, 280) uint8, white on black."""
        picture = None
        if self.picture:
            picture = np.frombuffer(self.picture, np.uint8).reshape(CANVAS, CANVAS)
        return render(self.strokes, picture)

    def show_picture(self, source):
        """Put a picture file (path or bytes) on the canvas. Raises PictureError."""
        self._draw_anew(read_canvas(source).tobytes())

    def save_as(self, label):
        """Add the drawing to the learner's own digits; the canvas is empty then.

        Raises EmptyDrawingError.
        """
        if self.steps is None:
            raise EmptyDrawingError("There is nothing to save yet: draw a digit.")
        self.collection.add(self.steps.centered, label)
        self._draw_anew()  # or the next digit would be drawn on top of this one
        self._judge()

    def fine_tune(self, name):
        """Train a model on for a moment on the learner's own digits; returns a `FineTuned`.

        Those that are kept for the test are left out.
        """
        model = self._loaded(name)
        self._before_tuning.setdefault(name, copy_weights(model))
        before = accuracy(model, *self.collection.test)
        change = fine_tune(model, *self.collection.training)
        new = {"before": before, "after": accuracy(model, *self.collection.test)}
        self.tuned = self.tuned | {name: vars(change) | {"new": new}}
        self._judge()
        self._read()
        return change

    def restore(self, name):
        """Give a model back the weights it had before it was first fine-tuned."""
        model = self._loaded(name)
        if name not in self._before_tuning:
            raise MissingModelError(f"The {name} was not fine-tuned: there is nothing to restore.")
        put_back(model, self._before_tuning.pop(name))
        self.tuned = {key: value for key, value in self.tuned.items() if key != name}
        self._judge()
        self._read()

    def _draw_anew(self, picture=b""):
        with self.hold_trait_notifications():  # one change, read once
            self.strokes, self.picture = [], picture

    # For the page

    def set_state(self, sync_data):
        """Take what the page sends; what it cannot mean is answered, and changes nothing."""
        try:
            super().set_state(sync_data)
        except Exception as problem:
            request = sync_data.get("request") if isinstance(sync_data, dict) else None
            self._between_cells(self._refuse, request, problem)

    @validate("strokes", "picture")
    def _check_drawing(self, proposal):
        value = proposal["value"]
        if proposal["trait"].name == "picture" and len(value) not in (0, CANVAS * CANVAS):
            raise TraitError(f"A picture has {CANVAS} x {CANVAS} bytes, not {len(value):,}.")
        if proposal["trait"].name == "strokes":
            try:
                check(value)
            except StrokeError as problem:  # another exception would leave the trait changed
                raise TraitError(str(problem)) from None
        return value

    @observe("strokes", "picture", "request")
    def _on_drawing(self, change):
        self._between_cells(self._answer_drawing)

    def _on_button(self, widget, content, buffers):
        if not isinstance(content, dict):
            content = {}
        if content.get("action") == "nudge":  # only its arrival counts: see conversation.js
            return
        self._between_cells(self._answer_button, content, buffers)

    def _between_cells(self, answer, *arguments):
        """Call `answer` in the thread of the notebook's cells, when no cell is running.

        JupyterLab may deliver messages in another thread while a cell runs. If that cell trains
        one of these models, reading a drawing would overwrite what its layers keep for the way
        back.
        """
        if self._loop is None or threading.current_thread() is self._thread:
            answer(*arguments)
        else:
            self._loop.call_soon_threadsafe(answer, *arguments)

    def _answer_drawing(self):
        # one message may change strokes, picture and request, and each is told separately
        asked = (self.strokes, self.picture, self.request)
        if asked != self._asked:
            self._asked = asked
            with self._answering():
                self._read()

    def _refuse(self, request, problem):
        with self._answering(request):
            raise problem

    def _answer_button(self, content, buffers):
        """Do what the page asks for by a button, or with a picture file."""
        action, label, name = (content.get(key) for key in ("action", "label", "model"))
        with self._answering(content.get("request")):
            if action == "picture" and buffers:
                self.show_picture(bytes(buffers[0]))
            elif action == "save":
                self.save_as(label)
            elif action == "remove":
                try:
                    self.collection.remove_last()
                finally:  # another window may have changed it
                    self._judge()
            elif action == "fine-tune":
                self._loaded(name)  # there is one
                self.busy = f"Fine-tuning {name} on your digits …"
                self.send_state("busy")  # now, not with the answer
                self.fine_tune(name)
            elif action == "restore":
                self.restore(name)
            else:
                raise ValueError(f"the page asked for {action!a:.40}, which is unknown here")

    @contextlib.contextmanager
    def _answering(self, request=None):
        """Whatever happens inside, the page gets an answer, and sees what went wrong.

        An exception in a widget's callback would otherwise end in a log that nobody reads.
        """
        error = ""
        with self.hold_sync():  # all of the answer in one message
            try:
                yield
            except (CourseError, OSError, TraitError) as problem:
                error = str(problem)
            except Exception as problem:
                error = self._describe(problem)
            finally:
                self.error, self.busy = _sendable(error), ""
                self.answered = request if isinstance(request, int) else self.request

    def _read(self):
        """Read the drawing and tell the page.

        `result` has `steps`, three pictures (none when nothing is drawn), and `models`, with
        `probabilities` and `digit`, and `look` if there is one, or `error`.
        """
        try:
            self.steps = normalize(self.drawing)
        except EmptyDrawingError:
            self.steps, self.predictions = None, {}
            missing = {name: {"error": why} for name, why in self._missing().items()}
            self.result = {"steps": [], "models": missing}
            return
        readings = {name: self._read_with(name) for name in self.models}
        self.predictions = {
            name: np.array(reading["probabilities"])
            for name, reading in readings.items()
            if "probabilities" in reading
        }
        cropped = Image.fromarray(self.steps.cropped)
        cropped.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
        pictures = (np.asarray(cropped), self.steps.scaled, self.steps.centered)
        self.result = {
            "steps": [_packed(picture) for picture in pictures],
            "size": self.steps.cropped.shape,
            "models": readings,
        }

    def _read_with(self, name):
        """One model's reading; a failure is this model's alone, the others go on."""
        reading = {}
        try:
            model = self._loaded(name)
            probabilities = softmax(model.forward(self.steps.x))[0]
            digit = int(probabilities.argmax())
            reading |= {"probabilities": probabilities.tolist(), "digit": digit}
            look = self.looks.get(name) or LOOKS.get(getattr(model, "name", name))
            if look:
                reading["look"] = _packed(look(model, self.steps.x, digit))
        except MissingModelError as problem:
            reading["error"] = str(problem)
        except Exception as problem:
            reading["error"] = self._describe(problem)
        return reading

    def _describe(self, problem):
        """An exception nobody foresaw, in a line for the page; `traceback` has it in full."""
        self.traceback = traceback.format_exc()
        return f"{type(problem).__name__}: {problem}"

    def _loaded(self, name):
        """The model, or an exception that says why there is none."""
        if not isinstance(name, str) or name not in self.models:
            raise MissingModelError(f"There is no model {name!a:.40}.")
        if name in (missing := self._missing()):
            raise MissingModelError(missing[name])
        return self.models[name]

    def _missing(self):
        """The models that are not there, and why: name -> sentence."""
        return {
            name: "This model is not there yet: train it first." if model is None else str(model)
            for name, model in self.models.items()
            if model is None or isinstance(model, Exception)
        }

    def _judge(self):
        """Tell the page of the learner's own digits: how many, and how they are read.

        `accuracy` has, for each model, that on the digits to train on, and on those for the test.
        """
        own = self.collection
        present = self.models.keys() - self._missing()
        self.own = {
            "folder": str(own.folder),
            "problem": own.problem,
            "counts": own.counts,
            "kept": int(own.is_test.sum()),
            "wanted": own.wanted,
            "accuracy": {
                name: [accuracy(self.models[name], *half) for half in (own.training, own.test)]
                for name in present
            },
        }

    def _warm_up(self):
        """Let compiled models load before the first stroke; what fails here will be shown then."""
        for model in self.models.values():
            with contextlib.suppress(Exception):
                model.forward(np.zeros((1, 784), np.float32))


def _opened(model):
    """The model in a file, or the exception that says why there is none; others as they are."""
    if not isinstance(model, str | Path):
        return model
    try:
        return load(model)
    except CheckpointError as problem:
        return problem


def _sendable(text):
    """The text for a message to the page: not too long, and without halves of characters."""
    return text[:LONGEST].encode("utf-8", "backslashreplace").decode("utf-8")


def _packed(array):
    """An array for the page: its shape and one byte for each number.

    Pictures (uint8) go as they are, other numbers as signed bytes, the greatest being 127 or -127.
    """
    if array.dtype != np.uint8:
        most = np.abs(array).max() or 1.0
        array = np.rint(array * (127 / most)).astype(np.int8)
    return {"shape": array.shape, "pixels": array.tobytes()}
