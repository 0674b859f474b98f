"""Write `build/instructor`, a copy of the course for teachers, with answers (`make instructor`).

It is the whole course, and has the folder `answers`: every lesson with its exercises solved.
"""

import argparse
import os
import sys
from pathlib import Path

from course import copies
from course.commands import lessons
from teaching import copying, solving

TARGET = copying.BUILD / "instructor"


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
    parser = argparse.ArgumentParser(prog="make instructor", description=__doc__)
    parser.add_argument("--out", metavar="FOLDER", type=Path, default=TARGET)
    target = parser.parse_args().out.resolve()
    try:
        write(target)
    except copying.CopyError as error:
        print(f"The copy for teachers is not written: {error}", file=sys.stderr)
        return 1
    print(f"{os.path.relpath(target)} is the copy for teachers, with answers/: not for students.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
