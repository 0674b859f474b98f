"""The kernel over a digit by mouse and keyboard, in a page without a kernel and in JupyterLab."""

import json
import re

import numpy as np
import pytest
from accessibility import assert_accessible
from lab import THEMES

from course.cnn import CNN
from course.widgets.kernel_hover import KernelHover

VIEWPORT = {"width": 1024, "height": 1200}  # what is not in view is not judged
CELL = """
from course import cnn, mnist
from course.widgets.kernel_hover import KernelHover
KernelHover(cnn.CNN(seed=1), mnist.to_float(mnist.load().train_images[:3]))"""
DIGIT = np.zeros((28, 28))
DIGIT[8:20, 12:16] = 0.8
DIGIT[14, 5:23] = 0.4


class Hover:
    """The widget in a page; what it says of numbers is read from the page."""

    def __init__(self, root):
        self.root, self.page = root, root.page
        self.picture("digit").wait_for()

    def picture(self, title):
        return self.root.get_by_role("slider", name=re.compile(f"^{title};"))

    def button(self, name):
        return self.root.get_by_role("button", name=name)

    def logit(self, digit):
        return self.root.get_by_role("button", name=re.compile(f"^{digit}: "))

    def point(self, title, row, column, side=28):
        """Move the mouse onto a number."""
        middle = [168 * (n + 0.5) / side for n in (column, row)]
        self.picture(title).hover(position=dict(zip("xy", middle, strict=True)))

    def at(self, title):
        return self.picture(title).get_attribute("aria-valuetext")

    def nine(self, title):
        """The nine numbers of a grid, (3, 3)."""
        figure = self.root.locator("figure", has=self.page.get_by_text(title, exact=True))
        cells = figure.locator(".kernel-hover-nine > *").all()
        texts = [cell.text_content() or cell.input_value() for cell in cells]
        return np.array([float(text.replace("−", "-")) for text in texts]).reshape(3, 3)

    @property
    def sentence(self):
        return self.root.locator(".kernel-hover-words p").inner_text()

    @property
    def weight(self):
        return self.root.get_by_role("spinbutton", name="weight, row 1, column 1")


def page_of(widget):
    """The widget as a page of its own, which nobody answers."""
    state = json.dumps({"network": widget.network, "digits": widget.digits})
    module = widget._esm.replace("export default", "const widget =")
    return f"""<!doctype html><html lang="en"><title>Kernel</title><style>{widget._css}</style>
        <main><div id="root"></div></main><script type="module">{module}
        const state = {state};
        const el = document.querySelector("#root");
        widget.render({{ model: {{ get: (name) => state[name] }}, el }});</script>"""


