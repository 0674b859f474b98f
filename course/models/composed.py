"""Networks that were put together in Python, of any layers: described, and made again.

    Sequential(hidden=Dense(784, 64, rng), bend=LeakyReLU(0.1), scale=Scale(2.0), ...)

becomes a description of classes and of what their constructors were given:

    {"class": "Sequential", "layers": {
        "hidden": {"class": "Dense", "config": {"inputs": 784, "outputs": 64, ...}},
        "bend": {"class": "LeakyReLU", "config": {"slope": 0.1}},
        "scale": {"class": "my_layers:Scale", "config": {"factor": 2.0}}, ...}}

A layer of your own needs one habit, that of scikit-learn's estimators: its constructor keeps each
argument in an attribute of the same name (`self.factor = factor`). The arguments `rng`, `seed` and
`dtype` need none, because the weights and their type are in the file. A subclass of `Sequential`
without a constructor of its own is described by its layers.

A file may come from anyone; `course.models.known` says which classes it may name. What those that
are not the course's do with the numbers of a file is theirs to check; here whole numbers beyond
LARGEST_OWN, and beyond every side of the layer's arrays, are refused.
"""

import functools
import inspect
import math
import sys

import numpy as np

from course.models import architecture, shapes
from course.models.known import (
    KNOWN,
    LAYERS,
    MODELS,
    CompositionError,
    arguments_of,
    key,
    label_of,
    own_class,
)
from course.nn.layers import Layer, Sequential
from course.nn.rng import SimpleRng

NAME = Layer.name  # the model's name in a checkpoint
LARGEST_OWN = 10_000
REALS = ("slope", "alpha", "rate", "momentum", "epsilon")  # arguments of the course's layers


# ---- Describing ----------------------------------------------------------------------------------


def describe(network) -> dict:
    """What `plan` needs to make `network` again, JSON-ready. Raises CompositionError."""
    arrays = network.parameters | network.buffers
    if len({id(array) for array in arrays.values()}) < len(arrays):
        raise CompositionError("two of its layers share weights, and a file would part them")
    description, own = _describe(network, "")
    if plan(description, arrays, own)[0] != {name: a.shape for name, a in arrays.items()}:
        raise CompositionError("the arrays of its layers do not have the sizes its layers keep")
    return description


def _describe(layer, place):
    """(description, own classes by key) of the layer at `place`, a name like "block.hidden"."""
    layer_class = type(layer)
    name = key(layer_class)
    own = {} if name in KNOWN else {name: layer_class}
    if layer_class.__init__ is not Sequential.__init__:
        kept = layer.config if layer_class in MODELS else _kept(layer, place)
        return {"class": name, "config": kept}, own
    layers = {}
    for inner, found in layer.layers.items():
        layers[inner], more = _describe(found, _join(place, inner))
        own |= more
    return {"class": name, "layers": layers}, own


def _kept(layer, place):
    """The arguments that a layer's constructor got, as its attributes of the same names."""
    config = {}
    for name in arguments_of(type(layer)):
        if not hasattr(layer, name):
            raise CompositionError(
                f"{label_of(place)} ({type(layer).__name__}) keeps no attribute {name!r}: "
                f"write self.{name} = {name} in its __init__, so that it can be made again"
            )
        config[name] = _json_ready(getattr(layer, name), f"{name} of {label_of(place)}")
    return config


