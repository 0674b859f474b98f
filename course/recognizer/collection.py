"""Lesson 06: the learner's own digits, kept in two halves as IDX, and fine-tuning on them."""

import contextlib
import dataclasses
import itertools
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from course import idx, mnist, models
from course.nn.errors import CourseError
from course.nn.training import evaluate

IMAGES, LABELS = "my-images-idx3-ubyte", "my-labels-idx1-ubyte"
HALVES = (
    "my-halves-idx1-ubyte"  # a byte for each digit: 0 may be trained on, 1 is kept for the test
)
TEST_SHARE = 5  # every fifth is kept for the test

PATIENCE = 10  # seconds to wait for another window that saves; that takes milliseconds

REHEARSED = 500  # digits of the training set that are practiced along with the learner's own


class NoDigitsError(CourseError, ValueError):
    """The learner has not saved any digits yet."""


class CollectionError(CourseError):
    """The collection cannot be changed at this moment; the message says what to do."""


class Collection:
    """Drawings with their labels, in IDX files that `course.idx` and lesson 01 can read.

    What is kept is what the networks receive: 28x28, centered. Every change is written at once,
    to what is in the files then: several windows may save into one collection. `images`, `labels`
    and `is_test` are what this window has seen of it.

    Every fifth digit is kept for the test and never trained on. A third file says which; digits
    that it says nothing of, as those from before there was such a file, may have been trained on.

    A kill may come between two files. Then one has a digit more than the other, and it is
    left out. Files that are damaged otherwise are set aside, under a name of their own. `problem`
    is a sentence that says so, "" where all is well.

    Args:
        folder: where the files are, or will be; made when the first digit is saved. By default
            the folder `mine` beside the MNIST files.

    Raises:
        OSError: files that are damaged cannot be set aside.
    """

    def __init__(self, folder=None):
        self.folder = Path(folder) if folder else mnist.download_directory() / "mine"
        self.images = np.zeros((0, 28, 28), np.uint8)
        self.labels = np.zeros(0, np.uint8)
        self.is_test = np.zeros(0, bool)
        self.problem = ""
        if not any(path.is_file() for path in self.paths):
            return
        can_write = os.access(self.folder, os.W_OK)  # where not, nobody changes it meanwhile
        with self._locked() if can_write else contextlib.nullcontext():
            self._read()

    @property
    def paths(self):
        """The two files: images, labels."""
        return self.folder / IMAGES, self.folder / LABELS

    @property
    def training(self):
        """Images (count, 28, 28) and labels (count,) of the digits that may be trained on."""
        return self.images[~self.is_test], self.labels[~self.is_test]

    @property
    def test(self):
        """Images (count, 28, 28) and labels (count,) of those that are kept for the test."""
        return self.images[self.is_test], self.labels[self.is_test]

    @property
    def counts(self):
        """How many there are of each digit: a list of ten."""
        return np.bincount(self.labels, minlength=10).tolist()

    @property
    def next_is_test(self):
        """Whether the next digit is kept for the test: whenever fewer than a fifth are."""
        return TEST_SHARE * (self.is_test.sum() + 1) <= len(self) + 1

    @property
    def wanted(self):
        """The digit to draw next: one that is rarest in the half that the next one is kept in."""
        rare = np.bincount(self.labels[self.is_test == self.next_is_test], minlength=10)
        order = np.random.default_rng(len(self)).permutation(10)  # 0, 1, 2, ... would become a song
        return int(order[rare[order].argmin()])

    def __len__(self):
        return len(self.labels)

    def add(self, image, label):
        """Append a (28, 28) uint8 picture and its label."""
        if label not in range(10):
            raise ValueError(f"a label is a digit from 0 to 9, not {label!r}")
        with self._changing():
            self._write(
                np.concatenate([self.images, [image]]),
                np.append(self.labels, label),
                np.append(self.is_test, self.next_is_test),
            )

    def remove_last(self):
        """Take the last one out again, but none that this window has not seen.

        Raises CollectionError where another window has changed the collection meanwhile.
        """
        seen = self.images, self.labels
        with self._changing():
            if not all(map(np.array_equal, seen, (self.images, self.labels))):
                raise CollectionError(
                    "Another window has changed your digits meanwhile, so none was removed: look "
                    f"at what there is now ({len(self)} digits), and press again to remove its last"
                )
            self._write(self.images[:-1], self.labels[:-1], self.is_test[:-1])

    @contextlib.contextmanager
    def _locked(self):
        """Let nobody else change the files while the block runs."""
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            lock = FileLock(self.folder / ".lock", timeout=PATIENCE).acquire()
        except Timeout:
            raise CollectionError(
                f"Another window is busy with {self.folder}: try again, or close it"
            ) from None
        with lock:
            yield

    @contextlib.contextmanager
    def _changing(self):
        """As `_locked`, with the files read anew and in order."""
        with self._locked():
            self._read()
            if self.problem:
                self._write(self.images, self.labels, self.is_test)
            yield

    def _read(self):
        """Bring what this window has seen up to date with the files, or with their whole part.

        Where the files are damaged, what this window has seen of them is kept.
        """
        self.problem = ""
        halves = self.folder / HALVES
        try:
            images, labels = _load(*self.paths)
        except idx.IdxError as error:
            names = self._set_aside(*self.paths, halves)
            self.problem = (
                f"Your saved digits are damaged ({error}); they were set aside as {names}."
            )
            return
        count = min(len(images), len(labels))
        if len(images) != len(labels):
            self.problem = (
                f"Saving was cut off the last time: what counts are {count} whole digits."
            )
        self.images, self.labels = images[:count], labels[:count]
        self.is_test = np.zeros(count, bool)
        try:
            known = _load_halves(halves)[:count]
        except idx.IdxError as error:
            self.problem = (
                f"The record of which digits are kept for the test is damaged ({error}); it was "
                f"set aside as {self._set_aside(halves)}: all {count} count as training digits."
            )
            return
        self.is_test[: len(known)] = known

    def _set_aside(self, *paths):
        """Give those files that are there other names, that no file has yet; return the names."""
        for number in itertools.count(1):
            there = {path: Path(f"{path}.damaged-{number}") for path in paths if path.is_file()}
            if not any(path.exists() for path in there.values()):
                break
        for path, aside in there.items():
            path.rename(aside)
        return " and ".join(path.name for path in there.values())

    def _write(self, images, labels, is_test):
        """Write first, then believe it: what cannot be saved is not shown as saved."""
        images, labels = images.astype(np.uint8), labels.astype(np.uint8)
        # the halves first: a digit that is added again after a failure is not in both of them
        files = [(self.folder / HALVES, is_test.astype(np.uint8))]
        for path, array in files + list(zip(self.paths, (images, labels), strict=True)):
            idx.write(path, array)
        self.images, self.labels, self.is_test = images, labels, is_test


