"""The shelf: what is on it with its record, and what cannot be used says why."""

import json
import os

import numpy as np
import pytest

from course import models, places, xor
from course.cnn import CNN
from course.mlp import MLP
from course.models import pretrained, shelf
from course.models.shelf import ShelfError
from course.nn import checkpoint
from course.nn.checkpoint import CheckpointError
from course.nn.layers import Dense, Layer, Sequential
from course.nn.rng import SimpleRng
from course.recognizer.strokes import draw_digit
from course.recognizer.widget import Recognizer


class Halve(Layer):
    def forward(self, x):
        return x / 2


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_MODELS_DIR", str(tmp_path / "models"))
    return tmp_path / "models"


def test_what_is_saved_is_listed_with_its_record(folder):
    model = CNN(2)
    model.class_names = tuple("abcdefghij")
    path = shelf.save(
        "mine", model, test_accuracy=np.float32(0.98), epochs=3, tested_on="the sample"
    )
    assert path == folder / "mine.safetensors"
    (record,) = shelf.saved()
    assert (record.name, record.model, record.epochs) == ("mine", "cnn", 3)
    assert record.parameters == 15_770 and record.class_names == model.class_names
    assert record.test_accuracy == pytest.approx(0.98) and not record.problem
    day = record.saved[:10]
    assert str(record) == (
        "mine: cnn, 15,770 parameters, 3 epochs, 98.0% right in the test (the sample), "
        f"tells a, b, c, d, e and 5 more apart, saved {day}"
    )
    np.testing.assert_array_equal(
        shelf.load("mine").parameters["conv.w"], model.parameters["conv.w"]
    )


def test_of_a_file_that_somebody_put_there_what_it_says_is_known(folder):
    models.save(folder / "found.safetensors", MLP(hidden=3))
    (record,) = shelf.saved()
    assert str(record) == "found: mlp, 2,395 parameters"


def test_an_empty_shelf_is_none(folder):
    assert shelf.saved() == [] and not folder.exists()


def test_what_cannot_be_used_says_why_and_hides_nothing(folder):
    shelf.save("good", MLP(hidden=3))
    (folder / "text.safetensors").write_text("once upon a time")
    whole = (folder / "good.safetensors").read_bytes()
    (folder / "cut.safetensors").write_bytes(whole[:-9])
    flipped = bytearray(whole)
    flipped[-5] ^= 1
    (folder / "changed.safetensors").write_bytes(flipped)
    (folder / "folder.safetensors").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.safetensors")
    checkpoint.save(folder / "other.safetensors", MLP(hidden=3), {"model": "resnet", "config": {}})
    found = {record.name: record.problem for record in shelf.saved()}
    assert found.pop("good") == "" and all(found.values())
    assert "resnet" in found["other"] and "checksum" in found["changed"]
    assert len(found) == 4 + hasattr(os, "mkfifo")
    assert not any(problem.startswith(str(folder)) for problem in found.values())


BAD_RECORDS = {
    "no fields": [1],
    "accuracy": {"test_accuracy": 3.0},
    "accuracy text": {"test_accuracy": "98"},
    "epochs": {"epochs": -1},
    "many": {"parameters": 10**30},
    "escape": {"saved": "\x1b[2J"},
    "long": {"tested_on": "x" * 1000},
    "unknown": {"by": "me"},
}


@pytest.mark.parametrize("record", BAD_RECORDS.values(), ids=BAD_RECORDS)
def test_a_record_that_cannot_be_is_refused(tmp_path, record):
    with pytest.raises(CheckpointError, match="record|description"):
        models.save(tmp_path / "net", MLP(hidden=2), record=record)


@pytest.mark.parametrize(
    "name", ["", "..", "../a", "a/b", "a\\b", ".a", "a.", "a\n", "a" * 61, None, "con:"]
)
def test_a_name_is_one_of_a_file(name, folder):
    with pytest.raises(ShelfError, match="has a name of letters"):
        shelf.save(name, MLP(hidden=2))
    assert not folder.exists()


def test_where_the_shelf_is(monkeypatch, tmp_path):
    assert shelf.directory() == tmp_path / "models"
    monkeypatch.delenv("COURSE_MODELS_DIR")
    assert shelf.directory() == places.CLONE / "models"
    monkeypatch.setattr(places, "CLONE", tmp_path)
    assert shelf.directory() == places.USERS_OWN / "models"


