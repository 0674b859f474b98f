"""Step by step beyond 99.5 %: what each idea of lesson 08 brings, for several seeds.

Every step is trained on all the digits there are and judged on the test digits, of which nothing
was chosen. Each run is kept in a folder of its own as soon as it is over, and not done again.
"""

import dataclasses
import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course import committee, deep, mnist, models
from course.nn import training
from course.nn.augmentation import Augmentation
from course.nn.errors import CourseError
from course.nn.files import replacing
from course.nn.layers import Sequential
from course.nn.losses import SoftmaxCrossEntropy, softmax
from course.nn.recipe import Recipe
from course.nn.regularization import BatchNorm
from course.nn.replicas import Replicas


@dataclass(frozen=True)
class Step:
    """Networks of one kind: how to make one from a seed, and how it is trained."""

    name: str
    make: Callable
    recipe: Recipe


class WithoutNorm(deep.DeepCNN):
    """The network of lesson 08 without batch norm, dropout and label smoothing."""

    def __init__(self, seed, **sizes):
        super().__init__(seed, dropout=0.0, **sizes)
        layers = {name: layer for name, layer in self.layers.items()
                  if not isinstance(layer, BatchNorm)}  # fmt: skip
        Sequential.__init__(self, **layers)
        self._replicas = Replicas(self)
        self.loss_fn = SoftmaxCrossEntropy()


def with_norm(seed):
    """The network of lesson 08 without dropout and label smoothing."""
    network = deep.DeepCNN(seed, dropout=0.0)
    network.loss_fn = SoftmaxCrossEntropy()
    return network


def named(name):
    """Return the function that makes the model `name` of the course from a seed."""
    return lambda seed: models.build(name, seed=seed)


