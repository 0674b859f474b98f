"""Find out whether a learner's function does what a solution does, and if not, in which way."""

import copy
import inspect
import time

import numpy as np

from course.exercises.differences import (
    LONGEST,
    Difference,
    changed,
    described,
    difference,
    size,
)
from course.exercises.running import Outcome, TimeIsUp, run
from course.exercises.traces import warning_text, where
from course.exercises.verdict import ExerciseError, Verdict

DIFFERENTIABLE = 200  # numbers in a case, at most, for finite differences: two forwards for each
PRINTED = 5  # lines of what a function prints, at most
FINITE = 1e-4  # how far finite differences may be off, as a share of the largest


def judge(exercise, attempt, forward=None, seed=0):
    """Return the `Verdict` on `attempt`; see `Exercise.verdict`."""
    if attempt is None or attempt is Ellipsis:
        return _not_attempted()
    if not callable(attempt):
        return Verdict(
            "wrong",
            "error",
            f"Not yet: what is checked is a function, and this is {described(attempt)}. Hand in "
            "its name, without parentheses.",
        )
    return _Judge(exercise, attempt, forward, seed).verdict()


def ordered_cases(exercise, seed):
    """The cases of an exercise and its large ones, two lists; what can be shown comes first."""
    random = np.random.default_rng(seed)
    large = exercise.large or (lambda random: [])
    return tuple(sorted(draw(random), key=_is_long) for draw in (exercise.cases, large))


def _is_long(arguments):
    return size(arguments) > LONGEST


def _not_attempted():
    return Verdict("not attempted", "nothing", "Not attempted yet: the function returns nothing.")


def _is_untouched(outcome):
    """Whether this comes from `...`, alone or in each place of a tuple."""
    if outcome.printed or outcome.error:
        return isinstance(outcome.error, NotImplementedError)
    value = outcome.value
    parts = value if isinstance(value, tuple) and value else [value]
    return all(part is None or part is Ellipsis for part in parts)


def _compared(expected, found):
    try:
        return difference(expected, found)
    except Exception as error:  # a number of 5,000 digits cannot be shown, for example
        return Difference("dtype", f"gave what cannot be compared: {error}")


def _overflowed(outcome):
    """Integers of a few bits wrap around, and NumPy warns if it is a single one."""
    if any("overflow encountered in scalar" in str(w.message) for w in outcome.warned):
        text = "gave what is expected, but only by luck: a number overflowed. Make floats first"
        return Difference("unstable", text)
    return None


def _warnings(outcome):
    """The first warning, as a list of sentences."""
    return [f"It warned: {warning_text(warning)}" for warning in outcome.warned[:1]]


def _printed(outcome):
    lines = outcome.printed.strip().splitlines()
    shown = lines[:PRINTED] + (["..."] if len(lines) > PRINTED else [])
    return [f"It printed: {chr(10).join(shown):.500}"] if lines else []


def _alike(one, other):
    """Whether two outcomes are the same: result or error."""
    if one.error or other.error:
        return type(one.error).__name__ == type(other.error).__name__  # a recorded one is a copy
    return not _compared(one.value, other.value)


def _watched(forward):
    """`forward`, which has to return numbers that finite differences can be taken of."""

    def watched(*arguments):
        y = forward(*arguments)
        if y is None or y is Ellipsis:
            raise ExerciseError("returns nothing yet: write that first")
        if np.asarray(y).dtype in (np.float32, np.float16):
            raise ExerciseError(
                f"computes in {np.asarray(y).dtype}, too coarse for finite differences: let it "
                "keep the precision of its input"
            )
        return y

    return watched


