"""What arrays a model consists of, worked out from its config before any weight is drawn.

A config is a few numbers, and a few numbers can ask for any amount of memory. A checkpoint has its
arrays with it; so they are compared with these shapes first, and only what fits is built.
"""

import inspect

from course.models import architecture


def of(model_class, config):
    """Name -> shape of all parameters and buffers of `model_class(**config)`.

    Raises ValueError or TypeError for a config that is not one of this class.
    """
    return SHAPES[model_class.name](**_settings(model_class, config))


def _settings(model_class, config):
    """`config`, completed by the defaults of the class; each value is of its default's type."""
    parameters = inspect.signature(model_class).parameters
    known = {name: parameters[name].default for name in parameters.keys() - {"seed", "dtype"}}
    for name, value in config.items():
        if name not in known:
            raise ValueError(f"{name!r:.40} is none of its sizes and options")
        if not _is_like(known[name], value):
            raise ValueError(f"its {name} cannot be {value!r:.40}")
    return {k: v for k, v in known.items() if v is not inspect.Parameter.empty} | config


def _is_like(default, value):
    """Whether `value` is of the type of `default`: a size, a yes or no, a name, or a list."""
    if isinstance(default, int):
        least, most = (0, 1) if isinstance(default, bool) else (1, architecture.LARGEST)
        return isinstance(value, int) and least <= value <= most
    return isinstance(value, list if default is inspect.Parameter.empty else type(default))


def mlp(inputs, hidden, outputs):
    return {
        "hidden.w": (inputs, hidden),
        "hidden.b": (hidden,),
        "output.w": (hidden, outputs),
        "output.b": (outputs,),
    }


def cnn(channels, outputs):
    return {
        "conv.w": (channels, 1, 3, 3),
        "conv.b": (channels,),
        "classifier.w": (channels * 14 * 14, outputs),
        "classifier.b": (outputs,),
    }


def attention(
    height, width, patch, d_model, d_ff, outputs, layer_norm=False, positions=None, residual=False
):
    """Positions and residual connections change no shape."""
    shapes = {
        "patch_w": (patch * patch, d_model),
        "patch_b": (d_model,),
        "positions": ((height // patch) * (width // patch), d_model),
    }
    for name in ("query", "key", "value"):
        shapes |= {f"{name}_w": (d_model, d_model), f"{name}_b": (d_model,)}
    if layer_norm:
        shapes |= dict.fromkeys(
            ("norm1_gain", "norm1_bias", "norm2_gain", "norm2_bias"), (d_model,)
        )
    return shapes | {
        "ff1_w": (d_model, d_ff),
        "ff1_b": (d_ff,),
        "ff2_w": (d_ff, d_model),
        "ff2_b": (d_model,),
        "classifier_w": (d_model, outputs),
        "classifier_b": (outputs,),
    }


def deep(channels, hidden, outputs, dropout):
    more = 2 * channels
    shapes = {
        "conv1.w": (channels, 1, 5, 5),
        "conv1.b": (channels,),
        "conv2.w": (more, channels, 5, 5),
        "conv2.b": (more,),
        "dropout.rng_state": (1,),
    }
    for layer, features in (("norm1", channels), ("norm2", more)):
        for name in ("gamma", "beta", "mean", "variance"):
            shapes[f"{layer}.{name}"] = (features,)
    return shapes | {
        "hidden.w": (more * 7 * 7, hidden),
        "hidden.b": (hidden,),
        "classifier.w": (hidden, outputs),
        "classifier.b": (outputs,),
    }


SHAPES = {
    "mlp": mlp,
    "cnn": cnn,
    "attention": attention,
    "deep": deep,
    "xor": lambda hidden: mlp(2, hidden, 1),
    architecture.Network.name: architecture.shapes,
}
