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

import math
from dataclasses import dataclass

import numpy as np

from course.nn.blas import gemm
from course.nn.errors import CourseError
from course.nn.losses import SoftmaxCrossEntropy
from course.nn.signals import Monitor, Signals, compare_gradients, look, matrices
from course.nn.training import copy_weights, is_finite

PROBE = 256  # samples that are sent through the network


class ExamineError(CourseError, ValueError):
    """There is nothing to examine; the message says what is missing."""


@dataclass(frozen=True)
class Finding:
    """One illness: its short name, and two or three sentences for the reader."""

    illness: str
    text: str

    def __str__(self):
        return self.text


@dataclass
class Case:
    """A training run as the checks get it. `start` is None where no Monitor was listening."""

    trainer: object
    x: np.ndarray  # what was trained on
    y: np.ndarray
    held_out: dict  # "validation" or "test" -> samples that training must not know
    monitor: Monitor | None = None
    start: Signals | None = None
    now: Signals | None = None

    @property
    def probe(self):
        chosen = np.linspace(0, len(self.x) - 1, min(PROBE, len(self.x))).astype(int)
        return self.x[chosen], self.y[chosen]

    @property
    def first_weights(self):
        return self.monitor.start if self.monitor else {}

    @property
    def classifies(self):
        return isinstance(self.trainer.loss_fn, SoftmaxCrossEntropy)


def examine(trainer, x, y, test_x=None):
    """Return the findings about a run on x (samples, ...), y (samples,): causes, then symptoms.

    x and y are what `trainer.fit` got, `test_x` what the network is to be tested on. A `Monitor`
    among the trainer's observers lets it say more. An empty list says that nothing was found, not
    that all is well. The model is left as it was, but for its `gradients`.

    Raises ExamineError without samples, or with another number of labels.
    """
    if len(x) != len(y) or not len(x):
        raise ExamineError(
            f"{len(x)} samples with {len(y)} labels cannot be examined: give x and y as to `fit`."
        )
    held_out = math.floor(len(x) * trainer.settings.validation_split)
    train_x, validation_x = np.split(x, [len(x) - held_out])
    others = {"validation": validation_x, "test": test_x if test_x is not None else x[:0]}
    case = Case(trainer, train_x, y[: len(train_x)], others)
    case.monitor = next((o for o in trainer.observers if isinstance(o, Monitor)), None)
    with np.errstate(all="ignore"):  # the findings say it better
        case.now = look(trainer, *case.probe, copy_weights(trainer.model))
        if case.first_weights:
            case.start = look(trainer, *case.probe, case.first_weights)
        return [finding for check in CHECKS for finding in check(case)]


# ---- The checks: each yields findings about a Case -----------------------------------------------

# LeCun et al., "Efficient backprop" (1998), section 4.3: inputs of mean 0 and variance 1. Pixels
# from 0 to 1 have a root mean square of 0.33, from 0 to 255 of 85, scaled twice of 0.001.
LARGEST_INPUT, SMALLEST_INPUT = 5.0, 0.02


def check_inputs(case):
    x, _ = case.probe
    size = float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))
    if not np.isfinite(size):
        text = "Some inputs are not finite numbers. Look for empty or damaged samples, and leave "
        yield Finding("inputs", text + "them out.")
    elif not SMALLEST_INPUT <= size <= LARGEST_INPUT:
        yield Finding(
            "inputs",
            f"The inputs are not scaled: they go from {x.min():.3g} to {x.max():.3g}, with a root "
            f"mean square of {size:.2g} where about 0.3 to 1 is good. Divide pixels by 255, once, "
            "or take the mean off each feature and divide by its standard deviation.",
        )


NEIGHBORS = 1000  # samples whose nearest neighbors are compared; of digits, 88 % have its label
SIGMAS = 4.0  # one run in 30,000 is that far above chance by luck


def check_labels(case):
    if not case.classifies:
        return
    classes, counts = np.unique(case.y, return_counts=True)
    if len(classes) == 1:
        yield Finding(
            "labels",
            f"All {len(case.y)} labels are {classes[0]}: there is nothing to tell apart. Look at "
            "how the labels are read: the bytes after the header, one a sample.",
        )
        return
    chance = float(np.sum((counts / len(case.y)) ** 2))
    agree = neighbors_agree(case.x, case.y)
    limit = chance + SIGMAS * math.sqrt(chance * (1 - chance) / min(NEIGHBORS, len(case.y)))
    last = case.trainer.records[-1].val_accuracy if case.trainer.records else None
    guesses = last is None or last < counts.max() / len(case.y) + (limit - chance)
    if len(case.y) >= PROBE and agree < limit and guesses:
        yield Finding(
            "labels",
            "The labels do not belong to the inputs, as after shuffling only one of the two: a "
            f"sample and its nearest neighbor have the same label in {agree:.0%} of the cases, and "
            f"{chance:.0%} would by chance. Draw some samples with their labels above them, and "
            "use one permutation for both.",
        )


