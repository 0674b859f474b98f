"""Text as it can be shown: that from elsewhere (names of files, servers), and long lines."""

import textwrap


def visible(text):
    r"""`text` with control characters and broken bytes written out, as `\x1b` and `\udcff`.

    A terminal would obey some of them and color, move or overwrite what is there; a figure cannot
    draw them. Line ends and tabs stay.
    """
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text
    )


def wrapped(text, width=96):
    """`text` with its long lines broken between words: JupyterLab would break them within.

    Lines that begin with a space are left alone: they are code or numbers.
    """
    return "\n".join(
        line
        if line.startswith(" ")
        else textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)
        for line in text.split("\n")
    )
