"""Checkpoints: all of a run comes back, bit for bit; anything else is refused with one error."""

import contextlib
import json
import math
import os
import random
import signal
import struct
import subprocess
import sys
import time

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course import models
from course.attention import PatchAttention
from course.cnn import CNN
from course.commands import CommandError, resuming
from course.mlp import MLP
from course.models import architecture, shapes
from course.nn import checkpoint, files, tensor_file, tensor_file_by_hand
from course.nn.activations import ReLU
from course.nn.checkpoint import CheckpointError, SaveCheckpoint
from course.nn.layers import Dense, Sequential
from course.nn.recipe import OPTIMIZERS, Recipe
from course.nn.regularization import BatchNorm, Dropout
from course.nn.rng import SimpleRng
from course.nn.training import Observer
from course.xor import XOR

WAYS = {"library": tensor_file, "by hand": tensor_file_by_hand}
BLOCKED = 'raise ImportError("tests/test_checkpoint.py hides it")'


@pytest.fixture(params=WAYS)
def way(request, monkeypatch, tmp_path_factory):
    """Files are read and written by the library, or by what stands in for it; gives which."""
    for name in ("opened", "serialize"):
        monkeypatch.setattr(tensor_file, name, getattr(WAYS[request.param], name))
    return request.param


@pytest.fixture(autouse=True)
def _both_ways(way):
    """Every test of this file runs both ways."""


@pytest.fixture
def process_environment(way, tmp_path):
    """The environment of a new process in which the files are read and written this way."""
    if way == "library":
        return os.environ
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "safetensors.py").write_text(BLOCKED)
    paths = (str(tmp_path / "hidden"), os.environ.get("PYTHONPATH"))
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def network(width=8, seed=1):
    rng = SimpleRng(seed)
    return Sequential(
        first=Dense(6, width, rng),
        norm=BatchNorm(width),
        relu=ReLU(),
        drop=Dropout(0.3),
        last=Dense(width, 3, rng),
    )


def data():
    random = np.random.default_rng(0)
    return random.standard_normal((60, 6), np.float32), random.integers(0, 3, 60)


def state(trainer):
    """All that a run is, as one dict of arrays and texts."""
    return (
        {f"model/{k}": a.tobytes() for k, a in trainer.model.parameters.items()}
        | {f"buffer/{k}": a.tobytes() for k, a in trainer.model.buffers.items()}
        | {f"optimizer/{k}": a.tobytes() for k, a in trainer.optimizer.state.items()}
        | {f"best/{k}": a.tobytes() for k, a in trainer.best_weights.items()}
        | {"rng": trainer.rng.state, "epoch": trainer.epoch, "best": trainer.best_epoch}
        | {
            "losses": [
                (r.epoch, r.train_loss, r.val_loss, r.learning_rate) for r in trainer.records
            ]
        }
    )


def forge(path, arrays, info, run=None):
    """Write a file with the right checksum, whatever it says; `info` and `run` may be JSON text."""
    texts = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in (("info", info), ("run", run))
    }
    metadata = {"format": checkpoint.FORMAT} | texts
    metadata["crc32"] = checkpoint._checksum(arrays, metadata)
    path.write_bytes(safetensors.numpy.save(arrays, metadata))
    return path


def arrays_of(model):
    return {f"model/{k}": a for k, a in (model.parameters | model.buffers).items()}


def recipe(optimizer="adam", **choices):
    options = {"epochs": 6, "batch_size": 8, "learning_rate": 0.02, "schedule": "one_cycle"}
    return Recipe(optimizer=optimizer, **options | choices)


