"""A sweep: which runs there are, what is kept of them, and that it goes on where it was."""

import dataclasses
import math
import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from course import mlp, mnist
from course.nn.training import evaluate
from course.sweep import SweepError, running, settings, summary, table

FEW = {"epochs": 2, "batch_size": 20}
FIRST = settings.complete("mlp", FEW)
SWEEP = ["sweep", "mlp", "--epochs", 1, "--out", "sweep.csv", "--processes", 1]


@pytest.fixture(scope="module")
def samples(some_digits):
    digits = mnist.load(some_digits)
    x, test_x = (
        mnist.to_float(images).reshape(-1, 784)
        for images in (digits.train_images, digits.test_images)
    )
    return running.Samples(x, digits.train_labels, test_x, digits.test_labels)


# Settings


def test_a_grid_has_every_combination_once():
    found = settings.grid("mlp", {"optimizer": ["sgd", "adam", "sgd"], "learning_rate": [0.1, 1.0]})
    assert [(one["optimizer"], one["learning_rate"]) for one in found] == [
        ("sgd", 0.1), ("sgd", 1.0), ("adam", 0.1), ("adam", 1.0)
    ]  # fmt: skip
    for one in found:
        assert one == FIRST | {name: one[name] for name in ("optimizer", "learning_rate")} | {
            "epochs": mlp.RECIPE.epochs,
            "batch_size": mlp.RECIPE.batch_size,
        }


def test_draws_are_within_their_ranges_and_fill_them():
    values = {
        "learning_rate": [0.001, 1.0],
        "beta2": [0.9, 0.999],
        "batch_size": [16, 256],
        "optimizer": ["sgd", "adam"],
        "epochs": [1, 2, 3],
    }
    drawn = settings.draws("mlp", values, 600)
    rates = np.array([one["learning_rate"] for one in drawn])
    assert 0.001 <= rates.min() < 0.0012 and 0.8 < rates.max() <= 1.0
    # Each of three decades gets a third: 200 of 600, standard deviation sqrt(600 * 2/9) = 11.5.
    for low in (0.001, 0.01, 0.1):
        assert 145 < np.sum((rates >= low) & (rates < 10 * low)) < 255
    distances = np.array([1 - one["beta2"] for one in drawn])
    assert 0.000999 < distances.min() and distances.max() < 0.100001
    assert 230 < np.sum(distances < 0.01) < 370  # the half of both decades
    assert {type(one["batch_size"]) for one in drawn} == {int}
    assert {one["optimizer"] for one in drawn} == {"sgd", "adam"}
    assert {one["epochs"] for one in drawn} == {1, 2, 3}
    assert settings.draws("mlp", values, 600) == drawn
    assert settings.draws("mlp", values, 600, seed=2) != drawn
    assert len({one["learning_rate"] for one in drawn}) > 500


@pytest.mark.parametrize(
    "given, said",
    [
        ({"learning_rate": -1.0}, "above 0"),
        ({"optimizer": "magic"}, "unknown optimizer"),
        ({"schedule": "mine.json"}, "needs a name"),
        ({"validation_split": 0.0}, "held-out"),
    ],
)
def test_settings_without_sense_are_refused(given, said):
    with pytest.raises(SweepError, match=said):
        settings.complete("mlp", given)


def test_a_range_that_reaches_0_is_refused():
    with pytest.raises(SweepError, match="weight_decay"):
        settings.draws("mlp", {"weight_decay": [0.0, 0.1]}, 1)


# One run


def test_a_run_is_what_the_trainer_gives(samples):
    found = running.run(FIRST, 3, samples)
    model = mlp.MLP(seed=3)
    recipe = dataclasses.replace(mlp.RECIPE, **FEW, seed=3)
    records = recipe.trainer(model).fit(samples.x, samples.y)
    assert found["curve"] == [record.val_accuracy for record in records]
    assert (found["test_loss"], found["test_accuracy"]) == evaluate(
        model, samples.test_x, samples.test_y
    )
    assert found["val_accuracy"] == records[-1].val_accuracy
    assert found["val_loss"] == pytest.approx(records[-1].val_loss)
    assert (found["outcome"], found["epochs_done"]) == ("finished", 2)


