"""Lesson 06: the recognizer as a still picture, for pages where no kernel runs (GitHub, HTML)."""

from course import plots
from course.nn.classes import DIGITS
from course.plots.style import describe, styled


@styled
def still_picture(drawing, steps, predictions, class_names):
    """A figure of the drawing, what the networks receive, and the probabilities of each model.

    Args:
        drawing: (280, 280) uint8.
        steps: the `Steps`, or None when nothing is drawn.
        predictions: name -> probabilities (classes,).
        class_names: name -> names of these classes; they are drawn unless they are the digits.
    """
    columns = 2 + len(predictions) if steps else 1
    figure, axes = plots.subplots(1, columns, figsize=(2.2 * columns, 2.4), squeeze=False)
    pictures = {"your drawing": drawing}
    if steps:
        pictures["what the networks receive"] = steps.centered
    for ax, (title, picture) in zip(axes[0], pictures.items(), strict=False):
        ax.imshow(picture, cmap="gray", vmin=0, vmax=255)
        ax.set_title(title, fontsize=9)
        ax.axis("off")
        describe(ax, f"{title[0].upper()}{title[1:]}.")
    if steps:
        figure.supxlabel("a still picture: run the cell to draw", fontsize=8)
    else:
        axes[0, 0].text(0.5, 0.5, "run this cell\nto draw here", color="white", ha="center",
                        va="center", transform=axes[0, 0].transAxes)  # fmt: skip
    for ax, (name, values) in zip(axes[0, 2:], predictions.items(), strict=False):
        names = class_names.get(name) or [*map(str, range(len(values)))]
        answer = values.argmax()
        title = f"{name}: {names[answer]} ({values[answer]:.1%})"
        others = None if tuple(names) == DIGITS else names
        plots.probabilities(values, ax=ax, title=title, class_names=others)
    return figure
