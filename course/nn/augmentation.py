"""Augmentation: every epoch another copy of each picture, moved, turned, bent, thicker or thinner.

A network that has seen each digit in many guises learns what they have in common. What a digit may
go through without becoming another is knowledge about digits, put in by hand: turned by 12 degrees
a 6 is a 6, turned by 180 it is a 9. Simard, Steinkraus & Platt, "Best practices for convolutional
neural networks applied to visual document analysis", ICDAR 2003, sections 2 and 3.
"""

import math
from dataclasses import dataclass

import numpy as np

from course.nn import shares
from course.nn.compiled import REGROUP, jit


@dataclass(frozen=True)
class Augmentation:
    """How far pictures are changed at most; each draws its own amounts, evenly, in both directions.

    >>> Augmentation()(images, rng)  # (batch, 784) in [0, 1], a SimpleRng
    """

    rotation: float = 12.0  # degrees
    scale: float = 0.12  # share of the size, of height and width each
    shift: float = 2.5  # pixels
    shear: float = 0.2  # columns by which a row moves for each row that it is from the middle
    elastic: float = 0.0  # pixels by which a place moves, as a standard deviation
    smoothness: float = 4.0  # pixels: standard deviation of the Gaussian that smooths the moves
    # 1: each pixel as strong as the strongest of its neighbors at most, or as the weakest. It
    # changes little for MNIST's digits, and much for those of other people's pens.
    thickness: float = 0.5

    def __call__(self, images, rng):
        """Return changed copies of square images (batch, ...), drawing from `rng`.

        Raises ValueError for images whose pixels make no square.
        """
        batch, side = len(images), math.isqrt(images[0].size)
        if side * side != images[0].size:
            raise ValueError(f"augmentation takes square images, not ones of shape {images.shape}")
        squares = images.reshape(batch, side, side)
        amounts = rng.uniform(-1.0, 1.0, (batch, 7))
        moves = np.zeros((batch, 2, side, side), np.float32)
        if self.elastic:
            moves = rng.uniform(-1.0, 1.0, moves.shape)
        maps = self.maps(amounts)
        kernel = gaussian(self.smoothness)
        changed = np.empty_like(squares)

        def task(part):
            if self.elastic:
                smooth(moves[part], kernel, np.float32(self.elastic))
            warp(squares[part], maps[part], moves[part], changed[part])
            if self.thickness:
                thicken(changed[part], np.float32(self.thickness) * amounts[part, 6])

        shares.in_slices(task, batch)
        return changed.reshape(images.shape)

    def maps(self, amounts):
        """Where pixels come from: (batch, 2, 3), a matrix and a shift about the middle each."""
        angle = np.deg2rad(self.rotation) * amounts[:, 0]
        tall, wide = 1.0 + self.scale * amounts[:, 1], 1.0 + self.scale * amounts[:, 2]
        lean = self.shear * amounts[:, 3]
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        stretch = np.array([[1.0 / tall, 0.0 * lean], [lean / tall, 1.0 / wide]])
        matrix = np.einsum("ijb,jkb->bik", turn, stretch)  # (batch, 2, 2)
        shift = self.shift * amounts[:, 4:6, None]  # (batch, 2, 1)
        return np.concatenate([matrix, shift], axis=2).astype(np.float32)


def gaussian(deviation):
    """A Gaussian bell (2 r + 1,), out to r = two deviations, of sum 1."""
    places = np.arange(-int(2 * deviation), int(2 * deviation) + 1)
    bell = np.exp(-0.5 * np.square(places / deviation))
    return (bell / bell.sum()).astype(np.float32)


def warp_numpy(images, maps, moves, out):
    """Same as `warp`, for all pixels at once."""
    _, height, width = images.shape
    framed = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    y, x = np.arange(height, dtype=np.float32), np.arange(width, dtype=np.float32)
    middle_r, middle_s = np.float32((height - 1) / 2), np.float32((width - 1) / 2)
    (a, b, c), (d, e, f) = np.moveaxis(maps, 0, -1)[..., None, None]  # each (batch, 1, 1)
    y, x = y[:, None] - middle_r, x - middle_s  # (height, 1), (width,)
    from_r = a * y + b * x + c + middle_r + moves[:, 0] + np.float32(1)  # (batch, height, width)
    from_s = d * y + e * x + f + middle_s + moves[:, 1] + np.float32(1)
    from_r = from_r.clip(0, np.float32(height + 1))
    from_s = from_s.clip(0, np.float32(width + 1))
    i = np.minimum(from_r.astype(np.intp), height)
    j = np.minimum(from_s.astype(np.intp), width)
    down, right = from_r - i.astype(np.float32), from_s - j.astype(np.float32)
    n = np.arange(len(images))[:, None, None]
    above = framed[n, i, j] + right * (framed[n, i, j + 1] - framed[n, i, j])
    below = framed[n, i + 1, j] + right * (framed[n, i + 1, j + 1] - framed[n, i + 1, j])
    out[:] = above + down * (below - above)


