"""Files that can be read to their end, and files that are there whole or not at all."""

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path


def open_regular(path):
    """Open the file at `path` for reading bytes. Raises OSError, also for a pipe or a device.

    Those may have no end, or never begin. `/dev/stdin` is fine where a file was redirected to it.
    """
    path = os.fspath(path)
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # a folder, `open` itself refuses
        raise OSError(errno.EINVAL, "it is a pipe or a device, not a file", path)
    return open(path, "rb")


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
