"""How a model's accuracy grows with the number of digits that it learns from.

Every run looks at equally many digits, few of them often or many of them seldom, so that what
differs is what there is to learn from, and not how long it was learned.
"""

import dataclasses

import numpy as np

from course import mnist, models
from course.nn import training

SIZES = (100, 200, 500, 1000, 2000, 4000)
SEEN = 40_000  # digits that one run looks at, each at least once
READERS = ("mlp", "cnn", "attention")


def measure(names=READERS, sizes=SIZES, seeds=3, seen=SEEN, report=print):
    """Train each of the models on so many digits, with the seeds 1 to `seeds`.

    A seed chooses the digits out of the first 4,000, the weights to begin with, and the order.
    Returns a list of dicts: `model`, `digits` (the sizes), and `accuracy`, for each size those of
    the seeds, fractions of the first 1,000 test digits. `report` is told of each size beforehand.
    """
    digits = mnist.load()
    x = mnist.to_float(digits.train_images[: max(SIZES)]).reshape(-1, 784)
    test_x = mnist.to_float(digits.test_images[:1000]).reshape(-1, 784)
    y, test_y = digits.train_labels[: len(x)], digits.test_labels[:1000]

    def accuracy(name, size, seed):
        chosen = np.random.default_rng(seed).permutation(len(x))[:size]
        model = models.build(name, seed=seed)
        changes = {"epochs": max(1, seen // size), "validation_split": 0.0, "seed": seed}
        recipe = dataclasses.replace(models.recipe(name), **changes)
        recipe.trainer(model).fit(x[chosen], y[chosen])
        return training.evaluate(model, test_x, test_y)[1]

    results = []
    for name in names:
        rows = []
        for size in sizes:
            report(f"{name}: {size:,} digits")
            rows.append([accuracy(name, size, seed) for seed in range(1, seeds + 1)])
        results.append({"model": name, "digits": list(sizes), "accuracy": rows})
    return results


def table(results) -> str:
    """The results as text: a line for each model and size, mean and sample standard deviation."""
    lines = []
    for result in results:
        for size, values in zip(result["digits"], result["accuracy"], strict=True):
            spread = f" ± {np.std(values, ddof=1):.1%}" if len(values) > 1 else ""
            lines.append(f"{result['model']:11}{size:>6,} digits{np.mean(values):8.1%}{spread}")
    return "\n".join(lines)
