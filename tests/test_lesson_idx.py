"""Lesson 01: its exercises judge rightly, and its figure shows the bytes that it is given."""

import struct

import numpy as np
import pytest

from course.exercises import idx as exercises
from course.plots.lessons_idx import byte_picture

ALL = [exercises.LABELS, exercises.SHORT, exercises.STRANGEST]


@pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.solution.__name__)
def test_exercise_knows_its_solution_from_nothing(exercise, capsys):
    assert exercise.verdict(exercise.solution) == "Correct, in all 3 cases."
    assert exercise.verdict(lambda *arguments: ...).startswith("Not attempted yet")
    assert "ended with ZeroDivisionError" in exercise.verdict(lambda *arguments: 1 / 0)
    exercise.reveal()
    assert capsys.readouterr().out.startswith(f"def {exercise.solution.__name__}(")


def short_file(array, order=">", code=0x0B, dtype=">i2"):
    header = struct.pack(f"{order}HBB{array.ndim}I", 0, code, array.ndim, *array.shape)
    return header + array.astype(dtype).tobytes()


@pytest.mark.parametrize(
    ("attempt", "verdict"),
    [
        (lambda array: short_file(array, order="<"), "ended with IdxError: <bytes>: "),
        (lambda array: short_file(array, dtype="<i2"), "the numbers have their little end first"),
        (lambda array: short_file(array)[:-2], "ended with IdxError: <bytes>: elements"),
        (lambda array: short_file(array.ravel()), "gave the shape (6,), expected the shape (2, 3)"),
        (lambda array: short_file(array, code=0x0C, dtype=">i4"), "the file holds int32"),
    ],
)
def test_file_exercise_says_what_is_wrong(attempt, verdict):
    assert exercises.SHORT.verdict(attempt).startswith("Not yet: ")
    assert verdict in exercises.SHORT.verdict(attempt)


def test_labels_with_the_header_are_not_correct():
    verdict = exercises.LABELS.verdict(lambda content: np.frombuffer(content, np.uint8))
    assert verdict.endswith(
        "gave the shape (9,), expected the shape (1,)\n"
        "It looks as if the header is taken for labels."
    )


def test_strangest_needs_the_mean_of_the_own_class():
    def of_all(images, labels):
        x = images.reshape(len(images), -1).astype(float)
        return np.linalg.norm(x - x.mean(axis=0), axis=1).argmax()

    assert "not of each one's own class" in exercises.STRANGEST.verdict(of_all)


@pytest.mark.filterwarnings("error")
def test_strangest_done_as_the_lesson_did_it_is_right_and_does_not_warn():
    def as_in_the_lesson(images, labels):
        x = images.reshape(-1, 784).astype(float)
        means = np.stack([x[labels == digit].mean(axis=0) for digit in range(10)])
        return np.linalg.norm(x - means[labels], axis=1).argmax()

    assert exercises.STRANGEST.verdict(as_in_the_lesson).startswith("Correct")


def pixels(figure):
    return figure.axes[0].images[0].get_array()


def test_byte_picture():
    content = bytes(range(10))
    assert pixels(byte_picture(content, width=4, skip=1, rows=2)).tolist() == [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
    ]
    assert pixels(byte_picture(content, width=3, skip=8, rows=2)).tolist() == [[8, 9, 0], [0, 0, 0]]
    for wrong in ({"width": 0}, {"skip": -1}):
        with pytest.raises(ValueError, match="width must be at least 1 and skip at least 0"):
            byte_picture(content, **wrong)
