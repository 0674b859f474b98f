"""Make handed-in notebooks gradable in which a cell of an nbgrader assignment was copied.

`python -m teaching.duplicates F/submitted/*/02-mlp/*.ipynb`. A copied cell has the name that
nbgrader gave the first one, and `nbgrader autograde` (0.9.6) then gives up on the whole notebook:
it says that its metadata are old, and to say `nbgrader update`, which does not mend it. Here the
last cell of a name keeps it, as nbgrader means to do; the others become ordinary cells.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from course.commands import lessons
from course.nn import files
from course.nn.errors import CourseError


def without_duplicates(notebook):
    """A notebook in which each name of nbgrader's is that of one cell, and the names it lost."""
    seen, lost, cells = set(), [], []
    for cell in reversed(notebook["cells"]):
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name in seen:
            lost.append(name)
            metadata = {key: value for key, value in cell["metadata"].items() if key != "nbgrader"}
            cell = cell | {"metadata": metadata}
        elif name:
            seen.add(name)
        cells.append(cell)
    return notebook | {"cells": cells[::-1]}, lost[::-1]


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m teaching.duplicates",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("notebooks", nargs="+", type=Path)
    code = 0
    for path in parser.parse_args(arguments).notebooks:
        try:
            notebook, lost = without_duplicates(lessons.read(path)[0])
            if lost:
                with files.replacing(path) as file:
                    file.write((json.dumps(notebook, indent=1) + "\n").encode())
                print(f"{path}: copied were {', '.join(lost)}; the last of each counts.")
        except (CourseError, OSError) as error:
            print(f"{os.fspath(path)}: {error}", file=sys.stderr)
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
