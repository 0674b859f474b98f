"""Files that can be read to their end, and files that are there whole or not at all."""

import contextlib
import errno
import glob
import io
import os
import secrets
import stat
import time
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

from course.nn.errors import CourseError

if not hasattr(fcntl, "flock"):  # Pyodide has the module, but no locks in it
    fcntl = None

LONG_AGO = 3600  # seconds; no write here pauses for so long


class UnwritableError(CourseError, OSError):
    """Nothing can be written at a path; the message says why."""


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
    on any failure, Ctrl-C included, it is removed and what was at `path` stays. What a killed
    writer left is removed by the next one. A link is followed, and a file that was there keeps its
    mode; folders that are missing are made. A device such as /dev/null is no file to replace: it
    gets the content at the end.

    Raises UnwritableError for a folder, a pipe, a socket or a disk, and OSError.
    """
    if problem := _why_no_file(path):
        raise UnwritableError(f"{path}: {problem}")
    if os.path.exists(path) and not os.path.isfile(path):
        with io.BytesIO() as file:
            yield file
            with open(path, "wb") as device:
                device.write(file.getvalue())
        return
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path.parent, f"{glob.escape(path.name)}.{'[0-9a-f]' * 8}.part")
    temporary, descriptor = _create_beside(path)
    try:
        with open(descriptor, "w+b") as file:
            with contextlib.suppress(OSError):  # a new file has the mode that umask leaves
                os.chmod(temporary, stat.S_IMODE(os.stat(path).st_mode))
            yield file
            file.flush()
            os.fsync(file.fileno())  # on the disk before it gets the name
            if fcntl:  # while it is still held
                os.replace(temporary, path)
        if not fcntl:  # Windows renames no open file
            os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):  # after a success there is nothing to remove
            temporary.unlink()


def why_not(path):
    """Say why a file cannot be written at `path`; "" if nothing is in the way.

    It is tried: a file like that of `replacing` is made, in the nearest folder that is there, and
    removed again.
    """
    if str(path).endswith(("/", os.sep)):
        return "it is the name of a folder"
    try:
        if problem := _why_no_file(path):
            return problem
        if os.path.exists(path) and not os.access(path, os.W_OK):
            return "it is write-protected"
        if os.path.exists(path) and not os.path.isfile(path):
            return ""  # a device
        path = Path(os.path.realpath(path))
        folder = next(parent for parent in path.parents if parent.exists())
        if not folder.is_dir():
            return f"{folder} is a file"
        for name in path.relative_to(folder).parts[:-1]:  # of folders to be made
            with contextlib.suppress(FileNotFoundError):
                os.lstat(folder / name)  # raises another error where the name is too long
        temporary, descriptor = _create_beside(folder / path.name)
        os.close(descriptor)
        temporary.unlink()
    except OSError as error:
        return error.strerror
    return ""


def _why_no_file(path):
    """Say what is at `path` that nothing can be written to; "" if nothing is."""
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return ""
    if stat.S_ISDIR(mode):
        return "it is a folder"
    if not stat.S_ISREG(mode) and not stat.S_ISCHR(mode):
        return "it is a pipe, a socket or a disk, not a file"
    return ""


def _create_beside(path):
    """Create a file beside `path`, (its path, its descriptor), held as long as that is open."""
    while True:
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        if fcntl:
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return temporary, descriptor
        os.close(descriptor)  # it was taken for abandoned before it was held


def remove_abandoned(folder, pattern):
    """Remove the files in `folder` that processes held until they were killed.

    The number of a process would not tell: it may be given anew, or be another container's.
    """
    for left in folder.glob(pattern):
        with contextlib.suppress(OSError):  # it is held, or not ours to remove
            if fcntl:
                with open(left, "rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    left.unlink()
            elif time.time() - left.stat().st_mtime > LONG_AGO:
                left.unlink()
