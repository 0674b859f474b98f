"""The sweep that comes with the course: what its file says, a run gives."""

import numpy as np
import pytest

from course import mnist
from course.records import logs_folder
from course.sweep import running, settings, table

# With other last bits, of another processor, training ends at another place, as with another seed.
# One seed deviates by up to 0.3 %, two from each other by sqrt(2) times that: 1 % is 2.4 of those.
TOLERANCE = 0.01


@pytest.mark.parametrize("optimizer, rate", [("adam", 0.001), ("momentum", 0.03), ("sgd", 0.3)])
def test_a_run_gives_what_the_file_says(optimizer, rate):
    digits = mnist.load()
    assert digits.is_full
    x, test_x = (
        mnist.to_float(images).reshape(-1, 784)
        for images in (digits.train_images, digits.test_images)
    )
    samples = running.Samples(x, digits.train_labels, test_x, digits.test_labels)
    kept = table.read(logs_folder() / "sweep.csv").where(
        optimizer=optimizer, learning_rate=rate, seed=1
    )
    asked = {"epochs": 3, "schedule": "constant", "optimizer": optimizer, "learning_rate": rate}
    found = running.run(settings.complete("mlp", asked), 1, samples)
    np.testing.assert_allclose(found["curve"], kept.curves[0], atol=TOLERANCE)
    assert found["test_accuracy"] == pytest.approx(kept["test_accuracy"][0], abs=TOLERANCE)
