"""The clinic: each patient has its illness, is well once mended, and hears why other ways fail."""

import ast
import inspect
import json
import re
from pathlib import Path

import numpy as np
import pytest

from course import mnist
from course.exercises import clinic
from course.exercises.clinic import PATIENTS
from course.nn.doctor import ILLNESSES

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "09b-clinic.ipynb"
CONSEQUENCES = {"dead", "frozen", "stuck"}  # of what was found first
SEEDS = [0, 1, 2]


@pytest.fixture(params=PATIENTS)
def patient(request):
    return PATIENTS[request.param]


def changed(patient, *replacements):
    """The sick function as a learner has changed it: (old, new) in its source."""
    source = inspect.getsource(patient.sick)
    for old, new in replacements:
        assert old in source
        source = source.replace(old, new)
    return written(source)


def written(source):
    """The function of a cell, in the names that the lesson imports."""
    names = {}
    exec("".join(cells()["setup"]), names)
    exec(source, names)
    return names[re.search(r"def (patient_\d+)", source)[1]]


def cells():
    notebook = json.loads(NOTEBOOK.read_text("utf-8"))
    return {cell["id"]: "".join(cell["source"]) for cell in notebook["cells"]}


def test_there_are_ten_with_ten_illnesses():
    illnesses = {patient.illness for patient in PATIENTS.values()}
    assert len(PATIENTS) == len(illnesses) == 10 and illnesses <= set(ILLNESSES)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_doctor_finds_the_illness_and_what_follows_from_it(patient, seed):
    sick = patient._treat(patient.sick, seed)
    first, *others = [finding.illness for finding in sick.findings]
    assert first == patient.illness and set(others) <= CONSEQUENCES
    assert sick.accuracy < patient.reads or patient.illness == "leak"


def test_an_untouched_patient_is_not_attempted(patient):
    with_comment = inspect.getsource(patient.sick).replace("):\n", "):  # what ails it?\n", 1)
    for attempt in (None, ..., patient.sick, changed(patient), written(with_comment)):
        verdict = patient.verdict(attempt)
        assert (verdict.status, verdict.kind) == ("not attempted", "nothing")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_mended_patient_is_healthy_whatever_the_digits(patient, seed):
    verdict = patient.verdict(changed(patient, patient.mend), seed=seed)
    assert verdict.status == "passed", str(verdict)
    assert "But the doctor adds" not in str(verdict)


def test_the_courses_own_solution_is_known(patient):
    assert patient.verdict(patient.solution).status == "revealed"


BIASES = '    model.parameters["hidden.b"][:] = -8 * rng.random(32)\n'
EQUAL = "        w[:] = 0.01\n"
SPREAD = '    model.parameters["hidden.w"][:] *= 50\n'
TWICE = "reshape(-1, 784) / 255"
OTHER_WAYS = [
    (clinic.PATIENT_1, ("optimizer=\"momentum\", learning_rate=3.0", "learning_rate=0.5")),
    (clinic.PATIENT_2, ("-8 *", "0.1 *")),
    (clinic.PATIENT_3, ("    x = x[rng.permutation(len(x))]\n", "")),
    (clinic.PATIENT_4, ("Sigmoid()", "Tanh()")),
    (clinic.PATIENT_4, ("range(1, 6)", "range(1, 2)")),
    (clinic.PATIENT_5, ("epochs=40", "epochs=5")),
    (clinic.PATIENT_6, (TWICE, "reshape(-1, 784)\n    x = (x - x.mean()) / x.std()")),
    (clinic.PATIENT_7, ("*= 50", "*= 1.5")),
    (clinic.PATIENT_8, (EQUAL, "        w[:] = 0.2 * rng.random(w.shape) - 0.1\n")),
    (clinic.PATIENT_9, ("leaky=Leaky()", "relu=ReLU()")),
    (clinic.PATIENT_10, ("x[:200]", "x[:0]"), ("labels[:200]", "labels[:0]")),
]  # fmt: skip


@pytest.mark.parametrize(("patient", "replacements"), [(p, r) for p, *r in OTHER_WAYS])
def test_whatever_helps_is_right(patient, replacements):
    verdict = patient.verdict(changed(patient, *replacements))
    assert verdict.status == "passed", str(verdict)