def test_with_patience_the_best_weights_are_judged(samples):
    patient = FIRST | {"epochs": 30, "patience": 2, "optimizer": "adam", "learning_rate": 0.01}
    found = running.run(patient, 1, samples)
    assert found["outcome"] == "early"
    best = found["epochs_done"] - 2  # two epochs no better
    assert found["val_accuracy"] == found["curve"][best - 1]


def test_to_diverge_is_a_result(samples):
    with np.errstate(over="raise", invalid="raise"):
        found = running.run(FIRST | {"learning_rate": 1e20}, 1, samples)
    assert found["outcome"] == "diverged" and found["epochs_done"] == len(found["curve"])
    assert math.isnan(found["val_accuracy"]) and math.isnan(found["test_accuracy"])


# The file


def written(path, runs, samples="the sample", comments=("command: a",)):
    said = []
    with table.writing(path, comments, samples, said.append) as writer:
        for one, seed, found in runs:
            writer.add(one, seed, found)
        return said, writer.done


def made_up(accuracy, curve=(0.5, 0.75), outcome="finished"):
    found = dict.fromkeys(table.FOUND, accuracy)
    return found | {"outcome": outcome, "epochs_done": len(curve), "curve": list(curve)}


RUNS = [
    (FIRST, 1, made_up(0.9)),
    (FIRST, 2, made_up(1 / 3, [1 / 7])),
    (FIRST | {"optimizer": "adam", "patience": 2}, 1, made_up(math.nan, [0.1], "diverged")),
]


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "deep" / "sweep.csv"
    said, done = written(path, RUNS)
    assert said == [] and len(done) == 3
    sweep = table.read(path)
    assert len(sweep) == 3 and sweep.problems == []
    assert sweep.comments == ["command: a", "samples: the sample"]
    assert sweep["optimizer"].tolist() == ["momentum", "momentum", "adam"]
    assert sweep["seed"].tolist() == [1, 2, 1]
    assert sweep["val_accuracy"][:2].tolist() == [0.9, 1 / 3] and math.isnan(sweep["test_loss"][2])
    assert sweep["patience"].tolist() == [math.inf, math.inf, 2]
    np.testing.assert_allclose(sweep.curves, [[0.5, 0.75], [1 / 7, np.nan], [0.1, np.nan]], 1e-5)
    assert repr(sweep) == "3 runs: 2 finished, 1 diverged"
    assert sweep.varied == ["patience", "optimizer"]
    assert {key: len(runs) for key, runs in sweep.by_setting().items()} == {
        (math.inf, "momentum"): 2, (2.0, "adam"): 1
    }  # fmt: skip
    assert len(sweep.where(optimizer="momentum", seed=2)) == 1
    assert not [name for name in os.listdir(path.parent) if "lock" in name]


@pytest.mark.parametrize("cut", [1, 30, 60])
def test_half_a_line_is_told_and_its_run_done_again(tmp_path, cut):
    path = tmp_path / "sweep.csv"
    written(path, RUNS)
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    assert len(table.read(path)) == 2 and "cut off" in table.read(path).problems[0]
    said, done = written(path, RUNS[2:])
    assert len(said) == 1 and "half written" in said[0] and len(done) == 3
    assert path.read_bytes() == whole


@pytest.mark.parametrize("kept", range(0, 200, 13))
def test_a_file_that_was_cut_within_its_beginning_begins_anew(tmp_path, kept):
    path = tmp_path / "sweep.csv"
    written(path, [])
    whole = path.read_bytes()
    assert len(whole) > 200
    path.write_bytes(whole[:kept])
    written(path, [])
    assert path.read_bytes() == whole


