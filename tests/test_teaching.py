"""The teacher's kit, docs/teaching: lessons, cells, minutes and exercises are the notebooks'."""

import ast
import re
import shlex
from pathlib import Path

import measure
import measure_cost
import pytest
import yaml

from course import __version__
from course.commands import cli
from course.nn import classes
from teaching import assignment, leaks

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs/teaching"
CELLS = {path.stem: measure.read_cells(path) for path in measure.NOTEBOOKS}
MINUTES = {lesson: measure.measure(cells).minutes for lesson, cells in CELLS.items()}
OPEN = re.compile(r"\*\*Exercise(?: (\d+))? \(open\)")
OPEN_MINUTES, CLASS_MINUTES, HOME_MINUTES = 20, 75, 90  # as plans.md says
PLANS = {"Eight sessions": 8, "Fourteen sessions": 14}


def page(name):
    return (FOLDER / name).read_text(encoding="utf-8")


def sections(text):
    """The parts below headings of the second level, by the words of the heading."""
    parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def rows(text):
    """The rows of the tables of a Markdown text, without their heads: lists of cells."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    found = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    rules = {n for n, row in enumerate(found) if all(re.fullmatch(r":?-+:?", c) for c in row)}
    return [row for n, row in enumerate(found) if n not in rules and n + 1 not in rules]


def names_in(text):
    return re.findall(r"`([^`]+)`", text)


def open_exercises():
    """Pairs (lesson, number) of all open exercises; the number is "" where there is only one."""
    return {
        (lesson, number)
        for lesson, cells in CELLS.items()
        for cell in cells
        for number in OPEN.findall("".join(cell["source"]))
    }


# ---- Objectives ----------------------------------------------------------------------------------


def places_to_do(cells):
    """The ids of the cells in which a learner does something that can be seen."""
    code = {c["id"]: ast.parse("".join(c["source"])) for c in cells if c["cell_type"] == "code"}
    names = dict(pair for tree in code.values() for pair in measure.imported(tree))
    checked = set().union(*map(measure.checks_in, code.values()))
    found = {
        cell
        for cell, tree in code.items()
        if measure.calls_predict(tree)
        or measure.gaps_in(tree)
        or measure.checks_in(tree)
        or measure.calls_into(tree, names, measure.WIDGETS)
        or checked & {name for name, _ in measure.definitions(tree)}
        or cell == "draw"  # of lessons 06 and 09: the canvas has a name of its own
    }
    asked = re.compile(r"<details>|\*\*Predict|\*\*Write it|on paper|your sheet")
    texts = {c["id"]: "".join(c["source"]) for c in cells if c["cell_type"] == "markdown"}
    return found | {cell for cell, text in texts.items() if asked.search(text)}


OBJECTIVES = {
    heading.split()[0]: (heading, text) for heading, text in sections(page("objectives.md")).items()
}


def test_objectives_have_every_lesson_in_its_order():
    assert list(OBJECTIVES) == list(CELLS)


@pytest.mark.parametrize("lesson", CELLS)
def test_minutes_of_a_lesson_are_those_that_are_measured(lesson):
    assert OBJECTIVES[lesson][0] == f"{lesson} ({MINUTES[lesson]} minutes)"


@pytest.mark.parametrize("lesson", CELLS)
def test_an_objective_is_seen_where_the_learner_does_something(lesson):
    table = rows(OBJECTIVES[lesson][1])
    named = [names_in(seen) for _, seen in table]
    assert table and all(named)
    assert {name for row in named for name in row} - places_to_do(CELLS[lesson]) == set()


@pytest.mark.parametrize("lesson", CELLS)
def test_every_exercise_serves_an_objective(lesson):
    code = {c["id"]: "".join(c["source"]) for c in CELLS[lesson] if c["cell_type"] == "code"}
    gaps = {cell for cell, text in code.items() if measure.gaps_in(ast.parse(text))}
    texts = {c["id"]: "".join(c["source"]) for c in CELLS[lesson]}
    opened = {cell for cell, text in texts.items() if OPEN.search(text)}
    assert (gaps | opened) - set(names_in(OBJECTIVES[lesson][1])) == set()


# ---- Plans ---------------------------------------------------------------------------------------


def needed(lesson):
    """The lessons that a lesson says it needs; those that only "help" come behind a semicolon."""
    needs = "".join(CELLS[lesson][0]["source"]).partition("**You need:**")[2]
    return set(re.findall(r"\]\(([\w-]+)\.ipynb\)", re.split(r"[.;]\s", needs)[0]))


def opens_in(text):
    return [(le, n) for n, le in re.findall(r"open exercise (?:(\d+) )?of `([\w-]+)`", text)]


def plan(title):
    """The sessions of a plan: (number, class, its minutes, home, its minutes), all texts."""
    return [row[:5] for row in rows(sections(page("plans.md"))[title])]


def taught(title):
    """The lessons of a plan in the order in which learners meet them."""
    found = []
    for _, in_class, _, at_home, _ in plan(title):
        at_home = re.sub(r"open exercise (\d+ )?of `[\w-]+`", "", at_home)
        found += names_in(in_class) + names_in(at_home)
    return found


@pytest.mark.parametrize("title", PLANS)
def test_a_plan_has_its_sessions(title):
    assert [int(number) for number, *_ in plan(title)] == list(range(1, PLANS[title] + 1))


@pytest.mark.parametrize("title", PLANS)
def test_a_plan_has_each_lesson_once_and_says_what_it_leaves_out(title):
    text = sections(page("plans.md"))[title]
    (left_out,) = re.findall(r"^Left out: (.*)\.$", text, re.MULTILINE)
    left_out = names_in(left_out)
    assert sorted(taught(title) + left_out) == sorted(CELLS)
    assert all(re.match(r"\d\d[a-z]-", lesson) for lesson in left_out)


@pytest.mark.parametrize("title", PLANS)
def test_a_lesson_comes_after_those_that_it_needs(title):
    order = taught(title)
    early = {le: needed(le) - set(order[:n]) for n, le in enumerate(order)}
    assert {lesson: missing for lesson, missing in early.items() if missing} == {}


def test_needs_are_found():
    assert needed("02-mlp") == {"01-idx"} and needed("06-recognizer") == {"02-mlp"}
    assert needed("08-last-percent") == {"03-cnn", "07-comparison"}
    assert needed("08b-how-frameworks-convolve") == {"08-last-percent", "03b-cnn-speed"}


@pytest.mark.parametrize("title", PLANS)
def test_minutes_of_a_session_add_up_and_fit(title):
    for number, in_class, class_minutes, at_home, home_minutes in plan(title):
        opened = opens_in(at_home)
        lessons = names_in(re.sub(r"open exercise (\d+ )?of `[\w-]+`", "", at_home))
        expected = sum(MINUTES[lesson] for lesson in names_in(in_class))
        at_home_expected = sum(MINUTES[le] for le in lessons) + OPEN_MINUTES * len(opened)
        found = int(class_minutes), int(home_minutes)
        assert found == (expected, at_home_expected), f"session {number}"
        assert expected <= CLASS_MINUTES and at_home_expected <= HOME_MINUTES, f"session {number}"


@pytest.mark.parametrize("title", PLANS)
def test_an_open_exercise_is_set_once_and_after_its_lesson(title):
    met, opened = set(), []
    for _, in_class, _, at_home, _ in plan(title):
        met |= set(names_in(in_class)) | set(names_in(at_home.replace("open exercise", "")))
        opened += opens_in(at_home)
        assert {lesson for lesson, _ in opened} <= met
    assert opened and len(opened) == len(set(opened)) and set(opened) <= open_exercises()


# ---- Questions and answers -----------------------------------------------------------------------


@pytest.mark.parametrize("lesson", CELLS)
def test_each_lesson_has_three_to_five_questions_with_answers(lesson):
    text = sections(page("questions.md"))[lesson]
    parts = re.split(r"^\d\. ", text, flags=re.MULTILINE)[1:]
    assert 3 <= len(parts) <= 5
    assert all(re.match(r"\*\*[^*]+[?.]\*\*\s+\S", part) for part in parts)


def test_questions_are_of_the_lessons_alone():
    assert list(sections(page("questions.md"))) == list(CELLS)


def test_every_open_exercise_has_an_answer():
    headings = re.findall(r"^### (.+)$", page("answers.md"), re.MULTILINE)
    wanted = [f"{le}, exercise {n}" if n else f"{le}, exercise" for le, n in open_exercises()]
    assert sorted(headings) == sorted(wanted)


# ---- Costs ---------------------------------------------------------------------------------------


def test_costs_have_every_lesson_in_its_order_and_fit_the_limit_of_a_hub():
    table = rows(sections(page("costs.md"))["Each lesson"])
    assert [names_in(row[0]) for row in table] == [[lesson] for lesson in CELLS]
    numbers = [[float(cell) for cell in row[1:]] for row in table]
    assert all(len(row) == len(measure_cost.HEAD) - 1 and min(row) > 0 for row in numbers)
    private = measure_cost.HEAD.index("private MB") - 1
    config = (ROOT / "deploy/jupyterhub/jupyterhub_config.py").read_text(encoding="utf-8")
    (limit,) = re.findall(r'^MEMORY = "(\d+)G"', config, re.MULTILINE)
    assert max(row[private] for row in numbers) * 1e6 < int(limit) * 2**30


def test_a_class_on_a_hub_had_twelve_students_and_three_more():
    table = rows(sections(page("costs.md"))["A class at once"])
    names = [row[0] for row in table]
    assert [name for name in names if name.startswith("student")] == [
        f"student-{n:02}" for n in range(1, 13)
    ]
    assert {"late", "looping", "greedy", "hub"} < set(names)
    assert not any("failed" in row for row in table)


# ---- All pages -----------------------------------------------------------------------------------

PAGES = sorted(path.name for path in FOLDER.glob("*.md"))


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_files(name):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page(name))
    local = [link for link in links if not link.startswith("http")]
    assert [link for link in local if not (FOLDER / link).exists()] == []


def test_the_index_leads_to_every_page():
    assert set(re.findall(r"\]\(([\w-]+\.md)\)", page("README.md"))) == {*PAGES} - {"README.md"}


def cells_named(text):
    """What tables name: (lesson, cell, row), a lesson in the first column, its cells next."""
    for row in rows(text):
        if row and (lesson := row[0].strip("`")) in CELLS:
            yield from ((lesson, cell, row) for cell in names_in(row[1]))


def test_cells_that_other_data_break_are_there_and_assert_it():
    found = list(cells_named(page("other-digits.md")))
    assert found
    for lesson, cell, row in found:
        sources = {c["id"]: "".join(c["source"]) for c in CELLS[lesson]}
        assert cell in sources, (lesson, cell)
        for quoted in names_in(row[2]):
            assert quoted in sources[cell], (lesson, cell, quoted)


def commands():
    """The arguments of the course's commands in the blocks of the kit."""
    text = "\n".join(map(page, PAGES))
    lines = re.findall(r"^ {4,}(python -m course .+)$", text, re.MULTILINE)
    return [shlex.split(line.split(" > ")[0])[3:] for line in lines]