LONGER, SLOWER = ("epochs=6", "epochs=25"), ("learning_rate=0.05", "learning_rate=0.01")
UNITS = [("784, 32", "784, 100"), ("Dense(32", "Dense(100")]
ORDER = "x = x[rng.permutation(len(x))]"
BACK = "np.where(dy > 0, dy, np.float32(0.1) * dy)"
COPIES = ("SimpleRng(10)", "SimpleRng(10)\n    x, labels = x[::-1].copy(), labels[::-1].copy()")
NO_HELP = [  # a patient, what is written in place of what, a part of what is said
    (1, [LONGER], "as wrong as those before"),
    (1, [("learning_rate=3.0", "learning_rate=30.0")], "the wrong way"),
    (1, [("learning_rate=3.0", "learning_rate=1.5")], "still too large"),
    (1, [("learning_rate=3.0", "learning_rate=0.0001")], "lead nowhere"),
    (1, UNITS, "steps that are as large"),
    (2, [LONGER], "never move"),
    (2, [SLOWER], "at whatever learning rate"),
    (2, [*UNITS, ("random(32)", "random(100)")], "silent again"),
    (2, [("-8 *", "-4 *")], "With these first biases"),
    (3, [LONGER], "by heart what is wrong"),
    (3, [SLOWER], "these pairs"),
    (3, UNITS, "and sooner"),
    (3, [(ORDER, f"{ORDER}\n    labels = labels[rng.permutation(len(x))]")], "the same order"),
    (3, [(ORDER, "labels = labels[rng.permutation(len(x))]")], "the same order"),
    (4, [("epochs=10", "epochs=25")], "by millionths"),
    (4, [("learning_rate=0.02", "learning_rate=0.5")], "too large for the last one"),
    (4, [("784, 32", "784, 64"), ("Dense(32", "Dense(64"), ("(64, 32", "(64, 64")], "More units"),
    (4, [('"bend0": Sigmoid()', '"bend0": ReLU()')], "that are left"),
    (4, [("range(1, 6)", "range(1, 4)")], "that are left"),
    (4, [('"momentum"', '"adam"')], "Another optimizer"),
    (5, [("epochs=40", "epochs=60")], "more of what ails it"),
    (5, [("784, 64", "784, 200"), ("Dense(64", "Dense(200")], "even better"),
    (5, [("784, 64", "784, 32"), ("Dense(64", "Dense(32")], "A smaller network"),
    (5, [("learning_rate=0.02", "learning_rate=0.05")], "sooner or later"),
    (5, [("epochs=40", "epochs=25")], "Fewer epochs are right"),
    (5, [("epochs=40", "epochs=1")], "Fewer epochs are right"),
    (5, [("epochs=40", "epochs=40, patience=30")], "take less patience"),
    (5, [("epochs=40", "epochs=40, weight_decay=0.0001")], "in another strength"),
    (5, [("validation_split=0.2", "validation_split=0.0")], "Whatever share"),
    (6, [("learning_rate=0.05", "learning_rate=50.0")], "makes up for something"),
    (6, [LONGER], "make up for it at best"),
    (6, [(TWICE, "reshape(-1, 784) * 255")], "too large"),
    (6, [(TWICE, "reshape(-1, 784) / 128")], "still too small"),
    (6, [(TWICE, "reshape(-1, 784) / 10")], "still too small"),
    (6, UNITS, "for want of units"),
    (7, [LONGER], "however long"),
    (7, [SLOWER], "at whatever learning rate"),
    (7, UNITS, "where their curve is flat"),
    (7, [("*= 50", "*= 20")], "still so large"),
    (7, [("tanh=Tanh()", "bend=Sigmoid()")], "gets the same sums"),
    (7, [("tanh=Tanh()", "bend=ReLU()")], "gets the same sums"),
    (8, [LONGER], "are one"),
    (8, [("learning_rate=0.02", "learning_rate=0.1")], "get equal gradients"),
    (8, UNITS, "all of them equal"),
    (8, [("w[:] = 0.01", "w[:] = 0")], "Another number"),
    (8, [("w[:] = 0.01", "w[:] = rng.random(1)")], "Another number"),
    (8, [("relu=ReLU()", "bend=Tanh()")], "on their way"),
    (9, [LONGER], "no farther than few"),
    (9, [("learning_rate=0.02", "learning_rate=0.002")], "of another length"),
    (9, UNITS, "in a wrong direction, too"),
    (9, [(BACK, "np.where(self.x < 0, dy, np.float32(0.1) * dy)")], "multiply x by"),
    (9, [(BACK, "np.where(self.x > 0, 1, np.float32(0.1))")], "multiply x by"),
    (9, [(BACK, "dy")], "multiply x by"),
    (10, [("epochs=12", "epochs=3")], "is not to be believed"),
    (10, [("learning_rate=0.05", "learning_rate=0.01")], "is not to be believed"),
    (10, UNITS, "for want of units"),
    (10, [("x[:200]", "x[:50]"), ("labels[:200]", "labels[:50]")], "Fewer digits"),
    (10, [COPIES], "In another order"),
]


def test_at_least_four_wrong_ways_are_told_for_each_patient():
    for number in range(1, 11):
        told = {words for patient, _, words in NO_HELP if patient == number}
        known = PATIENTS[f"patient-{number}"].mistakes
        assert len(told) == len(known) >= 4, number  # each of them is tried


