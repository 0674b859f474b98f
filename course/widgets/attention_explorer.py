"""Lesson 04: point at a patch of a digit, and see where it looks, and why."""

from pathlib import Path

import anywidget
import numpy as np
from traitlets import Dict

from course import plots
from course.widgets.without_kernel import WithoutKernel

HERE = Path(__file__).parent
PARTS = ("common.js", "attention_head.js", "attention_explorer.js")
USED = [  # from the patches to who looks at whom
    *("patch_w", "patch_b", "positions", "norm1_gain", "norm1_bias"),
    *("query_w", "query_b", "key_w", "key_b"),
]


class AttentionExplorer(WithoutKernel, anywidget.AnyWidget):
    """Shows a patch's row of the attention matrix over the digit, in the matrix, and as products.

    The page gets the weights once and computes everything itself, so it needs no kernel. Where
    there is no page that runs it, the first digit is shown as a picture.

    Args:
        model: a `PatchAttention`; what it learns later is not seen.
        digits: what the reader can choose from, images as `model.forward` takes them.
            Raises ValueError, as `model.forward` does, for others.
    """

    _esm = "\n".join((HERE / name).read_text("utf-8") for name in PARTS)
    _css = HERE / "attention_explorer.css"

    weights = Dict().tag(sync=True)  # name -> array, packed
    options = Dict().tag(sync=True)  # sizes, and whether there is a layer norm
    digits = Dict().tag(sync=True)  # (digits, height * width), packed

    def __init__(self, model, digits):
        attention = model.attention_weights(digits)  # (digits, tokens, tokens)
        digits = np.reshape(digits, (len(digits), -1))  # (digits, height * width)
        sizes = {name: model.config[name] for name in ("height", "width", "patch", "layer_norm")}
        weights = {name: packed(getattr(model.weights, name)) for name in USED}
        super().__init__(weights=weights, options=sizes, digits=packed(digits))
        self.still = digits[0].reshape(model.height, model.width), attention[0]

    def __repr__(self):
        return f"AttentionExplorer({self.digits['shape'][0]} digits)"

    def _repr_mimebundle_(self, **kwargs):
        """The live widget, with a still picture for where nothing runs (GitHub, paper)."""
        data, metadata = super()._repr_mimebundle_(**kwargs)
        picture, described = plots.attention_maps(*self.still)._repr_mimebundle_()
        return data | picture | {"text/plain": repr(self)}, metadata | described


def packed(array):
    """An array for the page: its shape, and its numbers as the bytes of float32."""
    return {"shape": array.shape, "data": np.ascontiguousarray(array, "<f4").tobytes()}
