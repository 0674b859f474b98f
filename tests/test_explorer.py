"""Sliders over a figure."""

from base64 import b64decode

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
        figure, _ = plots.subplots(figsize=(1, 1))
        return figure

    return Explorer(draw, pixels=(-8, 8), name=["a", "b"], amount=(0.0, 1.0, 0.25))


def test_draws_the_defaults_at_once_and_again_when_a_control_moves(explorer, calls):
    first = explorer.picture.value
    explorer.controls["pixels"].value = 3
    explorer.controls["name"].value = "b"
    explorer.controls["amount"].value = 0.75
    assert calls == [(5, "a", 0.5), (3, "a", 0.5), (3, "b", 0.5), (3, "b", 0.75)]
    for picture in (first, explorer.picture.value):
        assert bytes(picture).startswith(b"\x89PNG")


def test_an_exception_is_shown_and_then_gone(explorer):
    explorer.controls["pixels"].value = 0
    assert explorer.error.value == "ValueError: no &lt;pixels&gt;"
    explorer.controls["pixels"].value = 1
    assert explorer.error.value == ""


def test_has_a_picture_for_pages_without_a_kernel_and_no_address_in_its_text(explorer):
    bundle = explorer._repr_mimebundle_()
    assert b64decode(bundle["image/png"]) == explorer.picture.value
    assert bundle["text/plain"] == "Explorer(pixels=5, name=a, amount=0.5)"
    assert "application/vnd.jupyter.widget-view+json" in bundle
