"""The training panel: what its page gets and draws from it, and what stands in for the page."""

import json
import shutil

import pytest
from test_doctor import FEW, X, Y, network
from test_javascript import evaluate

from course.plots.style import SERIES
from course.widgets import training_panel, without_kernel
from course.widgets.training_panel import MOST, TrainingPanel, thinned

CODE = TrainingPanel._esm
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")


@pytest.fixture
def trained():
    panel = TrainingPanel(X[:1000], Y[:1000], every=4)
    FEW.trainer(network(), [panel]).fit(X[:1000], Y[:1000])
    return panel


def test_the_page_gets_four_charts_in_json(trained):
    assert [chart["title"] for chart in trained.drawn] == [
        "Loss", "Update-to-weight ratio", "Dead or saturated units", "Gradient at each layer",
    ]  # fmt: skip
    assert json.loads(json.dumps(trained.drawn, allow_nan=False)) == trained.drawn
    assert trained.epochs == FEW.epochs
    assert trained.words == "The doctor finds nothing wrong so far."
    loss, ratio, *_ = trained.drawn
    assert [line["name"] for line in loss["lines"]] == ["training", "validation"]
    assert ratio["band"] == [[0, 2e-5, 0.3], [3, 2e-5, 0.3]]


def test_the_doctor_speaks_in_it():
    panel = TrainingPanel(X[:1000], Y[:1000])
    type(FEW)(learning_rate=1e-7, epochs=1).trainer(network(), [panel]).fit(X[:1000], Y[:1000])
    assert panel.words.startswith("The learning rate is far too small")


def test_what_is_no_number_is_told_as_such(trained):
    trained.points[-1].ratios["first.w"] = float("nan")
    trained._show("")
    assert trained.drawn[1]["lines"][0]["points"][-1][1] is None


def test_a_long_run_is_thinned_to_its_last_point():
    points = [(n, n) for n in range(1234)]
    assert MOST / 2 < len(thinned(points)) <= MOST and thinned(points)[-1] == points[-1]
    assert thinned(points[:3]) == points[:3] and thinned([]) == []


def test_where_no_page_is_a_picture_of_the_end_is_left(monkeypatch):
    shown = []

    class Handle:
        def update(self, data, **options):
            shown.append(data)

    def display(data, **options):
        shown.append(data)
        return Handle()

    monkeypatch.setattr(without_kernel, "display", display)
    panel = TrainingPanel(X[:200], Y[:200])
    panel._ipython_display_()
    FEW.trainer(network(), [panel]).fit(X[:200], Y[:200])
    before, after = shown
    assert before["text/plain"] == after["text/plain"] == "TrainingPanel(64 samples)"
    assert before["image/png"] != after["image/png"]


def test_messages_to_the_page_are_few(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(training_panel.time, "monotonic", lambda: now[0])
    panel, sent = TrainingPanel(X[:200], Y[:200], every=1), []
    panel.observe(lambda change: sent.append(now[0]), "drawn")
    FEW.trainer(network(), [panel]).fit(X[:200], Y[:200])
    assert len(sent) <= 2  # begin and end


@needs_node
@pytest.mark.parametrize(
    "expression, value",
    [
        ("roundNumbers(10)", [0, 5, 10]),
        ("roundNumbers(2.4)", [0, 1, 2]),
        ("roundNumbers(0.3)", pytest.approx([0, 0.1, 0.2, 0.3])),
        ("powersOfTen(1e-2, 10)", [0.01, 0.1, 1, 10]),
        ("powersOfTen(1e-12, 1).length", 7),
        ("told(0.0000234)", "2.3e-5"),
        ("told(0.0123)", "0.0123"),
        ("told(0)", "0"),
        ("told(43210)", "4.3e4"),
        ("told(0.4, true)", "40 %"),
        ("told(null)", "not finite"),
        ("isOutside([1, 5], [[0, 1, 4], [2, 1, 4]])", True),
        ("isOutside([1, 3], [[0, 1, 4], [2, 1, 4]])", False),
        ("isOutside([1, 3], [])", False),
        ("pointAt([[0, 1], [1, 2], [2, 3]], 1.5)", [1, 2]),
        ("pathOf([[0, 1], [1, null], [2, 3]], {x: (n) => n, y: (n) => n})", "M0.0 1.0M2.0 3.0"),
        ("bandPath([], {})", ""),
        ("extentOf({lines: [], band: [], log: true})", [0.1, 1]),
    ],
)
def test_its_arithmetic(expression, value):
    assert evaluate(expression, CODE) == value


@needs_node
def test_every_point_lies_on_its_chart(trained):
    code = f"""(() => {{
        const charts = {json.dumps(trained.drawn)};
        return charts.flatMap((chart) => {{
            const {{ x, y }} = scalesOf(chart, 3);
            return chart.lines.flatMap(({{ points }}) => points.map(([e, n]) => [x(e), y(n)]));
        }});
    }})()"""
    for x, y in evaluate(code, CODE):
        assert 46 <= x <= 330 and 8 <= y <= 168


@needs_node
def test_no_two_of_many_lines_are_drawn_alike():
    colors = len(SERIES)
    dashes = evaluate("[...Array(20).keys()].map((n) => dashed(n)['stroke-dasharray'])", CODE)
    looks = [(n % colors, dash) for n, dash in enumerate(dashes)]
    assert len(set(looks)) == len(looks)
