"""Any network comes back as it was; a file makes nothing that its reader has not allowed."""

import contextlib
import copy
import json
import math
import sys

import numpy as np
import pytest

from course import models
from course.attention import PatchAttention
from course.cnn import CNN, Conv2D, MaxPool2D
from course.commands.cli import main
from course.mlp import MLP
from course.models import known
from course.models.architecture import Reshape
from course.nn import checkpoint
from course.nn.activations import ACTIVATIONS, ELU, LeakyReLU, ReLU
from course.nn.checkpoint import CheckpointError
from course.nn.layers import Dense, Flatten, Layer, Sequential
from course.nn.recipe import Recipe
from course.nn.regularization import BatchNorm, Dropout
from course.nn.rng import SimpleRng

RNG = SimpleRng(7)
DIGITS = np.random.default_rng(1).random((6, 784), np.float32)


class Scale(Layer):
    """y = factor x, and a bias; what a learner may write."""

    def __init__(self, size, factor, rng=None, dtype=np.float32):
        super().__init__()
        self.size, self.factor = size, factor
        self.add_parameter("bias", np.zeros(size, dtype))

    def forward(self, x):
        return self.factor * x + self.parameters["bias"]

    def backward(self, dy):
        self.gradients["bias"][:] = dy.sum(axis=0)
        return self.factor * dy


class Residual(Sequential):
    def forward(self, x):
        return x + super().forward(x)

    def backward(self, dy):
        return dy + super().backward(dy)


class Own(Sequential):
    """A whole network with a constructor, and a name that is not the course's."""

    name = "wide"

    def __init__(self, hidden=5):
        self.hidden = hidden
        super().__init__(a=Dense(784, hidden, RNG), b=Dense(hidden, 10, RNG))


def every_layer():
    """All layers of the package but the models, nested."""
    return Sequential(
        picture=Reshape((1, 28, 28)),
        features=Sequential(
            conv=Conv2D(1, 2, 3, RNG, stride=2, padding=1),  # (batch, 2, 14, 14)
            elu=ELU(0.7),
            pool=MaxPool2D(3, 2),  # (batch, 2, 6, 6)
        ),
        flat=Flatten(),
        norm=BatchNorm(72, momentum=0.3, epsilon=1e-3),
        dropped=Dropout(0.25, seed=5),
        hidden=Dense(72, 8, RNG),
        leaky=LeakyReLU(0.2),
        bends=Sequential(**{name: bend() for name, bend in ACTIVATIONS.items()}),
        output=Dense(8, 10, RNG),
    )


NETWORKS = {
    "every layer": (every_layer, ()),
    "double": (lambda: Sequential(a=Dense(784, 10, RNG, np.float64)), ()),
    "a cnn inside": (lambda: Sequential(drop=Dropout(0.1), body=CNN(channels=2)), ()),
    "an mlp inside": (lambda: Sequential(body=MLP(hidden=4), bend=ReLU()), ()),
    "attention inside": (lambda: Sequential(body=PatchAttention(d_model=6, residual=True)), ()),
    "own layer": (lambda: Sequential(a=Dense(784, 10, RNG), s=Scale(10, 3)), [Scale]),
    "own layers": (
        lambda: Sequential(
            a=Dense(784, 10, RNG, np.float64),
            s=Residual(s=Scale(10, np.float32(0.5), dtype=np.float64)),
        ),
        [sys.modules[__name__]],
    ),
    "own network": (Own, [Own]),
}


def all_arrays(model):
    return model.parameters | model.buffers


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_comes_back_bit_for_bit(tmp_path, name):
    make, allow = NETWORKS[name]
    model = make()
    for array in model.parameters.values():
        array += 0.01
    x = DIGITS.astype(next(iter(model.parameters.values())).dtype)
    model.training = True
    model.forward(x)  # moves running means and the state of dropout
    model.training = False
    models.save(tmp_path / "net", model, by="me")
    loaded = models.load(tmp_path / "net", allow)
    assert type(loaded) is type(model) and models.describe(loaded) == models.describe(model)
    assert {k: (a.dtype, a.tobytes()) for k, a in all_arrays(loaded).items()} == {
        k: (a.dtype, a.tobytes()) for k, a in all_arrays(model).items()
    }
    np.testing.assert_array_equal(loaded.forward(x), model.forward(x))
    assert checkpoint.read(tmp_path / "net").info["by"] == "me"


