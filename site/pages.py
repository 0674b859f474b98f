"""The pages: every lesson as it was run, a front page, and the reference of the package."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import lesson_pages

HERE = Path(__file__).parent
COURSE = HERE.parent
TABLE_ROW = re.compile(r"^\| (?P<lesson>\d\w*-[\w-]+) \|(?P<rest>.*)\| [^|]* \|$", re.M)
TEXTS = ("notation.md", "check.md", "cluster.md", "teaching")  # of docs/
TO_LESSON = re.compile(r"\]\((?:\.\./)+notebooks/")


def build(out):
    """Build the pages into the folder `out`; a warning of Sphinx fails."""
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary)
        shutil.copytree(HERE / "pages", source, dirs_exist_ok=True)
        shutil.copy(COURSE / "docs" / "recognizer.png", source)
        for name in TEXTS:
            lay_texts(COURSE / "docs" / name, source / name)
        index = source / "index.md"
        index.write_text(index.read_text().format(lessons=lessons_table(), figures=figures()))
        links = set()
        for path in sorted((COURSE / "notebooks").glob("*.ipynb")):
            links |= lesson_pages.lay(path, source)
        lay_code(sorted(links), source)
        subprocess.run(
            [
                *(sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"),
                *("-D", f"autoapi_dirs={COURSE / 'course'}", "-d", source / "doctrees"),
                *(source, out),
            ],
            check=True,
        )
    mend(out)


def mend(out):
    """What the pages of Sphinx and Furo lack for readers who use no mouse, or no screen.

    A block that can be scrolled must take the focus, and a heading must say of which level it is.
    """
    for path in out.rglob("*.html"):
        text = path.read_text()
        text = text.replace("<pre>", '<pre tabindex="0">')
        text = text.replace('<div class="math-wrapper', '<div tabindex="0" class="math-wrapper')
        text = text.replace('role="heading">', 'role="heading" aria-level="2">')
        path.write_text(text)


def lay_texts(path, target):
    """Copy a text, or a folder of texts, of docs/; links that lead out of it remain as words."""
    if path.is_dir():
        target.mkdir()
        for inner in path.glob("*.md"):
            lay_texts(inner, target / inner.name.replace("README", "index"))
        return
    up = len(path.relative_to(COURSE / "docs").parts) - 1  # folders between it and docs/
    text = TO_LESSON.sub(f"]({'../' * up}lessons/", path.read_text())
    out = re.compile(r"\[([^\]]+)\]\(" + r"\.\./" * (up + 1) + r"[^)]*\)")
    target.write_text(out.sub(r"\1", text).replace("](README.md", "](index.md"))


def lay_code(paths, source):
    """A page for each of these files of the package, and one that lists them."""
    (source / "code").mkdir()
    for path in paths:
        code = (COURSE / path).read_text()
        (source / f"{lesson_pages.code_page(path)}.md").write_text(
            f"# {path}\n\n`````python\n{code}`````\n"
        )
    listed = "\n".join(lesson_pages.code_page(path).removeprefix("code/") for path in paths)
    (source / "code" / "index.md").write_text(
        "# The code that lessons show\n\n```{toctree}\n" + listed + "\n```\n"
    )


def lessons_table():
    """README's table of the lessons, each with a link to its page; without the last column."""
    readme = (COURSE / "README.md").read_text()
    rows = [
        f"| [{row['lesson']}](lessons/{row['lesson']}.ipynb) |{row['rest']}|"
        for row in TABLE_ROW.finditer(readme)
    ]
    count = len(list((COURSE / "notebooks").glob("*.ipynb")))
    if len(rows) != count:
        raise SystemExit(f"README's table has {len(rows)} lessons, notebooks/ has {count}")
    return "\n".join(["| lesson | minutes | what you do |", "| --- | ---: | --- |", *rows])


def figures():
    """README's section on what the networks reach, as far as its first table."""
    section = (COURSE / "README.md").read_text().partition("## What it reaches\n")[2]
    text, table, _ = re.split(r"(?m)((?:^\|.*\n)+)", section, maxsplit=1)
    return text.strip() + "\n\n" + table
