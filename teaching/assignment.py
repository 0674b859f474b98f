"""Make an assignment for nbgrader out of a lesson.

`python -m teaching.assignment 02-mlp --course F`, where F is the folder of an nbgrader course: the
lesson goes to F/source/02-mlp/02-mlp.ipynb, with the solutions in it (`nbgrader
generate_assignment` takes them out), and a configuration to F, where there is none yet.
docs/teaching/nbgrader.md goes on from there.
"""

import argparse
import ast
import json
import re
import sys
import textwrap
from pathlib import Path

from course import copies
from course.commands import lessons
from course.commands.check import asked
from course.nn.errors import CourseError
from teaching import solving, stripping

POINTS = 1  # of an exercise
GAP = re.compile(r"\n    \.\.\. *(#.*)?")  # what is left to write, and perhaps a comment on it
CONFIG = """\
c = get_config()
c.CourseDirectory.course_id = "course"
c.Execute.timeout = 120  # seconds that a cell may take; 30, as nbgrader has it, are too few
"""
HIDDEN = """\
{visible}
### BEGIN HIDDEN TESTS
import secrets

seed = secrets.randbelow(2**32) + 1
verdict = {hidden}
assert verdict.status == "passed", f"seed {{seed}}: {{verdict}}"
### END HIDDEN TESTS"""


def assignment(lesson):
    """The source notebook, a dict, of the assignment that a lesson is; `lesson` is its path.

    Gaps are solution cells. The check of an exercise is locked, and after it comes a cell with a
    point that checks it once more, strictly, and then on held-out cases, which students do not see.
    The first code cell, with the imports, is locked, too.
    """
    notebook = json.loads(copies.as_laid(lessons.read(lesson)[0]))
    answers, cells = solving.answers(lesson), []
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        cells.append(cell)
        if cell["cell_type"] == "markdown":
            cell["source"] = stripping.without_findings(source)
        elif (name := solving.gap_of(cell, answers)) and GAP.search(source):
            cell["source"] = _with_solution(source, answers[name])
            _mark(cell, solution=True)
        elif calls := _checks(source, answers):
            _mark(cell, locked=True)
            cells += [_test_cell(call, cell["id"]) for call in calls]
        elif cell is code[0]:
            _mark(cell, locked=True)
    return notebook | {"cells": cells}


def _mark(cell, grade=False, solution=False, locked=False):
    kinds = {"grade": grade, "solution": solution, "locked": locked, "task": False}
    points = {"points": POINTS} if grade else {}
    known = {"schema_version": 3, "grade_id": cell["id"]}
    cell["metadata"] = cell["metadata"] | {"nbgrader": known | kinds | points}


def _with_solution(gap, answer):
    """A gap with the body of the answer in place of its `...`, between nbgrader's two marks."""
    *imports, function = ast.parse(answer).body
    lines = answer.splitlines()[function.body[0].lineno - 1 :]
    before = [f"    {ast.unparse(one)}" for one in imports]
    body = ["    ### BEGIN SOLUTION", *before, *lines, "    ### END SOLUTION"]
    told = GAP.search(gap)
    hint = [f"    {told[1]}"] if told[1] else []
    return gap[: told.start()] + "\n".join(["", *hint, *body]) + gap[told.end() :]


def _checks(source, names):
    """The calls of `check` in a cell that judge one of the functions, as syntax trees."""
    nodes = (node for node in ast.walk(asked.parsed(source)) if isinstance(node, ast.Call))
    checks = (node for node in nodes if ast.unparse(node.func).endswith(".check") and node.args)
    return [call for call in checks if ast.unparse(call.args[0]) in names]


def _test_cell(call, name):
    """The cell that has the points for what `call` checks."""
    exercise = ast.unparse(call.func).removesuffix(".check")
    given = [ast.unparse(one) for one in [*call.args, *call.keywords]]
    visible = f"{exercise}.check({', '.join([*given, 'strict=True'])})"
    hidden = f"{exercise}.verdict({', '.join([*given, 'seed=seed'])})"
    cell = {
        "cell_type": "code", "id": f"{name}-points", "metadata": {}, "execution_count": None,
        "outputs": [], "source": HIDDEN.format(visible=visible, hidden=hidden),
    }  # fmt: skip
    _mark(cell, grade=True, locked=True)
    return cell


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m teaching.assignment",
        description=textwrap.dedent(__doc__),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("lesson", help="its number or its name")
    parser.add_argument("--course", metavar="F", type=Path, required=True)
    asked_for = parser.parse_args(arguments)
    try:
        lesson = lessons.choose(lessons.find_originals(), asked_for.lesson)
        target = asked_for.course / "source" / lesson.stem / lesson.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(assignment(lesson), indent=1) + "\n", encoding="utf-8")
        config = asked_for.course / "nbgrader_config.py"
        if not config.exists():
            config.write_text(CONFIG, encoding="utf-8")
    except (CourseError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    print(f"{target} is the assignment. Next, in {asked_for.course}:")
    print(f"    nbgrader generate_assignment {lesson.stem}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
