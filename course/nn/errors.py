"""What all errors of the course have in common."""


class CourseError(Exception):
    """Something that the course refuses or cannot do; its text is one sentence for the learner."""
