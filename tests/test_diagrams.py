"""Diagrams are valid SVG, say in words what they show, and hold the numbers they were given."""

import re
import subprocess
import sys
from base64 import b64decode
from xml.etree import ElementTree

import numpy as np
import pytest

from course import autograd, xor
from course.attention.image import forward_image
from course.attention.model import PatchAttention
from course.autograd import Tensor
from course.diagrams import base
from course.diagrams.attention import token_flow
from course.diagrams.base import Diagram, DiagramError, Place
from course.diagrams.convolution import im2col, receptive_field
from course.diagrams.graph import MOST, arrange, computation_graph
from course.diagrams.mlp import backward_graph, mlp_shapes, neuron, softmax_shares, update_step
from course.diagrams.xor import xor_network
from course.nn.errors import CourseError

SVG = "{http://www.w3.org/2000/svg}"
LARGEST = 15_000  # bytes of one diagram
XOR = xor.XOR(seed=3)


def neuron_loss(x=3.0, w=0.5, b=-1.0, target=2.0):
    """The computation of `backward_graph`, as tensors that have their gradients."""
    loss = (((Tensor(x, "x") * Tensor(w, "w") + Tensor(b, "b")).relu() - target) ** 2) / 2
    loss.backward()
    return loss


def xor_loss():
    return autograd.xor_loss(autograd.tensors(XOR.parameters), xor.INPUTS, xor.TARGETS)


DIAGRAMS = {
    "neuron": neuron,
    "mlp_shapes": mlp_shapes,
    "backward_graph": backward_graph,
    "update_step": update_step,
    "softmax_shares": softmax_shares,
    "receptive_field": receptive_field,
    "im2col": im2col,
    "token_flow": token_flow,
    "token_flow with all": lambda: token_flow(residual=True, layer_norm=True),
    "computation_graph": lambda: computation_graph(neuron_loss()),
    "computation_graph of XOR": lambda: computation_graph(xor_loss()),
    "xor_network": xor_network,
    "xor_network with all": lambda: xor_network(XOR.parameters, XOR.parameters, [0, 1]),
}


def texts(diagram):
    """What is written in a diagram, one string a line of text."""
    return [
        "".join(text.itertext()) for text in ElementTree.fromstring(diagram.svg).iter(f"{SVG}text")
    ]


def paths(diagram, role):
    """The shapes and lines of one role."""
    return [e for e in ElementTree.fromstring(diagram.svg) if role in e.get("class", "").split()]


@pytest.fixture
def diagram():
    return Diagram(300, 100, alt='A pixel & a "unit" <joined>.')


@pytest.mark.parametrize("draw", DIAGRAMS.values(), ids=DIAGRAMS)
def test_each_is_a_small_document_that_stays_within_its_frame(draw):
    diagram = draw()
    root = ElementTree.fromstring(diagram.svg)
    assert len(diagram.svg.encode()) < LARGEST
    assert root.get("viewBox") == f"0 0 {diagram.width} {diagram.height}"
    assert (root.get("role"), root.get("aria-label")) == ("img", diagram.alt)
    assert not re.search(r'\sid="|url\(|href=', diagram.svg)  # nothing to clash, nothing to fetch
    for text in root.iter(f"{SVG}text"):
        x, y = float(text.get("x")), float(text.get("y"))
        width = 0.56 * float(text.get("font-size")) * len("".join(text.itertext()))
        left = x - width * {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor")]
        assert -2 <= left and left + width <= diagram.width + 2, "".join(text.itertext())
        assert 8 <= y <= diagram.height - 2, "".join(text.itertext())


@pytest.mark.parametrize("draw", DIAGRAMS.values(), ids=DIAGRAMS)
def test_each_says_what_it_shows_and_is_the_same_every_time(draw):
    first, second = draw()._repr_mimebundle_(), draw()._repr_mimebundle_()
    assert first == second
    alt = first["text/plain"]
    assert 40 < len(alt) < 700 and alt[0].isupper() and alt.endswith(".")


def test_a_notebook_gets_a_picture_that_fits_the_cell_with_its_text(diagram):
    bundle = diagram._repr_mimebundle_()
    image = ElementTree.fromstring(bundle["text/html"].removesuffix(">") + "/>")
    kind, _, source = image.get("src").partition(",")
    assert kind == "data:image/svg+xml;base64"
    assert b64decode(source).decode() == bundle["image/svg+xml"] == diagram.svg
    assert image.get("alt") == bundle["text/plain"] == repr(diagram) == diagram.alt
    assert image.get("style").startswith("max-width:100%")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("w_{12}^{(1)} x", "w12(1) x"),
        ("learning_rate", "learning_rate"),
        ("a < b & c", "a < b & c"),
        ("_{1}", "1"),
    ],
)
def test_text_has_lowered_and_raised_parts_and_no_markup_of_its_own(diagram, text, seen):
    diagram.text(50, 50, text)
    assert texts(diagram) == [seen]
    shifts = [
        float(span.get("dy", 0)) for span in ElementTree.fromstring(diagram.svg).iter(f"{SVG}tspan")
    ]
    if text.endswith(" x"):
        assert sum(shifts) == pytest.approx(0, abs=0.2)  # back on the line


