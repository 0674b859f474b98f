"""`bench all --out`, and what lesson 07 reads of it."""

import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import time
from pathlib import Path

import psutil
import pytest

from course import benchmark, models
from course.benchmark import report
from course.commands.cli import main


def result(model, **changes):
    return {
        "model": model,
        "optimizer": "sgd",
        "epochs": 1,
        "samples": 54_000,
        "rounds": 7,
        "seconds": 0.81,
        "torch_seconds": 1.377,
        "ratio_vs_torch": 1.7,
        "compile_seconds": None,
        "ratio_vs_compile": None,
        "jax_seconds": 0.729,
        "ratio_vs_jax": 0.9,
        "fraction_of_gemm_peak": 0.805,
        "slowdown_when_busy": 1.5,
        "slowdown_when_crowded": 2.25,
        "peak_memory_mb": 350.4,
    } | changes


NOTHING = {name: None for name in result("") if name[:5] in ("torch", "ratio", "jax_s", "fract")}
RESULTS = [
    result("mlp"),
    result("xor", **NOTHING, peak_memory_mb=None, epochs=1_000_000, samples=4, seconds=0.00012),
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
    lines = report.table(RESULTS).splitlines()
    titles, mlp, xor = zip(*(re.split(r" {2,}", line) for line in lines), strict=True)
    assert "PyTorch takes" in titles and "JAX takes" in titles
    assert "torch.compile takes" not in titles  # no model has it
    assert mlp == ("mlp", "sgd", "1", "0.81", "1.70x", "0.90x", "80%", "1.50x", "2.25x")
    assert xor == ("xor", "sgd", "1,000,000", "0.00012", *"---", "1.50x", "2.25x")
    assert len(set(map(len, lines))) == 1


def test_the_table_of_all_models_fits_into_a_narrow_window():
    lines = report.table(report.read(report.reference_path())["results"]).splitlines()
    assert max(map(len, lines)) <= 70


def test_no_more_than_all_of_the_time_is_spent_on_blas():
    cnn = result("cnn", fraction_of_gemm_peak=1.31)
    assert "100%" in report.table([cnn]).split()
    assert "Matrix products alone, on BLAS: 100% of that" in report.sentences(cnn)


def test_a_result_in_words_has_what_was_measured():
    mlp, xor = (list(report.sentences(row)) for row in RESULTS)
    assert mlp[0] == "One epoch of 54,000 digits: 0.810 s (median)" and len(mlp) == 7
    assert "JAX takes 0.90 times as long" in mlp
    assert xor[0] == "1,000,000 epochs of 4 cases: 0.000 s (median)" and len(xor) == 3


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


def test_the_place_is_that_of_the_logs(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_LOGS_DIR", str(tmp_path))
    assert report.reference_path() == tmp_path / "bench.json"


@pytest.fixture
def measured(monkeypatch):
    """Stand in for the measuring, with no framework but PyTorch; returns what was asked for."""
    asked = []

    def compare(model, optimizer, *options, report):
        asked.append((model, optimizer, *options))
        return result(model, optimizer=optimizer)

    monkeypatch.setattr(benchmark, "compare", compare)
    absent = {"jax": "jax is not installed", "compile": "there is no g++"}
    monkeypatch.setattr(benchmark, "why_not", lambda peer: absent.get(peer, ""))
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.2.3")
    return asked


def test_bench_all_measures_every_model(measured, tmp_path, capsys):
    out = tmp_path / "mine" / "bench.json"
    options = ["--optimizer", "adam", "--rounds", "3", "--samples", "100", "--busy", "four"]
    against = ["--against", "torch,compile,jax"]
    assert main(["bench", "all", *options, *against, "--json", "--out", str(out)]) == 0
    assert measured == [
        (model, "sgd" if model == "xor" else "adam", 3, 100, ["torch"], ["four"])
        for model in models.MODELS
    ]
    lines = capsys.readouterr().out.splitlines()
    content = report.read(out)
    assert json.loads(lines[-1]) == content["results"]
    assert [row["model"] for row in content["results"]] == list(models.MODELS)
    assert content["command"].startswith("python -m course") and "cores" in content["machine"]
    assert content["peers"] == "torch 1.2.3"
    assert f"Figures: {out}" in lines
    assert "Without JAX: jax is not installed" in lines
    assert "Without torch.compile: there is no g++" in lines
    assert set(report.table(content["results"]).splitlines()) <= set(lines)


def test_bench_of_one_model_prints_one_object(measured, capsys):
    assert main(["bench", "cnn", "--json", "--against", "none", "--busy", "none"]) == 0
    assert measured == [("cnn", "sgd", 7, benchmark.SAMPLES, [], [])]
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == result("cnn")


def test_it_measures_nothing_that_it_cannot_write(measured, tmp_path, capsys):
    (tmp_path / "file").touch()
    for out in (tmp_path, tmp_path / "file" / "bench.json"):
        assert main(["bench", "all", "--out", str(out)]) == 1
        out, err = capsys.readouterr()
        assert out == "" and err.startswith("python -m course bench: cannot write ")
    assert measured == []


@pytest.mark.parametrize(
    ("peer", "installed", "compiler", "reason"),
    [
        ("torch", True, False, ""),
        ("torch", False, True, "torch is not installed"),
        ("compile", True, True, ""),
        ("compile", True, False, "it needs a C++ compiler, and there is no "),
        ("jax", False, True, "jax is not installed"),
    ],
)
def test_why_a_framework_is_left_out(monkeypatch, peer, installed, compiler, reason):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: installed or None)
    monkeypatch.setattr(shutil, "which", lambda name: name if compiler else None)
    answer = benchmark.why_not(peer)
    assert answer.startswith(reason) and bool(answer) == bool(reason)


def test_busy_processes_compute_apart_from_us_until_the_block_ends():
    me = psutil.Process()
    with benchmark.busy_processes(2):
        children = [child for child in me.children() if "getppid" in "".join(child.cmdline())]
        assert len(children) == 2
        if os.name == "posix":
            assert len({os.getsid(pid) for pid in (0, *(child.pid for child in children))}) == 3
        before = [sum(child.cpu_times()[:2]) for child in children]
        deadline = time.monotonic() + 60
        while any(
            sum(child.cpu_times()[:2]) <= was for child, was in zip(children, before, strict=True)
        ):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert not any(child.is_running() for child in children)


def test_the_readme_tells_what_was_measured():
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    for result in report.read(report.reference_path())["results"]:
        (row,) = (line for line in text.splitlines() if line.startswith(f"| {result['model']} |"))
        told = [float(number) for number in re.findall(r"(?<= )\d+\.\d+", row)]
        names = ["ratio_vs_torch", "ratio_vs_compile", "ratio_vs_jax", "slowdown_when_crowded"]
        measured = [result[name] for name in names if result[name]]
        assert told == [round(result["seconds"], 2), *(round(ratio, 1) for ratio in measured)]
    assert f"{result_of('mlp')['fraction_of_gemm_peak']:.0%}".replace("%", " %") in text


def result_of(model):
    results = report.read(report.reference_path())["results"]
    return next(result for result in results if result["model"] == model)
