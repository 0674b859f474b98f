"""The command line: what it prints, how it ends, one sentence for everything that goes wrong."""

import contextlib
import importlib
import json
import math
import os
import runpy
import shutil
import signal
import subprocess
import sys
import types
import warnings

import numpy as np
import pytest
from conftest import without_notice

from course import benchmark, commands, environment, interchange, mnist, models
from course.commands import cli
from course.mlp import MLP
from course.nn import checkpoint
from course.nn.compiled import HAS_NUMBA, CompileNotice

pytestmark = pytest.mark.usefixtures("elsewhere")
TRAIN = ["train", "mlp", "--epochs", "2", "--out", "run", "--log", "log.txt"]
posix = pytest.mark.skipif(
    os.name != "posix", reason="needs signals and terminals as Unix has them"
)


def start(*arguments, code="", environment=(), **options):
    """Call the command line in a process of its own, after running `code` there."""
    code += "import sys; from course.commands.cli import main; sys.exit(main())"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ | dict(environment),
        **pipes | options,
    )


def communicate(process):
    """What the process has said: stdout, and stderr without the notice that it compiles."""
    out, err = process.communicate()
    return out, without_notice(err)


def is_one_sentence(text, command):
    lines = text.splitlines()
    return (
        len(lines) == 1
        and lines[0].startswith(f"python -m course {command}".rstrip())
        and "Traceback" not in text
        and len(text) < 600
    )


# What goes well


def test_train_then_evaluate(course):
    code, lines, err = course(*TRAIN, "--json", "--seed", 5)
    assert (code, err) == (0, "")
    assert lines[0] == "Digits: other digits: 240 training and 60 test digits"
    assert [line.split("  ")[:2] for line in lines[1:3]] == [["epoch", "1/2"], ["epoch", "2/2"]]
    result = json.loads(lines[-1])
    assert (result["epochs"], result["seed"], result["stopped"]) == (2, 5, "finished")
    assert result["recipe"]["epochs"] == 2 and result["out"] == "run"
    seconds = sum(float(line.split(",")[2]) for line in open("log.txt").readlines()[-2:])
    assert result["train_seconds"] == pytest.approx(seconds, rel=1e-6)
    assert f"{result['test_accuracy']:.2%}" in lines[-4]

    code, lines, err = course("evaluate", "run", "--json")
    assert (code, err) == (0, "")
    evaluated = json.loads(lines[-1])
    for key in ("model", "test_accuracy", "test_loss", "train_seconds", "epochs", "seed", "digits"):
        assert evaluated[key] == result[key], key
    assert 0 <= evaluated["test_accuracy"] <= 1 and not any("Note" in line for line in lines)


def test_without_options_it_is_the_courses_recipe(course):
    code, lines, _ = course("train", "mlp", "--json")
    recipe = json.loads(lines[-1])["recipe"]
    assert code == 0 and recipe == vars(models.recipe("mlp"))
    assert os.listdir("runs") == ["mlp.safetensors"]
    assert os.listdir("logs/mine") == ["training_loss_mlp.txt"]
    assert course("train", "mlp", "--epochs", 1)[0] == 0
    assert len(os.listdir("logs/mine")) == 2  # no log is overwritten


def test_where_the_course_cannot_keep_logs_they_lie_beside_the_model(course, monkeypatch):
    with open("file", "w"):
        monkeypatch.setenv("COURSE_LOGS_DIR", "file/logs")  # a read-only course looks no better
    code, lines, err = course("train", "mlp", "--epochs", 1, "--out", "new/run.safetensors")
    assert (code, err) == (0, "") and lines[-1] == "Log: new/run.txt"
    assert len(open("new/run.txt").readlines()) == 5


def test_every_option_reaches_the_recipe(course):
    json_file = '{"scheduler_type": "step_decay", "step_size": 3, "gamma": 0.5}'
    with open("schedule.json", "w") as file:
        file.write(json_file)
    options = {
        "epochs": 3,
        "batch_size": 50,
        "learning_rate": 0.02,
        "optimizer": "adam",
        "schedule": "schedule.json",
        "weight_decay": 0.01,
        "beta2": 0.9,
        "seed": 9,
        "validation_split": 0.25,
        "patience": 2,
        "min_delta": 0.001,
        "plain_epochs": 0,
        "average": 0.99,
    }
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    code, lines, _ = course("train", "mlp", *arguments, "--augment", "--json")
    assert code == 0 and json.loads(lines[-1])["recipe"] == options | {"augment": True}


