"""What automatic differentiation costs: a training step's gradients, by hand and by `autograd`.

Both ways compute the same gradients of the same batch, on one core each, so that the ways are
compared and not how they share out their work.
"""

import statistics
import time

import numpy as np
from threadpoolctl import threadpool_limits

from course import autograd, models, xor
from course.benchmark.course_side import digits
from course.nn import shares

LOSSES = {
    "mlp": autograd.mlp_loss,
    "cnn": autograd.cnn_loss,
    "attention": lambda w, x, y: autograd.attention_loss(w, x.reshape(-1, 28, 28), y),
    "xor": autograd.xor_loss,
}


def sides(model, **options):
    """Return (by hand, by autograd): two functions that compute the gradients of one batch.

    Each returns {name: gradient}. `model` is one of `LOSSES`, built with `options`, as
    dtype=np.float64; the batch has its recipe's size, all four cases for XOR.
    """
    network, loss_of = models.build(model, **options), LOSSES[model]
    x, y = digits(models.recipe(model).batch_size)
    if model == "xor":
        x, y = xor.INPUTS, xor.TARGETS
    x = x.astype(options.get("dtype", x.dtype))

    def by_hand():
        if hasattr(network, "loss_and_gradients"):
            network.loss_and_gradients(x, y)
        else:
            _, dy = network.loss_fn(network.forward(x), y)
            network.backward(dy)
        return network.gradients

    def by_autograd():
        w = autograd.tensors(network.parameters)
        loss_of(w, x, y).backward()
        return {name: tensor.grad for name, tensor in w.items()}

    return by_hand, by_autograd


def measure(names=tuple(LOSSES), rounds=20):
    """Return {model: (milliseconds by hand, by autograd, how many times as long)}.

    Medians of `rounds` in which both take turns; the ratio is taken round by round.
    """
    figures = {}
    with shares.limit(1), threadpool_limits(1):
        for name in names:
            both = sides(name)
            for compute in both:
                compute()  # warm up: load, compile, fill the caches
            times = np.array([[milliseconds(compute) for compute in both] for _ in range(rounds)])
            ratios = times[:, 1] / times[:, 0]
            figures[name] = tuple(map(statistics.median, (*times.T.tolist(), ratios.tolist())))
    return figures


def milliseconds(compute):
    started = time.perf_counter()
    compute()
    return 1000 * (time.perf_counter() - started)


def table(figures):
    """The figures as text, one line for each model."""
    lines = [f"{'model':<10}{'by hand':>12}{'autograd':>12}{'times as long':>16}"]
    for name, (by_hand, by_autograd, ratio) in figures.items():
        lines.append(f"{name:<10}{by_hand:>9.3g} ms{by_autograd:>9.3g} ms{ratio:>16.2g}")
    return "\n".join(lines)
