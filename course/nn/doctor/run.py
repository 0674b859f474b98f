"""Checks of how training goes: how far steps lead, where the loss is; each yields findings."""

import math

import numpy as np

from course.nn.doctor.case import Finding
from course.nn.training import is_finite

# A step should move the weights by about a thousandth of their size (Karpathy, CS231n, "Ratio of
# weights:updates"). The largest steps of healthy runs move them by 0.002 to 0.06.
HEALTHY_RATIO, FAR, NEAR = 1e-3, 0.3, 2e-5
FROZEN = 1e-3  # of what the other weights move


def check_rate(case):
    trainer, start, now = case.trainer, case.start, case.now
    if start and now.loss < start.loss / 2:  # it learns: weights that start near 0 go far
        return
    if case.sweep and case.sweep.usable:
        yield from compare_with_sweep(case)
        return
    top = largest_steps(case)
    name = max(top, key=top.get, default=None)
    if not name:
        return
    if top[name] > FAR:
        yield Finding(
            "rate too large",
            f"The learning rate is far too large: one step moved {name!r} by {top[name]:.2g} of "
            f"its size, where {HEALTHY_RATIO} is healthy. Try one {_power(top[name] / 0.01)} times "
            f"smaller; the last was {trainer.learning_rate:.2g}.",
        )
    elif 0 < top[name] < NEAR:
        yield Finding(
            "rate too small",
            f"The learning rate is far too small: no step moved any weights by more than "
            f"{top[name]:.2g} of their size, where {HEALTHY_RATIO} is healthy, and the loss went "
            f"from {start.loss:.3g} to {now.loss:.3g}. Try one {_power(0.003 / top[name])} times "
            f"larger; the last was {trainer.learning_rate:.2g}.",
        )


def compare_with_sweep(case):
    settings, schedule = case.trainer.settings, case.trainer.schedule
    used = max(schedule(epoch) for epoch in np.linspace(0, settings.epochs, 101))
    low, high = case.sweep.usable
    if not low <= used <= high:
        far = "large" if used > high else "small"
        yield Finding(
            f"rate too {far}",
            f"The learning rate is far too {far}: it was {used:.2g} at most, and in a sweep the "
            f"loss falls at rates from {low:.2g} to {high:.2g}. Try {case.sweep.suggestion:.2g}.",
        )


def check_frozen(case):
    top = largest_steps(case)
    fastest, slowest = (f(top, key=top.get, default=None) for f in (max, min))
    if top and top[slowest] < FROZEN * top[fastest]:
        yield Finding(
            "frozen",
            f"{slowest!r} hardly moves: its largest step was {top[slowest]:.2g} of its size, while "
            f"{fastest!r} moved by {top[fastest]:.2g}. See that the optimizer was made for the "
            "whole model, and that the first weights of one layer are not far larger than the "
            "others'.",
        )


def largest_steps(case):
    """The largest update-to-weight ratio that the Monitor saw, by parameter; {} without any."""
    seen = case.monitor.ratios if case.monitor else {}
    finite = {name: [r for r in ratios if math.isfinite(r)] for name, ratios in seen.items()}
    return {name: max(ratios) for name, ratios in finite.items() if ratios}


def _power(factor):
    return f"{10 ** max(1, round(math.log10(factor))):,}"


def check_finite(case):
    trainer = case.trainer
    if trainer.stopped == "diverged" or not (case.now.finite and is_finite(trainer.model)):
        yield Finding(
            "not finite",
            f"The loss is no longer a finite number: training broke off in epoch "
            f"{trainer.epoch + 1}, at a learning rate of {trainer.learning_rate:.2g}. If the "
            "inputs are scaled and the gradients right, try a learning rate ten times smaller.",
        )


# The validation loss at the end over its lowest. Healthy: up to 1.2; the small network without
# dropout and batch norm, 1.3. What is learned by heart has a loss far below the validation loss.
RISEN = 1.5
BY_HEART = 0.5


def check_overfitting(case):
    records = [r for r in case.trainer.records if r.val_loss is not None]
    if not records:
        return
    best, last = min(records, key=lambda r: r.val_loss), records[-1]
    by_heart = last.train_loss < min(best.train_loss, BY_HEART * last.val_loss)
    if last.val_loss > RISEN * best.val_loss and by_heart:
        yield Finding(
            "overfitting",
            f"The network learns by heart: since epoch {best.epoch} the validation loss has risen "
            f"from {best.val_loss:.3g} to {last.val_loss:.3g}, while the training loss fell to "
            f"{last.train_loss:.3g}. Try patience, dropout, weight decay or more data.",
        )


# The slowest of the healthy networks, attention, is at 0.8 ln(classes) after its first epoch.
STUCK = 0.02


def check_stuck(case):
    if not case.classifies or not case.trainer.epoch or case.trainer.stopped == "diverged":
        return
    classes = case.now.classes
    guessing = math.log(classes)
    if classes > 1 and abs(case.now.loss - guessing) < STUCK * guessing:
        yield Finding(
            "stuck",
            f"The network guesses: after {case.trainer.epoch} epochs its loss is "
            f"{case.now.loss:.3f}, and ln({classes}) = {guessing:.3f} is that of equal chances for "
            f"all {classes} classes. If nothing else was found, try a learning rate ten times "
            "larger and ten times smaller, and check that the logits depend on the inputs.",
        )
