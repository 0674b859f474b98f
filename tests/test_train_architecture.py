"""`train FILE.json`: the network of an architecture file goes the way of every other model."""

import json
import os

import numpy as np
import pytest

from course import models, records
from course.models import architecture
from course.nn import checkpoint

DENSE = [
    {"layer_type": "dense", "input_size": 784, "output_size": 16},
    {"layer_type": "dense", "input_size": 16, "output_size": 10},
]
SIZES = {"in_channels": 1, "input_height": 28, "input_width": 28}
CONVOLUTION = [
    {"layer_type": "conv2d", "out_channels": 2, "kernel_size": 3, "stride": 2} | SIZES,
    {"layer_type": "batchnorm", "size": 2 * 13 * 13},
    {"layer_type": "dropout", "size": 2 * 13 * 13, "drop_rate": 0.2},
    {"layer_type": "dense", "input_size": 2 * 13 * 13, "output_size": 10},
]
pytestmark = pytest.mark.usefixtures("elsewhere")
TRAIN = ["train", "net.json", "--epochs", 3, "--out", "run", "--log", "log.txt"]


def write(layers, path="net.json"):
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"layers": layers}, file)


def weights(path):
    return {name: array.tobytes() for name, array in checkpoint.read(path).arrays.items()}


@pytest.mark.parametrize("layers", [DENSE, CONVOLUTION], ids=["dense", "convolution"])
def test_it_trains_and_its_checkpoint_needs_the_file_no_more(course, layers):
    write(layers)
    code, lines, err = course("train", "net.json", "--json")
    assert (code, err) == (0, "")
    result = json.loads(lines[-1])
    assert result["model"] == "net" and result["recipe"] == vars(architecture.RECIPE)
    assert result["test_accuracy"] > 0.3  # a guess has 0.1
    assert os.path.samefile(result["log"], "logs/mine/training_loss_net.txt")
    assert len(records.read_log(result["log"])) == architecture.RECIPE.epochs

    os.remove("net.json")
    assert models.load("runs/net.safetensors").config == {"layers": layers, "activation": "relu"}
    code, lines, err = course("evaluate", "runs/net.safetensors", "--json")
    assert (code, err) == (0, "")
    evaluated = json.loads(lines[-1])
    assert evaluated["model"] == "net"
    assert evaluated["test_loss"] == result["test_loss"]


def test_options_reach_it(course):
    write(DENSE)
    options = ["--seed", 5, "--optimizer", "sgd", "--learning-rate", 0.5, "--batch-size", 30]
    code, lines, _ = course(*TRAIN, *options, "--schedule", "constant", "--json")
    recipe = json.loads(lines[-1])["recipe"]
    assert code == 0 and (recipe["seed"], recipe["optimizer"]) == (5, "sgd")
    untrained = architecture.load("net.json", seed=5).parameters["dense0.w"]
    assert np.abs(models.load("run").parameters["dense0.w"] - untrained).max() > 0
    course(*TRAIN, *options, "--schedule", "constant", "--out", "again")
    assert weights("again") == weights("run")


def test_resumed_it_is_the_same_run(course):
    write(CONVOLUTION)  # the dropout goes on where it was, too
    course(*TRAIN)
    expected = weights("run")

    def interrupt(observer, batch, batches):
        if observer.trainer.epoch == 1 and batch == 2:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint.SaveCheckpoint, "on_batch", interrupt)
        assert course(*TRAIN)[0] == 130
    assert checkpoint.read("run").run["epoch"] == 1
    code, lines, err = course("train", "net.json", "--resume", "run")
    assert (code, err) == (0, "") and "Resuming after epoch 1" in lines
    assert weights("run") == expected


def test_resuming_needs_the_same_layers(course):
    write(DENSE)
    course(*TRAIN)
    before = weights("run")
    write([DENSE[0] | {"output_size": 17}, DENSE[1] | {"input_size": 17}])
    code, _, err = course("train", "net.json", "--resume", "run")
    assert code == 1 and err == (
        "python -m course train: run was begun with other layers than these\n"
    )
    code, _, err = course("train", "mlp", "--resume", "run")
    assert code == 1 and "run holds the model 'architecture', not 'mlp'" in err
    assert weights("run") == before


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("mlp.json", "my-mlp"),  # runs/mlp.safetensors is the course's
        ("mlp_2.json", "mlp-2"),  # training_loss_mlp_2.txt would be the MLP's second run
        ("two layers, 16.json", "two-layers-16"),
        ("nets/é.json", "é"),
        ("./---.json", "my"),
        ("c.json", "my-c"),  # training_loss_c.txt is what an older program called the MLP's
    ],
)
def test_model_and_log_are_named_after_the_file(course, file, name):
    os.mkdir("nets")
    write(DENSE, file)
    assert course("train", file, "--epochs", 1)[0] == 0
    assert os.listdir("runs") == [f"{name}.safetensors"]
    assert os.listdir("logs/mine") == [f"training_loss_{name}.txt"]
    assert records.read_log(records.own_logs()[0]).name == f"{name} (mine)"


BAD_FILES = {
    "sizes": (
        [DENSE[0], DENSE[1] | {"input_size": 20}],
        "net.json: layer 0 (dense) gives 16, but layer 1 (dense) takes 20",
    ),
    "inputs": ([DENSE[0] | {"input_size": 100}, DENSE[1]], "does not take samples of 784 numbers"),
    "outputs": ([DENSE[0], DENSE[1] | {"output_size": 9}], "gives 9 numbers, but 10 are needed"),
    "truncated": (None, "net.json: no readable JSON: "),
    "empty": ([], 'net.json: "layers" must be a list of at least one layer'),
    "unknown": ([{"layer_type": "lstm"}], "layer 0: unknown layer_type 'lstm'"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files(course, case):
    layers, problem = BAD_FILES[case]
    write(layers if layers is not None else DENSE)
    if layers is None:
        os.truncate("net.json", 60)
    code, _, err = course("train", "net.json")
    assert code == 2 and err.startswith("python -m course train: net.json: ")
    assert problem in err and len(err.splitlines()) == 1 and len(err) < 300
    assert os.listdir() == ["net.json"]  # nothing was begun


@pytest.mark.parametrize("name", ["nowhere.json", "folder.json"])
def test_a_file_that_cannot_be_read(course, name):
    os.mkdir("folder.json")
    code, lines, err = course("train", name)
    assert (code, lines) == (2, []) and err.startswith(f"python -m course train: {name}: ")
    assert len(err.splitlines()) == 1 and "Errno" not in err


def test_a_checkpoint_with_layers_that_do_not_fit_is_refused(course):
    write(DENSE)
    course(*TRAIN)
    saved = checkpoint.read("run")
    for config in ({"layers": DENSE[::-1]}, {"layers": 3}, {}, {"size": 1}):
        checkpoint.save("bad", models.load("run"), saved.info | {"config": config})
        code, _, err = course("evaluate", "bad")
        assert code == 1 and "bad: cannot build its architecture: " in err


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"inputs": 20}, "run: it does not take samples of 784 numbers"),
        ({"outputs": 4}, "run: it gives 4 numbers, but 10 are needed"),
    ],
)
def test_a_model_that_cannot_read_digits_is_not_evaluated(course, config, problem):
    models.save("run", models.build("mlp", **config))
    code, _, err = course("evaluate", "run")
    assert code == 1 and problem in err and len(err.splitlines()) == 1