def test_a_damaged_line_is_named_and_its_run_done_again(tmp_path):
    path = tmp_path / "sweep.csv"
    written(path, RUNS)
    path.write_text(path.read_text().replace(",0.9,", ",90,", 1))
    assert "line 4: an accuracy is not between 0 and 1" in table.read(path).problems[0]
    said, done = written(path, [])
    assert "line 4" in said[0] and table.key_of(FIRST, 1) not in done and len(done) == 2


def test_another_command_on_the_same_file_is_noted_in_it(tmp_path):
    path = tmp_path / "sweep.csv"
    written(path, RUNS[:1])
    written(path, RUNS[1:], comments=["command: b"])
    sweep = table.read(path)
    assert len(sweep) == 3
    assert sweep.comments == ["command: a", "samples: the sample", "command: b"]


@pytest.mark.parametrize(
    "content, said",
    [
        ("a letter to a friend\n", "has not the columns"),
        ("# a comment\n1,2,3\n", "has not the columns"),
        ("1,2,3", "none of a sweep"),
    ],
)
def test_other_files_are_not_touched(tmp_path, content, said):
    path = tmp_path / "sweep.csv"
    path.write_text(content)
    with pytest.raises(SweepError, match=said):
        written(path, RUNS)
    assert path.read_text() == content


def test_other_samples_need_another_file(tmp_path):
    written(tmp_path / "sweep.csv", RUNS)
    with pytest.raises(SweepError, match="other samples"):
        written(tmp_path / "sweep.csv", RUNS, samples="full MNIST")


def test_only_one_sweep_writes_a_file(tmp_path):
    written(tmp_path / "sweep.csv", [])
    with (
        table.writing(tmp_path / "sweep.csv", [], "the sample"),
        pytest.raises(SweepError, match="another sweep"),
    ):
        written(tmp_path / "sweep.csv", RUNS)


# The command


@pytest.mark.usefixtures("elsewhere")
def test_the_command_goes_on_where_it_was(course):
    code, lines, err = course(*SWEEP, "--learning-rate", 0.01, 0.1, "--seeds", "1-2,7")
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in lines[1:7]] == [f"{n}/6" for n in range(1, 7)]
    before = open("sweep.csv").read()
    code, lines, err = course(*SWEEP, "--learning-rate", 0.01, 0.1, 1e20, "--seeds", "1-2,7")
    assert (code, err) == (0, "") and lines[1] == "6 of 9 runs are done already"
    assert [line.split()[0] for line in lines[2:5]] == ["7/9", "8/9", "9/9"]
    assert "diverged" in lines[4]
    after = open("sweep.csv").read()
    assert after.startswith(before)
    sweep = table.read("sweep.csv")
    assert repr(sweep) == "9 runs: 6 finished, 3 diverged"
    best = summary.ranking(sweep)
    assert best[-1]["settings"] == {"learning_rate": 1e20} and best[-1]["diverged"] == 3
    means = [sweep.where(learning_rate=rate)["val_accuracy"].mean() for rate in (0.01, 0.1)]
    assert best[0]["val_accuracy"] == max(means)
    assert lines[5].startswith("3 runs in ") and lines[5].endswith(" a minute")
    assert lines[6].startswith("9 runs: 6 finished, 3 diverged")
    assert f"{max(means):.2%}" in lines[7]


@pytest.mark.usefixtures("elsewhere")
def test_draws_that_are_alike_are_one_run(course):
    code, lines, err = course(*SWEEP, "--random", 20, "--optimizer", "sgd", "adam")
    assert (code, err) == (0, "") and lines[2].startswith("2/2 ")
    assert set(table.read("sweep.csv")["optimizer"]) == {"sgd", "adam"}


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--learning-rate", "0"], "above 0"),
        (["--seeds", "5-1"], "no range of seeds"),
        (["--validation-split", "0.001"], "none"),
        (["--random", "3", "--weight-decay", "0", "1"], "weight_decay"),
        (["--augment", "perhaps"], "yes or no"),
    ],
)
def test_what_cannot_be_is_one_sentence(course, arguments, said):
    code, _, err = course(*SWEEP, *arguments)
    assert code == 2 and said in err and len(err.splitlines()) == 1
    assert not os.path.exists("sweep.csv")


