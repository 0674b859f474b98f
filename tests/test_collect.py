"""Pictures in folders become a data set, and that a network which reads drawings of its kind."""

import json
import os
import shutil

import numpy as np
import pytest
import symbols
from PIL import Image

from course import idx, mnist, models
from course.nn import classes
from course.recognizer import dataset
from course.recognizer.collection import Collection, CollectionError
from course.recognizer.pictures import read_canvas
from course.recognizer.preprocess import normalize
from course.recognizer.strokes import render
from course.recognizer.widget import Recognizer

pytestmark = pytest.mark.usefixtures("elsewhere")


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """A folder of five sub-folders of pictures, to be copied; and nothing is to change in it."""
    return symbols.fill(tmp_path_factory.mktemp("drawn"), 12)


@pytest.fixture
def pictures(drawn, tmp_path):
    return shutil.copytree(drawn, tmp_path / "pictures")


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# What goes well


def test_a_folder_becomes_a_data_set(course, pictures, tmp_path):
    code, lines, err = course("collect", pictures, "--out", "set", "--json")
    assert (code, err) == (0, "")
    assert lines[:5] == [f"{name}: 12 pictures" for name in symbols.NAMES]
    assert lines[6] == "Train with: python -m course train cnn --data set --epochs 30 --save NAME"
    assert json.loads(lines[-1]) == {
        "out": "set", "class_names": [*symbols.NAMES], "train": 50, "test": 10, "left_out": [],
    }  # fmt: skip
    assert sorted(os.listdir("set")) == sorted([classes.FILE, *(f"{n}.gz" for n in mnist.FULL)])
    found = mnist.load("set")
    assert found.class_names == symbols.NAMES
    assert np.bincount(found.train_labels).tolist() == [10] * 5
    assert np.bincount(found.test_labels).tolist() == [2] * 5
    assert (np.diff(found.train_labels.astype(int)) != 0).sum() > 25, "they are mixed"
    images = {i.tobytes() for i in np.concatenate([found.train_images, found.test_images])}
    assert len(images) == 60
    for name in symbols.NAMES:  # each is what `recognize` would read
        x = normalize(read_canvas(pictures / name / "003.png")).centered
        assert x.tobytes() in images


def test_the_same_pictures_and_seed_give_the_same_files(course, pictures):
    for out, seed in (("a", 0), ("b", 0), ("c", 1)):
        assert course("collect", pictures, "--out", out, "--seed", seed)[0] == 0
    a, b, c = (files(dataset.Path(out)) for out in "abc")
    assert a == b and a != c


def test_the_share_for_the_test_is_that_of_each_class(course, pictures):
    shutil.rmtree(pictures / "wave")
    for number in range(8):
        (pictures / "cross" / f"{number:03}.png").unlink()
    assert course("collect", pictures, "--out", "set", "--test-share", 0.5)[0] == 0
    found = mnist.load("set")
    assert np.bincount(found.test_labels).tolist() == [6, 2, 6, 6]
    assert np.bincount(found.train_labels).tolist() == [6, 2, 6, 6]


@pytest.mark.parametrize("share", [0.001, 0.2, 0.999])
@pytest.mark.parametrize("count", [2, 3, 50])
def test_every_class_is_in_both_parts(count, share):
    labels = np.repeat(np.arange(3), count)
    is_test = dataset.split(labels, share)
    for label in range(3):
        assert 0 < is_test[labels == label].sum() < count


def test_pictures_of_any_kind(course, pictures):
    image = Image.open(pictures / "wave" / "000.png")
    image.convert("RGB").resize((900, 700)).save(pictures / "wave" / "large.jpg")
    Image.fromarray(255 - np.asarray(image)[:, ::-1]).save(pictures / "wave" / "white on black.gif")
    assert course("collect", pictures, "--out", "set")[1][4] == "wave: 14 pictures"


def test_what_cannot_be_read_is_named_and_left_out(course, pictures):
    (pictures / "cross" / "notes.txt").write_text("once upon a time")
    (pictures / "cross" / "deeper").mkdir()
    Image.new("L", (90, 90), 230).save(pictures / "cross" / "blank.png")
    shutil.copy(pictures / "cross" / "001.png", pictures / "wave" / "copy.png")
    for name in (".DS_Store", "Thumbs.db"):  # nobody has put them there
        (pictures / "wave" / name).touch()
    code, lines, err = course("collect", pictures, "--out", "set", "--json")
    assert code == 0 and lines[1] == "cross: 12 pictures" and lines[4] == "wave: 12 pictures"
    for said in ("blank.png shows no ink", "notes.txt is not a picture", "deeper cannot be opened"):
        assert said in err
    assert "copy.png is the same picture as" in err and len(err.splitlines()) == 4
    assert len(json.loads(lines[-1])["left_out"]) == 4


