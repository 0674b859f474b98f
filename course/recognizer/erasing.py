"""Lesson 06: how few pixels hold a digit up? Erase the one that matters most, again and again.

Whoever may choose the pixels can fool a network with few of them (Papernot et al., "The limitations
of deep learning in adversarial settings", 2016). Erasing leaves a picture that is still all ink of
the drawing's own, only less of it.
"""

from dataclasses import dataclass

import numpy as np

from course.nn.errors import CourseError
from course.nn.losses import softmax
from course.recognizer.insight import evidence


class DrawingsError(CourseError, ValueError):
    """There is more than one drawing, or none."""


@dataclass(frozen=True, eq=False)
class Erased:
    """A drawing that was erased pixel by pixel."""

    pixels: np.ndarray  # (n,) in the order they were erased; pixel = 28 * row + column
    x: np.ndarray  # (n + 1, 784) the drawing before the first one, and after each
    probabilities: np.ndarray  # (n + 1, classes) what the model made of it

    @property
    def readings(self):
        """What the model read before the first pixel, and after each: (n + 1,)."""
        return self.probabilities.argmax(axis=1)


def lead(logits, digit):
    """How far `digit` is ahead of the best other one: (batch, classes) -> (batch,).

    It is below 0 where another one is ahead. Probabilities would not do: near 100 % they all round
    to the same number.
    """
    return logits[:, digit] - np.delete(logits, digit, axis=1).max(axis=1)


def by_trying(model, x, digit):
    """The pixel that matters most: erase each one that has ink, and see which costs most lead."""
    inked = np.flatnonzero(x)  # (count,)
    without = np.repeat(x, len(inked), axis=0)  # (count, 784)
    without[np.arange(len(inked)), inked] = 0
    return inked[lead(model.forward(without), digit).argmin()]


def by_gradient(model, x, digit):
    """The pixel that speaks most for the digit, by a single backward pass; see `evidence`.

    It is a guess, because the gradient holds for small changes, and it looks at one logit alone.
    """
    inked = np.flatnonzero(x)
    return inked[evidence(model, x, digit).ravel()[inked].argmax()]


def erase_until_it_flips(model, x, choose=by_trying):
    """Erase pixel after pixel until the model reads another digit, or no ink is left.

    Args:
        model: anything with `forward(x) -> logits`.
        x: (1, 784) in [0, 1], as `Steps.x`.
        choose: `(model, x, digit) -> pixel`, which one to erase next.

    Returns:
        An `Erased`. If its last reading is that of the beginning, no ink was left to erase.

    Raises:
        DrawingsError: `x` is another number of drawings than one.
    """
    if x.shape != (1, 784):  # trying all pixels of many would take all memory
        raise DrawingsError(
            f"pixels are erased from one drawing at a time, (1, 784), not {x.shape}"
        )
    pixels, drawings, logits = [], [x], [model.forward(x)]
    digit = int(logits[0].argmax())
    while logits[-1].argmax() == digit and drawings[-1].any():
        pixels.append(choose(model, drawings[-1], digit))
        drawings.append(drawings[-1].copy())
        drawings[-1][0, pixels[-1]] = 0
        logits.append(model.forward(drawings[-1]))
    probabilities = softmax(np.concatenate(logits))
    return Erased(np.array(pixels, int), np.concatenate(drawings), probabilities)
