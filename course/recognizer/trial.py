"""Lesson 06: how well the recognizer reads, with its normalization and without, by program.

Test digits are pasted at a random place and size onto the canvas, and digits are written there by
`strokes.draw_digit`. Each canvas goes two ways to the networks: normalized, and raw, that is only
shrunk.
"""

from dataclasses import dataclass

import numpy as np

from course import mnist
from course.recognizer.preprocess import normalize, shrink
from course.recognizer.strokes import draw_digit, paste_digit, render

BATCH = 1000  # images that go through a network at once


@dataclass(frozen=True, repr=False)
class Trial:
    """What came out; shares are in [0, 1], and print(trial) shows them as a table."""

    digits: int  # how many test digits
    drawings: int  # how many digits written by program
    read_right: dict  # what was read -> name of the model -> share read right
    unchanged: float  # share of the test digits that the normalization leaves as they are
    moved: int  # pixels, the farthest that it moved one of them
    same_answer: dict  # name of the model -> share of them that it reads as before

    def __repr__(self):
        def line(title, cells):
            return f"{title:32}" + "".join(f"{cell:>12}" for cell in cells)

        rows = {**self.read_right, "normalized, the answer is kept": self.same_answer}
        shares = [line(title, map("{:.2%}".format, row.values())) for title, row in rows.items()]
        counts = f"{self.digits:,} test digits, {self.drawings:,} written by program."
        kept = (
            f"Normalization leaves {self.unchanged:.2%} of the test digits as they are and moves "
            f"none\nby more than {self.moved} pixel."
        )
        return "\n".join([line("read right", self.same_answer), *shares, counts, kept])


def trial(models, images, labels, drawings=2000, seed=0):
    """Let the models read test digits and drawings in every way.

    Args:
        models: name -> model, anything with `forward(x) -> logits` for x (batch, 784) in [0, 1].
        images: (count, 28, 28) uint8, test digits.
        labels: (count,).
        drawings: how many digits are written by program, as many of each class.
        seed: of places, sizes, brushes and styles.

    Returns:
        A `Trial`.
    """
    rng = np.random.default_rng(seed)
    written = np.arange(drawings) % 10
    steps = [normalize(image) for image in images]
    normalized = np.stack([step.centered for step in steps])
    pasted, pasted_raw = _both_ways(paste_digit(image, rng) for image in images)
    drawn, drawn_raw = _both_ways(render(draw_digit(label, rng)) for label in written)
    before = {name: _answers(model, images) for name, model in models.items()}
    after = {name: _answers(model, normalized) for name, model in models.items()}

    def right(images, labels):
        return {name: _share(_answers(model, images), labels) for name, model in models.items()}

    return Trial(
        digits=len(images),
        drawings=drawings,
        read_right={
            "test digits": {name: _share(found, labels) for name, found in before.items()},
            "the same, normalized": {name: _share(found, labels) for name, found in after.items()},
            "pasted anywhere, normalized": right(pasted, labels),
            "pasted anywhere, raw": right(pasted_raw, labels),
            "written by program, normalized": right(drawn, written),
            "written by program, raw": right(drawn_raw, written),
        },
        unchanged=float((normalized == images).all(axis=(1, 2)).mean()),
        moved=max(_moved(step, image) for step, image in zip(steps, images, strict=True)),
        same_answer={name: _share(after[name], before[name]) for name in models},
    )


def _both_ways(canvases):
    """Normalized and raw, (count, 28, 28) each; one canvas is in memory at a time."""
    ways = [(normalize(canvas).centered, shrink(canvas)) for canvas in canvases]
    return [np.stack(way) for way in zip(*ways, strict=True)]


def _answers(model, images):
    x = mnist.to_float(images).reshape(len(images), -1)
    parts = np.split(x, range(BATCH, len(x), BATCH))
    return np.concatenate([model.forward(part).argmax(axis=1) for part in parts])


def _share(found, expected):
    return float(np.mean(found == expected))


def _moved(steps, image):
    """How far the normalization moved the upper left corner of the ink, in pixels."""
    corner = np.argwhere(image).min(axis=0)
    return int(np.abs(np.subtract(steps.offset, corner)).max())