class _Judge:
    """One function before one exercise; the limit is for all of its calls together."""

    def __init__(self, exercise, attempt, forward, seed):
        self.exercise = exercise
        self.attempt = attempt
        self.forward = forward
        self.cases, self.large = ordered_cases(exercise, seed)
        self.deadline = time.monotonic() + exercise.limit
        self.outcomes = []  # of the attempt, one for each case tried

    def verdict(self):
        for number, arguments in enumerate(self.cases, start=1):
            problem, outcome = self._try(arguments)
            if problem and number == 1 and _is_untouched(outcome):
                return _not_attempted()
            if problem:
                break
        start = "Not yet: "
        if self.forward and (not problem or problem.kind == "value"):
            if verdict := self._against_forward(problem):
                return verdict
            start += "it is the gradient of your forward pass, but that is not the course's: "
        if problem:
            return self._wrong(f"{start}case {number}: ", problem, outcome, arguments)
        for number, arguments in enumerate(self.large, start=len(self.cases) + 1):
            problem, outcome = self._try(arguments)
            if problem:
                start = f"Not yet: right for ordinary numbers, not for large ones: case {number}: "
                unstable = problem._replace(kind="unstable")
                return self._wrong(start, unstable, outcome, arguments)
        return self._beyond() or self._right()

    # -------------------------------------------------------------- one call

    def _run(self, function, *arguments):
        left = self.deadline - time.monotonic()
        return run(function, *arguments, seconds=left) if left > 0 else Outcome(error=TimeIsUp())

    def _try(self, arguments):
        """What is wrong with the attempt in this case (None if nothing), and its outcome."""
        given, number = copy.deepcopy(arguments), len(self.outcomes)
        outcome = self._run(self.exercise.result, self.attempt, given)
        self.outcomes.append(outcome)
        if outcome.error:
            return self._raised(outcome.error), outcome
        problem = _compared(self.exercise.expected(number, arguments), outcome.value)
        return problem or self._changes(arguments, given) or _overflowed(outcome), outcome

    def _changes(self, arguments, given):
        after = self._by_name(given)
        for name, before in self._by_name(arguments).items():
            if changed(before, after[name]):
                text = f"gave what is expected, but changes its input {name}: work on a copy of it"
                return Difference("changes input", text)
        return None

    def _raised(self, error):
        """What the learner's function raised, with the traceback cut to their lines."""
        if isinstance(error, ExerciseError):  # of `Exercise.result`, which cannot take the result
            return Difference("value", str(error))
        kind = "error"
        text = f"ended with {type(error).__name__}: {error}".rstrip(": ")
        if isinstance(error, TimeIsUp):
            kind, limit = "time", self.exercise.limit
            text = f"takes more than {limit:g} seconds: does one of its loops not end?"
        elif isinstance(error, SystemExit):
            text = "leaves Python by exit(): end with `return`"
        return Difference(kind, "\n".join(filter(None, (text, where(error)))))

    # -------------------------------------------------------------- verdicts

    def _wrong(self, start, problem, outcome, arguments):
        call, kind = self._call(arguments), problem.kind
        sentences = [f"{start}{call} {problem.text}"]
        if kind in ("value", "shape", "dtype", "error") and (mistake := self._mistake()):
            sentences.append(f"It looks as if {mistake}.")
            kind = "mistake"
        sentences += _warnings(outcome) + _printed(outcome)
        return Verdict("wrong", kind, "\n".join(sentences), call)

    def _against_forward(self, problem):
        """The verdict if the attempt is not the gradient of the learner's own forward pass."""
        start = (
            "Not yet: it is not the gradient of your forward pass"
            if problem
            else "Not yet: it is the gradient of the course's forward pass, but not of yours"
        )
        for arguments in self.cases:
            if size(arguments) > DIFFERENTIABLE:
                continue
            numerical = self._run(
                self.exercise.numerical, _watched(self.forward), *copy.deepcopy(arguments)
            )
            if numerical.error:
                kind, text = self._raised(numerical.error)
                message = f"Not yet: your forward pass {text}"
                return Verdict("wrong", kind, message, self._call(arguments))
            outcome = self._run(self.exercise.result, self.attempt, copy.deepcopy(arguments))
            unlike = difference(numerical.value, outcome.value, tolerance=FINITE)
            if unlike and not outcome.error:
                start = f"{start} (by finite differences): "
                return self._wrong(start, unlike, outcome, arguments)
        return None

    def _beyond(self):
        """The verdict if the exercise asks for more than right results."""
        outcome = self._run(self.exercise.beyond, self.attempt)
        problem = outcome.error and self._raised(outcome.error)
        if text := problem.text if problem else outcome.value:
            return Verdict("wrong", problem.kind if problem else "value", f"Not yet: {text}")
        return None

    def _right(self):
        sentences = [f"Correct, in all {len(self.cases) + len(self.large)} cases."]
        if self.forward:
            sentences.append("It is the gradient of your forward pass, too.")
        sentences += next(filter(None, map(_warnings, self.outcomes)), [])
        return Verdict("passed", "right", "\n".join(sentences))

    def _mistake(self):
        """The known mistake that does the same as the attempt in all cases; "" if none does."""
        for arguments in self.cases[len(self.outcomes) :]:
            self._try(arguments)
        for mistake, made in self.exercise.made(self.cases):
            if all(map(_alike, made, self.outcomes)) and not all(one.error for one in made):
                return mistake
        return ""

    # -------------------------------------------------------------- names

    def _by_name(self, arguments):
        return inspect.signature(self.exercise.solution).bind(*arguments).arguments

    def _call(self, arguments):
        """The call as the learner would write it; large arguments are only described."""
        name = getattr(self.attempt, "__name__", "your function")
        shown = [f"{key}={described(value)}" for key, value in self._by_name(arguments).items()]
        return f"{name}({', '.join(shown)})"
