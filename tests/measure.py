"""How long a lesson is, and how often there is something to do in it: for its authors.

    python tests/measure.py [NOTEBOOK ...]

prints a row for each lesson. `MINUTES` is the rule for the time that it takes:

- Prose: 200 words a minute, which is how fast adults read what they want to learn (R. P. Carver,
  Reading rate: theory, research, and practical implications, Journal of Reading 36, 1992). What is
  folded away (`<details>`) does not count, and neither do open exercises: they are for afterwards.
- A cell of code: 25 seconds to run it and look at what comes, and 3 for each line to read.
- A prediction 20 seconds, also where a text asks for it; an exercise 4 minutes, with the cell that
  checks it; a repair, of a function that is there and in which one thing is to be changed, and a
  widget to play with, one and a half.

Only the first has a source. The others were chosen after walks through two lessons of 2,500 words,
40 cells and 270 lines each. They took about 70 minutes: 62 by this rule, and four for each of their
two or three open exercises.
"""

import ast
import itertools
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MINUTES = {  # that one of each takes
    "words": 1 / 200,
    "code_cells": 25 / 60,
    "lines": 3 / 60,
    "predictions": 20 / 60,
    "prompts": 20 / 60,
    "exercises": 4,
    "repairs": 1.5,
    "widgets": 1.5,
}
# Whatever is called out of these is a widget, but for what is no play, or counts by itself.
WIDGETS = ("course.widgets.", "course.recognizer.widget.", "ipywidgets.interact")
NOT_TO_PLAY = ("DownloadButton", "KernelWatch", "Predictions")
DIAGRAMS = ("course.diagrams",)
PANEL = re.compile(r"\n?.*\bProgressPanel\b.*")  # looks back on the lesson, and is no part of it


@dataclass(frozen=True)
class Measures:
    """What there is in one lesson.

    `longest_wait` is the largest number of cells, of text or code, with nothing to do in between:
    no prediction, exercise, repair or widget. `prompts` are texts that ask for a prediction, to
    which nobody gives an answer.
    """

    words: int
    code_cells: int
    lines: int
    longest_cell: int
    longest_wait: int
    predictions: int
    prompts: int
    exercises: int
    repairs: int
    widgets: int
    diagrams: int

    @property
    def minutes(self):
        return round(sum(getattr(self, name) * each for name, each in MINUTES.items()))


def measure(cells):
    """Return the Measures of a lesson, given its cells in the form of an .ipynb file."""
    texts = [(cell["cell_type"], PANEL.sub("", "".join(cell["source"]))) for cell in cells]
    texts = [(kind, text) for kind, text in texts if text]
    prose = [text for kind, text in texts if kind == "markdown"]
    trees = [ast.parse(text) if kind == "code" else ast.Module([]) for kind, text in texts]
    code = [(text, tree) for (kind, text), tree in zip(texts, trees, strict=True) if kind == "code"]
    names = dict(pair for tree in trees for pair in imported(tree))
    predictions = [calls_predict(tree) for tree in trees]
    gaps, checks = [gaps_in(tree) for tree in trees], [checks_in(tree) for tree in trees]
    written, checked = set().union(*gaps), set().union(*checks)
    repaired = {name for name in checked - written if name in defined_in(trees)}
    widgets = [calls_into(tree, names, WIDGETS) for tree in trees]
    to_do = zip(predictions, gaps, checks, widgets, strict=True)
    lengths = [text.count("\n") + 1 for text, tree in code if not only_checks(tree)]
    return Measures(
        words=sum(map(count_words, prose)),
        code_cells=len(lengths),
        lines=sum(lengths),
        longest_cell=max(lengths),
        longest_wait=longest_run(not any(things) for things in to_do),
        predictions=sum(predictions),
        prompts=sum(text.count("**Predict") for text in prose),
        exercises=len(written | checked - repaired),
        repairs=len(repaired),
        widgets=sum(map(bool, widgets)),
        diagrams=sum(calls_into(tree, names, DIAGRAMS) for tree in trees),
    )


