"""Loops or one product? What a convolution takes in both ways, there and back, by channels.

The product needs a matrix besides, with every pixel as often as it is met; the loops need none. So
the question is from how many channels on that is worth it: `course.cnn.PRODUCT_FROM` answers it.
"""

import statistics
import time

import numpy as np

from course import cnn, im2col

CHANNELS = (1, 2, 4, 8, 16, 32)
IMAGES, SIZE, KERNEL, FILTERS = 25, 14, 3, 16
WAYS = {"loops": cnn, "product": im2col}


def sides(channels):
    """Return {way: function that convolves a batch and goes all the way back}."""
    random = np.random.default_rng(0)

    def numbers(*shape):
        return random.standard_normal(shape, np.float32)

    padded = SIZE + KERNEL - 1
    x, w = numbers(IMAGES, channels, padded, padded), numbers(FILTERS, channels, KERNEL, KERNEL)
    b, dy = numbers(FILTERS), numbers(IMAGES, FILTERS, SIZE, SIZE)

    def there_and_back(way):
        return (
            way.convolve(x, w, b),
            *way.convolve_backward_weights(x, w, dy),
            way.convolve_backward_input(x, w, dy),
        )

    return {name: lambda way=way: there_and_back(way) for name, way in WAYS.items()}


def measure(channels=CHANNELS, rounds=15, repeats=20):
    """Return one dict for each number of channels: microseconds an image, ratio, matrix in KiB.

    Medians of `rounds` in which both take turns, on one core; `ratio` is that of the loops' time to
    the product's, round by round.
    """
    results = []
    for count in channels:
        both = sides(count)
        for compute in both.values():
            compute()  # compile, fill the caches
        times = np.array(
            [[_seconds(compute, repeats) for compute in both.values()] for _ in range(rounds)]
        )
        of_way = 1e6 * np.median(times, axis=0) / (IMAGES * repeats)
        matrix = count * KERNEL**2 * SIZE**2
        results.append(
            {
                "channels": count,
                **dict(zip(both, of_way.tolist(), strict=True)),
                "ratio": statistics.median((times[:, 0] / times[:, 1]).tolist()),
                "matrix_kib": 4 * matrix / 1024,
            }
        )
    return results


def _seconds(compute, repeats):
    started = time.perf_counter()
    for _ in range(repeats):
        compute()
    return time.perf_counter() - started


def table(results):
    """The figures as text, one line for each number of channels."""
    lines = [
        f"{FILTERS} kernels of {KERNEL}x{KERNEL} on {SIZE}x{SIZE} pixels, microseconds an image",
        f"{'channels':>8}{'loops':>10}{'product':>10}{'loops take':>13}{'its matrix':>14}",
    ]
    lines += [
        f"{r['channels']:>8}{r['loops']:>10.1f}{r['product']:>10.1f}{r['ratio']:>12.2f}x"
        f"{r['matrix_kib']:>10.0f} KiB"
        for r in results
    ]
    return "\n".join(lines)
