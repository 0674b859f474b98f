"""Files that are there whole or not at all: what is replaced, what is refused, what is left."""

import os
import signal
import socket
import stat
import subprocess
import sys

import pytest

from course.nn import files
from course.nn.files import UnwritableError, replacing, why_not

posix = pytest.mark.skipif(os.name != "posix", reason="needs files as Unix has them")
not_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)


def write(path, content=b"new"):
    with replacing(path) as file:
        file.write(content)


@posix
def test_a_link_is_followed_and_a_mode_kept(tmp_path):
    old, link, new = tmp_path / "old", tmp_path / "link", tmp_path / "folder" / "new"
    old.write_bytes(b"old")
    old.chmod(0o604)
    link.symlink_to(old)
    write(link)
    assert link.is_symlink() and old.read_bytes() == b"new"
    assert stat.S_IMODE(old.stat().st_mode) == 0o604

    (tmp_path / "dangling").symlink_to(new)
    before = os.umask(0o027)
    try:
        write(tmp_path / "dangling")
    finally:
        os.umask(before)
    assert new.read_bytes() == b"new" and stat.S_IMODE(new.stat().st_mode) == 0o640


@posix
def test_a_device_is_written_to_and_stays_one():
    terminal, device = os.openpty()
    try:
        path = os.ttyname(device)
        assert why_not(path) == ""
        with pytest.raises(ZeroDivisionError), replacing(path) as file:
            file.write(b"not this")
            raise ZeroDivisionError
        write(path)
        assert os.read(terminal, 100) == b"new"
        assert stat.S_ISCHR(os.stat(path).st_mode)
    finally:
        os.close(terminal)
        os.close(device)


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)


@posix
@pytest.mark.parametrize("make", [os.mkfifo, make_socket, os.mkdir])
def test_what_is_no_file_is_refused_and_stays(tmp_path, monkeypatch, make):
    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    make("it")
    before = os.stat("it")
    assert why_not("it").startswith("it is a ")
    with pytest.raises(UnwritableError, match="^it: it is a "):
        write("it")  # without waiting for a reader
    assert os.stat("it").st_mode == before.st_mode and os.listdir() == ["it"]


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("new", ""),
        ("a/new/folder/file", ""),
        ("x" * 241, ""),
        ("x" * 245, "File name too long"),  # with what it is called while it is written
        ("x" * 300 + "/file", "File name too long"),
        ("new/", "it is the name of a folder"),
        ("text/file", "text is a file"),
    ],
)
def test_what_is_in_the_way_is_said_beforehand(tmp_path, monkeypatch, path, problem):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").touch()
    assert why_not(path).endswith(problem) and bool(why_not(path)) == bool(problem)
    assert os.listdir() == ["text"]
    if not problem:
        write(path)


@not_root
@pytest.mark.parametrize("path", ["protected", "folder/file"])
def test_what_is_protected_stays(tmp_path, path):
    (tmp_path / "protected").touch(0o400)
    (tmp_path / "folder").mkdir(0o500)
    assert why_not(tmp_path / path)


KILLED = """
import os, signal, sys
from course.nn.files import replacing
with replacing(sys.argv[1]) as file:
    os.kill(os.getpid(), signal.SIGKILL)
"""


@posix
def test_what_a_killed_writer_leaves_goes_and_what_is_being_written_stays(tmp_path):
    path = tmp_path / "file[1]"
    (tmp_path / "file[1].part").touch()  # not one of ours
    for _ in range(2):
        killed = subprocess.run([sys.executable, "-c", KILLED, path])
        assert killed.returncode == -signal.SIGKILL
    with replacing(path) as first:
        assert len(os.listdir(tmp_path)) == 2
        write(path, b"second")
        first.write(b"first")
    assert path.read_bytes() == b"first"
    assert sorted(os.listdir(tmp_path)) == ["file[1]", "file[1].part"]


@posix
def test_what_is_taken_for_left_before_it_is_held_is_made_again(tmp_path, monkeypatch):
    real = files.fcntl.flock

    def late(file, how):
        monkeypatch.setattr(files.fcntl, "flock", real)
        for left in tmp_path.iterdir():
            left.unlink()
        real(file, how)

    monkeypatch.setattr(files.fcntl, "flock", late)
    write(tmp_path / "file")
    assert os.listdir(tmp_path) == ["file"]
