"""Write `build/student`, a copy of the course for students, without solutions (`make student`).

Nothing is left there if anything of a solution is in it. docs/teaching/handing-out.md says what a
solution is, and what becomes of an exercise without it.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from teaching import copying, exercises, leaks, recording, stripping

GITHUB = Path("teaching/github")
TEACHERS = ("docs/teaching/", "deploy/", "tests/", "teaching/", ".ci/")  # not for students
LINKED = ("docs/teaching/README.md", "deploy/jupyterhub/README.md")  # pages of these, by others
TO_TEACHERS = "# For teachers\n\nThe teacher's kit is not part of this copy.\n"
GIVEN = {"check.yml": ".github/workflows/check.yml", "points.py": ".github/points.py"}


def write(target, alter=None):
    """Write the copy, into a folder that is emptied first.

    Args:
        target: the folder.
        alter: called with the folder before it is searched, for tests.

    Raises:
        CopyError: something of a solution is in it. The folder is gone again.
    """
    found = exercises.by_place()
    if not all(one.has_solution for one in found.values()):
        raise copying.CopyError("this is a student's copy itself: it has no solutions to leave out")
    kept = [path for path in copying.files() if not path.as_posix().startswith(TEACHERS)]
    copying.copy(kept, target)
    for source, place in GIVEN.items():
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(copying.ROOT / GITHUB / source, target / place)
    secrets = secrets_of(found.values())
    _strip(target, found, kept, set().union(*secrets.values()))
    for page in LINKED:
        (target / page).parent.mkdir(parents=True)
        (target / page).write_text(TO_TEACHERS, encoding="utf-8")
    if alter:
        alter(target)
    if found := left(target, secrets):
        shutil.rmtree(target)
        raise copying.CopyError("\n".join(map(str, found)))


def _strip(target, found, paths, secrets):
    """Take the solutions out of the copied exercises and lessons, and write the record of them."""
    functions = [one for one in found.values() if not exercises.is_patient(one)]
    own = [one.solution for one in functions if exercises.is_own(one)]
    folder = target / exercises.FOLDER.relative_to(copying.ROOT)
    used = stripping.imported(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    for path in folder.glob("*.py"):
        module = f"{exercises.PACKAGE}.{path.stem}"
        if any(place.startswith(f"{path.stem}.") for place in found):
            names = {one.__name__ for one in own if one.__module__ == module}
            text = path.read_text(encoding="utf-8")
            text = stripping.without_solutions(text, names, secrets, used)
            path.write_text(text, encoding="utf-8")
    # Where much was cut out, what is left does not look as if somebody had written it.
    formatting = [sys.executable, "-m", "ruff", "format", "--quiet", "--no-cache", str(folder)]
    subprocess.run(formatting, check=True)
    (folder / "recorded.json").write_text(recording.as_json(functions), encoding="utf-8")
    for path in (path for path in paths if path.suffix == ".ipynb"):
        notebook = json.loads((target / path).read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            text = stripping.without_findings("".join(cell["source"]))
            cell["source"] = text.splitlines(keepends=True)
        text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
        (target / path).write_text(text, encoding="utf-8")


def secrets_of(found):
    """What is searched for: a dict from the names of the solutions to their lines, as essences."""
    lines = exercises.secret_lines(found)
    return {name: leaks.secrets_of(of_one) for name, of_one in lines.items()}


def left(target, secrets):
    """What of a solution is left in a copy: Leaks, or sentences of what it tells when it is run."""
    paths = [path for path in sorted(target.rglob("*")) if path.is_file()]
    texts = {path.relative_to(target).as_posix(): leaks.readable(path) for path in paths}
    return leaks.in_texts(texts, secrets) or leaks.when_run(target)


def main():
    return copying.main("student", __doc__, write, "it has no solutions.")


if __name__ == "__main__":
    sys.exit(main())
