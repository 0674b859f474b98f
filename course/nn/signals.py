"""What a training run shows of itself: how far steps go, what layers give, whether gradients hold.

Nothing is judged here: `course.nn.doctor` does that.
"""

import math
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from course.nn.activations import sigmoid
from course.nn.gradcheck import one_sided_derivatives, relative_error
from course.nn.training import Observer, copy_weights, put_back


class Monitor(Observer):
    """Keeps what can only be seen during training: the first weights, and how far steps move them.

    `ratios` maps each parameter with units to its update-to-weight ratios, ||step|| / ||w||, of the
    first steps and of every `every`-th one after them.
    """

    FIRST_STEPS = 5

    def __init__(self, every=20):
        self.every = every
        self.start, self.ratios = {}, {}

    def on_begin(self, trainer):
        self.model, self.step = trainer.model, 0
        self.start = self._before = copy_weights(trainer.model)
        self.ratios = {name: [] for name in matrices(trainer.model)}

    def on_batch(self, batch, batches):
        self.step += 1
        if self._before:
            self._measure()
        self._before = copy_weights(self.model) if self.is_next_due() else {}

    def is_next_due(self):
        """Say whether to measure the step after this one."""
        return self.step < self.FIRST_STEPS or (self.step + 1) % self.every == 0

    def _measure(self):
        for name, ratios in self.ratios.items():
            before = self._before[name]
            if size := np.linalg.norm(before):
                step = np.linalg.norm(self.model.parameters[name] - before)
                ratios.append(float(step / size))


@dataclass
class Signals:
    """What one pass of some samples through the network shows, there and back."""

    loss: float
    finite: bool  # whether all that comes out is
    classes: int  # how many numbers come out for a sample
    bends: list  # (layer name, kind, output) of every bend
    deltas: dict  # name of a layer with weights -> root mean square of dLoss/d(its output)


def matrices(model):
    """The parameters that have units, by name: weights, but no biases, scales or shifts."""
    return {name: w for name, w in model.parameters.items() if w.ndim >= 2}


@contextmanager
def lent(model, weights):
    """Meanwhile the model has these weights, and may do with them what it likes."""
    kept, training = copy_weights(model), model.training
    put_back(model, weights)
    try:
        yield
    finally:
        put_back(model, kept)
        model.training = training


@contextmanager
def same_buffers(model):
    """Afterwards what is saved but not trained is as it was, and whether the model is training."""
    kept, training = {name: array.copy() for name, array in model.buffers.items()}, model.training
    try:
        yield
    finally:
        model.training = training
        for name, array in kept.items():
            model.buffers[name][...] = array


def look(trainer, x, y, weights):
    """Send the samples there and back through the network with these weights; return Signals."""
    with lent(trainer.model, weights):
        return look_now(trainer, x, y)


def look_now(trainer, x, y):
    """The same with the weights that the network has; they are not changed."""
    model, bends, deltas = trainer.model, [], {}
    with same_buffers(model), listening(model, bends, deltas):
        model.training = True  # what batch norm does then is what training gets
        answers = model.forward(x)
        loss, dy = trainer.loss_fn(answers, y)
        model.backward(dy)
    finite = bool(np.isfinite(answers).all())
    return Signals(loss, finite, answers.shape[1], bends, dict(reversed(deltas.items())))


def dead_units(y):
    """Which units of a ReLU's output y (samples, units, ...) are 0 for every sample: (units,)."""
    return y.max(axis=tuple(axis for axis in range(y.ndim) if axis != 1)) <= 0


FLAT = 0.98  # |tanh| or |2 sigmoid - 1| above which the slope is less than 4 % of the steepest


def flat_share(kind, y):
    """How many of the outputs of a sigmoid or tanh are where it is flat: a share in [0, 1]."""
    return float(np.mean(np.abs(2 * y - 1 if kind == "sigmoid" else y) > FLAT))


# What a layer without parameters may compute.
BENDS = {"ReLU": lambda x: np.maximum(x, 0), "sigmoid": sigmoid, "tanh": np.tanh}


