"""One side of the benchmark: answers "epoch", "products" and "memory" with a number each.

Or with a text, if something fails.

Run as `python -m course.benchmark.worker course|torch MODEL OPTIMIZER SAMPLES` by `compare`.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

from course import mnist, models, xor
from course.benchmark.products import PRODUCTS
from course.nn.blas import gemm
from course.nn.recipe import Recipe

LEARNING_RATE = {"sgd": 0.01, "momentum": 0.01, "adam": 0.001}
REPEATS = 200  # of the matrix products of one step


def digits(samples):
    """Return `samples` digits, repeated if there are fewer: (samples, 784) floats, labels."""
    data = mnist.load()
    images = mnist.to_float(data.train_images).reshape(len(data.train_images), -1)
    chosen = np.arange(samples) % len(images)
    return images[chosen], data.train_labels[chosen]


class CourseSide:
    """Trains the course's model with the course's loop."""

    def __init__(self, model, optimizer, x, y):
        batch_size = models.recipe(model).batch_size
        recipe = Recipe(
            epochs=10**6,  # one at a time, as they are asked for
            batch_size=batch_size,
            validation_split=0.0,
            optimizer=optimizer,
            learning_rate=LEARNING_RATE[optimizer],
        )
        self.x, self.y = x, y
        self.trainer = recipe.trainer(models.build(model))
        self.trainer.begin()
        self.products = PRODUCTS[model](batch_size)
        self.steps = len(x) / batch_size

    def epoch(self):
        """Train one epoch; return its seconds."""
        started = time.perf_counter()
        self.trainer.train_epoch(self.x, self.y)
        return time.perf_counter() - started


class XORSide:
    """Trains the XOR network, one case at a time; the digits are of no use to it."""

    def __init__(self, model, optimizer, x, y):
        self.parameters = models.build(model).parameters.values()
        self.steps = len(x)
        self.products = PRODUCTS[model](batch=1)

    def epoch(self):
        """Take as many steps as there were digits; return the seconds."""
        started = time.perf_counter()
        epochs = self.steps // len(xor.TARGETS)
        xor.train_epochs(xor.INPUTS, xor.TARGETS, *self.parameters, 0.01, epochs, 0.0)
        return time.perf_counter() - started


def gemm_seconds(products, steps):
    """Return the seconds that the matrix products of `steps` training steps take by themselves.

    `products` lists (m, k, n, trans_a, trans_b) of one step.
    """
    random = np.random.default_rng(0).standard_normal

    def operand(rows, columns, transposed):
        shape = (columns, rows) if transposed else (rows, columns)
        return random(shape).astype(np.float32)

    calls = []
    for m, k, n, trans_a, trans_b in products:
        a, b = operand(m, k, trans_a), operand(k, n, trans_b)
        calls.append((a, b, np.empty((m, n), np.float32), trans_a, trans_b))
    started = time.perf_counter()
    for _ in range(REPEATS):
        for a, b, out, trans_a, trans_b in calls:
            gemm(a, b, out, trans_a=trans_a, trans_b=trans_b)
    return (time.perf_counter() - started) / REPEATS * steps


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
    x, y = digits(int(samples))
    if side == "torch":
        from course.benchmark.torch_side import TorchSide as Side
    else:
        Side = XORSide if model == "xor" else CourseSide
    worker = Side(model, optimizer, x, y)
    for line in sys.stdin:
        if line.strip() == "epoch":
            answer = worker.epoch()
        elif line.strip() == "products":
            answer = gemm_seconds(worker.products, worker.steps)
        else:
            answer = peak_memory()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    try:
        serve(*sys.argv[1:])
    except Exception as error:  # whatever it is, the parent shall know
        print(json.dumps(f"{type(error).__name__}: {error}"), flush=True)
