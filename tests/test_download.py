"""course.download.fetch() against a server on this machine that fails in every way we know.

After each failure: no file under a final name that is not whole and right, no temporary file, and
what was there before unchanged. The files are small stand-ins whose hashes replace those of MNIST.
"""

import contextlib
import errno
import gzip
import hashlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from course import download, idx, mnist
from course.nn import files

NAMES = list(mnist.FULL)
IMAGES = NAMES[0]


def stand_ins():
    """Four small IDX files by official name, gzip; noise, so that they stay 157 KB and 39 KB."""
    rng, made = np.random.default_rng(0), {}
    for split, count in (("train", 200), ("t10k", 50)):
        images = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = rng.integers(0, 10, count, dtype=np.uint8)
        made[f"{split}-images-idx3-ubyte"] = (
            b"\0\0\x08\x03" + sizes(count, 28, 28) + images.tobytes()
        )
        made[f"{split}-labels-idx1-ubyte"] = b"\0\0\x08\x01" + sizes(count) + labels.tobytes()
    return {name: gzip.compress(content, 1, mtime=0) for name, content in made.items()}


def sizes(*shape):
    return b"".join(size.to_bytes(4, "big") for size in shape)


FILES = stand_ins()
HASHES = {name: hashlib.sha256(gzip.decompress(raw)).hexdigest() for name, raw in FILES.items()}
LARGEST = len(FILES[IMAGES])  # noise gets a little longer by compressing