@pytest.mark.parametrize(("number", "replacements", "words"), NO_HELP)
def test_what_does_not_help_is_told_why(number, replacements, words):
    patient = PATIENTS[f"patient-{number}"]
    verdict = patient.verdict(changed(patient, *replacements))
    assert (verdict.status, verdict.kind) == ("wrong", "mistake"), str(verdict)
    assert str(verdict).startswith("Not yet: it reads ") and words in str(verdict)
    assert f"{patient.illness!r}" not in str(verdict)  # that is for the learner to say


def test_an_illness_that_is_gone_is_not_spoken_of():
    """The illness is mended, and the network held back by something else that was changed."""
    slow = ("learning_rate=0.05", "learning_rate=0.0005")
    verdict = clinic.PATIENT_2.verdict(changed(clinic.PATIENT_2, (BIASES, ""), slow))
    assert verdict.kind == "value"
    assert str(verdict).endswith("What else is not as it was? Change one thing only.")


def test_what_is_unknown_and_does_not_help_leads_to_the_hints():
    fewer = ("epochs=6", "epochs=5")
    verdict = clinic.PATIENT_3.verdict(changed(clinic.PATIENT_3, fewer))
    assert verdict.kind == "value"
    assert str(verdict).endswith("`clinic.PATIENT_3.hint()` says where to look.")


def test_what_is_gone_for_the_price_of_another_illness_is_told():
    equal = "    for w in model.parameters.values(): w[:] = 0.01\n"
    verdict = clinic.PATIENT_7.verdict(changed(clinic.PATIENT_7, (SPREAD, equal)))
    assert verdict.kind == "value"
    assert "80% are wanted. The doctor finds no more of what ailed it, but: The gradient" in str(
        verdict
    )


BAD = {
    "nothing": ("return model, recipe, x, labels", "pass", "return what training needs"),
    "a trainer": ("return model, recipe, x, labels", "return model", "training to the check"),
    "no recipe": ("return model, recipe,", "return model, 5,", "return what training needs"),
    "an error": ("learning_rate=3.0", "learning_rate=-1", "ValueError: learning rate must be"),
    "half of it": ("x, labels", "x, labels[:5]", "it ended with"),
    "no end": ("rng = SimpleRng(1)", "while True: pass", "trains for more than 1 seconds"),
    "exit": ("rng = SimpleRng(1)", "raise SystemExit", "SystemExit"),
    "for ever": ("epochs=6", "epochs=10**9", "Take a smaller network, or fewer epochs"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_whatever_is_handed_in_the_lesson_goes_on(name, monkeypatch):
    monkeypatch.setattr(clinic.PATIENT_1, "limit", 1.0)
    old, new, words = BAD[name]
    verdict = clinic.PATIENT_1.verdict(changed(clinic.PATIENT_1, (old, new)))
    assert verdict.status == "wrong" and words in str(verdict)


def test_no_test_digit_is_used_and_the_learners_changes_do_not_last():
    patient = clinic.PATIENT_5
    test = {image.tobytes() for image in mnist.load().test_images}
    for _ in range(2):
        (images, labels), (others, _) = patient._digits(0)
        assert not {image.tobytes() for image in [*images, *others]} & test
        assert not {image.tobytes() for image in images} & {image.tobytes() for image in others}
        assert images.any() and 0.2 < np.mean(labels != clinic.PATIENT_1._digits(0)[0][1]) < 0.35
        images[:] = 0


def test_hints_lead_from_where_to_look_over_the_doctor_to_the_line(patient, capsys):
    for number in [1, 2, 3, 1]:
        patient.hint()
        assert capsys.readouterr().out.startswith(f"Hint {number} of 3: ")
    patient.hint()
    assert patient.second_opinion().split() == capsys.readouterr().out.split()[4:]
    patient.hint()
    line = capsys.readouterr().out
    patient.reveal()
    assert capsys.readouterr().out in line and patient.mend[0].strip() in line


# ---- The lesson ----------------------------------------------------------------------------------


def test_the_lesson_has_the_functions_of_the_package(patient):
    name = patient.sick.__name__.replace("_", "-")
    assert cells()[name] + "\n" == inspect.getsource(patient.sick)


@pytest.mark.parametrize("number", range(1, 11))
def test_nothing_in_the_lesson_gives_the_answer_away(number):
    """The names of the illnesses stand in one table; patients have numbers."""
    found = cells()
    texts = [found[f"{part}-{number}"] for part in ("story", "signals", "check")]
    illness = PATIENTS[f"patient-{number}"].illness
    assert not [text for text in texts if illness in text]


def test_code_of_the_lesson_diagnoses_and_checks_each_patient():
    calls = [
        ast.unparse(node)
        for text in cells().values()
        if "PATIENT_" in text and not text.startswith(("#", "**"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
    ]
    for number in range(1, 11):
        assert f"clinic.PATIENT_{number}.check(patient_{number})" in calls
        assert any(call.startswith(f"predict('patient-{number}'") for call in calls)
