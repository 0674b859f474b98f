"""How fast is the course? One epoch of training here, one in a framework, in turn, several times.

Each side runs in a process of its own, so that neither's threads disturb the other's, and waits
while the other works. Times are medians, ratios are taken round by round: on a shared machine both
sides then suffer alike. `cost` asks another question: how the time grows with the network.
"""

import contextlib
import importlib.util
import json
import operator
import os
import shutil
import statistics
import subprocess
import sys

from course.nn.errors import CourseError

SAMPLES = 54_000  # an epoch: MNIST without its validation split
PEERS = {"torch": "PyTorch", "compile": "torch.compile", "jax": "JAX"}
BUSY = {"one": 1, "four": 4}  # other processes that want a core
SLOWDOWN = {"one": "slowdown_when_busy", "four": "slowdown_when_crowded"}  # as `compare` says it


class BenchmarkError(CourseError, RuntimeError):
    """A process of the benchmark failed; the message says what it said."""


class Worker:
    """A process that runs one epoch each time it is asked to (see `course.benchmark.worker`)."""

    def __init__(self, side, model, optimizer, samples):
        command = [sys.executable, "-m", "course.benchmark.worker", side, model, optimizer]
        self.process = subprocess.Popen(
            [*command, str(samples)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the parent, which ends this one
        )

    def ask(self, what):
        """Send one word, wait, and return the answer. Raises BenchmarkError if there is none."""
        try:
            self.process.stdin.write(what + "\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError):
            code = self.process.wait()
            raise BenchmarkError(f"a benchmark process ended with code {code}") from None
        if isinstance(answer, str):
            raise BenchmarkError(f"a benchmark process failed: {answer}")
        return answer

    def close(self):
        self.process.terminate()
        self.process.communicate()


def why_not(peer):
    """Say why a peer cannot be measured here; "" if it can. Loads nothing."""
    package = "jax" if peer == "jax" else "torch"
    if importlib.util.find_spec(package) is None:
        return f"{package} is not installed"
    usual = {"darwin": "clang++", "win32": "cl"}.get(sys.platform, "g++")
    compiler = os.environ.get("CXX", usual)
    if peer == "compile" and not shutil.which(compiler):
        return f"it needs a C++ compiler, and there is no {compiler}"
    return ""


def compare(
    model, optimizer="sgd", rounds=7, samples=SAMPLES, against=(), busy=tuple(BUSY), report=print
):
    """Measure the epochs of `model` under `optimizer`; return a dict of figures.

    `against` names PEERS, `busy` names of BUSY. The figures, None where nothing was measured:
    `seconds` (median) for `epochs` epochs of `samples` digits, and `torch_seconds` and so on for
    the peers; `ratio_vs_torch`: how many times as long the peer takes; `fraction_of_gemm_peak`: the
    time that BLAS needs for the matrix products alone, as a share of the whole;
    `slowdown_when_busy` and `slowdown_when_crowded`: how many times as long an epoch takes while
    one or four other processes want a core; `peak_memory_mb`: of the training process, digits
    included. `report` is told of each round.

    XOR trains for all the epochs of its recipe, without peers (they would show nothing but what
    their calls cost) and without BLAS, which it does not use.
    """
    alone = model == "xor"
    times = {}

    def note(name, seconds):
        times.setdefault(name, []).append(seconds)

    with contextlib.ExitStack() as stack:
        sides = {
            side: stack.enter_context(contextlib.closing(Worker(side, model, optimizer, samples)))
            for side in ("course", *([] if alone else against))
        }
        ours = sides["course"]
        for worker in sides.values():
            worker.ask("epoch")  # warm up: load, compile, fill the caches
        for number in range(1, rounds + 1):
            for name, worker in sides.items():
                note(name, worker.ask("epoch"))
            if not alone:
                note("BLAS", ours.ask("products"))
            for name in busy:
                with busy_processes(BUSY[name]):
                    note(f"{name} busy", ours.ask("epoch"))
            last = "  ".join(f"{name} {values[-1]:.3f} s" for name, values in times.items())
            report(f"round {number}/{rounds}  {last}")
        size = ours.ask("size")
        memory = ours.ask("memory")
    described = {"model": model, "optimizer": optimizer, **size, "rounds": rounds}
    return described | _figures(times) | {"peak_memory_mb": memory}


# A process that keeps a core busy, says when it begins, and ends when the benchmark has.
SPIN = """
import os, sys
parent = os.getppid()
print(flush=True)
while os.getppid() == parent:
    for _ in range(100_000):
        pass
"""


@contextlib.contextmanager
def busy_processes(count):
    """Let `count` other processes compute, as long as the block lasts.

    Each has a session of its own, as programs that have nothing to do with each other do: Linux
    shares out time among sessions first, and several within one would count as one.
    """
    processes = []
    try:
        for _ in range(count):
            command = [sys.executable, "-S", "-c", SPIN]
            pipe = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
            processes.append(subprocess.Popen(command, start_new_session=True, **pipe))
        for process in processes:
            process.stdout.readline()
        yield
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.communicate()


def _figures(times):
    """Boil the times of all rounds down to medians; `times` maps what was timed to seconds."""

    def median_ratio(name):
        if name not in times:
            return None
        return statistics.median(map(operator.truediv, times[name], times["course"]))

    figures = {"seconds": statistics.median(times["course"])}
    for peer in PEERS:
        figures[f"{peer}_seconds"] = times.get(peer) and statistics.median(times[peer])
        figures[f"ratio_vs_{peer}"] = median_ratio(peer)
    figures["fraction_of_gemm_peak"] = median_ratio("BLAS")
    return figures | {SLOWDOWN[name]: median_ratio(f"{name} busy") for name in BUSY}
