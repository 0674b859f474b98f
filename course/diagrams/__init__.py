"""Diagrams of the lessons, drawn by code: one module for each subject, all in the style of `base`.

Each function returns a `Diagram`, which shows itself as the last value of a cell and says in words
what it shows. The numbers in them are computed, never written by hand.
"""

from course.diagrams.base import Diagram

__all__ = ["Diagram"]
