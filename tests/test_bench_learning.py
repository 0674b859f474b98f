"""Accuracy against the number of digits: measured, kept, and what lesson 07 says of it."""

import json

import numpy as np
import pytest

from course.benchmark import learning, report
from course.records import logs_folder


@pytest.fixture(scope="module")
def kept():
    return report.read(logs_folder() / "data.json", needed={"model", "digits", "accuracy"})


def test_every_size_is_measured_with_every_seed():
    said = []
    found = learning.measure(["cnn"], sizes=(32, 64), seeds=2, seen=64, report=said.append)
    assert [(row["model"], row["digits"]) for row in found] == [("cnn", [32, 64])]
    accuracy = np.array(found[0]["accuracy"])
    assert accuracy.shape == (2, 2) and len(np.unique(accuracy)) > 1
    assert said == ["cnn: 32 digits", "cnn: 64 digits"]
    again = learning.measure(["cnn"], sizes=(32, 64), seeds=2, seen=64, report=said.append)
    assert again == found


def test_the_command_writes_and_prints_them(course, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ["--models", "cnn", "--seeds", "1", "--seen", "1", "--out", "new/data.json", "--json"]
    code, lines, _ = course("bench", "data", *options)
    results = json.loads(lines[-1])
    assert code == 0 and np.shape(results[0]["accuracy"]) == (6, 1)
    assert json.load(open("new/data.json"))["results"] == results
    assert set(learning.table(results).splitlines()) <= set(lines)


def test_the_table_has_means_and_deviations():
    result = {"model": "mlp", "digits": [100, 4000], "accuracy": [[0.5, 0.75], [0.9, 0.9]]}
    assert [line.split() for line in learning.table([result]).splitlines()] == [
        ["mlp", "100", "digits", "62.5%", "±", "17.7%"],
        ["mlp", "4,000", "digits", "90.0%", "±", "0.0%"],
    ]


def test_what_is_kept_is_what_the_lesson_says(kept):
    assert kept["command"].startswith("python -m course bench data ")
    means = {row["model"]: np.mean(row["accuracy"], axis=1) for row in kept["results"]}
    assert tuple(means) == learning.READERS
    assert all(tuple(row["digits"]) == learning.SIZES for row in kept["results"])
    assert (means["attention"] < means["mlp"]).all() and (means["mlp"] < means["cnn"]).all()
    assert means["attention"][0] < 0.5  # it needs more digits
