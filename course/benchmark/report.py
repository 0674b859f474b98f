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

# Title of a row: (figure, form). Those that no model has are left out.
ROWS = {
    "epochs": ("epochs", "{:,}"),
    "seconds for them": ("seconds", "{:.3g}"),
    **{f"{title} takes": (f"ratio_vs_{peer}", "{:.2f}x") for peer, title in PEERS.items()},
    "matrix products alone": ("fraction_of_gemm_peak", "{:.0%}"),
    "beside 1 busy program": (SLOWDOWN["one"], "{:.2f}x"),
    "beside 4 of them": (SLOWDOWN["four"], "{:.2f}x"),
}
NEEDED = {"model", "optimizer", "seconds"}


class ReportError(CourseError, ValueError):
    """A file that holds no figures of the benchmark; the message names it."""


def reference_path() -> Path:
    """Where the figures lie that come with the course, beside its reference logs."""
    return logs_folder() / "bench.json"


def save(path, results, provenance):
    """Write the results of `compare` or `cost.measure`, under lines of `records.provenance`."""
    details = dict(line.split(": ", 1) for line in provenance)
    with replacing(path) as file:
        file.write(json.dumps(details | {"results": results}, indent=1).encode() + b"\n")


def read(path, needed=NEEDED) -> dict:
    """Read what `save` wrote; each of the results has what is `needed`, by default `compare`'s.

    Raises `ReportError`; `OSError` if it is unreadable.
    """
    try:
        content = json.loads(Path(path).read_bytes())
        results = content["results"]
        if results and all(needed <= result.keys() for result in results):
            return content
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    raise ReportError(f"{path}: no figures of `python -m course bench`, with {sorted(needed)}")


def table(results) -> str:
    """The results as text, a column for each model, "-" for what was not measured.

    A framework "takes" so many times as long; so does the course itself beside one other process
    that wants a core, or four. Matrix products alone are the share that BLAS would need for them.
    More than all of it means that loops of our own beat BLAS, and is shown as 100 %.
    """

    def text(result, figure, form):
        value = _shown(result, figure)
        return "-" if value is None else form.format(value)

    rows = [[title, *(result[title] for result in results)] for title in ("model", "optimizer")]
    for title, (figure, form) in ROWS.items():
        if any(result.get(figure) is not None for result in results):
            rows.append([title, *(text(result, figure, form) for result in results)])
    return "\n".join(f"{row[0]:24}" + "".join(f"{cell:>11}" for cell in row[1:]) for row in rows)


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
