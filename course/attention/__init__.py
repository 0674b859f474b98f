"""Lesson 04: patch attention.

An image is cut into patches, each patch becomes a token (a vector), and every token looks at all
the others and takes from each as much as it finds relevant. That is self-attention (Vaswani et al.,
"Attention Is All You Need", NeurIPS 2017, section 3.2.1), on patches as in the vision transformer
(Dosovitskiy et al., "An Image Is Worth 16x16 Words", ICLR 2021). With the sizes of the lesson:

    image (28, 28) -> patches (49, 16) -> tokens (49, 64)       dense + positions, ReLU
    tokens -> query, key, value (49, 64)                        three dense layers
    query @ key^T / sqrt(64) -> attention (49, 49)              softmax: each row sums to 1
    attention @ value -> attended (49, 64)
    attended -> hidden (49, 128) -> features (49, 64)           feed-forward, ReLU between
    mean over the tokens -> pooled (64,) -> logits (10,)

Read `reference` first, which says it in NumPy, a line for each step; then `image`, the compiled
form that trains; `weights` names what is learned, and `model` makes a model of it. Where
nothing can be compiled, as in a browser, `batch` stands in for `image`.
"""

from course.attention.model import RECIPE, PatchAttention
from course.attention.weights import POSITIONS, Weights

__all__ = ["POSITIONS", "RECIPE", "PatchAttention", "Weights"]
