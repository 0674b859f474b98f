"""Write `build/instructor`, a copy of the course for teachers, with answers (`make instructor`).

It is the whole course, and has the folder `answers`: every lesson with its exercises solved.
"""

import sys

from course import copies
from course.commands import lessons
from teaching import copying, solving


def write(target, originals=None):
    """Write the copy, into a folder that is emptied first. Raises CopyError.

    Args:
        target: the folder.
        originals: paths of the lessons to solve; all by default.
    """
    copying.copy(copying.files(), target)
    (target / "answers").mkdir()
    for lesson in lessons.find_originals() if originals is None else originals:
        content = copies.as_laid(solving.solved(lesson))
        (target / "answers" / lesson.name).write_bytes(content)


def main():
    said = "it has answers/, and is not for students."
    return copying.main("instructor", __doc__, write, said)


if __name__ == "__main__":
    sys.exit(main())
