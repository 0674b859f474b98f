"""What the commands write: never over what they read, nor over another run's files."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from course import models, records
from course.mlp import MLP
from course.nn import checkpoint

pytestmark = pytest.mark.usefixtures("elsewhere")
TRAIN = ["train", "mlp", "--epochs", "1", "--out", "run", "--log", "log.txt"]
LOG = "epoch,train_loss,train_time\n1,0.5,2\n"
posix = pytest.mark.skipif(os.name != "posix", reason="needs files and signals as Unix has them")


@pytest.fixture
def files(some_digits):
    """One file of each kind in the present folder, and other names of the model."""
    models.save("m.safetensors", MLP())
    models.save("attention.safetensors", models.build("attention"))
    layers = [{"layer_type": "dense", "input_size": 784, "output_size": 10}]
    contents = {
        "a.json": json.dumps({"layers": layers}),
        "s.json": '{"scheduler_type": "constant"}',
        "log.txt": LOG,
        "README.md": "# Once upon a time\n\nThere was 1,2,3\n",
        "comments": "# epoch,train_loss\n",
        "numbers.csv": "0.5,1,2\n",
    }
    for name, content in contents.items():
        with open(name, "w") as file:
            file.write(content)
    shutil.copytree(some_digits, "digits")
    os.symlink("m.safetensors", "link")
    os.link("m.safetensors", "hard")


def content():
    """Every file below the present folder."""
    return {
        os.path.join(folder, name): open(os.path.join(folder, name), "rb").read()
        for folder, _, names in os.walk(".")
        for name in names
    }


DIGITS = "digits/t10k-labels-idx1-ubyte"


@pytest.mark.parametrize(
    "command",
    [
        "evaluate attention.safetensors --attention ./attention.safetensors",
        f"evaluate attention.safetensors --data digits --attention {DIGITS}",
        "convert m.safetensors m.safetensors",
        "convert m.safetensors link",
        "convert m.safetensors hard",
        "convert link hard",
        "train a.json --out a.json",
        "train a.json --log a.json",
        "train mlp --schedule s.json --log ./s.json",
        "train mlp --schedule s.json --out s.json",
        "train mlp --resume m.safetensors --out new --log hard",
        "train mlp --out new --log digits/../new",
        f"train mlp --data digits --out {DIGITS}",
        "plot log.txt --out log.txt",
        "bench xor --out {digits}/train-images-idx3-ubyte",
    ],
)
def test_no_output_is_an_input(course, files, some_digits, command):
    if "--resume" in command:
        course("train", "mlp", "--epochs", 1, "--out", "m.safetensors", "--log", "l")
        os.remove("hard")
        os.link("m.safetensors", "hard")
    before = content()
    code, lines, err = course(*command.format(digits=some_digits).split())
    assert (code, lines) == (2, []) and "at once" in err and len(err.splitlines()) == 1
    assert content() == before


@pytest.mark.parametrize(
    "name", ["README.md", "s.json", "m.safetensors", "comments", "numbers.csv"]
)
def test_a_log_replaces_only_a_log(course, files, name):
    before = content()
    code, _, err = course(*TRAIN, "--log", name)
    assert code == 1 and err.endswith("is no training log; name another with --log\n")
    assert content() == before
    for log in ("log.txt", "new.txt"):
        assert course(*TRAIN, "--log", log)[0] == 0


@posix
@pytest.mark.parametrize("name", ["n" * 245, "folder/", "pipe", "log.txt/m"])
@pytest.mark.parametrize(
    "command",
    [
        "train mlp --out NAME",
        "train mlp --log NAME",
        "evaluate attention.safetensors --attention NAME",
        "convert m.safetensors NAME",
        "plot log.txt --out NAME",
        "bench xor --out NAME",
    ],
)
def test_what_cannot_be_written_is_refused_before_the_work_begins(course, files, name, command):
    os.mkfifo("pipe")
    code, lines, err = course(*command.replace("NAME", name).split())
    assert (code, lines) == (1, []) and "cannot write" in err and len(err.splitlines()) == 1
    assert not os.path.exists("folder") and not os.path.exists("runs")


def test_pretrain_looks_at_each_of_its_files(course):
    os.makedirs("folder/cnn.safetensors")
    code, lines, err = course("pretrain", "--out", "folder")
    assert (code, lines) == (1, []) and "cnn.safetensors: it is a folder" in err


@posix
def test_a_device_takes_the_log_and_stays(course):
    terminal, device = os.openpty()
    try:
        os.set_blocking(terminal, False)
        name = os.ttyname(device)
        assert course(*TRAIN, "--log", name)[0] == 0
        assert b"epoch,train_loss" in os.read(terminal, 10_000)
        assert not os.path.isfile(name)
    finally:
        os.close(terminal)
        os.close(device)


def interrupt_in_the_first_epoch(course, *arguments):
    def interrupted(observer, batch, batches):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint.SaveCheckpoint, "on_batch", interrupted)
        return course(*arguments)


def test_without_a_whole_epoch_the_model_and_the_log_that_are_there_stay(course):
    course(*TRAIN)
    before = content()
    code, lines, _ = interrupt_in_the_first_epoch(course, *TRAIN, "--json")
    assert code == 130 and content() == before
    assert any("not saved, as no epoch was complete" in line for line in lines)
    assert json.loads(lines[-1])["out"] is None
    code, lines, _ = interrupt_in_the_first_epoch(course, *TRAIN, "--out", "new")
    assert code == 130 and "Model: new" in lines and checkpoint.read("new").run is None


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "course", *arguments], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.slow
def test_trainings_that_start_together_have_a_log_each(course):
    runs = [start("train", "mlp", "--epochs", "2", "--out", name) for name in "abc"]
    said = [run.communicate()[0].splitlines() for run in runs]
    logs = {lines[-1].removeprefix("Log: ") for lines in said}
    assert len(logs) == 3 and len(records.own_logs()) == 3
    assert [len(records.read_log(log)) for log in logs] == [2, 2, 2]


def test_a_log_that_is_being_written_is_nobody_elses(course):
    os.symlink("log.txt", "link")
    with records.claimed("log.txt"):
        for name in ("log.txt", "link"):
            code, _, err = course(*TRAIN, "--log", name)
            assert code == 1 and "another training is writing this log" in err
    assert os.listdir() == ["link"]
    assert course(*TRAIN)[0] == 0
    assert sorted(os.listdir()) == ["link", "log.txt", "run"]


def test_a_log_that_was_never_begun_is_not_left(course):
    code, _, err = course("train", "mlp", "--validation-split", "0.001", "--patience", 1)
    assert code == 1 and "patience" in err and records.own_logs() == []