def test_every_layer_of_the_package_is_known():
    def below(found):
        return {found}.union(*map(below, found.__subclasses__()))

    ours = {c for c in below(Layer) if c.__module__.startswith("course.")}
    # Made of a learner's functions, of networks that have files of their own, or to be measured.
    others = ("course.yours.", "course.exercises.", "course.committee", "course.benchmark.")
    kept = {c for c in ours if not c.__module__.startswith(others)}
    assert kept - {Layer} == set(known.KNOWN.values())


def test_a_loaded_network_trains_on_as_the_saved_one(tmp_path):
    model = every_layer()
    models.save(tmp_path / "net", model)
    loaded = models.load(tmp_path / "net")
    recipe = Recipe(epochs=2, batch_size=3, validation_split=0.0, learning_rate=0.1)
    for network in (model, loaded):
        recipe.trainer(network).fit(DIGITS, np.arange(6))
    for name, array in all_arrays(model).items():
        np.testing.assert_array_equal(all_arrays(loaded)[name], array)


# ------------------------------------------------------------------------- what is not written


class Forgetful(Layer):
    def __init__(self, factor=2):
        super().__init__()
        self.twice = 2 * factor


class Greedy(Layer):
    def __init__(self, *sizes):
        super().__init__()


class Holding(Layer):
    def __init__(self, content):
        super().__init__()
        self.content = content


def tied():
    layer = Dense(3, 3, RNG)
    return Sequential(a=layer, b=layer)


def grown():
    network = Sequential(a=Dense(3, 3, RNG))
    network.layers["b"] = Dense(3, 3, RNG)
    return network


def deep():
    network = Flatten()
    for _ in range(2000):
        network = Sequential(a=network)
    return network


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (tied, "share weights"),
        (grown, "do not have the sizes"),
        (deep, "recursion"),
        (lambda: Sequential(a=Forgetful(5)), "layer a (Forgetful) keeps no attribute 'factor'"),
        (lambda: Sequential(a=Sequential(b=Forgetful())), "layer a.b (Forgetful)"),
        (lambda: Sequential(a=Greedy(1)), "takes any number of arguments (*sizes)"),
        (lambda: Sequential(a=Holding(ReLU())), "content of its layer a is a ReLU: make its class"),
        (lambda: Sequential(a=Holding(np.ones(2))), "arrays are parameters or buffers"),
        (lambda: Sequential(a=Holding(math.nan)), "not finite"),
        (lambda: Sequential(**{"a.b": ReLU()}), "odd name 'a.b'"),
    ],
)
def test_what_could_not_be_made_again_is_not_written(tmp_path, make, problem):
    with pytest.raises(CheckpointError) as refused:
        models.save(tmp_path / "net", make())
    assert problem in str(refused.value) and not any(tmp_path.iterdir())


# ------------------------------------------------------------------------- what a file may not do


def write(path, description, arrays=None):
    """A whole checkpoint that says `description`."""
    source = Sequential()
    source.parameters = arrays or {}
    checkpoint.save(path, source, {"model": "network", "config": description})
    return path


def refusal(path, allow=()):
    with pytest.raises(CheckpointError) as refused:
        models.load(path, allow)
    message = str(refused.value)
    assert message.startswith(str(path)) and message.isprintable() and len(message) < 700
    return message


def layer(name, **config):
    return {"class": "Sequential", "layers": {"a": {"class": name, "config": config}}}


