"""The attention explorer by mouse, by keyboard, and in the eyes of axe-core."""

import pytest
from accessibility import assert_accessible
from lab import THEMES
from test_accessibility import FOCUSED, MOVING, VIEWPORT

CODE = """
from course import mnist
from course.attention import PatchAttention
from course.widgets.attention_explorer import AttentionExplorer
digits = mnist.to_float(mnist.load().test_images[:5]).reshape(-1, 784)
model = PatchAttention(seed=1)
model.weights.query_w[...] *= 8  # untrained: so that it looks more here than there
AttentionExplorer(model, digits)"""

CORNERS = [(0, 0), (0, 6), (6, 0), (6, 6)]  # where a digit has no ink


class Explorer:
    """The widget in a notebook of its own."""

    def __init__(self, notebook):
        self.notebook, self.page = notebook, notebook.page
        notebook.replace_cells(CODE.strip())
        notebook.run_cell(0)
        self.root = self.page.locator(".attention-explorer")
        self.root.wait_for()
        self.looking = self.root.get_by_role("slider", name="The patch that looks;")
        self.looked = self.root.get_by_role("slider", name="The patch that is looked at;")
        self.matrix = self.root.get_by_role("img", name="Attention matrix")
        self.temperature = self.root.get_by_role("slider", name="temperature")
        self.positions = self.root.get_by_role("checkbox", name="Positions")

    def point(self, panel, row, column, grid=7):
        """Move the mouse to the middle of a patch, or of a cell of the matrix."""
        panel.scroll_into_view_if_needed()
        box = panel.bounding_box()
        x, y = (column + 0.5) / grid * box["width"], (row + 0.5) / grid * box["height"]
        self.page.mouse.move(box["x"] + x, box["y"] + y)

    @property
    def pair(self):
        """The tokens of the patch that looks and of the one that is looked at."""
        return [
            int(panel.get_attribute("aria-valuenow")) - 1 for panel in (self.looking, self.looked)
        ]

    @property
    def share(self):
        """What the second patch gets from the first, in percent."""
        return float(self.looked.get_attribute("aria-valuetext").split(" gets ")[1].split()[0])

    def shares(self, token):
        """A whole row, read patch by patch: what each of the 49 gets from this one."""
        self.point(self.looking, *divmod(token, 7))
        shares = []
        for other in range(49):
            self.point(self.looked, *divmod(other, 7))
            shares.append(self.share)
        return shares


@pytest.fixture
def explore(open_notebook):
    """Function: options of `open_notebook` -> Explorer."""
    return lambda **options: Explorer(open_notebook("00-start-here.ipynb", **options))


def test_the_mouse_chooses_who_looks_and_at_whom(explore):
    explorer = explore()
    explorer.point(explorer.looking, 3, 3)
    assert explorer.pair[0] == 24
    explorer.point(explorer.looked, 2, 4)
    assert explorer.pair == [24, 18]
    explorer.point(explorer.matrix, 30, 11, grid=49)
    assert explorer.pair == [30, 11]
    text = explorer.root.inner_text()
    assert "row 2, column 5 gets" in text and "query · key = " in text
    assert explorer.notebook.errors() == []


def test_a_row_is_that_of_the_package_and_follows_temperature_and_positions(explore):
    explorer = explore()
    ask = "assert abs(100 * model.attention_weights(digits[:1])[0, {}, {}] - {}) < 0.06"
    shares = explorer.shares(10)
    assert sum(shares) == pytest.approx(100, abs=3)  # each is rounded
    for token in (0, 17, 48):
        explorer.notebook.run_python(ask.format(10, token, shares[token]))
    explorer.point(explorer.looked, *divmod(shares.index(max(shares)), 7))
    explorer.temperature.fill("1")
    assert explorer.share < max(shares) / 2, "warm looks everywhere"
    explorer.temperature.fill("0")
    assert explorer.share == max(shares)
    explorer.positions.uncheck()
    blank = [explorer.point(explorer.looked, *corner) or explorer.share for corner in CORNERS]
    assert len(set(blank)) == 1, "without positions, empty patches are all alike"


def test_a_click_holds_a_patch_until_the_next(explore):
    explorer = explore()
    explorer.point(explorer.looking, 3, 3)
    explorer.page.mouse.down()
    explorer.page.mouse.up()
    explorer.point(explorer.looking, 3, 5)
    assert explorer.pair[0] == 24
    explorer.page.mouse.down()
    explorer.page.mouse.up()
    explorer.point(explorer.looking, 3, 6)
    assert explorer.pair[0] == 27


def test_the_keyboard_reaches_and_does_everything(explore):
    explorer = explore(reduced_motion="reduce")
    explorer.root.get_by_role("radio").first.focus()
    press = explorer.page.keyboard.press
    names = [explorer.root.evaluate(FOCUSED)]
    while names[-1] is not None:
        press("Tab")
        names.append(explorer.root.evaluate(FOCUSED))
    assert [name.split(";")[0] for name in names[:-1]] == [
        "digit 1",
        "temperature",
        "checkbox",
        "The patch that looks",
        "The patch that is looked at",
    ]
    for panel, place in ((explorer.looking, 0), (explorer.looked, 1)):
        panel.focus()
        for key, token in (("Home", 0), ("ArrowDown", 7), ("ArrowRight", 8), ("End", 48)):
            press(key)
            assert explorer.pair[place] == token
    first = explorer.looked.screenshot()
    explorer.root.get_by_role("radio").first.focus()
    press("ArrowRight")
    assert explorer.root.get_by_role("radio", name="digit 2").is_checked()
    assert explorer.looked.screenshot() != first
    assert explorer.root.evaluate(MOVING) == []


def test_it_goes_on_when_the_kernel_is_gone(explore):
    explorer = explore()
    explorer.notebook.end_kernel("shutdown")
    explorer.point(explorer.looking, 0, 2)
    assert explorer.pair[0] == 2


@pytest.mark.parametrize("theme", THEMES)
def test_no_rule_of_wcag_is_broken(theme, explore, axe):
    explorer = explore(theme=theme, viewport=VIEWPORT)
    explorer.page.add_script_tag(path=axe)
    assert_accessible(explorer.root, least=12)
    explorer.looking.focus()
    explorer.positions.uncheck()
    assert_accessible(explorer.root, least=12)
