"""Lesson 05: the XOR network with every one of its numbers where it belongs."""

import math

from course.diagrams.base import SMALL, Diagram, DiagramError

STEP = 112  # from one hidden unit to the next
BESIDE = {"weight": -8, "backward": 8}  # a number stands above its gradient


def xor_network(parameters=None, gradients=None, inputs=None):
    """Two inputs, the hidden units, one output, and every weight and bias at its place.

    parameters, gradients: as `XOR.parameters` and `XOR.gradients`; without numbers there are the
    names that they have in `xor.train_epochs`.
    inputs: (2,), and above each unit stands what it answers. Raises DiagramError for inputs without
    parameters.
    """
    if inputs is not None and not parameters:
        raise DiagramError("the units can answer the inputs only with parameters: give them, too")
    numbers = {"weight": parameters, "backward": gradients}
    numbers = {role: arrays for role, arrays in numbers.items() if arrays}
    hidden = len(next(iter(numbers.values()))["hidden.b"]) if numbers else 4
    answers = answer(parameters, inputs) if inputs is not None else []
    diagram = Diagram(700, STEP * hidden + 20, in_words(hidden, numbers, inputs, answers))
    middle = STEP * hidden / 2
    x = [diagram.unit(80, middle + dy, f"x_{{{i}}}") for i, dy in ((0, -80), (1, 80))]
    a = [diagram.unit(350, 50 + STEP * j, f"a1_{{{j}}}") for j in range(hidden)]
    y = diagram.unit(610, middle, "a2")
    for place, value in zip([*x, *a, y], [*(inputs if answers else ()), *answers], strict=False):
        diagram.label(place.x, place.y - 33, f"{value:.3g}", "forward")

    def label(point, array, index, name):
        write(diagram, point, {r: arrays[array][index] for r, arrays in numbers.items()}, name)

    for j, unit in enumerate(a):
        for i, source in enumerate(x):
            diagram.arrow(source, unit, role="quiet")
            label(along(source, unit, 0.73), "hidden.w", (i, j), f"w1_{{{i}{j}}}")
        diagram.arrow(unit, y, role="quiet")
        label(along(unit, y, 0.45), "output.w", (j, 0), f"w2_{{{j}}}")
        label((unit.x, unit.y + 42), "hidden.b", j, f"b1_{{{j}}}")
    label((y.x, y.y + 42), "output.b", 0, "b2")
    legend(diagram, numbers)
    return diagram


def write(diagram, point, values, name):
    """Write a number and its gradient over each other at a point, or the name if there are none."""
    for role, value in values.items():
        beside = BESIDE[role] if len(values) > 1 else 0
        sign = "d " if role == "backward" else ""
        diagram.label(point[0], point[1] + beside, f"{sign}{value:.2g}", role)
    if not values:
        diagram.label(*point, name, "weight")


def legend(diagram, numbers):
    """Say in a corner what the numbers are."""
    says = {"weight": "weights and biases", "backward": "d: gradient of the loss"}
    for row, role in enumerate(numbers):
        y = diagram.height - 30 + 16 * row
        diagram.text(690, y, says[role], role, SMALL, "end")


def along(start, end, share):
    """The point after a share of the way between two places."""
    return start.x + share * (end.x - start.x), start.y + share * (end.y - start.y)


def answer(parameters, inputs):
    """What the hidden units and the output answer to inputs (2,): a list, the output last."""

    def sigmoid(z):
        return 1 / (1 + math.exp(min(-z, 700.0)))

    w, b, v, c = (parameters[f"{layer}.{kind}"] for layer in ("hidden", "output") for kind in "wb")
    a = [sigmoid(inputs[0] * w[0][j] + inputs[1] * w[1][j] + b[j]) for j in range(len(b))]
    return [*a, sigmoid(sum(a[j] * v[j][0] for j in range(len(a))) + c[0])]


def in_words(hidden, numbers, inputs, answers):
    """Say what is drawn: the units, every number, and the answer."""
    text = (
        f"The XOR network: inputs x0 and x1, {hidden} hidden units a1, the output a2; "
        f"{3 * hidden} weights at the edges, {hidden + 1} biases below the units."
    )
    for role, arrays in numbers.items():
        w, b, v, c = (arrays[name] for name in ("hidden.w", "hidden.b", "output.w", "output.b"))
        units = [
            f"unit {j} {w[0][j]:.2g}, {w[1][j]:.2g}, bias {b[j]:.2g}, on to a2 {v[j][0]:.2g}"
            for j in range(hidden)
        ]
        kind = "Weights" if role == "weight" else "Gradients"
        text += f" {kind}: {'; '.join(units)}; bias of a2 {c[0]:.2g}."
    if answers:
        text += f" For {inputs[0]:g} and {inputs[1]:g} it answers {answers[-1]:.3g}."
    return text
