"""The doctor: looks at a training run and says what is wrong with it, what it saw, what to try.

>>> trainer = RECIPE.trainer(model, observers=[Monitor()])
>>> trainer.fit(x, y)
>>> for finding in examine(trainer, x, y):
...     print(finding)

It asks of a model only what every layer has: `walk`, forward, backward, parameters and gradients.
What a layer without parameters is it sees from what comes out, so it knows your own ReLU too. The
thresholds stand far off what healthy runs show. These are the MLP, the CNN, the attention model and
a small network of tanh and ReLU, seeds 1 to 10, trained on the 4,000 digits with their recipes;
`tests/full/test_doctor_full.py` repeats them.
"""

import numpy as np

from course.nn import rate_sweep
from course.nn.doctor import data, network, run
from course.nn.doctor.case import Case, ExamineError, Finding
from course.nn.signals import Monitor, look
from course.nn.training import copy_weights

__all__ = ["ILLNESSES", "ExamineError", "Finding", "Monitor", "examine", "glance"]


def examine(trainer, x, y, test_x=None, sweep=False):
    """Return the findings about a run on x (samples, ...), y (samples,): causes, then symptoms.

    x and y are what `trainer.fit` got, `test_x` what the network is to be tested on. A `Monitor`
    among the trainer's observers lets it say more. With `sweep` it also tries out, for a second or
    so, at which learning rates the network would have learned. An empty list says that nothing was
    found, not that all is well. The model is left as it was, but for its `gradients`.

    Raises ExamineError without samples, with another number of labels, or where a sweep cannot
    begin where training began, for want of a Monitor.
    """
    if len(x) != len(y) or not len(x):
        raise ExamineError(
            f"{len(x)} samples with {len(y)} labels cannot be examined: give x and y as to `fit`."
        )
    train_x, validation_x = np.split(x, [len(x) - trainer.settings.held_out(len(x))])
    others = {"validation": validation_x, "test": test_x if test_x is not None else x[:0]}
    case = Case(trainer, train_x, y[: len(train_x)], others)
    case.monitor = next((o for o in trainer.observers if isinstance(o, Monitor)), None)
    if sweep:
        case.sweep = sweep_from_the_beginning(case, x, y)
    with np.errstate(all="ignore"):  # the findings say it better
        case.now = look(trainer, *case.probe, copy_weights(trainer.model))
        if case.first_weights:
            case.start = look(trainer, *case.probe, case.first_weights)
        return [finding for check in CHECKS for finding in check(case)]


def glance(recorder):
    """Return what can be found while training goes on, from what a `Recorder` saw.

    Nothing is sent through the network for it. How fast it learns is judged from the end of the
    first epoch on, as many schedules begin near 0.
    """
    trainer = recorder.trainer
    if not recorder.points:
        return []
    case = Case(trainer, recorder.x, recorder.y, {}, recorder, recorder.first, recorder.last)
    with np.errstate(all="ignore"):
        allowed = GLANCES | (LATER_GLANCES if trainer.epoch else set())
        return [finding for check in CHECKS if check in allowed for finding in check(case)]


def sweep_from_the_beginning(case, x, y):
    if case.trainer.epoch and not case.first_weights:
        raise ExamineError(
            "A sweep begins with the first weights, and training has changed them: give the "
            "trainer observers=[Monitor()], and train again."
        )
    return rate_sweep.sweep(case.trainer, x, y, case.first_weights or None)


# What each finding is called, and in a few words.
ILLNESSES = {
    "inputs": "the inputs are not scaled, or are no numbers",
    "labels": "the labels do not belong to the inputs",
    "leak": "training has seen the samples that it is judged by",
    "gradient": "a backward pass is wrong",
    "alike": "all units of a layer are alike",
    "vanishing": "the gradient vanishes on its way back",
    "exploding": "the gradient explodes on its way back",
    "rate too large": "the learning rate is far too large",
    "rate too small": "the learning rate is far too small",
    "not finite": "the loss is no longer a finite number",
    "saturated": "sigmoids or tanhs are stuck at their ends",
    "dead": "ReLUs are dead",
    "frozen": "a layer does not move",
    "overfitting": "the network learns by heart",
    "stuck": "the network guesses, for whatever reason",
}

# Causes first: what comes later may follow from what comes before.
CHECKS = (
    data.check_inputs,
    data.check_labels,
    data.check_leak,
    network.check_gradient,
    network.check_alike,
    network.check_flow,
    run.check_rate,
    run.check_finite,
    network.check_saturated,
    network.check_dead,
    run.check_frozen,
    run.check_overfitting,
    run.check_stuck,
)

# What needs no more than a Recorder has seen.
GLANCES = {
    data.check_inputs,
    network.check_alike,
    network.check_flow,
    run.check_finite,
    network.check_saturated,
    network.check_dead,
}
LATER_GLANCES = {run.check_rate, run.check_frozen, run.check_overfitting, run.check_stuck}
