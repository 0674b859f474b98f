"""Functions of one or two numbers: a loss over weights, a network's answer over the plane."""

import numpy as np
from matplotlib.colors import LogNorm

from course.plots.style import ACTIVITY, BLACK, BLUE, GRAY, SIGNED, axes_or_new, describe, styled
from course.plots.words import MOST, course_of, extent_of, sentence

XOR_POINTS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR_LABELS = np.array([0, 1, 1, 0])


@styled
def boundary(predict, points=XOR_POINTS, labels=XOR_LABELS, ax=None, title="Decision boundary"):
    """What a network with two inputs answers everywhere, and the line where it changes its mind.

    predict: function from (n, 2) inputs to (n,) outputs between 0 (red) and 1 (blue); the boundary
    is drawn at 0.5. points, labels: (k, 2) and (k,), zeros as circles and ones as squares.
    Returns the Figure.
    """
    points, labels = np.asarray(points), np.asarray(labels)
    new = ax is None
    ax = axes_or_new(ax, figsize=(4.8, 4.0))
    margin = 0.25 * np.ptp(points, axis=0)
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    x1, x2 = np.linspace(low[0], high[0], 200), np.linspace(low[1], high[1], 200)
    grid = np.stack(np.meshgrid(x1, x2), axis=-1)  # (200, 200, 2)
    answer = np.asarray(predict(grid.reshape(-1, 2))).reshape(200, 200)

    extent = (low[0], high[0], low[1], high[1])
    shown = ax.imshow(answer, cmap=SIGNED, vmin=0, vmax=1, origin="lower", extent=extent)
    if answer.min() < 0.5 < answer.max():
        ax.contour(x1, x2, answer, levels=[0.5], colors=[BLACK], linewidths=2)
    for label, marker in ((0, "o"), (1, "s")):
        x, y = points[labels == label].T
        ax.plot(x, y, marker, color="white", markeredgecolor=BLACK, markersize=11)
        for a, b in zip(x, y, strict=True):
            ax.annotate(str(label), (a, b), ha="center", va="center_baseline", fontsize=8)
    ax.set(xlabel="first input", ylabel="second input", title=title)
    answers = np.asarray(predict(points.astype(float))).ravel()
    said = [f"({a:g}, {b:g}) is {label} and gets {answer:.2f}"
            for (a, b), label, answer in zip(points, labels, answers, strict=True)]  # fmt: skip
    describe(ax, sentence(title, said[:MOST]))
    ax.grid(visible=False)
    if new:  # the caller of an animation keeps its axes, and wants no second scale
        ax.figure.colorbar(shown, ax=ax, label="output").outline.set_visible(False)
    return ax.figure


@styled
def descent(loss, path, ax=None, title="Loss over one weight"):
    """The values that a weight went through, as points on the curve of its loss; the Figure.

    loss: function from (n,) weights to (n,) losses. path: (steps + 1,) weights, the first one
    before any step.
    """
    ax = axes_or_new(ax, figsize=(6.0, 3.4))
    path = np.asarray(path, float)
    margin = 0.1 * np.ptp(path) or 1.0
    w = np.linspace(path.min() - margin, path.max() + margin, 300)
    ax.plot(w, loss(w), color=GRAY)
    ax.plot(path, loss(path), "o-", color=BLUE, linewidth=1, label="a step each")
    for place, marker, name in ((path[0], "s", "start"), (path[-1], "D", "end")):
        ax.plot(place, loss(place), marker, color=BLACK, markersize=8, label=name)
    ax.set(xlabel="weight", ylabel="loss", title=title)
    ax.legend()
    went = f"in {len(path) - 1} steps the weight goes {course_of(path)}"
    describe(ax, sentence(title, [went, f"its loss {course_of(loss(path))}"]))
    return ax.figure


@styled
def loss_surface(
    first, second, losses, names=("first weight", "second weight"), path=None, ax=None
):
    """The loss over two weights, all others held: contours on a logarithmic scale; the Figure.

    first: (m,) values of the one, second: (n,) of the other, losses: (n, m), all above zero.
    path: (steps, 2) the values that training went through, drawn as a line with its end marked.
    Where it leaves the surface the picture does not follow.
    """
    ax = axes_or_new(ax, figsize=(5.4, 4.2))
    losses = np.asarray(losses)
    levels = np.geomspace(losses.min(), losses.max(), 20)
    if losses.min() == losses.max():
        raise ValueError("the loss is the same everywhere: there is no surface to draw")
    shown = ax.contourf(first, second, losses, levels=levels, cmap=ACTIVITY, norm=LogNorm())
    if path is not None:
        x, y = np.asarray(path).T
        ax.plot(x, y, color="white", linewidth=3)
        ax.plot(x, y, color=BLACK)
        ax.plot(x[-1], y[-1], "o", color=BLACK, markeredgecolor="white", markersize=9)
    ax.set(xlim=(first[0], first[-1]), ylim=(second[0], second[-1]))
    ax.set(xlabel=names[0], ylabel=names[1], title="Loss over two weights")
    bar = ax.figure.colorbar(shown, ax=ax, label="loss", format="%.2g")
    bar.outline.set_visible(False)
    said = f"between {names[0]} and {names[1]} it goes {extent_of(losses)}"
    if path is not None:
        said += f"; training went from ({x[0]:.2g}, {y[0]:.2g}) to ({x[-1]:.2g}, {y[-1]:.2g})"
    describe(ax, sentence("Loss over two weights", [said]))
    return ax.figure
