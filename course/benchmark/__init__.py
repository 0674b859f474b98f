"""How fast is the course? One epoch of training here, one in PyTorch, in turn, several times.

Each side runs in a process of its own, so that neither's threads disturb the other's, and waits
while the other works. Times are medians, ratios are taken round by round: on a shared machine both
sides then suffer alike.
"""

import contextlib
import importlib.util
import json
import operator
import statistics
import subprocess
import sys

SAMPLES = 54_000  # an epoch: MNIST without its validation split


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
        """Send one word, wait, and return the answer. Raises RuntimeError if there is none."""
        try:
            self.process.stdin.write(what + "\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError):
            code = self.process.wait()
            raise RuntimeError(f"a benchmark process ended with code {code}") from None
        if isinstance(answer, str):
            raise RuntimeError(f"a benchmark process failed: {answer}")
        return answer

    def close(self):
        self.process.terminate()
        self.process.communicate()


def has_torch():
    """Tell whether PyTorch is installed, without loading it."""
    return importlib.util.find_spec("torch") is not None


def compare(model, optimizer, rounds=7, samples=SAMPLES, report=print):
    """Measure the epochs of `model` under `optimizer`; return a dict of figures.

    `seconds`, `torch_seconds`: medians for `samples` digits. `ratio_vs_torch`: how many times as
    long PyTorch takes (None if it is not installed). `fraction_of_gemm_peak`: the time that BLAS
    needs for the step's matrix products alone, as a share of the whole. `slowdown_when_busy`: how
    many times as long an epoch takes while another process keeps one core busy. `peak_memory_mb`:
    of the training process, digits included. `report` is told of each round.
    """
    sides = {"course": Worker("course", model, optimizer, samples)}
    if has_torch():
        sides["torch"] = Worker("torch", model, optimizer, samples)
    times = {name: [] for name in (*sides, "gemm", "busy")}
    try:
        for worker in sides.values():
            worker.ask("epoch")  # warm up: load, compile, fill the caches
        for number in range(1, rounds + 1):
            for name, worker in sides.items():
                times[name].append(worker.ask("epoch"))
            times["gemm"].append(sides["course"].ask("products"))
            with busy_core():
                times["busy"].append(sides["course"].ask("epoch"))
            report(
                f"round {number}/{rounds}  "
                + "  ".join(f"{name} {values[-1]:.3f} s" for name, values in times.items())
            )
        memory = sides["course"].ask("memory")
    finally:
        for worker in sides.values():
            worker.close()
    return _figures(model, optimizer, samples, times) | {"peak_memory_mb": memory}


@contextlib.contextmanager
def busy_core():
    """Keep one core busy with another process inside the block."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _figures(model, optimizer, samples, times):
    """Boil the times of all rounds down to medians."""
    ours, torch = times["course"], times.get("torch")

    def median_ratio(values):
        return statistics.median(map(operator.truediv, values, ours))

    return {
        "model": model,
        "optimizer": optimizer,
        "samples": samples,
        "rounds": len(ours),
        "seconds": statistics.median(ours),
        "torch_seconds": torch and statistics.median(torch),
        "ratio_vs_torch": torch and median_ratio(torch),
        "fraction_of_gemm_peak": median_ratio(times["gemm"]),
        "slowdown_when_busy": median_ratio(times["busy"]),
    }
