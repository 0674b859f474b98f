"""Diagrams are valid SVG, say in words what they show, and hold the numbers they were given."""

import re
import subprocess
import sys
from base64 import b64decode
from xml.etree import ElementTree

import pytest

from course.diagrams import base, mlp
from course.diagrams.base import Diagram, DiagramError, Place
from course.nn.errors import CourseError

SVG = "{http://www.w3.org/2000/svg}"
LARGEST = 15_000  # bytes of one diagram
DIAGRAMS = {"neuron": mlp.neuron}


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


def test_gradients_are_dashed_whatever_their_color(diagram):
    diagram.arrow((0, 0), (9, 9), role="backward")
    assert "line" in paths(diagram, "backward")[0].get("class")
    assert re.search(r"\.backward\.line\{stroke-dasharray", diagram.svg)


def test_cells_are_darker_the_further_from_zero(diagram):
    diagram.grid(50, 50, [[0, 1], [-2, 0]], numbers=True)
    shades = [e.get("style") for e in paths(diagram, "bare")]
    assert shades == ["fill-opacity:0.35", "fill-opacity:0.60"]
    assert texts(diagram) == ["0", "1", "-2", "0"]


@pytest.mark.parametrize(
    "draw",
    [
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
        "import sys, course.diagrams.mlp as m; m.neuron().svg; "
        "print([n for n in ('matplotlib', 'IPython', 'ipywidgets') if n in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
