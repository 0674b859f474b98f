"""The figures show what they were given, once, and leave no setting behind."""

import io
import itertools
import subprocess
import sys
from base64 import b64decode
from types import SimpleNamespace

import matplotlib
import nbformat
import numpy as np
import pytest
from matplotlib.colors import to_rgb, to_rgba
from nbclient import NotebookClient
from PIL import Image
from test_sweep_choosing import RATES

from course import plots
from course.nn.rate_sweep import Sweep
from course.nn.recorder import Point, Recorder
from course.nn.training import EpochRecord
from course.plots import style
from course.plots.images import as_pictures
from course.plots.lessons_idx import byte_picture
from course.plots.training import as_logs
from course.records import Log
from course.sweep.choosing import successive_halving

RNG = np.random.default_rng(1)
PICTURES = RNG.random((6, 28, 28))


def epochs(count, validation=True, seconds=1.0):
    """Epoch records of an imagined run whose numbers are all different."""
    return [
        EpochRecord(
            epoch,
            0.9 / epoch,
            seconds + epoch / 100,
            1.1 / epoch if validation else None,
            1 - 0.2 / epoch if validation else None,
            0.1 / epoch,
        )
        for epoch in range(1, count + 1)
    ]


def is_png(figure):
    return figure._repr_png_().startswith(b"\x89PNG")


def captions(figure):
    return [ax.get_title() for ax in figure.axes]


# ------------------------------------------------------------------------------ style


def test_no_figure_changes_a_global_setting():
    before = dict(matplotlib.rcParams)
    assert is_png(plots.losses(epochs(3)))
    assert is_png(plots.digits(PICTURES))
    assert dict(matplotlib.rcParams) == before


def test_style_reaches_what_matplotlib_makes_late():
    figure, ax = plots.subplots()
    ax.clear()
    ax.set_xlim(0, 7)
    with matplotlib.rc_context({"grid.color": "red"}):
        figure.savefig("/dev/null", format="png")
    assert {line.get_color() for line in ax.get_xgridlines()} == {"#E4E4E4"}


def test_import_brings_neither_pyplot_nor_ipython_nor_a_model():
    code = (
        "import sys, course.plots; "
        "print([m for m in ('matplotlib.pyplot', 'IPython', 'course.mlp', 'course.cnn', "
        "'course.attention', 'course.xor') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.slow
def test_a_notebook_shows_each_figure_once():
    setup = (
        "from course import plots\n"
        "from course.nn.training import EpochRecord\n"
        "from types import SimpleNamespace\n"
        "records = [EpochRecord(e, .5 / e, .1, .6 / e, .9, .1) for e in range(1, 6)]"
    )
    live = (
        "live = plots.LiveFigure(interval=0)\n"
        "live.on_begin(SimpleNamespace(records=[], settings=SimpleNamespace(epochs=5)))\n"
        "for record in records: live.on_epoch(record)\n"
        "live.on_end(None)"
    )
    with_pyplot = (
        "import matplotlib.pyplot as plt\nplt.figure()\nplt.close()\nplots.losses(records)"
    )
    cells = [setup, "plots.losses(records)", live, "plots.losses(records); print()", with_pyplot]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = [
        [
            output.data["text/plain"]
            for output in cell.outputs
            if "image/png" in output.get("data", ())
        ]
        for cell in notebook.cells
    ]
    losses, pair = "<Figure size 640x400 with 1 Axes>", "<Figure size 1000x360 with 2 Axes>"
    assert shown == [[], [losses], [pair], [], [losses]]
    outputs = [output for cell in notebook.cells for output in cell.outputs]
    described = [
        o.metadata["image/png"]["alt"] for o in outputs if "image/png" in o.get("data", ())
    ]
    losses = "Loss per epoch: over 5 epochs, training from 0.5 to 0.1, validation"
    assert [text.startswith(losses) for text in described] == [True] * 3


# ------------------------------------------------------------------------------ pictures


@pytest.mark.parametrize("shape", [(6, 784), (6, 28, 28), (6, 1, 28, 28)])
def test_pictures_come_in_any_of_the_courses_shapes(shape):
    np.testing.assert_array_equal(as_pictures(PICTURES.reshape(shape)), PICTURES)


@pytest.mark.parametrize("shape", [(28, 28), (784,)])
def test_one_picture_is_a_gallery_of_one(shape):
    np.testing.assert_array_equal(as_pictures(PICTURES[0].reshape(shape)), PICTURES[:1])


def test_other_shapes_are_refused_with_the_shape():
    with pytest.raises(ValueError, match=r"\(6, 3, 28, 28\)"):
        plots.digits(np.zeros((6, 3, 28, 28)))


def test_digits_are_drawn_with_their_labels():
    figure = plots.digits(PICTURES, labels=[3, 1, 4, 1, 5, 9], columns=4)
    assert [c for c in captions(figure) if c] == ["3", "1", "4", "1", "5", "9"]
    np.testing.assert_array_equal(figure.axes[5].images[0].get_array(), PICTURES[5])
    assert is_png(figure)


def test_wrong_predictions_are_told_by_words_and_color():
    figure = plots.digits(PICTURES[:2], labels=[3, 1], predictions=[3, 7])
    assert captions(figure) == ["3", "1 read as 7"]
    right, wrong = (ax.title.get_color() for ax in figure.axes)
    assert right != wrong


def test_labels_of_another_length_are_refused():
    with pytest.raises(ValueError, match="6 pictures, but 2 labels"):
        plots.digits(PICTURES, labels=[1, 2])


def test_mistakes_are_the_surest_wrong_ones():
    labels = np.array([0, 1, 2, 0, 1, 2])
    probabilities = np.array(
        [
            [0.9, 0.1, 0.0],  # right
            [0.6, 0.4, 0.0],  # wrong, 60 %
            [0.0, 0.8, 0.2],  # wrong, 80 %
            [0.8, 0.2, 0.0],  # right
            [0.0, 0.3, 0.7],  # wrong, 70 %
            [0.0, 0.0, 1.0],  # right
        ]
    )
    figure = plots.mistakes(PICTURES, labels, probabilities, count=2)
    assert captions(figure) == ["read as 1 (80.0%)", "read as 2 (70.0%)"]
    assert [ax.texts[0].get_text() for ax in figure.axes] == ["is 2", "is 1"]
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), PICTURES[2])
    assert is_png(figure)


