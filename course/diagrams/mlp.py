"""Lesson 02: a neuron, the shapes of the MLP, gradients on their way back, a step, softmax."""

import math

from course.diagrams.base import SMALL, Diagram


def neuron():
    """One unit: inputs times weights, added up with the bias, and through the ReLU."""
    diagram = Diagram(
        640,
        250,
        "One neuron: each of the 784 inputs x is multiplied by a weight w of its own, the products "
        "and the bias b are added up to z, and the ReLU makes a = max(z, 0) of it.",
    )
    z = diagram.unit(330, 118, "Σ", radius=30)
    for y, name in ((36, "1"), (100, "2"), (200, "784")):
        x = diagram.unit(70, y, f"x_{{{name}}}")
        diagram.arrow(x, z, f"× w_{{{name}}}", role="weight", at=0.4, shift=(4, -9))
    diagram.text(70, 150, "⋮")
    diagram.text(70, 236, "784 pixels", "quiet", SMALL)
    bias = diagram.unit(330, 212, "b", radius=18, role="weight")
    diagram.arrow(bias, z, "+", role="weight", shift=(14, 0))
    relu = diagram.box(475, 118, "max(z, 0)", "ReLU", width=100, height=46)
    diagram.arrow(z, relu, "z")
    diagram.arrow(relu, (620, 118), "a")
    return diagram


def mlp_shapes(batch=64, inputs=784, hidden=512, outputs=10):
    """The arrays of the MLP from the pixels to the probabilities, each with its shape."""
    sizes = f"{batch} digits of {inputs} pixels"
    diagram = Diagram(
        760,
        220,
        f"The MLP as arrays: {sizes}, shape ({batch}, {inputs}), times the weights ({inputs}, "
        f"{hidden}) plus the bias ({hidden},) give z ({batch}, {hidden}); after the ReLU, times "
        f"({hidden}, {outputs}) plus ({outputs},), the logits ({batch}, {outputs}); softmax makes "
        "probabilities of the same shape of them.",
    )
    middle = 60
    names = ("x", "z", "a", "logits", "probabilities")
    widths = [inputs, hidden, hidden, outputs, outputs]
    places = []
    for index, (name, columns) in enumerate(zip(names, widths, strict=True)):
        width = 104 if index == 4 else 76
        places.append(diagram.box(60 + 158 * index, middle, name, width=width, role="forward"))
        diagram.shape(places[-1].x, middle + 34, (batch, columns))
    steps = ("@ w + b", "ReLU", "@ w + b", "softmax")
    for start, end, step in zip(places, places[1:], steps, strict=False):
        diagram.arrow(start, end, step)
    for index, name in ((0, "hidden"), (2, "output")):
        x, rows, columns = 60 + 158 * index + 79, widths[index], widths[index + 1]
        box = diagram.box(x, 158, f"{name}.w, {name}.b", width=156, height=32, role="weight")
        diagram.shape(x, 187, (rows, columns), "w")
        diagram.shape(x, 204, (columns,), "b")
        diagram.arrow(box.top, (x, middle + 6), role="weight")
    return diagram


def backward_graph(x=3.0, w=0.5, b=-1.0, target=2.0):
    """Values of one neuron on their way to the loss, and below them the gradients coming back.

    The loss is (a - target)^2 / 2.
    """
    product, z = x * w, x * w + b
    a = max(z, 0.0)
    loss, da = (a - target) ** 2 / 2, a - target
    dz = da if z > 0 else 0.0
    dw, dx = dz * x, dz * w
    diagram = Diagram(
        760,
        200,
        f"A computation graph. Forward: x = {x:g} times w = {w:g} is p = {product:g}, plus "
        f"b = {b:g} is z = {z:g}, the ReLU gives a = {a:g}, and the loss is {loss:g}. "
        f"Backward, from right to left: da = {da:g}, dz = {dz:g}, dp = {dz:g}, db = {dz:g}, "
        f"dw = {dw:g}, dx = {dx:g}.",
    )
    source, times = diagram.unit(50, 55, "x"), diagram.unit(200, 55, "×")
    plus, relu = diagram.unit(385, 55, "+"), diagram.box(545, 55, "ReLU", width=80)
    end = diagram.box(700, 55, "loss", f"{loss:g}", width=80, height=46)
    weight, bias = (diagram.unit(place.x, 160, name) for place, name in ((times, "w"), (plus, "b")))
    for start, stop, name, value, gradient in [
        (source, times, "x", x, dx),
        (weight, times, "w", w, dw),
        (times, plus, "p", product, dz),
        (bias, plus, "b", b, dz),
        (plus, relu, "z", z, dz),
        (relu, end, "a", a, da),
    ]:
        there_and_back(diagram, start, stop, f"{name} = {value:g}", f"d{name} = {gradient:g}")
    diagram.arrow((540, 135), (590, 135), role="forward")
    diagram.label(602, 135, "forward: values", "forward", "start")
    diagram.arrow((590, 160), (540, 160), role="backward")
    diagram.label(602, 160, "backward: gradients", "backward", "start")
    return diagram


