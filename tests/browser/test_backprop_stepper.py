"""The backprop stepper by mouse and by keyboard, in a page without a kernel and in JupyterLab."""

import json

import numpy as np
import pytest
from accessibility import assert_accessible
from lab import THEMES
from test_accessibility import FOCUSED, MOVING, VIEWPORT

from course import xor
from course.widgets.backprop_stepper import BackpropStepper
from course.xor import INPUTS, TARGETS, XOR

ALL = 51  # numbers of one step, and the update


class Stepper:
    """The widget in a page; its kernel, if there is one, is not asked for anything."""

    def __init__(self, root):
        self.root, self.page = root, root.page
        root.locator(".backprop-graph rect").first.wait_for()
        self.told = root.locator(".backprop-telling")
        self.position = root.get_by_role("slider", name="Numbers known")
        self.guess = root.locator(".backprop-question input")

    def press(self, name):
        self.root.get_by_role("button", name=name, exact=True).click()

    def field(self, name):
        return self.root.get_by_role("spinbutton", name=name, exact=True)

    def fill(self, name, value):
        self.field(name).fill(value)
        self.field(name).press("Tab")

    def network(self, hidden=4):
        """The numbers in the table, four digits each, in the order of the model's parameters."""
        names = [f"w1[{i}, {j}]" for i in (0, 1) for j in range(hidden)]
        names += [f"b1[{j}]" for j in range(hidden)] + [f"w2[{j}]" for j in range(hidden)] + ["b2"]
        return [float(self.field(name).input_value()) for name in names]

    @property
    def epoch(self):
        text = self.root.locator(".backprop-told").inner_text()
        return int(text.split(":")[0].removeprefix("Epoch ").replace(",", ""))