def test_no_mistakes_are_reported_as_such():
    figure = plots.mistakes(PICTURES, np.zeros(6, int), np.eye(10)[np.zeros(6, int)])
    assert "All 6 were read correctly" in figure.axes[0].texts[0].get_text()
    assert is_png(figure)


def test_mean_digits_are_the_means_of_the_classes_there_are():
    figure = plots.mean_digits(PICTURES, [2, 2, 2, 7, 7, 7])
    assert captions(figure) == ["2", "7"]
    np.testing.assert_allclose(figure.axes[1].images[0].get_array(), PICTURES[3:].mean(axis=0))


def test_weights_are_columns_on_one_scale_around_zero():
    w = RNG.normal(size=(784, 12))
    figure = plots.weights(w, count=10)
    images = [ax.images[0] for ax in figure.axes if ax.images]
    np.testing.assert_array_equal(images[3].get_array(), w[:, 3].reshape(28, 28))
    limit = np.abs(w[:, :10]).max()
    assert {image.get_clim() for image in images} == {(-limit, limit)}
    assert is_png(figure)


def test_weights_of_another_layer_are_refused():
    with pytest.raises(ValueError, match=r"expected weights \(784, units\), found \(512, 10\)"):
        plots.weights(np.zeros((512, 10)))


# ------------------------------------------------------------------------------ models


def test_confusion_matrix_counts():
    labels = np.array([0, 0, 1, 2, 2, 2])
    figure = plots.confusion_matrix(labels, np.array([0, 1, 1, 2, 0, 0]), classes=3)
    (ax,) = figure.axes
    cells = {text.get_position(): text.get_text() for text in ax.texts}  # (read as, true)
    assert cells == {(0, 0): "1", (1, 0): "1", (1, 1): "1", (2, 2): "1", (0, 2): "2"}
    assert ax.get_title(loc="left") == "3 of 6 right (50.00%)"
    assert ax.images[0].get_array()[2, 2] == 0  # the diagonal is not shaded
    assert is_png(figure)


def test_probabilities_are_bars_and_the_winner_stands_out():
    values = np.array([0.1, 0.7, 0.2])
    figure = plots.probabilities(values, label=2)
    (ax,) = figure.axes
    assert [bar.get_height() for bar in ax.patches] == values.tolist()
    first, winner, last = (bar.get_facecolor() for bar in ax.patches)
    assert first == last != winner == to_rgba(style.MISTAKE)  # as the label says
    assert ax.patches[1].get_hatch()
    right = plots.probabilities(values, label=1).axes[0].patches[1]
    assert right.get_facecolor() == to_rgba(style.ANSWER) and not right.get_hatch()
    assert ax.texts[0].get_text() == "70.0%"
    assert ax.get_title(loc="left") == "true digit: 2"
    assert is_png(figure)


