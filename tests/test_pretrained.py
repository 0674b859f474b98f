"""The weights that come with the course, and the command that makes them."""

import hashlib
import json
import shutil

import numpy as np
import pytest

from course import __version__, idx, mnist, models
from course.commands import cli, pretrain
from course.models import pretrained
from course.models.pretrained import NAMES, PretrainedError
from course.nn import training
from course.nn.recipe import Recipe
from course.recognizer.tuning import accuracy


@pytest.fixture(scope="module")
def sample():
    return mnist.load(mnist.CLONE_DATA / "sample")


@pytest.fixture
def copied(tmp_path):
    """A copy of the files, to be spoiled."""
    for path in pretrained.HERE.glob("*.*"):
        shutil.copy(path, tmp_path)
    return tmp_path


# The files


def test_they_are_small():
    sizes = [pretrained.path(name).stat().st_size for name in NAMES]
    assert sum(sizes) < 3_000_000


@pytest.mark.parametrize("name", NAMES)
def test_the_record_tells_of_this_file(name):
    entry = pretrained.record()["models"][name]
    content = pretrained.path(name).read_bytes()
    assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    assert entry["bytes"] == len(content) and entry["file"] == f"{name}.safetensors"
    model = pretrained.load(name)
    assert model.name == name and model.config == entry["config"]
    assert entry["parameters"] == sum(array.size for array in model.parameters.values())
    assert all(array.dtype == np.float32 for array in model.parameters.values())
    assert (entry["digits"], entry["train_digits"]) == ("full MNIST", 60_000)
    assert entry["test_digits"] == 10_000 and entry["test_accuracy"] > 0.97


def test_the_recipes_are_those_that_the_course_has_now():
    for name, entry in pretrained.record()["models"].items():
        # An option that is newer than the file has its default.
        assert Recipe(**entry["recipe"]) == pretrain.shipped_recipe(name), (
            f"the recipe of {name} has changed: make the weights anew, `{pretrained.HOW_TO_MAKE}`"
        )


@pytest.mark.parametrize("name", NAMES)
def test_they_read_the_sample_as_well_as_the_record_says(name, sample):
    # The models have seen these 1,000 digits, so they should do better than on the test digits;
    # chance allows 1,000 digits at 98 % to be worse by three times sqrt(0.98 * 0.02 / 1000), 1.3
    # points. A network trained on the sample alone, or for too short a time, reads 95 % at most.
    expected = pretrained.record()["models"][name]["test_accuracy"]
    found = accuracy(pretrained.load(name), sample.test_images, sample.test_labels)
    assert found > expected - 0.013


# What may be wrong with them


