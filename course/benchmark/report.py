"""Figures of the benchmark in a file, and as a table: what lesson 07 shows.

`python -m course bench all --out FILE` writes it: a JSON object with the command, the machine and
the versions that made it, and under "results" what `benchmark.compare` found for each model.
"""

import json
from pathlib import Path

from course.nn.errors import CourseError
from course.nn.files import replacing
from course.records import logs_folder

COLUMNS = ("model", "optimizer", "seconds", "PyTorch", "ratio", "on BLAS", "busy core", "memory")
FIGURES = {"seconds", "torch_seconds", "ratio_vs_torch", "fraction_of_gemm_peak"}


class ReportError(CourseError, ValueError):
    """A file that holds no figures of the benchmark; the message names it."""


def reference_path() -> Path:
    """Where the figures lie that come with the course, beside its reference logs."""
    return logs_folder() / "bench.json"


def own_path() -> Path:
    """Where the lesson looks for the learner's own."""
    return logs_folder() / "mine" / "bench.json"


def save(path, results, provenance):
    """Write the results of `benchmark.compare`, under lines that `records.provenance` made."""
    details = dict(line.split(": ", 1) for line in provenance)
    with replacing(path) as file:
        file.write(json.dumps(details | {"results": results}, indent=1).encode() + b"\n")


def read(path) -> dict:
    """Read what `save` wrote. Raises `ReportError`, and `OSError` where nothing can be read."""
    try:
        content = json.loads(Path(path).read_bytes())
        rows = [(result["model"], result["optimizer"]) for result in content["results"]]
        if all(FIGURES <= result.keys() for result in content["results"]) and rows:
            return content
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    raise ReportError(f"{path}: no figures of `python -m course bench all --out`")


def table(results) -> str:
    """The results as text, a line for each model, "-" for what was not measured.

    Seconds are those of one epoch, here and in PyTorch; "ratio" is the second by the first; "on
    BLAS" the share that the matrix products take by themselves; "busy core" how many times as long
    it takes beside another program.
    """

    def row(result):
        def text(name, form):
            value = result.get(name)
            return "-" if value is None else form.format(value)

        return (
            result["model"],
            result["optimizer"],
            text("seconds", "{:.3g}"),
            text("torch_seconds", "{:.3g}"),
            text("ratio_vs_torch", "{:.2f}"),
            text("fraction_of_gemm_peak", "{:.0%}"),
            text("slowdown_when_busy", "{:.2f}"),
            text("peak_memory_mb", "{:.0f} MB"),
        )

    lines = [COLUMNS, *map(row, results)]
    return "\n".join(
        "".join(f"{cell:<11}" if i < 2 else f"{cell:>10}" for i, cell in enumerate(line))
        for line in lines
    )
