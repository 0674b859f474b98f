"""Logs: what is written is read back, and a damaged file tells what is wrong with it."""

import math
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course import records
from course.nn.layers import Layer
from course.nn.training import EpochRecord, Settings, Trainer
from course.records import COLUMNS, Log, LogError, LogWriter, read_log

HEADER = ",".join(COLUMNS)
FIRST = EpochRecord(1, 0.5, 2.25, 0.25, 0.9375, 0.1)
SECOND = EpochRecord(2, 0.25, 2.0, None, None, 0.05)


def write(tmp_path, text, name="training_loss_mlp.txt"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def begin(writer, *earlier):
    writer.on_begin(SimpleNamespace(records=list(earlier)))


# ------------------------------------------------------------------------------ writing


def test_the_file_is_what_the_course_says_it_is(tmp_path):
    writer = LogWriter(tmp_path / "new" / "log.txt", comments=["command: train mlp"])
    begin(writer)
    writer.on_epoch(FIRST)
    writer.on_epoch(SECOND)
    assert writer.path.read_text() == (
        "# command: train mlp\n"
        "epoch,train_loss,train_time,val_loss,val_accuracy,learning_rate\n"
        "1,0.5,2.25,0.25,0.9375,0.1\n"
        "2,0.25,2,,,0.05\n"
    )


def test_each_epoch_is_in_the_file_as_soon_as_it_is_over(tmp_path):
    writer = LogWriter(tmp_path / "log.txt")
    begin(writer)
    assert len(read_log(writer.path)) == 0
    writer.on_epoch(FIRST)
    assert len(read_log(writer.path)) == 1


def test_a_resumed_run_rewrites_what_its_checkpoint_remembers(tmp_path):
    path = write(tmp_path, HEADER + "\n1,0.5,2.25,0.25,0.9375,0.1\n2,9,9,9,0.9,9\n3,0.1")
    writer = LogWriter(path)
    begin(writer, FIRST)
    writer.on_epoch(SECOND)
    log = read_log(path)
    assert log.train_loss.tolist() == [0.5, 0.25]
    assert log.problems == []


def test_the_old_log_stays_until_training_begins(tmp_path):
    path = write(tmp_path, "kept")
    LogWriter(path)
    assert path.read_text() == "kept"


def test_comments_cannot_break_the_file(tmp_path):
    writer = LogWriter(tmp_path / "log.txt", comments=["two\nlines"])
    begin(writer)
    assert read_log(writer.path).comments == ["two", "lines"]


numbers = st.floats(0, 1e6, allow_subnormal=False) | st.none()
rows = st.tuples(numbers, numbers, numbers, st.floats(0, 1) | st.none(), numbers)


@given(st.lists(rows, max_size=5))
def test_what_is_written_is_read_back(tmp_path_factory, rows):
    writer = LogWriter(tmp_path_factory.mktemp("logs") / "training_loss_cnn.txt")
    written = [EpochRecord(epoch, *row) for epoch, row in enumerate(rows, start=1)]
    begin(writer)
    for record in written:
        writer.on_epoch(record)
    log, expected = read_log(writer.path), Log.from_records(written)
    assert (log.name, log.problems) == ("cnn", [])
    for name in COLUMNS:
        # Nine significant digits are written: half a unit of the last is 5e-9 of the first.
        np.testing.assert_allclose(getattr(log, name), getattr(expected, name), rtol=5e-9)


def test_a_float32_loss_survives_to_the_bit(tmp_path):
    losses = np.random.default_rng(1).random(1000).astype(np.float32)
    writer = LogWriter(tmp_path / "log.txt")
    begin(writer, *(EpochRecord(e, x, 1.0, None, None, 0.1) for e, x in enumerate(losses)))
    np.testing.assert_array_equal(read_log(writer.path).train_loss.astype(np.float32), losses)


WRITER = """
import sys
from types import SimpleNamespace
from course.nn.training import EpochRecord
from course.records import LogWriter
writer = LogWriter(sys.argv[1])
writer.on_begin(SimpleNamespace(records=[]))
for epoch in range(1, 10_000_000):
    writer.on_epoch(EpochRecord(epoch, 1 / 3, 1 / 7, 1 / 9, 1 / 11, 1 / 13))
"""


def test_a_killed_run_leaves_whole_lines(tmp_path):
    path = tmp_path / "log.txt"
    process = subprocess.Popen([sys.executable, "-c", WRITER, path])
    try:
        while not path.exists() or path.stat().st_size < 10_000:
            assert process.poll() is None
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert path.read_text().endswith("\n")
    log = read_log(path)
    assert log.problems == []
    np.testing.assert_array_equal(log.epoch, np.arange(1, len(log) + 1))


def test_it_observes_a_real_training_run(tmp_path):
    class Nothing(Layer):
        """A model without parameters that always says the same."""

        def forward(self, x):
            return np.zeros((len(x), 10), np.float32)

    optimizer = SimpleNamespace(
        backward_and_step=lambda dlogits, learning_rate: None, finish=lambda: None
    )
    writer = LogWriter(tmp_path / "log.txt")
    trainer = Trainer(
        Nothing(), optimizer, lambda epoch: 0.1, Settings(epochs=3), observers=[writer]
    )
    trainer.fit(np.zeros((100, 784), np.float32), np.zeros(100, np.uint8))
    log = read_log(writer.path)
    assert log.epoch.tolist() == [1, 2, 3]
    np.testing.assert_allclose(log.val_loss, math.log(10), rtol=1e-6)  # a float32 loss
    assert log.val_accuracy.tolist() == [1.0, 1.0, 1.0]


# ------------------------------------------------------------------------------ reading


def test_missing_values_are_nan(tmp_path):
    log = read_log(write(tmp_path, HEADER + "\n1,0.5,2,,,\n"))
    assert np.isnan([log.val_loss[0], log.val_accuracy[0], log.learning_rate[0]]).all()


def test_seconds_add_up(tmp_path):
    log = read_log(write(tmp_path, "1,0.5,2\n2,0.4,3\n"))
    assert log.seconds.tolist() == [2, 5]
    assert log.seconds_per_epoch.tolist() == [2, 3]


def test_lines_may_stand_for_many_epochs(tmp_path):
    log = read_log(write(tmp_path, "1000,0.5,2\n2000,0.4,3\n2500,0.3,1\n"))
    assert log.seconds.tolist() == [2, 5, 6]
    np.testing.assert_allclose(log.seconds_per_epoch, [0.002, 0.003, 0.002])


@pytest.mark.parametrize(
    "text",
    [
        "1,0.5,2\n2,0.25,3\n",
        "1,0.5,2,0.4,0.9,0.1\n2,0.25,3,0.3,0.95,0.1\n",
        "epoch,loss,time\n1,0.5,2\n2,0.25,3\n",
        "Epoch, Loss, Time\r\n1, 0.5, 2\r\n2, 0.25, 3\r\n",
        "\ufeffepoch,loss,time\n1,0.5,2\n\n# a remark\n2,0.25,3\n",
        "learning_rate,train_loss,epoch,train_time\n0.1,0.5,1,2\n0.1,0.25,2,3\n",
        "epoch,loss,time,gpu\n1,0.5,2,no\n2,0.25,3,no\n",
    ],
)
def test_the_older_forms_are_read(tmp_path, text):
    log = read_log(write(tmp_path, text))
    assert log.problems == []
    assert log.epoch.tolist() == [1, 2]
    assert log.train_loss.tolist() == [0.5, 0.25]
    assert log.train_time.tolist() == [2, 3]


def test_percentages_become_fractions(tmp_path):
    log = read_log(write(tmp_path, HEADER + "\n1,0.5,2,0.4,88.5,0.01\n2,0.4,2,0.3,91,0.01\n"))
    np.testing.assert_allclose(log.val_accuracy, [0.885, 0.91])


def test_comments_are_kept(tmp_path):
    log = read_log(write(tmp_path, f"# command: train\n#machine: here\n{HEADER}\n1,1,1,,,\n"))
    assert log.comments == ["command: train", "machine: here"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("2,0.4", "line 3: 2 values, expected 6: '2,0.4'"),
        ("2,0.4,1,,,,", "line 3: 7 values, expected 6"),
        ("2,x,1,,,", "line 3: train_loss is not a number: '2,x,1,,,'"),
        ("2.5,0.4,1,,,", "line 3: the epoch is not a whole number"),
        ("-2,0.4,1,,,", "line 3: the epoch is not a whole number"),
        ("9" * 400 + ",0.4,1,,,", "line 3: the epoch is not a whole number: '9999"),
        ("1,0.4,1,,,", "line 3: epoch 1 after epoch 1"),
        ("2,0.4,-1,,,", "line 3: train_time is not a time in seconds"),
        ("2,0.4,inf,,,", "line 3: train_time is not a time in seconds"),
        ("2,0.4,1,,101,", "line 3: val_accuracy is not between 0 and 1, nor a percentage"),
        ("\x00\xff\x1b[31m", "line 3: 1 values, expected 6"),
    ],
)
def test_a_damaged_line_is_named_and_the_reading_goes_on(tmp_path, line, problem):
    log = read_log(write(tmp_path, f"{HEADER}\n1,0.5,1,,,\n{line}\n3,0.3,1,,,\n"))
    assert log.epoch.tolist() == [1, 3]
    (found,) = log.problems
    assert found.startswith(problem)
    assert found.isprintable()
    assert len(found) < 140


