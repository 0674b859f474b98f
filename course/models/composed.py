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

A file may come from anyone, so a name in it is never imported, nor looked up in a module: it is
compared with the names of the classes that the caller of `load` allowed. What those classes do with
the numbers of a file is theirs to check; here whole numbers beyond LARGEST_OWN, and beyond every
side of the layer's arrays, are refused.
"""

import functools
import importlib
import inspect
import math
import sys
from types import ModuleType

import numpy as np

from course.attention import PatchAttention
from course.cnn import CNN, Conv2D, MaxPool2D
from course.deep import DeepCNN
from course.mlp import MLP
from course.models import architecture, shapes
from course.nn.activations import ACTIVATIONS
from course.nn.errors import CourseError
from course.nn.layers import Dense, Flatten, Layer, Sequential
from course.nn.regularization import BatchNorm, Dropout
from course.nn.rng import SimpleRng
from course.xor import XOR

NAME = Layer.name  # the model's name in a checkpoint
NOT_KEPT = ("rng", "seed", "dtype")  # arguments of constructors that only matter to a new network
LARGEST_OWN = 10_000
REALS = ("slope", "alpha", "rate", "momentum", "epsilon")  # arguments of the course's layers


class CompositionError(CourseError, ValueError):
    """A network that cannot be described, or made again; names the layer and what to do."""


def conv2d_shapes(in_channels, out_channels, kernel, padding, **_):
    if padding >= kernel:  # as in an architecture file; a huge one would fill the memory
        raise CompositionError(f"padding {padding} must be smaller than kernel {kernel}")
    return {"w": (out_channels, in_channels, kernel, kernel), "b": (out_channels,)}


# The layers of the course: class -> function from a config to the shapes of the layer's arrays.
LAYERS = {
    Dense: lambda inputs, outputs, **_: {"w": (inputs, outputs), "b": (outputs,)},
    Conv2D: conv2d_shapes,
    BatchNorm: lambda features, **_: dict.fromkeys(
        ("gamma", "beta", "mean", "variance"), (features,)
    ),
    Dropout: lambda rate: {"rng_state": (1,)},
}
for _plain in (MaxPool2D, Flatten, architecture.Reshape, *ACTIVATIONS.values()):
    LAYERS[_plain] = lambda **_: {}
MODELS = (
    MLP,
    CNN,
    PatchAttention,
    DeepCNN,
    XOR,
    architecture.Network,
)  # each keeps its own `config`
KNOWN = {c.__name__: c for c in (Sequential, *LAYERS, *MODELS)}


def key(layer_class) -> str:
    """The name of a class in a file: "Dense", or "my_layers:Scale"."""
    if KNOWN.get(layer_class.__name__) is layer_class:
        return layer_class.__name__
    return f"{layer_class.__module__}:{layer_class.__qualname__}"


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
    for name in _arguments(type(layer)):
        if not hasattr(layer, name):
            raise CompositionError(
                f"{_label(place)} ({type(layer).__name__}) keeps no attribute {name!r}: "
                f"write self.{name} = {name} in its __init__, so that it can be made again"
            )
        config[name] = _json_ready(getattr(layer, name), f"{name} of {_label(place)}")
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


def _arguments(layer_class) -> tuple:
    """The names of a constructor's arguments that a file keeps."""
    parameters = inspect.signature(layer_class).parameters
    for name, parameter in parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise CompositionError(
                f"the constructor of {key(layer_class)} takes any number of arguments (*{name}): "
                "give each a name"
            )
    return tuple(name for name in parameters if name not in NOT_KEPT)


# ---- Making again --------------------------------------------------------------------------------


def allowed(allow) -> dict:
    """Own classes by key: those in `allow`, and the layers that are defined in its modules.

    allow: classes, modules, and names of modules, which are imported. Raises CompositionError.
    """
    classes = []
    for entry in [allow] if isinstance(allow, str | type | ModuleType) else allow:
        module = _imported(entry) if isinstance(entry, str) else entry
        if isinstance(module, ModuleType):
            classes += [
                found
                for found in vars(module).values()
                if isinstance(found, type)
                and issubclass(found, Layer)
                and found.__module__ == module.__name__
            ]
        elif isinstance(entry, type):
            classes.append(entry)
        else:
            raise CompositionError(f"allow takes classes and modules, found {entry!r:.40}")
    return {key(found): found for found in classes}


def _imported(name):
    try:
        return importlib.import_module(name)
    except Exception as error:  # a module can fail in any way
        raise CompositionError(
            f"the module {name!r:.60} cannot be imported: {type(error).__name__}: {error}"
        ) from None


def plan(description, arrays, own, place=""):
    """Return (shapes of the arrays by name, function that makes the network); nothing is made yet.

    description: as `describe` gave it, or anything. arrays: those of the file, by name. own: the
    classes that it may use besides the course's, by key. Raises CompositionError.
    """
    name, layers = _checked_description(description, place)
    layer_class = KNOWN.get(name) or _own_class(name, own, place)
    if layers is not None:
        return _plan_layers(layer_class, layers, arrays, own, place)
    config = description["config"]
    label = f"{_label(place)} ({layer_class.__name__})"
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
        raise CompositionError(f"{_label(place)}: a {layer_class.__name__} is not made of layers")
    groups = {}
    for name, array in arrays.items():
        first, _, rest = name.partition(".")
        groups.setdefault(first, {})[rest] = array
    expected, makers = {}, {}
    for name, description in layers.items():
        if not name.isidentifier():
            raise CompositionError(f"{_label(place)} has a layer with the odd name {name!a:.40}")
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
    raise CompositionError(f'{_label(place)} must have a "class", and "config" or "layers"')


def _own_class(name, own, place):
    """The class that the caller allowed under this name."""
    module, colon, path = name.partition(":")
    if not colon:
        raise CompositionError(
            f"{_label(place)} is of the unknown class {name!a:.60}; known are {', '.join(KNOWN)}, "
            "and your own as module:Class"
        )
    if name in own:
        return own[name]
    if module == "__main__":  # of a notebook; since then it may have got a file of its own
        for found in own.values():
            if found.__qualname__ == path:
                return found
    short = f"{path.rpartition('.')[2]!a:.60}".strip("'")
    advice = (
        f"from a notebook or script: run the cell that defines it and say allow=[{short}], "
        "or put it into a module and allow that"
        if module == "__main__"
        else f"which is not of the course: if you trust it, say allow=[{short}] or allow its module"
    )
    raise CompositionError(f"{_label(place)} is of the class {name!a:.100}, {advice}")


def _check_names(layer_class, config):
    if odd := config.keys() ^ set(_arguments(layer_class)):
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


def _label(place):
    return f"its layer {place:.80}" if place else "the network"
