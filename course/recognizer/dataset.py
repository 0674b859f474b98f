"""Lesson 06b: pictures of classes of your own, as a data set in the form of MNIST.

Each picture goes the way that a drawing goes: read as ink on black, cut out, scaled and centered.
A folder of pictures that has a sub-folder for each class, named like it, becomes four IDX files
under their official names and `classes.txt`, which `course.mnist.load` reads.
"""

import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course import idx, mnist
from course.nn import classes
from course.nn.errors import CourseError
from course.nn.rng import SimpleRng
from course.recognizer.pictures import PictureError, read_canvas
from course.recognizer.preprocess import EmptyDrawingError, normalize

TEST_SHARE = 0.2
NO_PICTURES = ("Thumbs.db", "desktop.ini")  # what Windows leaves in folders; others begin with "."
SPLITS = ("train", "t10k")


class DataSetError(CourseError, ValueError):
    """Pictures that make no data set, or a folder where none can be written; says what to do."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """What was read: class number n has the name class_names[n]."""

    images: np.ndarray  # (count, 28, 28) uint8
    labels: np.ndarray  # (count,) uint8
    class_names: tuple
    left_out: tuple = ()  # sentences, one for each file that was not taken


def read_folder(folder, tell=lambda line: None):
    """Read the pictures in the sub-folders of `folder`, a class each, in the order of their names.

    A file that is no readable picture is left out, and so is a picture that comes out as another
    one did, pixel by pixel: one of the two might be trained on and the other one test it.

    Args:
        folder: the path; a sub-folder's name is that of its class.
        tell: called with a line for each class when it was read.

    Returns:
        `Pictures`.

    Raises:
        DataSetError: fewer than two classes, more than 256, an odd name, or a class in which less
            than two pictures can be read.
    """
    folders = _class_folders(Path(folder))
    names = tuple(unicodedata.normalize("NFC", path.name) for path in folders)
    if problem := classes.problem_of(names):
        raise DataSetError(f"{folder}: {problem}")
    images, labels, left_out, seen = [], [], [], {}
    for label, path in enumerate(folders):
        for file in _sorted(path.iterdir()):
            try:
                image = normalize(read_canvas(file)).centered
            except PictureError as problem:
                left_out.append(str(problem))
                continue
            except EmptyDrawingError:
                left_out.append(f"{file} shows too little ink to read.")
                continue
            if (same := seen.setdefault(image.tobytes(), file)) is not file:
                left_out.append(f"{file} is the same picture as {same}.")
                continue
            images.append(image)
            labels.append(label)
        tell(f"{names[label]}: {labels.count(label):,} pictures")
    for label, path in enumerate(folders):
        if (count := labels.count(label)) < 2:
            why = f" ({left_out[0]})" if left_out else ""
            raise DataSetError(
                f"{path} has {count} pictures that can be read{why}; a class needs 2 at least, one "
                "to train on and one for the test, and better 20 or more"
            )
    return Pictures(np.stack(images), np.array(labels, np.uint8), names, tuple(left_out))


def _class_folders(folder):
    """The sub-folders of `folder` that may be classes."""
    if not folder.is_dir():
        raise DataSetError(f"{folder}: there is no such folder")
    folders = [path for path in _sorted(folder.iterdir()) if path.is_dir()]
    if len(folders) < 2:
        found = f"only {folders[0].name}" if folders else "none"
        raise DataSetError(
            f"{folder} needs a sub-folder of pictures for each class, two at least, and has {found}"
        )
    return folders


def _sorted(paths):
    """Without what systems leave in folders; the order is the same on all of them."""
    shown = (p for p in paths if not p.name.startswith((".", "__")) and p.name not in NO_PICTURES)
    return sorted(shown, key=lambda path: unicodedata.normalize("NFC", path.name))


def split(labels, test_share=TEST_SHARE, seed=0):
    """Which pictures are kept for the test: (count,) bool, that share of each class.

    Of each class, at least one is kept for the test and one to train on. The same labels and seed
    give the same answer everywhere.

    Raises DataSetError for a class with fewer than two.
    """
    random = SimpleRng(seed)
    is_test = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        if len(own) < 2:
            raise DataSetError(f"class {label} has {len(own)} pictures, and needs 2 at least")
        count = min(max(round(test_share * len(own)), 1), len(own) - 1)
        is_test[own[random.permutation(len(own))[:count]]] = True
    return is_test


def check_target(folder):
    """Raise DataSetError where a data set would take the place of what is not its like."""
    folder = Path(folder)
    reserved = (mnist.CLONE_DATA, mnist.CLONE_DATA / "sample", mnist.USER_DATA)
    if any(folder.resolve() == place.resolve() for place in reserved):
        raise DataSetError(
            f"{folder} is where the course looks for MNIST: name another folder, for example "
            f"{folder / 'symbols'}"
        )
    has_files = any(mnist.find_file(folder, name) for name in mnist.FULL)
    if has_files and not (folder / classes.FILE).is_file():
        raise DataSetError(
            f"{folder} has pictures in IDX files, but no {classes.FILE}: they were not made by "
            "`collect`, so they stay; name another folder"
        )


def write(folder, pictures, is_test, seed=0):
    """Write four IDX files and `classes.txt` into `folder`, mixed, in the order that `seed` gives.

    A data set that is there already is replaced; until the last file is written there are no
    labels, so that a half is not taken for a whole.

    Args:
        folder: made if it is not there.
        pictures: a `Pictures`.
        is_test: (count,) bool, as from `split`.
        seed: of the order.

    Raises:
        DataSetError: see `check_target`.
        OSError: it cannot be written.
    """
    folder = Path(folder)
    check_target(folder)
    for name in mnist.FULL:
        while old := mnist.find_file(folder, name):  # in whatever spelling
            old.unlink()
    order = SimpleRng(seed).permutation(len(is_test))
    parts = {
        name: order[is_test[order] == kept]
        for name, kept in zip(SPLITS, (False, True), strict=True)
    }
    classes.write(folder, pictures.class_names)
    for name, chosen in parts.items():
        idx.write(folder / f"{name}-images-idx3-ubyte.gz", pictures.images[chosen])
    for name, chosen in parts.items():
        idx.write(folder / f"{name}-labels-idx1-ubyte.gz", pictures.labels[chosen])