class Stop(Observer):
    """Ends the process's run after an epoch, as a kill would."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch(self, record):
        if record.epoch == self.epoch:
            raise SystemExit


# There and back


def test_a_saved_model_comes_back(tmp_path):
    path = tmp_path / "new" / "folder" / "model.safetensors"
    model = MLP(seed=3, inputs=5, hidden=4, outputs=2)
    model.parameters["hidden.b"][0] = -0.0
    models.save(path, model, accuracy=0.5)
    loaded = models.load(path)
    assert isinstance(loaded, MLP) and loaded.config == model.config
    for name, w in model.parameters.items():
        assert loaded.parameters[name].tobytes() == w.tobytes()
        assert loaded.parameters[name].dtype == w.dtype
    assert checkpoint.read(path).info["accuracy"] == 0.5
    assert os.listdir(path.parent) == [path.name]


def test_there_is_no_pickle_in_the_file(tmp_path):
    path = tmp_path / "model.safetensors"
    models.save(path, MLP(inputs=5, hidden=4, outputs=2))
    tensors = safetensors.numpy.load_file(path)  # anybody's safetensors reads it
    assert tensors.keys() == {
        "model/hidden.w",
        "model/hidden.b",
        "model/output.w",
        "model/output.b",
    }


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("stop", range(1, 6))
def test_a_resumed_run_is_the_uninterrupted_one_to_the_bit(tmp_path, optimizer, stop):
    path = tmp_path / "run.safetensors"
    whole = recipe(optimizer).trainer(network())
    whole.fit(*data())

    first = recipe(optimizer).trainer(network(), [SaveCheckpoint(path, {}), Stop(stop)])
    with pytest.raises(SystemExit):
        first.fit(*data())
    second = recipe(optimizer).trainer(network(seed=99))  # whatever it starts with
    checkpoint.read(path).restore_trainer(second)
    assert state(second) == state(first)
    assert second.epoch == stop
    second.fit(*data())
    assert state(second) == state(whole)


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_patience_counts_on_after_resuming_and_the_best_weights_are_put_back(tmp_path, stop):
    """Also when the kill came after the epoch that ended the run, and before its end."""
    path = tmp_path / "run.safetensors"
    patient = recipe("momentum", learning_rate=1e-8, patience=2, min_delta=10.0)
    whole = patient.trainer(network())
    whole.fit(*data())
    assert (whole.stopped, whole.best_epoch, whole.epoch) == ("early", 1, 3)

    first = patient.trainer(network(), [SaveCheckpoint(path, {}), Stop(stop)])
    with pytest.raises(SystemExit):
        first.fit(*data())
    second = patient.trainer(network(seed=99))
    checkpoint.read(path).restore_trainer(second)
    second.fit(*data())
    assert second.stopped == "early" and state(second) == state(whole)


def test_a_resumed_run_is_saved_under_a_new_name_at_once(tmp_path):
    old, new = tmp_path / "old.safetensors", tmp_path / "new.safetensors"
    trainer = recipe().trainer(network(), [SaveCheckpoint(old, {"a": 1}), Stop(2)])
    with pytest.raises(SystemExit):
        trainer.fit(*data())
    resumed = recipe().trainer(network())
    checkpoint.read(old).restore_trainer(resumed)
    SaveCheckpoint(new, {"a": 1}).on_begin(resumed)
    first, second = checkpoint.read(old), checkpoint.read(new)
    assert (first.info, first.run) == (second.info, second.run) and arrays(old) == arrays(new)


# Damage


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A small but complete file of a run."""
    path = tmp_path_factory.mktemp("good") / "run.safetensors"
    trainer = recipe(epochs=1, validation_split=0.5).trainer(network(2))
    trainer.fit(*data())
    checkpoint.save(path, trainer.model, {"model": "mlp", "config": {}}, trainer)
    return path.read_bytes()


def refused(path, content):
    """Tell how reading ends: CheckpointError with the file's name, or (False) well."""
    path.write_bytes(content)
    try:
        checkpoint.read(path)
    except CheckpointError as error:
        assert str(error).startswith(f"{path}: ")
        return True
    return False


def test_every_truncation_is_refused(tmp_path, good):
    path = tmp_path / "run.safetensors"
    assert not refused(path, good)
    assert all(refused(path, good[:size]) for size in range(len(good)))
    assert refused(path, good + b"\0")


def test_every_changed_byte_is_refused_or_changes_nothing(tmp_path, good):
    path, dice = tmp_path / "run.safetensors", random.Random(1)
    path.write_bytes(good)
    original = checkpoint.read(path)
    for position in range(len(good)):
        content = bytearray(good)
        content[position] ^= dice.randrange(1, 256)
        if refused(path, bytes(content)):
            continue
        assert position < 8 + struct.unpack("<Q", good[:8])[0]  # spelling of the header
        found = checkpoint.read(path)
        assert (found.info, found.run) == (original.info, original.run)
        assert found.arrays.keys() == original.arrays.keys()
        assert all(found.arrays[k].tobytes() == a.tobytes() for k, a in original.arrays.items())