@pytest.fixture
def open_page(chromium):
    """Function: network, options of Playwright's new_context -> Hover in a page without kernel."""
    contexts, errors = [], []

    def open_page(network, **options):
        contexts.append(chromium.new_context(viewport=VIEWPORT, **options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(error))
        page.set_content(page_of(KernelHover(network, DIGIT)))
        return Hover(page.locator("#root"))

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def layers(model, digit=DIGIT):
    """What each layer answers: conv, relu and pool (8, h, w), classifier (10,)."""
    y, found = digit[None, None].astype(np.float32), {}
    for name, layer in model.layers.items():
        found[name] = y = layer.forward(y)
    return {name: y[0] for name, y in found.items()}


def test_the_mouse_shows_the_products_behind_each_number(open_page):
    model = CNN(seed=1)
    found, kernel = layers(model), model.parameters["conv.w"][0, 0]
    hover = open_page(model)
    hover.point("answers of the kernel", 13, 11)
    assert hover.at("answers of the kernel").startswith("row 13, column 11: ")
    assert np.allclose(hover.nine("pixels"), DIGIT[12:15, 10:13], atol=0.006)
    assert np.allclose(hover.nine("products"), kernel * DIGIT[12:15, 10:13], atol=0.006)
    total = float(re.search(r"add up to (.*?),", hover.sentence)[1].replace("−", "-"))
    assert total == pytest.approx(found["conv"][0, 13, 11], abs=0.006)
    hover.point("pooled", 7, 6, side=14)
    four = found["relu"][0, 14:16, 12:14]
    row, column = np.unravel_index(four.argmax(), four.shape)
    assert f"row {14 + row}, column {12 + column}: " in hover.at("after the ReLU")
    hover.point("digit", 8, 12)
    assert np.allclose(hover.nine("pixels"), 0.8)
    assert "at 9 places" in hover.sentence
    hover.logit(3).hover()
    logit = f"{found['classifier'][3]:.2f}".replace("-", "−")
    assert hover.sentence.startswith(f"The logit of the 3, {logit}, is its bias")


def test_the_keyboard_does_what_the_mouse_does(open_page):
    hover = open_page(CNN(seed=1), reduced_motion="reduce")
    answers = hover.picture("answers of the kernel")
    answers.focus()
    row, column = map(int, re.findall(r"\d+", hover.at("answers of the kernel"))[:2])
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        hover.page.keyboard.press(key)
    assert hover.at("answers of the kernel").startswith(f"row {row + 1}, column {column + 2}: ")
    hover.page.keyboard.press("End")
    assert hover.at("answers of the kernel").startswith("row 27, column 27: ")
    hover.picture("digit").focus()
    hover.page.keyboard.press("Home")
    assert hover.at("digit") == "row 0, column 0: 0"
    hover.page.keyboard.press("Space")
    assert hover.at("digit") == "row 0, column 0: 1.00"
    hover.button("kernel 5").focus()
    hover.page.keyboard.press("Enter")
    assert hover.button("kernel 5").get_attribute("aria-pressed") == "true"
    hover.logit(7).focus()
    assert hover.sentence.startswith("The logit of the 7")


def test_weights_can_be_changed_and_digits_drawn(open_page):
    hover = open_page({"upright": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], "copy": np.eye(3)})
    hover.point("answers of the kernel", 10, 13)
    hover.weight.fill("0.5")
    assert hover.nine("weights")[1, 1] == 0.5
    assert np.isclose(hover.nine("products")[1, 1], 0.5 * DIGIT[10, 13])
    hover.button("Reset weights").click()
    assert hover.nine("weights")[1, 1] == 0
    hover.button("Clear the picture").click()
    assert hover.at("digit").endswith(": 0")
    box = hover.picture("digit").bounding_box()
    hover.page.mouse.move(box["x"] + 33, box["y"] + 63)  # in the middle of row 10, column 5
    hover.page.mouse.down()
    hover.page.mouse.move(box["x"] + 93, box["y"] + 63)
    hover.page.mouse.up()
    for column, level in ((5, "1.00"), (10, "1.00"), (15, "1.00"), (20, "0")):
        hover.point("digit", 10, column)
        assert hover.at("digit") == f"row 10, column {column}: {level}"


@pytest.mark.parametrize("theme", THEMES)
def test_no_rule_of_wcag_is_broken_in_jupyterlab(theme, open_notebook, axe):
    notebook = open_notebook("01-idx.ipynb", theme=theme, viewport=VIEWPORT)
    notebook.replace_cells(CELL.strip())
    notebook.run_cell(0)
    hover = Hover(notebook.page.locator(".kernel-hover"))
    notebook.page.add_script_tag(path=axe)
    for choose in (
        lambda: hover.point("answers of the kernel", 13, 11),
        lambda: hover.point("digit", 9, 13),
        lambda: hover.logit(3).hover(),
    ):
        choose()
        assert_accessible(hover.root, least=30)
    notebook.end_kernel()  # nobody is asked
    hover.picture("pooled").focus()
    notebook.page.keyboard.press("Home")
    assert hover.at("pooled").startswith("row 0, column 0: ")
    assert notebook.errors() == []
