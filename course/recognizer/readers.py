"""Lesson 06: the networks that read a drawing, and those on the shelf that may be chosen."""

import contextlib
from pathlib import Path

import numpy as np

from course import models
from course.committee import Committee
from course.models import shelf
from course.nn.checkpoint import CheckpointError
from course.nn.classes import names_of
from course.nn.errors import CourseError


class MissingModelError(CourseError, LookupError):
    """There is no model under this name, yet; the message says why."""


class Readers(dict):
    """Name -> model, or None or the exception that says why there is none.

    Where several are given that tell the same apart as the first, their committee may be chosen.

    Args:
        given: name -> model, the path of one, None or an exception.
        folder: of the shelf; that of `course.models.shelf` if not given.
        allow: classes or modules of layers, see `course.models.load`.
    """

    def __init__(self, given, folder=None, allow=()):
        self.folder, self.allow = folder, allow
        self._unused = {}  # name -> model, those that were chosen once, as they were left
        super().__init__({name: self._opened(model) for name, model in given.items()})
        self._given = list(self)
        self._add_committee()

    def _add_committee(self):
        known = self.class_names()
        board = [self[name] for name, names in known.items() if names == next(iter(known.values()))]
        if len(board) > 1 and Committee.name not in self:
            self._unused[Committee.name] = Committee(board)
            self._given.append(Committee.name)

    def present(self, name):
        """The model. Raises MissingModelError, which says why there is none."""
        if not isinstance(name, str) or name not in self:
            raise MissingModelError(f"There is no model {name!a:.40}.")
        if name in (missing := self.missing()):
            raise MissingModelError(missing[name])
        return self[name]

    def missing(self):
        """The models that are not there, and why: name -> sentence."""
        return {
            name: "This model is not there yet: train it first." if model is None else str(model)
            for name, model in self.items()
            if model is None or isinstance(model, Exception)
        }

    def class_names(self):
        """What each model tells apart: name -> tuple; those that cannot read are left out."""
        found = {name: what_it_tells_apart(model) for name, model in self.items()}
        return {name: names for name, names in found.items() if names}

    def offers(self):
        """All that may be chosen, for the page: dicts of `name`, `about`, `chosen`, `problem`."""
        missing = self.missing()
        given = [
            {
                "name": name,
                "about": "the mean of their probabilities" if name == Committee.name else "",
                "chosen": name in self,
                "problem": missing.get(name, ""),
            }
            for name in self._given
        ]
        return given + [
            {
                "name": name,
                "about": ", ".join(record.facts),
                "chosen": name in self,
                "problem": record.problem,
            }
            for name, record in self._on_shelf().items()
        ]

    def choose(self, name, chosen=True):
        """Let a network read from now on, or no longer. Raises MissingModelError for no network."""
        if not isinstance(name, str):
            raise MissingModelError(f"There is no choice {name!a:.40}.")
        if chosen == (name in self):  # it was chosen in another view of the page
            return
        if not chosen:
            self._unused[name] = self.pop(name)
        elif name in self._unused:
            self[name] = self._unused.pop(name)
        elif name in (records := self._on_shelf()):
            model = self._opened(records[name].path)
            if not isinstance(model, Exception) and not what_it_tells_apart(model):
                model = MissingModelError("It is not made for pictures of 28x28 pixels.")
            self[name] = model
        else:
            raise MissingModelError(f"There is no choice {name!a:.40}.")

    def _on_shelf(self):
        """Name -> record; one that is called like a given model has a longer name here."""
        return {
            record.name + " (saved)" * (record.name in self._given): record
            for record in shelf.saved(self.folder)
        }

    def _opened(self, model):
        """The model in a file, or the exception that says why there is none; others as they are."""
        if not isinstance(model, str | Path):
            return model
        try:
            return models.load(model, self.allow)
        except CheckpointError as problem:
            return problem


def what_it_tells_apart(model):
    """The names of a model's classes, a tuple; empty if it cannot read 28x28 pixels.

    It reads an empty picture for that, and compiled loops are loaded along the way.
    """
    with contextlib.suppress(Exception):  # a model of the learner's own can fail in any way
        _, outputs = model.forward(np.zeros((1, 784), np.float32)).shape
        return names_of(model, outputs)
    return ()
