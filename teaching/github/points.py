"""What a report of `python -m course check --json` is worth: a point for each exercise passed.

    python points.py report.json     prints a table in Markdown

It needs nothing but Python, so that it runs wherever a report has come to.
"""

import json
import sys


def rows(report):
    """(notebook, exercise, status, points, message) for each exercise of a report."""
    for notebook in report["notebooks"]:
        for one in notebook["exercises"]:
            points = int(one["status"] == "passed")
            yield notebook["path"], one["name"], one["status"], points, one["message"]


def problems(report):
    """Sentences on notebooks in which nothing could be judged."""
    return [f"{one['path']}: {one['problem']}" for one in report["notebooks"] if one["problem"]]


def as_markdown(report):
    """A table of all exercises and, above it, the sum."""
    found = list(rows(report))
    lines = [f"**{sum(row[3] for row in found)} of {len(found)} points**", ""]
    if found:
        lines += ["| notebook | exercise | status | points | |", "| --- | --- | --- | ---: | --- |"]
    for notebook, name, status, points, message in found:
        said = "" if points else " ".join(message.split()).replace("|", "\\|")
        lines.append(f"| {notebook} | {name} | {status} | {points} | {said} |")
    return "\n".join([*lines, *problems(report)])


def main(path):
    with open(path, encoding="utf-8") as file:
        content = file.read()
    try:
        report = json.loads(content)
        if report["version"] != 1:
            raise ValueError
    except (ValueError, KeyError, TypeError):
        return f"{path} is no report that this program knows: see what the check has printed."
    print(as_markdown(report))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]) if len(sys.argv) == 2 else "usage: points.py REPORT")
