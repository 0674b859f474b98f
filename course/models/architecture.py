"""Networks from JSON files: a list of layers, checked one against the next, becomes a model.

    {"layers": [
        {"layer_type": "conv2d", "in_channels": 1, "out_channels": 8, "kernel_size": 3,
         "padding": 1, "stride": 1, "input_height": 28, "input_width": 28},
        {"layer_type": "maxpool", "pool_size": 2, "pool_channels": 8,
         "pool_input_height": 28, "pool_input_width": 28},
        {"layer_type": "batchnorm", "size": 1568, "epsilon": 1e-5, "momentum": 0.9},
        {"layer_type": "dropout", "size": 1568, "drop_rate": 0.2},
        {"layer_type": "dense", "input_size": 1568, "output_size": 10}]}

Batch norm after a picture takes either all of its numbers, as here, or as many as it has channels:
then a feature is a channel, with one mean and one variance for all of its places.

Defaults: padding 0, stride 1, pool_stride = pool_size, epsilon 1e-5, momentum 0.9, which is here
the share of the old running mean that is kept. Small and capital letters are the same; FIELDS says
which other names a field may have.

An activation follows each dense and conv2d layer but the last of them; where batch norm comes next,
the activation follows that (Ioffe & Szegedy 2015, section 3.2). It is a ReLU unless the file names
another one of `course.nn.activations.ACTIVATIONS`, for all of them or for a layer of its own:

    {"activation": "gelu", "layers": [
        {"layer_type": "dense", "input_size": 784, "output_size": 128},
        {"layer_type": "dense", "input_size": 128, "output_size": 64, "activation": "tanh"},
        {"layer_type": "dense", "input_size": 64, "output_size": 10}]}

Between layers a picture is passed on as (channels, height, width), to all other layers as one row.
"""

import itertools
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course.cnn import Conv2D, MaxPool2D
from course.nn.activations import ACTIVATIONS
from course.nn.errors import CourseError
from course.nn.layers import Dense, Flatten, Layer, Sequential
from course.nn.recipe import Recipe
from course.nn.regularization import BatchNorm, Dropout
from course.nn.rng import SimpleRng

# Whatever the layers are, it should train: Adam did well on shallow, deep and convolutional ones
# alike, where momentum at the MLP's 0.1 was too much for some.
RECIPE = Recipe(optimizer="adam", learning_rate=0.003, schedule="one_cycle")
LARGEST = 2**28  # weights, about a gigabyte; what is beyond was a slip of the pen
DEEPEST = 1000  # layers

# The fields of each layer, each with the names it may have; the first is the one in messages.
FIELDS = {
    "dense": {
        "inputs": ("input_size", "in_features", "inputs"),
        "outputs": ("output_size", "out_features", "outputs"),
        "activation": ("activation",),
    },
    "conv2d": {
        "in_channels": ("in_channels",),
        "out_channels": ("out_channels", "filters"),
        "kernel": ("kernel_size", "kernel"),
        "height": ("input_height", "height"),
        "width": ("input_width", "width"),
        "padding": ("padding",),
        "stride": ("stride",),
        "activation": ("activation",),
    },
    "maxpool": {
        "size": ("pool_size", "kernel_size"),
        "channels": ("pool_channels", "channels"),
        "height": ("pool_input_height", "input_height"),
        "width": ("pool_input_width", "input_width"),
        "stride": ("pool_stride", "stride"),
    },
    "batchnorm": {
        "size": ("size", "num_features"),
        "epsilon": ("epsilon", "eps"),
        "momentum": ("momentum",),
    },
    "dropout": {
        "size": ("size",),
        "rate": ("drop_rate", "rate", "p"),
    },
}
DEFAULTS = {
    "dense": {"activation": None},
    "conv2d": {"padding": 0, "stride": 1, "activation": None},
    "maxpool": {"stride": None},
    "batchnorm": {"epsilon": 1e-5, "momentum": 0.9},
}
OTHER_TYPES = {"linear": "dense", "max_pool": "maxpool", "batch_norm": "batchnorm"}
WITH_WEIGHTS = ("dense", "conv2d")
REALS = {"epsilon": (1e-12, 1.0), "momentum": (0.0, 1.0), "rate": (0.0, 0.999)}  # least, most


class ArchitectureError(CourseError, ValueError):
    """A network that cannot be built; the message names the layer, what is wrong, and sizes."""