@pytest.mark.parametrize("channels", [1, 3])
def test_filters_are_drawn_each_on_one_scale(channels):
    w = RNG.normal(size=(4, channels, 3, 3))
    figure = plots.filters(w)
    images = [ax.images[0] for ax in figure.axes if ax.images]
    assert len(images) == 4 * channels
    np.testing.assert_array_equal(images[-1].get_array(), w[-1, -1])
    assert {image.get_clim() for image in images} == {(-np.abs(w).max(), np.abs(w).max())}
    assert is_png(figure)


@pytest.mark.parametrize(("maps", "low"), [(PICTURES, 0.0), (PICTURES - 0.5, None)])
def test_feature_maps_stand_beside_their_image(maps, low):
    figure = plots.feature_maps(maps, image=PICTURES[:1])
    assert captions(figure) == ["input", "0", "1", "2", "3", "4", "5"]
    bottom, top = figure.axes[1].images[0].get_clim()
    assert bottom == (-top if low is None else low)  # around zero where there are negative values
    np.testing.assert_array_equal(figure.axes[6].images[0].get_array(), maps[5])
    assert is_png(figure)


def test_attention_map_shows_one_row_over_the_image():
    attention = RNG.dirichlet(np.ones(49), size=49)  # (tokens, tokens), rows sum to 1
    figure = plots.attention_map(PICTURES[0], attention, token=17)
    (ax,) = figure.axes
    picture, overlay = ax.images
    np.testing.assert_array_equal(picture.get_array(), PICTURES[0])
    opacity = overlay.get_array()[..., 3].ravel()
    np.testing.assert_allclose(opacity / opacity.sum(), attention[17], rtol=1e-12)
    (frame,) = ax.patches
    assert frame.get_xy() == (3 * 4 - 0.5, 2 * 4 - 0.5)  # token 17 is row 2, column 3
    assert f"{attention[17].max():.1%}" in ax.get_title()
    assert is_png(figure)


def test_attention_maps_choose_the_patches_with_most_ink():
    image = np.zeros((28, 28))
    for token in (3, 8, 20, 25, 30, 48):
        image[token // 7 * 4, token % 7 * 4] = 1
    figure = plots.attention_maps(image, np.full((49, 49), 1 / 49))
    assert [title.split(":")[0] for title in captions(figure)] == [
        f"token {token}" for token in (3, 8, 20, 25, 30, 48)
    ]


def test_attention_matrix_is_drawn_as_it_is():
    attention = RNG.dirichlet(np.ones(49), size=49)
    figure = plots.attention_matrix(attention)
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), attention)
    assert is_png(figure)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.filters(np.zeros((8, 3, 3))),
        lambda: plots.feature_maps(np.zeros((28, 28))),
        lambda: plots.attention_map(PICTURES[0], np.zeros((48, 48)), 0),
        lambda: plots.confusion_matrix([1, 2], [1]),
        lambda: plots.loss_surface([0, 1], [0, 1], np.ones((2, 2))),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw):
    with pytest.raises(ValueError):
        draw()


def test_boundary_is_where_the_answer_crosses_one_half():
    figure = plots.boundary(lambda x: (x[:, 0] > 0.6).astype(float))
    ax, _ = figure.axes
    (line,) = [path.vertices for path in ax.collections[0].get_paths()]
    np.testing.assert_allclose(line[:, 0], 0.6, atol=1.5 / 199)  # within one step of the grid
    assert ax.images[0].get_extent() == [-0.25, 1.25, -0.25, 1.25]
    assert sorted(text.get_text() for text in ax.texts) == ["0", "0", "1", "1"]
    assert is_png(figure)


def test_boundary_of_a_network_that_never_decides_has_no_line():
    figure, ax = plots.subplots()
    plots.boundary(lambda x: np.full(len(x), 0.4), ax=ax)
    assert not ax.collections
    assert figure.axes == [ax]  # no color scale on the caller's axes
    assert is_png(figure)