def test_a_line_that_was_cut_off_is_left_out(tmp_path):
    log = read_log(write(tmp_path, "1,0.5,2\n2,0.25,31"))  # was it 31 seconds, or 31.5?
    assert log.epoch.tolist() == [1]
    assert log.problems == ["line 2: cut off: '2,0.25,31'"]


@pytest.mark.parametrize("cut", range(len(HEADER) + 30))
def test_a_log_cut_anywhere_never_gives_a_wrong_number(tmp_path, cut):
    whole = HEADER + "\n1,0.5,2,,,\n2,0.25,3,,,\n"
    log = read_log(write(tmp_path, whole[:cut]))
    assert log.train_loss.tolist() == [0.5, 0.25][: len(log)]


def test_an_empty_file_is_a_run_of_no_epochs(tmp_path):
    assert len(read_log(write(tmp_path, ""))) == 0
    assert len(read_log(write(tmp_path, HEADER + "\n"))) == 0


def test_a_header_makes_a_log_even_if_no_line_is_whole(tmp_path):
    log = read_log(write(tmp_path, HEADER + "\n1,0.5\n"))
    assert (len(log), len(log.problems)) == (0, 1)


def test_another_file_is_refused_by_name(tmp_path):
    path = write(tmp_path, b"\x89PNG\r\n\x1a\nand more\n", "picture.png")
    with pytest.raises(LogError, match="picture.png: no line of a training log in it.*line 1"):
        read_log(path)


