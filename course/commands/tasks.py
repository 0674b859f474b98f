"""What a model is trained and tested on."""

from dataclasses import dataclass

import numpy as np

from course import commands, xor
from course.mnist import to_float
from course.nn import classes

NOT_FINITE = (
    "{}: its answers are not finite numbers, because its weights are too large; train it anew with "
    "a smaller learning rate"
)


@dataclass(frozen=True)
class Task:
    """What a model learns from and is tested on, and what that is called."""

    source: str
    x: np.ndarray  # (samples, inputs) floats
    y: np.ndarray  # (samples,)
    test_x: np.ndarray
    test_y: np.ndarray
    answers: int = 1  # how many numbers a model must give for each sample
    class_names: tuple | None = None  # what these stand for


def load_task(model, directory):
    """Return the task of the model by that name: its four cases for XOR, digits for the rest."""
    if model == "xor":
        if directory:
            raise commands.UsageError("--data is a folder of digits; xor has its own four cases")
        return Task("the four cases of XOR", *2 * (xor.INPUTS, xor.TARGETS))
    digits = commands.load_digits(directory)
    x, test_x = (
        to_float(images).reshape(len(images), -1)
        for images in (digits.train_images, digits.test_images)
    )
    y, test_y, names = digits.train_labels, digits.test_labels, digits.class_names
    return Task(digits.source, x, y, test_x, test_y, len(names), names)


def why_unfit(model, task):
    """Say why `model` cannot do `task`; "" if it can."""
    try:
        answers = model.forward(task.test_x[:1])  # (1, answers)
    except Exception as error:  # a layer of the learner's own can fail in any way
        return f"it does not take samples of {task.x.shape[1]} numbers ({error})"
    if np.ndim(answers) != 2:
        return "it does not give one row of numbers for each sample"
    if answers.shape[1] < task.answers:
        return f"it gives {answers.shape[1]} numbers, but {task.answers} are needed"
    return why_other_classes(model, answers.shape[1], task.class_names)


def why_other_classes(model, outputs, names):
    """Say why `model`, of so many outputs, does not tell apart what `names` says; "" if it does."""
    if names is None or model.class_names == names:
        return ""
    if model.class_names:
        known = classes.listed(model.class_names)
        return f"it tells {known} apart, but the data has {classes.listed(names)}"
    if outputs != len(names) and names != classes.DIGITS:
        return f"it gives {outputs} numbers, but the data has {len(names)} classes"
    return ""
