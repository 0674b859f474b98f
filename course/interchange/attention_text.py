"""Attention weights of images as text: `# Sample: 3`, then one line for each of 49 tokens."""

import numpy as np

from course.interchange.binary import TOKENS, InterchangeError, check_finite
from course.nn.files import replacing


def write_attention(path, samples):
    """Write attention weights to `path`: `samples` maps a number to an array (tokens, tokens)."""
    with replacing(path) as file:
        for number, attention in samples.items():
            check_finite(path, f"sample {number}", np.asarray(attention))
            lines = [" ".join(f"{weight:.9g}" for weight in row) for row in attention]
            file.write("\n".join([f"# Sample: {number}", *lines, "\n"]).encode())


def read_attention(path, tokens=TOKENS) -> dict[int, np.ndarray]:
    """Read attention weights: sample number to float32 (tokens, tokens).

    Spaces or commas may part the numbers of a line; other lines that begin with # are remarks.
    Raises `InterchangeError` that names the line which is wrong, `OSError` without a file.
    """
    samples, rows = {}, None
    with open(path, encoding="utf-8", errors="replace") as file:
        for index, line in enumerate(file, start=1):
            where = f"{path}, line {index}"
            if line.startswith("# Sample:"):
                check_complete(where, rows, tokens)
                number = sample_number(where, line)
                if number in samples:
                    raise InterchangeError(f"{where}: sample {number} is there twice")
                rows = samples[number] = []
            elif line.strip() and not line.startswith("#"):
                if rows is None:
                    raise InterchangeError(f"{where}: numbers before the first '# Sample:'")
                rows.append(weights(where, line, tokens))
    check_complete(f"{path}, at its end", rows, tokens)
    return {number: np.array(rows, np.float32) for number, rows in samples.items()}


def check_complete(where, rows, tokens):
    """Raise `InterchangeError` if the sample that ends here has not `tokens` rows."""
    if rows is not None and len(rows) != tokens:
        raise InterchangeError(f"{where}: the sample has {len(rows)} rows, expected {tokens}")


def sample_number(where, line) -> int:
    """The number in a line `# Sample: 3`."""
    text = line.partition(":")[2].strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise InterchangeError(f"{where}: {text[:40]!r} is no sample number")
    return int(text)


def weights(where, line, tokens) -> list[float]:
    """The weights in a line, each from 0 to 1."""
    words = line.replace(",", " ").split()
    if len(words) != tokens:
        raise InterchangeError(f"{where}: {len(words)} weights, expected {tokens}")
    try:
        row = [float(word) for word in words]
    except ValueError as error:
        raise InterchangeError(f"{where}: {str(error)[:80]}") from None
    if not all(0 <= weight <= 1 for weight in row):
        raise InterchangeError(f"{where}: a weight that is not between 0 and 1")
    return row
