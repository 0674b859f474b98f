"""With Numba and without: the shipped networks read the same, and training takes the same way."""

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest

from course import mnist, models
from course.models import pretrained

PROGRAM = """
import sys
from tests.test_two_ways import logits, losses
import numpy as np
np.savez(sys.argv[1], **logits(), **losses())
"""
DIGITS = 1000


def logits():
    """What each shipped network makes of the sample's test digits: name -> (1000, 10)."""
    x = mnist.to_float(mnist.load().test_images[:DIGITS]).reshape(-1, 784)
    assert len(x) == DIGITS
    parts = np.split(x, 4)
    return {
        name: np.concatenate([pretrained.load(name).forward(part) for part in parts])
        for name in pretrained.NAMES
    }


def losses():
    """The loss of each of two epochs on a few digits, by the models' own recipes."""
    digits = mnist.load()
    x = mnist.to_float(digits.train_images[:300]).reshape(-1, 784)
    found = {}
    for name in pretrained.NAMES:
        recipe = dataclasses.replace(models.recipe(name), epochs=2, validation_split=0.0)
        trainer = recipe.trainer(models.build(name, seed=1))
        trainer.fit(x, digits.train_labels[:300])
        found[f"{name} losses"] = [record.train_loss for record in trainer.records]
    return found


@pytest.mark.slow
def test_both_ways_read_and_train_the_same(tmp_path):
    found = []
    for without in ("", "1"):
        path = tmp_path / f"found{without}.npz"
        environment = os.environ | {"COURSE_WITHOUT_NUMBA": without}
        subprocess.run([sys.executable, "-c", PROGRAM, path], env=environment, check=True)
        found.append(dict(np.load(path)))
    compiled, plain = found
    for name in pretrained.NAMES:
        # Sums of up to 1,568 products, to at most 50, in another order: sqrt(1568) * 2^-23 * 50.
        np.testing.assert_allclose(plain[name], compiled[name], rtol=0, atol=2.4e-4)
        assert np.array_equal(plain[name].argmax(axis=1), compiled[name].argmax(axis=1))
        assert np.abs(compiled[name]).max() < 50
        # A few steps, each of which carries on what the ones before have rounded otherwise.
        losses = f"{name} losses"
        np.testing.assert_allclose(plain[losses], compiled[losses], rtol=1e-5)
