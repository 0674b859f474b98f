"""The same models in JAX at its best: a whole epoch is one compiled program.

Only this module and a cell of lesson 10b load JAX, which the course does not need. A model is a
function of the course's own parameters, a dict from names to arrays.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from course import models
from course.benchmark.course_side import LEARNING_RATE
from course.deep import DeepCNN


def dense(p, name, x):
    return x @ p[f"{name}w"] + p[f"{name}b"]


def mlp(p, x):
    """784 -> 512 -> 10."""
    return dense(p, "output.", jax.nn.relu(dense(p, "hidden.", x)))


def cnn(p, x):
    """1x28x28 -> convolution 8@3x3 -> ReLU -> max-pool 2 -> 1568 -> 10.

    As one product with all windows, and pooling as the larger of slices: on a CPU, XLA is faster at
    these than at its own convolution and `reduce_window`.
    """
    padded = jnp.pad(x.reshape(-1, 28, 28), ((0, 0), (1, 1), (1, 1)))
    shifted = [padded[:, i : i + 28, j : j + 28] for i in range(3) for j in range(3)]
    windows = jnp.stack(shifted, axis=1).reshape(-1, 9, 28 * 28)
    z = p["conv.w"].reshape(8, 9) @ windows + p["conv.b"][:, None]  # (batch, 8, 784)
    a = jax.nn.relu(z).reshape(-1, 8, 28, 28)
    upper, lower = (jnp.maximum(a[:, :, i::2, ::2], a[:, :, i::2, 1::2]) for i in range(2))
    return dense(p, "classifier.", jnp.maximum(upper, lower).reshape(-1, 8 * 14 * 14))


def attention(p, x):
    """49 tokens of 4x4 pixels, one attention head, feed-forward, mean pool."""
    patches = x.reshape(-1, 7, 4, 7, 4).swapaxes(2, 3).reshape(-1, 49, 16)
    tokens = jax.nn.relu(dense(p, "patch_", patches) + p["positions"])  # (batch, 49, d_model)
    query, key, value = (dense(p, name, tokens) for name in ("query_", "key_", "value_"))
    scores = query @ key.swapaxes(1, 2) / np.sqrt(np.float32(query.shape[-1]))
    attended = jax.nn.softmax(scores) @ value
    hidden = jax.nn.relu(dense(p, "ff1_", attended))  # (batch, 49, d_ff)
    # As in the course: the mean over the tokens first, then the second layer, once an image.
    return dense(p, "classifier_", dense(p, "ff2_", hidden.mean(axis=1)))


def deep(p, x, key=None):
    """1x28x28 -> 16@14x14 -> 32@7x7 -> 1568 -> 128 -> 10, batch norm; dropout if there is a key."""
    x = x.reshape(-1, 1, 28, 28)
    for number in (1, 2):
        w, b = p[f"conv{number}.w"], p[f"conv{number}.b"]
        x = jax.lax.conv_general_dilated(x, w, (1, 1), "SAME") + b[:, None, None]
        upper, lower = (jnp.maximum(x[:, :, i::2, ::2], x[:, :, i::2, 1::2]) for i in range(2))
        x = jnp.maximum(upper, lower)
        mean, variance = (f(x, axis=(0, 2, 3), keepdims=True) for f in (jnp.mean, jnp.var))
        gamma, beta = (p[f"norm{number}.{name}"][:, None, None] for name in ("gamma", "beta"))
        x = jax.nn.relu(gamma * (x - mean) / jnp.sqrt(variance + 1e-5) + beta)
    hidden = jax.nn.relu(dense(p, "hidden.", x.reshape(len(x), -1)))
    if key is not None:
        hidden *= jax.random.bernoulli(key, 0.7, hidden.shape) / 0.7
    return dense(p, "classifier.", hidden)


NETWORKS = {"mlp": mlp, "cnn": cnn, "attention": attention, "deep": deep}


def cross_entropy(network, p, x, y, t):
    """Return the mean loss for images x (batch, 784), labels y (batch,) at step t."""
    if network is deep:
        logits, smoothing = deep(p, x, jax.random.key(t)), DeepCNN.loss_fn.smoothing
    else:
        logits, smoothing = network(p, x), 0.0
    log_probabilities = jax.nn.log_softmax(logits)
    loss = -jnp.take_along_axis(log_probabilities, y[:, None], axis=1).mean()
    return (1 - smoothing) * loss - smoothing * log_probabilities.mean() if smoothing else loss


# Optimizers: from weights, gradient and memory of one array, and the step's number, counted from 1,
# to new weights and memory.


def sgd(w, g, memory, t):
    return w - LEARNING_RATE["sgd"] * g, memory


def momentum(w, g, velocity, t):
    velocity = 0.9 * velocity + g
    return w - LEARNING_RATE["momentum"] * velocity, velocity


def adam(w, g, memory, t):
    mean = 0.9 * memory[0] + 0.1 * g
    square = 0.999 * memory[1] + 0.001 * g * g
    step = mean / (1 - 0.9**t) / (jnp.sqrt(square / (1 - 0.999**t)) + 1e-8)
    return w - LEARNING_RATE["adam"] * step, jnp.stack([mean, square])


MEMORY = {
    "sgd": lambda w: 0.0,
    "momentum": jnp.zeros_like,
    "adam": lambda w: jnp.zeros((2, *w.shape)),
}
OPTIMIZERS = {"sgd": sgd, "momentum": momentum, "adam": adam}


@partial(jax.jit, static_argnums=(0, 1, 2), donate_argnums=3)
def train(network, optimizer, batch_size, state, x, y, order):
    """Train on the digits in this order; return (state, mean loss).

    The state is (parameters, the optimizer's memory of each, steps taken); it is donated: the new
    one takes its place in memory.
    """

    def step(state, chosen):
        p, memory, t = state
        loss, g = jax.value_and_grad(partial(cross_entropy, network))(p, x[chosen], y[chosen], t)
        moved = {name: optimizer(p[name], g[name], memory[name], t + 1) for name in p}
        p, memory = ({name: pair[i] for name, pair in moved.items()} for i in range(2))
        return (p, memory, t + 1), loss * len(chosen)

    whole = len(order) // batch_size * batch_size
    state, losses = jax.lax.scan(step, state, order[:whole].reshape(-1, batch_size))
    total = losses.sum()
    if whole < len(order):  # the last batch is smaller
        state, loss = step(state, order[whole:])
        total += loss
    return state, total / len(order)


class JaxSide:
    """Trains JAX's model with all cores on shuffled mini-batches."""

    def __init__(self, model, optimizer, x, y):
        self.x, self.y = jnp.asarray(x), jnp.asarray(y, jnp.int32)
        self.network, self.optimizer = NETWORKS[model], OPTIMIZERS[optimizer]
        self.batch_size = models.recipe(model).batch_size
        p = {name: jnp.array(w) for name, w in models.build(model).parameters.items()}
        self.state = (p, {name: MEMORY[optimizer](w) for name, w in p.items()}, 0)
        self.random = np.random.default_rng(1)

    def train_epoch(self, order=None):
        """Train on the digits in this order, by default a random one; return the mean loss."""
        if order is None:
            order = self.random.permutation(len(self.x))
        order = jnp.asarray(order, jnp.int32)
        settings = (self.network, self.optimizer, self.batch_size)
        self.state, loss = train(*settings, self.state, self.x, self.y, order)
        return float(loss)
