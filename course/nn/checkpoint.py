"""Checkpoints: a model on disk, and all that a training run needs to go on.

The format is safetensors, see `tensor_file`. Arrays are filed under "model/", "optimizer/" and
"best/"; everything else is one JSON text in the header.
"""

import json
import os
import zlib
from dataclasses import asdict, dataclass

import numpy as np

from course.nn import tensor_file
from course.nn.description import problem_of
from course.nn.errors import CourseError
from course.nn.files import replacing
from course.nn.training import EpochRecord, Observer, copy_weights

FORMAT = "course-checkpoint-1"


class CheckpointError(CourseError, ValueError):
    """A file that is no checkpoint, is damaged, or belongs to something else; says which."""


@dataclass
class Checkpoint:
    """What a file holds: `arrays` by name, `info` as given to `save`, `run` the loop's state."""

    path: str
    arrays: dict
    info: dict
    run: dict | None

    def restore_model(self, model):
        """Write the weights into `model`. Raises CheckpointError if names or shapes differ."""
        weights = model.parameters | model.buffers
        self._check("model/", weights, "the model")
        self._copy("model/", weights)

    def restore_trainer(self, trainer):
        """Put a fresh `trainer` where the saved one was: the model, the optimizer, the records.

        Raises CheckpointError if the file holds a model only, or another optimizer's state.
        """
        if self.run is None:
            raise CheckpointError(f"{self.path}: holds a model but no training run to resume")
        weights = trainer.model.parameters | trainer.model.buffers
        best = copy_weights(trainer.model) if self.run["best_epoch"] else {}
        self._check("model/", weights, "the model")
        self._check("optimizer/", trainer.optimizer.state, "the optimizer")
        self._check("best/", best, "the model")
        self._copy("model/", weights)
        self._copy("optimizer/", trainer.optimizer.state)
        self._copy("best/", best)
        trainer.records = [EpochRecord(**record) for record in self.run["records"]]
        trainer.epoch = self.run["epoch"]
        trainer.best_epoch = self.run["best_epoch"]
        trainer.best_weights = best
        trainer.rng.state = self.run["rng_state"]

    @property
    def weights(self):
        """The model's arrays by name."""
        return self._under("model/")

    def check_model(self, shapes):
        """Raise CheckpointError unless the model's arrays have the names and shapes in `shapes`."""
        self._check_shapes("model/", shapes, "the model")

    def _under(self, prefix):
        return {k.removeprefix(prefix): a for k, a in self.arrays.items() if k.startswith(prefix)}

    def _check_shapes(self, prefix, shapes, whose):
        saved = self._under(prefix)
        problem = f"{self.path}: does not fit {whose}"
        if odd := sorted(saved.keys() ^ shapes.keys()):
            raise CheckpointError(f"{problem}: only one side has {', '.join(odd[:5])!a:.200}")
        for name, shape in shapes.items():
            if saved[name].shape != shape:
                found = f"{saved[name].dtype} {saved[name].shape}"
                raise CheckpointError(f"{problem}: {name} is {found}, expected {shape}")
        return saved

    def _check(self, prefix, targets, whose):
        saved = self._check_shapes(prefix, {k: a.shape for k, a in targets.items()}, whose)
        for name, target in targets.items():
            array = saved[name]
            if array.dtype != target.dtype:
                raise CheckpointError(
                    f"{self.path}: does not fit {whose}: {name} is {array.dtype}, expected "
                    f"{target.dtype}"
                )
            if not np.isfinite(array).all():
                raise CheckpointError(f"{self.path}: {name} holds values that are not finite")
            if array.dtype.kind == "i" and (array.min() < 0 or array.max() >= 2**53):
                raise CheckpointError(f"{self.path}: {name} counts {array.flat[0]} steps")

    def _copy(self, prefix, targets):
        for name, target in targets.items():
            target[...] = self.arrays[prefix + name]


def save(path, model, info, trainer=None):
    """Write `model` and the JSON-ready dict `info` to `path`, whole or not at all.

    With `trainer` (whose model it is) the file can be resumed from. Raises OSError, and
    CheckpointError for an `info` that `read` would refuse.
    """
    arrays = {f"model/{k}": a for k, a in (model.parameters | model.buffers).items()}
    run = None
    if trainer is not None:
        arrays |= {f"optimizer/{k}": a for k, a in trainer.optimizer.state.items()}
        arrays |= {f"best/{k}": a for k, a in trainer.best_weights.items()}
        run = {
            "epoch": trainer.epoch,
            "best_epoch": trainer.best_epoch,
            "rng_state": trainer.rng.state,
            "records": [asdict(record) for record in trainer.records],
        }
    _write(path, arrays, info, run)


def annotate(path, **details):
    """Add `details`, or put them in place of others, to what is saved beside the weights at `path`.

    Raises CheckpointError as `read` and `save` do, and OSError.
    """
    saved = read(path)
    _write(path, saved.arrays, saved.info | details, saved.run)


def _write(path, arrays, info, run):
    """Write the content of a checkpoint to `path`, whole or not at all."""
    if problem := problem_of(info, None):
        raise CheckpointError(f"{path}: cannot be written: {problem}")
    metadata = {"format": FORMAT, "info": json.dumps(info), "run": json.dumps(run)}
    metadata["crc32"] = _checksum(arrays, metadata)
    with replacing(path) as file:
        file.write(tensor_file.serialize(arrays, metadata))


def read(path):
    """Read a checkpoint. Raises CheckpointError for anything that is not a whole one of ours."""
    path = os.fspath(path)
    try:
        with tensor_file.opened(path) as (metadata, read_arrays):
            if metadata.get("format") != FORMAT:
                raise CheckpointError(
                    f"{path}: a safetensors file, but not a checkpoint of this course"
                )
            arrays = read_arrays()
        if metadata["crc32"] != _checksum(arrays, metadata):
            raise CheckpointError(f"{path}: damaged: its content does not have its checksum")
        info, run = json.loads(metadata["info"]), json.loads(metadata["run"])
        if problem := problem_of(info, run):
            raise CheckpointError(f"{path}: {problem}")
    except FileNotFoundError:
        raise CheckpointError(f"{path}: there is no such file") from None
    except CheckpointError:
        raise
    except tensor_file.NumberTypeError as error:
        raise CheckpointError(f"{path}: not a checkpoint of this course: {error}") from None
    except tensor_file.TensorFileError as error:
        raise CheckpointError(
            f"{path}: no readable checkpoint: {error}; a binary model of the older programs has "
            "to go through `python -m course convert` first"
        ) from None
    except (OSError, KeyError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: no readable checkpoint: {error}") from None
    return Checkpoint(path, arrays, info, run)


def _checksum(arrays, metadata):
    """Sum up the whole content, as text: the format itself would not notice a changed weight."""
    crc = zlib.crc32(f"{metadata['info']}\n{metadata['run']}".encode())
    for name, array in sorted(arrays.items()):
        crc = zlib.crc32(f"\n{name} {array.dtype} {array.shape}\n".encode(), crc)
        crc = zlib.crc32(np.ascontiguousarray(array), crc)
    return f"{crc:08x}"


class SaveCheckpoint(Observer):
    """Saves the run to `path` after every epoch, so that a kill costs one epoch at most."""

    def __init__(self, path, info):
        self.path = path
        self.info = info

    def on_begin(self, trainer):
        self.trainer = trainer
        if trainer.epoch:  # resumed, perhaps from another file
            self.on_epoch(trainer.records[-1])

    def on_epoch(self, record):
        save(self.path, self.trainer.model, self.info, self.trainer)