@pytest.mark.parametrize("arguments", commands(), ids=" ".join)
def test_a_command_that_is_named_is_understood(arguments):
    cli.make_parser(arguments[0]).parse_args(arguments)


def test_programs_for_teachers_that_are_named_are_there():
    text = "\n".join(map(page, PAGES))
    named = set(re.findall(r"python -m teaching\.(\w+)", text))
    assert named == {"assignment", "duplicates"}
    paths = set(re.findall(r"\bteaching/[\w/]+\.py\b", text))
    assert paths and [path for path in paths if not (ROOT / path).is_file()] == []
    tests = set(re.findall(r"\btests/class/\w+\.py\b", text))
    assert tests and [path for path in tests if not (ROOT / path).is_file()] == []
    targets = set(re.findall(r"^ {4}make (\w+)$", page("handing-out.md"), re.MULTILINE))
    assert targets == {"student", "instructor"}
    assert re.search(r"^student instructor: whole ", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_what_is_said_of_nbgrader_is_what_is_tried():
    text, tried = page("nbgrader.md"), (ROOT / ".ci/run").read_text(encoding="utf-8")
    (version,) = re.findall(r"^nbgrader=(.+)$", tried, re.MULTILINE)
    assert set(re.findall(r"nbgrader(?:==| )(\d[\d.]+\d)", text)) == {version}
    (seconds,) = re.findall(r"c\.Execute\.timeout = (\d+)", assignment.CONFIG)
    assert f"writes says {seconds};" in text and f"--Execute.timeout={seconds}" in text
    block = re.search(r"## Install\n(.+?)\n## ", text, re.DOTALL)[1]
    for line in re.findall(r"^ {4}python -m pip (.+)$", block, re.MULTILINE):
        line = line.replace(version, "$nbgrader")
        assert line in tried.replace('"', ""), line


def test_what_is_said_of_the_workflow_is_in_it():
    workflow = (ROOT / "teaching/github/check.yml").read_text(encoding="utf-8")
    text = page("github.md")
    assert "python -m course check --json handed-in/*.ipynb > report.json" in text
    assert 'python -m course check --json "${notebooks[@]}" > report.json' in workflow
    assert "notebooks=(handed-in/*.ipynb)" in workflow and ".github/points.py" in text
    assert yaml.safe_load(workflow)["permissions"] == {"contents": "read"}
    assert f"from {leaks.SHORTEST} characters on" in page("handing-out.md")


def test_class_names_of_other_data_are_taken(tmp_path):
    blocks = re.findall(r"<!-- classes\.txt -->\n\n((?: {4}.+\n)+)", page("other-digits.md"))
    assert len(blocks) == 2
    for block in blocks:
        (tmp_path / classes.FILE).write_text(re.sub("(?m)^ {4}", "", block), encoding="utf-8")
        assert len(classes.read(tmp_path)) == 10


def test_the_citation_names_this_version():
    found = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert found["cff-version"] == "1.2.0" and found["version"] == __version__
    assert {"title", "message", "authors"} <= found.keys() and found["license"] == "MIT"


def test_the_changelog_names_this_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["date-released"]
    assert re.findall(r"^## \[(?!Unreleased)(.*)\] - (.*)$", text, re.MULTILINE)[0] == (
        __version__,
        released.isoformat(),
    )
