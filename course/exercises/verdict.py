"""What a check has found."""

from dataclasses import dataclass

from course.nn.errors import CourseError


class ExerciseError(CourseError, AssertionError):
    """A function that a strict check has not passed; its text is the verdict's message."""


@dataclass(frozen=True)
class Verdict:
    """What a check has found; as text, its message.

    `status` is "passed", "wrong", "not attempted", or "revealed" for the course's own solution.
    `kind` is finer: "right"; "nothing" (no result), "error", "time" (it took too long), "shape",
    "dtype", "value", "mistake" (a wrong value that has a name), "changes input", "unstable" (wrong
    on large numbers, or overflowing); "solution". `case` is the call that went wrong, "" if none.
    """

    status: str
    kind: str
    message: str
    case: str = ""

    def __str__(self):
        return self.message
