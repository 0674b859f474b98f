"""Lesson 04: patch attention, one image at a time.

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

`forward_image` and `backward_image` are the whole of it and are what trains. `np.dot` is BLAS here.
A tensor of one image is a few kilobytes, so an image stays in the processor's cache all the way
there and back, which is why images are taken one by one. `course.attention_reference` has the same
mathematics as plainly as NumPy can say it.
"""

import math
from concurrent.futures import ThreadPoolExecutor, wait
from typing import NamedTuple

import numba
import numpy as np

from course.attention_blocks import (
    add,
    add_rows,
    cross_entropy,
    cut_patches,
    dense,
    dense_backward,
    layer_norm,
    layer_norm_backward,
    mean_of_rows,
    paste_patches,
    relu,
    relu_backward,
    softmax_rows,
    softmax_rows_backward,
    spread,
)
from course.nn import blas
from course.nn.compiled import jit
from course.nn.layers import Layer
from course.nn.recipe import Recipe
from course.nn.rng import SimpleRng, xavier_uniform

# Full MNIST, all 60,000, seeds 1 to 3: 97.82, 97.80, 97.67 %. With Adam's usual beta2 of 0.999, a
# memory of a thousand steps, about 0.2 points less: the gradients change their size faster here.
RECIPE = Recipe(
    epochs=8,
    batch_size=32,
    optimizer="adam",
    learning_rate=0.005,
    schedule="one_cycle",
    beta2=0.99,
)
# A batch is cut into this many shares. Beyond eight, adding up costs more than another core brings.
SHARES = min(numba.config.NUMBA_NUM_THREADS, 8)
POOL = ThreadPoolExecutor(SHARES)  # compiled code with nogil runs outside Python's lock


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


class Options(NamedTuple):
    """What the compiled functions have to know besides the weights."""

    patch: int  # a patch is patch * patch pixels
    residual: bool
    layer_norm: bool


class Turned(NamedTuple):
    """The weight matrices transposed: the way back multiplies by these, row by row."""

    query_w: np.ndarray
    key_w: np.ndarray
    value_w: np.ndarray
    ff1_w: np.ndarray
    ff2_w: np.ndarray
    classifier_w: np.ndarray


class Head(NamedTuple):
    """What the attention head computed for one image."""

    query: np.ndarray  # (tokens, d_model)
    key: np.ndarray  # (tokens, d_model)
    value: np.ndarray  # (tokens, d_model)
    attention: np.ndarray  # (tokens, tokens): row i says how much token i takes from each token


class Tensors(NamedTuple):
    """What one image leaves on its way through, for the way back."""

    patches: np.ndarray  # (tokens, patch * patch)
    tokens: np.ndarray  # (tokens, d_model)
    head_input: np.ndarray  # (tokens, d_model): the tokens, normalized with layer norm
    head: Head
    attended: np.ndarray  # (tokens, d_model), with a residual connection: + tokens
    ff_input: np.ndarray  # (tokens, d_model): attended, normalized with layer norm
    hidden: np.ndarray  # (tokens, d_ff)
    mean_hidden: np.ndarray  # (1, d_ff)
    pooled: np.ndarray  # (1, d_model)


# ---- One image through the network and back -----------------------------------------------------


@jit
def attention_head(x, w):
    """softmax(Q K^T / sqrt(d_model)) V for the tokens x (tokens, d_model)."""
    query = dense(x, w.query_w, w.query_b)  # (tokens, d_model)
    key = dense(x, w.key_w, w.key_b)  # (tokens, d_model)
    value = dense(x, w.value_w, w.value_b)  # (tokens, d_model)
    attention = np.dot(query, np.ascontiguousarray(key.T))  # (tokens, tokens): still the scores
    softmax_rows(attention, x.dtype.type(1 / math.sqrt(x.shape[1])))
    attended = np.dot(attention, value)  # (tokens, d_model)
    return attended, Head(query, key, value, attention)


@jit
def attention_head_backward(dattended, x, head, turned, g):
    """Add to the gradients g of the query, key and value weights, return dx (tokens, d_model)."""
    dvalue = np.dot(head.attention.T, dattended)  # (tokens, d_model)
    dscores = np.dot(dattended, np.ascontiguousarray(head.value.T))  # (tokens, tokens)
    softmax_rows_backward(dscores, head.attention, x.dtype.type(1 / math.sqrt(x.shape[1])))
    dquery = np.dot(dscores, head.key)  # (tokens, d_model)
    dkey = np.dot(dscores.T, head.query)  # (tokens, d_model)
    dx = dense_backward(dquery, x, turned.query_w, g.query_w, g.query_b)  # (tokens, d_model)
    add(dx, dense_backward(dkey, x, turned.key_w, g.key_w, g.key_b))
    add(dx, dense_backward(dvalue, x, turned.value_w, g.value_w, g.value_b))
    return dx


