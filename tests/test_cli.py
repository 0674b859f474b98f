"""The command line: what it prints, how it ends, one sentence for everything that goes wrong."""

import contextlib
import json
import os
import runpy
import signal
import subprocess
import sys
import types

import numpy as np
import pytest

from course import benchmark, interchange, mnist, models
from course.mlp import MLP
from course.nn import checkpoint

pytestmark = pytest.mark.usefixtures("elsewhere")
TRAIN = ["train", "mlp", "--epochs", "2", "--out", "run", "--log", "log.txt"]
posix = pytest.mark.skipif(
    os.name != "posix", reason="needs signals and terminals as Unix has them"
)


def start(*arguments, code="", environment=(), **options):
    """Call the command line in a process of its own, after running `code` there."""
    code += "import sys; from course.commands.cli import main; sys.exit(main())"
    # What was started in the background of a shell ignores Ctrl-C, and so would its children.
    hears = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ | dict(environment),
        **(hears if os.name == "posix" else {}) | pipes | options,
    )


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
    }
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    code, lines, _ = course("train", "mlp", *arguments, "--json")
    assert code == 0 and json.loads(lines[-1])["recipe"] == options


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
        models.save("m", MLP(), data={"digits": digits})
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
    assert facts.keys() >= {
        "course",
        "python",
        "numpy",
        "scipy",
        "numba",
        "blas",
        "cores",
        "digits",
    }
    assert "threads" in facts["blas"] and "240 training" in facts["digits"]
    assert facts["numpy"] == np.__version__
    assert [line.split(":")[0] for line in lines[:-1]] == list(facts)
    monkeypatch.setenv("COURSE_DATA_DIR", "/nowhere")  # then above all one wants to see the rest
    code, lines, _ = course("info")
    assert code == 0 and "/nowhere" in lines[-1]


def test_data(course, some_digits):
    code, lines, err = course("data", "--data", mnist.CLONE_DATA / "sample")
    assert (code, err) == (0, "") and sum("verified" in line for line in lines) == 4
    code, lines, _ = course("data")
    assert code == 1 and str(some_digits) in lines[0]  # not of MNIST


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["--version"]])
def test_help(course, arguments):
    code, lines, err = course(*arguments)
    assert code == 0 and lines and not err


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
        ["bench", "mlp", "--against", "torch,tensorflow"],
        ["bench", "mlp", "--busy", "two"],
        ["bench", "cost", "--axes", "depth"],
        ["bench", "cost", "--least-seconds", "0"],
        ["bench", "cost", "--against", "torch"],
    ],
    ids=" ".join,
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
    models.save("model", MLP())
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
    code, lines, err = course(*TRAIN)
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


@posix
def test_ctrl_c_leaves_a_run_that_goes_on_as_if_nothing_had_been(course):
    epochs = ["--epochs", 12, "--batch-size", 4]
    course(*TRAIN, *epochs, "--out", "whole", "--log", "whole.txt")
    process = start(*TRAIN, *epochs, "--json")
    before = []
    for line in process.stdout:
        before.append(line)
        if line.startswith("epoch"):
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    lines = [*before, *out.splitlines()]
    assert (process.returncode, err) == (130, "")
    assert sum(line.startswith("interrupted in epoch") for line in lines) == 1
    result = json.loads(lines[-1])
    assert result["stopped"] == "interrupted" and 1 <= result["epochs"] < 12

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
    out, err = start(*TRAIN, "--json").communicate()
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
    _, err = process.communicate()
    assert process.returncode == 1 and is_one_sentence(err, arguments[0]), err


NO_CACHE = """
import numba.core.caching as caching
caching.CacheImpl._locator_classes = []  # what a read-only home and package come to
"""


def test_where_machine_code_cannot_be_kept_it_still_works():
    process = start(*TRAIN, "--json", code=NO_CACHE)
    out, err = process.communicate()
    assert process.returncode == 0 and json.loads(out.splitlines()[-1])["epochs"] == 2
    assert err.startswith("Compiling the loops") and len(err.splitlines()) == 1


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


@posix
def test_ctrl_c_ends_the_benchmark_and_its_processes():
    options = ["--rounds", "100000", "--samples", "64", "--against", "none"]
    process = start("bench", "mlp", *options)
    lines = iter(process.stdout.readline, "")
    assert any(line.startswith("round") for line in lines)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()  # returns when nobody holds the pipes any more
    assert (process.returncode, err) == (130, "python -m course bench: interrupted\n")
