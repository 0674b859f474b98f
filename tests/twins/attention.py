"""Lesson 04's shares of a batch, in float64: `test_attention_twins` has float32."""

import numpy as np
from hypothesis import strategies as st
from twins.case import Case, randoms

from course.attention import PatchAttention, batch, image, reference

sizes = st.integers(1, 6)
counts = st.sampled_from([1, 3, batch.IMAGES, 2 * batch.IMAGES + 3])


@st.composite
def models(draw):
    """A model of any kind with weights unlike its first ones, and a source of numbers."""
    random, patch = draw(randoms), draw(st.integers(1, 3))
    model = PatchAttention(
        height=patch * draw(st.integers(1, 3)),
        width=patch * draw(st.integers(1, 3)),
        patch=patch,
        d_model=draw(sizes),
        d_ff=draw(sizes),
        outputs=draw(sizes),
        residual=draw(st.booleans()),
        layer_norm=draw(st.booleans()),
        dtype=np.float64,
    )
    for parameter in model.parameters.values():
        parameter += 0.3 * random.standard_normal(parameter.shape)
    return model, random


@st.composite
def shares(draw):
    """A model, a source of numbers, images, and gradients to add to."""
    model, random = draw(models())
    images = random.random((draw(counts), model.height, model.width))
    g = type(model.weights)(*(random.standard_normal(w.shape) for w in model.weights))
    return model, random, images, g


def to_train(share):
    model, random, images, g = share
    labels = random.integers(0, model.config["outputs"], len(images))
    return images, labels, len(images) + 5, model.weights, g, model.options


def to_read(share, keep_attention):
    model, _, images, _ = share
    logits = np.zeros((len(images), model.config["outputs"]))
    attention = np.zeros((len(images) * keep_attention, model.tokens, model.tokens))
    return images, model.weights, model.options, logits, attention


def to_go_back(share):
    model, random, images, g = share
    dlogits = random.standard_normal((len(images), model.config["outputs"]))
    return images, dlogits, model.weights, g, model.options, np.zeros_like(images)


def bound(*arguments):
    """A number has gone through less than a thousand roundings, there, back and over the images.

    Each is by up to 1.1e-16 of a number, and none is above a thousand.
    """
    return 1000 * 1.1e-16 * 1000


CASES = [
    Case(image.train_share, shares().map(to_train), bound),
    Case(image.forward_share, shares().map(lambda share: to_read(share, False)), bound),
    Case(image.forward_share, shares().map(lambda share: to_read(share, True)), bound),
    Case(image.backward_share, shares().map(to_go_back), bound),
]
OF_ONE_IMAGE = [
    image.attention_head,
    image.attention_head_backward,
    image.forward_image,
    image.backward_image,
    image.transpose,
    image.cut_patches,
    image.paste_patches,
    image.add,
    image.add_rows,
    image.mean_of_rows,
    image.spread,
    image.dense,
    image.dense_backward,
    image.relu,
    image.relu_backward,
    image.softmax_rows,
    image.softmax_rows_backward,
    image.normalize,
    image.layer_norm,
    image.layer_norm_backward,
    image.cross_entropy,
]
WITHOUT_TWIN = dict.fromkeys(OF_ONE_IMAGE, "small, and a part of what has one") | {
    reference.head_textbook: "stands beside NumPy's, to be compared",
    reference.head_ordered: "stands beside NumPy's, to be compared",
}