@pytest.mark.parametrize(
    ("place", "edge"),
    [
        (Place(0, 0, 10, 10, is_round=True), (6, 8)),
        (Place(0, 0, 30, 8), (6, 8)),
        (Place(0, 0), (0, 0)),
    ],
)
def test_an_arrow_begins_where_a_thing_ends(place, edge):
    assert place.edge((60, 80)) == pytest.approx(edge)


def test_an_arrow_ends_at_the_thing(diagram):
    diagram.arrow(diagram.box(60, 50, width=40), diagram.unit(240, 50, radius=20), "w")
    line, head = paths(diagram, "ink")[-3:-1]
    assert line.get("d").startswith(f"M{80 + base.GAP:.1f} 50.0L")
    assert head.get("d").startswith(f"M{220 - base.GAP:.1f} 50.0L")


def test_a_bent_arrow_and_a_brace_bulge_to_the_left_of_their_way(diagram):
    diagram.arrow((50, 50), (150, 50), "over", bend=20, shift=(0, 0))
    diagram.brace((50, 80), (150, 80), "above")
    heights = {
        "".join(t.itertext()): float(t.get("y"))
        for t in ElementTree.fromstring(diagram.svg).iter(f"{SVG}text")
    }
    assert heights["over"] == pytest.approx(50 - 20, abs=6)
    assert 50 < heights["above"] < 80


def test_gradients_are_dashed_whatever_their_color(diagram):
    diagram.arrow((0, 0), (9, 9), role="backward")
    assert "line" in paths(diagram, "backward")[0].get("class")
    assert re.search(r"\.backward\.line\{stroke-dasharray", diagram.svg)


def test_cells_are_darker_the_further_from_zero(diagram):
    diagram.grid(50, 50, [[0, 1], [-2, 0]], numbers=True)
    shades = [e.get("style") for e in paths(diagram, "bare")]
    assert shades == ["fill-opacity:0.35", "fill-opacity:0.60"]
    assert texts(diagram) == ["0", "1", "-2", "0"]


# ------------------------------------------------------------------------------ the lessons


def numbers(pattern, text):
    return [float(found) for found in re.findall(pattern, text)]


def test_gradients_of_the_graph_are_difference_quotients():
    at, nudge = {"x": 1.5, "w": 0.75, "b": -0.25}, 0.5  # exact: the loss is a parabola in each
    loss = {
        name: [
            numbers("loss is ([-.0-9]*[0-9])", backward_graph(**at | {name: at[name] + step}).alt)[
                0
            ]
            for step in (nudge, -nudge)
        ]
        for name in at
    }
    found = backward_graph(**at).alt
    for name, (above, below) in loss.items():
        (gradient,) = numbers(f"d{name} = ([-.0-9]*[0-9])", found)
        assert (above - below) / (2 * nudge) == pytest.approx(gradient, abs=1e-4)


def test_shares_sum_to_one():
    shown = texts(softmax_shares([1.0, 0.0, -2.0]))
    assert {"sum 3.85", "sum 1.00"} <= set(shown)
    assert {"2.72", "0.14", "0.71", "0.26", "0.04"} <= set(shown)


def test_one_pooled_pixel_sees_what_the_kernel_and_the_pool_reach():
    assert {"6 × 6 pixels", "2 × 2 answers"} <= set(texts(receptive_field(kernel=5, side=10)))


def test_im2col_lays_out_the_windows_as_rows():
    shown = texts(im2col(side=4, kernel=3))
    rows = [shown[start : start + 9] for start in range(16, 16 + 36, 9)]
    pixels = np.arange(16).reshape(4, 4)
    windows = [pixels[r : r + 3, c : c + 3] for r in (0, 1) for c in (0, 1)]
    assert rows == [[str(pixel) for pixel in window.flat] for window in windows]