class Reshape(Layer):
    """(batch, any) -> (batch, *shape): a view, nothing is moved."""

    def __init__(self, shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        self.incoming = x.shape
        return x.reshape(len(x), *self.shape)

    def backward(self, dy):
        return dy.reshape(self.incoming)


@dataclass
class Part:
    """One layer of the file, checked: what it takes and gives, and how it is made."""

    label: str  # "layer 2 (dense)", counted from 0
    kind: str
    inputs: tuple  # (size,) or (channels, height, width)
    outputs: tuple
    arrays: dict  # name -> shape of each parameter and buffer
    make: Callable  # (rng, dtype, first) -> Layer
    activation: str | None = None  # what follows, one of ACTIVATIONS


class Network(Sequential):
    """A network of `layers`, as they stand in an architecture file, with its `activation`.

    x may be (batch, inputs) or (batch, channels, height, width); logits are (batch, outputs).
    Parameters are named by type and place: "dense3.w". Raises `ArchitectureError`.
    """

    name = "architecture"

    def __init__(self, layers, seed=1, dtype=np.float32, activation="relu"):
        parts = check(layers, activation)
        rng = SimpleRng(seed)
        made, shape = {}, parts[0].inputs
        for index, part in enumerate(parts):
            if len(part.inputs) > len(shape):
                made[f"reshape{index}"] = Reshape(part.inputs)
            elif len(part.inputs) < len(shape):
                made[f"flatten{index}"] = Flatten()
            made[f"{part.kind}{index}"] = part.make(rng, dtype, first=index == 0)
            if part.activation:
                made[f"{part.activation}{index}"] = ACTIVATIONS[part.activation]()
            shape = part.outputs
        if len(shape) > 1:
            made["flatten"] = Flatten()
        super().__init__(**made)
        self.config = {"layers": layers, "activation": activation}
        self.input_shape, self.outputs = parts[0].inputs, math.prod(shape)

    @property
    def inputs(self) -> int:
        """How many numbers one sample has."""
        return math.prod(self.input_shape)

    def forward(self, x):
        return super().forward(x.reshape(len(x), *self.input_shape))


def load(path, seed=1, dtype=np.float32) -> Network:
    """Build the network of the architecture file `path`, with weights drawn from `seed`.

    Raises `ArchitectureError` that names the file, `OSError` if it cannot be read.
    """
    content = Path(path).read_bytes()
    try:
        architecture = json.loads(content)
        if not isinstance(architecture, dict) or "layers" not in architecture:
            raise ArchitectureError('there is no list of "layers"')
        if unknown := architecture.keys() - {"layers", "activation"}:
            raise ArchitectureError(
                f"unknown field {min(unknown)[:40]!r}; known are layers, activation"
            )
        activation = architecture.get("activation")
        return Network(
            architecture["layers"], seed, dtype, "relu" if activation is None else activation
        )
    except ArchitectureError as error:
        raise ArchitectureError(f"{path}: {error}") from None
    except (ValueError, RecursionError) as error:  # whatever JSON can have wrong
        raise ArchitectureError(f"{path}: no readable JSON: {error}") from None


# ---- Checking ------------------------------------------------------------------------------------


def check(layers, activation="relu") -> list[Part]:
    """The layers of a file as parts that fit together, each with the activation that it has."""
    if not isinstance(layers, list) or not layers:
        raise ArchitectureError('"layers" must be a list of at least one layer')
    if len(layers) > DEEPEST:
        raise ArchitectureError(f"{len(layers):,} layers are more than {DEEPEST:,}")
    parts = [parse(index, layer) for index, layer in enumerate(layers)]
    place_activations(parts, known_activation(activation))
    for before, after in itertools.pairwise(parts):
        if (
            after.kind == "batchnorm"
            and len(before.outputs) == 3
            and before.outputs[0] == after.inputs[0]
        ):
            after.inputs = after.outputs = before.outputs  # per channel
        given, taken = before.outputs, after.inputs
        pictures = len(given) == len(taken) == 3
        if given != taken if pictures else math.prod(given) != math.prod(taken):
            raise ArchitectureError(
                f"{before.label} gives {describe(given)}, but {after.label} takes {describe(taken)}"
            )
    weights = sum(math.prod(shape) for part in parts for shape in part.arrays.values())
    if weights > LARGEST:
        raise ArchitectureError(f"{weights:,} weights are more than {LARGEST:,}")
    return parts


def shapes(layers, activation="relu") -> dict:
    """Name -> shape of every parameter and buffer of such a `Network`; none is made."""
    return {
        f"{part.kind}{index}.{name}": shape
        for index, part in enumerate(check(layers, activation))
        for name, shape in part.arrays.items()
    }


def describe(shape) -> str:
    """A shape in words: "784", or "6,272 (8 x 28 x 28)"."""
    size = f"{math.prod(shape):,}"
    return size if len(shape) == 1 else f"{size} ({' x '.join(map(str, shape))})"


def place_activations(parts, default):
    """Give each part the activation that follows it: its own, or the default one."""
    weighted = [part for part in parts if part.kind in WITH_WEIGHTS]
    for part in weighted[:-1]:
        part.activation = part.activation or default
    for last in weighted[-1:]:
        if last.activation:
            raise ArchitectureError(
                f"{last.label}: no activation follows the last dense or conv2d layer"
            )
    for before, after in itertools.pairwise(parts):
        if before.kind in WITH_WEIGHTS and after.kind == "batchnorm":
            before.activation, after.activation = None, before.activation


def known_activation(value, label="") -> str:
    """The name of an activation, in small letters."""
    if not isinstance(value, str) or value.lower() not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise ArchitectureError(f"{label}unknown activation {str(value)[:40]!r}; known are {known}")
    return value.lower()


def parse(index, layer) -> Part:
    """One layer of the file as a part."""
    label = f"layer {index}"
    if not isinstance(layer, dict) or not isinstance(layer.get("layer_type"), str):
        raise ArchitectureError(f'{label}: must have a "layer_type"')
    kind = layer["layer_type"].lower()
    kind = OTHER_TYPES.get(kind, kind)
    if kind not in FIELDS:
        known = ", ".join(FIELDS)
        raise ArchitectureError(f"{label}: unknown layer_type {kind[:40]!r}; known are {known}")
    label += f" ({kind})"
    return PARTS[kind](label, **read_fields(label, kind, layer))


def read_fields(label, kind, layer) -> dict:
    """The fields of `layer` under our own names, each checked."""
    given = {name: value for name, value in layer.items() if value is not None}
    del given["layer_type"]
    values = dict(DEFAULTS.get(kind, {}))
    for field, names in FIELDS[kind].items():
        found = [name for name in names if name in given]
        if len(found) > 1:
            raise ArchitectureError(f"{label}: {found[0]} and {found[1]} are the same")
        if found:
            values[field] = checked(label, found[0], field, given.pop(found[0]))
        elif field not in values:
            raise ArchitectureError(f"{label}: {names[0]} is missing")
    if given:
        known = ", ".join(names[0] for names in FIELDS[kind].values())
        raise ArchitectureError(f"{label}: unknown field {min(given)[:40]!r}; known are {known}")
    return values


def checked(label, name, field, value):
    """`value`, if it is a name or a number in the range of `field`."""
    if field == "activation":
        return known_activation(value, f"{label}: ")
    if field in REALS:
        least, most = REALS[field]
        if type(value) not in (int, float) or not least <= value <= most:
            raise ArchitectureError(
                f"{label}: {name} must be from {least:g} to {most:g}, found {str(value)[:40]}"
            )
        return float(value)
    least = 0 if field == "padding" else 1
    if type(value) is not int or not least <= value <= LARGEST:
        raise ArchitectureError(
            f"{label}: {name} must be a whole number from {least}, found {str(value)[:40]}"
        )
    return value


# ---- The layers ----------------------------------------------------------------------------------


def dense(label, inputs, outputs, activation):
    def make(rng, dtype, first):
        return Dense(inputs, outputs, rng, dtype, needs_input_gradient=not first)

    arrays = {"w": (inputs, outputs), "b": (outputs,)}
    return Part(label, "dense", (inputs,), (outputs,), arrays, make, activation)


def conv2d(label, in_channels, out_channels, kernel, height, width, padding, stride, activation):
    if padding >= kernel:  # the outermost windows would lie on nothing but zeros
        raise ArchitectureError(
            f"{label}: padding {padding} must be smaller than kernel_size {kernel}"
        )
    rows = slide(label, height + 2 * padding, kernel, stride)
    columns = slide(label, width + 2 * padding, kernel, stride)

    def make(rng, dtype, first):
        size = (in_channels, out_channels, kernel)
        return Conv2D(*size, rng, stride, padding, dtype, needs_input_gradient=not first)

    inputs, outputs = (in_channels, height, width), (out_channels, rows, columns)
    arrays = {"w": (out_channels, in_channels, kernel, kernel), "b": (out_channels,)}
    return Part(label, "conv2d", inputs, outputs, arrays, make, activation)


def maxpool(label, size, channels, height, width, stride):
    stride = stride or size
    rows, columns = slide(label, height, size, stride), slide(label, width, size, stride)
    inputs, outputs = (channels, height, width), (channels, rows, columns)
    return Part(
        label, "maxpool", inputs, outputs, {}, lambda rng, dtype, first: MaxPool2D(size, stride)
    )


def batchnorm(label, size, epsilon, momentum):
    def make(rng, dtype, first):
        return BatchNorm(size, momentum=1.0 - momentum, epsilon=epsilon, dtype=dtype)

    arrays = dict.fromkeys(("gamma", "beta", "mean", "variance"), (size,))
    return Part(label, "batchnorm", (size,), (size,), arrays, make)


def dropout(label, size, rate):
    def make(rng, dtype, first):
        return Dropout(rate, seed=rng.u32())

    return Part(label, "dropout", (size,), (size,), {"rng_state": (1,)}, make)


def slide(label, length, window, stride) -> int:
    """At how many places a window fits into a length."""
    if window > length:
        raise ArchitectureError(f"{label}: a window of {window} does not fit into {length}")
    return (length - window) // stride + 1


PARTS = {
    "dense": dense,
    "conv2d": conv2d,
    "maxpool": maxpool,
    "batchnorm": batchnorm,
    "dropout": dropout,
}
