"""Exercises that check themselves: a solution, inputs to try it on, hints and known mistakes.

The check runs the learner's function and the solution on the same inputs, so the two cannot drift
apart; `reveal` prints the solution's own source. `exercise` is what notebooks use, `judge` finds
out what is wrong, `running` runs code that may do anything, `differences` compares results.
A `patient` is an exercise whose answer is a training run.
"""

from course.exercises.exercise import Exercise
from course.exercises.verdict import ExerciseError, Verdict

__all__ = ["Exercise", "ExerciseError", "Verdict"]
