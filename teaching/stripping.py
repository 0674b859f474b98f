"""The exercises' modules and the lessons without their solutions: texts in, texts out.

Left out are the bodies of the solutions, the last hint of each (it is nearly the line) and each
other that has a line of it, the known mistakes (each is the solution with one thing changed), what
is then used by nothing, what mends a patient, and what one should find in an open exercise. Names
and arguments of the solutions stay.
"""

import ast
import re

from teaching import leaks

BODY = '    raise NotImplementedError("This copy of the course has no solutions.")'
OPEN = re.compile(r"\*\*Exercise(?: \d+)? \(open\)")
FOUND = re.compile(r"\n*<details>\s*<summary>What you should find</summary>.*?</details>", re.S)
HINTS = 2  # the first argument that is a hint


def without_findings(text):
    """A cell of a lesson without what one should find in its open exercises."""
    opened = OPEN.search(text)
    if not opened:
        return text
    return text[: opened.start()] + FOUND.sub("", text[opened.start() :])


def without_solutions(source, solutions, secrets, used_elsewhere):
    """A module of exercises without its solutions.

    Args:
        source: its text.
        solutions: the names of the functions in it that are solutions.
        secrets: lines of solutions, as `leaks.essence` has them: no hint may have one.
        used_elsewhere: names in it that other modules import.
    """
    cuts = [_body(node) for node in ast.parse(source).body if _is_named(node, solutions)]
    for call in _exercises(ast.parse(source)):
        cuts += _in_call(call, secrets)
    return _without_unused(_cut(source, cuts), solutions | used_elsewhere)


def _is_named(node, names):
    return isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in names


def _exercises(tree):
    """The calls that make exercises: NAME = SomethingExercise(...), or Patient(...)."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            name = ast.unparse(node.value.func)
            if name.endswith(("Exercise", "Patient")):
                yield node.value


def _body(function):
    """The cut that takes out the body of a function; the lines of its `def` stay."""
    first, last = function.body[0], function.body[-1]
    return (first.lineno, 0), (last.end_lineno, last.end_col_offset), BODY


def _in_call(call, secrets):
    if ast.unparse(call.func) == "Patient":
        mend = call.args[2]
        return [(_begin(mend), _end(mend), "None")]
    hints = call.args[HINTS:]
    told = [
        hint
        for number, hint in enumerate(hints, start=1)
        if number == len(hints) or leaks.has_any(ast.literal_eval(hint), secrets)
    ]
    mistakes = [keyword for keyword in call.keywords if keyword.arg == "mistakes"]
    return [(_begin(node), _end(node), "") for node in told + mistakes]


def _begin(node):
    return node.lineno, node.col_offset


def _end(node):
    return node.end_lineno, node.end_col_offset


def _cut(source, cuts):
    """The source with other texts in place of the cuts: (begin, end, text), lines from 1.

    A cut that leaves nothing takes along the comma that follows it.
    """
    content = source.encode()  # columns of a syntax tree count bytes
    starts = [0, 0]
    for line in content.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for (line, column), (end_line, end_column), text in sorted(cuts, reverse=True):
        begin, end = starts[line] + column, starts[end_line] + end_column
        if not text:
            end += len(re.match(rb",?\s*", content[end:])[0])
        content = content[:begin] + text.encode() + content[end:]
    return content.decode()


def _without_unused(source, kept):
    """A module without what nothing in it uses, but for what is `kept` and its constants."""
    while unused := _unused(source, kept):
        source = _cut(source, unused)
    return re.sub(r"\n{4,}", "\n\n\n", source)


def _unused(source, kept):
    tree = ast.parse(source)
    cuts = []
    for node in tree.body:
        others = (other for other in tree.body if other is not node)
        used = kept | {n.id for other in others for n in ast.walk(other) if isinstance(n, ast.Name)}
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name not in used:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            cuts.append(((first, 0), _end(node), ""))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [a for a in node.names if (a.asname or a.name).split(".")[0] in used]
            if not names:
                cuts.append((_begin(node), _end(node), ""))
            elif len(names) < len(node.names):
                node.names = names
                cuts.append((_begin(node), _end(node), ast.unparse(node)))
    return cuts


def imported(sources):
    """The names that modules, given as texts, import from others."""
    trees = map(ast.parse, sources)
    nodes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return {alias.name for node in nodes for alias in node.names}
