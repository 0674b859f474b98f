"""A sweep: one network trained with many settings and seeds, and what came of each run.

`settings` says which runs there are, `running` does one, `engines` (and `cluster`) many at a time,
`table` is the file that they are kept in, and `halving` what could have been saved.
"""

from course.nn.errors import CourseError


class SweepError(CourseError, ValueError):
    """A sweep cannot be done or read; the message says why."""