@jit(nogil=True, fastmath=REGROUP, numpy=warp_numpy)
def warp(images, maps, moves, out):
    """Fetch each pixel from where `maps` and `moves` (batch, 2, h, w) send it.

    Between pixels it is the mean of the four around, each weighted by how near it is (bilinear
    interpolation); outside of the picture all is 0.
    """
    batch, height, width = images.shape
    middle_r, middle_s = np.float32((height - 1) / 2), np.float32((width - 1) / 2)
    framed = np.zeros((height + 2, width + 2), images.dtype)
    for n in range(batch):
        framed[1:-1, 1:-1] = images[n]
        a, b, c = maps[n, 0]
        d, e, f = maps[n, 1]
        for r in range(height):
            for s in range(width):
                y, x = r - middle_r, s - middle_s
                from_r = a * y + b * x + c + middle_r + moves[n, 0, r, s] + np.float32(1)
                from_s = d * y + e * x + f + middle_s + moves[n, 1, r, s] + np.float32(1)
                from_r = min(max(from_r, np.float32(0)), np.float32(height + 1))
                from_s = min(max(from_s, np.float32(0)), np.float32(width + 1))
                i, j = min(int(from_r), height), min(int(from_s), width)
                down, right = from_r - i, from_s - j
                above = framed[i, j] + right * (framed[i, j + 1] - framed[i, j])
                below = framed[i + 1, j] + right * (framed[i + 1, j + 1] - framed[i + 1, j])
                out[n, r, s] = above + down * (below - above)


def smooth_numpy(moves, kernel, deviation):
    """Same as `smooth`: each number of the kernel multiplies all moves, shifted, at once."""
    height, width = moves.shape[2:]
    radius = len(kernel) // 2
    framed = np.pad(moves, ((0, 0), (0, 0), (radius, radius), (radius, radius)))
    across = sum(k * framed[..., i : i + width] for i, k in enumerate(kernel))
    # Of numbers even between -1 and 1 the variance is 1/3; sums of them with weights k^2 of it.
    scale = deviation / (np.sum(kernel * kernel) * np.float32(np.sqrt(1 / 3)))
    moves[:] = sum(scale * k * across[:, :, i : i + height] for i, k in enumerate(kernel))


@jit(nogil=True, fastmath=REGROUP, numpy=smooth_numpy)
def smooth(moves, kernel, deviation):
    """Smooth `moves` (batch, 2, h, w) in place by the kernel, along rows and columns.

    Afterwards they have the standard deviation `deviation`.
    """
    batch, _, height, width = moves.shape
    radius = len(kernel) // 2
    framed = np.zeros((height + 2 * radius, width + 2 * radius), moves.dtype)
    across = np.zeros((height + 2 * radius, width), moves.dtype)
    # Of numbers even between -1 and 1 the variance is 1/3; sums of them with weights k^2 of it.
    scale = deviation / (np.sum(kernel * kernel) * np.float32(np.sqrt(1 / 3)))
    for n in range(batch):
        for axis in range(2):
            framed[radius : radius + height, radius : radius + width] = moves[n, axis]
            across[:] = 0
            for k in range(len(kernel)):
                for r in range(radius, radius + height):
                    for s in range(width):
                        across[r, s] += kernel[k] * framed[r, s + k]
            moves[n, axis] = 0
            for k in range(len(kernel)):
                for r in range(height):
                    for s in range(width):
                        moves[n, axis, r, s] += scale * kernel[k] * across[r + k, s]


def thicken_numpy(images, amounts):
    """Same as `thicken`: the images, shifted by one to every side, in a pile."""
    framed = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    middle = framed[:, 1:-1, 1:-1]
    pile = [middle, framed[:, :-2, 1:-1], framed[:, 2:, 1:-1]]
    pile += [framed[:, 1:-1, :-2], framed[:, 1:-1, 2:]]
    amounts = amounts[:, None, None]
    target = np.where(amounts > 0, np.maximum.reduce(pile), np.minimum.reduce(pile))
    images[:] = middle + np.abs(amounts) * (target - middle)


@jit(nogil=True, fastmath=REGROUP, numpy=thicken_numpy)
def thicken(images, amounts):
    """Move each pixel toward the largest of itself and its four neighbors, or the smallest.

    By a share of the way: amounts (batch,), above 0 toward the largest, below toward the smallest.
    """
    batch, height, width = images.shape
    framed = np.zeros((height + 2, width + 2), images.dtype)
    for n in range(batch):
        framed[1:-1, 1:-1] = images[n]
        amount = abs(amounts[n])
        for r in range(height):
            for s in range(width):
                above, below = framed[r, s + 1], framed[r + 2, s + 1]
                left, right = framed[r + 1, s], framed[r + 1, s + 2]
                middle = framed[r + 1, s + 1]
                if amounts[n] > 0:
                    target = max(max(max(above, below), max(left, right)), middle)
                else:
                    target = min(min(min(above, below), min(left, right)), middle)
                images[n, r, s] = middle + amount * (target - middle)
