"""Exercises that check themselves: a solution, inputs to try it on, hints and known mistakes.

The check runs the learner's function and the solution on the same inputs, so the two cannot drift
apart; `reveal` prints the solution's own source.
"""

import copy
import inspect
import io
import itertools
from contextlib import redirect_stdout

from course.exercises.judge import changed, described, difference, size

NOTHING = "returned nothing: is there a `return` at its end?"


class Exercise:
    """One function for the learner to write.

    `solution` is that function, `cases` a function that returns a list of argument tuples; the
    smallest are tried first. `hints` are sentences, from a nudge to nearly the line. `mistakes`
    maps what may be wrong ("the bias is left out") to a function that makes just this mistake: who
    returns the same as it in all cases is told so. A result is a number, an array, a text, or a
    tuple or dict of results. A notebook calls `exercise.check(my_function)`.
    """

    def __init__(self, solution, cases, *hints, mistakes=None):
        self.solution = solution
        self.cases = cases
        self.hints = hints
        self.mistakes = mistakes or {}
        self._numbered = itertools.cycle(enumerate(hints, start=1))

    def check(self, attempt):
        """Print whether `attempt` does what the solution does, or how it differs."""
        print(self.verdict(attempt))

    def verdict(self, attempt):
        """Return the sentences that `check` prints."""
        cases = sorted(self.cases(), key=size)
        for number, arguments in enumerate(cases, start=1):
            printed = io.StringIO()
            with redirect_stdout(printed):  # the verdict is not to drown in it
                problem = self._problem(attempt, arguments)
            if not problem:
                continue
            if problem == NOTHING and number == 1 and not printed.getvalue():
                return "Not attempted yet: the function returns nothing."
            sentences = [f"Not yet: case {number}: {self._call(attempt, arguments)} {problem}"]
            if mistake := self._mistake(attempt, cases):
                sentences.append(f"It looks as if {mistake}.")
            if printed.getvalue():
                sentences.append(f"It printed: {printed.getvalue().strip():.500}")
            return "\n".join(sentences)
        return f"Correct, in all {len(cases)} cases."

    def hint(self):
        """Print the next hint; after the last one the first comes again."""
        number, text = next(self._numbered)
        print(f"Hint {number} of {len(self.hints)}: {text}")

    def reveal(self):
        """Print the solution."""
        print(inspect.getsource(self.solution).strip())

    def best(self, attempt):
        """Return `attempt` if it is right, else the solution, and print which it is."""
        is_right = self.verdict(attempt).startswith("Correct")
        whose = "your own" if is_right else "the course's"
        print(f"What follows uses {whose} {self.solution.__name__}.")
        return attempt if is_right else self.solution

    def result(self, function, arguments):
        """Return what is compared: here, whatever `function` returns."""
        return function(*arguments)

    def _problem(self, attempt, arguments):
        """Say what `attempt` does wrongly in this case; an empty text if nothing."""
        expected = self.result(self.solution, copy.deepcopy(arguments))
        given = copy.deepcopy(arguments)
        try:
            found = self.result(attempt, given)
            if found is None or found is Ellipsis:
                return NOTHING
            if problem := difference(expected, found):
                return problem
        except Exception as error:  # whatever the learner's code does, the lesson goes on
            return f"ended with {type(error).__name__}: {error}"
        after = self._by_name(given)
        for name, before in self._by_name(arguments).items():
            if changed(before, after[name]):
                return f"gave what is expected, but changes its input {name}: work on a copy of it"
        return ""

    def _mistake(self, attempt, cases):
        """The known mistake that gives the same as `attempt` in all cases; "" if none does."""

        def results(function):
            return [self.result(function, copy.deepcopy(case)) for case in cases]

        try:
            with redirect_stdout(io.StringIO()):
                found = results(attempt)
            for mistake, function in self.mistakes.items():
                if not any(map(difference, results(function), found)):
                    return mistake
        except Exception:  # it ends with an error in one of the cases: no mistake does
            pass
        return ""

    def _by_name(self, arguments):
        return inspect.signature(self.solution).bind(*arguments).arguments

    def _call(self, attempt, arguments):
        """The call as the learner would write it; large arguments are only described."""
        name = getattr(attempt, "__name__", "your function")
        shown = [f"{key}={described(value)}" for key, value in self._by_name(arguments).items()]
        return f"{name}({', '.join(shown)})"
