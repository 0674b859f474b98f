"""Text from elsewhere (names of files, lines of files, servers) as it can be shown."""


def visible(text):
    r"""`text` with control characters and broken bytes written out, as `\x1b` and `\udcff`.

    A terminal would obey some of them and color, move or overwrite what is there; a figure cannot
    draw them. Line ends and tabs stay.
    """
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text
    )
