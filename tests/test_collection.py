"""The learner's own digits: several windows, kills, and files that are damaged."""

import os
import subprocess
import sys

import numpy as np
import pytest

from course import idx
from course.recognizer.collection import HALVES, IMAGES, LABELS, Collection, CollectionError
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


def kept(folder):
    """The places of the digits that are kept for the test, from 1."""
    return (np.flatnonzero(Collection(folder).is_test) + 1).tolist()


def test_every_fifth_digit_is_kept_for_the_test_and_stays_there(tmp_path):
    for i in range(10):
        Collection(tmp_path).add(digit(i), i)
    collection = Collection(tmp_path)
    assert kept(tmp_path) == [5, 10]
    assert collection.test[1].tolist() == [4, 9] and collection.test[0][:, 0, 0].tolist() == [4, 9]
    assert collection.training[1].tolist() == [0, 1, 2, 3, 5, 6, 7, 8]
    for again in range(2):  # whatever is taken back and saved anew, a half is no matter of choice
        collection.remove_last()
        assert kept(tmp_path) == [5]
        collection.add(digit(again), again)
        assert kept(tmp_path) == [5, 10]


def test_digits_from_before_there_were_halves_may_have_been_trained_on(tmp_path):
    collection = Collection(tmp_path)
    idx.write(collection.paths[0], np.stack([digit(i) for i in range(12)]))
    idx.write(collection.paths[1], np.arange(12, dtype=np.uint8) % 10)
    assert kept(tmp_path) == []
    for i in range(12, 20):
        Collection(tmp_path).add(digit(i), i % 10)
    assert kept(tmp_path) == [13, 14, 15, 20]  # until they are a fifth
    assert fits(Collection(tmp_path)).all()


@pytest.mark.parametrize("content", [b"", b"garbage", [0, 2, 0], [[0, 0, 1]]])
def test_damaged_halves_cost_no_digit_and_count_as_trained_on(tmp_path, content):
    collection = Collection(tmp_path)
    for i in range(6):
        collection.add(digit(i), i)
    halves = tmp_path / HALVES
    if isinstance(content, bytes):
        halves.write_bytes(content)
    else:
        idx.write(halves, np.array(content, np.uint8))
    damaged = Collection(tmp_path)
    assert "all 6 count as training digits" in damaged.problem and not damaged.is_test.any()
    assert (tmp_path / f"{HALVES}.damaged-1").is_file()
    damaged.add(digit(6), 6)
    assert kept(tmp_path) == [7] and len(Collection(tmp_path)) == 7 and damaged.problem == ""


def test_the_digits_that_are_wanted_fill_both_halves_evenly_and_in_no_order(tmp_path):
    collection, wanted = Collection(tmp_path), []
    for _ in range(50):
        wanted.append(collection.wanted)
        collection.add(digit(0), wanted[-1])
    for half, each in ((collection.training, 4), (collection.test, 1)):
        assert np.bincount(half[1]).tolist() == [each] * 10
    steps = np.diff(wanted) % 10
    assert np.bincount(steps).max() < 15 and (steps[:9] != 1).any()


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
    assert sorted(os.listdir(tmp_path)) == [".lock", HALVES, IMAGES, LABELS]  # nothing else is left


@pytest.mark.parametrize("fails", [2, 3])  # which of the three files
@pytest.mark.parametrize("before", [0, 3, 4])
@pytest.mark.parametrize("change", ["add", "remove_last"])
@pytest.mark.parametrize("then", ["add", "remove_last", None])
def test_what_is_cut_off_between_the_files_is_left_out_and_said(
    tmp_path, monkeypatch, fails, before, change, then
):
    def do(collection, what):
        collection.add(digit(8), 8) if what == "add" else collection.remove_last()

    collection, write, written = Collection(tmp_path), idx.write, []
    for i in range(before):
        collection.add(digit(i), i)

    def fails_the_nth_time(path, array):
        written.append(path)
        if len(written) == fails:
            raise OSError(28, "No space left on device")
        write(path, array)

    for what in (change, then):
        written.clear()
        with monkeypatch.context() as patch, pytest.raises(OSError):
            patch.setattr(idx, "write", fails_the_nth_time)
            do(Collection(tmp_path), what or change)
    again = Collection(tmp_path)
    assert fits(again).all() and len(again) <= before
    do(again, "add")
    images, labels = idx.read_pair(*again.paths)
    assert np.array_equal(images[:, 0, 0] % 10, labels) and labels[-1] == 8
    assert Collection(tmp_path).problem == "" and len(idx.read(tmp_path / HALVES)) == len(images)


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