def ladder():
    """The steps of which each adds one idea to the one before."""
    averaged = dataclasses.replace(deep.RECIPE, average=deep.RECIPE.average or 0.999)
    augmented = dataclasses.replace(averaged, average=0.0, epochs=averaged.epochs // 2)
    plain = dataclasses.replace(augmented, augment=False)
    return (
        Step("cnn", named("cnn"), models.recipe("cnn")),
        Step("two convolutions", WithoutNorm, plain),
        Step("batch norm", with_norm, plain),
        Step("dropout and smoothing", deep.DeepCNN, plain),
        Step("augmentation", deep.DeepCNN, augmented),
        Step("averaged weights", deep.DeepCNN, averaged),
    )


def augmented(name, epochs):
    """The model `name` with its own recipe, but for augmentation, and for so many epochs."""
    recipe = dataclasses.replace(models.recipe(name), augment=True, epochs=epochs)
    return Step(f"{name} augmented", named(name), recipe)


LADDER = ladder()
# Augmented digits are never the same twice, so there is something to learn for more epochs.
OTHERS = (
    augmented("cnn", 12),
    Step("mlp", named("mlp"), models.recipe("mlp")),
    augmented("mlp", 40),
    Step("attention", named("attention"), models.recipe("attention")),
    augmented("attention", 16),
)
STEPS = {step.name: step for step in (*LADDER, *OTHERS)}
FOLDER = "runs/steps"
ARRAYS = {"read", "read_last", "read_shifted", "by_epoch"}  # what is kept of a run
LONGER = "twice the epochs"  # the last step before its weights are averaged
SHIFTS, COMMITTEE, BOTH = "small shifts", "committee", "committee with shifts"


class KeptRunError(CourseError, ValueError):
    """A file of a run that was kept cannot be read; the message names it."""


class AfterEachEpoch(training.Observer):
    """Judges the network after every epoch: not to choose by, but to show what choosing does."""

    def __init__(self, model, x, y):
        self.model, self.x, self.y = model, x, y
        self.accuracy = []
        self.read = None  # probabilities (digits, 10), by the weights of the last epoch

    def on_epoch(self, record):
        self.read = probabilities(self.model, self.x)
        self.accuracy.append((self.read.argmax(axis=1) == self.y).mean())


def measure(names=None, seeds=3, epochs_factor=1.0, folder=None, report=print):
    """Train each step with the seeds 1 to `seeds`, as far as it was not done before.

    Args:
        names: of STEPS; all of them if not given.
        epochs_factor: train for so many times the epochs, at least one.
        folder: where runs are kept, one file each; `runs/steps` if not given.
        report: is told of each run.

    Returns:
        A list of dicts: `step`, `epochs`, `trained_on` and `tested_on` (numbers of digits),
        `accuracy` (fractions of 1, one a seed), `by_epoch` (after each epoch, a list a seed, where
        these are the weights that are judged) and `misread` (indices of test digits, a list a
        seed). Beside the ladder's last step, if it is
        among `names`, are LONGER, and at the end what its networks read from several places,
        together, and both.
    """
    digits = mnist.load()
    folder = Path(folder or FOLDER)
    results = []
    for name in STEPS if names is None else names:
        step = STEPS[name]
        epochs = max(1, round(epochs_factor * step.recipe.epochs))
        recipe = dataclasses.replace(step.recipe, epochs=epochs, validation_split=0.0)
        step = dataclasses.replace(step, recipe=recipe)
        runs = [kept_or_done(step, seed, digits, folder, report) for seed in range(1, seeds + 1)]
        kinds = {name: [run["read"] for run in runs]}
        if name == LADDER[-1].name:
            kinds = {LONGER: [run["read_last"] for run in runs]} | kinds | opinions(runs)
        rows = [result(kind, epochs, digits, read) for kind, read in kinds.items()]
        rows[0]["by_epoch"] = [run["by_epoch"].tolist() for run in runs]
        results += rows
    return results


def opinions(runs):
    """What the networks of some runs read from several places, as a committee, and both."""
    plain, shifted = ([run[key] for run in runs] for key in ("read", "read_shifted"))
    return {
        SHIFTS: shifted,
        COMMITTEE: [np.mean(plain, axis=0)],
        BOTH: [np.mean(shifted, axis=0)],
    }


def result(name, epochs, digits, read):
    """One of the dicts of `measure`; `read` are probabilities (test digits, 10), one a run."""
    labels = digits.test_labels
    misread = [np.flatnonzero(p.argmax(axis=1) != labels).tolist() for p in read]
    return {
        "step": name,
        "epochs": epochs,
        "trained_on": len(digits.train_labels),
        "tested_on": len(labels),
        "accuracy": [1 - len(wrong) / len(labels) for wrong in misread],
        "misread": misread,
        "by_epoch": [],
    }


def kept_or_done(step, seed, digits, folder, report):
    """Return what `run` does; if the run was done before, from the file that it left."""
    name = step.name.replace(" ", "-")
    path = folder / f"{name}-{seed}-{fingerprint(step, digits)}.npz"
    about = f"{step.name}, seed {seed}, {step.recipe.epochs} epochs"
    if path.exists():
        report(f"{about}: done before")
        return read_run(path, digits)
    found = run(step, seed, digits)
    with replacing(path) as file:
        np.savez(file, **found)
    right = (found["read"].argmax(axis=1) == digits.test_labels).mean()
    report(f"{about}: {right:.2%}")
    return found


def read_run(path, digits):
    """Read what `kept_or_done` wrote. Raises KeptRunError."""
    try:
        with np.load(path) as file:
            found = {name: file[name] for name in ARRAYS}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        found = {}
    expected = (len(digits.test_labels), 10)
    if not found or {found[name].shape for name in ("read", "read_shifted")} != {expected}:
        raise KeptRunError(
            f"{path}: holds no run of this benchmark. Remove it to do the run again."
        )
    return found


def fingerprint(step, digits):
    """A short text, another one for another recipe, network, augmentation or number of digits."""
    network = step.make(1)
    settings = {
        "recipe": dataclasses.asdict(step.recipe),
        "augmentation": dataclasses.asdict(Augmentation()),
        "network": [network.name, network.config, network.loss_fn.smoothing],
        "digits": [len(digits.train_labels), len(digits.test_labels)],
    }
    text = json.dumps(settings, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def run(step, seed, digits):
    """Train one network; return arrays.

    `read` and `read_shifted`: its probabilities (test digits, 10) as it is and from several places;
    `read_last`: those of the last epoch, which differ from `read` where weights were averaged;
    `by_epoch`: its accuracy (epochs,) after each epoch. Raises KeyboardInterrupt if it was stopped.
    """
    x, test_x = (
        mnist.to_float(images).reshape(-1, 784)
        for images in (digits.train_images, digits.test_images)
    )
    network = step.make(seed)
    observer = AfterEachEpoch(network, test_x, digits.test_labels)
    recipe = dataclasses.replace(step.recipe, seed=seed)
    trainer = recipe.trainer(network, [observer])
    trainer.fit(x, digits.train_labels)
    if trainer.stopped == "interrupted":
        raise KeyboardInterrupt
    shifted = committee.from_several_places(network)
    return {
        "read": probabilities(network, test_x),
        "read_last": observer.read,
        "read_shifted": probabilities(shifted, test_x),
        "by_epoch": np.array(observer.accuracy),
    }


def probabilities(network, x, batch_size=1000):
    """What a network says of x (samples, 784): (samples, classes), in batches to save memory."""
    network.training = False
    parts = [x[start : start + batch_size] for start in range(0, len(x), batch_size)]
    return np.concatenate([softmax(network.forward(part)) for part in parts])


def table(results) -> str:
    """The results as text: a line for each step, mean accuracy and its standard error."""
    width = max((len(row["step"]) for row in results), default=0)
    lines = [f"{'':{width}}  epochs  accuracy"]
    for row in results:
        values = row["accuracy"]
        error = f" ± {np.std(values, ddof=1) / len(values) ** 0.5:.2%}" if len(values) > 1 else ""
        lines.append(f"{row['step']:{width}}  {row['epochs']:>6}  {np.mean(values):.2%}{error}")
    return "\n".join(lines)
