"""The download button, clicked: progress, success and every failure are seen on it."""

import contextlib
import gzip
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from course import download, idx, mnist
from course.widgets import download_button
from course.widgets.download_button import DownloadButton, bytes_there

SIZE = 400_000  # of a stand-in file, compressed: noise stays as long as it is


class Handler(BaseHTTPRequestHandler):
    """Sends half of a file, and the rest when `server.go_on` is set; or says 403."""

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        if self.path.startswith("/forbidden"):
            return self.send_error(403)
        content = self.server.files[self.path.rpartition("/")[2]]
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            self.server.go_on.wait(timeout=20)
            self.wfile.write(content[len(content) // 2 :])


@pytest.fixture
def server(monkeypatch):
    noise = np.random.default_rng(0).bytes(SIZE)
    files = {f"{name}.gz": gzip.compress(noise + name.encode()) for name in mnist.FULL}
    hashes = {n: hashlib.sha256(noise + n.encode()).hexdigest() for n in mnist.FULL}
    monkeypatch.setattr(mnist, "FULL", hashes)
    monkeypatch.setattr(download_button, "INTERVAL", 0.01)
    monkeypatch.setenv("no_proxy", "*")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.files, server.go_on = files, threading.Event()
    server.url = lambda kind: f"http://127.0.0.1:{server.server_port}/{kind}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.go_on.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def test_success_with_progress_in_between(server, folder):
    button = DownloadButton([server.url("good")])
    seen, half_way = [], threading.Event()

    def look(change):
        seen.append(change["new"])
        if len(seen) == 1:
            half_way.set()

    button.bar.observe(look, "value")
    button.button.click()
    assert half_way.wait(timeout=20)  # while the server holds the rest back
    assert button.button.disabled and button.bar.layout.visibility == "visible"
    assert "Downloading to" in button.message.value
    server.go_on.set()
    button.thread.join(timeout=20)
    assert not button.button.disabled and button.bar.layout.visibility == "hidden"
    assert f"Full MNIST is in {folder}, complete and verified" in button.message.value
    assert 'role="status"' in button.message.value
    assert {path.name for path in folder.iterdir()} == set(server.files)
    assert bytes_there(folder) == sum(map(len, server.files.values())) >= max(seen)
    assert 0 < seen[0] < SIZE and seen == sorted(seen)


def test_failure_of_the_mirrors_is_shown_and_can_be_tried_again(server, folder):
    mirrors = [server.url("forbidden")]
    button = DownloadButton(mirrors)
    button.button.click()
    button.thread.join(timeout=20)
    assert 'role="alert"' in button.message.value
    assert "the server says 403, Forbidden" in button.message.value
    assert "put them into" in button.message.value  # what to do instead
    assert not button.button.disabled and button.bar.layout.visibility == "hidden"
    assert list(folder.iterdir()) == []

    mirrors[:] = [server.url("good")]
    server.go_on.set()
    button.button.click()
    button.thread.join(timeout=20)
    assert "complete and verified" in button.message.value


def test_an_exception_that_nobody_thought_of_is_shown_too(folder, monkeypatch):
    def broken(*arguments, **options):
        raise ZeroDivisionError("<b>oh</b>")

    monkeypatch.setattr(download, "fetch", broken)
    button = DownloadButton()
    button.button.click()
    button.thread.join(timeout=20)
    assert "ZeroDivisionError: &lt;b&gt;oh" in button.message.value
    assert not button.button.disabled


def test_digits_that_are_not_mnist_are_left_alone(folder):
    folder.mkdir()
    path = folder / "t10k-labels-idx1-ubyte.gz"
    idx.write(path, np.zeros(10, np.uint8))
    button = DownloadButton([])
    button.button.click()
    button.thread.join(timeout=20)
    assert f"{path} is a good file but not of full MNIST" in button.message.value


def test_repr_has_no_address():
    assert repr(DownloadButton()) == "DownloadButton()"
