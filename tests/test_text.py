"""Text as it is shown."""

from hypothesis import given
from hypothesis import strategies as st

from course.nn.text import wrapped

WORDS = st.text("ab -.`'", max_size=30)


def test_lines_are_broken_between_words_and_code_is_left_alone():
    code = "    " + "x = y + 1; " * 20
    text = "A short line.\n" + "word " * 40 + "\n" + code
    first, *broken, last = wrapped(text).split("\n")
    assert first == "A short line." and last == code
    assert len(broken) == 3 and all(set(line.split()) == {"word"} for line in broken)


@given(st.lists(WORDS).map(" ".join))
def test_not_a_word_is_lost(text):
    assert wrapped(text, 40).split() == text.split()
