"""A sweep: one network trained with many settings and seeds, and what came of each run.

`settings` says which runs there are, `running` does one, `engines` (and `cluster`) many at a time,
`table` is the file that they are kept in, `summary` and `choosing` say which are the best.
"""

from course.nn.errors import CourseError

MISSING = (
    "a cluster needs the package distributed: python -m pip install -e '.[cluster]' in the folder "
    "of the course"
)


class SweepError(CourseError, ValueError):
    """A sweep cannot be done or read; the message says why."""