def test_the_log_names_its_command(course, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["-m", "train", "mlp", "--out", "my model"])
    course(*TRAIN)
    assert open("log.txt").readline() == "# command: python -m course train mlp --out 'my model'\n"


def test_patience_ends_it_early_and_the_file_has_the_best_weights(course):
    patient = [*TRAIN, "--epochs", 30, "--patience", 2, "--min-delta", 100, "--json"]
    result = json.loads(course(*patient)[1][-1])
    assert (result["stopped"], result["epochs"], result["best_epoch"]) == ("early", 3, 1)
    saved = checkpoint.read("run")
    for name in ("hidden.w", "output.b"):
        assert np.array_equal(saved.arrays[f"model/{name}"], saved.arrays[f"best/{name}"])


def test_a_model_of_full_mnist_has_seen_the_samples_test_digits(course, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(mnist.CLONE_DATA / "sample"))
    for digits, noted in (("full MNIST", True), ("the sample", False), ("other digits", False)):
        models.save("m", MLP(), data={"digits": digits, "samples": 60_000})
        code, lines, _ = course("evaluate", "m", "--json")
        assert code == 0 and any("has seen these digits" in line for line in lines) == noted
        assert json.loads(lines[-1])["epochs"] is None


def test_evaluate_writes_what_the_tokens_look_at(course):
    model = models.build("attention")
    models.save("model", model)
    x = mnist.to_float(mnist.load().test_images[:3]).reshape(3, 784)
    expected = model.attention_weights(x)  # compiles, where that has not been done: err stays empty
    code, lines, err = course("evaluate", "model", "--attention", "a.txt", "--samples", 3)
    assert (code, err, lines[-1]) == (0, "", "Attention: a.txt")
    written = interchange.read_attention("a.txt")
    assert list(written) == [0, 1, 2]
    assert np.array_equal(np.stack(list(written.values())), expected)


def test_train_notes_which_digits_it_saw(course):
    course(*TRAIN)
    data = checkpoint.read("run").info["data"]
    assert (data["digits"], data["samples"]) == ("other digits", 240)


def test_info(course, monkeypatch):
    code, lines, err = course("info", "--json")
    facts = json.loads(lines[-1])
    assert (code, err) == (0, "")
    assert lines[:-1] == [*str(environment.check()).splitlines(), environment.GOOD]
    assert "threads" in facts["blas"] and "240 training" in facts["digits"]
    assert (facts["numpy"], facts["problems"]) == (np.__version__, [])
    assert facts.keys() >= {"course", "python", "scipy", "numba", "system", "cores"}
    monkeypatch.setenv("COURSE_DATA_DIR", "/nowhere")  # then above all one wants to see the rest
    code, lines, _ = course("info", "--json")
    facts = json.loads(lines[-1])
    assert code == 1 and "/nowhere" in lines[-2] and facts["numpy"] == np.__version__
    assert [problem["name"] for problem in facts["problems"]] == ["digits"]


def test_info_names_what_is_missing_and_other_commands_name_info():
    without_numpy = "import sys; sys.modules['numpy'] = None\n"
    out, err = communicate(process := start("info", code=without_numpy))
    assert process.returncode == 1 and err == ""
    assert "ok  Python" in out and "!!  digits    cannot be looked at" in out
    out, err = communicate(process := start("data", code=without_numpy))
    assert process.returncode == 1 and is_one_sentence(err, "data") and "course info" in err


def test_data(course, some_digits):
    code, lines, err = course("data", "--data", mnist.CLONE_DATA / "sample")
    assert (code, err) == (0, "") and sum("verified" in line for line in lines) == 4
    code, lines, _ = course("data")
    assert code == 1 and str(some_digits) in lines[0]  # not of MNIST


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["--version"]])
def test_help(course, arguments):
    code, lines, err = course(*arguments)
    assert code == 0 and lines and not err


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_help_of_a_command_begins_as_its_module_does(course, name):
    code, lines, _ = course(name, "--help")
    module = importlib.import_module(f"course.commands.{name}")
    assert code == 0 and " ".join(module.__doc__.split())[:60] in " ".join(" ".join(lines).split())


NUMBA = {"numba"} if HAS_NUMBA else set()
HEAVY = {"numpy", "scipy", "numba", "matplotlib", "tqdm", "IPython"}


