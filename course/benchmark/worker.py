"""One side of the benchmark: answers "epoch", "products", "size" and "memory".

The first two with seconds, "size" with a dict of what an answer to "epoch" covers, "memory" with
MB; or with a text, if something fails.

Run as `python -m course.benchmark.worker course|torch|compile|jax MODEL OPTIMIZER SAMPLES`.
"""

import json
import sys
import time
from pathlib import Path

from course import models
from course.benchmark import products
from course.benchmark.course_side import CourseSide, XORSide, digits


def make_side(side, model, optimizer, samples):
    """Return what trains: an object with `train_epoch()`."""
    if model == "xor":
        return XORSide()
    x, y = digits(samples)
    if side == "course":
        return CourseSide(model, optimizer, x, y)
    if side == "jax":
        from course.benchmark.jax_side import JaxSide

        return JaxSide(model, optimizer, x, y)
    from course.benchmark.torch_side import TorchSide

    return TorchSide(model, optimizer, x, y, compiled=side == "compile")


def epoch_seconds(side):
    started = time.perf_counter()
    side.train_epoch()
    return time.perf_counter() - started


def product_seconds(model, samples):
    """Return the seconds that the matrix products of an epoch take by themselves."""
    batch_size = models.recipe(model).batch_size
    return products.seconds(products.PRODUCTS[model](batch_size)) * samples / batch_size


def peak_memory():
    """Return the most memory this process has had, in MB; None where the system does not tell."""
    try:  # Linux; getrusage would count in what the parent had when it started this process
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return int(status.partition("VmHWM:")[2].split()[0]) / 2**10
    except (OSError, IndexError):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS: bytes


def serve(side, model, optimizer, samples):
    worker = make_side(side, model, optimizer, int(samples))
    answers = {
        "epoch": lambda: epoch_seconds(worker),
        "products": lambda: product_seconds(model, int(samples)),
        "size": lambda: worker.size,
        "memory": peak_memory,
    }
    for line in sys.stdin:
        print(json.dumps(answers[line.strip()]()), flush=True)


if __name__ == "__main__":
    try:
        serve(*sys.argv[1:])
    except Exception as error:  # whatever it is, the parent shall know
        print(json.dumps(f"{type(error).__name__}: {error}"), flush=True)