@pytest.mark.usefixtures("elsewhere")
def test_train_puts_a_network_on_the_shelf(course, folder):
    code, lines, err = course("train", "mlp", "--epochs", 2, "--save", "first", "--json")
    result = json.loads(lines[-1])
    assert (code, err) == (0, "") and result["out"] == str(folder / "first.safetensors")
    (record,) = shelf.saved()
    assert record.test_accuracy == result["test_accuracy"] and record.epochs == 2
    assert record.tested_on == "other digits" and record.parameters == 407_050
    code, _, err = course("train", "mlp", "--save", "a/b")
    assert code == 1 and "has a name of letters" in err
    assert course("train", "mlp", "--save", "a", "--out", "b")[0] == 2
    assert course("evaluate", record.path, "--json")[0] == 0
    resumed = folder / "first.safetensors"
    code, _, err = course("train", "mlp", "--resume", resumed, "--save", "first")
    assert (code, err) == (0, ""), "the record is no part of the run"


# In the recognizer


THREE = draw_digit(3, np.random.default_rng(1), size=200, brush=20)


def page_asks(recognizer, action, **details):
    content = {"action": action, "request": recognizer.answered + 1, **details}
    recognizer._handle_custom_msg(content, [])


@pytest.fixture
def recognizer(tmp_path):
    return Recognizer({"cnn": pretrained.load("cnn")}, THREE, folder=tmp_path / "mine")


def test_saved_networks_are_offered_and_chosen(recognizer):
    assert recognizer.offers == []
    shelf.save("cnn", CNN(5))  # called like the given one
    shelf.save("small", MLP(hidden=3, outputs=4))
    page_asks(recognizer, "shelf")
    assert [(o["name"], o["chosen"]) for o in recognizer.offers] == [
        ("cnn", True), ("cnn (saved)", False), ("small", False),
    ]  # fmt: skip
    assert "2,371 parameters" in recognizer.offers[2]["about"]
    for name in ("small", "cnn (saved)"):
        page_asks(recognizer, "choose", model=name, chosen=True)
    assert recognizer.error == "" and recognizer.names == ["cnn", "small", "cnn (saved)"]
    assert recognizer.outputs["small"] == ["0", "1", "2", "3"]
    assert recognizer.result["models"].keys() == set(recognizer.names)
    assert recognizer.own["accuracy"].keys() == {"cnn", "cnn (saved)"}, "others have other classes"
    page_asks(recognizer, "choose", model="cnn", chosen=False)
    assert recognizer.names == ["small", "cnn (saved)"] and not recognizer.offers[0]["chosen"]
    page_asks(recognizer, "choose", model="cnn", chosen=True)
    assert recognizer.result["models"]["cnn"]["name"] == "3"


def test_networks_of_the_same_classes_may_read_as_a_committee(tmp_path):
    given = {"mlp": MLP(hidden=3), "cnn": CNN(5), "few": MLP(hidden=3, outputs=4), "gone": None}
    recognizer = Recognizer(given, THREE, folder=tmp_path / "mine")
    page_asks(recognizer, "shelf")
    offer = recognizer.offers[-1]
    assert (offer["name"], offer["chosen"]) == ("committee", False)
    page_asks(recognizer, "choose", model="committee", chosen=True)
    of_both = np.mean([recognizer.predictions[name] for name in ("mlp", "cnn")], axis=0)
    np.testing.assert_allclose(recognizer.predictions["committee"], of_both, atol=1e-6)
    recognizer.save_as(3)
    page_asks(recognizer, "fine-tune", model="committee")
    assert "no weights of its own" in recognizer.error
    alone = Recognizer({"cnn": CNN(5)}, folder=tmp_path / "mine")
    page_asks(alone, "shelf")
    assert [offer["name"] for offer in alone.offers] == ["cnn"]


def test_a_choice_that_cannot_be_is_answered(recognizer):
    for name in ("none", None, ["cnn"], "../cnn"):
        page_asks(recognizer, "choose", model=name, chosen=True)
        assert "There is no choice" in recognizer.error and recognizer.names == ["cnn"]


def test_networks_that_cannot_read_pictures_say_so(recognizer, folder):
    shelf.save("xor", xor.XOR())
    own = Sequential(a=Dense(784, 10, SimpleRng(1)), b=Halve())
    shelf.save("own", own)
    (folder / "text.safetensors").write_text("once upon a time")
    for name in ("xor", "own", "text"):
        page_asks(recognizer, "choose", model=name, chosen=True)
    errors = {name: r.get("error", "") for name, r in recognizer.result["models"].items()}
    assert errors["xor"] == "It is not made for pictures of 28x28 pixels."
    assert "Halve" in errors["own"] and "no readable checkpoint" in errors["text"]
    assert errors["cnn"] == ""
    trusting = Recognizer({}, THREE, folder=folder, allow=[Halve])
    trusting.choose("own")
    assert "error" not in trusting.result["models"]["own"]


def test_only_digits_are_fine_tuned(recognizer, tmp_path):
    model = MLP(hidden=3, outputs=2)
    model.class_names = ("yes", "no")
    other = Recognizer({"m": model}, THREE, folder=tmp_path / "yes")
    other.save_as(1)
    page_asks(other, "fine-tune", model="m")
    assert "for digits alone" in other.error and "export" in other.error
