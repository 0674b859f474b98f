"""The recognizer for whoever sees little, has no mouse, or wants nothing to move."""

import pytest
from accessibility import assert_accessible
from canvas import written
from lab import THEMES

VIEWPORT = {"width": 1100, "height": 2600}  # what is not in view is not judged
FOCUSED = """root => {
    const element = document.activeElement;
    const name = element.getAttribute('aria-label') ?? element.textContent ?? '';
    return root.contains(element) ? name || element.type : null;
}"""
MOVING = """root => [root, ...root.querySelectorAll('*')].filter(element => {
    const {transitionDuration, animationName} = getComputedStyle(element);
    return animationName !== 'none' || parseFloat(transitionDuration) > 0.001;
}).map(element => element.outerHTML.slice(0, 100))"""


@pytest.mark.parametrize("theme", THEMES)
def test_no_rule_of_wcag_is_broken(theme, open_canvas, axe, tmp_path):
    canvas = open_canvas(theme=theme, viewport=VIEWPORT)
    canvas.page.add_script_tag(path=axe)
    canvas.keep_in(tmp_path)
    assert_accessible(canvas.root, least=15)
    canvas.write(written(4))
    canvas.reads(4)
    canvas.press("Erase")
    assert_accessible(canvas.root, least=50)
    for name in ("Save the drawing as a 4", "Fine-tune mlp on your digits", "Collect"):
        canvas.press(name)
        canvas.settle()
    canvas.write(written(4))
    canvas.choose_file(b"no picture")
    assert_accessible(canvas.root, least=60)
    canvas.notebook.end_kernel()
    canvas.wait("root => root.dataset.state === 'silent'")
    assert_accessible(canvas.root, least=60)


def test_the_keyboard_reaches_everything(open_canvas, tmp_path):
    canvas = open_canvas(reduced_motion="reduce")
    canvas.keep_in(tmp_path)
    canvas.write(written(4))
    canvas.press("Save the drawing as a 4")
    canvas.settle()
    canvas.write(written(4))
    canvas.reads(4)
    canvas.surface.focus()
    names = [canvas.root.evaluate(FOCUSED)]
    while names[-1] is not None:
        canvas.page.keyboard.press("Tab")
        names.append(canvas.root.evaluate(FOCUSED))
    assert names[0].startswith("Drawing surface")
    assert names[1:-1] == [
        "Undo",
        "Clear",
        "Erase",
        "Picture …",
        "range",
        "attention: where the framed patch looks; arrow keys choose another",
        "Choose networks",
        "Collect",
        *(f"Save the drawing as a {label}" for label in range(10)),
        "Remove last saved digit",
        *(f"Fine-tune {name} on your digits" for name in ("deep", "mlp", "cnn", "attention")),
    ]
    assert canvas.root.evaluate(MOVING) == []


def test_the_focus_stays_where_a_key_was_pressed(open_canvas, tmp_path):
    canvas = open_canvas()
    canvas.keep_in(tmp_path)
    canvas.write(written(4))
    canvas.press("Save the drawing as a 4")
    canvas.settle()
    tune = "Fine-tune mlp on your digits"
    for name, then in [
        (tune, tune),
        ("Undo the fine-tuning of mlp", tune),
        ("Remove last saved digit", "Remove last saved digit"),
    ]:
        canvas.button(name).focus()
        canvas.page.keyboard.press("Enter")
        canvas.settle()
        assert canvas.root.evaluate(FOCUSED) == then


def test_the_keyboard_moves_the_patch_of_the_attention_panel(open_canvas):
    canvas = open_canvas()
    canvas.write(written(1))
    canvas.reads(1)
    panel = canvas.root.get_by_role("slider", name="attention")
    first = panel.get_attribute("aria-valuenow")
    row, column = divmod(int(first) - 1, 7)
    steps = [("ArrowDown", row + 1, column), ("ArrowLeft", row + 1, column - 1), ("Home", 0, 0)]
    panel.focus()
    for key, row, column in steps:
        canvas.page.keyboard.press(key)
        assert panel.get_attribute("aria-valuenow") == str(7 * row + column + 1)
        words = panel.get_attribute("aria-valuetext")
        assert words.startswith(f"row {row + 1}, column {column + 1} looks most at ")
        assert canvas.root.get_by_text(words).is_visible()
