"""Lesson 01: its exercises judge rightly, and its figure shows the bytes that it is given."""

import io
import struct
import wave

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from course import mnist
from course.exercises import idx as exercises
from course.nn.blas import gemm
from course.plots.lessons_idx import byte_picture

ALL = [exercises.HEADER, exercises.SHORT, exercises.NEAREST, exercises.WAV]


@pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.solution.__name__)
def test_exercise_knows_its_solution_from_nothing(exercise, capsys):
    assert exercise.verdict(exercise.solution).status == "revealed"
    assert exercise.verdict(lambda *arguments: ...).status == "not attempted"
    assert "ended with ZeroDivisionError" in exercise.verdict(lambda *arguments: 1 / 0).message
    exercise.reveal()
    assert capsys.readouterr().out.startswith(f"def {exercise.solution.__name__}(")


def short_file(array, order=">", code=0x0B, dtype=">i2"):
    header = struct.pack(f"{order}HBB{array.ndim}I", 0, code, array.ndim, *array.shape)
    return header + array.astype(dtype).tobytes()


@pytest.mark.parametrize(
    ("attempt", "verdict"),
    [
        (lambda array: short_file(array, order="<"), "gave bytes that are no IDX file: elements ("),
        (lambda array: short_file(array, dtype="<i2"), "the numbers have their little end first"),
        (
            lambda array: short_file(array)[:-2],
            "gave bytes that are no IDX file: elements (2 x 3 int16): found 10 bytes",
        ),
        (lambda array: short_file(array.ravel()), "gave the shape (6,), expected the shape (2, 3)"),
        (
            lambda array: short_file(array, code=0x0C, dtype=">i4"),
            "gave a file of int32, expected int16",
        ),
    ],
)
def test_file_exercise_says_what_is_wrong(attempt, verdict):
    assert exercises.SHORT.verdict(attempt).status == "wrong"
    assert verdict in exercises.SHORT.verdict(attempt).message


@pytest.mark.parametrize(
    "read_header",
    [
        lambda content: (content[2], np.frombuffer(content, ">u4", content[3], offset=4)),
        lambda content: (content[2], list(struct.unpack_from(f">{content[3]}I", content, 4))),
    ],
    ids=["numpy", "struct"],
)
def test_a_header_may_be_read_in_other_ways(read_header):
    assert exercises.HEADER.verdict(read_header).status == "passed"


def test_a_header_reader_that_knows_this_one_file_is_not_right():
    def of_images(content):
        return content[2], struct.unpack(">3I", content[4:16])

    verdict = exercises.HEADER.verdict(of_images).message
    assert "gave a tuple of length 3 in part 2, expected 1" in verdict
    assert verdict.endswith("it always reads three sizes; byte 3 says how many there are.")


def test_the_nearest_mean_image_by_image_is_right():
    def one_by_one(x, means):
        return [np.argmin([((image - mean) ** 2).sum() for mean in means]) for image in x]

    assert exercises.NEAREST.verdict(one_by_one).status == "passed"


def test_wav_is_what_the_standard_library_makes_of_it():
    samples = np.array([0, 1, -1, 32767, -32768])
    content = exercises.wav(samples, rate=44_100)
    with wave.open(io.BytesIO(content)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (44_100, 1, 2)
        assert np.array_equal(np.frombuffer(sound.readframes(9), "<i2"), samples)
    rate, found = exercises.read_wav(content + b"LIST")
    assert rate == 44_100 and np.array_equal(found, samples)


def test_neighbors_are_as_good_as_the_text_says_and_blurred_ones_better():
    digits = mnist.load(mnist.CLONE_DATA / "sample")

    def wrong(sigma):
        both = (digits.train_images, digits.test_images)
        blurred = (gaussian_filter(images.astype(float), (0, sigma, sigma)) for images in both)
        x, test_x = (images.reshape(-1, 784) for images in blurred)
        squares = (x**2).sum(axis=1) - 2 * gemm(test_x, x, trans_b=True)  # and a part in common
        return (digits.train_labels[squares.argmin(axis=1)] != digits.test_labels).sum()

    plain, blurred = wrong(0), wrong(1)
    assert 60 <= plain <= 75, "of 1,000: the recap says 93 % right"
    assert 0.08 < 1 - blurred / plain < 0.25, "the exercise says some 15 of every 100 mistakes"


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