class Handler(BaseHTTPRequestHandler):
    """The first part of the path says how to fail."""

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        kind, _, name = self.path.strip("/").partition("/")
        self.server.requests.append((kind, name))
        with contextlib.suppress(ConnectionError):  # the client may have gone
            getattr(self, kind)(FILES[name.removesuffix(".gz")])

    def reply(self, body, length=None, status=200):
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)

    def good(self, raw):
        self.reply(raw, len(raw))

    def no_length(self, raw):
        self.reply(raw)

    def forbidden(self, raw):
        self.reply(b"no", 2, status=403)

    def cut(self, raw):
        self.reply(raw[: len(raw) // 2], len(raw))

    def cut_without_length(self, raw):
        self.reply(raw[: len(raw) // 2])

    def reset(self, raw):
        self.reply(raw[: len(raw) // 2], len(raw))
        linger = (1).to_bytes(4, sys.byteorder) + (0).to_bytes(4, sys.byteorder)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()  # with a reset instead of an orderly end

    def other(self, raw):
        self.good(gzip.compress(b"a good gzip file, but of something else"))

    def damaged(self, raw):
        middle = len(raw) // 2
        self.good(raw[:middle] + bytes(50) + raw[middle + 50 :])

    def page(self, raw):
        self.good(b"<html>Please log in to the hotel's network</html>")

    def endless(self, raw):
        self.reply(raw)
        while True:
            self.wfile.write(bytes(2**16))

    def babble(self, raw):
        self.wfile.write(b"this is not HTTP\r\n\r\n")

    def trickle(self, raw):
        self.reply(b"", len(raw))
        self.drip(raw)

    def trickling_header(self, raw):
        self.drip(b"HTTP/1.0 200 " + b"O" * 10_000)

    def drip(self, raw):
        for byte in raw:
            self.wfile.write(bytes([byte]))
            if self.server.go_on.wait(timeout=0.02):
                return

    def without_end(self, line):
        while True:
            self.wfile.write(line * 1000)

    def endless_header(self, raw):
        self.wfile.write(b"HTTP/1.0 200 OK\r\n")
        self.without_end(b"X-More: to come\r\n")

    def endless_patience(self, raw):
        self.without_end(b"HTTP/1.1 100 Continue\r\n\r\n")

    def endless_trailer(self, raw):
        self.chunked(b"1\r\n!\r\n0\r\n")
        self.without_end(b"X-More: to come\r\n")

    def chunked(self, body):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(body)

    def negative_chunk(self, raw):
        self.chunked(b"-5\r\nhello\r\n0\r\n\r\n")

    def escape(self, raw):
        self.wfile.write(b"HTTP/1.0 403 No\x1b[2J\x9b" + b"!" * 1000 + b"\r\n\r\n")

    def redirect(self, to):
        self.send_response(302)
        self.send_header("Location", to)
        self.end_headers()

    def to_ftp(self, raw):
        self.redirect(f"ftp://127.0.0.1:{self.server.server_port}/file")

    def to_file(self, raw):
        self.redirect("file:///etc/hostname")

    def together(self, raw):
        self.server.barrier.wait(timeout=20)
        self.good(raw)

    def late(self, raw):
        self.server.reached.set()
        self.server.go_on.wait(timeout=20)
        self.good(raw)

    def stall(self, raw):
        self.reply(raw[: len(raw) // 2], len(raw))
        self.wfile.flush()
        self.server.reached.set()
        self.server.go_on.wait(timeout=20)


@pytest.fixture(autouse=True)
def stand_in_hashes(monkeypatch):
    monkeypatch.setattr(mnist, "FULL", HASHES)
    monkeypatch.setattr(mnist, "LARGEST", LARGEST)
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.requests, server.barrier = [], threading.Barrier(2)
    server.reached, server.go_on = threading.Event(), threading.Event()
    server.url = lambda kind: f"http://127.0.0.1:{server.server_port}/{kind}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.go_on.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def folder(tmp_path):
    """With something in it: a truncated file under a final name, and one that is not ours."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / f"{IMAGES}.gz").write_bytes(FILES[IMAGES][:1000])
    (folder / "notes.txt").write_text("mine")
    return folder


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


COMPLETE = {f"{name}.gz": raw for name, raw in FILES.items()} | {"notes.txt": b"mine"}


# Success


@pytest.mark.parametrize("kind", ["good", "no_length"])
def test_fetches_verifies_and_loads(server, folder, kind):
    assert download.fetch(folder, [server.url(kind)]) == folder
    assert contents(folder) == COMPLETE
    assert all(row.dataset == "full MNIST" for row in mnist.status(folder))
    assert repr(mnist.load(folder)) == "full MNIST: 200 training and 50 test digits"


def test_makes_the_folder_and_takes_the_usual_one(server, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "new/folder"))
    assert download.fetch(mirrors=[server.url("good/")]) == tmp_path / "new/folder"
    assert mnist.load().is_full


def test_fetches_only_what_is_missing(server, folder):
    (folder / "train-labels.idx1-ubyte").write_bytes(gzip.decompress(FILES[NAMES[1]]))
    download.fetch(folder, [server.url("good")])
    assert [name for _, name in server.requests] == [
        f"{name}.gz" for name in NAMES if "n-l" not in name
    ]
    download.fetch(folder, [])  # nothing is missing now, so no mirror is needed


def test_says_a_line_for_each_file_without_a_terminal(server, tmp_path, capsys):
    download.fetch(tmp_path / "a", [server.url("good")])
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        f"{server.url('good')}/{name}.gz: {len(raw):,} bytes" for name, raw in FILES.items()
    ]
    download.fetch(tmp_path / "b", [server.url("good")], progress=False)
    assert capsys.readouterr() == ("", "")


def test_shows_a_bar_on_a_terminal(server, tmp_path, monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    download.fetch(tmp_path, [server.url("good")])
    assert f"{IMAGES}.gz: 100%" in terminal.getvalue()


# Mirrors that fail

FAILURES = {
    "forbidden": "the server says 403, Forbidden",
    "cut": "broke off after",
    "cut_without_length": "damage .Compressed file ended before",
    "reset": "broke off after",
    "other": f"sent other content: sha256 .*, expected {HASHES[IMAGES]}",
    "damaged": "damage",
    "page": "not a gzip file .a log-in page",
    "endless": f"sent more than the {LARGEST:,} bytes",
    "babble": "no connection .this is not HTTP",
    "stall": "broke off after .* bytes .timed out",
    "late": "no connection .timed out",
    "trickle": "broke off after .* bytes .it is too slow",
    "trickling_header": "no connection .it is too slow",
    "endless_header": "no connection .got more than 100 headers",
    "endless_patience": "no connection",  # newer Pythons give up by themselves
    "endless_trailer": "broke off after",
    "negative_chunk": "broke off after",
    "escape": r"the server says 403, No\\x1b\[2J\\x9b!!!",
    "to_ftp": "no connection .unknown url type: ftp",
    "to_file": "the server says 302, .* not allowed",
}


@pytest.mark.parametrize(("kind", "reason"), FAILURES.items(), ids=FAILURES)
def test_failing_mirror_is_left_for_the_next(server, folder, kind, reason, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.3)
    before = contents(folder)
    with pytest.raises(download.DownloadError, match=f"{kind}/{IMAGES}.gz: .*{reason}") as caught:
        download.fetch(folder, [server.url(kind)])
    assert contents(folder) == before
    message = str(caught.value)
    assert message.startswith(f"Could not download {IMAGES}.gz:\n  http://127.0.0.1:")
    assert f"put them into {folder} as they are" in message
    assert message.replace("\n", "").isprintable() and len(message) < 1000

    download.fetch(folder, [server.url(kind), server.url("good")])
    assert contents(folder) == COMPLETE
    assert [entry[0] for entry in server.requests].count(kind) == 2  # asked once in each download


def test_all_mirrors_are_named_when_all_fail(server, folder):
    with socket.socket() as closed:  # bound but not listening: a refused connection
        closed.bind(("127.0.0.1", 0))
        refused = f"http://127.0.0.1:{closed.getsockname()[1]}"
        mirrors = [server.url("forbidden"), server.url("page"), refused, "nonsense", "http://a b"]
        before = contents(folder)
        with pytest.raises(download.DownloadError) as caught:
            download.fetch(folder, mirrors)
    for mirror in mirrors:
        assert f"\n  {mirror}/{IMAGES}.gz: " in str(caught.value)
    assert contents(folder) == before


# Folders that fail


def quota(monkeypatch, limit):
    """Let files take `limit` bytes, then fail as a full disk does."""

    class Quota(io.FileIO):
        def write(self, data):
            if self.tell() + len(data) > limit:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(data)

    monkeypatch.setattr(files, "open", lambda path, mode: Quota(path, mode), raising=False)


@pytest.mark.parametrize("limit", [0, 1, 50_000, 150_000])
def test_full_disk(server, folder, monkeypatch, limit):
    before = contents(folder)
    quota(monkeypatch, limit)
    mirrors = [server.url("good"), server.url("good")]
    with pytest.raises(download.DownloadError, match="Cannot write to .*No space left on device"):
        download.fetch(folder, mirrors)
    assert contents(folder) == before
    assert len(server.requests) == 1  # another mirror would not help


def test_folder_that_cannot_be_made(server, folder):
    before = contents(folder)
    with pytest.raises(download.DownloadError, match="Cannot write .*notes.txt/data: .*director"):
        download.fetch(folder / "notes.txt/data", [server.url("good")])
    assert contents(folder) == before and not server.requests


def test_folder_in_the_place_of_a_file(server, folder):
    (folder / f"{IMAGES}.gz").unlink()
    (folder / f"{IMAGES}.gz").mkdir()
    with pytest.raises(download.DownloadError, match="Cannot write to"):
        download.fetch(folder, [server.url("good")])
    assert contents(folder) == {"notes.txt": b"mine"}


SCRIPT = f"""
import json, sys
from course import download, mnist
mnist.FULL = json.loads({json.dumps(json.dumps(HASHES))})
mnist.LARGEST = {LARGEST}
try:
    download.fetch(sys.argv[1], sys.argv[2:])
except download.DownloadError as error:
    print("DownloadError:", error)
"""


def run_on(mount_options, folder, *mirrors):
    """Download in a process of its own for which `folder` is a tmpfs; (message, what is left).

    The mount is seen in that process only and ends with it, so there is nothing to clean up.
    """
    unshare = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    mount = f"mount -t tmpfs -o {mount_options} tmpfs '{folder}'"
    if (
        not shutil.which("unshare")
        or subprocess.run(
            [*unshare, "sh", "-c", mount], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("this system lets us mount no tmpfs (needs Linux and root or user namespaces)")
    shell = f"{mount} && shift && \"$@\" && ls -A '{folder}' >&2"
    done = subprocess.run(
        [*unshare, "sh", "-c", shell, "sh", "", sys.executable, "-c", SCRIPT, folder, *mirrors],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    left = [line for line in done.stderr.splitlines() if not line.startswith("http")]
    return done.stdout, left


def test_full_tmpfs(server, folder):
    message, left = run_on("size=180k", folder, server.url("good"), server.url("good"))
    assert "Cannot write to" in message and "No space left on device" in message
    assert left == [f"{IMAGES}.gz", f"{NAMES[1]}.gz"]  # these two had room, and are whole
    assert len(server.requests) == 3


def test_read_only_tmpfs(server, folder):
    message, left = run_on("ro", folder, server.url("good"))
    assert "Cannot write to" in message and "Read-only file system" in message
    assert left == []


# Someone else's files


@pytest.mark.parametrize("name", [f"{IMAGES}.gz", "t10k-images.idx3-ubyte"])
def test_good_files_that_are_not_mnist_are_left_alone(server, folder, name):
    (folder / f"{IMAGES}.gz").unlink()
    idx.write(folder / name, np.zeros((5, 28, 28), np.uint8))
    before = contents(folder)
    with pytest.raises(
        download.DownloadError, match=f"{name} is a good file but not of full MNIST"
    ):
        download.fetch(folder, [server.url("good")])
    assert contents(folder) == before and not server.requests


# Two at once


def test_two_downloads_at_once(server, folder):
    """The server answers each file only when both have asked for it."""
    errors = []

    def fetch():
        try:
            download.fetch(folder, [server.url("together")], progress=False)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=fetch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(server.requests) == 8
    assert contents(folder) == COMPLETE


# Interrupts


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=lambda number: number.name)
@pytest.mark.parametrize("kind", ["late", "stall"])  # before the first byte, and half-way
def test_interrupted_process(server, folder, kind, number):
    before = contents(folder)
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, folder, server.url(kind)], stderr=subprocess.PIPE, text=True
    )
    assert server.reached.wait(timeout=60)
    process.send_signal(number)
    errors = process.communicate(timeout=20)[1]
    left = contents(folder)
    if number == signal.SIGINT:
        assert "KeyboardInterrupt" in errors
    else:  # a process that is killed cannot tidy up, but its leavings have a name of their own
        left = {name: raw for name, raw in left.items() if not name.endswith(".part")}
    assert left == before


@pytest.mark.parametrize("step", ["_verify", "fsync", "replace"])
def test_interrupted_at_each_later_step(server, folder, monkeypatch, step):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    before = contents(folder)
    monkeypatch.setattr(download if step == "_verify" else os, step, interrupt)
    with pytest.raises(KeyboardInterrupt):
        download.fetch(folder, [server.url("good")])
    monkeypatch.undo()
    assert contents(folder) == before
