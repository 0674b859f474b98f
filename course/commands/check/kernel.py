"""A notebook's cells run in a fresh kernel, whatever they do."""

import logging
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL

from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbclient.util import run_sync
from nbformat import v4

from course.nn.errors import CourseError

PACKAGES = Path(__file__).resolve().parents[2]  # the folder that `course` is in
GRACE = 10  # seconds that an interrupted cell has to end
MOST_KERNELS = 4  # that one notebook may wear out
QUIET = logging.getLogger("course.commands.check.quiet")
QUIET.addHandler(logging.NullHandler())
QUIET.propagate = False


class KernelError(CourseError):
    """No kernel can be started."""


@dataclass(frozen=True)
class Problem:
    """What went wrong in a cell: `kind` is "raised", "time" or "died"."""

    kind: str
    message: str


class _LostError(Exception):
    """The kernel is gone, or answers no more; the cell that did it, and what it did."""


class _OwnKernel(KernelSpecManager):
    """The kernel of this Python, whatever kernels are installed on the machine."""

    def get_kernel_spec(self, kernel_name):
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name=kernel_name, language="python")


class _Client(NotebookClient):
    """Runs cells and forgets what they show, of which there may be any amount."""

    def output(self, outs, msg, display_id, cell_index):
        return None


def run(cells, folder, last, timeout, time_for_last):
    """Run code cells one after the other, and a last one of ours; return a dict of Problems.

    A cell that takes too long is interrupted. One that ends the kernel, or cannot be interrupted,
    is left out when all begins anew in another kernel. The learner's progress is not touched.

    Args:
        cells: pairs (source, tags) of the learner's code cells.
        folder: where they run, as in Jupyter the folder of the notebook.
        last: source of the cell after them.
        timeout: seconds that one of them may take.
        time_for_last: the same for `last`.

    Returns:
        dict: number of a cell, counted from 0 (`len(cells)` is `last`) -> Problem.
    """
    problems = {}
    for _ in range(MOST_KERNELS):
        kept = {n: p for n, p in problems.items() if p.kind == "died"}
        sources = ["pass" if n in kept else source for n, (source, _) in enumerate(cells)]
        nodes = [
            v4.new_code_cell(source, metadata={"tags": tags})
            for source, (_, tags) in zip([*sources, last], [*cells, ("", [])], strict=True)
        ]
        seconds = [*[timeout] * len(cells), time_for_last]
        try:
            return kept | _run_once(nodes, folder, seconds)
        except _LostError as lost:
            number, message = lost.args
            problems = kept | {number: Problem("died", message)}
            if number == len(cells):
                break
    return problems


def _run_once(nodes, folder, seconds):
    """Run the cells in one kernel; return number -> Problem. Raises _LostError, KernelError."""
    problems = {}

    def remember(cell, cell_index, execute_reply):
        content = execute_reply["content"]
        if "raises-exception" not in cell.metadata.tags:
            value = re.sub(
                r"\(\d+\.py, line", "(line", str(content.get("evalue"))
            )  # of a SyntaxError
            text = f"{content.get('ename')}: {value}".strip().removesuffix(":")
            problems[cell_index] = Problem("raised", text)

    manager = AsyncKernelManager(kernel_spec_manager=_OwnKernel(), log=QUIET)
    client = _Client(
        v4.new_notebook(cells=nodes), km=manager, log=QUIET, allow_errors=True,
        on_cell_error=remember, store_widget_state=False, shutdown_kernel="immediate",
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="check-", ignore_cleanup_errors=True) as private:
        try:
            client.start_new_kernel(
                env=_environment(private), cwd=folder, stdout=DEVNULL, stderr=DEVNULL
            )
            client.start_new_kernel_client()
        except (RuntimeError, OSError) as error:
            raise KernelError(
                f"no kernel could be started ({error}); "
                "`python -m course info` says what may be missing"
            ) from None
        with client.setup_kernel(cleanup_kc=True):
            for number, node in enumerate(nodes):
                if problem := _run_cell(client, number, node, seconds[number]):
                    problems[number] = problem
    return problems


def _run_cell(client, number, node, seconds):
    """Run one cell; return a Problem if it had to be interrupted. Raises _LostError."""
    client.timeout = seconds
    try:
        client.execute_cell(node, number)
        return None
    except DeadKernelError:
        raise _LostError(number, "ended the kernel") from None
    except CellTimeoutError:
        pass
    message = f"did not end within {seconds} seconds"
    client.timeout = GRACE
    try:
        run_sync(client.km.interrupt_kernel)()
        client.execute_cell(v4.new_code_cell("pass"), number)
    except (CellTimeoutError, DeadKernelError):
        raise _LostError(number, f"{message}, and could not be interrupted") from None
    return Problem("time", message)


def _environment(private):
    """The environment of a kernel that has this copy of the course, and settings of nobody."""
    paths = [str(PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {
        "COURSE_PROGRESS_DIR": str(Path(private, "progress")),
        "IPYTHONDIR": str(Path(private, "ipython")),
        "PYTHONPATH": os.pathsep.join(paths),
    }
