"""Lesson 06: how well digits are read that other people drew, style by style; see `drawings`."""

from dataclasses import dataclass

import numpy as np

from course.nn.losses import softmax
from course.recognizer.drawings import HELD_OUT, STYLES, drawings
from course.recognizer.pictures import PictureError, read_canvas
from course.recognizer.preprocess import EmptyDrawingError, normalize

MEAN = "mean"  # what reads by the mean of all models' probabilities is called
ALL = "all styles"


@dataclass(frozen=True, repr=False)
class StyleTrial:
    """What came out; shares are in [0, 1], and print(result) shows them as a table."""

    writers: int  # how many people drew a digit in each style
    read_right: dict  # style -> name of the model, or MEAN -> share read right; ALL is the last

    def __repr__(self):
        def line(title, cells):
            return f"{title:32}" + "".join(f"{cell:>12}" for cell in cells)

        shares = [
            line(style, map("{:.1%}".format, row.values()))
            for style, row in self.read_right.items()
        ]
        count = f"{self.writers} digits in each style, by people who write by program."
        return "\n".join([line("read right, by style", self.read_right[ALL]), *shares, count])


def trial_by_style(models, writers=HELD_OUT):
    """Let the models read drawings in every style, one by each writer.

    What shows no ink to the preprocessing counts as misread.

    Args:
        models: name -> model, anything with `forward(x) -> logits` for x (batch, 784) in [0, 1].
        writers: their seeds, see `drawings`.

    Returns:
        A `StyleTrial`; with several models it also has what the mean of their probabilities reads.
    """
    made = [(drawing.style, drawing.label, _received(drawing)) for drawing in drawings(writers)]
    styles, labels, inputs = map(np.array, zip(*made, strict=True))
    x = np.concatenate(inputs)  # (count, 784)
    probabilities = {name: softmax(model.forward(x)) for name, model in models.items()}
    if len(models) > 1:
        probabilities[MEAN] = np.mean(list(probabilities.values()), axis=0)
    right = {
        name: (p.argmax(axis=1) == labels) & x.any(axis=1) for name, p in probabilities.items()
    }

    def shares(chosen):
        return {name: float(found[chosen].mean()) for name, found in right.items()}

    by_style = {style: shares(styles == style) for style in STYLES}
    return StyleTrial(len(writers), by_style | {ALL: shares(np.full(len(x), True))})


def _received(drawing):
    """What the networks receive of a drawing, (1, 784); all 0 if there is no ink in it."""
    try:
        return normalize(read_canvas(drawing.file)).x
    except (PictureError, EmptyDrawingError):
        return np.zeros((1, 784), np.float32)