def safetensors_file(header, content=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content


OURS = {"format": checkpoint.FORMAT, "info": "{}", "run": "null", "crc32": "00000000"}
FOREIGN = {
    "empty": b"",
    "text": b"epoch,train_loss\n1,0.5\n" * 20,
    "pickle": b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x07builtins\x94.",
    "zip, as PyTorch writes it": b"PK\x03\x04" + bytes(100),
    "gzip": b"\x1f\x8b\x08" + bytes(100),
    "a header of 2^63 bytes": struct.pack("<Q", 2**63) + bytes(100),
    "a header that is a list": safetensors_file([]),
    "a header that is no JSON": safetensors_file(b"{" * 50),
    "a deep header": safetensors_file(b'{"a":' * 5000),
    "somebody's weights": safetensors.numpy.save({"w": np.ones(3)}),
    "somebody's, with a header": safetensors.numpy.save({"w": np.ones(3)}, {"format": "pt"}),
    "ours without content": safetensors_file({"__metadata__": {"format": checkpoint.FORMAT}}),
    "ours with another checksum": safetensors_file({"__metadata__": OURS}),
    "numbers that NumPy has not": safetensors_file(
        {
            "__metadata__": OURS,
            "a": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]},
        },
        bytes(2),
    ),
    "numbers of eight bits": safetensors_file(
        {
            "__metadata__": OURS,
            "a": {"dtype": "F8_E4M3", "shape": [2], "data_offsets": [0, 2]},
        },
        bytes(2),
    ),
    "an array of 2^40 numbers": safetensors_file(
        {
            "__metadata__": OURS,
            "a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]},
        }
    ),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_other_files_are_refused(tmp_path, kind):
    assert refused(tmp_path / "file.safetensors", FOREIGN[kind])


def test_what_is_no_file_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere", tmp_path / "nowhere" / "file", "", os.devnull):
        with pytest.raises(CheckpointError, match="^" + str(path)):
            checkpoint.read(path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read anything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path, good):
    path = tmp_path / "run.safetensors"
    path.write_bytes(good)
    path.chmod(0)
    with pytest.raises(CheckpointError, match="[Pp]ermission"):
        checkpoint.read(path)


# Files that are whole, but of something else


def saved(tmp_path, trainer):
    path = tmp_path / "run.safetensors"
    checkpoint.save(path, trainer.model, {}, trainer)
    return checkpoint.read(path)


def trained(optimizer="momentum", width=8, **choices):
    trainer = recipe(optimizer, epochs=2, **choices).trainer(network(width))
    trainer.fit(*data())
    return trainer


