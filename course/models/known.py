"""The classes of layers that a file may name: the course's, and those that its reader allowed.

A file may come from anyone, so a name in it is never imported, nor looked up in a module: it is
compared with the names of the course's own classes, and of those that the caller of `load` allowed.
"""

import importlib
import inspect
from types import ModuleType

from course.attention import PatchAttention
from course.cnn import CNN, Conv2D, MaxPool2D
from course.deep import DeepCNN
from course.mlp import MLP
from course.models import architecture
from course.nn.activations import ACTIVATIONS
from course.nn.errors import CourseError
from course.nn.layers import Dense, Flatten, Layer, Sequential
from course.nn.regularization import BatchNorm, Dropout
from course.xor import XOR

NOT_KEPT = ("rng", "seed", "dtype")  # arguments of constructors that only matter to a new network


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
# Each keeps its own `config`.
MODELS = (MLP, CNN, PatchAttention, DeepCNN, XOR, architecture.Network)
KNOWN = {c.__name__: c for c in (Sequential, *LAYERS, *MODELS)}


def key(layer_class) -> str:
    """The name of a class in a file: "Dense", or "my_layers:Scale"."""
    if KNOWN.get(layer_class.__name__) is layer_class:
        return layer_class.__name__
    return f"{layer_class.__module__}:{layer_class.__qualname__}"


def arguments_of(layer_class) -> tuple:
    """The names of a constructor's arguments that a file keeps."""
    parameters = inspect.signature(layer_class).parameters
    for name, parameter in parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise CompositionError(
                f"the constructor of {key(layer_class)} takes any number of arguments (*{name}): "
                "give each a name"
            )
    return tuple(name for name in parameters if name not in NOT_KEPT)


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


def own_class(name, own, place):
    """The class that the caller allowed under this name."""
    module, colon, path = name.partition(":")
    if not colon:
        raise CompositionError(
            f"{label_of(place)} is of the unknown class {name!a:.60}; known are "
            f"{', '.join(KNOWN)}, and your own as module:Class"
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
    raise CompositionError(f"{label_of(place)} is of the class {name!a:.100}, {advice}")


def label_of(place):
    """What messages call the layer at `place`, a name like "block.hidden"."""
    return f"its layer {place:.80}" if place else "the network"
