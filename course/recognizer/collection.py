"""Lesson 06b: the learner's own digits, or drawings of other classes, in two halves as IDX."""

import contextlib
import itertools
import os
import re
from pathlib import Path

import numpy as np

from course import idx, mnist
from course.nn import classes
from course.nn.errors import CourseError
from course.nn.locks import locked
from course.recognizer import dataset

IMAGES, LABELS = "my-images-idx3-ubyte", "my-labels-idx1-ubyte"
HALVES = (
    "my-halves-idx1-ubyte"  # a byte for each digit: 0 may be trained on, 1 is kept for the test
)
TEST_SHARE = 5  # every fifth is kept for the test

PATIENCE = 10  # seconds to wait for another window that saves; that takes milliseconds


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
            the folder `mine` in `mnist.drawings_directory()`; for other classes one that is named
            like them.
        class_names: of the classes that are drawn. Where they are not the digits, they are kept in
            a file beside the others, see `course.nn.classes`.

    Raises:
        CollectionError: the folder has drawings of other classes.
        ClassNamesError: those cannot be names of classes.
        OSError: files that are damaged cannot be set aside.
    """

    def __init__(self, folder=None, class_names=classes.DIGITS):
        self.class_names = classes.checked(class_names)
        self.folder = Path(folder) if folder else default_folder(self.class_names)
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
        """How many there are of each class: a list, for digits of ten."""
        return np.bincount(self.labels, minlength=len(self.class_names)).tolist()

    @property
    def next_is_test(self):
        """Whether the next digit is kept for the test: whenever fewer than a fifth are."""
        return TEST_SHARE * (self.is_test.sum() + 1) <= len(self) + 1

    @property
    def wanted(self):
        """The label to draw next: one that is rarest in the half that the next one is kept in."""
        count = len(self.class_names)
        rare = np.bincount(self.labels[self.is_test == self.next_is_test], minlength=count)
        order = np.random.default_rng(len(self)).permutation(count)  # 0, 1, 2, ... would be a song
        return int(order[rare[order].argmin()])

    def __len__(self):
        return len(self.labels)

    def add(self, image, label):
        """Append a (28, 28) uint8 picture and its label."""
        if label not in range(len(self.class_names)):
            raise ValueError(
                f"a label is a number from 0 to {len(self.class_names) - 1}, not {label!r}"
            )
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

    def export(self, folder):
        """Write a data set in the form of MNIST, for `train --data`; see `dataset.write`.

        Raises DataSetError, also where a class has no drawing to train on, or none is for the test.
        """
        lacking = set(range(len(self.class_names))) - set(self.training[1].tolist())
        if lacking or not self.is_test.any():
            name = self.class_names[min(lacking)] if lacking else "drawing"
            half = "to train on" if lacking else "for the test"
            raise dataset.DataSetError(
                f"{self.folder} has no {name} {half} yet: draw some more (every {TEST_SHARE}th is "
                "kept for the test)"
            )
        pictures = dataset.Pictures(self.images, self.labels, self.class_names)
        dataset.write(folder, pictures, self.is_test)

    def _check_classes(self):
        there = classes.read(self.folder) or classes.DIGITS
        if there != self.class_names:
            raise CollectionError(
                f"{self.folder} has drawings of {classes.listed(there)}, not of "
                f"{classes.listed(self.class_names)}: name another folder"
            )

    @contextlib.contextmanager
    def _locked(self):
        """Let nobody else change the files while the block runs."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(locked(self.folder / ".lock", PATIENCE))
            except TimeoutError:
                raise CollectionError(
                    f"Another window is busy with {self.folder}: try again, or close it"
                ) from None
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
        if any(path.is_file() for path in self.paths):
            self._check_classes()
        halves = self.folder / HALVES
        try:
            images, labels = _load(*self.paths, len(self.class_names))
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
        if self.class_names != classes.DIGITS and not len(self):
            classes.write(self.folder, self.class_names)
        files = [(self.folder / HALVES, is_test.astype(np.uint8))]
        for path, array in files + list(zip(self.paths, (images, labels), strict=True)):
            idx.write(path, array)
        self.images, self.labels, self.is_test = images, labels, is_test


def default_folder(class_names):
    """Where drawings of these classes are kept unless somebody names another folder."""
    name = "mine"
    if class_names != classes.DIGITS:  # of all systems, none minds letters, digits and "-"
        name += "-" + re.sub(r"[\W_]+", "-", "-".join(class_names))[:60].strip("-")
    return mnist.drawings_directory() / name


def read_collection(folder):
    """The collection that is in `folder`, of whatever classes; None if there is none."""
    if not Path(folder, IMAGES).is_file():
        return None
    return Collection(folder, classes.read(folder) or classes.DIGITS)


def _load(images, labels, num_classes):
    """The images (count, 28, 28) and the labels (count,) in the two files.

    Their counts may differ by one: a kill between the files leaves them so. Raises IdxError for any
    other damage, and OSError.
    """
    none = np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8)
    images, labels = (
        idx.read(path) if path.is_file() else empty
        for path, empty in zip((images, labels), none, strict=True)
    )
    if (images.dtype, images.shape[1:], labels.dtype, labels.ndim) != ("u1", (28, 28), "u1", 1):
        raise idx.IdxError("they are not 28x28 bytes each with a label of one byte")
    if abs(len(images) - len(labels)) > 1:
        raise idx.IdxError(f"there are {len(images)} images but {len(labels)} labels")
    if (labels >= num_classes).any():
        raise idx.IdxError(f"one of the labels is {labels.max()}")
    return images, labels


def _load_halves(path):
    """Whether each digit is kept for the test, (count,) bool; none where there is no file."""
    halves = idx.read(path) if path.is_file() else np.zeros(0, np.uint8)
    if (halves.dtype, halves.ndim) != ("u1", 1) or (halves > 1).any():
        raise idx.IdxError("it is not a 0 or a 1 for each digit")
    return halves.astype(bool)