@pytest.mark.usefixtures("elsewhere")
def test_a_cluster_needs_its_package_and_an_address(course, monkeypatch):
    code, _, err = course("sweep", "mlp", "--scheduler", "nonsense")
    assert code == 2 and "tcp://HOST:PORT" in err
    for name in ("distributed", "distributed.cli"):
        monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed
    monkeypatch.delitem(sys.modules, "course.sweep.cluster", raising=False)
    for command in (
        ["sweep", "mlp", "--scheduler", "tcp://127.0.0.1:1"],
        ["cluster", "scheduler"],
        ["cluster", "worker", "tcp://127.0.0.1:1"],
    ):
        code, _, err = course(*command)
        assert code == 1 and len(err.splitlines()) == 1 and "[cluster]" in err


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "course", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_runs(count):
    for _ in range(1200):
        with open_or_none("sweep.csv") as lines:
            if sum(line.startswith("mlp,") for line in lines) >= count:
                return
        time.sleep(0.05)
    pytest.fail("no run was finished within a minute")


def open_or_none(path):
    return open(path if os.path.exists(path) else os.devnull)


@pytest.mark.slow
@pytest.mark.usefixtures("elsewhere")
@pytest.mark.skipif(os.name != "posix", reason="needs signals as Unix has them")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_processes_give_what_one_gives_though_they_are_stopped(course, how):
    options = ["--optimizer", "sgd", "adam", "--learning-rate", 0.01, 0.1, "--seeds", "1-8"]
    several = [*SWEEP[:-1], 2, *options]
    process = start(*several)
    wait_for_runs(3)
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    process.send_signal(how)
    assert process.wait(timeout=60) == (130 if how == signal.SIGINT else -signal.SIGKILL)
    if how == signal.SIGINT:  # (after a kill, the processes that it has left keep the pipe open)
        err = process.stderr.read()
        assert "Traceback" not in err
        assert "the same command goes on" in err
    _, alive = psutil.wait_procs(children, timeout=90)
    assert not alive
    finished = len(table.read("sweep.csv"))
    assert 3 <= finished < 32

    process = start(*several)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert f"{finished} of 32 runs are done already" in out
    found = table.read("sweep.csv")
    os.rename("sweep.csv", "processes.csv")
    assert course(*SWEEP, *options)[0] == 0
    assert lines_without_seconds("processes.csv") == lines_without_seconds("sweep.csv")
    assert len(found) == 32


def lines_without_seconds(path):
    """The lines of runs, sorted, without the time that each took."""
    column = table.COLUMNS.index("seconds")
    rows = [line.split(",") for line in open(path) if line.startswith("mlp,")]
    return sorted(row[:column] + row[column + 1 :] for row in rows)


@pytest.mark.slow
@pytest.mark.usefixtures("elsewhere")
@pytest.mark.skipif(os.name != "posix", reason="needs signals as Unix has them")
def test_a_process_that_is_killed_is_one_sentence():
    process = start(*SWEEP[:-1], 2, "--seeds", "1-200")
    wait_for_runs(2)
    pid = psutil.Process(process.pid)
    workers = [child for child in pid.children() if "popen_loky" in " ".join(child.cmdline())]
    assert len(workers) == 2
    workers[0].kill()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1 and "a process of the sweep was killed" in err.splitlines()[-1]
    assert "Traceback" not in err
    assert 2 <= len(table.read("sweep.csv")) < 200