@pytest.mark.parametrize(
    ("code", "commands", "heavy"),
    [
        ("cli.main(['--help'])", set(), set()),
        ("cli.main(['train', '--help'])", {"train"}, {"numpy", "scipy", "tqdm"} | NUMBA),
        ("cli.main(['data'])", {"data"}, {"numpy"}),
        ("import course.mlp", set(), {"numpy", "scipy"} | NUMBA),
    ],
)
def test_nothing_is_imported_that_is_not_asked_for(code, commands, heavy):
    code = f"""
import contextlib, sys
from course.commands import cli
with contextlib.suppress(SystemExit):
    {code}
print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert loaded & HEAVY == heavy
    assert "scipy.special" not in loaded  # as long to load as all of NumPy
    assert {name for name in cli.COMMANDS if f"course.commands.{name}" in loaded} == commands


# Bad arguments: exit code 2


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["--fly"],
        ["train"],
        ["train", "resnet"],
        ["train", "mlp", "cnn"],
        ["train", "mlp", "--fly"],
        ["train", "mlp", "--epochs"],
        ["train", "mlp", "--epochs", "0"],
        ["train", "mlp", "--epochs", "-3"],
        ["train", "mlp", "--epochs", "2.5"],
        ["train", "mlp", "--epochs", "many"],
        ["train", "mlp", "--batch-size", "0"],
        ["train", "mlp", "--batch-size", "1e2"],
        ["train", "mlp", "--learning-rate", "0"],
        ["train", "mlp", "--learning-rate", "-1"],
        ["train", "mlp", "--learning-rate", "nan"],
        ["train", "mlp", "--learning-rate", "inf"],
        ["train", "mlp", "--learning-rate", "fast"],
        ["train", "mlp", "--optimizer", "adagrad"],
        ["train", "mlp", "--schedule", "linear"],
        ["train", "mlp", "--schedule", ""],
        ["train", "mlp", "--schedule", "nowhere.json"],
        ["train", "mlp", "--schedule", "bad.json"],
        ["train", "mlp", "--weight-decay", "-1"],
        ["train", "mlp", "--weight-decay", "nan"],
        ["train", "mlp", "--seed", "x"],
        ["train", "mlp", "--validation-split", "1"],
        ["train", "mlp", "--validation-split", "-0.1"],
        ["train", "mlp", "--validation-split", "nan"],
        ["train", "mlp", "--patience", "0"],
        ["train", "mlp", "--patience", "3", "--validation-split", "0"],
        ["train", "mlp", "--min-delta", "nan"],
        ["train", "mlp", "--min-delta", "-1"],
        ["train", "mlp", "--out", "same", "--log", "./same"],
        ["evaluate"],
        ["evaluate", "a", "b"],
        ["data", "here"],
        ["info", "more"],
        ["bench"],
        ["bench", "resnet"],
        ["bench", "mlp", "--rounds", "0"],
        ["evaluate", "a", "--samples", "0"],
        ["bench", "mlp", "--samples", "-1"],
        ["bench", "mlp", "--optimizer", "adagrad"],
        ["train", "mlp", "--epochs", "9" * 400],
        ["train", "mlp", "--seed", "9" * 5000],
        ["train", "mlp", "--learning-rate", "1e999"],
        ["bench", "mlp", "--rounds", "9" * 400],
        ["trial", "--seed", "-1"],
        ["draw", "--port", "80"],
        ["fly\x1b[31m\udcff"],
        ["bench", "mlp", "--against", "torch,tensorflow"],
        ["bench", "mlp", "--busy", "two"],
        ["bench", "cost", "--axes", "depth"],
        ["bench", "cost", "--least-seconds", "0"],
        ["bench", "cost", "--against", "torch"],
    ],
    ids=lambda arguments: ascii(" ".join(arguments))[:60],
)
def test_bad_arguments(course, arguments):
    with open("bad.json", "w") as file:
        file.write('{"scheduler_type": "step_decay", "step_size": 0}')
    code, lines, err = course(*arguments)
    assert code == 2 and lines == []
    assert is_one_sentence(err, "")
    assert os.listdir() == ["bad.json"]  # nothing was begun


# Failures: exit code 1


def not_digits(folder, some_digits, break_it):
    os.mkdir(folder)
    for name in os.listdir(some_digits):
        content = (some_digits / name).read_bytes()
        with open(f"{folder}/{name}", "wb") as file:
            file.write(break_it(content) if name.startswith("train-images") else content)


FAILURES = {
    "no folder": ["train", "mlp", "--data", "nowhere"],
    "empty folder": ["train", "mlp", "--data", "empty"],
    "a file as folder": ["train", "mlp", "--data", "text"],
    "cut images": ["train", "mlp", "--data", "cut"],
    "no idx": ["train", "mlp", "--data", "noise"],
    "learning rate too large": [*TRAIN, "--learning-rate", "1e20"],
    "model is a folder": [*TRAIN, "--out", "empty"],
    "model is the folder": [*TRAIN, "--out", "."],
    "model below a file": [*TRAIN, "--out", "text/model"],
    "log is a folder": [*TRAIN, "--log", "empty"],
    "log is the folder": [*TRAIN, "--log", ".."],
    "log below a file": [*TRAIN, "--log", "text/log"],
    "name too long": [*TRAIN, "--out", "a" * 300],
    "resume nothing": ["train", "mlp", "--resume", "nowhere"],
    "resume a text": ["train", "mlp", "--resume", "text"],
    "resume a folder": ["train", "mlp", "--resume", "empty"],
    "resume a model": ["train", "mlp", "--resume", "model"],
    "resume another model": ["train", "mlp", "--resume", "other"],
    "patience without digits": [*TRAIN, "--validation-split", "0.001", "--patience", "1"],
    "evaluate nothing": ["evaluate", "nowhere"],
    "evaluate a text": ["evaluate", "text"],
    "evaluate a folder": ["evaluate", "empty"],
    "evaluate another model": ["evaluate", "other"],
    "evaluate without digits": ["evaluate", "model", "--data", "nowhere"],
    "evaluate a model of the older programs": ["evaluate", "old.bin"],
    "evaluate weights that are too large": ["evaluate", "huge"],
    "plot nothing": ["plot", "nowhere"],
    "plot logs without an epoch": ["plot", "no.log", "no.log"],
    "attention of an mlp": ["evaluate", "model", "--attention", "a.txt"],
    "evaluate on noise": ["evaluate", "model", "--data", "noise"],
    "data nowhere": ["data", "--data", "nowhere"],
    "bench a process that fails": ["bench", "mlp", "--rounds", "1", "--samples", "64"],
}


@pytest.mark.parametrize("case", FAILURES)
def test_failures(course, some_digits, monkeypatch, case):
    os.mkdir("empty")
    with open("text", "w") as file:
        file.write("once upon a time")
    open("no.log", "w").close()
    models.save("model", MLP())
    models.save("huge", too_large(MLP()))
    interchange.write_model("old.bin", "mlp", MLP().parameters)
    checkpoint.save("other", MLP(), {"model": "resnet", "config": {}})
    not_digits("cut", some_digits, lambda content: content[:-1])
    not_digits("noise", some_digits, lambda content: b"noise" + content)
    before = sorted(os.listdir())
    if case.startswith("bench"):
        monkeypatch.setattr(sys, "executable", "/bin/false")
    code, _, err = course(*FAILURES[case])
    assert code == 1 and is_one_sentence(err, FAILURES[case][0]), err
    assert not os.listdir("empty") and open("text").read() == "once upon a time"
    if case != "learning rate too large":  # that one has begun
        assert sorted(os.listdir()) == before


def too_large(model):
    """The model with finite weights that give answers which are not."""
    model.parameters["hidden.w"][...] = 3e38
    model.parameters["output.w"][:, ::2] = -1
    return model


def test_a_model_of_the_older_programs_is_told_from_a_damaged_one(course):
    interchange.write_model("old.bin", "mlp", MLP().parameters)
    assert "`python -m course convert`" in course("evaluate", "old.bin")[2]
    code, _lines, err = course("convert", "old.bin", "new.safetensors")
    assert (code, err) == (0, "") and course("evaluate", "new.safetensors")[0] == 0


def test_answers_that_are_not_finite_are_told(course):
    models.save("huge", too_large(MLP()))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        code, lines, err = course("evaluate", "huge", "--json")
    assert code == 1 and "not finite" in err and not lines[-1].startswith("{")


def test_json_has_no_nan(capsys):
    commands.print_json(
        {"loss": math.nan, "losses": [0.1, -math.inf], "name": "NaN", "seed": 2**64}
    )
    printed = capsys.readouterr().out
    assert (
        printed
        == '{"loss": null, "losses": [0.1, null], "name": "NaN", "seed": 18446744073709551616}\n'
    )


def test_plot_names_the_first_damaged_lines_and_counts_the_others(course):
    with open("log", "w") as file:
        file.write("1,0.5,2\n" + "x,0.5,2\n" * 300)
    code, lines, err = course("plot", "log")
    assert (code, lines) == (0, ["Figure: training_comparison.png"])
    assert [line.split(":")[2] for line in err.splitlines()[:-1]] == [
        f" line {n}" for n in range(2, 7)
    ]
    assert err.splitlines()[-1] == "log: left out: and 295 more lines"


def test_divergence_gives_advice(course):
    _, _, err = course(*TRAIN, "--learning-rate", "1e20")
    assert "learning rate" in err and "scaled" in err


def test_out_of_memory_is_a_failure_like_others(course, monkeypatch):
    def build(name, **config):
        raise MemoryError

    monkeypatch.setattr(models, "build", build)
    code, _, err = course(*TRAIN)
    assert code == 1 and err == "python -m course train: out of memory\n"


def test_a_full_disk_is_a_failure_like_others(course, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device", "run")

    monkeypatch.setattr(checkpoint, "save", full)
    code, _lines, err = course(*TRAIN)
    assert code == 1 and is_one_sentence(err, "train") and "No space" in err


# Resuming


def stop_after_an_epoch(course, *more):
    """Train for one of two epochs, and a bit: then comes Ctrl-C."""

    def interrupt(observer, batch, batches):
        if observer.trainer.epoch == 1 and batch == 2:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint.SaveCheckpoint, "on_batch", interrupt)
        code, lines, err = course(*TRAIN, *more)
    assert (code, err) == (130, "") and "interrupted in epoch 2" in lines
    assert any("after epoch 1; go on with --resume run" in line for line in lines)


def weights(path):
    return {name: array.tobytes() for name, array in checkpoint.read(path).arrays.items()}


def test_resumed_it_is_the_same_run(course):
    course(*TRAIN)
    expected = weights("run")
    stop_after_an_epoch(course)
    assert checkpoint.read("run").run["epoch"] == 1
    code, lines, err = course(
        "train", "mlp", "--resume", "run", "--out", "new", "--log", "l", "--json"
    )
    assert (code, err) == (0, "") and "Resuming after epoch 1" in lines
    assert json.loads(lines[-1])["epochs"] == 2
    assert weights("new") == expected
    assert [line.split(",")[0] for line in open("l") if line[0] != "#"] == ["epoch", "1", "2"]
    assert course("train", "mlp", "--resume", "run")[0] == 0  # in place
    assert weights("run") == expected
    assert course("train", "mlp", "--resume", "run")[0] == 0  # over: nothing more to do
    assert weights("run") == expected


@pytest.mark.parametrize("call", [1, 2])
def test_an_interrupt_while_the_checkpoint_is_written_costs_nothing(course, monkeypatch, call):
    course(*TRAIN)
    expected, real, calls = weights("run"), checkpoint.save, []
    os.remove("run")

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == call:
            raise KeyboardInterrupt
        real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save", interrupted)
        assert course(*TRAIN)[0] == 130
    assert checkpoint.read("run").run["epoch"] == call
    assert course("train", "mlp", "--resume", "run")[0] == 0
    assert weights("run") == expected


@pytest.mark.parametrize(
    "options",
    [
        ["--epochs", "5"],
        ["--learning-rate", "0.5"],
        ["--optimizer", "adam", "--seed", "3"],
        ["--schedule", "constant"],
        ["--batch-size", "32"],
        ["--validation-split", "0.2"],
    ],
)
def test_resuming_cannot_change_the_run(course, options):
    course(*TRAIN)
    code, _, err = course("train", "mlp", "--resume", "run", *options)
    assert code == 2 and is_one_sentence(err, "train")
    assert all(option in err for option in options[::2])


def test_resuming_takes_options_that_change_nothing(course):
    stop_after_an_epoch(course)
    assert course("train", "mlp", "--resume", "run", "--epochs", 2, "--seed", 1)[0] == 0


def test_resuming_needs_the_same_digits(course):
    stop_after_an_epoch(course)
    sample = mnist.CLONE_DATA / "sample"
    code, _, err = course("train", "mlp", "--resume", "run", "--data", sample)
    assert code == 1 and is_one_sentence(err, "train") and "240" in err and "4000" in err


@pytest.mark.parametrize("change", ["gone", "other", "damaged"])
def test_resuming_needs_the_same_schedule(course, change):
    schedule = '{"scheduler_type": "exponential", "gamma": 0.5}'
    with open("s.json", "w") as file:
        file.write(schedule)
    stop_after_an_epoch(course, "--schedule", "s.json")
    with open("s.json", "w") as file:
        file.write({"other": schedule.replace("0.5", "0.6")}.get(change, "{"))
    if change == "gone":
        os.remove("s.json")
    code, _, err = course("train", "mlp", "--resume", "run")
    assert code == 1 and is_one_sentence(err, "train")
    assert ("Exponential" if change == "other" else "s.json") in err


def test_the_log_does_not_overwrite_what_is_resumed(course):
    stop_after_an_epoch(course)
    before = open("run", "rb").read()
    for arguments in (["--log", "run"], ["--log", "run", "--out", "new"]):
        code, _, err = course("train", "mlp", "--resume", "run", *arguments)
        assert code == 2 and is_one_sentence(err, "train")
    assert open("run", "rb").read() == before


def test_an_interrupt_before_the_first_epoch_ends_leaves_a_model(course, monkeypatch):
    def interrupted(self, x):
        if self.training:
            raise KeyboardInterrupt
        return np.zeros((len(x), 10), np.float32)

    with monkeypatch.context() as patch:
        patch.setattr(MLP, "forward", interrupted)
        code, lines, err = course(*TRAIN, "--json")
    assert (code, err) == (130, "") and "interrupted in epoch 1" in lines
    assert json.loads(lines[-1])["stopped"] == "interrupted"
    assert course("evaluate", "run")[0] == 0
    code, _, err = course("train", "mlp", "--resume", "run")
    assert code == 1 and "no run to resume" in err


# In a process of its own


CTRL_C = """
import os, signal
from course.nn.checkpoint import SaveCheckpoint