@dataclass(frozen=True)
class FineTuned:
    """Accuracies in [0, 1] before and after fine-tuning."""

    digits: int  # how many of the learner's own it was trained on
    own: tuple[float, float]  # on those, so the second one is no test
    mnist: tuple[float, float]  # on digits of MNIST: what it forgot
    mnist_digits: int
    mnist_is_test: bool  # not so with the sample, which comes from MNIST's training set


def _load(*paths):
    """The images (count, 28, 28) and the labels (count,) in the two files.

    Their counts may differ by one: a kill between the files leaves them so. Raises IdxError for any
    other damage, and OSError.
    """
    none = np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8)
    images, labels = (
        idx.read(path) if path.is_file() else empty for path, empty in zip(paths, none, strict=True)
    )
    if (images.dtype, images.shape[1:], labels.dtype, labels.ndim) != ("u1", (28, 28), "u1", 1):
        raise idx.IdxError("they are not 28x28 bytes each with a label of one byte")
    if abs(len(images) - len(labels)) > 1:
        raise idx.IdxError(f"there are {len(images)} images but {len(labels)} labels")
    if (labels > 9).any():
        raise idx.IdxError(f"one of the labels is {labels.max()}")
    return images, labels


def _load_halves(path):
    """Whether each digit is kept for the test, (count,) bool; none where there is no file."""
    halves = idx.read(path) if path.is_file() else np.zeros(0, np.uint8)
    if (halves.dtype, halves.ndim) != ("u1", 1) or (halves > 1).any():
        raise idx.IdxError("it is not a 0 or a 1 for each digit")
    return halves.astype(bool)


def accuracy(model, images, labels):
    """The share of images (count, 28, 28) uint8 that the model reads right; None of no images."""
    if not len(images):
        return None
    x = mnist.to_float(images).reshape(len(images), -1)
    return evaluate(model, x, labels)[1]


def gentle(recipe):
    """A recipe for fine-tuning: the same optimizer, for a moment, with a tenth of the steps.

    The model is to lean towards the new digits without forgetting the old ones.
    """
    return dataclasses.replace(
        recipe,
        epochs=5,
        batch_size=32,
        validation_split=0.0,
        patience=None,
        learning_rate=recipe.learning_rate / 10,
        schedule="constant",
    )


def fine_tune(model, images, labels, seed=1):
    """Train the model on for a moment, on the learner's digits and as many known ones.

    The known ones, from the training set, are rehearsed so that the model does not forget them
    (French, "Catastrophic forgetting in connectionist networks", 1999). The model is
    changed in place; `course.nn.training.copy_weights` beforehand allows to take it back.

    Args:
        model: the model; one that the course does not know learns like the MLP.
        images: (count, 28, 28) uint8.
        labels: (count,) uint8.
        seed: chooses the digits that are rehearsed.

    Returns:
        What it gained and lost, a `FineTuned`.

    Raises:
        NoDigitsError: there are no images.
    """
    if not len(images):
        raise NoDigitsError("There are no digits of yours yet: draw some and save them first.")
    digits = mnist.load()
    name = getattr(model, "name", None)
    recipe = gentle(models.recipe(name if name in models.KINDS else "mlp"))

    def judge():
        known = accuracy(model, digits.test_images, digits.test_labels)
        return accuracy(model, images, labels), known

    before = judge()
    known = np.random.default_rng(seed).choice(len(digits.train_labels), REHEARSED, replace=False)
    times = -(-REHEARSED // len(labels))  # repeat the learner's own until they are as many
    x = np.concatenate([np.tile(images, (times, 1, 1)), digits.train_images[known]])
    y = np.concatenate([np.tile(labels, times), digits.train_labels[known]])
    recipe.trainer(model).fit(mnist.to_float(x).reshape(len(x), -1), y)
    after = judge()
    own, kept = zip(before, after, strict=True)
    return FineTuned(len(labels), own, kept, len(digits.test_labels), digits.is_full)
