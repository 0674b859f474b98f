"""Which exercises a notebook asks for, found in its text, without running it."""

import ast
import importlib
from dataclasses import dataclass, field

from course.exercises import Exercise

PACKAGE = "course.exercises"
ABOUT = ("hint", "reveal")  # who only calls these asks about an exercise, and hands nothing in


@dataclass(frozen=True)
class Asked:
    """Where a notebook names one exercise: numbers of cells, counted from 0.

    `place` is where the package has it, "mlp.STEP". `checked` are cells that name it other than
    for a hint, `revealed` those that show its solution.
    """

    place: str
    checked: set = field(default_factory=set)
    revealed: set = field(default_factory=set)

    @property
    def exercise(self):
        return find(self.place)


def find(place):
    """The Exercise "mlp.STEP"; None if there is none."""
    module, _, name = place.partition(".")
    try:
        found = getattr(importlib.import_module(f"{PACKAGE}.{module}"), name, None)
    except ImportError:
        return None
    return found if isinstance(found, Exercise) else None


def asked_for(sources, original=(), lesson=None):
    """Return what a notebook is to be judged by: a list of Asked, in the order of the lesson.

    Args:
        sources: its code cells, as texts.
        original: those of the lesson that it is a copy of; what is deleted is asked for, too.
        lesson: the name of that lesson: exercises of others, which it may build upon, are not
            asked for.
    """
    found = exercises_in(sources)
    wanted = [place for place, one in exercises_in(original).items() if one.checked]
    wanted += [place for place, one in found.items() if one.checked and place not in wanted]
    asked = [found.get(place, Asked(place)) for place in wanted]
    return [one for one in asked if lesson in (None, one.exercise.lesson)]


def exercises_in(sources):
    """Where code cells, given as texts, name exercises: a dict from place to Asked."""
    trees = [parsed(source) for source in sources]
    names = dict(pair for tree in trees for pair in imported(tree))
    asked = {}
    for cell, tree in enumerate(trees):
        for place, method in named(tree, names):
            of_one = asked.setdefault(place, Asked(place))
            if method not in ABOUT:
                of_one.checked.add(cell)
            elif method == "reveal":
                of_one.revealed.add(cell)
    return asked


def parsed(source):
    """The syntax tree of a cell; if it is no Python, that of the lines that are."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        lines = []
    for line in source.splitlines():
        try:
            lines += ast.parse(line.strip()).body
        except (SyntaxError, ValueError, RecursionError):
            continue
    return ast.Module(lines, [])


def imported(tree):
    """Pairs (name, full name) for all that a cell imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((a.asname or a.name, f"{node.module}.{a.name}") for a in node.names)
        elif isinstance(node, ast.Import):
            yield from ((a.asname, a.name) for a in node.names if a.asname)
            yield from ((root, root) for root in (a.name.split(".")[0] for a in node.names))


def named(tree, names):
    """Pairs (place of an exercise, the method that is looked up in it or "") for a cell."""
    methods = {id(n.value): n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            root, *rest = ast.unparse(node).split(".")
            full = ".".join([names.get(root, ""), *rest])
            place = full.removeprefix(f"{PACKAGE}.")
            if place != full and place.count(".") == 1 and find(place):
                yield place, methods.get(id(node), "")