def neighbors_agree(x, y):
    """Return in [0, 1] how often a sample's nearest neighbor has the sample's own label."""
    x, y = x[:NEIGHBORS].reshape(-1, x[0].size), y[:NEIGHBORS]
    x = np.ascontiguousarray(np.nan_to_num(x), np.float64)
    squares = np.sum(x**2, axis=1)
    distances = squares - 2 * gemm(x, x, trans_b=True)  # |a - b|^2, less |a|^2, which is the row's
    np.fill_diagonal(distances, np.inf)
    return float(np.mean(y[distances.argmin(axis=1)] == y))


LEAK = 0.01  # none of MNIST's test digits is among its training digits


def check_leak(case):
    known = None
    for name, x in case.held_out.items():
        if len(x):
            known = known or {sample.tobytes() for sample in case.x}
            share = float(np.mean([sample.tobytes() in known for sample in x]))
            if share > LEAK:
                yield Finding(
                    "leak",
                    f"Training knows the answers: {share:.0%} of the {len(x)} {name} samples are "
                    "among the training samples too, so their accuracy says nothing about new "
                    "ones. Take copies out first, then split.",
                )


# A relative error |a - b| / (|a| + |b|) of 0.05 is a factor of 1.1. Along the gradient healthy runs
# show up to 0.014 in float32, along random directions, where less is left to see, up to 0.05.
WRONG_ALONG, WRONG_ACROSS = 0.05, 0.25
COMPARED = 64  # samples, fewer where there are not so many


def check_gradient(case):
    x, y = (array[:COMPARED] for array in case.probe)
    weights = case.first_weights or copy_weights(case.trainer.model)
    for slope in compare_gradients(case.trainer, x, y, weights):
        if slope.along > WRONG_ALONG or slope.across > WRONG_ACROSS:
            yield Finding(
                "gradient",
                f"The gradient of {slope.name!r} is wrong: {_how_wrong(slope, len(x))}. Check the "
                "backward pass of its layer and of those after it with "
                "`course.nn.gradcheck.check_gradients`, in float64.",
            )
            return  # the others follow from it, or are seen after it is mended


def _how_wrong(slope, batch):
    if slope.along <= WRONG_ALONG:
        return f"parts of it are missing or do not belong there (relative error {slope.across:.2g})"
    if math.isclose(slope.ratio, 1 / batch, rel_tol=0.1):
        return f"it is {batch} times too small, as if divided by the batch of {batch} twice"
    if math.isclose(slope.ratio, batch, rel_tol=0.1):
        return f"it is {batch} times too large, as if never divided by the batch of {batch}"
    if math.isclose(slope.ratio, -1, rel_tol=0.1):
        return "its sign is turned around, so that steps lead uphill"
    return f"it claims {slope.ratio:.2g} times the slope that the loss has where it points"


ALIKE = 0.001  # spread of a layer's units over its largest weight; drawn weights show 0.9 and more


def check_alike(case):
    hidden = list(matrices(case.trainer.model).items())[:-1]  # the last one's labels differ
    for name, w in hidden:
        units = 0 if w.ndim == 4 else -1  # the axis that counts them
        spread = np.abs(w - w.mean(axis=units, keepdims=True)).max()
        if w.shape[units] > 1 and spread <= ALIKE * np.abs(w).max():
            yield Finding(
                "alike",
                f"All {w.shape[units]} units of {name!r} are alike: their weights differ by "
                f"{spread:.2g}. Equal units get equal gradients and stay equal for ever, so draw "
                "the first weights at random, as `course.nn.rng.xavier_uniform` does.",
            )


# Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural networks"
# (2010), want gradients of one size in all layers. In healthy networks it is up to 47 times smaller
# at the first layer than at the last: in the CNN, where the pooling passes one pixel of four.
FLOW = 1000.0