@pytest.mark.parametrize(
    ("fresh", "message"),
    [
        (lambda: recipe("momentum").trainer(network(9)), r"first.w is float32 \(6, 8\)"),
        (lambda: recipe("momentum").trainer(Sequential(a=Dense(6, 3, SimpleRng()))), "a.b"),
        (lambda: recipe("adam").trainer(network()), "optimizer.*mean.first.w"),
        (lambda: recipe("sgd").trainer(network()), "optimizer.*velocity.first.w"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_and_changes_nothing(tmp_path, fresh, message):
    checkpoint_of_another = saved(tmp_path, trained())
    trainer = fresh()
    before = state(trainer)
    with pytest.raises(CheckpointError, match=f"run.safetensors: does not fit .*{message}"):
        checkpoint_of_another.restore_trainer(trainer)
    assert state(trainer) == before


def test_another_dtype_does_not_fit(tmp_path):
    models.save(tmp_path / "m", MLP(inputs=5, hidden=4, outputs=2, dtype=np.float64))
    with pytest.raises(CheckpointError, match="float64.*float32"):
        checkpoint.read(tmp_path / "m").restore_model(MLP(inputs=5, hidden=4, outputs=2))


@pytest.mark.parametrize("where", ["model", "buffer", "velocity", "best"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(tmp_path, where, bad):
    trainer = trained()
    arrays = {
        "model": trainer.model.parameters["last.w"],
        "buffer": trainer.model.buffers["norm.mean"],
        "velocity": trainer.optimizer.state["velocity.last.w"],
        "best": trainer.best_weights["last.w"],
    }
    arrays[where].flat[-1] = bad
    with pytest.raises(CheckpointError, match="not finite"):
        saved(tmp_path, trainer).restore_trainer(recipe("momentum").trainer(network()))


def test_best_weights_that_are_missing_are_noticed(tmp_path):
    trainer = trained()
    del trainer.best_weights["last.w"]
    with pytest.raises(CheckpointError, match="last.w"):
        saved(tmp_path, trainer).restore_trainer(recipe("momentum").trainer(network()))


def test_a_model_alone_is_no_run(tmp_path):
    models.save(tmp_path / "m", MLP(inputs=6, hidden=4, outputs=3))
    trainer = recipe("sgd").trainer(MLP(inputs=6, hidden=4, outputs=3))
    with pytest.raises(CheckpointError, match="no training run"):
        checkpoint.read(tmp_path / "m").restore_trainer(trainer)


@pytest.mark.parametrize(
    "info",
    [
        {},
        {"model": "mlp"},
        {"model": "resnet", "config": {}},
        {"model": None, "config": {}},
        {"model": ["mlp"], "config": {}},
        {"model": "mlp", "config": {"depth": 3}},
        {"model": "mlp", "config": {"inputs": -1}},
        {"model": "mlp", "config": {"inputs": "many"}},
        {"model": "mlp", "config": {"inputs": 5.5}},
        {"model": "mlp", "config": []},
        {"model": "mlp", "config": {"inputs": 2**40, "hidden": 2**40}},
        {"model": "mlp", "config": {"inputs": 6, "hidden": 4, "outputs": 2}},  # 3, in fact
        {"model": "mlp", "config": {"inputs": 6, "hidden": 4, "outputs": 3, "seed": 1}},
        {"model": "mlp", "config": {"inputs": 6, "hidden": 4, "outputs": 3, "dtype": "float32"}},
        {"model": "\x1b[2J", "config": {}},
        [],
        None,
        7,
    ],
    ids=ascii,
)
def test_a_description_that_builds_no_such_model_is_refused(tmp_path, info):
    arrays = arrays_of(MLP(inputs=6, hidden=4, outputs=3))
    path = forge(tmp_path / "model.safetensors", arrays, info)
    with pytest.raises(CheckpointError, match="model.safetensors: ") as refused:
        models.load(path)
    assert str(refused.value).isprintable() and len(str(refused.value)) < 400


def test_what_could_not_be_read_again_is_not_written(tmp_path):
    with pytest.raises(CheckpointError, match="cannot be written: .* no proper data, but str"):
        models.save(tmp_path / "model.safetensors", CNN(), data="my digits")
    assert not any(tmp_path.iterdir())


# Files that are whole, and say what cannot be


LAYERS = [
    {"layer_type": "conv2d", "in_channels": 1, "out_channels": 2, "kernel_size": 3,
     "input_height": 6, "input_width": 6},
    {"layer_type": "maxpool", "pool_size": 2, "pool_channels": 2, "pool_input_height": 4,
     "pool_input_width": 4},
    {"layer_type": "batchnorm", "size": 8},
    {"layer_type": "dropout", "size": 8, "drop_rate": 0.5},
    {"layer_type": "dense", "input_size": 8, "output_size": 3},
]  # fmt: skip
SOME = [
    MLP(inputs=6, hidden=4, outputs=3),
    CNN(channels=3),
    XOR(hidden=5),
    PatchAttention(height=8, width=12, d_model=6, d_ff=5),
    PatchAttention(patch=7, d_model=6, positions="zero", residual=True, layer_norm=True),
    architecture.Network(LAYERS),
]


@pytest.mark.parametrize("model", SOME, ids=lambda model: model.name)
def test_shapes_are_those_of_the_model_that_is_built(model):
    built = {name: a.shape for name, a in (model.parameters | model.buffers).items()}
    assert shapes.of(type(model), model.config) == built


def dense(size):
    return {"layer_type": "dense", "input_size": size, "output_size": size}


DOT = {"layer_type": "maxpool", "pool_size": 1, "pool_channels": 1, "pool_input_height": 1,
       "pool_input_width": 1}  # fmt: skip
GREEDY = [
    ("mlp", {"hidden": 10**8}),
    ("mlp", {"inputs": 2**28, "hidden": 2**28, "outputs": 2**28}),
    ("cnn", {"channels": 10**6, "outputs": 10**4}),
    ("xor", {"hidden": 2**28}),
    ("attention", {"d_model": 20_000}),
    ("attention", {"d_ff": 10**7}),
    ("attention", {"height": 10**4, "width": 10**4, "patch": 1}),
    ("attention", {"height": 10**4, "width": 10**4, "patch": 1, "positions": "zero"}),
    ("attention", {"patch": 10**4, "height": 10**4, "width": 10**4}),
    ("architecture", {"layers": [dense(16_000)]}),
    ("architecture", {"layers": [{"layer_type": "batchnorm", "size": 2**25}]}),
    ("architecture", {"layers": [dense(1)] * 100_000}),
    ("architecture", {"layers": [DOT] * 100_000}),
    (
        "network",
        {
            "class": "Dense",
            "config": {"inputs": 16_000, "outputs": 16_000, "needs_input_gradient": True},
        },
    ),
    ("network", {"class": "Sequential", "layers": dict.fromkeys(map("a{}".format, range(10**5)))}),
]
LIMITED = """
import json, resource, sys, time
from course import models
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, used + 2**28))
for path in sys.argv[1:]:
    started = time.process_time()
    try:
        models.load(path)
    except models.checkpoint.CheckpointError as error:
        print(json.dumps([time.process_time() - started, str(error)]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs Linux")
def test_a_few_bytes_take_neither_memory_nor_time(tmp_path, process_environment):
    files = [
        forge(tmp_path / str(number), {"model/a": np.ones(1)}, {"model": name, "config": config})
        for number, (name, config) in enumerate(GREEDY)
    ]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *files],
        capture_output=True,
        text=True,
        check=True,
        env=process_environment,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(GREEDY)
    for seconds, message in answers:  # of the processor, so that a busy machine does not matter
        assert seconds < 5 and ("does not fit the model" in message or "layers" in message)


WHOLE = recipe("adam", epochs=4, patience=4)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run as `train` leaves it, read back."""
    path = tmp_path_factory.mktemp("whole") / "run"
    trainer = WHOLE.trainer(MLP(inputs=6, hidden=4, outputs=3), [Stop(3)])
    with pytest.raises(SystemExit):
        trainer.fit(*data())
    about = {
        "name": "mlp", "recipe": vars(WHOLE), "schedule": repr(WHOLE.make_schedule()),
        "data": {"digits": "the sample", "samples": 60, "labels_crc32": 7},
    }  # fmt: skip
    checkpoint.save(path, trainer.model, models.describe(trainer.model) | about, trainer)
    return checkpoint.read(path)


def resume(path):
    """Do with a file all that the course does; only CheckpointError is expected of damage."""
    saved = checkpoint.read(path)
    models.restore(saved)
    if saved.run is None:
        return
    if "recipe" in saved.info:
        with contextlib.suppress(CommandError):  # its sentence for a recipe that is none
            resuming.recipe_of(saved)
    resumed = WHOLE.trainer(MLP(inputs=6, hidden=4, outputs=3))
    saved.restore_trainer(resumed)
    resumed.fit(*data())
    json.dumps([vars(record) for record in resumed.records], allow_nan=False)


def test_the_file_of_a_run_can_be_resumed(tmp_path, whole):
    resume(forge(tmp_path / "run", whole.arrays, whole.info, whole.run))


def mutated(node, path, value):
    """A copy of the JSON `node` with what is at `path` replaced, or removed."""
    if not path:
        return value
    copy = node.copy()
    if len(path) == 1 and value is REMOVED:
        del copy[path[0]]
    else:
        copy[path[0]] = mutated(node[path[0]], path[1:], value)
    return copy


def places(node):
    yield ()
    inner = node.items() if isinstance(node, dict) else ()
    inner = enumerate(node) if isinstance(node, list) else inner
    for key, value in inner:
        yield from ((key, *rest) for rest in places(value))


REMOVED = object()
NUMBERS = st.sampled_from([0, -1, 1, 2, 3, 5, 2**28, 2**64, 10**400, 0.5, math.inf, math.nan])
VALUES = st.recursive(
    NUMBERS | st.none() | st.booleans() | st.text(max_size=5) | st.just("\x1b[2J"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


@pytest.mark.slow
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_a_whole_file_says_it_is_resumed_or_refused_in_a_sentence(tmp_path, whole, data):
    described = {"info": whole.info, "run": whole.run}
    place = data.draw(st.sampled_from(list(places(described))[1:]))
    value = data.draw(VALUES | st.just(REMOVED))
    if value is REMOVED and len(place) == 1:
        value = None
    described = mutated(described, place, value)
    path = forge(tmp_path / "run", whole.arrays, **described)
    try:
        resume(path)
    except CheckpointError as error:
        assert str(error).startswith(f"{path}: ") and str(error).isprintable()


def test_a_run_that_has_not_kept_all_its_records_goes_on(tmp_path, whole):
    kept = whole.run | {"records": whole.run["records"][-1:], "best_epoch": whole.run["epoch"]}
    resume(forge(tmp_path / "run", whole.arrays, whole.info, kept))


@pytest.mark.parametrize("depth", [900, 100_000])
@pytest.mark.parametrize("part", ["info", "run"])
def test_deep_json_is_refused(tmp_path, whole, part, depth):
    described = {"info": whole.info, "run": whole.run} | {part: "[" * depth + "]" * depth}
    with pytest.raises(CheckpointError):
        resume(forge(tmp_path / "run", whole.arrays, **described))


def test_train_resumes_no_run_of_a_model_that_cannot_be(tmp_path, whole, course, elsewhere):
    info = whole.info | {"config": {"inputs": "many"}}
    path = forge(tmp_path / "run", whole.arrays, info, whole.run)
    code, _, err = course("train", "mlp", "--resume", path)
    assert code == 1 and "run: cannot build its mlp: its inputs cannot be 'many'" in err


@pytest.mark.parametrize("steps", [-1, 2**63 - 1])
def test_an_impossible_number_of_steps_is_refused(tmp_path, whole, steps):
    arrays = whole.arrays | {"optimizer/steps": np.array([steps])}
    with pytest.raises(CheckpointError, match=f"counts {steps} steps"):
        resume(forge(tmp_path / "run", arrays, whole.info, whole.run))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CheckpointError, match="pipe"):
        checkpoint.read(tmp_path / "pipe")


# Writing


class DiskFull:
    """Stands in for a file on a disk with room for `room` bytes."""

    def __init__(self, file, room):
        self.file, self.room = file, room

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.file.close()

    def write(self, content):
        self.file.write(content[: self.room])
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("failure", ["write", "fsync", "interrupt"])
@pytest.mark.parametrize("there", [False, True])
def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch, failure, there):
    path = tmp_path / "model.safetensors"
    if there:
        models.save(path, MLP(seed=1, inputs=5, hidden=4, outputs=2))
    before = path.read_bytes() if there else None

    def fail(descriptor):
        raise KeyboardInterrupt if failure == "interrupt" else OSError(5, "Input/output error")

    if failure == "write":
        monkeypatch.setattr(files, "open", lambda *a: DiskFull(open(*a), 100), raising=False)
    else:
        monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises((OSError, KeyboardInterrupt)):
        models.save(path, MLP(seed=2, inputs=5, hidden=4, outputs=2))
    assert os.listdir(tmp_path) == ([path.name] if there else [])
    assert not there or path.read_bytes() == before


# A real process, really killed

# One thread each: the machine may have little to spare, and the bits are not about threads here.


def train(folder, *more):
    """The command that trains for five epochs of 15 steps, or that goes on with such a run."""
    command = [sys.executable, "-m", "course", "train", "mlp", "--log", str(folder / "log.txt")]
    return [*command, *(more or ("--epochs=5", "--batch-size=256", f"--out={folder / 'run'}"))]


def arrays(path):
    return {name: array.tobytes() for name, array in checkpoint.read(path).arrays.items()}


def kill_after_an_epoch(command, environment, delay):
    """Start `command`, kill it `delay` seconds after its first epoch; tell if it was running."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    with process.stdout:
        any(line.startswith("epoch") for line in process.stdout)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="there is no kill -9")
def test_killed_at_any_moment_and_resumed_it_is_the_same_run(tmp_path, process_environment):
    whole, folder = tmp_path / "whole", tmp_path / "killed"
    subprocess.run(train(whole), check=True, capture_output=True, env=process_environment)
    expected = arrays(whole / "run")
    an_epoch = np.median([float(line.split(",")[2]) for line in epochs_of(whole / "log.txt")])

    run, kills, dice = folder / "run", 0, random.Random()
    command = train(folder)
    while (
        killed := kill_after_an_epoch(
            command, process_environment, delay=dice.uniform(0, 1.5) * an_epoch
        )
    ) or not kills:
        if not killed:  # on a busy machine the kill may come too late: once more from the start
            run.unlink()
            continue
        kills += 1
        epochs_of(folder / "log.txt")
        if run.exists():  # no kill came between the first line and the first file
            assert checkpoint.read(run).run["epoch"] >= 1
            command = train(folder, "--resume", str(run))
    assert arrays(run) == expected
    assert len(epochs_of(folder / "log.txt")) == 5


def epochs_of(log):
    """Return the lines of the epochs, after a look whether each line of the file is whole."""
    content = log.read_text()
    assert content.endswith("\n")
    lines = [line for line in content.splitlines() if not line.startswith("#")]
    assert [line.split(",")[0] for line in lines] == ["epoch", *map(str, range(1, len(lines)))]
    assert {line.count(",") for line in lines} == {5}
    return lines[1:]
