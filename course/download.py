"""Download the full MNIST: from whoever still has it, verified, whole or not at all."""

import http.client
import io
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from course import idx, mnist
from course.environment import HERE
from course.nn.errors import CourseError
from course.nn.files import replacing

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://yann.lecun.com/exdb/mnist/",
)
TIMEOUT = 30  # seconds without a byte, and until the rate counts
SLOWEST = 10_000  # bytes a second; the largest file then takes a quarter of an hour
CHUNK = 2**16


class DownloadError(CourseError, RuntimeError):
    """The download failed; the message says where, why, and what to do."""


class _MirrorError(Exception):
    """One mirror failed, so the next is asked."""


def fetch(directory=None, mirrors=MIRRORS, progress=True):
    """Fetch what is missing of full MNIST into `directory` (None: `mnist.download_directory()`).

    Each file gets its name only when it is whole and its content has the right sha256. Files
    that are there and right are kept, damaged ones replaced. `progress` shows a bar, or a line
    for each file when there is no terminal. Returns the folder. Raises DownloadError.
    """
    folder = mnist.download_directory() if directory is None else Path(directory).expanduser()
    if HERE.browser:
        raise DownloadError(in_a_browser(folder))
    mirrors = [mirror.rstrip("/") for mirror in mirrors]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        missing = [row for row in mnist.status(folder) if row.dataset != "full MNIST"]
        for row in missing:
            _refuse_to_hide(row)
        for row in missing:
            _download_file(row.name, folder, mirrors, progress)
    except OSError as error:
        raise DownloadError(
            f"Cannot write to {folder}: {error}. What was there is unchanged. Make room, or name "
            f"a folder that you may write to."
        ) from error
    return folder


def in_a_browser(folder):
    """What to do instead where Python runs in a web page, which may not ask other servers."""
    return (
        "This page cannot fetch full MNIST: Python runs in your browser, which does not let it ask "
        "other servers. All lessons work with the 5,000 digits that are here. If you have the four "
        f"files, upload them into the folder {folder.name} beside this notebook; the course finds "
        "them there."
    )


def _refuse_to_hide(row):
    """Someone's own digits under MNIST's names are not ours to replace; a damaged file is."""
    if row.path is None:
        return
    try:
        idx.read(row.path)
    except idx.IdxError:
        return
    raise DownloadError(
        f"{row.path} is a good file but not of full MNIST; it is left alone. Move it away, or "
        f"download into another folder."
    )


def _download_file(name, folder, mirrors, progress):
    """Try the mirrors in turn; one that fails goes to the end of the list for the next files."""
    failures = []
    for mirror in tuple(mirrors):
        url = f"{mirror}/{name}.gz"
        try:
            with replacing(folder / f"{name}.gz") as file:
                _save(url, file, progress)
                _verify(file, name)
            return
        except _MirrorError as error:
            failures.append(f"\n  {url}: {_shown(error)}")
            mirrors.append(mirrors.pop(0))
    raise DownloadError(
        f"Could not download {name}.gz:{''.join(failures)}\n"
        f"Check the connection and try again ({mnist.HOW_TO_DOWNLOAD}), or fetch the four files of "
        f"MNIST with a browser and put them into {folder} as they are. Meanwhile the course runs "
        f"on the digits that are there."
    )


def _shown(error):
    """The message on one line: a server's own words may hold escape sequences, and be long."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(error)[:300])


class _Paced(io.RawIOBase):
    """What a server sends, header and all; OSError if it comes too slowly or does not end.

    A timeout alone is no limit: it starts anew with each byte.
    """

    def __init__(self, raw):
        self.raw, self.received, self.started = raw, 0, time.monotonic()

    def readable(self):
        return True

    def readinto(self, buffer):
        count = self.raw.readinto(buffer)
        self.received += count
        if self.received > mnist.LARGEST + 2**20:
            raise OSError("it does not end")
        if (time.monotonic() - self.started - TIMEOUT) * SLOWEST > self.received:
            raise TimeoutError("it is too slow")
        return count

    def close(self):
        self.raw.close()
        super().close()


class _PacedResponse(http.client.HTTPResponse):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.fp = io.BufferedReader(_Paced(self.fp.detach()))


class _Pacing:
    def do_open(self, http_class, request, **options):
        class Paced(http_class):
            response_class = _PacedResponse

        return super().do_open(Paced, request, **options)


def _open(url):
    """Ask for the address, by http or https and nothing else, also where it redirects to."""

    # Here, because a Python that has no ssl, as in a browser, has no handler of https.
    class PacedHttp(_Pacing, urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
        pass

    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        PacedHttp,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    request = urllib.request.Request(url, headers={"User-Agent": "course (MNIST download)"})
    return opener.open(request, timeout=TIMEOUT)


def _save(url, file, progress):
    """Write what the address sends to `file`. An OSError that gets out is the disk's."""
    from tqdm.auto import tqdm  # here, because it takes long to import

    try:
        response = _open(url)
    except urllib.error.HTTPError as error:
        raise _MirrorError(f"the server says {error.code}, {error.reason}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _MirrorError(f"no connection ({getattr(error, 'reason', error)})") from None
    expected, received = response.length, 0
    bar = tqdm(
        desc=url.rpartition("/")[2],
        total=expected,
        unit="B",
        unit_scale=True,
        disable=None if progress else True,  # None: off where there is no terminal
    )
    with response, bar:
        while received <= mnist.LARGEST:
            try:
                chunk = response.read1(CHUNK)  # what has come; `read` would wait for all of it
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise _MirrorError(f"broke off after {received:,} bytes ({error})") from None
            if not chunk:
                break
            file.write(chunk)
            received += len(chunk)
            bar.update(len(chunk))
    if received > mnist.LARGEST:
        raise _MirrorError(f"sent more than the {mnist.LARGEST:,} bytes that this can be")
    if expected is not None and received < expected:
        raise _MirrorError(f"broke off after {received:,} of {expected:,} bytes")
    if progress and bar.disable:
        print(f"{url}: {received:,} bytes", file=sys.stderr)


def _verify(file, name):
    """Raise _MirrorError unless `file` is a gzip of the file `name` of MNIST."""
    file.seek(0)
    if file.read(2) != idx.GZIP_MAGIC:
        raise _MirrorError("sent something that is not a gzip file (a log-in page?)")
    file.seek(0)
    try:
        found = mnist.sha256(file, "what came")
    except idx.IdxError as error:
        raise _MirrorError(str(error)) from None
    if found != mnist.FULL[name]:
        raise _MirrorError(f"sent other content: sha256 {found}, expected {mnist.FULL[name]}")