def test_loss_surface_shows_where_training_went():
    a = np.linspace(-1, 1, 9)
    losses = (a**2 + 0.1) + a[:, None] ** 2  # (second, first)
    figure = plots.loss_surface(a, a, losses, names=("u", "v"), path=[[1, 1], [0, 0]])
    ax = figure.axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("u", "v")
    np.testing.assert_array_equal(ax.lines[-1].get_xydata(), [[0, 0]])
    assert is_png(figure)


def test_loss_surface_does_not_follow_a_path_that_leaves_it():
    a = np.linspace(-1, 1, 9)
    figure = plots.loss_surface(a, a, a**2 + a[:, None] ** 2 + 0.1, path=[[0, 1], [0, 1e9]])
    assert figure.axes[0].get_xlim() == figure.axes[0].get_ylim() == (-1, 1)


def test_descent_marks_each_step_on_the_curve():
    ax = plots.descent(np.square, [2, -1, 0.5]).axes[0]
    curve, steps, start, end = ax.lines
    np.testing.assert_array_equal(steps.get_xydata(), [[2, 4], [-1, 1], [0.5, 0.25]])
    assert curve.get_xdata().min() < -1 and curve.get_xdata().max() > 2
    assert (start.get_xydata().tolist(), end.get_xydata().tolist()) == ([[2, 4]], [[0.5, 0.25]])
    assert is_png(plots.descent(np.square, [1, 1]))  # a learning rate of 0


# ------------------------------------------------------------------------------ training


def test_runs_come_in_every_form(tmp_path):
    path = tmp_path / "training_loss_mlp.txt"
    path.write_text("1,0.5,2\n2,0.25,2\n")
    log = Log.from_records(epochs(2), "a log")
    assert [len(run) for run in as_logs(epochs(3))] == [3]
    assert [run.name for run in as_logs(path)] == ["mlp"]
    assert [run.name for run in as_logs([log, str(path), epochs(4)])] == ["a log", "mlp", "run 3"]
    assert [run.name for run in as_logs({"x": log, "y": epochs(1)})] == ["x", "y"]
    assert log.name == "a log"
    assert as_logs([]) == []


def test_models_keep_their_colors_and_no_two_runs_share_one():
    names = ["adam", "cnn", "mlp", "mlp (mine)", "sgd"]
    looks = style.looks_of(names)
    assert looks[1:3] == style.looks_of(["cnn"]) + style.looks_of(["mlp"])
    for part in ("color", "marker"):  # either is enough to tell them apart
        assert len({look[part] for look in looks}) == len(names)
    assert len(style.looks_of(names * 4)) == 20  # more runs than colors


def test_losses_draw_both_losses():
    figure = plots.losses(epochs(4))
    training, validation = figure.axes[0].lines
    np.testing.assert_allclose(training.get_ydata(), [0.9, 0.45, 0.3, 0.225])
    np.testing.assert_allclose(validation.get_ydata(), [1.1, 0.55, 1.1 / 3, 0.275])
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert legend == ["training", "validation"]


def test_losses_without_validation_name_training_alone():
    ax = plots.losses(epochs(4, validation=False)).axes[0]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["training"]


def test_losses_of_many_sizes_get_a_logarithmic_axis():
    assert plots.losses(epochs(200)).axes[0].get_yscale() == "log"
    assert plots.losses(epochs(20)).axes[0].get_yscale() == "linear"


def test_runs_of_very_different_length_get_a_logarithmic_axis():
    figure = plots.times({"mlp": epochs(3), "xor": epochs(1000)})
    assert figure.axes[0].get_xscale() == "log"
    assert is_png(figure)


@pytest.mark.parametrize(
    ("draw", "column"),
    [
        (plots.times, "seconds_per_epoch"),
        (plots.cumulative_times, "seconds"),
        (plots.accuracies, "val_accuracy"),
        (plots.learning_rates, "learning_rate"),
    ],
)
def test_curves_draw_their_column_on_the_given_axes(draw, column):
    figure, axes = plots.subplots(1, 2)
    runs = {"mlp": epochs(3), "cnn": epochs(5)}
    assert draw(runs, ax=axes[1]) is figure
    assert not axes[0].lines
    for line, log in zip(axes[1].lines, as_logs(runs), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), getattr(log, column))
    assert is_png(figure)


def test_a_run_without_epochs_gives_an_empty_figure():
    for draw in (plots.losses, plots.times, plots.accuracies, plots.training_comparison):
        assert is_png(draw([]))
        assert is_png(draw({"mlp": []}))


