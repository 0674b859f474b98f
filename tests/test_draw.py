"""`python -m course draw`: the page is served, with the widget in it, and everything ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import psutil
import pytest

from course import models, xor
from course.cnn import CNN
from course.commands import UsageError, draw
from course.commands.cli import main
from course.mlp import MLP
from course.nn.classes import ClassNamesError

ROOT = Path(__file__).parents[1]
WIDGET = "application/vnd.jupyter.widget-view+json"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs signals as Unix has them")


class Draw:
    """Context manager: the command in a process of its own, started in an empty folder."""

    def __init__(self, folder, *arguments):
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "course", "draw", "--no-browser", "--port", str(port)]
        self.process = subprocess.Popen(
            [*command, *arguments],
            cwd=folder,
            env=os.environ | {"TMPDIR": str(self.temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def wait_for_address(self):
        line = self.process.stdout.readline()
        assert line.startswith("Draw here: http://"), line or self.process.stderr.read()
        self.address = line.split()[-1]

    def get(self, path, token=True):
        """What the server answers, as text."""
        parts = urllib.parse.urlsplit(self.address)
        query = parts.query if token else ""
        with urllib.request.urlopen(parts._replace(path=path, query=query).geturl()) as answer:
            return answer.read().decode()

    def end(self, sent):
        """Send a signal; returns exit code, stderr, and the processes that outlived it."""
        started = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(sent)
        _, err = self.process.communicate(timeout=60)
        _, alive = psutil.wait_procs(started, timeout=60)
        return self.process.returncode, err, alive


def files(folder):
    return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}


@pytest.mark.slow
def test_the_page_is_served_with_the_widget_in_it_and_ctrl_c_ends_everything(tmp_path):
    models.save(tmp_path / "own", CNN(5))
    watched = [ROOT / "course", ROOT / "notebooks", ROOT / "data"]
    before = [files(folder) for folder in watched]
    with Draw(tmp_path, "--model", "own") as draw:
        draw.wait_for_address()
        assert "jupyter-config-data" in draw.get(urllib.parse.urlsplit(draw.address).path)
        with pytest.raises(urllib.error.HTTPError, match="403"):
            draw.get("/api/sessions", token=False)
        (session,) = json.loads(draw.get("/api/sessions"))
        assert session["path"] == "draw.ipynb"  # so the page will find the kernel of this widget
        notebook = json.loads(draw.get("/api/contents/draw.ipynb"))["content"]
        (cell,) = notebook["cells"]
        _, output = cell["outputs"]  # above it, what to do without a kernel
        assert output["data"][WIDGET]["model_id"]
        assert cell["metadata"]["trusted"]  # else the page would not show the widget
        assert str(tmp_path / "own") in cell["source"]
        assert output["data"]["text/plain"] == "Recognizer(deep, mlp, cnn, attention)"
        code, err, alive = draw.end(signal.SIGINT)
    assert (code, err, alive) == (0, "", [])
    assert not list(draw.temporary.iterdir())
    assert [files(folder) for folder in watched] == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["own", "temporary"]


@pytest.mark.slow
@pytest.mark.parametrize("sign", ["course-draw-*/ipython", "course-draw-*/*/kernel-*.json"])
def test_it_can_be_ended_while_it_starts(tmp_path, sign):
    with Draw(tmp_path) as draw:
        give_up = time.monotonic() + 60
        while not any(draw.temporary.glob(sign)):  # Jupyter starts; its kernel does
            assert time.monotonic() < give_up and draw.process.poll() is None
            time.sleep(0.02)
        code, _, alive = draw.end(signal.SIGTERM)
    assert code in (0, 130) and alive == []
    assert not list(draw.temporary.iterdir())


@pytest.mark.parametrize("model", ["gone", "text", "xor"])
def test_a_model_that_cannot_be_loaded_is_told_at_once(tmp_path, monkeypatch, capsys, model):
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("once upon a time")
    models.save("xor", xor.XOR())
    assert main(["draw", "--model", model]) == 1
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1 and model in err


@pytest.mark.parametrize("port", ["80", "65536", "-1", "many"])
def test_a_port_is_a_number_that_a_program_may_take(capsys, port):
    with pytest.raises(SystemExit, match="2"):
        main(["draw", "--port", port])
    assert len(capsys.readouterr().err.splitlines()) == 1


def network(folder, names):
    model = MLP(hidden=2, outputs=len(names))
    model.class_names = names
    models.save(folder / "own.safetensors", model)
    return str(folder / "own.safetensors")


def test_a_page_is_about_the_classes_of_its_model(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    own = network(tmp_path, ("yes", "no"))
    for paths, names in (([own], None), ([], ["yes", "no"]), ([own], ["yes", "no"])):
        *code, shown = draw.CODE.format(**draw.chosen(paths, names)).strip().splitlines()
        known = {}
        exec("\n".join(code), known)
        recognizer = eval(shown, known)
        assert recognizer.names == ["own"] * len(paths)
        assert recognizer.own["class_names"] == ("yes", "no")
        assert recognizer.own["folder"] == str(tmp_path / "mine-yes-no")


def test_one_page_is_for_one_set_of_classes(tmp_path, monkeypatch):
    own = network(tmp_path, ("yes", "no"))
    with pytest.raises(UsageError, match="one set of classes"):
        draw.chosen([own], ["circle", "cross"])
    with pytest.raises(ClassNamesError, match="2 to 256 classes, not 1"):
        draw.chosen([], ["circle"])