def there_and_back(diagram, start, end, value, gradient):
    """Two arrows between two things, level or upright: the value forward, the gradient back."""
    upright = start.x == end.x
    aside = (-5, 0) if upright else (0, -5)
    text = (-42, 0) if upright else (0, -11)
    ends = start.edge((end.x, end.y)), end.edge((start.x, start.y))
    for sign, way, label, role in (
        (1, ends, value, "forward"),
        (-1, ends[::-1], gradient, "backward"),
    ):
        points = [(x + sign * aside[0], y + sign * aside[1]) for x, y in way]
        diagram.arrow(*points, label, role, shift=(sign * text[0], sign * text[1]))


def update_step(w=2.3, learning_rate=0.3):
    """One weight on its loss curve, the slope there, and the step that gradient descent makes.

    The curve is loss(w) = (w - 1)^2 + 0.3.
    """

    def loss(w):
        return (w - 1) ** 2 + 0.3

    def at(w, height):
        return 60 + 150 * (w + 0.8), 270 - 62 * height

    gradient = 2 * (w - 1)
    after = w - learning_rate * gradient
    diagram = Diagram(
        760,
        320,
        f"The loss over one weight, a valley. At w = {w:g} the loss is {loss(w):.2f} and its "
        f"slope, the gradient, is {gradient:g}. The step goes against the slope, to "
        f"w - learning_rate * gradient = {after:g}, where the loss is {loss(after):.2f}.",
    )
    diagram.arrow((40, 270), (600, 270))
    diagram.arrow((60, 285), (60, 24))
    diagram.text(608, 272, "w", anchor="start")
    diagram.text(60, 12, "loss")
    diagram.line([at(k / 20, loss(k / 20)) for k in range(-14, 59)])
    diagram.line([at(v, loss(w) + gradient * (v - w)) for v in (w - 0.7, w + 0.6)], "backward")
    x, y = at(w + 0.2, loss(w) + 0.2 * gradient)
    diagram.label(x + 12, y + 24, f"slope = gradient = {gradient:g}", "backward", "start")
    for value, name in ((w, "w"), (after, "new w")):
        diagram.line([at(value, 0), at(value, loss(value))], "quiet")
        diagram.unit(*at(value, loss(value)), radius=6, role="weight")
        diagram.text(at(value, 0)[0], 288, f"{name} = {value:g}", "weight", SMALL + 1)
    diagram.arrow(at(w, 0.16), at(after, 0.16), role="focus")
    diagram.text(320, 308, "w -= learning_rate * gradient", "focus", code=True)
    diagram.text(596, 308, f"learning_rate = {learning_rate:g}", "quiet", SMALL, "end")
    return diagram


def softmax_shares(logits=(2.0, 1.0, -1.0)):
    """Logits, the powers of e that they become, and the shares of their sum, as bars."""
    powers = [math.exp(z) for z in logits]
    shares = [power / sum(powers) for power in powers]
    said = [", ".join(f"{v:.2f}" for v in column) for column in (logits, powers, shares)]
    diagram = Diagram(
        660,
        84 + 40 * len(logits),
        f"Softmax: the logits {said[0]} become e to the power of each, {said[1]}, and these "
        f"divided by their sum {sum(powers):.2f} are the probabilities {said[2]}, which sum to 1.",
    )
    for x, values, name, role in [
        (90, logits, "logits z", "ink"),
        (310, powers, "e^{z}", "forward"),
        (530, shares, "p = e^{z} / sum", "weight"),
    ]:
        diagram.text(x + 20, 22, name, bold=True)
        for row, value in enumerate(values):
            y, length = 66 + 40 * row, 64 * value / max(map(abs, values))
            diagram.box(x + length / 2, y, width=abs(length), height=16, role=role)
            diagram.text(x + 72, y, f"{value:.2f}", size=SMALL + 1, anchor="start")
        diagram.line([(x, 48), (x, 44 + 40 * len(logits))])
    for row in range(len(logits)):
        y = 66 + 40 * row
        diagram.arrow((205, y), (300, y), "" if row else "exp")
        diagram.arrow((425, y), (520, y), "" if row else "÷ sum")
    for x, values in ((310, powers), (530, shares)):
        diagram.text(x + 20, 64 + 40 * len(logits), f"sum {sum(values):.2f}", bold=True)
    return diagram
