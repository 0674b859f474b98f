"""The training panel in a page: it moves while a network trains, and can be read without eyes."""

import pytest
from accessibility import assert_accessible
from lab import THEMES

SETUP = """
import time
from course import mlp, mnist
from course.nn.recipe import Recipe
from course.nn.training import Observer
from course.widgets.training_panel import TrainingPanel
digits = mnist.load()
x = mnist.to_float(digits.train_images).reshape(-1, 784)
y = digits.train_labels
panel = TrainingPanel(x, y, every=20)
display(panel)"""
TRAIN = """
class Slow(Observer):
    def on_batch(self, batch, batches):
        time.sleep(0.01)

recipe = Recipe(epochs=2, learning_rate={rate})
recipe.trainer(mlp.MLP(hidden=16), [panel, Slow()]).fit(x, y);"""


@pytest.fixture
def open_panel(open_notebook):
    """Function: learning rate, theme -> (notebook with a panel, the panel's element)."""

    def open_panel(rate, theme="light"):
        notebook = open_notebook("00-start-here.ipynb", theme=theme)
        notebook.replace_cells(SETUP.strip(), TRAIN.strip().format(rate=rate))
        notebook.run_cell(0)
        panel = notebook.page.locator(".training-panel")
        panel.get_by_text("Training has not begun.").wait_for()
        return notebook, panel

    return open_panel


@pytest.mark.parametrize("theme", THEMES)
def test_a_healthy_run_is_followed_and_no_rule_of_wcag_is_broken(theme, open_panel, axe):
    notebook, panel = open_panel(0.1, theme)
    notebook.page.evaluate("""() => {
        window.lines = new Set();
        const picture = () => document.querySelector('.training-panel path.line');
        window.watch = setInterval(() => window.lines.add(picture()?.getAttribute('d')), 50);
    }""")
    notebook.run_cell(1)
    panel.get_by_text("The doctor finds nothing wrong").wait_for()
    assert notebook.page.evaluate("window.lines.size") > 3  # it was live
    assert panel.get_by_role("img").count() == 4
    notebook.page.add_script_tag(path=axe)
    assert_accessible(panel, least=10)
    assert notebook.errors() == []


def test_the_doctor_speaks_and_what_is_outside_is_named(open_panel):
    notebook, panel = open_panel(50.0)
    notebook.run_cell(1)
    panel.get_by_text("The learning rate is far too large").wait_for()
    assert panel.get_by_text("(out of the band)").count() > 0


def test_the_keyboard_looks_back(open_panel):
    notebook, panel = open_panel(0.1)
    notebook.run_cell(1)
    panel.get_by_text("The doctor finds nothing wrong").wait_for()
    slider = panel.get_by_role("slider", name="Look back")
    loss = panel.locator("li").first
    last = loss.inner_text()
    slider.focus()
    notebook.page.keyboard.press("Home")
    assert slider.get_attribute("aria-valuetext") == "epoch 0.0"
    assert loss.inner_text() != last and panel.locator(".moment").count() == 4
    notebook.page.keyboard.press("End")
    assert (loss.inner_text(), slider.get_attribute("aria-valuetext")) == (last, "the last")