@pytest.fixture
def open_page(chromium):
    """Function: options of Playwright's new_context -> Stepper in a page without a kernel."""
    contexts = []

    def open_page(model=None, **options):
        widget = BackpropStepper(model or XOR(seed=1), learning_rate=1.0)
        names = ("network", "learning_rate", "case", "asks", "seed")
        state = json.dumps({name: getattr(widget, name) for name in names})
        contexts.append(chromium.new_context(viewport=VIEWPORT, **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(20_000)
        page.set_content(f"<style>{widget._css}</style><div></div>")
        model = f"{{ get: name => ({state})[name], on() {{}} }}"
        start = f"render({{ model: {model}, el: document.querySelector('div') }});"
        page.add_script_tag(type="module", content=f"{widget._esm}\n{start}")
        return Stepper(page.locator(".backprop"))

    yield open_page
    for context in contexts:
        context.close()


def flat(model):
    return [number for array in model.parameters.values() for number in array.flat]


def trained(model, *arguments):
    """The numbers of a model after `train_epochs`."""
    cases, arguments = arguments[:2], arguments[2:]
    xor.train_epochs(*cases, *model.parameters.values(), *arguments, 0.0)
    return flat(model)


def near(numbers):
    return pytest.approx(list(numbers), rel=2e-3, abs=1e-6)


def test_the_arrow_keys_go_through_the_step_and_back(open_page):
    stepper = open_page()
    before = stepper.network()
    stepper.root.get_by_role("button", name="Next").focus()
    for position in range(1, ALL + 1):
        stepper.page.keyboard.press("ArrowRight")
        assert stepper.position.input_value() == str(position)
    expected = trained(XOR(seed=1), INPUTS[1:2], TARGETS[1:2], 1.0, 1)
    assert stepper.network() == near(expected) != near(before)
    assert "The update" in stepper.told.inner_text()
    stepper.page.keyboard.press("ArrowLeft")
    assert stepper.network() == before
    stepper.page.keyboard.press("ArrowRight")
    stepper.page.keyboard.press("ArrowRight")  # on to the next case
    assert stepper.position.input_value() == "0"
    assert stepper.root.get_by_label("Case").input_value() == "2"
    assert stepper.network() == near(expected)


def test_a_gradient_is_asked_for_and_shown_with_the_answer(open_page):
    stepper = open_page()
    assert not stepper.guess.is_visible()
    for _ in range(2):
        stepper.press("To the end of this part")
    question = stepper.root.locator(".backprop-question")
    assert "da2 = a2 − y" in question.inner_text()
    stepper.guess.fill("what?")
    stepper.guess.press("Enter")
    assert "That is no number" in stepper.told.inner_text()
    for guess, said in [
        ("-0.491", "Right. 1 of 1"),
        ("0,1227", "the sign is the other one. 1 of 2"),
    ]:
        stepper.guess.fill(guess)
        stepper.guess.press("Enter")
        assert said in stepper.told.inner_text()
    assert "db2 = dz2" in question.inner_text()
    stepper.press("Next")  # skipped
    assert "db2 = dz2" in stepper.told.inner_text()
    stepper.root.get_by_label("Ask me each gradient").uncheck()
    assert not question.is_visible()


def test_numbers_can_be_changed_and_nonsense_is_put_back(open_page):
    stepper = open_page()
    model = XOR(seed=1)
    model.parameters["hidden.w"][1, 2] = -2.5
    stepper.fill("w1[1, 2]", "-2.5")
    stepper.fill("target y", "0.25")
    stepper.fill("x[0]", "0.5")
    stepper.fill("learning rate", "3")
    stepper.fill("b2", "")
    assert stepper.field("b2").input_value() == "0"
    stepper.position.fill(str(ALL))
    case = np.array([[0.5, 1.0]]), np.array([0.25])
    assert stepper.network() == near(trained(model, *case, 3.0, 1))
    stepper.fill("b2", "1")  # the update has been made, and stays
    assert stepper.position.input_value() == "0"
    assert stepper.network()[:4] == near(flat(model)[:4])


def test_training_is_that_of_the_package(open_page):
    stepper = open_page()
    stepper.root.get_by_role("combobox", name="Hidden units").select_option("2")
    stepper.fill("Seed", "3")
    stepper.press("New start")
    model = XOR(seed=3, hidden=2)
    assert stepper.network(2) == near(flat(model))
    for _ in range(3):
        stepper.press("One epoch")
    assert stepper.epoch == 3
    assert stepper.network(2) == near(trained(model, INPUTS, TARGETS, 1.0, 3))
    lines = "() => document.querySelector('.backprop-plane svg').innerHTML"
    before = stepper.page.evaluate(lines)
    stepper.press("Play")
    stepper.page.wait_for_function(f"before => ({lines})() !== before", arg=before)
    stepper.press("Pause")
    paused = stepper.epoch
    assert paused > 3 and paused % 10 == 3
    stepper.page.wait_for_timeout(200)
    assert stepper.epoch == paused
    assert stepper.network(2) == near(trained(model, INPUTS, TARGETS, 1.0, paused - 3))


def test_nothing_moves_by_itself_for_whoever_wants_that(open_page):
    stepper = open_page(reduced_motion="reduce")
    assert stepper.root.evaluate(MOVING) == []
    stepper.press("On by 600 epochs")
    assert stepper.epoch == 600
    stepper.page.wait_for_timeout(200)
    assert stepper.epoch == 600


def test_the_keyboard_reaches_everything(open_page):
    stepper = open_page()
    stepper.root.get_by_label("Case").focus()
    names = [stepper.root.evaluate(FOCUSED)]
    while names[-1] is not None:
        stepper.page.keyboard.press("Tab")
        names.append(stepper.root.evaluate(FOCUSED))
    wanted = {"Next", "Back", "Numbers known", "w1[1, 3]", "b2", "Play", "One epoch", "New start"}
    assert wanted <= set(names) and len(names) > 35


def test_an_arrow_key_in_a_field_moves_there_alone(open_page):
    stepper = open_page()
    stepper.field("w2[1]").press("ArrowRight")
    assert stepper.position.input_value() == "0"


@pytest.mark.parametrize("theme", THEMES)
def test_no_rule_of_wcag_is_broken_in_jupyterlab(theme, open_notebook, axe):
    notebook = open_notebook("05-xor.ipynb", theme=theme, viewport=VIEWPORT)
    ids = [cell["id"] for cell in notebook.cells]
    for name in ("setup", "parameters", "stepper"):
        notebook.run_cell(ids.index(name))
    assert notebook.errors() == []
    stepper = Stepper(notebook.page.locator(".backprop"))
    cells = len(notebook.cells)
    notebook.page.add_script_tag(path=axe)
    for parts in (0, 3):
        for _ in range(parts):
            stepper.press("To the end of this part")
        assert_accessible(stepper.root, least=30)
    stepper.root.get_by_role("button", name="Back", exact=True).press("d")
    stepper.page.keyboard.press("d")
    assert len(notebook.cells) == cells, "JupyterLab took the keys for its own"