@contextmanager
def listening(model, bends, deltas):
    """Meanwhile put into `bends` and `deltas` what goes through the layers inside the model."""

    def tell_bend(name, forward):
        def forward_and_tell(x):
            given = x.copy()  # a layer may work in place
            y = forward(x)
            if kind := bend_of(given, y):
                bends.append((name, kind, y.copy()))
            return y

        return forward_and_tell

    def tell_delta(name, backward):
        def backward_and_tell(dy):
            deltas[name] = float(np.sqrt(np.mean(np.square(dy, dtype=np.float64))))
            return backward(dy)

        return backward_and_tell

    inside = [(name, layer) for name, layer in model.walk() if name]
    for name, layer in inside:  # an attribute hides the method of the class
        if matrices(layer):
            layer.backward = tell_delta(name, layer.backward)
        elif not layer.parameters:
            layer.forward = tell_bend(name, layer.forward)
    try:
        yield
    finally:
        for _, layer in inside:
            vars(layer).pop("backward", None)
            vars(layer).pop("forward", None)


def bend_of(x, y):
    """Say which of BENDS makes y of x; None if none does, or x shows no difference."""
    if x.shape != y.shape or np.array_equal(x, y):
        return None
    same = (kind for kind, bend in BENDS.items() if np.allclose(y, bend(x), rtol=1e-4, atol=1e-6))
    return next(same, None)


DIRECTIONS = 4  # that have nothing to do with the gradient, to see what it leaves out
UNSEEN = 4  # rounding errors of the loss: a smaller difference is not told from none


@dataclass
class Slope:
    """How a parameter's gradient compares with how the loss changes when the parameter moves."""

    name: str
    ratio: float  # slope that the gradient claims where it points / slope that is measured there
    along: float  # relative error of the two
    across: float  # the same along random directions


def compare_gradients(trainer, x, y, weights):
    """Return a Slope for each parameter, from the batch (x, y), in the model's own type."""
    random = np.random.default_rng(0)
    with lent(trainer.model, weights):
        # Where biases are 0, so is what background pixels give, and there a ReLU has two slopes.
        for b in trainer.model.parameters.values():
            if b.ndim == 1:
                b += random.choice([-1, 1], b.shape) * random.uniform(0.05, 0.1, b.shape)
        return list(_slopes(trainer, x, y, random))


KINK = 0.3  # share by which the slopes to both sides differ where there is one


def measured_slope(loss, w, v, h, claim):
    """How `loss()` changes when w moves along v, by differences over h and over a quarter of it.

    Of what was measured it is the one nearest to `claim`, for a backward pass that is wrong is so
    whatever the step: curvature and other units' kinks disturb long steps, rounding the short ones,
    and at the kink of a ReLU there are two slopes, of which a backward pass claims one.
    """
    found = []
    for step in (h, h / 4):
        sides = one_sided_derivatives(loss, w, v, step)
        found.append(sum(sides) / 2)
        if abs(sides[1] - sides[0]) > KINK * max(map(abs, sides)):
            found += sides
    return min(found, key=lambda slope: abs(slope - claim))


def _slopes(trainer, x, y, random):
    model = trainer.model
    buffers = {name: array.copy() for name, array in model.buffers.items()}

    def put_back_buffers():  # so that each pass has the same dropout mask
        for name, array in buffers.items():
            model.buffers[name][...] = array

    def loss():
        put_back_buffers()
        return trainer.loss_fn(model.forward(x), y)[0]

    model.training = True
    level = loss()
    put_back_buffers()
    trainer.loss_and_gradients(x, y)
    gradients = {name: gradient.copy() for name, gradient in model.gradients.items()}
    for name, g in gradients.items():
        size = float(np.linalg.norm(g))
        directions = [g / size] if size else []
        directions += [random.standard_normal(g.shape) / g.size**0.5 for _ in range(DIRECTIONS)]
        h = 0.01 * min(1.0, level / size) if size else 0.01  # changes the loss by 1 % at most
        w = model.parameters[name]
        claimed = np.array([np.sum(g * v, dtype=np.float64) for v in directions])
        measured = np.array(
            [
                measured_slope(loss, w, v, h, claim)
                for v, claim in zip(directions, claimed, strict=True)
            ]
        )
        unseen = UNSEEN * np.finfo(w.dtype).eps * level / h
        seen = np.maximum(np.abs(claimed), np.abs(measured)) > unseen
        claimed, measured = claimed * seen, measured * seen
        split = len(directions) - DIRECTIONS
        yield Slope(
            name,
            ratio=float(claimed[0] / measured[0]) if size and measured[0] else math.inf,
            along=relative_error(claimed[:split], measured[:split]),
            across=relative_error(claimed[split:], measured[split:]),
        )
