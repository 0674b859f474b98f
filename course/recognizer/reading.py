"""What a model makes of a drawing, in the form that the page takes."""

import numpy as np
from PIL import Image

from course.nn import classes
from course.nn.losses import softmax

THUMBNAIL = 140  # longer side of the cropped picture on the page


def read(model, x):
    """One model's reading of x (1, 784), in [0, 1].

    A dict of `probabilities` (a list, one a class), `digit` (the number of the class) and its
    `name`.
    """
    probabilities = softmax(model.forward(x))[0]
    digit = int(probabilities.argmax())
    return {
        "probabilities": probabilities.tolist(),
        "digit": digit,
        "name": classes.names_of(model, len(probabilities))[digit],
    }


def pictures_of(steps):
    """The three pictures of a drawing's `Steps`; the first is made smaller."""
    cropped = Image.fromarray(steps.cropped)
    cropped.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    return [packed(picture) for picture in (np.asarray(cropped), steps.scaled, steps.centered)]


def packed(array):
    """An array for the page: its shape and one byte for each number.

    Pictures (uint8) go as they are, other numbers as signed bytes, the greatest being 127 or -127.
    """
    if array.dtype != np.uint8:
        most = np.abs(array).max() or 1.0
        array = np.rint(array * (127 / most)).astype(np.int8)
    return {"shape": array.shape, "pixels": array.tobytes()}