@pytest.mark.parametrize("extras", [{}, {"residual": True, "layer_norm": True}])
def test_token_flow_has_the_shapes_of_the_model(extras):
    sizes = {"height": 8, "width": 12, "patch": 4, "d_model": 6, "d_ff": 5, "outputs": 3}
    model = PatchAttention(**sizes, **extras)
    logits, tensors = forward_image(np.ones((8, 12), np.float32), model.weights, model.options)
    arrays = tensors._asdict() | tensors.head._asdict() | {"logits": logits}
    alt = token_flow(**sizes, **extras).alt
    for name in ("patches", "tokens", "attention", "attended", "hidden", "mean_hidden", "pooled"):
        assert f" {name} {arrays[name].shape}" in alt
    assert f"logits {logits.shape}" in alt
    assert alt.count("layer norm") == len(extras)
    assert ("+ tokens" in alt) == ("mean of attended" in alt) == bool(extras)


def test_xor_network_shows_all_seventeen_numbers_and_gradients():
    parameters = {
        name: 1 + np.arange(array.size).reshape(array.shape) + 10 * place
        for place, (name, array) in enumerate(XOR.parameters.items())
    }
    gradients = {name: array / 100 for name, array in parameters.items()}
    expected = sorted(f"{v:.2g}" for array in parameters.values() for v in array.flat)
    assert len(expected) == 17
    for shown in (xor_network(parameters), xor_network(parameters, gradients)):
        assert sorted(t for t in texts(shown) if t.isdigit()) == expected
    assert len([t for t in texts(shown) if re.fullmatch(r"d 0\.\d+", t)]) == 17


@pytest.mark.parametrize("inputs", xor.INPUTS.tolist())
def test_xor_units_answer_as_the_network_does(inputs):
    (answer,) = XOR.forward(np.array([inputs]))[0]
    diagram = xor_network(XOR.parameters, inputs=inputs)
    assert f"{answer:.3g}" in texts(diagram)
    assert diagram.alt.endswith(f"it answers {answer:.3g}.")


def test_a_graph_of_tensors_has_the_gradients_of_the_one_by_hand():
    at = {"x": 1.5, "w": 0.75, "b": -0.25}
    by_hand, drawn = backward_graph(**at).alt, computation_graph(neuron_loss(**at))
    for name, value in at.items():
        (gradient,) = numbers(f"d{name} = ([-.0-9]*[0-9])", by_hand)
        assert f"{name} = {value:.3g} with d = {gradient:.3g};" in drawn.alt
        assert {f"= {value:.3g}", f"d = {gradient:.3g}"} <= set(texts(drawn))


def test_a_graph_of_tensors_shows_every_one_and_all_that_joins_them():
    loss = xor_loss()
    order = loss.graph()
    diagram, places = computation_graph(loss), arrange(order)
    assert len(set(places.values())) == len(order)  # none covers another
    assert all(places[p][1] < places[t][1] for t in order for p, _ in t.parents)  # all go down
    boxes = [
        e for e in ElementTree.fromstring(diagram.svg).iter(f"{SVG}rect") if e.get("rx") == "5"
    ]
    arrows = [
        e for e in ElementTree.fromstring(diagram.svg) if "line" in e.get("class", "").split()
    ]
    assert len(boxes) == len(order)
    assert len(arrows) == sum(len(t.parents) for t in order)
    quiet = [box for box in boxes if "quiet" in box.get("class").split()]
    assert len(quiet) == sum(not t.needs_gradient for t in order) > 0
    assert "t1 = c1 @ hidden.w (4, 4); hidden.b (4,); t2 = t1 + hidden.b (4, 4)" in diagram.alt
    assert "d = " not in diagram.alt  # nothing went backward yet


def test_tensors_of_one_name_are_told_apart():
    drawn = computation_graph(Tensor(1.0, "w") + Tensor(2.0, "w"))
    assert "w = 1; w2 = 2; t1 = w + w2 = 3." in drawn.alt


@pytest.mark.parametrize(
    "draw",
    [
        lambda: computation_graph(sum([Tensor(1.0)] * MOST)),
        lambda: xor_network(inputs=[0, 1]),
        lambda: Diagram(10, 10, alt=" "),
        lambda: Diagram(10, 10, alt="a").box(5, 5, role="mauve"),
        lambda: Diagram(10, 10, alt="a").unit(float("nan"), 5),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw):
    with pytest.raises(DiagramError) as caught:
        draw()
    assert isinstance(caught.value, CourseError)


@pytest.mark.parametrize("dark", [0, 1])
def test_every_color_can_be_read_on_its_paper(dark):
    def luminance(color):
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    paper = luminance(base.PAPER[dark])
    for role, colors in base.ROLES.items():
        low, high = sorted([luminance(colors[dark]), paper])
        assert (high + 0.05) / (low + 0.05) >= 4.5, role  # WCAG 2.1, level AA


def test_diagrams_need_no_matplotlib_and_no_jupyter():
    code = (
        "import sys; from course.diagrams import attention, convolution, graph, mlp, xor; "
        "print([n for n in ('matplotlib', 'IPython', 'ipywidgets') if n in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
