"""An autograder for Classroom 50: a point for each exercise that `python -m course check` passes.

It lies, with points.py beside it, in CLASSROOM/autograders/ASSIGNMENT/ of the teacher's
`classroom50` repository. Its runner calls it in the student's checkout, which is the student's copy
of the course with notebooks in handed-in/, and reads the `result.json` that it leaves there.
"""

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

import points

INSTALL = [
    ["pip", "install", "--quiet", "--requirement", "requirements.lock"],
    ["pip", "install", "--quiet", "--no-build-isolation", "--no-deps", "--editable", "."],
]
NOTHING = {"path": "handed-in", "exercises": [], "problem": "There is no notebook in handed-in/."}


def judge(notebooks):
    """The report on notebooks, a dict, by the course in this folder."""
    command = [sys.executable, "-m", "course", "check", "--json", *notebooks]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode not in (0, 1):
        sys.exit("python -m course check did not judge; what it said is above.")
    return json.loads(done.stdout)


def result(report):
    """What Classroom 50 reads, in the form `classroom50/result/v1`."""
    tests = [
        {"test-name": f"{notebook}: {name}", "passed": bool(got), "score": got, "max-score": 1,
         "message": message}
        for notebook, name, _, got, message in points.rows(report)
    ]  # fmt: skip
    tests += [  # without a test Classroom 50 would take it for passed
        {"test-name": problem, "passed": False, "score": 0, "max-score": 1}
        for problem in points.problems(report)
    ]
    now = datetime.datetime.now(datetime.UTC)
    return {
        "schema": "classroom50/result/v1",
        "classroom": os.environ["CLASSROOM"],
        "assignment": os.environ["ASSIGNMENT"],
        "submission": os.environ["SUBMISSION_TAG"],
        "commit": os.environ["COMMIT_URL"],
        "release": os.environ["RELEASE_URL"],
        "review": os.environ.get("REVIEW_URL") or os.environ["COMMIT_URL"],
        "datetime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "score": sum(test["score"] for test in tests),
        "max-score": sum(test["max-score"] for test in tests),
        "tests": tests,
    }


def main():
    if "--installed" not in sys.argv[1:]:
        for arguments in INSTALL:
            subprocess.run([sys.executable, "-m", *arguments], check=True)
    notebooks = sorted(map(str, Path("handed-in").glob("*.ipynb")))
    report = judge(notebooks) if notebooks else {"notebooks": [NOTHING]}
    Path("result.json").write_text(json.dumps(result(report), indent=2), encoding="utf-8")
    Path("release-body.md").write_text(points.as_markdown(report) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
