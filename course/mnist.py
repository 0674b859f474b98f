"""The digits of MNIST: find them, read them, check them.

MNIST is 60,000 training and 10,000 test images of handwritten digits, 28x28 bytes each, in four
IDX files (Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits"). The course
carries a sample of 5,000 of them, so that it works at once and offline; see data/README.md.

Other pictures in the same form (Fashion-MNIST, letters, your own: `python -m course collect`) are
read like them. What their classes are called stands in `classes.txt`, see `course.nn.classes`.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course import idx, places
from course.environment import HERE
from course.nn import classes

# sha256 of the content, uncompressed: mirrors compress the same content differently.
FULL = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
SAMPLE = {
    "train-images-idx3-ubyte": "74422b12132c7d8b0957cdb994d971a505f77a57ddac808ef1ea84f4bb9e7a2e",
    "train-labels-idx1-ubyte": "5dbd7686910cb66a8a6303f16940c2fae43896243c187897cd3976aab00f4817",
    "t10k-images-idx3-ubyte": "39a5f23fe7320d50d2b650bd96c756db7999a84cb13541d939296ed59f1e0663",
    "t10k-labels-idx1-ubyte": "66e4c6deb5f2a061f7d8cd5ec53025fdb9dabb08265e449acb8cf64b8cd36cac",
}
LARGEST = 47_040_016  # bytes: the training images, uncompressed
HOW_TO_DOWNLOAD = "python -m course data --download"

CLONE_DATA = places.CLONE / "data"
USER_DATA = Path(os.path.expanduser("~/.cache/course/mnist"))
INSTALLED_SAMPLE = places.PACKAGE / "shipped" / "data" / "sample"


# ---- Where the files are -------------------------------------------------------------------------


def find_file(directory, name):
    """The file `name` (a key of FULL) in any of its four spellings, or None.

    The spelling that a download writes comes first, so that it repairs what load() reads.
    """
    for spelling in (name, name.replace("-idx", ".idx")):
        for suffix in (".gz", ""):
            path = Path(directory, spelling + suffix)
            if path.is_file():
                return path
    return None


def _missing(directory):
    return [name for name in FULL if find_file(directory, name) is None]


def find_directory(directory=None):
    """The folder that load() reads from.

    In this order: `directory`, $COURSE_DATA_DIR, the full set in data/ or where a download put
    it, the sample. Raises FileNotFoundError, which says what to do.
    """
    asked = directory or os.environ.get("COURSE_DATA_DIR")
    if asked:
        folder = Path(asked).expanduser()
        if missing := _missing(folder):
            said = "" if directory else " ($COURSE_DATA_DIR)"
            advice = (
                "name none to use" if directory else f"run `{HOW_TO_DOWNLOAD}`, or unset it for"
            )
            raise FileNotFoundError(
                f"{folder}{said} has no {', '.join(missing)} (with or without .gz). "
                f"Put the files there, name another folder, or {advice} the course's own digits."
            )
        return folder
    full = (CLONE_DATA, USER_DATA, download_directory())
    folders = dict.fromkeys((*full, CLONE_DATA / "sample", INSTALLED_SAMPLE))  # each once
    for folder in folders:
        if not _missing(folder):
            return folder
    looked = "".join(f"\n  {folder}" for folder in folders)
    raise FileNotFoundError(
        f"No digits found, not even the sample that belongs to the course. Get MNIST with "
        f"`{HOW_TO_DOWNLOAD}`, or set COURSE_DATA_DIR to a folder that has it. Looked in:{looked}"
    )


def download_directory():
    """The folder that a download fills: $COURSE_DATA_DIR, or data/ in a clone, or the user's own.

    The last, ~/.cache/course/mnist, is for a package installed without its clone or read-only. In a
    browser, where nothing can be downloaded, it is `data` beside the notebook.
    """
    if asked := os.environ.get("COURSE_DATA_DIR"):
        return Path(asked).expanduser()
    if HERE.browser:
        return Path("data").absolute()
    in_clone = (CLONE_DATA / "sample").is_dir() and os.access(CLONE_DATA, os.W_OK)
    return CLONE_DATA if in_clone else USER_DATA


def drawings_directory():
    """The folder of the learner's collections of drawings: $COURSE_DRAWINGS_DIR, or the above."""
    if asked := os.environ.get("COURSE_DRAWINGS_DIR"):
        return Path(asked).expanduser()
    return download_directory()


