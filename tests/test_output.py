"""What the terminal gets: nothing that it would obey instead of showing it."""

import io

import pytest

from course.commands.output import VisibleStream
from course.nn.text import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("loss 0.5 … 3 × 3 − 1 é 数\n\tx", "loss 0.5 … 3 × 3 − 1 é 数\n\tx"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("over\rwritten", r"over\rwritten"),
        ("\x9b2J\x7f\x00", r"\x9b2J\x7f\x00"),
        ("broken \udcff", r"broken \udcff"),
        ("\u202egnp.exe", r"\u202egnp.exe"),  # would be shown from right to left
    ],
)
def test_visible(text, shown):
    assert visible(text) == shown
    assert visible(shown) == shown


def test_a_stream_shows_what_it_is_given_and_lets_a_progress_bar_return():
    buffer = io.StringIO()
    stream = VisibleStream(buffer)
    print("a\x1b", "\rb\rc", sep="", file=stream)
    assert stream.write("\r 50%\r") == 6
    assert buffer.getvalue() == "a\\x1b\rb\\rc\n\r 50%\\r"


def test_a_stream_writes_out_what_its_encoding_lacks():
    stream = VisibleStream(io.TextIOWrapper(io.BytesIO(), "ascii"))
    print("3 × 3 é", file=stream, flush=True)
    assert stream.buffer.getvalue().splitlines() == [rb"3 \xd7 3 \xe9"]