def test_a_class_must_be_allowed_and_the_file_imports_nothing(tmp_path, monkeypatch):
    (tmp_path / "trap_of_file.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "net"
    said = refusal(write(path, layer("trap_of_file:Evil")))
    assert "its layer a is of the class 'trap_of_file:Evil'" in said and "allow=[Evil]" in said
    for name in ("os:system", "builtins:print", "course.nn.checkpoint:save", "subprocess:Popen"):
        assert "which is not of the course" in refusal(write(path, layer(name)), allow=[Scale])
    # a module lends the layers that it defines, and neither what else it has nor what it imported
    write(path, layer("json.decoder:JSONDecoder"))
    assert "not of the course" in refusal(path, allow=["json.decoder"])
    assert "trap_of_file" not in sys.modules


def test_a_class_of_a_notebook_is_named_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(Scale, "__module__", "__main__")
    models.save(tmp_path / "net", Sequential(s=Scale(3, 2)))
    said = refusal(tmp_path / "net")
    assert "'__main__:Scale', from a notebook or script: run the cell" in said
    assert models.load(tmp_path / "net", Scale).layers["s"].factor == 2
    monkeypatch.undo()  # now it has a module
    assert models.load(tmp_path / "net", [Scale]).layers["s"].factor == 2


def test_a_module_to_allow_that_cannot_be_imported_is_named(tmp_path):
    models.save(tmp_path / "net", Sequential(s=Scale(3, 2)))
    said = refusal(tmp_path / "net", ["no_such_module"])
    assert "the module 'no_such_module' cannot be imported: ModuleNotFoundError" in said
    assert "allow takes classes and modules, found 7" in refusal(tmp_path / "net", [7])


DENSE = {"inputs": 4, "outputs": 2, "needs_input_gradient": True}
CONV = {"in_channels": 1, "out_channels": 1, "kernel": 1, "stride": 1, "padding": 0,
        "needs_input_gradient": True}  # fmt: skip
SCALE = f"{__name__}:Scale"


@pytest.mark.parametrize(
    ("description", "problem"),
    [
        ({}, 'the network must have a "class"'),
        ({"class": ["Dense"], "config": {}}, 'must have a "class"'),
        ({"class": "Sequential", "layers": []}, 'must have a "class"'),
        ({"class": "Sequential", "layers": {"a": 7}}, 'its layer a must have a "class"'),
        ({"class": "Sequential", "config": {}}, "takes any number of arguments"),
        ({"class": "ReLU", "layers": {"a": 7}}, "a ReLU is not made of layers"),
        ({"class": "ReLU", "config": {}, "more": 1}, 'must have a "class"'),
        ({"class": "Sequential", "layers": {"\x1b[2J": 7}}, "odd name"),
        ({"class": "Sequential", "layers": {f"a{n}": 7 for n in range(1001)}}, "1,001 layers"),
        (layer("\x1b[2J"), "unknown class"),
        (layer("\x1b:[2J"), "is of the class"),
        (layer("LSTM"), "its layer a is of the unknown class 'LSTM'; known are Sequential, Dense"),
        (layer("Dense", inputs=4), "same arguments"),
        (layer("Dense", **DENSE, rng=1), "same arguments: 'rng'"),
        (layer("Dense", **DENSE | {"inputs": "many"}), "its inputs cannot be 'many'"),
        (layer("Dense", **DENSE | {"inputs": True}), "its inputs cannot be True"),
        (layer("Dense", **DENSE | {"inputs": 2**28, "outputs": 2**28}), "does not fit the model"),
        (layer("Dense", **DENSE | {"needs_input_gradient": 1}), "cannot be 1"),
        (layer("Conv2D", **CONV | {"padding": 2**20}), "padding 1048576 must be smaller"),
        (layer("BatchNorm", features=2**28, momentum=0.1, epsilon=1e-5), "does not fit the model"),
        (layer("MaxPool2D", size=0, stride=1), "its size cannot be 0"),
        (layer("LeakyReLU", slope="steep"), "its slope cannot be 'steep'"),
        (layer("ELU", alpha=10**400), "its alpha cannot be 1000"),
        (layer("ELU", alpha=math.inf), "its alpha cannot be inf"),
        (layer("Reshape", shape=[28, -28]), "its shape cannot be [28, -28]"),
        (layer("MLP", hidden=2**28), "does not fit the model"),
        (layer("MLP", depth=3), "'depth' is none of its sizes"),
        (layer(SCALE, size=3), "same arguments: 'factor'"),
        (layer(SCALE, size=2**40, factor=1), "has the number 1099511627776"),
        (layer(SCALE, size=[2**40], factor=1), "has the number 1099511627776"),
        (layer(SCALE, size=3, factor=10**400), "has the number 1000"),
        (layer(SCALE, size=3, factor=math.inf), "not finite"),
        (layer(SCALE, size="x", factor=1), "its layer a (Scale) cannot be made: TypeError"),
    ],
)
def test_a_description_that_cannot_be_is_refused_before_anything_is_made(
    tmp_path, description, problem
):
    assert problem in refusal(write(tmp_path / "net", description), [Scale])


def test_a_deep_description_is_refused(tmp_path):
    description = {"class": "ReLU", "config": {}}
    for _ in range(400):
        description = {"class": "Sequential", "layers": {"a": description}}
    path = write(tmp_path / "net", description)
    with contextlib.suppress(CheckpointError):  # where Python's stack has the room, it works
        assert models.load(path).forward(np.ones(1)) == 1


def test_arrays_of_an_own_layer_must_be_those_of_its_class(tmp_path):
    path = write(tmp_path / "net", layer(SCALE, size=3, factor=1), {"a.weight": np.ones(3)})
    assert "only one side has 'a.bias, a.weight'" in refusal(path, [Scale])


def test_a_forged_description_of_a_real_file_is_refused_or_fits(tmp_path):
    """Each number of a description, changed: the arrays of the file no longer fit, or do."""
    model = every_layer()
    description = models.describe(model)["config"]
    changed = 0
    for name, entry in description["layers"].items():
        for argument, value in entry.get("config", {}).items():
            if type(value) is int:
                forged = copy.deepcopy(description)
                forged["layers"][name]["config"][argument] = value * 10**6
                assert "does not fit" in refusal(write(tmp_path / "net", forged, all_arrays(model)))
                changed += 1
    assert changed >= 5


# ------------------------------------------------------------------------- the commands

MODULE = """
from course.nn.layers import Layer

class Twice(Layer):
    def forward(self, x):
        return 2 * x
    def backward(self, dy):
        return 2 * dy
"""


@pytest.fixture
def own_file(tmp_path, monkeypatch):
    """Be in a folder with net.safetensors, which needs the layer of layers_of_mine.py."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "layers_of_mine.py").write_text(MODULE)
    import layers_of_mine

    network = Sequential(a=Dense(784, 10, RNG), twice=layers_of_mine.Twice())
    models.save("net.safetensors", network)
    yield
    del sys.modules["layers_of_mine"]


@pytest.mark.usefixtures("own_file")
def test_evaluate_takes_own_networks(capsys):
    assert main(["evaluate", "net.safetensors"]) == 1
    assert "'layers_of_mine:Twice', which is not of the course" in capsys.readouterr().err
    assert main(["evaluate", "net.safetensors", "--allow", "layers_of_mine", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["model"] == "network"


@pytest.mark.usefixtures("own_file")
def test_recognize_and_the_recognizer_read_with_own_networks(tmp_path):
    from course.commands.draw import chosen
    from course.commands.recognize import load_models
    from course.recognizer.widget import Recognizer

    assert list(load_models("net.safetensors", ["layers_of_mine"])) == ["net"]
    models.save("mine.safetensors", every_layer())
    fields = chosen(["mine.safetensors"], None)
    assert fields["models"].endswith(repr({"mine": str(tmp_path / "mine.safetensors")}))
    shelf = Recognizer({"mine": "mine.safetensors", "other": "net.safetensors"})
    assert isinstance(shelf.models["mine"], Sequential)
    assert "layers_of_mine:Twice" in str(shelf.models["other"])


@pytest.mark.usefixtures("own_file")
def test_own_networks_are_not_for_the_older_programs(capsys):
    models.save("mine.safetensors", every_layer())
    assert main(["convert", "mine.safetensors", "out.bin"]) == 1
    assert "network" in capsys.readouterr().err
