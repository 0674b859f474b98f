"""The attention model for the rest of the course: weights with names, batches cut into shares."""

import numpy as np

from course.attention.image import Options, backward_share, forward_share, train_share
from course.attention.weights import POSITIONS, draw
from course.nn import shares
from course.nn.layers import Layer
from course.nn.losses import as_labels
from course.nn.recipe import Recipe
from course.nn.rng import SimpleRng

# Full MNIST, all 60,000, seeds 1 to 3: 97.92, 97.57, 97.71 %. With Adam's usual beta2 of 0.999, a
# memory of a thousand steps, about 0.2 points less: the gradients change their size faster here.
RECIPE = Recipe(
    epochs=8,
    batch_size=32,
    optimizer="adam",
    learning_rate=0.005,
    schedule="one_cycle",
    beta2=0.99,
)


class PatchAttention(Layer):
    """Images (batch, height * width) or (batch, 1, height, width) in [0, 1] -> logits.

    The logits are (batch, outputs). `residual` adds the tokens to what attention gives, and the
    result to what the feed-forward layer gives; `layer_norm` normalizes what goes into both. That
    is the "pre-norm" transformer (Xiong et al., "On Layer Normalization in the Transformer
    Architecture", ICML 2020), which trains without much care. Raises ValueError for sizes or
    positions that cannot be.
    """

    name = "attention"

    def __init__(
        self,
        seed=1,
        height=28,
        width=28,
        patch=4,
        d_model=64,
        d_ff=128,
        outputs=10,
        positions="sinusoidal",
        residual=False,
        layer_norm=False,
        dtype=np.float32,
    ):
        super().__init__()
        if min(height, width, patch, d_model, d_ff, outputs) < 1:
            raise ValueError("all sizes of an attention model must be at least 1")
        if height % patch or width % patch:
            raise ValueError(f"{height}x{width} pixels cannot be cut into {patch}x{patch} patches")
        if positions not in POSITIONS:
            raise ValueError(f"unknown positions {positions!r}: use one of {', '.join(POSITIONS)}")
        self.config = {
            "height": height,
            "width": width,
            "patch": patch,
            "d_model": d_model,
            "d_ff": d_ff,
            "outputs": outputs,
            "positions": positions,
            "residual": residual,
            "layer_norm": layer_norm,
        }
        self.height, self.width, self.dtype = height, width, np.dtype(dtype)
        self.tokens = (height // patch) * (width // patch)
        self.options = Options(patch, bool(residual), bool(layer_norm))
        sizes = (self.tokens, patch * patch, d_model, d_ff, outputs)
        self.weights = draw(SimpleRng(seed), *sizes, positions, layer_norm, self.dtype)
        self._shared = shares.Gradients(self.weights)
        for name, w in self.weights._asdict().items():
            if w.size:
                self.parameters[name], self.gradients[name] = w, getattr(self._shared.total, name)

    def forward(self, x):
        self.x = x
        logits, _ = self._forward(x, keep_attention=False)
        return logits

    def attention_weights(self, x):
        """What every token looks at: (batch, tokens, tokens), each row sums to 1."""
        _, attention = self._forward(x, keep_attention=True)
        return attention

    def _forward(self, x, keep_attention):
        images = self._images(x)
        batch = len(images)
        logits = np.zeros((batch, self.config["outputs"]), self.dtype)
        attention = np.zeros((batch * keep_attention, self.tokens, self.tokens), self.dtype)

        def task(part):
            forward_share(images[part], self.weights, self.options, logits[part], attention[part])

        shares.in_slices(task, batch)
        return logits, attention

    def backward(self, dlogits):
        images = self._images(self.x)
        dlogits = np.require(dlogits, self.dtype, ["C_CONTIGUOUS", "WRITEABLE"])
        dx = np.empty(images.shape, self.dtype)

        def task(part, g):
            backward_share(images[part], dlogits[part], self.weights, g, self.options, dx[part])

        self._shared.add_up(task, len(images))
        return dx.reshape(np.shape(self.x))

    def loss_and_gradients(self, x, labels):
        """Softmax cross-entropy, forward and backward in one go: what training calls.

        Returns (mean loss, number read correctly) and leaves what `backward` would in `gradients`.
        An image's tensors go back through while they are still in the cache, and nothing has to be
        computed twice.
        """
        images = self._images(x)
        batch = len(images)
        labels = as_labels(labels, batch, self.config["outputs"])

        def task(part, g):
            return train_share(images[part], labels[part], batch, self.weights, g, self.options)

        losses, correct = zip(*self._shared.add_up(task, batch), strict=True)
        return sum(losses) / batch, sum(correct)

    def _images(self, x):
        """x as (batch, height, width) of the model's dtype, in an array that can be written."""
        x = np.require(x, self.dtype, ["C_CONTIGUOUS", "WRITEABLE"])
        shapes = [(self.height * self.width,), (1, self.height, self.width)]
        if x.shape[1:] not in shapes or len(x) == 0:
            raise ValueError(
                f"expected images (batch, {shapes[0][0]}) or (batch, 1, {self.height}, "
                f"{self.width}), got {x.shape}"
            )
        return x.reshape(-1, self.height, self.width)
