"""The recognizer with five classes of its learner's: drawn, read, collected, and chosen."""

import numpy as np
import pytest
import symbols
from canvas import Canvas

from course import mnist
from course.mlp import MLP
from course.models import shelf
from course.nn.recipe import Recipe
from course.recognizer.collection import Collection
from course.recognizer.preprocess import normalize
from course.recognizer.strokes import render

CODE = """
from course.recognizer.widget import Recognizer
recognizer = Recognizer({{"mine": {path!r}}}, folder={mine!r}, shelf={shelf!r})
recognizer"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A shelf with a network of the five symbols, another one, and a file that is neither."""
    random, folder = np.random.default_rng(0), tmp_path_factory.mktemp("shelf")
    labels = np.arange(300) % 5
    drawn = (render(symbols.strokes(symbols.NAMES[label], random)) for label in labels)
    x = mnist.to_float(np.stack([normalize(ink).centered for ink in drawn])).reshape(300, 784)
    model = MLP(hidden=64, outputs=5)
    model.class_names = symbols.NAMES
    Recipe(epochs=20, optimizer="adam", learning_rate=0.003).trainer(model).fit(x, labels)
    shelf.save("symbols", model, epochs=20, folder=folder)
    shelf.save("letters", MLP(hidden=4, outputs=26), folder=folder)
    (folder / "text.safetensors").write_text("once upon a time")
    return folder


@pytest.fixture
def canvas(saved, open_notebook, tmp_path):
    notebook = open_notebook("00-start-here.ipynb")
    fields = {"path": str(saved / "symbols.safetensors"), "mine": str(tmp_path / "mine")}
    notebook.replace_cells(CODE.format(shelf=str(saved), **fields).strip())
    notebook.run_all()
    yield Canvas(notebook)
    assert notebook.errors() == []


def drawn(name, seed=3):
    strokes = symbols.strokes(name, np.random.default_rng(seed), style=0, size=200, brush=20)
    for stroke in strokes:
        stroke["points"] = stroke["points"][:-1:3] + stroke["points"][-1:]
    return strokes


def test_what_is_drawn_is_read_by_name(canvas):
    for name in symbols.NAMES:
        canvas.write(drawn(name))
        canvas.reads(name)
    labels = canvas.root.locator(".recognizer-model li b").all_inner_texts()
    assert tuple(labels) == symbols.NAMES
    assert canvas.root.locator(".recognizer-model strong").inner_text() == "reads wave"
    assert "mine reads wave, " in canvas.root.locator(".recognizer-spoken").inner_text()


def test_drawings_are_collected_under_their_names(canvas, tmp_path):
    canvas.press("Collect")
    wish, asked = canvas.root.locator(".recognizer-wish"), []
    for number in range(5):
        before = wish.inner_text()
        asked.append(before.removeprefix("Draw: ").split(",")[0])
        canvas.mouse(drawn(asked[-1]))
        if number == 2:
            canvas.press(f"Save the drawing as {asked[-1]}")
        else:
            canvas.page.keyboard.press(str(1 + symbols.NAMES.index(asked[-1])))
        canvas.reads(None)
        canvas.wait(
            "(root, text) => root.querySelector('.recognizer-wish').innerText !== text", before
        )
    saved = Collection(tmp_path / "mine", symbols.NAMES)
    assert [symbols.NAMES[label] for label in saved.labels] == asked
    own = canvas.root.locator(".recognizer-own")
    assert "5 of your drawings" in own.inner_text() and "Fine-tune" not in own.inner_text()


def test_networks_are_chosen_from_the_shelf(canvas):
    canvas.write(drawn("circle"))
    canvas.root.locator("summary").click()
    canvas.wait("root => root.querySelectorAll('.recognizer-choice li').length === 4")
    offers = canvas.root.locator(".recognizer-choice li").all_inner_texts()
    assert "mlp, 50,565 parameters, 20 epochs" in offers[2] and "no readable" in offers[3]
    assert canvas.root.get_by_role("checkbox", name="text").is_disabled()
    canvas.root.get_by_role("checkbox", name="letters").check()
    canvas.wait("root => root.querySelectorAll('.recognizer-model').length === 2")
    canvas.root.get_by_role("checkbox", name="mine").uncheck()
    canvas.wait("root => root.querySelectorAll('.recognizer-model').length === 1")
    canvas.settle()
    assert canvas.readings().keys() == {"letters"}
    assert canvas.root.locator(".recognizer-model li").count() == 10, "the most probable of 26"