def test_of_many_that_cannot_be_read_the_first_are_named(course, pictures):
    for number in range(30):
        (pictures / "cross" / f"{number}.txt").touch()
    err = course("collect", pictures, "--out", "set")[2].splitlines()
    assert len(err) == 21 and err[-1] == "left out: 10 more"


def test_a_data_set_is_replaced_by_a_new_one(course, pictures):
    course("collect", pictures, "--out", "set")
    shutil.rmtree(pictures / "wave")
    os.rename("set/t10k-labels-idx1-ubyte.gz", "set/t10k-labels.idx1-ubyte.gz")  # another spelling
    assert course("collect", pictures, "--out", "set")[0] == 0
    assert mnist.load("set").class_names == symbols.NAMES[:4] and len(os.listdir("set")) == 5


def test_a_kill_leaves_no_wrong_labels(pictures, monkeypatch):
    read = dataset.read_folder(pictures)
    dataset.write("set", read, dataset.split(read.labels))
    write, written = idx.write, []

    def stop(path, array):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(path)
        write(path, array)

    monkeypatch.setattr(idx, "write", stop)
    with pytest.raises(KeyboardInterrupt):
        dataset.write("set", read, dataset.split(read.labels, seed=1), seed=1)
    with pytest.raises(FileNotFoundError, match="labels"):
        mnist.load("set")


# What is refused


def nothing(folder):
    shutil.rmtree(folder)


def no_classes(folder):
    nothing(folder)
    folder.mkdir()
    (folder / "a.png").touch()


def one_class(folder):
    for name in symbols.NAMES[1:]:
        shutil.rmtree(folder / name)


def an_empty_class(folder):
    (folder / "star").mkdir()


def unreadable_class(folder):
    an_empty_class(folder)
    (folder / "star" / "a.png").write_text("a star")


def many_classes(folder):
    for number in range(300):
        (folder / str(number)).mkdir()


def an_odd_name(folder):
    (folder / "a\x1b[31m").mkdir()


def a_long_name(folder):
    (folder / ("a" * 50)).mkdir()


def a_file(folder):
    nothing(folder)
    folder.touch()


REFUSED = {
    nothing: "there is no such folder",
    a_file: "there is no such folder",
    no_classes: "needs a sub-folder of pictures for each class, two at least, and has none",
    one_class: "two at least, and has only circle",
    an_empty_class: "star has 0 pictures that can be read; a class needs 2",
    unreadable_class: "a.png is not a picture",
    many_classes: "there are 2 to 256 classes, not 305",
    a_long_name: "at most 40 characters",
}
if os.name == "posix":
    REFUSED[an_odd_name] = "a class cannot have the name"


@pytest.mark.parametrize("spoil", REFUSED, ids=lambda spoil: spoil.__name__)
def test_nonsense_is_refused_in_one_sentence(course, pictures, spoil):
    spoil(pictures)
    code, _, err = course("collect", pictures, "--out", "set")
    assert code == 1 and REFUSED[spoil] in err and len(err.splitlines()) == 1 and len(err) < 500
    assert not os.path.exists("set")


def test_nothing_of_others_is_overwritten(course, pictures, some_digits, tmp_path):
    theirs = shutil.copytree(some_digits, tmp_path / "theirs")
    before = files(theirs)
    code, _, err = course("collect", pictures, "--out", theirs)
    assert code == 1 and "name another folder" in err and files(theirs) == before
    code, _, err = course("collect", pictures, "--out", mnist.CLONE_DATA / "sample")
    assert code == 1 and "is where the course looks for MNIST" in err
    code, _, err = course("collect", pictures, "--out", pictures / "set")
    assert code == 2 and "would be taken for a class" in err
    code, _, err = course("collect", pictures, "--out", pictures / "wave" / "000.png")
    assert code == 2
    (tmp_path / "file").touch()
    code, _, err = course("collect", pictures, "--out", "file")
    assert code == 1 and len(err.splitlines()) == 1