def count_words(text):
    """The words of a Markdown text that are read: no folds, tags, targets of links, rules."""
    text = re.sub(r"<details>.*?</details>|<[^>]+>|\]\([^)]*\)", " ", text, flags=re.DOTALL)
    return sum(any(map(str.isalnum, word)) for word in text.split())


def longest_run(flags):
    """How many flags in a row are true, at most."""
    return max((len(list(run)) for flag, run in itertools.groupby(flags) if flag), default=0)


def imported(tree):
    """Pairs (name, full name) for all that a cell imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((a.asname or a.name, f"{node.module}.{a.name}") for a in node.names)
        elif isinstance(node, ast.Import):
            yield from ((a.asname or a.name, a.name) for a in node.names)


def calls(tree):
    """Pairs (dotted name, node) of all calls in a cell."""
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [(ast.unparse(node.func), node) for node in found]


def calls_into(tree, names, places):
    """How many calls in a cell are of something imported from one of the places."""
    full = []
    for called, _ in calls(tree):
        root, *rest = called.split(".")
        full.append(".".join([names.get(root, ""), *rest]))
    return sum(f.startswith(places) and f.split(".")[-1] not in NOT_TO_PLAY for f in full)


def calls_predict(tree):
    """Whether a cell asks for a prediction; `predict.was(...)` answers one."""
    return any(called == "predict" for called, _ in calls(tree))


def gaps_in(tree):
    """The names of what the learner is to write: functions and classes with a gap.

    A gap is `...` in place of a statement or a value.
    """
    return {name for name, node in definitions(tree) if any(map(is_gap, ast.walk(node)))}


def checks_in(tree):
    """The names of what is checked, `step` in `exercises.STEP.check(step)`.

    A check is the method of an exercise, which has a name in capitals.
    """
    checks = (node for called, node in calls(tree) if re.search(r"\b[A-Z0-9_]+\.check$", called))
    return {ast.unparse(argument) for node in checks for argument in node.args[:1]}


def definitions(tree):
    """Pairs (name, node) of the functions and classes of a cell."""
    kinds = ast.FunctionDef | ast.ClassDef
    return [(node.name, node) for node in tree.body if isinstance(node, kinds)]


def defined_in(trees):
    """The names of all functions and classes of a lesson."""
    return {name for tree in trees for name, _ in definitions(tree)}


def only_checks(tree):
    """Whether a cell does nothing but check exercises, and choose what follows uses."""
    values = [getattr(node, "value", None) for node in tree.body]
    called = [ast.unparse(v.func) if isinstance(v, ast.Call) else "" for v in values]
    return bool(called) and all(re.search(r"\b[A-Z0-9_]+\.(check|best)$", name) for name in called)


def is_gap(node):
    value = getattr(node, "value", None)
    statement = isinstance(node, ast.Expr | ast.Assign | ast.AugAssign | ast.Return)
    return statement and isinstance(value, ast.Constant) and value.value is ...


def stated_minutes(cells):
    """The minutes that a lesson's first cell promises; None if it does not."""
    found = re.search(r"\b(\d+) minutes\b", "".join(cells[0]["source"]))
    return int(found[1]) if found else None


def minutes_in_readme(lesson):
    """The minutes that README's table promises for a lesson; None if there is no row for it."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"^\| {re.escape(lesson)} \| (\d+) \|", readme, re.MULTILINE)
    return int(found[1]) if found else None


def read_cells(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def main():
    names = [*Measures.__dataclass_fields__, "minutes", "stated"]
    columns = [name.replace("_", " ") for name in names]
    print(f"{'lesson':15}", *columns, sep="  ")
    for path in map(Path, sys.argv[1:] or NOTEBOOKS):
        cells = read_cells(path)
        found = measure(cells)
        values = [*vars(found).values(), found.minutes, stated_minutes(cells)]
        row = [f"{value!s:>{len(column)}}" for value, column in zip(values, columns, strict=True)]
        print(f"{path.stem:15}", *row, sep="  ")


if __name__ == "__main__":
    main()
