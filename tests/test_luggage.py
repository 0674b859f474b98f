"""course.luggage: all of a learner's work goes into a zip and comes back; nothing else does."""

import io
import json
import os
import stat
import sys
import zipfile
from base64 import b64decode, b64encode

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course import copies, luggage, places
from course.luggage import LuggageError
from course.mlp import MLP
from course.models import shelf
from course.progress import Progress
from course.recognizer.collection import Collection
from course.widgets.luggage import Luggage


def notebook(*cells):
    cells = [
        {"cell_type": "code", "source": c, "metadata": {}, "outputs": [], "execution_count": None}
        for c in cells
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def settle(folder, monkeypatch):
    """Make `folder` the clone of a learner who has done nothing yet."""
    for name in ("progress", "models", "logs", "data"):
        monkeypatch.setenv(f"COURSE_{name.upper()}_DIR", str(folder / name))
    (folder / "lessons").mkdir(parents=True)
    (folder / "pyproject.toml").touch()
    monkeypatch.setattr(places, "CLONE", folder)
    return folder


@pytest.fixture
def home(tmp_path, monkeypatch):
    return settle(tmp_path / "home", monkeypatch)


def work(folder):
    """Do something of each kind."""
    Progress("02-mlp").keep("exercises", "step", {"status": "passed"})
    Progress("03-cnn").mark("begun")
    shelf.save("first net", MLP(inputs=5, hidden=4, outputs=2))
    for name, classes in (("mine", {}), ("mine-é-x", {"class_names": ("é", "x")})):
        collection = Collection(folder / "data" / name, **classes)
        for label in (0, 1):
            collection.add(np.full((28, 28), 9 * label, np.uint8), label)
    (folder / "logs" / "mine").mkdir(parents=True)
    (folder / "logs" / "mine" / "training_loss_mlp_2.txt").write_text("1,0.5,2\n")
    (folder / "lessons" / "02-mlp.ipynb").write_bytes(copies.as_laid(notebook("a = 1")))
    changed = json.loads(copies.as_laid(notebook("a = 1")))
    changed["cells"][0]["source"] = "a = 2"
    (folder / "lessons" / "03-cnn.ipynb").write_text(json.dumps(changed))
    (folder / "lessons" / "notes.txt").write_text("none of the course")


def files_in(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


NAMES = [
    "progress/02-mlp.json",
    "progress/03-cnn.json",
    "models/first net.safetensors",
    "logs/training_loss_mlp_2.txt",
    "lessons/03-cnn.ipynb",  # 02-mlp is as it was laid
    "drawings/mine/my-halves-idx1-ubyte",
    "drawings/mine/my-images-idx3-ubyte",
    "drawings/mine/my-labels-idx1-ubyte",
    "drawings/mine-é-x/classes.txt",
    "drawings/mine-é-x/my-halves-idx1-ubyte",
    "drawings/mine-é-x/my-images-idx3-ubyte",
    "drawings/mine-é-x/my-labels-idx1-ubyte",
]
ALL = (
    "2 records of lessons, 1 saved network, 1 log of a training, 1 notebook, 2 collections of "
    "drawings"
)


def test_all_of_it_comes_back_elsewhere(home, tmp_path, monkeypatch, course):
    work(home)
    code, lines, err = course("pack", tmp_path / "work.zip")
    assert (code, lines, err) == (0, [f"{tmp_path / 'work.zip'} has {ALL}"], "")
    with zipfile.ZipFile(tmp_path / "work.zip") as archive:
        assert sorted(archive.namelist()) == sorted(NAMES)
    before = files_in(home)
    other = settle(tmp_path / "other", monkeypatch)
    code, lines, err = course("unpack", tmp_path / "work.zip")
    assert (code, err) == (0, "") and lines[0].startswith("Brought back: ")
    assert "Reload Notebook from Disk" in lines[-1]
    left = {"lessons/02-mlp.ipynb", "lessons/notes.txt", "pyproject.toml"}
    assert files_in(other) == {
        name: content for name, content in before.items() if name not in left
    } | {"pyproject.toml": b""}
    assert Progress("02-mlp").entries("exercises") == {"step": {"status": "passed"}}
    (record,) = shelf.saved()
    assert record.name == "first net" and record.problem == ""
    assert Collection(other / "data" / "mine").labels.tolist() == [0, 1]


def test_lessons_drawings_and_logs_lie_where_the_environment_says(home, tmp_path, monkeypatch):
    work(home)
    content, names = luggage.packed()
    account = tmp_path / "account"
    monkeypatch.setenv("COURSE_LESSONS_DIR", str(account / "lessons"))
    monkeypatch.setenv("COURSE_DRAWINGS_DIR", str(account / "drawings"))
    monkeypatch.setenv("COURSE_OWN_LOGS_DIR", str(account / "logs"))
    luggage.unpacked(content)
    assert {path.name for path in account.glob("*/*")} == {
        "03-cnn.ipynb",
        "mine",
        "mine-é-x",
        "training_loss_mlp_2.txt",
    }
    assert Collection().labels.tolist() == [0, 1]
    assert Collection(class_names=("é", "x")).folder == account / "drawings" / "mine-é-x"
    assert luggage.packed()[1] == names


def test_in_a_browser_it_lies_beside_the_notebook(home, tmp_path, monkeypatch):
    work(home)
    content, _ = luggage.packed()
    before = files_in(home)
    for name in ("PROGRESS", "MODELS", "LOGS", "DATA"):
        monkeypatch.delenv(f"COURSE_{name}_DIR")
    drive = tmp_path / "drive"
    drive.mkdir()
    monkeypatch.chdir(drive)
    monkeypatch.setattr(sys, "platform", "emscripten")
    luggage.unpacked(content)
    found = files_in(drive)
    assert found.pop("03-cnn.ipynb") == before["lessons/03-cnn.ipynb"]
    left = ("lessons/", "pyproject.toml")
    assert found == {n: content for n, content in before.items() if not n.startswith(left)}
    again, names = luggage.packed()
    assert sorted(names) == sorted(NAMES) and luggage.checked(again) == luggage.checked(content)


def test_what_is_there_already_stays_and_what_differs_is_kept_beside(home):
    work(home)
    content, _ = luggage.packed()
    before = files_in(home)
    assert str(luggage.unpacked(content)) == f"There already: {in_order(ALL)}."
    assert files_in(home) == before

    Progress("02-mlp").keep("exercises", "step", {"status": "wrong"})
    Collection(home / "data" / "mine").add(np.zeros((28, 28), np.uint8), 5)
    (home / "lessons" / "03-cnn.ipynb").write_text("mine, and no notebook")
    shelf.path("first net").unlink()
    mine = files_in(home)
    done = luggage.unpacked(content)
    after = files_in(home)
    assert {name: after[name] for name in before} == before
    assert len(done.kept) == 3 and "kept beside, as " in str(done)
    for path in done.kept:
        assert path.exists()
    kept = {name: c for name, c in after.items() if name not in before}
    assert sorted(kept.values()) == sorted(
        mine[name]
        for name in mine
        if mine[name] != before.get(name) or name.startswith("data/mine/")
    )
    assert [r.name for r in shelf.saved()] == ["first net"]
    assert sorted(p.stem for p in (home / "progress").glob("*.json")) == ["02-mlp", "03-cnn"]
    (notebook_kept,) = (path for path in done.kept if path.suffix == ".ipynb")
    assert notebook_kept.read_text() == "mine, and no notebook"


def in_order(words):
    """The kinds of a zip in the order of their names, as they are unpacked."""
    order = ["collection", "notebook", "log", "network", "record"]
    return ", ".join(sorted(words.split(", "), key=lambda w: [o in w for o in order].index(True)))


def test_where_nothing_was_done_there_is_nothing_to_pack(home, course, tmp_path):
    code, lines, err = course("pack", tmp_path / "work.zip")
    assert (code, lines) == (1, []) and "There is nothing to take along yet" in err
    assert not (tmp_path / "work.zip").exists()


def test_too_much_for_one_zip_is_refused(home, monkeypatch):
    work(home)
    monkeypatch.setattr(luggage, "MOST_BYTES", 1000)
    with pytest.raises(LuggageError, match="too much for one zip: remove some of the networks"):
        luggage.packed()


# Zips that somebody has made to do harm, or by mistake


def zip_of(*entries, comment=b""):
    """A zip of (name or ZipInfo, content)."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = comment
        for name, data in entries:
            archive.writestr(name, data)
    return content.getvalue()


def entry(name, mode=stat.S_IFREG | 0o644, **attributes):
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    for key, value in attributes.items():
        setattr(info, key, value)
    return info


def secret():
    """A zip whose one file is said to be encrypted."""
    content = bytearray(zip_of(("progress/a.json", b"{}")))
    content[6] |= 1
    content[content.index(luggage.ENTRY) + 8] |= 1
    return bytes(content)


def lying(size):
    """A zip that says another size of its one file than that has."""
    content = bytearray(zip_of(("progress/a.json", bytes(5000))))
    for start, offset in ((0, 22), (content.index(luggage.ENTRY), 24)):
        content[start + offset : start + offset + 4] = size.to_bytes(4, "little")
    return bytes(content)


HOSTILE = {
    "no bytes": b"",
    "text": b"my work",
    "another archive": b"\x1f\x8b\x08" + bytes(100),
    "an empty zip": zip_of(),
    "folders alone": zip_of(("progress/", b"")),
    "cut off": zip_of(("progress/a.json", b"{}" * 1000))[:-30],
    "out of the folder": zip_of(("progress/../../a.json", b"{}")),
    "absolute": zip_of(("/tmp/a.json", b"{}")),
    "a drive": zip_of(("C:/progress/a.json", b"{}")),
    "backslashes": zip_of(("progress/..\\..\\a.json", b"{}")),
    "another folder": zip_of(("course/mlp.py", b"")),
    "another ending": zip_of(("progress/a.py", b"")),
    "hidden": zip_of(("progress/.a.json", b"{}")),
    "a line end": zip_of(("progress/a.json\n", b"{}")),
    "escape sequences": zip_of(("progress/\x1b[2J.json", b"{}")),
    "a long name": zip_of(("progress/" + 200 * "a" + ".json", b"{}")),
    "digits of MNIST": zip_of(("drawings/train-images-idx3-ubyte", b"")),
    "a folder deeper": zip_of(("drawings/mine/deep/my-labels-idx1-ubyte", b"")),
    "of a good and a bad": zip_of(("progress/a.json", b"{}"), ("progress/../b.json", b"{}")),
    "a link": zip_of((entry("progress/a.json", stat.S_IFLNK | 0o777), b"/etc/passwd")),
    "a pipe": zip_of((entry("progress/a.json", stat.S_IFIFO | 0o644), b"")),
    "a secret": secret(),
    "a rare compression": zip_of((entry("progress/a.json", compress_type=zipfile.ZIP_LZMA), b"")),
    "names that differ in case": zip_of(("progress/a.json", b"1"), ("progress/A.json", b"2")),
    "a bomb": lying(luggage.MOST_BYTES + 1),
    "many files": zip_of(*((f"progress/{k}.json", b"{}") for k in range(luggage.MOST_FILES + 1))),
    "more than it says": lying(4999),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_zip_that_is_no_learner_s_work_is_refused_in_a_sentence(home, tmp_path, course, content):
    path = tmp_path / "hostile.zip"
    path.write_bytes(content)
    before = {str(p): p.stat().st_mtime_ns for p in tmp_path.rglob("*")}
    code, lines, err = course("unpack", path)
    assert (code, lines) == (1, []) and err.count("\n") == 1 and err.rstrip("\n").isprintable()
    assert {str(p): p.stat().st_mtime_ns for p in tmp_path.rglob("*")} == before


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused():
    with pytest.raises(LuggageError, match="twice"):
        luggage.checked(zip_of(("progress/a.json", b"1"), ("progress/a.json", b"2")))


def test_a_zip_larger_than_allowed_is_not_read_to_its_end(tmp_path):
    with open(tmp_path / "large.zip", "wb") as file:
        file.truncate(100 * luggage.MOST_BYTES)  # takes no room on the disk
    with pytest.raises(LuggageError, match="too much"):
        luggage.unpack(tmp_path / "large.zip")


def test_a_file_that_is_not_there_or_no_file(course, tmp_path):
    for path in (tmp_path / "none.zip", tmp_path):
        code, _, err = course("unpack", path)
        assert code == 1 and err.count("\n") == 1


@given(st.data())
def test_a_zip_that_was_damaged_is_whole_or_refused(data):
    good = zip_of(("progress/a.json", b'{"a": 1}'), ("logs/training_loss_mlp.txt", b"1,2,3\n" * 9))
    content = bytearray(good)
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(content) - 1))
        content[position] = data.draw(st.integers(0, 255))
    try:
        files = luggage.checked(bytes(content))
    except LuggageError:
        return
    assert all(luggage.is_name(name) for name in files)


@pytest.mark.skipif(os.name != "posix", reason="needs links as Unix has them")
def test_a_link_of_the_learner_s_is_moved_and_not_followed(home, tmp_path):
    outside = tmp_path / "outside.json"
    outside.write_text("mine")
    (home / "progress").mkdir()
    (home / "progress" / "a.json").symlink_to(outside)
    done = luggage.unpacked(zip_of(("progress/a.json", b"{}")))
    assert outside.read_text() == "mine" and done.kept[0].is_symlink()
    assert (home / "progress" / "a.json").read_text() == "{}"


@pytest.mark.parametrize("what", ["progress/a.json", "drawings/mine/my-labels-idx1-ubyte"])
def test_a_disk_that_is_full_leaves_what_was_there(home, monkeypatch, what):
    work(home)
    Progress("a").mark("begun")
    before = files_in(home)

    def full(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(luggage, "replacing", full)
    with pytest.raises(OSError, match="No space"):
        luggage.unpacked(zip_of((what, b"other")))
    assert files_in(home) == before


# The widget


def test_the_page_gets_the_zip_and_sends_it_back_in_pieces(home, tmp_path, monkeypatch):
    work(home)
    box, sent = Luggage(), []
    monkeypatch.setattr(box, "send", sent.append)
    box._on_message(box, {"do": "pack", "request": 1}, [])
    assert box.answered == 1 and box.words == f"my-course-work.zip has {ALL}."
    json.dumps(sent)  # text alone
    content = b64decode(sent[0]["zip"])
    assert luggage.checked(content).keys() == set(NAMES)

    other = settle(tmp_path / "other", monkeypatch)
    half = len(content) // 2
    pieces = [content[:half], content[half:]]
    for k, piece in enumerate(pieces):
        text = b64encode(piece).decode()
        message = {"do": "unpack", "piece": text, "first": k == 0, "last": k == 1, "request": k + 2}
        box._on_message(box, message, [])
    assert box.answered == 3 and box.words.startswith("Brought back: ") and not box.is_problem
    assert (other / "progress" / "02-mlp.json").exists()


def test_what_goes_wrong_is_said_in_the_box(home, monkeypatch):
    box = Luggage()
    box._on_message(box, {"do": "pack", "request": 1}, [])
    assert box.is_problem and box.words.startswith("There is nothing to take along yet")
    text = b64encode(b"no zip").decode()
    message = {"do": "unpack", "piece": text, "first": True, "last": True, "request": 2}
    box._on_message(box, message, [])
    assert box.is_problem and "no zip, or a damaged one" in box.words and box.answered == 2
    monkeypatch.setattr(luggage, "MOST_BYTES", 3)
    box._on_message(box, message | {"last": False}, [])
    assert "too much" in box.words and box._pieces == []


def test_every_folder_of_a_learner_s_is_inside_the_clone_or_the_home(home):
    for kind in luggage.KINDS.values():
        assert kind.folder().is_relative_to(home)
