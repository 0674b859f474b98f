"""What one student costs: memory, processor seconds and disk of each lesson, for who runs a hub.

    python tests/measure_cost.py [NOTEBOOK ...]

lays a copy of each lesson into a home of its own, runs it from top to bottom in a kernel of its
own, saves it as a learner does, and prints a row of the table in docs/teaching/costs.md. One thread
computes, as on a hub. Linux only: elsewhere nobody counts the pages that a process had.

- memory: the most that the kernel had in use at one time (VmHWM of Linux), with libraries, which
  several kernels share; and private: the most that it had asked for on its own (VmData, looked at
  five times a second), which is what a limit is about.
- processor: seconds of the kernel on all cores, with what it starts. Waiting costs nothing.
- disk: what is in the home afterwards, the lesson itself and the caches included.
"""

import os
import platform
import re
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
from measure import NOTEBOOKS
from nbclient import NotebookClient

from course.commands import lessons
from course.records import processor

THREADS = 1
LOOK_EVERY = 0.2  # seconds
LONGEST_CELL = 900
HEAD = ["lesson", "seconds", "processor s", "memory MB", "private MB", "disk kB"]


@dataclass(frozen=True)
class Cost:
    """What one lesson took; memory and disk in bytes."""

    seconds: float
    processor: float
    memory: int
    private: int
    disk: int

    def row(self, lesson):
        megabytes = [f"{size / 1e6:.0f}" for size in (self.memory, self.private)]
        times = [f"{self.seconds:.0f}", f"{self.processor:.0f}"]
        return table_row([f"`{lesson}`", *times, *megabytes, f"{self.disk / 1e3:.0f}"])


def table_row(cells):
    return f"| {' | '.join(cells)} |"


def measure(path):
    """Run a copy of the lesson in `path` in a home of its own; returns its Cost.

    Raises nbclient's CellExecutionError where a cell fails.
    """
    with tempfile.TemporaryDirectory(prefix="cost-") as home, environment(Path(home)):
        copy = Path(home, "lessons", path.name)
        lessons.lay(path, copy)
        notebook = nbformat.read(copy, as_version=4)
        client = NotebookClient(
            notebook, timeout=LONGEST_CELL, resources={"metadata": {"path": copy.parent}}
        )
        began = time.monotonic()
        with client.setup_kernel():
            kernel = psutil.Process(client.km.provisioner.pid)
            with Watch(kernel) as watch:
                for number, cell in enumerate(notebook.cells):
                    client.execute_cell(cell, number)
            seconds, memory = time.monotonic() - began, most_memory(kernel)
        nbformat.write(notebook, copy)
        disk = sum(p.stat().st_size for p in Path(home).rglob("*") if p.is_file())
        return Cost(seconds, watch.processor, memory, watch.private, disk)


@contextmanager
def environment(home):
    """The variables of a hub's student, whose home is `home`."""
    before = dict(os.environ)
    for name in ("LESSONS", "PROGRESS", "MODELS", "OWN_LOGS", "DRAWINGS"):
        os.environ[f"COURSE_{name}_DIR"] = str(home / name.lower())
    for name in ("OPENBLAS", "OMP", "NUMBA"):
        os.environ[f"{name}_NUM_THREADS"] = str(THREADS)
    for name in ("MPLCONFIGDIR", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
        os.environ.pop(name, None)
    os.environ["HOME"] = str(home)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Watch(threading.Thread):
    """Context manager that looks at a process and what it starts, until the end of its block.

    `processor` is their seconds, and `private` the most memory that one had asked for, in bytes.
    """

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.private = process, 0
        self._over, self._seconds = threading.Event(), {}

    @property
    def processor(self):
        return sum(self._seconds.values())

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc_info):
        self._over.set()
        self.join()

    def run(self):
        while not self._over.wait(LOOK_EVERY):
            self._look()
        self._look()

    def _look(self):
        for process in (self.process, *self.process.children(recursive=True)):
            try:
                self.private = max(self.private, process.memory_info().data)
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            self._seconds[process.pid, process.create_time()] = times.user + times.system


def most_memory(process):
    """The largest resident size that the process ever had, in bytes."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)[1]) * 1024


def main():
    if not sys.platform.startswith("linux"):
        sys.exit("What a kernel costs can be measured on Linux alone.")
    print(table_row(HEAD), table_row(["---", *["---:"] * (len(HEAD) - 1)]), sep="\n", flush=True)
    for path in map(Path, sys.argv[1:] or NOTEBOOKS):
        print(measure(path).row(path.stem), flush=True)
    print(f"\n{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}")


if __name__ == "__main__":
    main()
