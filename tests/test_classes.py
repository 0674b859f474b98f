"""Names of classes: which can be, how they lie beside a data set and travel with a network."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course import idx, mnist, models, plots
from course.cnn import CNN
from course.mlp import MLP
from course.models import pretrained
from course.nn import checkpoint, classes, tensor_file
from course.nn.checkpoint import CheckpointError
from course.nn.classes import DIGITS, ClassNamesError, names_of
from course.nn.layers import Dense, Sequential
from course.nn.rng import SimpleRng

CLOTHES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


@pytest.fixture
def clothes(tmp_path):
    """Files in the form of Fashion-MNIST: each class is a block of its own place and width."""
    random = np.random.default_rng(0)
    folder = tmp_path / "clothes"
    for split, count in (("train", 400), ("t10k", 100)):
        labels = (np.arange(count) % 10).astype(np.uint8)
        images = random.integers(0, 60, (count, 28, 28), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[2 * label : 2 * label + 8, 4 : 14 + label] += 120
        idx.write(folder / f"{split}-images-idx3-ubyte.gz", images)
        idx.write(folder / f"{split}-labels-idx1-ubyte.gz", labels)
    classes.write(folder, CLOTHES)
    return folder


# Which names can be

NAME = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=classes.LONGEST)


@given(names=st.lists(NAME, min_size=2, max_size=256, unique=True))
def test_any_printable_names_come_back(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("names")
    classes.write(folder, names)
    assert classes.read(folder) == tuple(names)


NO_NAMES = {
    "text": ("circle", "a list of texts"),
    "numbers": ([1, 2], "a list of texts"),
    "one": (["circle"], "2 to 256 classes, not 1"),
    "many": ([str(i) for i in range(257)], "not 257"),
    "empty": (["a", ""], "cannot have the name ''"),
    "blank": (["a", " b"], "cannot have the name ' b'"),
    "escape": (["a", "\x1b[31mred"], "cannot have the name '\\\\x1b"),
    "lines": (["a", "b\nc"], "cannot have the name"),
    "backwards": (["a", "b\u202ec"], "cannot have the name"),
    "half a character": (["a", "\ud800"], "cannot have the name"),
    "long": (["a", "b" * 41], "at most 40 characters"),
    "twice": (["a", "b", "a"], "two classes have the name 'a'"),
}


@pytest.mark.parametrize(("names", "why"), NO_NAMES.values(), ids=NO_NAMES)
def test_names_that_cannot_be(tmp_path, names, why):
    with pytest.raises(ClassNamesError, match=why):
        classes.write(tmp_path, names)
    assert not (tmp_path / classes.FILE).exists()
    model = MLP(hidden=2)
    with pytest.raises(CheckpointError, match=why):
        models.save(tmp_path / "net", model, class_names=names)


@pytest.mark.parametrize("content", [b"circle\n", b"\xff\xfe", b"a\nb\na\n", b"x" * 10**6])
def test_a_file_that_cannot_be_is_named(tmp_path, content):
    (tmp_path / classes.FILE).write_bytes(content)
    with pytest.raises(ClassNamesError, match=f"{classes.FILE}: "):
        classes.read(tmp_path)


def test_a_file_may_come_from_any_editor(tmp_path):
    (tmp_path / classes.FILE).write_bytes("\ufeffcircle\r\nwave \r\n\r\n".encode())
    assert classes.read(tmp_path) == ("circle", "wave")
    assert classes.read(tmp_path / "elsewhere") is None


def test_outputs_without_a_name_are_called_by_their_number():
    model = MLP(hidden=2)
    assert names_of(model, 10) == DIGITS and names_of(object(), 3) == ("0", "1", "2")
    model.class_names = ("a", "b")
    assert names_of(model, 3) == ("a", "b", "2") and names_of(model, 1) == ("a",)


# Beside data


def test_data_of_other_classes_is_read_with_its_names(clothes):
    found = mnist.load(clothes)
    assert found.class_names == CLOTHES and not found.has_digits
    assert str(found) == "other pictures: 400 training and 100 test pictures of 10 classes"
    assert "  Ankle boot: 40 + 10" in mnist.describe(clothes).splitlines()
    (clothes / classes.FILE).unlink()
    assert mnist.load(clothes).class_names == DIGITS


def test_more_classes_than_digits_need_names(clothes):
    for split, count in (("train", 400), ("t10k", 100)):
        labels = (np.arange(count) % 26).astype(np.uint8)
        idx.write(clothes / f"{split}-labels-idx1-ubyte.gz", labels)
    with pytest.raises(idx.IdxError, match=r"found 10, expected 0 to 9.*need their names in .*txt"):
        mnist.load(clothes)
    classes.write(clothes, tuple("abcdefghijklmnopqrstuvwxyz"))
    assert mnist.load(clothes).train_labels.max() == 25


def test_the_digits_have_their_names():
    assert mnist.load().class_names == DIGITS and mnist.load().has_digits
    assert pretrained.load("cnn").class_names == DIGITS


# With a network


@pytest.mark.parametrize(
    "make",
    [
        lambda: MLP(hidden=3, outputs=3),
        lambda: Sequential(a=Dense(784, 3, SimpleRng(1))),
    ],
    ids=["of the course", "put together"],
)
def test_names_travel_with_a_network(tmp_path, make):
    model = make()
    model.class_names = ("a", "b", "ä")
    models.save(tmp_path / "net", model)
    assert models.load(tmp_path / "net").class_names == ("a", "b", "ä")
    model.class_names = None
    models.save(tmp_path / "net", model)
    assert models.load(tmp_path / "net").class_names is None


def test_names_in_a_strangers_file_are_checked(tmp_path):
    model = CNN(outputs=2)
    models.save(tmp_path / "net", model)
    saved = checkpoint.read(tmp_path / "net")
    saved.info["class_names"] = ["a", "\x1b[2J"]
    metadata = {"format": checkpoint.FORMAT, "info": json.dumps(saved.info), "run": "null"}
    metadata["crc32"] = checkpoint._checksum(saved.arrays, metadata)
    (tmp_path / "net").write_bytes(tensor_file.serialize(saved.arrays, metadata))
    with pytest.raises(CheckpointError, match="cannot have the name"):
        models.load(tmp_path / "net")


# In commands: IDX files in the form of Fashion-MNIST


@pytest.mark.usefixtures("elsewhere")
def test_clothes_are_trained_on_and_evaluated(course, clothes):
    code, lines, err = course(
        "train", "mlp", "--data", clothes, "--epochs", 5, "--out", "net", "--json"
    )
    assert (code, err) == (0, "") and lines[0].startswith("Pictures: other pictures: 400 ")
    assert json.loads(lines[-1])["test_accuracy"] > 0.95
    assert models.load("net").class_names == CLOTHES
    code, lines, err = course("evaluate", "net", "--data", clothes)
    assert (code, err) == (0, "") and lines[0].startswith("Pictures: ")
    code, lines, _ = course("train", "mlp", "--data", clothes, "--resume", "net", "--out", "more")
    assert code == 0


@pytest.mark.usefixtures("elsewhere")
def test_a_network_is_not_judged_by_other_classes_than_its_own(course, clothes):
    course("train", "mlp", "--data", clothes, "--epochs", 1, "--out", "net")
    code, _, err = course("evaluate", "net")
    assert code == 1
    assert "it tells T-shirt/top, Trouser, Pullover, Dress, Coat and 5 more apart" in err
    code, _, err = course("evaluate", pretrained.path("mlp"), "--data", clothes)
    assert code == 0, "files from before there were names say nothing of them"
    classes.write(clothes, [*CLOTHES, "Hat"])
    assert "but 11 are needed" in course("evaluate", "net", "--data", clothes)[2]
    code, _, err = course("trial", "--model", "net")
    assert code == 1 and "the trial is of digits" in err
    code, _, err = course("trial", "--model", "mlp", "--data", clothes)
    assert code == 2 and "other pictures than digits" in err


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("model", ["mlp", "cnn", "attention", "net.json"])
def test_any_model_gets_as_many_outputs_as_there_are_classes(course, clothes, model):
    for split in ("train", "t10k"):
        labels = idx.read(clothes / f"{split}-labels-idx1-ubyte.gz") % 3
        idx.write(clothes / f"{split}-labels-idx1-ubyte.gz", labels)
    classes.write(clothes, CLOTHES[:3])
    layers = [{"layer_type": "dense", "input_size": 784, "output_size": 3}]
    with open("net.json", "w") as file:
        json.dump({"layers": layers}, file)
    code, _, err = course("train", model, "--data", clothes, "--epochs", 1, "--out", "net")
    assert (code, err) == (0, "")
    assert models.load("net").forward(np.zeros((1, 784), np.float32)).shape == (1, 3)


@pytest.mark.usefixtures("elsewhere")
def test_layers_of_a_file_must_have_as_many_outputs(course, clothes):
    classes.write(clothes, CLOTHES)
    layers = [{"layer_type": "dense", "input_size": 784, "output_size": 12}]
    with open("net.json", "w") as file:
        json.dump({"layers": layers}, file)
    code, _, err = course("train", "net.json", "--data", clothes, "--epochs", 1)
    assert code == 2 and "it gives 12 numbers, but the data has 10 classes" in err


# In figures


def test_figures_write_the_names():
    random = np.random.default_rng(0)
    labels, images = np.arange(20) % 10, random.random((20, 28, 28))
    wrong = np.where(labels == 3, 4, labels)
    (ax,) = plots.confusion_matrix(labels, wrong, class_names=CLOTHES).axes
    assert tuple(t.get_text() for t in ax.get_xticklabels()) == CLOTHES
    assert (ax.get_ylabel(), ax.get_xticklabels()[0].get_rotation()) == ("true class", 90)
    ax = plots.probabilities(np.eye(10)[3], label=3, class_names=CLOTHES).axes[0]
    assert (ax.get_title("left"), ax.get_xlabel()) == ("true class: Dress", "class")
    certain = np.eye(10)[wrong]
    figure = plots.mistakes(images, labels, certain, class_names=CLOTHES)
    assert figure.axes[0].get_title() == "read as Coat (100.0%)"
    figure = plots.mean_digits(images, labels, class_names=CLOTHES)
    assert [ax.get_title() for ax in figure.axes if ax.get_title()] == [*CLOTHES]
    figure = plots.digits(images[:4], labels[:4], wrong[:4], class_names=CLOTHES)
    assert figure.axes[3].get_title() == "Dress read as Coat"


def test_a_figure_of_many_classes_is_larger():
    many = np.arange(40)
    small, large = plots.confusion_matrix([0], [0]), plots.confusion_matrix(many, many, 40)
    assert large.get_size_inches()[0] > 2 * small.get_size_inches()[0]
