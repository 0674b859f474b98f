"""Figures of the benchmark in a file, and as a table: what lesson 07 shows.

`python -m course bench all --out FILE` writes it: a JSON object with the command, the machine and
the versions that made it, and under "results" what `benchmark.compare` found for each model.
"""

import json
from pathlib import Path

from course.benchmark import PEERS, SLOWDOWN
from course.nn.errors import CourseError
from course.nn.files import replacing
from course.records import logs_folder

# Title of a column: (figure, form). Those that no row has are left out.
COLUMNS = {
    "epochs": ("epochs", "{:,}"),
    "seconds": ("seconds", "{:.3g}"),
    **{title: (f"ratio_vs_{peer}", "{:.2f}x") for peer, title in PEERS.items()},
    "on BLAS": ("fraction_of_gemm_peak", "{:.0%}"),
    "1 busy": (SLOWDOWN["one"], "{:.2f}x"),
    "4 busy": (SLOWDOWN["four"], "{:.2f}x"),
}
NEEDED = {"model", "optimizer", "seconds"}


class ReportError(CourseError, ValueError):
    """A file that holds no figures of the benchmark; the message names it."""


def reference_path() -> Path:
    """Where the figures lie that come with the course, beside its reference logs."""
    return logs_folder() / "bench.json"


def own_path() -> Path:
    """Where the lesson looks for the learner's own."""
    return logs_folder() / "mine" / "bench.json"


def save(path, results, provenance):
    """Write the results of `compare` or `cost.measure`, under lines of `records.provenance`."""
    details = dict(line.split(": ", 1) for line in provenance)
    with replacing(path) as file:
        file.write(json.dumps(details | {"results": results}, indent=1).encode() + b"\n")


def read(path) -> dict:
    """Read what `save` wrote of `compare`. Raises `ReportError`; `OSError` if it is unreadable."""
    try:
        content = json.loads(Path(path).read_bytes())
        results = content["results"]
        if results and all(NEEDED <= result.keys() for result in results):
            return content
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    raise ReportError(f"{path}: no figures of `python -m course bench all --out`")


def table(results) -> str:
    """The results as text, a line for each model, "-" for what was not measured.

    Seconds are those of the epochs beside them. Under a framework's name stands how many times as
    long it takes; under "1 busy" and "4 busy" how many times as long the course takes while so many
    other processes want a core; under "on BLAS" the share that the matrix products take by
    themselves. More than all of it means that loops of our own beat BLAS, and is shown as 100 %.
    """

    def text(result, figure, form):
        value = _shown(result, figure)
        return "-" if value is None else form.format(value)

    shown = {
        title: figure
        for title, figure in COLUMNS.items()
        if any(result.get(figure[0]) is not None for result in results)
    }
    widths = [11, 9, *(max(9, len(title)) + 2 for title in shown)]
    rows = [("model", "optimizer", *shown)]
    for result in results:
        figures = (text(result, *figure) for figure in shown.values())
        rows.append((result["model"], result["optimizer"], *figures))
    return "\n".join(
        "".join(
            f"{cell:<{width}}" if column < 2 else f"{cell:>{width}}"
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def sentences(result):
    """Yield one result in words, a sentence for each thing that was measured."""
    epochs = "One epoch" if result["epochs"] == 1 else f"{result['epochs']:,} epochs"
    what = f"{epochs} of {result['samples']:,} {'cases' if result['model'] == 'xor' else 'digits'}"
    forms = {
        "seconds": what + ": {:.3f} s (median)",
        "fraction_of_gemm_peak": "Matrix products alone, on BLAS: {:.0%} of that",
        SLOWDOWN["one"]: "With one core taken by another program: {:.2f} times as long",
        SLOWDOWN["four"]: "Beside four other programs: {:.2f} times as long",
        **{
            f"ratio_vs_{peer}": name + " takes {:.2f} times as long" for peer, name in PEERS.items()
        },
        "peak_memory_mb": "Peak memory {:.0f} MB, digits included",
    }
    for figure, form in forms.items():
        value = _shown(result, figure)
        if value is not None:
            yield form.format(value)


def _shown(result, figure):
    value = result.get(figure)
    return min(value, 1) if value and figure == "fraction_of_gemm_peak" else value
