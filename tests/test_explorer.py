"""Sliders over a figure."""

from base64 import b64decode
from xml.etree import ElementTree

import pytest

from course import plots
from course.widgets.explorer import Explorer


@pytest.fixture
def calls():
    return []


@pytest.fixture
def explorer(calls):
    def draw(pixels=5, name="a", amount=0.5):
        calls.append((pixels, name, amount))
        if pixels == 0:
            raise ValueError("no <pixels>")
        figure, ax = plots.subplots(figsize=(1, 1))
        ax.set_title(f'"{name}" & {pixels}')
        return figure

    return Explorer(draw, pixels=(-8, 8), name=["a", "b"], amount=(0.0, 1.0, 0.25))


def test_draws_the_defaults_at_once_and_again_when_a_control_moves(explorer, calls):
    first = explorer.png
    explorer.controls["pixels"].value = 3
    explorer.controls["name"].value = "b"
    explorer.controls["amount"].value = 0.75
    assert calls == [(5, "a", 0.5), (3, "a", 0.5), (3, "b", 0.5), (3, "b", 0.75)]
    assert first != explorer.png
    for picture in (first, explorer.png):
        assert picture.startswith(b"\x89PNG")


def test_the_picture_says_what_it_shows_and_how_large_it_is(explorer):
    explorer.controls["pixels"].value = 3
    image = ElementTree.fromstring(explorer.picture.value.removesuffix(">") + "/>")
    assert b64decode(image.get("src").split(",")[1]) == explorer.png
    assert image.get("alt") == '"a" & 3'
    assert (image.get("width"), image.get("height")) == ("100", "100")


def test_an_exception_is_shown_and_then_gone(explorer):
    explorer.controls["pixels"].value = 0
    assert explorer.error.value == "ValueError: no &lt;pixels&gt;"
    explorer.controls["pixels"].value = 1
    assert explorer.error.value == ""


def test_has_a_picture_for_pages_without_a_kernel_and_no_address_in_its_text(explorer):
    bundle, metadata = explorer._repr_mimebundle_()
    assert b64decode(bundle["image/png"]) == explorer.png
    assert metadata == {"image/png": {"alt": '"a" & 5'}}
    assert bundle["text/plain"] == "Explorer(pixels=5, name=a, amount=0.5)"
    assert "application/vnd.jupyter.widget-view+json" in bundle
