"""What the terminal gets: text that it can show, whatever files and servers have put into it."""

import contextlib
import os
import sys

from course.nn.text import visible


class VisibleStream:
    """A text stream that makes visible what is written to it.

    The carriage return that a text begins with is let through: a progress bar needs it.
    """

    def __init__(self, stream):
        self._stream = stream
        if hasattr(stream, "reconfigure"):  # ASCII terminals have no "×", and are no reason to fail
            stream.reconfigure(errors="backslashreplace")

    def write(self, text):
        start = "\r" if text.startswith("\r") else ""
        self._stream.write(start + visible(text.removeprefix("\r")))
        return len(text)

    def __getattr__(self, name):
        return getattr(self._stream, name)


@contextlib.contextmanager
def visible_streams():
    """Within the block, stdout and stderr make visible what is written to them."""
    # print() to a stream that is closed (None) would use the other one
    streams = [VisibleStream(s or open(os.devnull, "w")) for s in (sys.stdout, sys.stderr)]  # noqa: SIM115
    stdout, stderr = streams
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        try:
            yield
        finally:
            for stream in streams:
                flush_or_drop(stream)


def flush_or_drop(stream):
    """Write what is still to be written; if that fails, Python must not try again at its end."""
    try:
        stream.flush()
    except OSError:  # the disk is full or the reader of the pipe gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