@given(st.binary(max_size=300) | st.text("0123456789,.\n#eEpochlst-", max_size=120).map(str.encode))
def test_no_bytes_break_the_reader(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("logs") / "log.txt"
    path.write_bytes(content)
    try:
        log = read_log(path)
    except LogError:
        return
    assert np.all(np.diff(log.epoch) > 0)
    assert len({len(getattr(log, name)) for name in COLUMNS}) == 1
    assert all(problem.isprintable() for problem in log.problems)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("training_loss_mlp.txt", "mlp"),
        ("training_loss_c.txt", "mlp"),
        ("training_loss_attention_mnist.txt", "attention"),
        ("mine/training_loss_cnn_2.txt", "cnn 2 (mine)"),
        ("adam.csv", "adam"),
    ],
)
def test_a_run_is_named_after_its_file(tmp_path, path, name):
    (tmp_path / "mine").mkdir()
    assert read_log(write(tmp_path, "1,0.5,2\n", path)).name == name


# ------------------------------------------------------------------------------ where logs lie


@pytest.fixture
def logs(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_LOGS_DIR", str(tmp_path))
    return tmp_path


def test_own_runs_never_take_the_place_of_another_log(logs):
    reference = logs / "training_loss_mlp.txt"
    reference.write_text("1,0.5,2\n")
    for name in ("training_loss_mlp.txt", "training_loss_mlp_2.txt", "training_loss_mlp_3.txt"):
        path = records.new_log_path("mlp")
        assert path == logs / "mine" / name
        begin(LogWriter(path), FIRST)
    assert reference.read_text() == "1,0.5,2\n"
    assert records.reference_logs() == {"mlp": reference}


KILLED = """
import os, signal
from course import records
with records.claimed(records.new_log_path("mlp")):
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name != "posix", reason="there is no kill -9")
def test_the_lock_of_a_killed_run_is_removed_by_the_next(logs):
    subprocess.run([sys.executable, "-c", KILLED])
    path = records.new_log_path("mlp")
    assert path.name == "training_loss_mlp_2.txt"
    with records.claimed(path), records.claimed(records.new_log_path("cnn")):
        locks = sorted(lock.name for lock in path.parent.glob(".*"))
        assert locks == [".training_loss_cnn.txt.lock", ".training_loss_mlp_2.txt.lock"]
    assert os.listdir(path.parent) == ["training_loss_mlp.txt"]


def test_own_logs_come_oldest_first(logs):
    assert records.own_logs() == []
    for age, model in enumerate(("cnn", "mlp", "attention")):
        path = records.new_log_path(model)
        begin(LogWriter(path), FIRST)
        os.utime(path, (0, 1e9 - age))
    names = [read_log(path).name for path in records.own_logs()]
    assert names == ["attention (mine)", "mlp (mine)", "cnn (mine)"]


def test_the_logs_lie_beside_the_package(monkeypatch):
    monkeypatch.delenv("COURSE_LOGS_DIR", raising=False)
    assert records.logs_folder().parts[-1] == "logs"
    assert records.logs_folder().parent.joinpath("course", "records.py").exists()


def test_provenance_names_command_machine_and_versions():
    command, machine, versions = records.provenance("python -m course train mlp")
    assert command == "command: python -m course train mlp"
    assert f"{os.cpu_count()} cores" in machine
    assert f"numpy {np.__version__}" in versions
