"""The models of the course by name: build one, save one, load one."""

import functools
import json

from course import attention, cnn, deep, mlp, xor
from course.models import architecture, composed, known, shapes
from course.nn import checkpoint

# name: (class, recipe). Lesson modules, so that each can be read alone.
MODELS = {
    "mlp": (mlp.MLP, mlp.RECIPE),
    "cnn": (cnn.CNN, cnn.RECIPE),
    "attention": (attention.PatchAttention, attention.RECIPE),
    "deep": (deep.DeepCNN, deep.RECIPE),
    "xor": (xor.XOR, xor.RECIPE),
}
QUICK = {"deep": deep.QUICK}  # recipes for those who cannot wait for the best
# And what a checkpoint may hold besides: a network whose layers were read from a file.
KINDS = MODELS | {architecture.Network.name: (architecture.Network, architecture.RECIPE)}


def build(name, **config):
    """Make the model `name` with freshly drawn weights; `config` goes to its class."""
    model_class, _ = KINDS[name]
    return model_class(**config)


def recipe(name):
    """Return the course's own recipe for the model `name`; for others, what suits any layers."""
    return KINDS.get(name, (None, architecture.RECIPE))[1]


def describe(model):
    """Return what `load` needs to build such a model again, as JSON-ready values."""
    named = {"class_names": list(model.class_names)} if model.class_names else {}
    if type(model) is KINDS.get(model.name, [None])[0]:
        return {"model": model.name, "config": model.config} | named
    return {"model": composed.NAME, "config": composed.describe(model)} | named


def save(path, model, **details):
    """Write the model to `path` (safetensors), with JSON-ready `details` beside the weights.

    It may be any `Sequential`, with layers of your own; `course.models.composed` says what those
    need. What its outputs stand for goes with it, if `model.class_names` says it. Raises
    CheckpointError for a network that could not be made again.
    """
    try:
        described = describe(model)
    except (known.CompositionError, RecursionError) as error:
        raise checkpoint.CheckpointError(f"{path}: cannot be written: {error}") from None
    checkpoint.save(path, model, described | details)


def load(path, allow=()):
    """Build the model that `save` or a training run left at `path`.

    Classes that are not the course's are made only if they are in `allow`: classes, or modules that
    define layers, or names of such modules, which are then imported. A file decides nothing.

    Raises CheckpointError if the file is damaged, or of a model or a class that is not known.
    """
    return restore(checkpoint.read(path), allow)


def check_known(saved):
    """Raise CheckpointError unless a `Checkpoint` is of a kind that `restore` can build."""
    kinds = (*KINDS, composed.NAME)
    name = saved.info.get("model")
    if name not in kinds or not isinstance(saved.info.get("config"), dict):
        raise checkpoint.CheckpointError(
            f"{saved.path}: holds the model {json.dumps(name):.40}; known are {', '.join(kinds)}"
        )


def restore(saved, allow=()):
    """Build the model of a `Checkpoint` that was read; `allow` as for `load`."""
    check_known(saved)
    name, config = saved.info["model"], saved.info["config"]
    try:
        if name == composed.NAME:
            expected, make = composed.plan(config, saved.weights, known.allowed(allow))
        else:
            expected = shapes.of(KINDS[name][0], config)
            make = functools.partial(build, name, **config)
        saved.check_model(expected)  # before it takes memory and time
        model = make()
    except checkpoint.CheckpointError:
        raise
    except (MemoryError, RecursionError, TypeError, ValueError) as error:
        raise checkpoint.CheckpointError(
            f"{saved.path}: cannot build its {name}: {error}"
        ) from None
    saved.restore_model(model)
    if names := saved.info.get("class_names"):
        model.class_names = tuple(names)
    return model
