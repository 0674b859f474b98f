"""The learner's own digits: several windows, kills, and files that are damaged."""

import os
import subprocess
import sys

import numpy as np
import pytest

from course import idx
from course.recognizer.collection import IMAGES, LABELS, Collection, CollectionError
from course.recognizer.widget import Recognizer

# Digit number i of a writer is a picture full of i, so that a wrong label would show.
WRITE = """
import os, random, signal, sys, time
import numpy as np
from course.recognizer.collection import Collection

def save(count, take_back=False):
    collection = Collection(sys.argv[1])
    for i in range(count):
        collection.add(np.full((28, 28), i, np.uint8), i % 10)
        if take_back and i % 3:
            collection.remove_last()
"""
KILL = """
for _ in range(40):
    writer = os.fork()
    if not writer:
        save(250, take_back=True)
    time.sleep(random.uniform(0, 0.05))
    os.kill(writer, signal.SIGKILL)
    os.waitpid(writer, 0)
    collection = Collection(sys.argv[1])
    assert (collection.images[:, 0, 0] % 10 == collection.labels).all()
    print(collection.problem)
"""


def digit(value):
    return np.full((28, 28), value, np.uint8)


def start(code, folder):
    command = [sys.executable, "-c", WRITE + code, folder]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def fits(collection):
    return collection.images[:, 0, 0] % 10 == collection.labels


def test_two_windows_lose_no_digit(tmp_path):
    for window in [start("save(30)", tmp_path) for _ in range(2)]:
        window.communicate()
    collection = Collection(tmp_path)
    assert collection.counts == [6] * 10 and fits(collection).all()


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="there is no kill -9")
def test_a_kill_at_any_moment_leaves_whole_digits(tmp_path):
    killing = start(KILL, tmp_path)
    problems, _ = killing.communicate()
    assert killing.returncode == 0 and "damaged" not in problems
    Collection(tmp_path).add(digit(7), 7)
    assert sorted(os.listdir(tmp_path)) == [".lock", IMAGES, LABELS]  # nothing else is left


@pytest.mark.parametrize("before", [0, 3])
@pytest.mark.parametrize("change", ["add", "remove_last"])
@pytest.mark.parametrize("then", ["add", "remove_last", None])
def test_what_is_cut_off_between_the_files_is_left_out_and_said(
    tmp_path, monkeypatch, before, change, then
):
    def do(collection, what):
        collection.add(digit(8), 8) if what == "add" else collection.remove_last()

    collection, write, written = Collection(tmp_path), idx.write, []
    for i in range(before):
        collection.add(digit(i), i)

    def fails_the_second_time(path, array):
        written.append(path)
        if len(written) % 2 == 0:
            raise OSError(28, "No space left on device")
        write(path, array)

    for what in (change, then):
        written.clear()
        with monkeypatch.context() as patch, pytest.raises(OSError):
            patch.setattr(idx, "write", fails_the_second_time)
            do(Collection(tmp_path), what or change)
    again = Collection(tmp_path)
    assert fits(again).all() and len(again) <= before
    do(again, "add")
    images, labels = idx.read_pair(*again.paths)
    assert np.array_equal(images[:, 0, 0] % 10, labels) and labels[-1] == 8
    assert Collection(tmp_path).problem == ""


DAMAGES = {
    "images cut off": lambda images, labels: images.write_bytes(images.read_bytes()[:-5]),
    "images empty": lambda images, labels: images.write_bytes(b""),
    "labels of nothing": lambda images, labels: labels.write_bytes(b"garbage"),
    "labels gone": lambda images, labels: labels.unlink(),
    "labels missing": lambda images, labels: idx.write(labels, np.zeros(1, np.uint8)),
    "labels that are none": lambda images, labels: idx.write(labels, np.full(3, 10, np.uint8)),
    "images of another size": lambda images, labels: idx.write(
        images, np.zeros((3, 9, 9), np.uint8)
    ),
    "images of floats": lambda images, labels: idx.write(images, np.zeros((3, 28, 28))),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_collection_is_set_aside_and_the_lesson_starts(tmp_path, damage):
    open_window = Collection(tmp_path)
    for _ in range(2):  # the second must not take the place of the first
        while len(window := Collection(tmp_path)) < 3:
            window.add(digit(len(window)), len(window))
        DAMAGES[damage](*window.paths)
        there = {path.read_bytes() for path in window.paths if path.exists()}
        recognizer = Recognizer({}, folder=tmp_path)
        assert recognizer.own["counts"] == [0] * 10
        assert "are damaged" in recognizer.own["problem"]
        assert "set aside as my-" in recognizer.own["problem"]
        assert there <= {path.read_bytes() for path in tmp_path.iterdir()}
    open_window.add(digit(5), 5)
    assert Collection(tmp_path).problem == "" and len(open_window) == 1


def test_a_window_keeps_what_it_has_seen_of_a_collection_that_is_damaged(tmp_path):
    window = Collection(tmp_path)
    window.add(digit(3), 3)
    window.paths[0].write_bytes(b"garbage")
    window.add(digit(4), 4)
    assert "set aside" in window.problem
    assert Collection(tmp_path).labels.tolist() == [3, 4]


def test_no_digit_is_removed_that_the_window_has_not_seen(tmp_path):
    mine, other = Collection(tmp_path), Collection(tmp_path)
    mine.add(digit(1), 1)
    other.add(digit(2), 2)
    with pytest.raises(CollectionError, match=r"there is now \(2 digits\), and press again"):
        mine.remove_last()
    assert Collection(tmp_path).labels.tolist() == mine.labels.tolist() == [1, 2]
    mine.remove_last()
    assert Collection(tmp_path).labels.tolist() == [1]


def test_a_window_that_does_not_let_go_is_not_waited_for_forever(tmp_path, monkeypatch):
    monkeypatch.setattr("course.recognizer.collection.PATIENCE", 0.01)
    collection = Collection(tmp_path)
    with Collection(tmp_path)._locked(), pytest.raises(CollectionError, match="try again"):
        collection.add(digit(1), 1)
