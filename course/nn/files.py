"""Files that are there whole or not at all."""

import contextlib
import os
import secrets
from pathlib import Path


@contextlib.contextmanager
def replacing(path):
    """Open a file that becomes `path` only when the block has ended well.

    Until then it lies beside `path` under a name of its own, so that two writers do not meet, and
    on any failure, Ctrl-C included, it is removed and what was at `path` stays.
    """
    path = Path(path)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(temporary, "x+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # on the disk before it gets the name
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):  # after a success there is nothing to remove
            temporary.unlink()
