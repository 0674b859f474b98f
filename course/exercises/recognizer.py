"""The exercises of lessons 06 and 06b."""

import numpy as np

from course.exercises import Exercise
from course.nn.losses import softmax

LESSON = "06-recognizer"
SECOND = "06b-your-own"


def slant(image):
    rows, columns = np.indices(image.shape)  # both (height, width)
    rows = rows - np.average(rows, weights=image)
    columns = columns - np.average(columns, weights=image)
    return (image * rows * columns).sum() / (image * rows**2).sum()


def center(scaled):
    height, width = scaled.shape  # at most 20 each
    row = np.average(np.arange(height), weights=scaled.sum(axis=1))
    column = np.average(np.arange(width), weights=scaled.sum(axis=0))
    top = np.clip(round(14 - row), 0, 28 - height)
    left = np.clip(round(14 - column), 0, 28 - width)
    centered = np.zeros((28, 28), np.uint8)
    centered[top : top + height, left : left + width] = scaled
    return centered


def read_or_refuse(probabilities, threshold):
    digits = probabilities.argmax(axis=1)
    return np.where(probabilities.max(axis=1) < threshold, -1, digits)


def rehearse(own, known):
    times = -(-len(known) // len(own))  # rounded up
    return np.concatenate([own] * times + [known])


def _images(random):
    hook = np.array([[0, 0, 3], [0, 2, 0], [1, 0, 0], [4, 0, 0]], np.uint8)
    stroke = np.zeros((28, 28), np.uint8)
    for row in range(4, 24):
        stroke[row, 24 - row // 2] = 255  # half a column to the left for each row
    shapes = random.integers(4, 20, (3, 2))
    return [(hook,), (stroke,), *((random.integers(0, 256, s, np.uint8),) for s in shapes)]


def _scaled(random):
    """A hook with most of its ink far from the middle, long tails, and any gray picture."""
    hook = np.zeros((20, 12), np.uint8)
    hook[:, 0], hook[17:] = 90, 255
    tails = np.full((20, 20), 1, np.uint8), np.full((20, 20), 1, np.uint8)
    tails[0][:2, :2] = tails[1][18:, 18:] = 255
    shapes = [(20, random.integers(2, 20)), (random.integers(2, 20), 20), (20, 1)]
    gray = [random.integers(0, 256, shape, np.uint8) for shape in shapes]
    return [(picture,) for picture in (hook, *tails, *gray)]


def _doubts(random):
    exact = np.array([[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]])  # one is just as sure as it must be
    cases = [(exact, 0.75), (exact, 0.0), (exact, 1.1)]
    for samples, classes in random.integers((3, 3), (30, 12), (3, 2)):
        probabilities = softmax(2 * random.standard_normal((samples, classes)))
        just_enough = float(random.choice(probabilities.max(axis=1)))
        cases.append((probabilities, just_enough))
    return cases


def _own_and_known(random):
    digits = [np.array(d, np.uint8) for d in ([7], [1, 2, 3], [4, 0, 9, 5, 6])]
    cases = [(digits[0], digits[2]), (digits[1], digits[2]), (digits[2], digits[1])]
    for own, times, more in random.integers((2, 1, 1), (6, 4, 2), (3, 3)):
        count = own * times + more  # of known ones: one more than whole rounds
        cases.append(tuple(random.integers(0, 256, (n, 3, 3), np.uint8) for n in (own, count)))
    return cases


def _slant_about(image, row, column):
    rows, columns = np.indices(image.shape)
    return (image * (rows - row) * (columns - column)).sum() / (image * (rows - row) ** 2).sum()


def _centered(scaled, row=None, column=None, whole=round):
    """`center` about another point, or with numbers made whole in another way."""
    height, width = scaled.shape
    row = np.average(np.arange(height), weights=scaled.sum(axis=1)) if row is None else row
    column = np.average(np.arange(width), weights=scaled.sum(axis=0)) if column is None else column
    top = np.clip(whole(14 - row), 0, 28 - height)
    left = np.clip(whole(14 - column), 0, 28 - width)
    return np.pad(scaled, ((top, 28 - height - top), (left, 28 - width - left)))


def _exchanged(scaled):
    row = np.average(np.arange(scaled.shape[0]), weights=scaled.sum(axis=1))
    column = np.average(np.arange(scaled.shape[1]), weights=scaled.sum(axis=0))
    return _centered(scaled, column, row)


REHEARSE = Exercise(
    rehearse,
    _own_and_known,
    "How many times does `own` have to come, to be at least as long as `known`? A last round that "
    "is needed only in part counts as a whole one.",
    "-(-a // b) is a / b, rounded up. np.concatenate joins arrays along their first axis.",
    "np.concatenate([own] * times + [known]), with times = -(-len(known) // len(own)).",
    lesson=SECOND,
    mistakes={
        "`own` comes only once: among many known digits it hardly counts": lambda own, known: (
            np.concatenate([own, known])
        ),
        "the rounds are rounded down, so `own` comes out shorter than `known`": lambda own, known: (
            np.concatenate([own] * (len(known) // len(own)) + [known])
        ),
        "the last round is cut off; take all of `own` in each": lambda own, known: np.concatenate(
            [np.resize(own, known.shape), known]
        ),
        "there is a round too many where whole rounds are enough": lambda own, known: (
            np.concatenate([own] * (len(known) // len(own) + 1) + [known])
        ),
        "each one is repeated by itself; repeat `own` as a whole": lambda own, known: (
            np.concatenate([own.repeat(-(-len(known) // len(own)), axis=0), known])
        ),
        "`known` is left out": lambda own, known: np.concatenate(
            [own] * -(-len(known) // len(own))
        ),
        "`known` comes first": lambda own, known: np.concatenate(
            [known] + [own] * -(-len(known) // len(own))
        ),
    },
)
SLANT = Exercise(
    slant,
    _images,
    "Make an array of the rows and one of the columns of all pixels, as large as the image. The "
    "formula is then sums over whole arrays.",
    "np.indices(image.shape) gives the row and the column of every pixel, np.average(..., "
    "weights=image) their means.",
    "After rows = rows - np.average(rows, weights=image), and columns likewise: (image * rows * "
    "columns).sum() divided by (image * rows**2).sum().",
    lesson=SECOND,
    mistakes={
        "rows and columns are counted from the corner, not from the center of mass": (
            lambda image: _slant_about(image, 0, 0)
        ),
        "rows and columns are exchanged: the sum below is over the squares of the rows": (
            lambda image: slant(image.T)
        ),
        "the ink of the pixels is left out: every pixel that has some weighs the same": (
            lambda image: slant(image > 0)
        ),
        "the sign is turned around": lambda image: -slant(image),
        "the center is that of the picture, not that of the ink": (
            lambda image: _slant_about(image, *((np.array(image.shape) - 1) / 2))
        ),
    },
)
CENTER = Exercise(
    center,
    _scaled,
    "The center's row is the mean of all row numbers, weighted by the ink that each row has. Where "
    "does the picture's first row go if that is to come to row 14?",
    "scaled.sum(axis=1) is the ink of each row, np.average(np.arange(height), weights=...) their "
    "mean. The first row goes to round(14 - row), np.clip keeps it between 0 and 28 - height.",
    "With top, and left likewise from scaled.sum(axis=0): "
    "centered[top : top + height, left : left + width] = scaled.",
    lesson=LESSON,
    mistakes={
        "the middle of the box comes to the center, not the center of mass": lambda scaled: (
            _centered(scaled, *(14 - (28 - n) // 2 for n in scaled.shape))
        ),
        "the row of the center is taken for its column: axis=1 adds up a row, axis=0 a column": (
            _exchanged
        ),
        "the numbers are cut off after the point, not rounded": (
            lambda scaled: _centered(scaled, whole=int)
        ),
        "every pixel with ink weighs the same, however bright it is": lambda scaled: _centered(
            scaled, *(places.mean() for places in np.nonzero(scaled))
        ),
        "nothing is moved: the picture stays in the upper left corner": (
            lambda scaled: _centered(scaled, 14, 14)
        ),
    },
)
REFUSE = Exercise(
    read_or_refuse,
    _doubts,
    "How sure is a reading? And which readings are not sure enough?",
    "The certainty of a reading is the largest probability of its row. np.where(doubtful, -1, "
    "digits) chooses for every row.",
    "np.where(probabilities.max(axis=1) < threshold, -1, ...).",
    lesson=LESSON,
    mistakes={
        "exactly `threshold` is refused; `at least` means that it is enough": (
            lambda p, t: np.where(p.max(axis=1) <= t, -1, p.argmax(axis=1))
        ),
        "the doubtful are read and the sure ones refused": (
            lambda p, t: np.where(p.max(axis=1) < t, p.argmax(axis=1), -1)
        ),
        "nothing is refused": lambda p, t: p.argmax(axis=1),
        "what is refused becomes a 0, which is a digit": (
            lambda p, t: np.where(p.max(axis=1) < t, 0, p.argmax(axis=1))
        ),
        "the probability of the digit 0 decides; the largest one should": (
            lambda p, t: np.where(p[:, 0] < t, -1, p.argmax(axis=1))
        ),
    },
)
