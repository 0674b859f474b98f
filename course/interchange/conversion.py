"""From the files of the Rust programs to the course's own checkpoints, and back."""

from pathlib import Path

from course import models
from course.interchange.binary import InterchangeError, read_model, write_model


def convert(source, target, kind=None, dtype=None, d_model=None, d_ff=None) -> str:
    """Convert a model file; what is named `.safetensors` is in the course's own format.

    kind, d_model, d_ff: as for `read_model`; dtype: as for `write_model`. The course's models are
    float32, so that a float64 file is rounded on its way into a checkpoint. Returns what was done,
    in one sentence. Raises `InterchangeError`, `CheckpointError` or `OSError`.
    """
    model = None
    if is_checkpoint(source):
        model = models.load(source)
        kind, arrays = model.name, model.parameters
        config = getattr(model, "config", {})  # which a network put together in Python has not
        extras = [name for name in ("residual", "layer_norm") if config.get(name)]
        if extras and not is_checkpoint(target):
            raise InterchangeError(f"{source}: the format has no {' and no '.join(extras)}")
    else:
        kind, arrays = read_model(source, kind, d_model, d_ff)

    if is_checkpoint(target):
        models.save(target, model or to_model(kind, arrays), converted_from=Path(source).name)
    else:
        write_model(target, kind, arrays, dtype)
    parameters = sum(array.size for array in arrays.values())
    return f"{target}: {kind}, {parameters:,} parameters from {source}"


def is_checkpoint(path) -> bool:
    """Whether the name is that of a checkpoint of the course."""
    return Path(path).suffix == ".safetensors"


def to_model(kind, arrays):
    """A model of the course with the parameters that `read_model` gave."""
    config = {}
    if kind == "mlp":
        inputs, hidden = arrays["hidden.w"].shape
        config = {"inputs": inputs, "hidden": hidden, "outputs": len(arrays["output.b"])}
    elif kind == "attention":
        config = {"d_model": len(arrays["patch_b"]), "d_ff": len(arrays["ff1_b"])}
    model = models.build(kind, **config)
    for name, parameter in model.parameters.items():
        parameter[...] = arrays[name]
    return model