@jit
def forward_image(image, w, options):
    """image (height, width) -> logits (1, outputs), and the tensors for the way back."""
    patches = cut_patches(image, options.patch)  # (tokens, patch * patch)
    tokens = dense(patches, w.patch_w, w.patch_b)  # (tokens, d_model)
    add(tokens, w.positions)
    relu(tokens)

    head_input = layer_norm(tokens, w.norm1_gain, w.norm1_bias) if options.layer_norm else tokens
    attended, head = attention_head(head_input, w)  # (tokens, d_model)
    if options.residual:
        add(attended, tokens)

    ff_input = layer_norm(attended, w.norm2_gain, w.norm2_bias) if options.layer_norm else attended
    hidden = dense(ff_input, w.ff1_w, w.ff1_b)  # (tokens, d_ff)
    relu(hidden)
    # The mean of the tokens' features is the features of their mean, as ff2 is linear: taking the
    # mean first saves a quarter of all the work.
    mean_hidden = mean_of_rows(hidden)  # (1, d_ff)
    pooled = dense(mean_hidden, w.ff2_w, w.ff2_b)  # (1, d_model)
    if options.residual:
        add(pooled, mean_of_rows(attended))

    logits = dense(pooled, w.classifier_w, w.classifier_b)  # (1, outputs)
    return logits, Tensors(
        patches, tokens, head_input, head, attended, ff_input, hidden, mean_hidden, pooled
    )


@jit
def backward_image(dlogits, t, w, turned, g, options):
    """Add one image's gradients to g, return dz of the first layer (tokens, d_model)."""
    count = t.tokens.shape[0]
    dpooled = dense_backward(dlogits, t.pooled, turned.classifier_w, g.classifier_w, g.classifier_b)
    dmean_hidden = dense_backward(dpooled, t.mean_hidden, turned.ff2_w, g.ff2_w, g.ff2_b)
    dhidden = spread(dmean_hidden, count)  # (tokens, d_ff)
    relu_backward(dhidden, t.hidden)
    dattended = dense_backward(dhidden, t.ff_input, turned.ff1_w, g.ff1_w, g.ff1_b)
    if options.layer_norm:  # (tokens, d_model)
        dattended = layer_norm_backward(
            dattended, t.attended, w.norm2_gain, g.norm2_gain, g.norm2_bias
        )
    if options.residual:
        add(dattended, spread(dpooled, count))

    dtokens = attention_head_backward(dattended, t.head_input, t.head, turned, g)
    if options.layer_norm:  # (tokens, d_model)
        dtokens = layer_norm_backward(dtokens, t.tokens, w.norm1_gain, g.norm1_gain, g.norm1_bias)
    if options.residual:
        add(dtokens, dattended)

    relu_backward(dtokens, t.tokens)
    add(g.positions, dtokens)
    add(g.patch_w, np.dot(t.patches.T, dtokens))
    add_rows(g.patch_b, dtokens)
    return dtokens


# ---- A share of a batch: what one core does -----------------------------------------------------


@jit
def turn(w):
    """Transpose the weight matrices for the way back, once for many images."""
    return Turned(
        np.ascontiguousarray(w.query_w.T),
        np.ascontiguousarray(w.key_w.T),
        np.ascontiguousarray(w.value_w.T),
        np.ascontiguousarray(w.ff1_w.T),
        np.ascontiguousarray(w.ff2_w.T),
        np.ascontiguousarray(w.classifier_w.T),
    )


@jit(nogil=True)
def train_share(images, labels, batch, w, g, options):
    """Go there and back with each image; return (sum of losses, number read correctly)."""
    turned = turn(w)
    loss, correct = 0.0, 0
    for n in range(len(images)):
        logits, tensors = forward_image(images[n], w, options)
        image_loss, dlogits, guess = cross_entropy(logits, labels[n], batch)
        backward_image(dlogits, tensors, w, turned, g, options)
        loss += image_loss
        correct += guess == labels[n]
    return loss, correct


@jit(nogil=True)
def forward_share(images, w, options, logits, attention):
    """Write each image's logits, and its attention unless that array is empty."""
    for n in range(len(images)):
        image_logits, tensors = forward_image(images[n], w, options)
        add(logits[n : n + 1], image_logits)
        if attention.size:
            add(attention[n], tensors.head.attention)


@jit(nogil=True)
def backward_share(images, dlogits, w, g, options, dimages):
    """Add up the gradients for given dlogits and write dimages; computes the tensors anew."""
    turned = turn(w)
    for n in range(len(images)):
        _, tensors = forward_image(images[n], w, options)
        dz = backward_image(dlogits[n : n + 1], tensors, w, turned, g, options)
        dpatches = np.dot(dz, w.patch_w.T)
        paste_patches(dpatches, dimages[n], options.patch)


# ---- The model ----------------------------------------------------------------------------------


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


