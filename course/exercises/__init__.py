"""Exercises that check themselves: a solution, inputs to try it on, and a hint.

The check runs the learner's function and the solution on the same inputs, so the two cannot drift
apart; `reveal` prints the solution's own source.
"""

import inspect

import numpy as np


class Exercise:
    """One function for the learner to write.

    `solution` is that function, `cases` a function that returns a list of argument tuples, `hint`
    a sentence. A notebook calls `exercise.check(my_function)`.
    """

    def __init__(self, solution, cases, hint):
        self.solution = solution
        self.cases = cases
        self.text = hint

    def check(self, attempt):
        """Print whether `attempt` does what the solution does, or how it differs."""
        print(self.verdict(attempt))

    def verdict(self, attempt):
        """Return the sentence that `check` prints."""
        for number, arguments in enumerate(self.cases(), start=1):
            expected = self.solution(*_copies(arguments))
            try:
                found = attempt(*_copies(arguments))
            except Exception as error:  # whatever the learner's code does, the lesson goes on
                return f"Not yet: case {number} ended with {type(error).__name__}: {error}"
            if found is None or found is Ellipsis:
                return "Not attempted yet: the function returns nothing."
            difference = _compare(expected, found)
            if difference:
                return f"Not yet: in case {number}, {difference}"
        return f"Correct, in all {len(self.cases())} cases."

    def hint(self):
        """Print the hint."""
        print(self.text)

    def reveal(self):
        """Print the solution."""
        print(inspect.getsource(self.solution).strip())


def _copies(arguments):
    """Copy arrays, so that an attempt which changes its input does not change the solution's."""
    return [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]


def _compare(expected, found):
    """Say how `found` differs from `expected`; an empty text if it does not."""
    expected = np.asarray(expected)
    try:
        found = np.asarray(found)
    except ValueError:
        return f"the result is not an array: {type(found).__name__}"
    if found.shape != expected.shape:
        return f"the shape is {found.shape}, expected {expected.shape}"
    if found.dtype.kind not in "biuf":
        return f"the values are {found.dtype}, expected numbers"
    expected, found = expected.astype(float), found.astype(float)  # truth values count as 0 and 1
    if not np.allclose(found, expected, rtol=1e-5, atol=1e-6):
        worst = np.unravel_index(np.argmax(np.abs(found - expected)), expected.shape)
        place = f"at {tuple(map(int, worst))} " if expected.ndim else ""
        return f"the value {place}is {found[worst]:.6g}, expected {expected[worst]:.6g}"
    return ""