def check_flow(case):
    deltas = (case.start or case.now).deltas
    if len(deltas) < 2 or any(check_alike(case)):
        return
    first, *_, last = deltas
    at_first, at_last = deltas[first], deltas[last]
    seen = f"{at_first:.2g} at {first!r} and {at_last:.2g} at {last!r} (root mean squares)"
    if 0 < at_first * FLOW < at_last:
        yield Finding(
            "vanishing",
            f"The gradient vanishes on its way back: {seen}. The first layers hardly learn; try "
            "ReLU for sigmoids, weights drawn with the Xavier limit, or fewer layers.",
        )
    elif at_first > FLOW * at_last > 0:
        yield Finding(
            "exploding",
            f"The gradient explodes on its way back: {seen}. Draw smaller weights, with the Xavier "
            "limit sqrt(6 / (inputs + outputs)), or put batch norm between the layers.",
        )


# Glorot & Bengio (2010), section 3, show layers that saturate and stop. Of the small healthy
# network's tanh 0.05 are flat at the end, 0.19 without its batch norm.
FLAT = 0.98  # |tanh| or |2 sigmoid - 1| above which the slope is less than 4 % of the steepest
SATURATED = 0.6  # share of flat outputs


def check_saturated(case):
    layers = [name for name, _ in case.trainer.model.walk()]
    for name, kind, y in case.now.bends:
        share = float(np.mean(np.abs(2 * y - 1 if kind == "sigmoid" else y) > FLAT))
        if kind != "ReLU" and share > SATURATED and name != layers[-1]:  # answers may be sure
            yield Finding(
                "saturated",
                f"The {kind} of {name!r} is saturated: {share:.0%} of its outputs are at one of "
                "its ends, where it is flat and passes hardly any gradient. Draw smaller weights, "
                "scale the inputs to about 1, or step less far.",
            )


# Shares of units that are 0 on all of the probe. Healthy: up to 1 of the CNN's 8 channels, 0.01 of
# the MLP's units. Lu et al., "Dying ReLU and initialization" (2019), say how it comes about.
DEAD = 0.4


def check_dead(case):
    for name, kind, y in case.now.bends:
        if kind != "ReLU":
            continue
        alive = y.max(axis=tuple(axis for axis in range(y.ndim) if axis != 1)) > 0
        if np.mean(~alive) > DEAD:
            yield Finding(
                "dead",
                f"{np.sum(~alive)} of the {alive.size} ReLUs of {name!r} are dead: they give 0 for "
                f"each of {len(y)} samples, so no gradient comes through. Try a learning rate ten "
                "times smaller, biases that start at 0, or a leaky ReLU.",
            )


# A step should move the weights by about a thousandth of their size (Karpathy, CS231n, "Ratio of
# weights:updates"). The largest steps of healthy runs move them by 0.002 to 0.06.
FAR, NEAR = 0.3, 2e-5
FROZEN = 1e-3  # of what the other weights move


def check_rate(case):
    trainer, start, now = case.trainer, case.start, case.now
    top = largest_steps(case)
    name = max(top, key=top.get, default=None)
    if not name or now.loss < start.loss / 2:  # it learns: weights that start near 0 go far
        return
    if top[name] > FAR:
        yield Finding(
            "rate too large",
            f"The learning rate is far too large: one step moved {name!r} by {top[name]:.2g} of "
            f"its size, where 0.001 is healthy. Try one {_power(top[name] / 0.01)} times smaller; "
            f"the last was {trainer.learning_rate:.2g}.",
        )
    elif 0 < top[name] < NEAR:
        yield Finding(
            "rate too small",
            f"The learning rate is far too small: no step moved any weights by more than "
            f"{top[name]:.2g} of their size, where 0.001 is healthy, and the loss went from "
            f"{start.loss:.3g} to {now.loss:.3g}. Try one {_power(0.003 / top[name])} times "
            f"larger; the last was {trainer.learning_rate:.2g}.",
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
# dropout and batch norm, 1.3.
RISEN = 1.5


def check_overfitting(case):
    records = [r for r in case.trainer.records if r.val_loss is not None]
    if not records:
        return
    best, last = min(records, key=lambda r: r.val_loss), records[-1]
    if last.val_loss > RISEN * best.val_loss and last.train_loss < best.train_loss:
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


# Causes first: what comes later may follow from what comes before.
CHECKS = (
    check_inputs,
    check_labels,
    check_leak,
    check_gradient,
    check_alike,
    check_flow,
    check_rate,
    check_finite,
    check_saturated,
    check_dead,
    check_frozen,
    check_overfitting,
    check_stuck,
)