# ---- Reading -------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, repr=False)
class Mnist:
    """Images are (count, 28, 28) uint8, 0 black to 255 white; labels (count,) uint8.

    Label n has the name class_names[n]; those of digits are "0" to "9".
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    source: str  # "full MNIST", "the sample", "other digits" or "other pictures"
    directory: Path
    class_names: tuple = classes.DIGITS

    @property
    def is_full(self):
        return self.source == "full MNIST"

    @property
    def has_digits(self):
        """Whether the classes are the ten digits."""
        return self.class_names == classes.DIGITS

    def __repr__(self):
        train, test = len(self.train_labels), len(self.test_labels)
        what = "digits" if self.has_digits else f"pictures of {len(self.class_names)} classes"
        return f"{self.source}: {train:,} training and {test:,} test {what}"


def load(directory=None):
    """Read the digits from find_directory(directory); never touches the network.

    Returns an Mnist, which says what it is when printed. Raises FileNotFoundError,
    idx.IdxError for a damaged file, and classes.ClassNamesError for odd names of classes.
    """
    folder = find_directory(directory)
    names = classes.read(folder) or classes.DIGITS
    train, test = (_load_split(folder, split, len(names)) for split in ("train", "t10k"))
    if names != classes.DIGITS:
        return Mnist(*train, *test, "other pictures", folder, names)
    labels_hash = content_sha256(find_file(folder, "train-labels-idx1-ubyte"))
    source = _dataset("train-labels-idx1-ubyte", labels_hash) or "other digits"
    return Mnist(*train, *test, source, folder)


def _load_split(folder, split, num_classes):
    paths = [
        find_file(folder, f"{split}-{rest}") for rest in ("images-idx3-ubyte", "labels-idx1-ubyte")
    ]
    try:
        images, labels = idx.read_pair(*paths, num_classes)
        if len(images) == 0 or images.shape[1:] != (28, 28):
            raise idx.IdxError(f"{paths[0]}: sizes: found {images.shape}, expected 28x28 images")
    except idx.IdxError as error:
        raise idx.IdxError(
            f"{error}. Replace the damaged file: `git restore data/sample` for the course's "
            f"sample, `{HOW_TO_DOWNLOAD}` for full MNIST. (More classes than ten digits need their "
            f"names in {Path(folder, classes.FILE)}, one a line.)"
        ) from None
    return images, labels


def to_float(images, dtype=np.float32):
    """Pixels 0 to 255 as numbers from 0 to 1, same shape: what the networks take."""
    return images / np.dtype(dtype).type(255)


# ---- Checking ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FileStatus:
    """What is known of one of the four files."""

    name: str
    path: Path | None
    dataset: str = ""  # "full MNIST" or "the sample" when the sha256 of its content is theirs
    problem: str = ""

    @property
    def verified(self):
        return bool(self.dataset)


def status(directory=None):
    """Check the four files in `directory` (None: the one load() uses); a list of FileStatus."""
    folder = find_directory() if directory is None else directory
    return [_file_status(name, find_file(folder, name)) for name in FULL]


def _file_status(name, path):
    if path is None:
        return FileStatus(name, path, problem="not there")
    try:
        found = content_sha256(path)
    except (OSError, idx.IdxError) as error:
        return FileStatus(name, path, problem=str(error))
    dataset = _dataset(name, found)
    return FileStatus(name, path, dataset, "" if dataset else f"not of MNIST (sha256 {found})")


def _dataset(name, sha256):
    return {FULL[name]: "full MNIST", SAMPLE[name]: "the sample"}.get(sha256, "")


def content_sha256(path):
    """sha256 of the content of a file, gunzipped if need be; at most LARGEST + 1 bytes are read."""
    with open(path, "rb") as file:
        return sha256(file, path)


def sha256(file, name):
    """sha256 of the content of an open binary file that messages call `name`."""
    digest, left = hashlib.sha256(), LARGEST + 1
    with idx.uncompressed(file, name) as stream:
        while left and (chunk := stream.read(min(left, idx.CHUNK))):
            digest.update(chunk)
            left -= len(chunk)
    return digest.hexdigest()


def describe(directory=None):
    """Say in a few lines which digits load() uses and whether their files are as they should be."""
    folder = find_directory(directory)
    if classes.read(folder) not in (None, classes.DIGITS):
        return _describe_pictures(load(folder))
    rows = status(folder)
    lines = [f"Digits in use: {folder}"]
    for row in rows:
        verdict = f"{row.dataset}, sha256 verified" if row.verified else row.problem
        lines.append(f"  {row.path.name}: {verdict}")
    if any(row.dataset != "full MNIST" for row in rows):
        target = download_directory()
        lines.append(f"Full MNIST, 60,000 + 10,000 digits, goes to {target}: {HOW_TO_DOWNLOAD}")
    return "\n".join(lines)


def _describe_pictures(pictures):
    """The same of pictures whose classes have other names: how many there are of each."""
    count = len(pictures.class_names)
    counts = [
        np.bincount(y, minlength=count) for y in (pictures.train_labels, pictures.test_labels)
    ]
    return "\n".join(
        [f"Pictures in {pictures.directory}: {pictures}"]
        + [
            f"  {name}: {train:,} + {test:,}"
            for name, train, test in zip(pictures.class_names, *counts, strict=True)
        ]
    )
