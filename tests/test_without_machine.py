"""What a browser lacks: threads, processes, other servers, locks. What needs them says so."""

import _thread
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import numpy as np
import pytest

from course import download, progress, records
from course.exercises import running
from course.mlp import MLP
from course.nn import compiled, locks
from course.nn.recipe import Recipe
from course.recognizer.collection import Collection
from course.widgets.download_button import DownloadButton
from course.widgets.training_panel import TrainingPanel


def no_thread(*arguments, **options):
    raise RuntimeError("can't start new thread")


def no_process(*arguments, **options):
    raise OSError(138, "emscripten does not support processes")


def no_server(*arguments, **options):
    raise urllib.error.URLError("unknown url type: https")


@pytest.fixture
def lacking(monkeypatch, tmp_path):
    """A machine as poor as a browser, that does not say so."""
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    monkeypatch.setattr(_thread, "start_new_thread", no_thread)
    monkeypatch.setattr(subprocess, "Popen", no_process)
    monkeypatch.setattr(urllib.request.OpenerDirector, "open", no_server)
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def browser(lacking, monkeypatch):
    """A browser."""
    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.setattr(locks, "FileLock", None)


@pytest.mark.usefixtures("browser")
def test_instead_of_a_download_there_is_a_sentence():
    shown = DownloadButton()
    message, _watch = shown.children
    assert "cannot fetch full MNIST" in message.value and "5,000 digits" in message.value
    assert "into the folder data" in message.value and repr(shown) == "DownloadButton()"
    with pytest.raises(download.DownloadError, match="cannot fetch full MNIST"):
        download.fetch()


@pytest.mark.usefixtures("lacking")
def test_a_machine_that_is_full_says_so_and_the_button_can_be_pressed_again():
    shown = DownloadButton()
    shown.button.click()
    assert "can&#x27;t start new thread" in shown.message.value
    assert "python -m course data --download" in shown.message.value and not shown.button.disabled


@pytest.mark.usefixtures("lacking")
def test_a_python_that_knows_no_https_says_so():
    with pytest.raises(download.DownloadError, match="no connection .unknown url type: https."):
        download.fetch(progress=False)


def test_everything_can_be_imported_without_ssl():
    code = "import sys; sys.modules['ssl'] = None; import course.widgets.download_button"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("browser")
@pytest.mark.parametrize("command", ["bench all", "check x.ipynb", "compile", "draw"])
def test_commands_that_start_processes_are_refused_in_a_sentence(course, command):
    code, lines, err = course(*command.split())
    assert (code, lines) == (1, []) and err.count("\n") == 1
    assert "it starts other processes, which a browser does not have" in err


def test_where_nothing_is_compiled_there_is_nothing_to_do(course, monkeypatch):
    monkeypatch.setattr(compiled, "HAS_NUMBA", False)
    monkeypatch.setattr(subprocess, "run", no_process)
    code, lines, _ = course("compile")
    assert (code, lines) == (
        0,
        ["There is no Numba, so nothing is compiled: NumPy computes instead of the loops."],
    )


@pytest.mark.usefixtures("browser")
def test_without_locks_one_page_keeps_what_is_done(tmp_path):
    kept = progress.Progress("02-mlp", tmp_path / "progress")
    kept.keep("exercises", "step", {"status": "passed"})
    assert kept.problem == "" and kept.entries("exercises") == {"step": {"status": "passed"}}
    own = Collection(tmp_path / "mine")
    own.add(np.full((28, 28), 7, np.uint8), 3)
    assert Collection(tmp_path / "mine").labels.tolist() == [3]
    with records.claimed(tmp_path / "training_loss_mlp.txt") as log:
        log.write_text("1,0.5,2\n")
    left = [path.name for path in tmp_path.rglob("*") if path.name.endswith(".lock")]
    assert left == [] and log.exists()


@pytest.mark.usefixtures("browser")
def test_an_exercise_is_run_without_a_limit():
    outcome = running.run(lambda: 7, seconds=0.001)
    assert outcome.value == 7 and outcome.error is None


@pytest.mark.usefixtures("browser")
def test_the_training_panel_follows_a_training():
    rng = np.random.default_rng(0)
    x, y = rng.random((64, 784), np.float32), rng.integers(0, 10, 64)
    panel = TrainingPanel(x, y)
    Recipe(epochs=2, batch_size=16, learning_rate=0.01).trainer(MLP(hidden=4), [panel]).fit(x, y)
    assert panel.epochs == 2 and panel.words != "Training has not begun."


def test_a_log_says_that_nothing_was_compiled(monkeypatch):
    monkeypatch.setattr(compiled, "HAS_NUMBA", False)
    assert records.provenance("x")[-1].endswith("without Numba")