def test_comparison_sums_the_runs_up():
    figure = plots.training_comparison({"mlp": epochs(9), "xor": epochs(4, validation=False)})
    table = figure.axes[3].tables[0]
    texts = [[table[row, column].get_text().get_text() for column in range(6)] for row in (1, 2)]
    assert texts[0] == ["mlp", "9", "0.1", "97.78%", "1.05", "9.45"]
    assert texts[1] == ["xor", "4", "0.225", "-", "1.02", "4.1"]
    assert is_png(figure)


@pytest.mark.parametrize("name", ["$\\frac{$", "a$b$c", "x\udcff\x1b[31m"])
def test_a_name_is_written_as_it_is_whatever_is_in_it(name):
    shown = name.encode("ascii", "backslashreplace").decode().replace("\x1b", r"\x1b")
    figure = plots.training_comparison({name: epochs(3), "mlp": epochs(3)})
    seconds = plots.accuracy_against_seconds({name: epochs(3), "mlp": epochs(3)})
    assert is_png(figure) and is_png(seconds)
    texts = [
        figure.axes[0].get_legend().get_texts()[0],
        seconds.axes[0].get_legend().get_texts()[0],
    ]
    texts.append(figure.axes[3].tables[0][1, 0].get_text())
    for text in texts:
        assert text.get_text().replace(r"\$", "$") == shown


def test_accuracy_against_seconds_uses_the_time_since_the_start():
    line = plots.accuracy_against_seconds(epochs(3)).axes[0].lines[0]
    np.testing.assert_allclose(line.get_xdata(), [1.01, 2.03, 3.06])


def test_accuracy_against_parameters_places_the_mean():
    figure = plots.accuracy_against_parameters(
        {"mlp": [0.97, 0.99], "cnn": 0.985}, {"mlp": 407_050, "cnn": 15_770}
    )
    texts = {text.get_text(): text.xy for text in figure.axes[0].texts}
    assert texts["mlp\n407,050"] == (407_050, pytest.approx(0.98))
    assert texts["cnn\n15,770"] == (15_770, pytest.approx(0.985))
    assert is_png(figure)


def test_accuracy_against_learning_rate_has_a_line_for_each_name():
    rates = [0.001, 0.01, 0.1]
    figure = plots.accuracy_against_learning_rate(
        rates, {"sgd": [0.1, 0.5, 0.9], "adam": [0.9, 0.8, 0.1]}
    )
    (ax,) = figure.axes
    lines = {line.get_label(): list(line.get_ydata()) for line in ax.lines}
    assert lines == {"sgd": [0.1, 0.5, 0.9], "adam": [0.9, 0.8, 0.1]}
    assert ax.get_xscale() == "log" and list(ax.lines[0].get_xdata()) == rates
    assert is_png(figure)


def test_accuracy_against_digits_has_a_line_with_bars_for_each_model():
    curves = {"mlp": ([100, 400], [0.5, 0.75], [0.125, 0.0]), "cnn": ([100], [0.9], [0.0])}
    (ax,) = plots.accuracy_against_digits(curves).axes
    line, _, (bars,) = ax.containers[0]
    assert line.get_xydata().tolist() == [[100, 0.5], [400, 0.75]]
    assert bars.get_segments()[0].tolist() == [[100, 0.375], [100, 0.625]]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["100", "400"]
    assert is_png(ax.figure)


def test_activations_are_drawn_beside_their_slopes():
    z = np.linspace(-1, 1, 41)
    left, right = plots.activations(z, {"tanh": (np.tanh(z), 1 - np.tanh(z) ** 2)}).axes
    assert np.array_equal(left.lines[0].get_xydata(), np.column_stack([z, np.tanh(z)]))
    assert np.array_equal(right.lines[0].get_ydata(), 1 - np.tanh(z) ** 2)


