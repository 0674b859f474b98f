"""The models of the course by name: build one, save one, load one."""

import json

from course import attention, cnn, mlp, xor
from course.models import architecture, shapes
from course.nn import checkpoint

# name: (class, recipe). Lesson modules, so that each can be read alone.
MODELS = {
    "mlp": (mlp.MLP, mlp.RECIPE),
    "cnn": (cnn.CNN, cnn.RECIPE),
    "attention": (attention.PatchAttention, attention.RECIPE),
    "xor": (xor.XOR, xor.RECIPE),
}
# And what a checkpoint may hold besides: a network whose layers were read from a file.
KINDS = MODELS | {architecture.Network.name: (architecture.Network, architecture.RECIPE)}


def build(name, **config):
    """Make the model `name` with freshly drawn weights; `config` goes to its class."""
    model_class, _ = KINDS[name]
    return model_class(**config)


def recipe(name):
    """Return the course's own recipe for the model `name`."""
    return KINDS[name][1]


def describe(model):
    """Return what `load` needs to build such a model again, as JSON-ready values."""
    return {"model": model.name, "config": model.config}


def save(path, model, **details):
    """Write the model to `path` (safetensors), with JSON-ready `details` beside the weights."""
    checkpoint.save(path, model, describe(model) | details)


def load(path):
    """Build the model that `save` or a training run left at `path`.

    Raises CheckpointError if the file is damaged or of a model that the course does not know.
    """
    return restore(checkpoint.read(path))


def restore(saved):
    """Build the model of a `Checkpoint` that was read."""
    name, config = saved.info.get("model"), saved.info.get("config")
    if not isinstance(name, str) or name not in KINDS or not isinstance(config, dict):
        raise checkpoint.CheckpointError(
            f"{saved.path}: holds the model {json.dumps(name):.40}; known are {', '.join(KINDS)}"
        )
    try:
        saved.check_model(shapes.of(KINDS[name][0], config))  # before it takes memory and time
        model = build(name, **config)
    except checkpoint.CheckpointError:
        raise
    except (MemoryError, RecursionError, TypeError, ValueError) as error:
        raise checkpoint.CheckpointError(
            f"{saved.path}: cannot build its {name}: {error}"
        ) from None
    saved.restore_model(model)
    return model