class PatchAttention(Layer):
    """Images (batch, height * width) or (batch, 1, height, width) in [0, 1] -> logits (batch, 10).

    `residual` adds the tokens to what attention gives, and the result to what the feed-forward
    layer gives; `layer_norm` normalizes what goes into both. That is the "pre-norm" transformer
    (Xiong et al., "On Layer Normalization in the Transformer Architecture", ICML 2020), which
    trains without much care. Raises ValueError for sizes or positions that cannot be.
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
        self.weights = self._draw(SimpleRng(seed), patch * patch, d_model, d_ff, outputs, positions)
        # Gradients lie in one long vector, so that those of all shares are added in one go.
        count = sum(w.size for w in self.weights)
        self._total = np.zeros(count, dtype)
        self._parts = np.zeros((SHARES, count), dtype)  # one row per share
        self._part_gradients = [self._named(row) for row in self._parts]
        gradients = self._named(self._total)
        for name, w, g in zip(Weights._fields, self.weights, gradients, strict=True):
            if w.size:
                self.parameters[name], self.gradients[name] = w, g

    def _draw(self, rng, pixels, d_model, d_ff, outputs, positions):
        """Xavier uniform in the order of `Weights`, biases 0, layer norms (if any) 1 and 0."""

        def weight(inputs, outputs):
            return xavier_uniform(rng, inputs, outputs, (inputs, outputs))

        zeros, normed = np.zeros, d_model * self.options.layer_norm
        arrays = Weights(
            patch_w=weight(pixels, d_model),
            patch_b=zeros(d_model),
            positions=POSITIONS[positions](rng, (self.tokens, d_model)),
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
        return Weights(*(np.ascontiguousarray(array, self.dtype) for array in arrays))

    def _named(self, vector):
        """Cut a vector into arrays of the weights' shapes: views, nothing is copied."""
        ends = np.cumsum([w.size for w in self.weights])
        pieces = np.split(vector, ends[:-1])
        return Weights(*(p.reshape(w.shape) for p, w in zip(pieces, self.weights, strict=True)))

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

        def task(part, _):
            forward_share(images[part], self.weights, self.options, logits[part], attention[part])

        self._in_shares(task, batch)
        return logits, attention

    def backward(self, dlogits):
        images = self._images(self.x)
        dlogits = np.require(dlogits, self.dtype, ["C_CONTIGUOUS", "WRITEABLE"])
        dx = np.empty(images.shape, self.dtype)

        def task(part, g):
            backward_share(images[part], dlogits[part], self.weights, g, self.options, dx[part])

        self._add_gradients(task, len(images))
        return dx.reshape(np.shape(self.x))

    def loss_and_gradients(self, x, labels):
        """Softmax cross-entropy, forward and backward in one go: what training calls.

        Returns (mean loss, number read correctly) and leaves what `backward` would in `gradients`.
        An image's tensors go back through while they are still in the cache, and nothing has to be
        computed twice.
        """
        images, labels = self._images(x), np.ascontiguousarray(labels, np.int64)
        batch, outputs = len(images), self.config["outputs"]
        if labels.shape != (batch,) or labels.min() < 0 or labels.max() >= outputs:
            raise ValueError(f"expected {batch} labels, each from 0 to {outputs - 1}")

        def task(part, g):
            return train_share(images[part], labels[part], batch, self.weights, g, self.options)

        losses, correct = zip(*self._add_gradients(task, batch), strict=True)
        return sum(losses) / batch, sum(correct)

    def _add_gradients(self, task, batch):
        """Run task in shares, each adding to its own gradients; `gradients` is then their sum."""
        self._parts.fill(0)
        results = self._in_shares(task, batch)
        self._parts.sum(axis=0, out=self._total)
        return results

    def _in_shares(self, task, batch):
        """Call task(slice of the batch, gradients) for all shares at the same time."""
        ends = [batch * share // SHARES for share in range(SHARES + 1)]
        parts = map(slice, ends, ends[1:])
        blas.use_one_thread(True)  # the cores have enough to do
        calls = []
        try:
            calls += [
                POOL.submit(task, *arguments)
                for arguments in zip(parts, self._part_gradients, strict=True)
            ]
            return [call.result() for call in calls]
        finally:
            wait(calls)  # after Ctrl-C, too: nobody writes behind our back
            blas.use_one_thread(False)

    @staticmethod
    def products(batch, tokens=49, pixels=16, d_model=64, d_ff=128, outputs=10):
        """List the matrix products of one training step: (m, k, n, trans_a, trans_b) each."""
        rows = batch * tokens
        dense = [
            (rows, pixels, d_model),
            *[(rows, d_model, d_model)] * 3,  # query, key, value
            (rows, d_model, d_ff),
            (batch, d_ff, d_model),
            (batch, d_model, outputs),
        ]
        forward = [(m, k, n, False, False) for m, k, n in dense]
        weight_gradients = [(k, m, n, True, False) for m, k, n in dense]
        input_gradients = [(m, n, k, False, True) for m, k, n in dense[1:]]
        head = [(rows, d_model, tokens, False, True)] * 2  # scores; gradient of the attention
        head += [(rows, tokens, d_model, False, False)] * 4  # attended; of query, key and value
        return forward + weight_gradients + input_gradients + head

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
