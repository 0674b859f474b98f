"""A notebook's cells run in a fresh kernel, whatever they do."""

import contextlib
import os
import re
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty
from subprocess import DEVNULL

from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

from course.nn.errors import CourseError

PACKAGES = Path(__file__).resolve().parents[3]  # the folder that `course` is in
PATIENCE = 60  # seconds for a kernel to start, on a busy machine
GRACE = 10  # seconds that an interrupted cell has to end
MOST_KERNELS = 4  # that one notebook may wear out
CANNOT_START = "no kernel could be started ({}); `python -m course info` says what may be missing"


class KernelError(CourseError):
    """No kernel can be started."""


@dataclass(frozen=True)
class Problem:
    """What went wrong in a cell: `kind` is "raised", "time" or "died"."""

    kind: str
    message: str


class _LostError(Exception):
    """The kernel is gone, or answers no more; its text is what the cell did."""


class _OwnKernel(KernelSpecManager):
    """The kernel of this Python, whatever kernels are installed on the machine."""

    def get_kernel_spec(self, kernel_name):
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name=kernel_name, language="python")


@dataclass(frozen=True)
class Cell:
    """A learner's cell of code: its source, its tags, and source of ours to run after it."""

    source: str
    tags: list
    after: str = ""


def run(cells, folder, timeout, time_for_ours):
    """Run Cells one after the other; return a dict from their numbers, from 0, to Problems.

    A cell that takes too long is interrupted. One that ends the kernel, or cannot be interrupted,
    is left out when all begins anew in another kernel. The learner's progress is not touched.

    Args:
        cells: a list.
        folder: where they run, as in Jupyter the folder of the notebook.
        timeout: seconds that one of them may take.
        time_for_ours: seconds that what comes after it may take.
    """
    problems = {}
    for _ in range(MOST_KERNELS):
        kept = {number: problem for number, problem in problems.items() if problem.kind == "died"}
        left = [replace(c, source="pass") if n in kept else c for n, c in enumerate(cells)]
        try:
            return kept | _run_once(left, folder, timeout, time_for_ours)
        except _LostError as lost:
            number, message = lost.args
            problems = kept | {number: Problem("died", message)}
    return problems


def _run_once(cells, folder, timeout, time_for_ours):
    """Run the cells in one kernel; return number -> Problem. Raises _LostError, KernelError."""
    problems = {}
    with _kernel(folder) as kernel:
        for number, cell in enumerate(cells):
            try:
                if problem := _run_cell(kernel, cell, timeout):
                    problems[number] = problem
                if cell.after:
                    with contextlib.suppress(TimeoutError):  # what it has not said is missing
                        kernel.run(cell.after, time_for_ours, counts=False)
            except _LostError as lost:
                raise _LostError(number, *lost.args) from None
    return problems


def _run_cell(kernel, cell, timeout):
    """Run a learner's cell; return its Problem or None. Raises _LostError."""
    try:
        raised = kernel.run(cell.source, timeout)
    except TimeoutError:
        return Problem("time", f"did not end within {timeout} seconds")
    return Problem("raised", raised) if raised and "raises-exception" not in cell.tags else None


class _Kernel:
    """A kernel that runs cells. What they print is not listened to: there may be no end of it.

    Not by nbclient, which listens, and does not find its way after a cell that it interrupted.
    """

    def __init__(self, manager, client):
        self._manager = manager
        self._client = client

    def run(self, source, seconds, counts=True):
        """Run a cell; return what it raised, as a text, or "". Raises TimeoutError, _LostError.

        Only one that counts gets a number, as in Jupyter.
        """
        asked = self._client.execute(
            source, store_history=counts, allow_stdin=False, stop_on_error=False
        )
        if reply := self.reply(asked, seconds):
            return _raised(reply["content"])
        self._manager.interrupt_kernel()
        if not self.reply(asked, GRACE):
            raise _LostError(f"did not end within {seconds} seconds, and could not be interrupted")
        raise TimeoutError

    def reply(self, asked, seconds):
        """The reply to a message, None if there is none in time. Raises _LostError."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                reply = self._client.get_shell_msg(timeout=0.5)
            except Empty:
                if not self._manager.is_alive():
                    raise _LostError("ended the kernel") from None
            else:
                if reply["parent_header"].get("msg_id") == asked:
                    return reply
        return None


def _raised(content):
    """What a cell raised, given the content of its reply; "" if nothing. Raises _LostError."""
    if any(payload.get("source") == "ask_exit" for payload in content.get("payload", [])):
        raise _LostError("ended the kernel")  # in a moment
    if content["status"] == "ok":
        return ""
    # where a SyntaxError has the number of a file that nobody knows
    value = re.sub(r"\(\d+\.py, line", "(line", str(content.get("evalue", "")))
    return f"{content.get('ename', content['status'])}: {value}".removesuffix(": ")


@contextlib.contextmanager
def _kernel(folder):
    """Start a kernel that ends with the block. Raises KernelError."""
    with tempfile.TemporaryDirectory(prefix="check-", ignore_cleanup_errors=True) as private:
        manager = KernelManager(kernel_spec_manager=_OwnKernel())
        try:
            manager.start_kernel(
                env=_environment(private), cwd=folder, stdout=DEVNULL, stderr=DEVNULL
            )
        except OSError as error:
            raise KernelError(CANNOT_START.format(error)) from None
        client = manager.blocking_client()
        try:
            client.start_channels(iopub=False, stdin=False, hb=False)
            kernel = _Kernel(manager, client)
            if not kernel.reply(client.kernel_info(), PATIENCE):
                raise KernelError(CANNOT_START.format(f"no answer in {PATIENCE} seconds"))
        except _LostError:
            raise KernelError(CANNOT_START.format("it ended at once")) from None
        else:
            yield kernel
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


def _environment(private):
    """The environment of a kernel that has this copy of the course, and settings of nobody."""
    paths = [str(PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {
        "COURSE_PROGRESS_DIR": str(Path(private, "progress")),
        "IPYTHONDIR": str(Path(private, "ipython")),
        "PYTHONPATH": os.pathsep.join(paths),
    }
