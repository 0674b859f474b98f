"""Lesson 06: a canvas to draw a digit on, and what the networks make of it.

The page (the five .js files) draws by itself and sends its strokes when the pen is lifted, and
while drawing as soon as the last answer has come. Everything that both sides know is a trait, so
that a second view, a reloaded page and Python all see the same drawing.
"""

from pathlib import Path

import anywidget
import numpy as np
from traitlets import Bytes, Dict, List, TraitError, observe, validate

from course.models import pretrained
from course.nn import classes
from course.nn.training import copy_weights, put_back
from course.recognizer import fallback
from course.recognizer.collection import Collection
from course.recognizer.conversation import Conversation
from course.recognizer.insight import LOOKS
from course.recognizer.pictures import read_canvas
from course.recognizer.preprocess import CANVAS, EmptyDrawingError, normalize
from course.recognizer.readers import MissingModelError, Readers, what_it_tells_apart
from course.recognizer.reading import packed, pictures_of, read
from course.recognizer.strokes import StrokeError, check, render
from course.recognizer.tuning import accuracy, fine_tune
from course.widgets.without_kernel import WithoutKernel

HERE = Path(__file__).parent
PARTS = (
    "../widgets/common.js",
    "conversation.js",
    "canvas.js",
    "panels.js",
    "collection.js",
    "page.js",
)


def _as_bytes(value, widget):
    """What the page sends for bytes: a view of its message. Anything else is left to be refused."""
    return bytes(value) if isinstance(value, memoryview) else value


