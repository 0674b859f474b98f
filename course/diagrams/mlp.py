"""Lesson 02: a neuron, the shapes of the MLP, gradients on their way back, a step, softmax."""

from course.diagrams.base import Diagram


def neuron():
    """One unit: inputs times weights, added up with the bias, and through the ReLU."""
    diagram = Diagram(
        640,
        250,
        "One neuron: each of the inputs x1, x2, to x784 is multiplied by a weight of its own, the "
        "products are added up together with the bias b to give z, and the ReLU makes a = max(z, "
        "0) of it.",
    )
    z = diagram.unit(330, 125, "Σ", radius=30)
    for y, name in ((40, "1"), (105, "2"), (210, "784")):
        x = diagram.unit(70, y, f"x_{{{name}}}")
        diagram.arrow(x, z, f"× w_{{{name}}}", role="weight")
    diagram.text(70, 160, "⋮")
    bias = diagram.unit(330, 215, "b", radius=18, role="weight")
    diagram.arrow(bias, z, "+", role="weight", shift=(14, 0))
    relu = diagram.box(480, 125, "max(z, 0)", "ReLU", width=100, height=46)
    diagram.arrow(z, relu, "z")
    diagram.arrow(relu, (610, 125), "a")
    diagram.text(70, 240, "784 pixels", "quiet", 12)
    return diagram
