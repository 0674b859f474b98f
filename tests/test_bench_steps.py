"""What each idea of lesson 08 brings: measured, kept run by run, and not done again."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from course import deep, mnist
from course.benchmark import report, steps
from course.nn import training
from course.nn.gradcheck import check_gradients
from course.nn.regularization import BatchNorm, Dropout
from course.records import logs_folder


@pytest.fixture
def few(monkeypatch):
    """64 digits to train on, 20 to test on."""
    whole = mnist.load()
    pictures = {"train_images": whole.train_images[:64], "test_images": whole.test_images[:20]}
    labels = {"train_labels": whole.train_labels[:64], "test_labels": whole.test_labels[:20]}
    digits = dataclasses.replace(whole, **pictures, **labels)
    monkeypatch.setattr(mnist, "load", lambda *arguments: digits)
    return digits


def measure(folder, names=("cnn",), seeds=2, **options):
    said = []
    results = steps.measure(names, seeds, 0.01, folder, report=said.append, **options)
    return results, said


def test_every_run_says_what_it_misread(few, tmp_path):
    ((row,), said) = measure(tmp_path)
    assert (row["step"], row["epochs"]) == ("cnn", 1)
    assert (row["trained_on"], row["tested_on"]) == (64, 20)
    assert [1 - len(wrong) / 20 for wrong in row["misread"]] == row["accuracy"]
    assert np.shape(row["by_epoch"]) == (2, 1)
    np.testing.assert_allclose(np.ravel(row["by_epoch"]), row["accuracy"])
    assert said == [f"cnn, seed {s}, 1 epochs: {row['accuracy'][s - 1]:.2%}" for s in (1, 2)]


def test_what_was_done_is_not_done_again(few, tmp_path, monkeypatch):
    first, _ = measure(tmp_path, seeds=1)
    done = []
    run = steps.run
    monkeypatch.setattr(steps, "run", lambda step, seed, digits: (
        done.append(seed), run(step, seed, digits))[1])  # fmt: skip
    again, said = measure(tmp_path, seeds=2)
    assert done == [2] and said[0] == "cnn, seed 1, 1 epochs: done before"
    assert again[0]["misread"][0] == first[0]["misread"][0]


def test_a_run_with_another_recipe_or_other_digits_is_another_run(few):
    step = steps.STEPS["cnn"]
    longer = dataclasses.replace(step, recipe=dataclasses.replace(step.recipe, epochs=7))
    fewer = dataclasses.replace(few, train_labels=few.train_labels[:-1])
    found = [steps.fingerprint(s, d) for s, d in ((step, few), (longer, few), (step, fewer))]
    assert len(set(found)) == 3 and steps.fingerprint(step, few) == found[0]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no run"])
def test_a_damaged_file_is_named(few, tmp_path, content):
    measure(tmp_path, seeds=1)
    (path,) = tmp_path.iterdir()
    path.write_bytes(content)
    with pytest.raises(steps.KeptRunError, match=f"{path.name}: holds no run of this benchmark"):
        measure(tmp_path, seeds=1)


def test_a_run_that_is_interrupted_is_not_kept(few, tmp_path, monkeypatch):
    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(training.Trainer, "train_epoch", stop)
    with pytest.raises(KeyboardInterrupt):
        measure(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_last_step_also_reads_together_and_from_several_places(few, tmp_path):
    last = steps.LADDER[-1].name
    results, _ = measure(tmp_path, [last])
    kinds = {row["step"]: row for row in results}
    assert list(kinds) == [steps.LONGER, last, steps.SHIFTS, steps.COMMITTEE, steps.BOTH]
    assert [len(row["accuracy"]) for row in results] == [2, 2, 2, 1, 1]
    last_epoch = [run[-1] for run in kinds[steps.LONGER]["by_epoch"]]
    assert kinds[steps.LONGER]["accuracy"] == pytest.approx(last_epoch)
    assert kinds[last]["by_epoch"] == []  # there is no average but at the end
    read = [dict(np.load(path))["read"] for path in sorted(tmp_path.iterdir())]
    right = (np.mean(read, axis=0).argmax(axis=1) == few.test_labels).mean()
    assert kinds[steps.COMMITTEE]["accuracy"] == [pytest.approx(right)]


def test_each_step_adds_one_idea():
    ladder = {step.name: step for step in steps.LADDER}
    assert len(steps.STEPS) == len(steps.LADDER) + len(steps.OTHERS)
    changed = {}
    for before, step in zip(steps.LADDER[1:], steps.LADDER[2:], strict=False):
        recipes = dataclasses.asdict(before.recipe), dataclasses.asdict(step.recipe)
        changed[step.name] = [name for name in recipes[0] if recipes[0][name] != recipes[1][name]]
    assert changed == {
        "batch norm": [],
        "dropout and smoothing": [],
        "augmentation": ["augment"],
        "averaged weights": ["epochs", "average"],  # LONGER tells what the epochs alone do
    }
    assert ladder["averaged weights"].recipe.epochs == deep.RECIPE.epochs
    parts = [kinds(ladder[name].make(1)) for name in [*ladder][1:4]]
    assert parts == [(0, 0.0, 0.0), (2, 0.0, 0.0), (2, 0.3, 0.05)]


def kinds(network):
    """How many batch norms, the rate of dropout, and the label smoothing."""
    layers = network.layers.values()
    (rate,) = (layer.rate for layer in layers if isinstance(layer, Dropout))
    norms = sum(isinstance(layer, BatchNorm) for layer in layers)
    return norms, rate, network.loss_fn.smoothing


def test_gradients_without_batch_norm_are_those_of_the_loss():
    network = steps.WithoutNorm(1, channels=2, hidden=6, dtype=np.float64)
    random = np.random.default_rng(0)
    x, y = random.normal(0.5, 0.3, (4, 784)), np.arange(4)
    assert max(check_gradients(network, x, y).values()) < 1e-6
    assert network.loss_and_gradients(x, y)[0] == pytest.approx(
        network.loss_fn(network.forward(x), y)[0]
    )


def test_the_command_writes_and_prints_them(course, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ["--steps", "cnn,mlp", "--seeds", "1", "--epochs-factor", "0.01", "--json"]
    code, lines, _ = course("bench", "steps", *options, "--out", "steps.json")
    results = json.loads(lines[-1])
    assert code == 0 and [row["step"] for row in results] == ["cnn", "mlp"]
    needed = {"step", "accuracy", "misread"}
    assert report.read("steps.json", needed)["results"] == results
    assert set(steps.table(results).splitlines()) <= set(lines)
    assert len(list((tmp_path / "runs" / "steps").iterdir())) == 2


def test_the_command_names_the_steps_that_there_are(course):
    code, _, error = course("bench", "steps", "--steps", "cnn,resnet")
    assert code == 2 and "unknown 'resnet': use cnn, two convolutions" in error


def test_the_table_has_means_and_standard_errors():
    rows = [{"step": "a", "epochs": 3, "accuracy": [0.99, 0.98]},
            {"step": "bb", "epochs": 10, "accuracy": [0.995]}]  # fmt: skip
    assert [line.split() for line in steps.table(rows).splitlines()] == [
        ["epochs", "accuracy"],
        ["a", "3", "98.50%", "±", "0.50%"],
        ["bb", "10", "99.50%"],
    ]


KEPT = logs_folder() / "steps.json"


def test_what_is_kept_is_what_the_lesson_says():
    needed = {"step", "epochs", "trained_on", "tested_on", "accuracy", "misread", "by_epoch"}
    kept = report.read(KEPT, needed)
    assert kept["command"].startswith("python -m course bench steps")
    rows = {row["step"]: row for row in kept["results"]}
    assert set(rows) == {*steps.STEPS, steps.LONGER, steps.SHIFTS, steps.COMMITTEE, steps.BOTH}
    assert all((row["trained_on"], row["tested_on"]) == (60_000, 10_000) for row in rows.values())
    mean = {name: np.mean(row["accuracy"]) for name, row in rows.items()}
    assert mean["cnn"] == pytest.approx(0.983, abs=5e-4)  # what lesson 08 begins with, and its end
    assert mean["averaged weights"] > 0.995
    assert mean["cnn"] < mean["two convolutions"] < mean["twice the epochs"]
    assert mean["mlp"] < mean["mlp augmented"]
    assert mean["averaged weights"] <= mean["committee"]


def test_a_folder_for_the_runs_that_is_a_file_is_refused_before_the_work(course, tmp_path):
    (tmp_path / "taken").write_bytes(b"")
    code, _, error = course("bench", "steps", "--steps", "cnn", "--runs", str(tmp_path / "taken"))
    assert code == 1 and f"{tmp_path / 'taken'} is a file" in error


def test_no_step_at_all_is_no_work(course, tmp_path):
    code, lines, _ = course("bench", "steps", "--steps", "none", "--runs", str(tmp_path))
    assert code == 0 and list(tmp_path.iterdir()) == [] and len(lines) == 2


def test_the_readme_tells_what_was_measured():
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    rows = {row["step"]: row for row in report.read(KEPT, {"step", "accuracy"})["results"]}
    median = np.median(rows[steps.LONGER]["accuracy"])
    assert f"| deep, {deep.RECIPE.epochs} epochs | `deep` | {100 * median:.2f} % |" in text
    (together,) = rows[steps.COMMITTEE]["accuracy"]
    assert f"a committee of its three seeds {100 * together:.2f} %" in text
    (figures,) = report.read(logs_folder() / "bench-deep.json")["results"]
    assert figures["model"] == "deep" and figures["optimizer"] == "adam"
    assert f"{figures['ratio_vs_torch']:.1f} times as long for deep" in text
    assert f"Its epoch takes {figures['seconds']:.1f} seconds" in text
    assert f"{100 * figures['fraction_of_gemm_peak']:.0f} % of ours is spent" in text
    assert f"begins at {100 * np.mean(rows['two convolutions']['accuracy']):.2f} %" in text