class Recognizer(WithoutKernel, Conversation, anywidget.AnyWidget):
    """Draw a digit, or whatever the models were trained on, and watch them read it.

    Args:
        models: name -> model, anything with `forward(x) -> logits` for x (1, 784) in [0, 1], or
            the path of one that `python -m course train` left. A model that is not there may
            be None, or the exception that says why; the page shows it. By default those
            that come with the course; to exchange one of them,
            `pretrained.load_all() | {"mlp": "../runs/mlp.safetensors"}`.
        strokes: what is drawn at the start, see `course.recognizer.strokes`.
        looks: name -> a look inside that model, where it is not one of the course's; see
            `course.recognizer.insight`.
        folder: where the learner's own digits are kept; see `Collection`.
        class_names: of what the learner draws and saves; by default what the first model tells
            apart. With names of your own, and no models, it is a page to collect drawings.
        shelf: folder of saved networks that may be chosen; see `course.models.shelf`.
        allow: classes or modules of layers of the learner's own; see `course.models.load`.
    """

    _esm = "\n".join((HERE / name).read_text("utf-8") for name in PARTS)
    _css = HERE / "canvas.css"

    # the drawing: `strokes`, on top of a picture if there is one
    strokes = List().tag(sync=True)
    picture = Bytes().tag(sync=True, from_json=_as_bytes)  # 280 * 280 bytes, or none

    # what the page shows
    names = List().tag(sync=True)  # of the models
    outputs = Dict().tag(sync=True)  # name -> list of the names of its classes
    offers = List().tag(sync=True)  # what may be chosen; see `Readers`
    result = Dict().tag(sync=True)  # see `_read`
    own = Dict().tag(sync=True)  # see `_judge`
    tuned = Dict().tag(sync=True)  # see `fine_tune`

    def __init__(
        self,
        models=None,
        strokes=(),
        looks=None,
        folder=None,
        class_names=None,
        shelf=None,
        allow=(),
    ):
        if models is None:
            models = {} if class_names else pretrained.load_all()
        self.models = Readers(models, shelf, allow)
        self.looks = looks or {}
        self.predictions = {}  # name -> probabilities (classes,) of the present drawing
        self.steps = None  # the present drawing's Steps
        self._asked = None
        self._before_tuning = {}
        known = self.models.class_names()
        drawn = class_names or next(iter(known.values()), classes.DIGITS)
        self.collection = Collection(folder, drawn)
        super().__init__(names=list(self.models), outputs=_listed(known))
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
        figure = fallback.still_picture(self.drawing, self.steps, self.predictions, self.outputs)
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
        """Add the drawing to the learner's own, under a label; the canvas is empty then.

        Raises EmptyDrawingError.
        """
        if self.steps is None:
            raise EmptyDrawingError("There is nothing to save yet: draw something.")
        self.collection.add(self.steps.centered, label)
        self._draw_anew()  # or the next digit would be drawn on top of this one
        self._judge()

    def fine_tune(self, name):
        """Train a model on for a moment on the learner's own digits; returns a `FineTuned`.

        Those that are kept for the test are left out. Raises MissingModelError, also for a model
        of other classes than digits: there are none of those to rehearse.
        """
        model = self.models.present(name)
        if what_it_tells_apart(model) != classes.DIGITS or not self._has_digits:
            raise MissingModelError(
                "Fine-tuning rehearses MNIST's digits, so it is for digits alone. Train a network "
                "on your drawings: recognizer.collection.export(FOLDER), then `python -m course "
                "train cnn --data FOLDER`."
            )
        if not getattr(model, "parameters", None):  # a committee
            raise MissingModelError(
                f"The {name} has no weights of its own: fine-tune the networks that it consists of."
            )
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
        model = self.models.present(name)
        if name not in self._before_tuning:
            raise MissingModelError(f"The {name} was not fine-tuned: there is nothing to restore.")
        put_back(model, self._before_tuning.pop(name))
        self.tuned = {key: value for key, value in self.tuned.items() if key != name}
        self._judge()
        self._read()

    def choose(self, name, chosen=True):
        """Let a network of the shelf, or one that was given, read from now on, or no longer.

        Raises MissingModelError.
        """
        self.models.choose(name, chosen)
        self.outputs = _listed(self.models.class_names())
        self.names, self.offers = list(self.models), self.models.offers()
        self._judge()
        self._read()

    @property
    def _has_digits(self):
        return self.collection.class_names == classes.DIGITS

    def _draw_anew(self, picture=b""):
        with self.hold_trait_notifications():  # one change, read once
            self.strokes, self.picture = [], picture

    # For the page

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

    def _answer_drawing(self):
        # one message may change strokes, picture and request, and each is told separately
        asked = (self.strokes, self.picture, self.request)
        if asked != self._asked:
            self._asked = asked
            with self._answering():
                self._read()

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
            elif action == "shelf":
                self.offers = self.models.offers()
            elif action == "choose":
                self.choose(name, bool(content.get("chosen")))
            elif action == "fine-tune":
                self.models.present(name)  # there is one
                self.busy = f"Fine-tuning {name} on your digits …"
                self.send_state("busy")  # now, not with the answer
                self.fine_tune(name)
            elif action == "restore":
                self.restore(name)
            else:
                raise ValueError(f"the page asked for {action!a:.40}, which is unknown here")

    def _read(self):
        """Read the drawing and tell the page.

        `result` has `steps`, three pictures (none when nothing is drawn), and `models`, with
        `probabilities`, `digit` (the number of the class) and its `name`, and `look` if there is
        one, or `error`.
        """
        try:
            self.steps = normalize(self.drawing)
        except EmptyDrawingError:
            self.steps, self.predictions = None, {}
            missing = {name: {"error": why} for name, why in self.models.missing().items()}
            self.result = {"steps": [], "models": missing}
            return
        readings = {name: self._read_with(name) for name in self.models}
        self.predictions = {
            name: np.array(reading["probabilities"])
            for name, reading in readings.items()
            if "probabilities" in reading
        }
        self.result = {
            "steps": pictures_of(self.steps),
            "size": self.steps.cropped.shape,
            "models": readings,
        }

    def _read_with(self, name):
        """One model's reading; a failure is this model's alone, the others go on."""
        reading = {}
        try:
            model = self.models.present(name)
            reading |= read(model, self.steps.x)
            look = self.looks.get(name) or LOOKS.get(getattr(model, "name", name))
            if look:
                reading["look"] = packed(look(model, self.steps.x, reading["digit"]))
        except MissingModelError as problem:
            reading["error"] = str(problem)
        except Exception as problem:
            reading["error"] = self._describe(problem)
        return reading

    def _judge(self):
        """Tell the page of the learner's own digits: how many, and how they are read.

        `accuracy` has, for each model of these classes, that on the digits to train on, and on
        those for the test.
        """
        own = self.collection
        known = self.models.class_names()
        self.own = {
            "folder": str(own.folder),
            "class_names": own.class_names,
            "is_digits": self._has_digits,
            "problem": own.problem,
            "counts": own.counts,
            "kept": int(own.is_test.sum()),
            "wanted": own.wanted,
            "accuracy": {
                name: [accuracy(self.models[name], *half) for half in (own.training, own.test)]
                for name, names in known.items()
                if names == own.class_names
            },
        }


def _listed(class_names):
    """Names of classes by model, for the page."""
    return {name: list(names) for name, names in class_names.items()}