def press(observer, batch, batches):  # at that moment, whatever else the machine does
    if observer.trainer.epoch == 2 and batch == 5:
        os.kill(os.getpid(), signal.SIGINT)

SaveCheckpoint.on_batch = press
"""


@pytest.mark.slow
@posix
def test_ctrl_c_leaves_a_run_that_goes_on_as_if_nothing_had_been(course):
    epochs = ["--epochs", 12, "--batch-size", 4]
    course(*TRAIN, *epochs, "--out", "whole", "--log", "whole.txt")
    process = start(*TRAIN, *epochs, "--json", code=CTRL_C)
    out, err = communicate(process)
    lines = out.splitlines()
    assert (process.returncode, err) == (130, "")
    assert lines.count("interrupted in epoch 3") == 1
    result = json.loads(lines[-1])
    assert (result["stopped"], result["epochs"]) == ("interrupted", 2)

    epoch = checkpoint.read("run").run["epoch"]
    log = [line.split(",") for line in open("log.txt").read().splitlines() if line[0] != "#"]
    assert [line[0] for line in log] == ["epoch", *map(str, range(1, len(log)))]
    assert {len(line) for line in log} == {6} and len(log) >= epoch  # may lack the last
    evaluated = json.loads(course("evaluate", "run", "--json")[1][-1])
    assert evaluated["test_loss"] == pytest.approx(result["test_loss"], rel=1e-5)

    assert course("train", "mlp", "--resume", "run", "--log", "log.txt")[0] == 0
    assert len([line for line in open("log.txt") if line[0] != "#"]) == 13


@posix
def test_ctrl_c_while_a_process_still_loads(monkeypatch):
    class Interrupted(types.ModuleType):
        @property
        def main(self):
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "course.commands.cli", Interrupted("course.commands.cli"))
    monkeypatch.delitem(sys.modules, "course.__main__", raising=False)
    with pytest.raises(SystemExit) as exit:
        runpy.run_module("course", run_name="__main__")
    assert exit.value.code == 130


def test_in_a_pipe_there_are_plain_lines():
    out, err = communicate(start(*TRAIN, "--json"))
    assert err == "" and not set("\r\x1b\b") & set(out)
    assert len(out.splitlines()) == 7 and json.loads(out.splitlines()[-1])["epochs"] == 2


@posix
def test_on_a_terminal_there_is_a_progress_bar():
    import termios  # not on Windows

    leader, follower = os.openpty()
    termios.tcsetwinsize(follower, (24, 80))
    process = start(*TRAIN, stdout=follower, stderr=follower)
    os.close(follower)
    seen = b""
    with contextlib.suppress(OSError):  # how Linux says that nobody writes any more
        while chunk := os.read(leader, 4096):
            seen += chunk
    os.close(leader)
    assert process.wait() == 0
    text = seen.decode()
    assert "/4 [" in text and "batches" in text  # 216 digits: four batches
    lines = [part.strip() for part in text.replace("\r", "\n").split("\n") if part.strip()]
    assert sum(line.startswith("epoch") for line in lines) == 2
    assert lines[-3].startswith("Test accuracy") and lines[-2:] == ["Model: run", "Log: log.txt"]


@posix
@pytest.mark.parametrize("arguments", [["info"], TRAIN])
@pytest.mark.parametrize("kind", ["closed", "full"])
def test_nobody_reads_or_the_disk_is_full(arguments, kind):
    if kind == "closed":
        reader, writer = os.pipe()
        os.close(reader)
    else:
        writer = os.open("/dev/full", os.O_WRONLY)
    process = start(*arguments, stdout=writer)
    os.close(writer)
    _, err = communicate(process)
    assert process.returncode == 1 and is_one_sentence(err, arguments[0]), err


@posix
@pytest.mark.parametrize(
    ("closed", "code", "out", "err"),
    [("1", 1, "", "standard output is closed"), ("2", 0, "Digits in use", ""), ("1 2", 1, "", "")],
)
def test_a_stream_that_is_closed(closed, code, out, err):
    close = "".join(f"os.close({number})\n" for number in closed.split())
    again = "os.execv(sys.executable, [sys.executable, '-m', 'course', *sys.argv[1:]])\n"
    sample = mnist.CLONE_DATA / "sample"
    process = start("data", "--data", sample, code=f"import os, sys\n{close}{again}")
    found = process.communicate()
    assert process.returncode == code
    assert all(text.startswith(wanted) for text, wanted in zip(found, (out, ""), strict=True))
    assert err in found[1] and len(found[1].splitlines()) == bool(err)


@pytest.mark.parametrize("encoding", ["ascii", "ascii:strict"])
def test_an_encoding_that_lacks_a_character_is_no_reason_to_fail(encoding):
    arguments = ["train", "xor", "--epochs", "2", "--out", "…×"]
    process = start(*arguments, environment={"PYTHONIOENCODING": encoding})
    out, err = communicate(process)
    assert (process.returncode, err) == (0, "") and r"Model: \u2026\xd7" in out


# Names that no terminal should get as they are: bytes that are not UTF-8, and a color.
ODD = "x\udcff\x1b[31m"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_file_names_that_cannot_be_printed(course, some_digits):
    models.save(ODD, MLP())
    with open(f"{ODD}.txt", "w") as file:
        file.write("1,0.5,2\n\x1b[31m\n")
    shutil.copytree(some_digits, f"{ODD}.digits")
    trained = ["--out", f"{ODD}.run", "--log", f"{ODD}.log", "--data", f"{ODD}.digits"]
    calls = {
        0: [
            ["evaluate", ODD],
            ["train", "mlp", "--epochs", 1, *trained, "--json"],
            ["train", "mlp", "--resume", f"{ODD}.run", *trained],
            ["plot", f"{ODD}.txt", f"{ODD}.log", "--out", f"{ODD}.png"],
            ["convert", f"{ODD}.safetensors", f"{ODD}.bin"],
        ],
        1: [
            ["evaluate", f"{ODD}.txt"],
            ["recognize", f"{ODD}.txt", "--model", ODD, "--json"],
            ["recognize", "7.png", "--model", f"{ODD}.txt"],
            ["draw", "--model", f"{ODD}.txt"],
            ["trial", "--model", f"{ODD}.txt"],
            ["data", "--data", f"{ODD}.digits"],
            ["convert", f"{ODD}.txt", "out.bin"],
            ["bench", "mlp", "--out", f"{ODD}.txt/x"],
            ["pretrain", "--out", f"{ODD}.txt/x"],
        ],
        2: [["train", f"{ODD}.json"], ["train", "mlp", "--schedule", f"{ODD}.json"], [ODD]],
    }
    shutil.copy(ODD, f"{ODD}.safetensors")
    for expected, all_arguments in calls.items():
        for arguments in all_arguments:
            code, lines, err = course(*arguments)
            assert code == expected, (arguments, err)
            assert all(c.isprintable() or c == "\n" for c in "\n".join([*lines, err])), arguments
            assert r"x\udcff\x1b[31m" in "\n".join([*lines, err]) or arguments[:2] == [
                "evaluate",
                ODD,
            ]


NO_CACHE = """
import numba.core.caching as caching
caching.CacheImpl._locator_classes = []  # what a read-only home and package come to
"""


@pytest.mark.slow
def test_where_machine_code_cannot_be_kept_it_still_works():
    process = start(*TRAIN, "--json", code=NO_CACHE)
    out, err = process.communicate()
    assert process.returncode == 0 and json.loads(out.splitlines()[-1])["epochs"] == 2
    assert err.startswith("Compiling the loops") and len(err.splitlines()) == 1


@pytest.mark.slow
def test_compiling_is_announced_once_and_happens_once(tmp_path):
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    for announced in (1, 0):
        process = start(*TRAIN, "--optimizer", "adam", environment=cache)
        _, err = process.communicate()
        assert process.returncode == 0
        assert err.count("Compiling") == len(err.splitlines()) == announced


# bench

ALONE = ["--rounds", "2", "--samples", "256", "--against", "none", "--busy", "one", "--json"]


@pytest.mark.parametrize("model", ["mlp", "xor"])
def test_bench_without_frameworks(course, model):
    code, lines, _ = course("bench", model, *ALONE)
    assert code == 0
    result = json.loads(lines[-1])
    assert result["ratio_vs_torch"] is None and result["torch_seconds"] is None
    size = (1, 256) if model != "xor" else (1_000_000, 4)
    assert (result["model"], result["rounds"]) == (model, 2)
    assert (result["epochs"], result["samples"]) == size
    assert 0 < result["seconds"] and 0 < result["slowdown_when_busy"]
    assert result["slowdown_when_crowded"] is None
    assert (result["fraction_of_gemm_peak"] is None) == (model == "xor")
    assert result["peak_memory_mb"] is None or 50 < result["peak_memory_mb"] < 500
    assert sum(line.startswith("round") for line in lines) == 2


def test_bench_figures_are_medians_of_rounds():
    times = {"course": [1.0, 2.0, 9.0], "torch": [3.0, 4.0, 9.0], "BLAS": [0.5, 1.8, 0.9]}
    figures = benchmark._figures(times | {"one busy": [1.5, 6.0, 18.0]})
    assert (figures["seconds"], figures["torch_seconds"]) == (2.0, 4.0)
    assert figures["ratio_vs_torch"] == 2.0  # of 3, 2 and 1
    assert figures["fraction_of_gemm_peak"] == 0.5  # of 0.5, 0.9 and 0.1
    assert figures["slowdown_when_busy"] == 2.0  # of 1.5, 3 and 2
    assert figures["slowdown_when_crowded"] is figures["ratio_vs_jax"] is None


def test_a_benchmark_process_tells_what_went_wrong(course, monkeypatch):
    broken = "import sys; sys.stdin.readline(); print('\"OSError: no such core\"')"

    class Broken(subprocess.Popen):
        def __init__(self, command, **options):
            super().__init__([sys.executable, "-c", broken], **options)

    monkeypatch.setattr(benchmark.subprocess, "Popen", Broken)
    code, _, err = course("bench", "mlp", *ALONE)
    assert code == 1 and is_one_sentence(err, "bench") and "no such core" in err


@pytest.mark.slow
@posix
def test_ctrl_c_ends_the_benchmark_and_its_processes():
    options = ["--rounds", "100000", "--samples", "64", "--against", "none"]
    process = start("bench", "mlp", *options)
    lines = iter(process.stdout.readline, "")
    assert any(line.startswith("round") for line in lines)
    process.send_signal(signal.SIGINT)
    _, err = communicate(process)  # returns when nobody holds the pipes any more
    assert (process.returncode, err) == (130, "python -m course bench: interrupted\n")


# compile


@pytest.mark.skipif(not HAS_NUMBA, reason="without Numba nothing is compiled")
@pytest.mark.slow
def test_what_compile_has_done_need_not_be_done_when_training(tmp_path):
    environment = os.environ | {
        "NUMBA_CACHE_DIR": str(tmp_path),
        "COURSE_LOGS_DIR": str(tmp_path / "logs"),
        "COURSE_DATA_DIR": str(mnist.CLONE_DATA / "sample"),
    }

    def run(*arguments):
        command = [sys.executable, "-m", "course", *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, env=environment
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    assert CompileNotice.MESSAGE in run("compile", "cnn", "xor")
    assert CompileNotice.MESSAGE not in run("train", "cnn", "--epochs", "1")
    assert CompileNotice.MESSAGE not in run("train", "xor", "--epochs", "100")


def test_only_models_have_loops_to_compile(course):
    code, lines, err = course("compile", "cnn", "pictures")
    assert (code, lines) == (2, []) and "there is no model 'pictures'" in err


def test_a_quick_recipe_is_of_those_models_that_have_one(course):
    code, lines, _ = course("train", "deep", "--quick", "--epochs", 1, "--json")
    recipe = json.loads(lines[-1])["recipe"]
    assert code == 0 and recipe["epochs"] == 1 and recipe["augment"] is False
    code, _, err = course("train", "mlp", "--quick")
    assert code == 2 and "mlp has no quick recipe, only deep" in err
    code, _, err = course("train", "deep", "--quick", "--resume", "runs/deep.safetensors")
    assert code == 2 and "cannot change --quick" in err