def _json_ready(value, what):
    """`value` as JSON would give it back."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, list | tuple):
        return [_json_ready(item, what) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    advice = (
        "make its class a Sequential of its layers"
        if isinstance(value, Layer)
        else "a file keeps numbers, texts and lists of them; arrays are parameters or buffers"
    )
    raise CompositionError(f"{what} is a {type(value).__name__}: {advice}")


# ---- Making again --------------------------------------------------------------------------------


def plan(description, arrays, own, place=""):
    """Return (shapes of the arrays by name, function that makes the network); nothing is made yet.

    description: as `describe` gave it, or anything. arrays: those of the file, by name. own: the
    classes that it may use besides the course's, by key. Raises CompositionError.
    """
    name, layers = _checked_description(description, place)
    layer_class = KNOWN.get(name) or own_class(name, own, place)
    if layers is not None:
        return _plan_layers(layer_class, layers, arrays, own, place)
    config = description["config"]
    label = f"{label_of(place)} ({layer_class.__name__})"
    try:
        if layer_class in MODELS:
            expected = shapes.of(layer_class, config)
        elif layer_class in LAYERS:
            _check_names(layer_class, config)
            _check_settings(config)
            expected = LAYERS[layer_class](**config)
        else:
            _check_names(layer_class, config)
            sides = [side for array in arrays.values() for side in array.shape]
            _check_own(config, max([LARGEST_OWN, *sides]))
            expected = {name: array.shape for name, array in arrays.items()}
    except (TypeError, ValueError) as error:
        raise CompositionError(f"{label}: {error}") from None
    floats = [a.dtype.type for a in arrays.values() if a.dtype in (np.float32, np.float64)]
    dtype = floats[0] if floats else None
    return expected, functools.partial(_make, layer_class, config, dtype, label)


def _plan_layers(layer_class, layers, arrays, own, place):
    """`plan` for layers one after the other, each under a name."""
    if layer_class.__init__ is not Sequential.__init__:
        raise CompositionError(f"{label_of(place)}: a {layer_class.__name__} is not made of layers")
    groups = {}
    for name, array in arrays.items():
        first, _, rest = name.partition(".")
        groups.setdefault(first, {})[rest] = array
    expected, makers = {}, {}
    for name, description in layers.items():
        if not name.isidentifier():
            raise CompositionError(f"{label_of(place)} has a layer with the odd name {name!a:.40}")
        found, makers[name] = plan(description, groups.get(name, {}), own, _join(place, name))
        expected |= {f"{name}.{inner}": shape for inner, shape in found.items()}
    return expected, lambda: layer_class(**{name: make() for name, make in makers.items()})


def _checked_description(description, place):
    """(class name, layers or None), if the description has the form of one."""
    if isinstance(description, dict) and isinstance(description.get("class"), str):
        layers, config = description.get("layers"), description.get("config")
        if description.keys() == {"class", "layers"} and isinstance(layers, dict):
            if len(layers) > architecture.DEEPEST:
                raise CompositionError(
                    f"{len(layers):,} layers are more than {architecture.DEEPEST:,}"
                )
            return description["class"], layers
        if description.keys() == {"class", "config"} and isinstance(config, dict):
            return description["class"], None
    raise CompositionError(f'{label_of(place)} must have a "class", and "config" or "layers"')


def _check_names(layer_class, config):
    if odd := config.keys() ^ set(arguments_of(layer_class)):
        raise CompositionError(
            f"its constructor and the file do not have the same arguments: {min(odd)!a:.40} is "
            "only in one of them"
        )


def _check_settings(config):
    """Check the arguments of a layer of the course; its constructor looks at ranges."""
    for name, value in config.items():
        if name in REALS:
            fits = type(value) in (int, float) and abs(value) <= sys.float_info.max
        elif name == "needs_input_gradient":
            fits = isinstance(value, bool)
        else:
            numbers = value if name == "shape" and isinstance(value, list) else [value]
            least = 0 if name == "padding" else 1
            fits = all(type(n) is int and least <= n <= architecture.LARGEST for n in numbers)
        if not fits:
            raise CompositionError(f"its {name} cannot be {value!a:.40}")


def _check_own(value, largest):
    """Check the numbers in the arguments of an own layer: finite, and no size out of all bounds."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            _check_own(inner, largest)
    elif isinstance(value, float) and not math.isfinite(value):
        raise CompositionError(f"has the number {value}, which is not finite")
    elif isinstance(value, int) and abs(value) > largest:
        raise CompositionError(f"has the number {value!r:.40}, and its arrays are much smaller")


def _make(layer_class, config, dtype, label):
    """Make one layer; its first weights do not matter."""
    new = {"rng": SimpleRng(1), "seed": 1, "dtype": dtype or np.float32}
    more = {
        name: new[name]
        for name, parameter in inspect.signature(layer_class).parameters.items()
        if name in new and (parameter.default is parameter.empty or (name == "dtype" and dtype))
    }
    try:
        return layer_class(**config, **more)
    except Exception as error:  # an own class can fail in any way
        raise CompositionError(f"{label} cannot be made: {type(error).__name__}: {error}") from None


def _join(place, name):
    return f"{place}.{name}" if place else name
