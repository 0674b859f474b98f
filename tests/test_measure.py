"""The script that measures lessons: what it counts as something to do, and how long it takes."""

import subprocess
import sys

import measure
import pytest

SETUP = """
from course import diagrams, mnist
from course.diagrams import mlp as drawn
from course.exercises import idx as exercises
from course.recognizer.widget import Recognizer
from course.widgets import new
from course.widgets.download_button import DownloadButton
from course.widgets.explorer import Explorer
from course.widgets.predict import Predictions
from ipywidgets import interact
predict = Predictions("03-cnn")
"""


def lesson(*sources):
    """The cells of a lesson: texts begin with "#"; the rest is code, after a cell of imports."""
    kinds = ["markdown" if source.startswith("#") else "code" for source in sources]
    cells = [{"cell_type": k, "source": [s]} for k, s in zip(kinds, sources, strict=True)]
    return [{"cell_type": "code", "source": SETUP.strip()}, *cells]


def counts(*sources):
    """What is there of all that is counted, but for text and code."""
    found = measure.measure(lesson(*sources))
    names = ("predictions", "prompts", "exercises", "repairs", "widgets", "diagrams")
    return {name: getattr(found, name) for name in names if getattr(found, name)}


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        (['predict("blas", "How long?", unit="ms")'], {"predictions": 1}),
        (['predict.was("blas", 3)\npredict.recap()', "model.predict(x)"], {}),
        (["# **Predict:** which?", "# **Predict** both."], {"prompts": 2}),
        (["def f(x):\n    ..."], {"exercises": 1}),
        (['def f(x):\n    """Double."""\n    y = ...\n    return y'], {"exercises": 1}),
        (
            ["class A:\n    def f(self):\n        return ...", "SUM.check(A)"],
            {"exercises": 1},
        ),
        (["def f(x):\n    ...", "exercises.SUM.check(f)\nexercises.SUM.hint()"], {"exercises": 1}),
        (["def f(x):\n    ...", "def g(x):\n    ...\n\nSUM.check(g)"], {"exercises": 2}),
        (["def f(x):\n    return x", "clinic.PATIENT_1.check(f)"], {"repairs": 1}),
        (["# a text", "SUM.check(f)"], {"exercises": 1}),
        (["environment.check()", "gradcheck.check(model)"], {}),
        (["def f(x):\n    return x[..., 0]", "x[...] = 0\n..."], {}),
        (["Explorer(f, x=(1, 2))\nExplorer(g)"], {"widgets": 1}),
        (["it = Recognizer(readers)", "new.Hover(x)", "interact(f, x=3)"], {"widgets": 3}),
        (["DownloadButton()", 'Predictions("x")', "mnist.load()", "widgets = Other()"], {}),
        (["diagrams.xor.network()\ndrawn.neuron()", "drawn.shapes()"], {"diagrams": 3}),
    ],
)
def test_what_the_learner_does_is_counted(sources, found):
    assert counts(*sources) == found


@pytest.mark.parametrize(
    ("sources", "longest"),
    [
        (["a", "# text", "b"], 4),  # with the imports
        (["predict('a', 'b?')", "a", "# c", "exercises.A.check(f)", "a"], 2),
        (["predict('a', 'b?')", "Explorer(f)", "a", "b", "# the end"], 3),
    ],
)
def test_the_longest_wait_is_counted_in_cells(sources, longest):
    assert measure.measure(lesson(*sources)).longest_wait == longest


def test_the_panel_at_the_end_is_no_part_of_the_lesson():
    imported = "from course.widgets.new import ProgressPanel"
    with_panel = lesson(f"a\n{imported}\nb", f"c\n{imported}", "ProgressPanel()")
    assert measure.measure(with_panel) == measure.measure(lesson("a\nb", "c"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# 03 · CNN\n\nSlide a **kernel**.", 5),
        ("[`course/cnn.py`](../course/cnn.py) | --- | [the lesson](03.ipynb 'a b')", 3),
        ("one<br>two <details><summary>What\n\nyou find</summary> 3 </details> three", 3),
    ],
)
def test_words_are_those_that_are_read(text, words):
    assert measure.count_words(text) == words


def test_minutes_are_those_of_the_rule():
    begin = measure.measure(lesson()).minutes
    text, code = "# " + "word " * 2000, "a\n" * 99 + "a"  # 10 minutes, and 5 minutes 25 seconds
    more = [text, code, *['predict("a", "b?")'] * 6, "def f(): ...", "Explorer(f)"]
    seconds = 600 + 325 + 6 * (25 + 3 + 20) + (25 + 3 + 240) + (25 + 3 + 90)
    assert measure.measure(lesson(*more)).minutes - begin == pytest.approx(seconds / 60, abs=1)


def test_the_cell_that_only_checks_an_exercise_takes_no_time_of_its_own():
    stub, check = "def f(x):\n    ...", "exercises.SUM.check(f)\ng = exercises.SUM.best(f)"
    alone, checked, used = (measure.measure(lesson(stub, *more)) for more in
                            ([], [check], [f"{check}\ng(3)"]))  # fmt: skip
    assert checked == alone
    assert used.code_cells == alone.code_cells + 1


def test_stated_minutes_are_found():
    assert measure.stated_minutes(lesson("# 03\n\nabout 40 minutes")[1:]) == 40
    assert measure.stated_minutes(lesson()) is measure.minutes_in_readme("99-none") is None
    assert measure.minutes_in_readme("00-start-here") > 0


def test_the_script_prints_a_row_for_each_lesson():
    done = subprocess.run([sys.executable, measure.__file__], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split()[0] for line in done.stdout.splitlines()]
    assert rows == ["lesson", *(path.stem for path in measure.NOTEBOOKS)]
