"""Choosing among runs: halving, the luck of a winner, the figures, the exercises of lesson 07b."""

import shlex

import numpy as np
import pytest

from course import plots
from course.commands.cli import make_parser
from course.commands.sweep import all_runs
from course.exercises import sweep as exercises
from course.records import logs_folder
from course.sweep import settings, summary
from course.sweep.choosing import luck, successive_halving, winners_lead
from course.sweep.table import Sweep, key_of, read

RANDOM = np.random.default_rng(1)


def a_sweep(val, test, **varied):
    """A Sweep of made-up runs: accuracies (runs,), NaN for those that diverged."""
    val, test = np.array(val, float), np.array(test, float)
    same = settings.complete("mlp", {})
    columns = {name: np.array([value] * len(val)) for name, value in same.items()}
    columns["patience"] = np.full(len(val), np.inf)
    columns |= {name: np.array(values) for name, values in varied.items()}
    outcome = np.where(np.isnan(val), "diverged", "finished")
    columns |= {"val_accuracy": val, "test_accuracy": test, "outcome": outcome}
    return Sweep(columns, val[:, None])


RATES = a_sweep(
    [0.9, 0.92, 0.96, 0.98, np.nan, 0.5],
    [0.88, 0.92, 0.95, 0.95, np.nan, 0.5],
    learning_rate=[0.01, 0.01, 0.1, 0.1, 1.0, 1.0],
    optimizer=["sgd", "sgd", "sgd", "sgd", "adam", "adam"],
)


# ---- Halving -------------------------------------------------------------------------------------


def test_halving_lets_the_best_go_on():
    curves = np.array([[0.9, 0.91, 0.92], [0.8, 0.95, 0.96], [0.7, 0.99, 0.99], [0.85, 0.93, 1.0]])
    halving = successive_halving(curves)
    assert [rung.tolist() for rung in halving.rungs] == [[0, 3, 1, 2], [3, 0], [3]]
    assert halving.winner == 3 and halving.trained == 7
    assert halving.saved == pytest.approx(5 / 12)


def test_halving_drops_what_diverged_and_keeps_one():
    curves = np.array([[np.nan, np.nan], [0.1, np.nan], [0.2, 0.3]])
    halving = successive_halving(curves, factor=5)
    assert [rung.tolist() for rung in halving.rungs] == [[2, 1, 0], [2]]


# ---- Luck ----------------------------------------------------------------------------------------


def test_luck_is_what_is_not_the_setting():
    val, test = luck(RATES)  # the two of a setting are 0.02 apart; of the third, one is left
    np.testing.assert_allclose(val, np.array([-0.01, 0.01, -0.01, 0.01]) * np.sqrt(2))
    np.testing.assert_allclose(test, np.array([-0.02, 0.02, 0, 0]) * np.sqrt(2))


def test_the_lead_of_a_winner_is_that_of_order_statistics():
    """Noise of its own on either side, 0.001, and what the runs have in common, 0.002.

    The deviation of `val` is sqrt(5) * 0.001, and the best of 10 normal numbers lies 1.54 of them
    above their mean. Of its variance 4/5 is common, so 4/5 of the lead are left in `test`.
    """
    common = RANDOM.normal(0, 0.002, 200_000)
    val, test = (common + RANDOM.normal(0, 0.001, 200_000) for _ in range(2))
    lead, kept = winners_lead(val, test, [1, 10], draws=40_000)
    # The standard error of the mean of 40,000 deviations of 0.0022 is 0.000011.
    np.testing.assert_allclose(lead, [0, np.sqrt(5) * 0.001 * 1.54], atol=5e-5)
    np.testing.assert_allclose(kept, 0.8 * lead, atol=5e-5)


def test_ranking_puts_settings_that_diverge_last():
    rows = summary.ranking(RATES)
    assert [row["settings"]["learning_rate"] for row in rows] == [0.1, 0.01, 1.0]
    assert rows[0]["val_accuracy"] == pytest.approx(0.97) and rows[0]["diverged"] == 0
    assert rows[0]["spread"] == pytest.approx(0.02 / np.sqrt(2))
    assert (rows[2]["runs"], rows[2]["diverged"], rows[2]["val_accuracy"]) == (2, 1, 0.5)
    assert "97.00% ± 1.41%, test 95.00%" in summary.text(RATES)
    assert "1 of 2 diverged" in summary.text(RATES)


