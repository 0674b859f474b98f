"""Augmentation: what it does to a picture, and what it leaves alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from course import mnist
from course.mlp import MLP
from course.nn.augmentation import Augmentation, gaussian, smooth, thicken, warp
from course.nn.recipe import Recipe
from course.nn.rng import SimpleRng

NONE = dict.fromkeys(("rotation", "scale", "shift", "shear", "elastic", "thickness"), 0.0)
STRONG = Augmentation(elastic=1.0, thickness=1.0)


@pytest.fixture(scope="module")
def images():
    return mnist.to_float(mnist.load("data/sample").train_images[:40]).reshape(40, 784)


def only(**amounts):
    return Augmentation(**NONE | amounts)


def test_of_nothing_is_nothing(images):
    np.testing.assert_allclose(only()(images, SimpleRng(1)), images, atol=1e-6)


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_pixels_stay_pixels_and_the_same_seed_gives_the_same(seed):
    x = np.random.default_rng(seed).random((5, 28, 28), np.float32)
    before = x.copy()
    changed = STRONG(x, SimpleRng(seed))
    assert changed.shape == x.shape and changed.dtype == x.dtype
    assert changed.min() >= 0 and changed.max() <= 1
    assert np.array_equal(x, before), "the originals are needed again"
    assert np.array_equal(changed, STRONG(x, SimpleRng(seed)))
    assert not np.array_equal(changed, STRONG(x, SimpleRng(seed + 1)))


def test_pictures_are_not_changed_all_alike(images):
    same = np.repeat(images[:1], 40, axis=0)
    changed = STRONG(same, SimpleRng(1))
    assert len(np.unique(changed, axis=0)) == 40


def test_a_matrix_moves_pixels_as_scipy_does(images):
    """The same affine map, with linear interpolation and zeros outside."""
    squares, rng = images.reshape(-1, 28, 28), SimpleRng(3)
    augmentation = Augmentation()
    maps = augmentation.maps(rng.uniform(-1, 1, (len(squares), 7)))
    out = np.empty_like(squares)
    warp(squares, maps, np.zeros((len(squares), 2, 28, 28), np.float32), out)
    for image, ours, matrix in zip(squares, out, maps, strict=True):
        offset = 13.5 + matrix[:, 2] - matrix[:, :2] @ [13.5, 13.5]
        theirs = ndimage.affine_transform(
            image, matrix[:, :2], offset, order=1, mode="grid-constant"
        )
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_each_amount_stays_within_its_bounds():
    amounts = np.array([[s * b for b in (1, 1, 1, 1, 1, 1, 1)] for s in (-1, 1)], np.float32)
    turned = only(rotation=90.0).maps(amounts)
    np.testing.assert_allclose(turned[1, :, :2], [[0, 1], [-1, 0]], atol=1e-6)
    np.testing.assert_allclose(only(shift=2.0).maps(amounts)[:, :, 2], [[-2, -2], [2, 2]])
    scaled = only(scale=0.25).maps(amounts)
    np.testing.assert_allclose(scaled[1, :, :2], np.eye(2) / 1.25, atol=1e-6)  # larger


def test_elastic_moves_are_smooth_and_as_long_as_asked_for():
    moves = SimpleRng(1).uniform(-1, 1, (200, 2, 28, 28))
    smooth(moves, gaussian(4.0), np.float32(1.5))
    inner = moves[:, :, 10:18, 10:18]  # at the border, part of the kernel meets nothing
    assert inner.std() == pytest.approx(1.5, rel=0.1)
    steps = np.diff(inner, axis=3)
    assert steps.std() < 0.4 * inner.std()


def test_strokes_become_thicker_and_thinner_and_nothing_else(images):
    squares = images.reshape(-1, 28, 28)
    cross = ndimage.generate_binary_structure(2, 1)[None]
    for amount, extreme in ((1, ndimage.grey_dilation), (-1, ndimage.grey_erosion)):
        found = squares.copy()
        thicken(found, np.full(40, amount, np.float32))
        np.testing.assert_allclose(
            found, extreme(squares, footprint=cross, mode="constant"), atol=1e-6
        )


def test_a_recipe_augments_but_in_its_plain_epochs(images, monkeypatch):
    seen = []

    class Spy(MLP):
        def forward(self, x):
            seen.append(x.copy())
            return super().forward(x)

    recipe = Recipe(epochs=3, batch_size=40, augment=True, plain_epochs=2, validation_split=0.0)
    recipe.trainer(Spy()).fit(images, np.zeros(40, np.uint8))
    changed = [not np.isin(x, images).all() for x in seen]
    assert changed == [True, False, False]


def test_pictures_that_are_no_squares_are_refused():
    with pytest.raises(ValueError, match=r"square images, not ones of shape \(2, 785\)"):
        STRONG(np.zeros((2, 785), np.float32), SimpleRng(1))