def test_cost_growth_has_a_line_for_each_model_and_rings_what_is_off_the_trend():
    curve = {"axis": "images a batch", "values": [1, 4, 16], "off_trend": [None, None, 1.8]}
    curves = [
        curve | {"model": "mlp", "seconds": [8.0, 4.0, 3.0], "slope": -0.25},
        curve | {"model": "cnn", "seconds": [2.0, 1.0, 1.5], "slope": None},
    ]
    (ax,) = plots.cost_growth(curves).axes
    assert (ax.get_xscale(), ax.get_yscale(), ax.get_xlabel()) == ("log", "log", "images a batch")
    assert [list(line.get_ydata()) for line in ax.lines] == [[8, 4, 3], [3], [2, 1, 1.5], [1.5]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["mlp, slope -0.25", "cnn"]
    assert is_png(ax.figure)


def test_seed_spread_writes_mean_and_deviation():
    figure = plots.seed_spread({"sgd": [0.90, 0.92], "adam": [0.95]})
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["91.00% ± 1.41%", "95.00%"]
    assert is_png(figure)


# ------------------------------------------------------------------------------ live


def test_live_figure_draws_seldom_but_always_the_end():
    live = plots.LiveFigure(interval=3600)
    live.on_begin(SimpleNamespace(records=[], settings=SimpleNamespace(epochs=8)))
    for record in epochs(5):
        live.on_epoch(record)
    assert len(live.figure.axes[0].lines[0].get_xdata()) == 1
    live.on_end(None)
    assert len(live.figure.axes[0].lines[0].get_xdata()) == 5
    assert live.figure.axes[0].get_xlim() == (0.5, 8.5)


def test_live_figure_goes_on_with_a_resumed_run():
    live = plots.LiveFigure(interval=0)
    live.on_begin(SimpleNamespace(records=epochs(3), settings=SimpleNamespace(epochs=8)))
    live.on_epoch(epochs(4)[3])
    np.testing.assert_array_equal(live.figure.axes[0].lines[0].get_xdata(), [1, 2, 3, 4])


# ------------------------------------------------------------------------------ in words

ATTENTION = np.full((4, 4), 0.25) + np.diag([0.5, 0, 0, 0])  # rows need not sum to 1 here
CURVE = {"axis": "images a batch", "values": [1, 4], "seconds": [8.0, 3.0]}
SENT = io.BytesIO()
Image.new("L", (8, 6)).save(SENT, "PNG")
STEPS = SimpleNamespace(
    corner=(1, 2), cropped=PICTURES[0, :5, :9], scaled=PICTURES[0, :20], centered=PICTURES[0]
)
RUNS = {"mlp": epochs(3), "cnn": epochs(2, validation=False)}
SWEPT = Sweep(np.geomspace(0.01, 10, 31), np.linspace(2, 1, 31))
RECORDED = Recorder(np.zeros((3, 2)), np.zeros(3))
RECORDED.points = [
    Point(step, step / 2, 2 / step, {"hidden.w": step / 100}, {"relu": 0.5}, {"hidden": 1e-3})
    for step in (1, 2)
]
CURVES = np.array([[0.9, 0.91], [0.8, 0.95]])  # (runs, epochs)
SAID = {  # name: (figure, what its alternative text has to say)
    "accuracies": (
        plots.accuracies(RUNS),
        "mlp over 3 epochs from 80.00% to 93.33%; cnn over 2 epochs not measured",
    ),
    "accuracy_against_digits": (
        plots.accuracy_against_digits({"mlp": ([100, 4000], [0.5, 0.75], [0.1, 0])}),
        "mlp from 50.0% to 75.0% with 100 to 4,000 digits",
    ),
    "accuracy_against_learning_rate": (
        plots.accuracy_against_learning_rate([0.1, 1], {"sgd": [0.5, 0.25]}),
        "sgd is best at 0.1, with 50.00%",
    ),
    "accuracy_against_parameters": (
        plots.accuracy_against_parameters({"mlp": [0.5, 0.75]}, {"mlp": 1234}),
        "mlp 62.50% with 1,234 parameters",
    ),
    "accuracy_against_setting": (
        plots.accuracy_against_setting(RATES, "learning_rate"),
        "is best at learning rate 0.1, 97.00% ± 1.41%, 1 diverged, at 1.",
    ),
    "accuracy_map": (
        plots.accuracy_map(RATES, "learning_rate", "optimizer"),
        "adam is best at 1, with 50.00%; sgd is best at 0.1, with 97.00%",
    ),
    "chosen": (
        plots.chosen(np.array([0.9, 0.96]), np.array([0.9, 0.94])),
        "the winner has 96.00% there and 94.00% on the test digits; all runs lose 1.00%",
    ),
    "halving": (
        plots.halving(CURVES, successive_halving(CURVES)),
        "2 runs in epoch 1; 1 runs in epoch 2; the winner reaches 91.00%",
    ),
    "accuracy_against_seconds": (
        plots.accuracy_against_seconds(RUNS),
        "mlp reaches 93.33% after 3.06 seconds",
    ),
    "accuracy_against_shift": (
        plots.accuracy_against_shift([-2, 0, 2], {"cnn": [0.5, 0.75, 0.25]}),
        "from -2 to 2 pixels to the right: cnn from 50.0% to 25.0%, at best 75.0%",
    ),
    "activations": (
        plots.activations(np.arange(-4, 5), {"relu": (np.arange(9), np.ones(9))}),
        "Activations for z from -4 to 4: relu from 0 to 8, its slope from 1 to 1",
    ),
    "attention_map": (
        plots.attention_map(PICTURES[0], ATTENTION, 0),
        "Token 0, row 0 column 0, looks most at token 0, row 0 column 0: 75.0%",
    ),
    "attention_maps": (
        plots.attention_maps(PICTURES[0], ATTENTION, [0, 1]),
        "75.0%. Token 1, row 0 column 1, looks most",
    ),
    "attention_matrix": (plots.attention_matrix(ATTENTION), "token 0 is looked at most"),
    "as_sent": (
        plots.as_sent([SENT.getvalue()], PICTURES[:1], ["pencil"]),
        "as they were sent, pencil: below each what the networks receive",
    ),
    "boundary": (plots.boundary(lambda x: x[:, 0]), "(1, 0) is 1 and gets 1.00"),
    "byte_picture": (byte_picture(b"\0\1\2", width=3), "2 of 168 are not 0"),
    "confusion_matrix": (
        plots.confusion_matrix([1, 2, 2], [1, 1, 1]),
        "1 of 3 right (33.33%): most often 2 read as 1 2 times",
    ),
    "convolution": (
        plots.convolution(np.eye(3), np.eye(2), 2 * np.eye(2)),
        "kernel 2 × 2; answer 2 × 2; answers from 0 to 2",
    ),
    "cost_growth": (
        plots.cost_growth([CURVE | {"model": "mlp", "slope": -0.5, "off_trend": [None, None]}]),
        "mlp, slope -0.50, 8 to 3 seconds for 1 to 4 images a batch",
    ),
    "cumulative_times": (plots.cumulative_times(RUNS), "cnn over 2 epochs from 1.01 to 2.03"),
    "descent": (
        plots.descent(np.square, [2, -1, 0.5]),
        "in 2 steps the weight goes from 2 to 0.5; its loss from 4 to 0.25",
    ),
    "digits": (plots.digits(PICTURES[:2], [3, 1], [3, 7]), "1 wrong, 1 read as 7; 3."),
    "erased_pixels": (
        plots.erased_pixels(PICTURES[0], np.array([30, 1])),
        "2 pixels erased: row 1 column 2, row 0 column 1",
    ),
    "feature_maps": (plots.feature_maps(PICTURES), "6 feature maps of 28"),
    "filters": (plots.filters(np.arange(-4, 4).reshape(2, 1, 2, 2)), "from -4 to 3"),
    "learning_rate_sweep": (
        plots.learning_rate_sweep(SWEPT, used=0.02),
        "Try 2.5, a quarter of the largest. The rate that was used, 0.02, is marked.",
    ),
    "learning_rates": (plots.learning_rates(RUNS), "mlp over 3 epochs from 0.1 to 0.0333"),
    "loss_surface": (
        plots.loss_surface([0, 1], [0, 1], [[1, 2], [3, 4]], path=[[0, 1], [1, 0]]),
        "from 1 to 4; training went from (0, 1) to (1, 0)",
    ),
    "losses": (plots.losses(RUNS), "training from 0.9 to 0.3, validation from 1.1 to 0.367"),
    "mean_digits": (plots.mean_digits(PICTURES[:2], [7, 2]), "digits: 2, 7"),
    "mistakes": (plots.mistakes(PICTURES[:1], [1], [[0.75, 0.25]]), "1 read as 0 (75.0%)"),
    "normalization": (plots.normalization(PICTURES[0], STEPS), "cut out: 5 × 9"),
    "predictions": (
        plots.predictions(
            [("How many?", "3", "4", 0.75)],
            [("Which?", "this", "that")],
            [("Falls how?", [(0, 2), (1, 1)], [(0, 3), (1, 2)], "epoch", "loss", (0, 1), (0, 3))],
        ),
        "How many? you 3, it was 4. Choices: Which? you this, it was that. Falls how?",
    ),
    "probabilities": (plots.probabilities(np.array([0.25, 0.75])), "1 75.0%, 0 25.0%"),
    "seed_spread": (
        plots.seed_spread({"sgd": [0.5, 0.75]}),
        "sgd 62.50% ± 17.68%, from 50.00% to 75.00%",
    ),
    "signals": (plots.signals(RECORDED), "hidden.w from 0.01 to 0.02. Dead or saturated units: re"),
    "sketch": (
        plots.sketch([(0, 2), (1, 1)], [(0, 3), (1, 2)], "epoch", "loss", (0, 1), (0, 3)),
        "The curve of loss by epoch: you from 2 to 1; it was from 3 to 2.",
    ),
    "summary_box": (plots.summary_box(RUNS), "cnn, epochs 2, train loss 0.45, s/epoch 1.02"),
    "there_and_back": (
        plots.there_and_back({"digit": np.eye(3)}, {"dx": np.eye(3)}),
        "where the gradients are not 0, dx, 3 pixels",
    ),
    "times": (plots.times(RUNS), "cnn over 2 epochs from 1.01 to 1.02"),
    "training_comparison": (plots.training_comparison(RUNS), "s in all 3.06"),
    "weights": (plots.weights(np.ones((784, 2))), "2 pictures of 28 × 28 numbers"),
}
SAY_NOTHING_OF_THEIR_OWN = {"LiveFigure", "describe", "subplots"}


def test_every_figure_is_among_those_below():
    assert set(plots.__all__) <= SAID.keys() | SAY_NOTHING_OF_THEIR_OWN


@pytest.mark.parametrize("name", SAID)
def test_a_figure_says_in_words_what_it_shows(name):
    figure, said = SAID[name]
    assert said in figure.alt
    assert figure.alt[0].isupper() or figure.alt[0].isdigit()
    assert figure.alt.endswith(".") and ".." not in figure.alt
    data, metadata = figure._repr_mimebundle_()
    assert metadata == {"image/png": {"alt": figure.alt}}
    assert Image.open(io.BytesIO(b64decode(data["image/png"]))).text["Description"] == figure.alt


def test_a_live_figure_tells_of_the_last_epoch():
    live = plots.LiveFigure(interval=0)
    live.on_begin(SimpleNamespace(records=[], settings=SimpleNamespace(epochs=8)))
    for record in epochs(3):
        live.on_epoch(record)
    assert "over 3 epochs, training from 0.9 to 0.3" in live.figure.alt
    assert "over 2 epochs" not in live.figure.alt


def test_a_figure_of_ones_own_is_known_by_its_titles():
    figure, axes = plots.subplots(1, 3)
    assert figure.alt == "" and figure._repr_mimebundle_()[1] == {}
    for ax, title in zip(axes, ("left", "", "right"), strict=True):
        ax.set_title(title)
    assert figure.alt == "left; right"


# ------------------------------------------------------------------------------ colors


def luminance(color):
    parts = np.array(to_rgb(color))
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_lines_and_texts_are_legible_on_white_and_marks_on_black_pictures():
    for color in (*style.SERIES, style.MISTAKE, style.TRUTH, style.ANSWER, style.VALIDATION):
        assert contrast(color, "white") >= 4.5  # WCAG 2.1, level AA
    for color in (style.FOCUS, style.PLACE):
        assert contrast(color, "black") >= 4.5


# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision
# Deficiency", IEEE Transactions on Visualization and Computer Graphics 15(6), 2009; on linear RGB.
SEEN_BY = {
    "most": np.eye(3),
    "protanopes": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "deuteranopes": [
        [0.3673, 0.8606, -0.2280],
        [0.2801, 0.6726, 0.0473],
        [-0.0118, 0.0429, 0.9689],
    ],
}


@pytest.mark.parametrize("eyes", SEEN_BY)
def test_colors_that_stand_beside_each_other_can_be_told_apart(eyes):
    def seen(color):
        parts = np.array(to_rgb(color))
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return np.clip(SEEN_BY[eyes] @ linear, 0, 1) ** (1 / 2.4)

    pairs = [*itertools.combinations(style.SERIES[:4], 2), (style.MISTAKE, style.TRUTH)]
    pairs += [(style.TRAINING, style.VALIDATION), (style.FOCUS, style.PLACE)]
    for one, other in pairs:
        assert np.linalg.norm(seen(one) - seen(other)) > 0.1, (one, other)


def test_a_mistake_has_a_color_of_its_own():
    others = {*style.SERIES, style.TRUTH, style.ANSWER, style.FOCUS, style.PLACE, style.VALIDATION}
    assert style.MISTAKE not in others
