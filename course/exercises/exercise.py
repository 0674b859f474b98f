"""An exercise, as a notebook uses it: check, hint, reveal, best."""

import copy
import functools
import inspect
import itertools

from course.exercises import recorded
from course.exercises.judge import judge
from course.exercises.running import run
from course.exercises.verdict import ExerciseError, Verdict
from course.nn.text import wrapped
from course.progress import Progress

RANKS = ("not attempted", "wrong", "revealed", "passed")  # of a status: the highest is kept


class Exercise:
    """One function for the learner to write.

    A result is a number, an array, a text, or a tuple or dict of results. A notebook calls
    `exercise.check(my_function)`, which prints the verdict and keeps it in the lesson's progress.
    In a copy without solutions it is judged by what these gave, and by the cases of seed 0 alone.

    Args:
        solution: the function; an exercise is known by its lesson and this function's name.
        cases: `cases(random)` gets a `numpy.random.Generator` and returns argument tuples: a few
            small ones by hand, then some drawn, their values and their sizes. A learner sees those
            of seed 0; whoever judges takes another. They are tried in this order, but for those
            too long to be shown, which come last.
        hints: sentences, from a nudge to nearly the line.
        lesson: the notebook's file name without its ending, "02-mlp".
        mistakes: what may be wrong ("the bias is left out") -> a function that makes just this
            mistake. Who gives the same as it in all cases is told so.
        large: as `cases`, with large numbers; tried if all else is right.
        numerical: of a backward pass: `numerical(forward, *arguments)` returns what `solution`
            does, by finite differences of `forward`.
        limit: seconds that the learner's function may take for all cases together.
    """

    def __init__(
        self,
        solution,
        cases,
        *hints,
        lesson,
        mistakes=None,
        large=None,
        numerical=None,
        limit=10.0,
    ):
        self.solution = solution
        self.cases = cases
        self.hints = hints
        self.lesson = lesson
        self.mistakes = mistakes or {}
        self.large = large
        self.numerical = numerical
        self.limit = limit
        self.record = recorded.of(lesson, solution.__name__)
        self.attempt = self.forward = None  # what was checked last
        self._last = None  # and what was found
        self._numbered = itertools.cycle(enumerate(hints, start=1))

    def verdict(self, attempt, forward=None, seed=0):
        """Return the `Verdict`: does `attempt` do what the solution does, or how does it differ?

        With `forward`, the learner's forward pass, a backward pass is compared with finite
        differences of it first. `seed` draws the cases. Raises TypeError if `forward` is given to
        an exercise that has no `numerical`, ValueError for a seed that a copy without solutions
        has no results of.
        """
        if self.record and seed != recorded.SEED:
            raise ValueError(f"without solutions cases of seed {seed} cannot be judged")
        if forward is not None and self.numerical is None:
            raise TypeError(f"{self.solution.__name__} is checked without forward=...")
        if self._is_solution(attempt):
            return Verdict(
                "revealed",
                "solution",
                "This is the course's own solution. Hand in a function that you have written.",
            )
        return judge(self, attempt, forward, seed)

    def check(self, attempt, forward=None, strict=False):
        """Print the verdict and keep it. If strict, raise ExerciseError unless it is passed."""
        verdict = self.verdict(attempt, forward)
        self.attempt, self.forward, self._last = attempt, forward, verdict
        print(wrapped(str(verdict)))
        if problem := self._keep(verdict):
            print(wrapped(problem))
        if strict and verdict.status != "passed":
            raise ExerciseError(f"{self.solution.__name__}: {verdict}")

    def hint(self):
        """Print the next hint; after the last one the first comes again."""
        number, text = next(self._numbered)
        print(wrapped(f"Hint {number} of {len(self.hints)}: {text}"))

    def reveal(self):
        """Print the solution, and keep that it was shown; without solutions, say whom to ask."""
        if not self.has_solution:
            print(wrapped(recorded.NO_SOLUTION))
            return
        self._show()

    def _show(self):
        print(inspect.getsource(self.solution).strip())
        self._keep(Verdict("revealed", "solution", "The solution was shown."), checks=0)

    def best(self, attempt, forward=None):
        """Return `attempt` if it is right, else the solution, and print which it is.

        Raises NoSolutionError if neither is to be had, in a copy without solutions.
        """
        is_checked = self._last and attempt is self.attempt and forward is self.forward
        verdict = self._last if is_checked else self.verdict(attempt, forward)
        is_right = verdict.status == "passed"
        if not is_right and not self.has_solution:
            name = self.solution.__name__
            raise recorded.NoSolutionError(
                f"What follows needs a right {name}, and yours is not right yet. "
                + recorded.NO_SOLUTION.removesuffix(".")
            )
        whose = "your own" if is_right else "the course's"
        print(f"What follows uses {whose} {self.solution.__name__}.")
        return attempt if is_right else self.solution

    @property
    def has_solution(self):
        """Whether there is a solution, and not only a record of what it gave."""
        return self.record is None

    def expected(self, number, arguments):
        """What the solution gives in case `number`, counted from 0 as they are tried."""
        if self.record:
            return self.record.results[number]
        return self.result(self.solution, copy.deepcopy(arguments))

    def made(self, cases):
        """Pairs of a known mistake and the list of Outcomes that it has in the cases."""
        if self.record:
            yield from self.record.mistakes.items()
        for mistake, function in self.mistakes.items():
            yield mistake, [run(self.result, function, copy.deepcopy(case)) for case in cases]

    def result(self, function, arguments):
        """Return what is compared: here, whatever `function` returns.

        May raise ExerciseError with a text such as "gave a list, expected bytes".
        """
        return function(*arguments)

    def beyond(self, function):
        """Say what else is wrong with a function that is right in all cases; "" if nothing."""
        return ""

    def _is_solution(self, attempt):
        while isinstance(attempt, functools.partial):
            attempt = attempt.func
        code = getattr(inspect.unwrap(attempt), "__code__", None)
        own = getattr(self.solution, "__code__", None)
        return (
            own is not None and code == own and code.co_filename == own.co_filename
        )  # not: the same lines, typed

    def _keep(self, verdict, checks=1):
        """Keep the verdict unless a better one is kept; return a sentence if that fails."""
        if verdict.status == "not attempted":
            return ""

        def changed(kept):  # by another kernel, too, in between
            kept = kept or {}
            entry = {"status": verdict.status, "kind": verdict.kind, "message": verdict.message}
            if kept.get("status") in RANKS[RANKS.index(verdict.status) + 1 :]:
                entry = kept
            return entry | {"checks": kept.get("checks", 0) + checks}

        progress = Progress(self.lesson)
        progress.change("exercises", self.solution.__name__, changed)
        return progress.problem