@pytest.mark.parametrize("share", ["0", "1", "nan", "all"])
def test_a_share_is_one(course, pictures, share):
    code, _, err = course("collect", pictures, "--out", "set", "--test-share", share)
    assert code == 2 and "above 0 and below 1" in err


# Drawn in the recognizer


def collect(recognizer, count, seed=0):
    random = np.random.default_rng(seed)
    for _ in range(count):
        label = recognizer.own["wanted"]
        recognizer.strokes = symbols.strokes(symbols.NAMES[label], random, size=200, brush=20)
        recognizer.save_as(label)


def test_drawings_of_named_classes_are_collected_and_exported(course, tmp_path):
    recognizer = Recognizer(class_names=symbols.NAMES, folder=tmp_path / "mine")
    assert recognizer.names == [] and recognizer.own["class_names"] == symbols.NAMES
    collect(recognizer, 30)
    assert min(recognizer.own["counts"]) >= 5 and recognizer.own["kept"] == 6
    assert classes.read(tmp_path / "mine") == symbols.NAMES
    code, lines, err = course("collect", "mine", "--out", "set")
    assert (code, err) == (0, "")
    assert lines[0] == "set: 24 pictures to train on, 6 for the test"
    found, own = mnist.load("set"), recognizer.collection
    for images, mine in ((found.train_images, own.training), (found.test_images, own.test)):
        assert {i.tobytes() for i in images} == {i.tobytes() for i in mine[0]}
    code, _, err = course("collect", "mine", "--out", "set", "--test-share", 0.5)
    assert code == 2 and "leave --test-share out" in err


def test_a_collection_belongs_to_its_classes(tmp_path):
    blank = np.full((28, 28), 9, np.uint8)
    first = Collection(tmp_path, symbols.NAMES)
    other = Collection(tmp_path, ("yes", "no"))  # as long as there is nothing
    first.add(blank, 4)
    with pytest.raises(CollectionError, match="has drawings of circle, cross.* not of yes, no"):
        other.add(blank, 1)
    with pytest.raises(CollectionError, match="name another folder"):
        Collection(tmp_path)
    with pytest.raises(ValueError, match="0 to 4"):
        first.add(blank, 5)
    assert Collection(tmp_path, symbols.NAMES).labels.tolist() == [4]
    with pytest.raises(dataset.DataSetError, match="has no circle to train on yet"):
        first.export(tmp_path / "set")


def test_each_set_of_classes_has_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    assert Collection().folder == tmp_path / "mine"
    assert Collection(class_names=("a/b", "..", "ä")).folder == tmp_path / "mine-a-b-ä"


# From the folder to the recognizer


@pytest.mark.slow
def test_an_alphabet_of_five_from_a_folder_to_the_recognizer(course, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_MODELS_DIR", str(tmp_path / "models"))
    symbols.fill(tmp_path / "many", 40, seed=1)
    assert course("collect", "many", "--out", "set")[0] == 0
    options = ["--data", "set", "--epochs", 30, "--save", "alphabet"]
    code, lines, err = course("train", "cnn", *options, "--json")
    assert (code, err) == (0, "")
    assert json.loads(lines[-1])["test_accuracy"] >= 0.95

    new = symbols.fill(tmp_path / "new", 20, seed=2)  # drawings that nobody has seen
    read = dataset.read_folder(new)
    reader = models.load(tmp_path / "models" / "alphabet.safetensors")
    answers = reader.forward(mnist.to_float(read.images).reshape(-1, 784)).argmax(axis=1)
    assert np.mean(answers == read.labels) >= 0.95

    code, lines, err = course(
        "recognize", new / "wave" / "000.png", "--model", "models/alphabet.safetensors", "--json"
    )
    (reading,) = json.loads(lines[-1])["pictures"][0]["models"].values()
    assert (code, err) == (0, "") and reading["name"] == "wave" and "digit" not in reading
    assert ": alphabet wave (" in lines[0]

    recognizer = Recognizer({"mine": tmp_path / "models" / "alphabet.safetensors"}, folder="mine")
    assert recognizer.outputs == {"mine": [*symbols.NAMES]}
    right = 0
    for number in range(20):
        name = symbols.NAMES[number % 5]
        random = np.random.default_rng(number)
        recognizer.strokes = symbols.strokes(name, random)
        right += recognizer.result["models"]["mine"]["name"] == name
    assert right >= 19
    assert render(recognizer.strokes).any() and not recognizer.own["is_digits"]
    recognizer.save_as(2)
    assert recognizer.own["accuracy"].keys() == {"mine"}
