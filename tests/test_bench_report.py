"""`bench all --out`, and what lesson 07 reads of it."""

import json

import pytest

from course import benchmark, models
from course.benchmark import report
from course.commands.cli import main


def result(model, **changes):
    return {
        "model": model,
        "optimizer": "sgd",
        "samples": 54_000,
        "rounds": 7,
        "seconds": 0.81,
        "torch_seconds": 1.377,
        "ratio_vs_torch": 1.7,
        "fraction_of_gemm_peak": 0.805,
        "slowdown_when_busy": 1.5,
        "peak_memory_mb": 350.4,
    } | changes


RESULTS = [
    result("mlp"),
    result("xor", torch_seconds=None, ratio_vs_torch=None, peak_memory_mb=None, seconds=0.00012),
]


def test_what_is_saved_is_read(tmp_path):
    path = tmp_path / "new" / "bench.json"
    report.save(path, RESULTS, ["command: python -m course bench all", "machine: a: b, 2 cores"])
    assert report.read(path) == {
        "command": "python -m course bench all",
        "machine": "a: b, 2 cores",
        "results": RESULTS,
    }


def test_the_table_has_every_figure_and_a_dash_for_what_was_not_measured():
    header, mlp, xor = report.table(RESULTS).splitlines()
    assert mlp.split() == ["mlp", "sgd", "0.81", "1.38", "1.70", "80%", "1.50", "350", "MB"]
    assert xor.split() == ["xor", "sgd", "0.00012", "-", "-", "80%", "1.50", "-"]
    assert len(header) == len(mlp) == len(xor)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"3",
        b"{}",
        b'{"results": []}',
        b'{"results": [3]}',
        b'{"results": [{"model": "mlp"}]}',
        b'{"results": [{"model": "mlp", "optimizer": "sgd"}]}',
    ],
)
def test_another_file_is_refused_by_name(tmp_path, content):
    path = tmp_path / "bench.json"
    path.write_bytes(content)
    with pytest.raises(report.ReportError, match="bench.json: no figures"):
        report.read(path)


def test_the_places_are_those_of_the_logs(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_LOGS_DIR", str(tmp_path))
    assert report.reference_path() == tmp_path / "bench.json"
    assert report.own_path() == tmp_path / "mine" / "bench.json"


@pytest.fixture
def measured(monkeypatch):
    """Stand in for the measuring; returns what was asked for."""
    asked = []

    def compare(model, optimizer, rounds, samples):
        asked.append((model, optimizer, rounds, samples))
        return result(model, optimizer=optimizer)

    monkeypatch.setattr(benchmark, "compare", compare)
    return asked


def test_bench_all_measures_every_model(measured, tmp_path, capsys):
    out = tmp_path / "mine" / "bench.json"
    options = ["--optimizer", "adam", "--rounds", "3", "--samples", "100", "--json"]
    assert main(["bench", "all", *options, "--out", str(out)]) == 0
    assert measured == [(model, "adam", 3, 100) for model in models.MODELS]
    lines = capsys.readouterr().out.splitlines()
    content = report.read(out)
    assert json.loads(lines[-1]) == content["results"]
    assert [row["model"] for row in content["results"]] == list(models.MODELS)
    assert content["command"].startswith("python -m course") and "cores" in content["machine"]
    assert f"Figures: {out}" in lines


def test_bench_of_one_model_prints_one_object(measured, capsys):
    assert main(["bench", "cnn", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == result("cnn")


def test_it_measures_nothing_that_it_cannot_write(measured, tmp_path, capsys):
    (tmp_path / "file").touch()
    for out in (tmp_path, tmp_path / "file" / "bench.json"):
        assert main(["bench", "all", "--out", str(out)]) == 1
        out, err = capsys.readouterr()
        assert out == "" and err.startswith("python -m course bench: cannot write ")
    assert measured == []
