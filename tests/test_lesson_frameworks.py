"""Lessons 10 and 10b: right answers of other forms, wrong ones, and what the texts say."""

import json
import re
from collections import deque
from pathlib import Path

import numpy as np
import pytest

from course import frameworks
from course.autograd import Tensor, tensor
from course.exercises import frameworks as exercises
from course.exercises import pytorch
from course.nn.gradcheck import numerical_gradient, relative_error

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
CALL = re.compile(r"^in_(torch|jax)\((\w+)\)$", re.MULTILINE)


def kahn(last, parents):
    """Whoever waits for nobody is noted: another topological order."""
    names, waiting = {last}, deque([last])
    while waiting:
        for parent in parents.get(waiting.popleft(), []):
            if parent not in names:
                names.add(parent)
                waiting.append(parent)
    order = []
    while names:
        ready = sorted(n for n in names if not set(parents.get(n, [])) & names)
        order += ready
        names -= set(ready)
    return order


def axis_by_axis(gradient, shape):
    while gradient.ndim > len(shape):
        gradient = gradient.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1:
            gradient = gradient.sum(axis=axis, keepdims=True)
    return gradient


def by_power(x, gain):
    return x * ((x**2).sum(axis=1, keepdims=True) / x.shape[1] + 1e-5) ** -0.5 * gain


def by_suffix(parameters):
    return {
        k.replace(".w", ".weight").replace(".b", ".bias"): np.transpose(a)
        for k, a in parameters.items()
    }


@pytest.mark.parametrize(
    ("exercise", "attempt"),
    [
        (exercises.MULTIPLY_BACKWARD, lambda dy, a, b: [b * dy, a * dy]),
        (exercises.ORDER, kahn),
        (exercises.UNBROADCAST, axis_by_axis),
        (exercises.RMS_NORM, by_power),
        (pytorch.STATE_DICT, by_suffix),
    ],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_other_right_answers(exercise, attempt, seed):
    assert exercise.verdict(attempt, seed=seed).status == "passed"


@pytest.mark.parametrize(
    "exercise",
    [
        exercises.MULTIPLY_BACKWARD,
        exercises.ORDER,
        exercises.UNBROADCAST,
        exercises.RMS_NORM,
        pytorch.STATE_DICT,
    ],
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_known_mistakes_are_told_in_other_cases_too(exercise, seed):
    assert len(exercise.mistakes) >= 4
    for mistake, attempt in exercise.mistakes.items():
        assert f"It looks as if {mistake}." in exercise.verdict(attempt, seed=seed).message


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda x, gain: gain * x / np.sqrt(exercises._mean(x * x) + 1e-5), "TypeError"),
        (lambda x, gain: x.data * gain.data, "the layer gave a ndarray: compute with x and gain"),
        (lambda x, gain: x * x, "in part 'the output'"),
    ],
)
def test_a_layer_that_leaves_the_tensors_is_told(attempt, message):
    assert message in exercises.RMS_NORM.verdict(attempt).message


def test_an_order_that_comes_too_early_names_who_is():
    verdict = exercises.ORDER.verdict(lambda last, parents: sorted({last, *sum(
        map(list, parents.values()), [])}))  # fmt: skip
    assert "in part 'names before one of their parents'" in verdict.message


def test_the_order_of_the_exercise_is_that_of_the_tensors():
    a, b = Tensor(2.0, "a"), Tensor(3.0, "b")
    p = a * b
    q = p + a
    loss = p * q
    p.name, q.name, loss.name = "p", "q", "loss"
    names = [one.name for one in loss.graph()]
    parents = {one.name: [parent.name for parent, _ in one.parents] for one in loss.graph()}
    assert names == exercises.topological_order("loss", parents)


def test_absolute_values_two_ways():
    """The open exercise of lesson 10."""

    def absolute(x):
        return tensor.computed("abs", np.abs(x.data), (x, lambda dy: dy * np.sign(x.data)))

    x = np.array([-1.5, 0.5, 2.0])
    for way in (absolute, lambda x: x.relu() + (-x).relu()):
        one = Tensor(x)
        (way(one) ** 2).sum().backward()
        slopes = numerical_gradient(lambda way=way: float((way(Tensor(x)) ** 2).sum().data), x)
        assert relative_error(one.grad, slopes) < 1e-8
    at_zero = Tensor([0.0])
    absolute(at_zero).sum().backward()
    assert at_zero.grad.tolist() == [0]
    x = Tensor([1.0])
    composed = [one.operation for one in (x.relu() + (-x).relu()).graph() if one.operation]
    assert len(composed) == 1 + 3  # three more notes than "abs" alone


def test_rms_norm_hides_the_size_of_the_pixels():
    random = np.random.default_rng(0)
    x, gain = Tensor(random.standard_normal((5, 8))), Tensor(random.standard_normal(8))
    small, large = (exercises.rms_norm(x * factor, gain).data for factor in (1.0, 255.0))
    assert np.allclose(small, large, rtol=1e-3)


def cells_of(name):
    return json.loads((NOTEBOOKS / name).read_text(encoding="utf-8"))["cells"]


def framework_cells():
    """(package, function, cell) of each cell that needs a framework."""
    for cell in cells_of("10b-pytorch.ipynb"):
        if call := CALL.search("".join(cell["source"])):
            yield *call.groups(), cell


def test_what_is_stored_belongs_to_the_cells_of_the_lesson():
    kept = json.loads(frameworks.STORED.read_text(encoding="utf-8"))
    stored = {(package, name) for package in kept for name in kept[package]["printed"]}
    assert stored == {(package, name) for package, name, _ in framework_cells()}


@pytest.mark.parametrize(("package", "name", "cell"), list(framework_cells()))
def test_the_lesson_shows_what_is_stored(package, name, cell):
    found = "".join("".join(o["text"]) for o in cell["outputs"] if o["output_type"] == "stream")
    missing = ModuleNotFoundError(package)
    assert found == frameworks.stored_text(name, package, missing) + "\n"