def damage(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


SPOILED = {
    "a bit": lambda folder: damage(folder / "cnn.safetensors"),
    "cut": lambda folder: (folder / "cnn.safetensors").write_bytes(b""),
    "swapped": lambda folder: shutil.copy(folder / "mlp.safetensors", folder / "cnn.safetensors"),
    "gone": lambda folder: (folder / "cnn.safetensors").unlink(),
    "no record": lambda folder: (folder / "record.json").unlink(),
    "damaged record": lambda folder: (folder / "record.json").write_text("{"),
    "empty record": lambda folder: (folder / "record.json").write_text("{}"),
    "odd record": lambda folder: (folder / "record.json").write_text("[1]"),
    "binary record": lambda folder: (folder / "record.json").write_bytes(b"\xff\xfe\xff"),
}


@pytest.mark.parametrize("case", SPOILED)
def test_what_is_not_as_recorded_is_refused(case, copied):
    SPOILED[case](copied)
    with pytest.raises(PretrainedError, match="python -m course pretrain") as refused:
        pretrained.load("cnn", copied)
    assert ("record.json" if "record" in case else "cnn.safetensors") in str(refused.value)
    all_three = pretrained.load_all(copied)
    assert isinstance(all_three["cnn"], PretrainedError)
    assert isinstance(all_three["mlp"], PretrainedError) == ("record" in case)


def test_another_name_is_an_error_of_the_caller():
    with pytest.raises(KeyError, match="xor.*deep, mlp, cnn, attention"):
        pretrained.load("xor")


# Making them


@pytest.fixture
def little_mnist(tmp_path, monkeypatch, sample):
    """240 and 60 digits that pass for full MNIST, so that training takes no time."""
    folder = tmp_path / "little"
    folder.mkdir()
    for split, start, count in (("train", "train", 240), ("test", "t10k", 60)):
        every = len(getattr(sample, f"{split}_labels")) // count  # of all classes
        for kind, sizes in (("images", 3), ("labels", 1)):
            array = getattr(sample, f"{split}_{kind}")[::every][:count]
            idx.write(folder / f"{start}-{kind}-idx{sizes}-ubyte", array)
    real = mnist.status
    monkeypatch.setattr(
        mnist,
        "status",
        lambda asked=None: (
            [mnist.FileStatus(name, folder / name, "full MNIST") for name in mnist.FULL]
            if asked == str(folder)
            else real(asked)
        ),
    )
    return folder


def make(data, out):
    return cli.main(["pretrain", "--data", str(data), "--out", str(out)])


def test_made_twice_the_files_are_the_same_to_the_byte(little_mnist, tmp_path, capsys):
    first, second = tmp_path / "first", tmp_path / "second"
    assert make(little_mnist, first) == make(little_mnist, second) == 0
    for name in NAMES:
        paths = [pretrained.path(name, folder) for folder in (first, second)]
        assert paths[0].read_bytes() == paths[1].read_bytes(), name
    assert pretrained.record(first)["models"] == pretrained.record(second)["models"]
    assert len(list(first.iterdir())) == len(NAMES) + 1  # and no file more
    assert capsys.readouterr().out.count("test accuracy") == 2 * len(NAMES)


def test_what_was_made_can_be_loaded_and_is_recorded(little_mnist, tmp_path):
    make(little_mnist, tmp_path / "made")
    record = pretrained.record(tmp_path / "made")
    x = mnist.to_float(idx.read(little_mnist / "t10k-images-idx3-ubyte")).reshape(60, -1)
    y = idx.read(little_mnist / "t10k-labels-idx1-ubyte")
    for name, model in pretrained.load_all(tmp_path / "made").items():
        entry = record["models"][name]
        assert entry["made"]["command"] == "python -m course pretrain"
        assert entry["made"]["course"] == __version__
        assert training.evaluate(model, x, y) == (entry["test_loss"], entry["test_accuracy"])
        assert (entry["train_digits"], entry["test_digits"]) == (240, 60)
        assert entry["command"].split()[-4:] == ["--seed", "1", "--validation-split", "0"]
        assert entry["recipe"] | {"seed": 1, "validation_split": 0.0} == entry["recipe"]
    # a model only: what an optimizer needs to go on would treble the size
    assert record["models"]["mlp"]["bytes"] < 4 * 407_050 + 2000


def test_the_command_in_the_record_gives_the_same_weights(little_mnist, tmp_path, monkeypatch):
    make(little_mnist, tmp_path / "made")
    monkeypatch.chdir(tmp_path)
    for name, entry in pretrained.record("made")["models"].items():
        command = entry["command"].split()[3:]
        files = ["--data", str(little_mnist), "--out", "run", "--log", "log.txt"]
        assert cli.main([*command, *files]) == 0
        expected = pretrained.load(name, "made").parameters
        for key, array in models.load("run").parameters.items():
            np.testing.assert_array_equal(array, expected[key])


def test_one_of_them_can_be_made_anew(little_mnist, tmp_path, capsys):
    make(little_mnist, tmp_path)
    before, record = (
        {p.name: p.read_bytes() for p in tmp_path.glob("*.s*")},
        pretrained.record(tmp_path),
    )
    pretrained.path("cnn", tmp_path).unlink()
    out = ["--data", str(little_mnist), "--out", str(tmp_path)]
    capsys.readouterr()
    assert cli.main(["pretrain", "cnn", *out]) == 0
    assert capsys.readouterr().out.count("test accuracy") == 1
    assert {p.name: p.read_bytes() for p in tmp_path.glob("*.s*")} == before
    assert pretrained.record(tmp_path) == record
    assert cli.main(["pretrain", "xor", *out]) == 2
    assert "no 'xor' comes with the course" in capsys.readouterr().err


def test_the_sample_is_not_enough(tmp_path, capsys):
    assert make(mnist.CLONE_DATA / "sample", tmp_path / "made") == 1
    err = capsys.readouterr().err
    assert "full MNIST" in err and "--download" in err and len(err.splitlines()) == 1
    assert not (tmp_path / "made").exists()


def test_where_nothing_can_be_written_nothing_is_trained(little_mnist, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert make(little_mnist, tmp_path / "file") == 1
    out, err = capsys.readouterr()
    assert "cannot write" in err and "Training" not in out


def test_an_interrupt_leaves_what_was_there(little_mnist, tmp_path, monkeypatch):
    make(little_mnist, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.*")}

    def interrupted(self, x, y):
        self.stopped = "interrupted"

    monkeypatch.setattr(pretrain.training, "evaluate", None)
    monkeypatch.setattr("course.nn.training.Trainer.fit", interrupted)
    assert make(little_mnist, tmp_path) == 130
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.*")} == before
    assert json.loads(before["record.json"])["models"].keys() == set(NAMES)
