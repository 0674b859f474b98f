"""All that the attention model learns: its names, its shapes, and where it starts."""

from typing import NamedTuple

import numpy as np

from course.nn.rng import xavier_uniform


class Weights(NamedTuple):
    """All that is learned, in the order of the way through the network."""

    patch_w: np.ndarray  # (patch * patch, d_model)
    patch_b: np.ndarray  # (d_model,)
    positions: np.ndarray  # (tokens, d_model)
    norm1_gain: np.ndarray  # (d_model,); the four of the layer norms are empty without them
    norm1_bias: np.ndarray  # (d_model,)
    query_w: np.ndarray  # (d_model, d_model)
    query_b: np.ndarray  # (d_model,)
    key_w: np.ndarray  # (d_model, d_model)
    key_b: np.ndarray  # (d_model,)
    value_w: np.ndarray  # (d_model, d_model)
    value_b: np.ndarray  # (d_model,)
    norm2_gain: np.ndarray  # (d_model,)
    norm2_bias: np.ndarray  # (d_model,)
    ff1_w: np.ndarray  # (d_model, d_ff)
    ff1_b: np.ndarray  # (d_ff,)
    ff2_w: np.ndarray  # (d_ff, d_model)
    ff2_b: np.ndarray  # (d_model,)
    classifier_w: np.ndarray  # (d_model, outputs)
    classifier_b: np.ndarray  # (outputs,)


def sinusoidal_positions(tokens, d_model):
    """Sines and cosines of falling frequency (Vaswani et al. 2017, section 3.5): (tokens, d_model).

    Column 2i is sin(token / 10000^(2i / d_model)), column 2i + 1 the cosine of the same.
    """
    columns = np.arange(d_model)
    angles = np.arange(tokens)[:, None] / 10_000 ** (columns // 2 * 2 / d_model)
    return np.where(columns % 2 == 0, np.sin(angles), np.cos(angles))


# Where the positions start, to be learned from there: functions of (rng, (tokens, d_model)).
POSITIONS = {
    "sinusoidal": lambda rng, shape: sinusoidal_positions(*shape),
    "random_small": lambda rng, shape: rng.uniform(-0.1, 0.1, shape),
    "random_large": lambda rng, shape: rng.uniform(-0.5, 0.5, shape),
    "xavier": lambda rng, shape: xavier_uniform(rng, *shape, shape),
    "zero": lambda rng, shape: np.zeros(shape),
}


def draw(rng, tokens, pixels, d_model, d_ff, outputs, positions, layer_norm, dtype) -> Weights:
    """Xavier uniform in the order of `Weights`, biases 0, layer norms (if any) 1 and 0."""

    def weight(inputs, outputs):
        return xavier_uniform(rng, inputs, outputs, (inputs, outputs))

    zeros, normed = np.zeros, d_model * layer_norm
    arrays = Weights(
        patch_w=weight(pixels, d_model),
        patch_b=zeros(d_model),
        positions=POSITIONS[positions](rng, (tokens, d_model)),
        norm1_gain=np.ones(normed),
        norm1_bias=zeros(normed),
        query_w=weight(d_model, d_model),
        query_b=zeros(d_model),
        key_w=weight(d_model, d_model),
        key_b=zeros(d_model),
        value_w=weight(d_model, d_model),
        value_b=zeros(d_model),
        norm2_gain=np.ones(normed),
        norm2_bias=zeros(normed),
        ff1_w=weight(d_model, d_ff),
        ff1_b=zeros(d_ff),
        ff2_w=weight(d_ff, d_model),
        ff2_b=zeros(d_model),
        classifier_w=weight(d_model, outputs),
        classifier_b=zeros(outputs),
    )
    return Weights(*(np.ascontiguousarray(array, dtype) for array in arrays))