# ---- Figures -------------------------------------------------------------------------------------


def test_a_line_has_means_and_a_band_and_crosses_what_diverged():
    figure = plots.accuracy_against_setting(RATES, "learning_rate", least=0.4)
    line, crosses = figure.axes[0].get_lines()
    np.testing.assert_allclose(line.get_ydata(), [0.91, 0.97, 0.5])
    assert crosses.get_xdata().tolist() == [1.0] and crosses.get_ydata().tolist() == [0.4]
    band = figure.axes[0].collections[0].get_paths()[0].vertices[:, 1]
    assert band.max() == pytest.approx(0.97 + 0.02 / np.sqrt(2))
    assert figure.axes[0].get_xscale() == "log"


def test_a_map_has_a_place_for_each_pair():
    figure = plots.accuracy_map(RATES, "learning_rate", "optimizer")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["–", "–", "50.0%\n1 diverged", "91.0%", "97.0%", "–"]


def test_halving_draws_a_run_as_far_as_it_was_trained():
    curves = np.array([[0.9, 0.91], [0.8, 0.95]])
    figure = plots.halving(curves, successive_halving(curves))
    assert [len(line.get_xdata()) for line in figure.axes[0].get_lines()] == [1, 2, 2]


# ---- Exercises -----------------------------------------------------------------------------------


def test_the_exercise_is_what_the_course_computes():
    for runs, epochs, factor in [(216, 3, 3), (7, 5, 2), (1, 2, 2)]:
        curves = RANDOM.random((runs, epochs))
        halving = successive_halving(curves, factor)
        assert exercises.halve(curves, factor) == (halving.winner, halving.trained)


def halve_by_sorting(curves, factor):
    left, trained = list(range(len(curves))), 0
    for epoch in range(curves.shape[1]):
        if epoch:
            left = left[: max(1, len(left) // factor)]
        trained += len(left)
        left.sort(key=lambda run: -np.nan_to_num(curves[run, epoch], nan=-1))
    return left[0], trained


def excess_by_hand(val, test):
    winner = max(range(len(val)), key=lambda run: val[run])
    others = [val[run] - test[run] for run in range(len(val)) if run != winner]
    return val[winner] - test[winner] - sum(others) / len(others)


@pytest.mark.parametrize(
    "exercise, attempt",
    [(exercises.HALVE, halve_by_sorting), (exercises.EXCESS, excess_by_hand)],
)
def test_accepts_other_ways(exercise, attempt):
    for seed in range(5):
        assert exercise.verdict(attempt, seed=seed).status == "passed"


@pytest.mark.parametrize(
    "exercise, mistake, attempt",
    [(e, m, f) for e in (exercises.HALVE, exercises.EXCESS) for m, f in e.mistakes.items()],
)
def test_a_mistake_is_told_by_its_name(exercise, mistake, attempt):
    for seed in range(5):
        assert mistake in exercise.verdict(attempt, seed=seed).message


# ---- The sweep that comes with the course --------------------------------------------------------


def test_the_file_has_what_its_command_asks_for():
    sweep = read(logs_folder() / "sweep.csv")
    command, _, _, samples, *_ = sweep.comments
    assert sweep.problems == [] and samples.startswith("samples: full MNIST, 60000 to learn from")
    arguments = make_parser("sweep").parse_args(shlex.split(command.partition("course ")[2]))
    asked = {key_of(*one) for one in all_runs(arguments)}
    found = {
        (*(row[name] for name in ("model", *settings.FIELDS)), row["seed"]) for row in rows(sweep)
    }
    assert found == asked and len(found) == len(sweep) == 216
    assert sweep.varied == ["optimizer", "learning_rate"]
    np.testing.assert_allclose(sweep.curves[:, -1], sweep["val_accuracy"], atol=1e-6)


def rows(sweep):
    """The runs as dicts of plain values, with None for who has no patience set."""
    for place in range(len(sweep)):
        row = {name: column[place].item() for name, column in sweep.columns.items()}
        yield row | {"patience": None if np.isinf(row["patience"]) else int(row["patience"])}
