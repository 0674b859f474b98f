"""The same models in PyTorch, written as its users would: the yardstick of the benchmark.

The only module of the course that loads PyTorch, which the course does not need.
"""

import time

import torch
from torch import nn

from course import models


def mlp():
    """784 -> 512 -> 10."""
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 10))


def cnn():
    """1x28x28 -> convolution 8@3x3 -> ReLU -> max-pool 2 -> 1568 -> 10."""
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(8 * 14 * 14, 10),
    )


class PatchAttention(nn.Module):
    """49 tokens of 4x4 pixels, one attention head, feed-forward, mean pool."""

    def __init__(self, d_model=64, d_ff=128):
        super().__init__()
        self.patch = nn.Linear(16, d_model)
        self.positions = nn.Parameter(torch.zeros(49, d_model))
        self.query, self.key, self.value = (nn.Linear(d_model, d_model) for _ in range(3))
        self.feed_forward = nn.Sequential(
            nn.Linear(d_model, d_ff), nn.ReLU(), nn.Linear(d_ff, d_model)
        )
        self.classifier = nn.Linear(d_model, 10)

    def forward(self, x):
        """Return logits (batch, 10) for x (batch, 784)."""
        patches = x.reshape(-1, 7, 4, 7, 4).transpose(2, 3).reshape(-1, 49, 16)
        tokens = torch.relu(self.patch(patches) + self.positions)  # (batch, 49, d_model)
        attended = nn.functional.scaled_dot_product_attention(
            self.query(tokens), self.key(tokens), self.value(tokens)
        )
        return self.classifier(self.feed_forward(attended).mean(dim=1))


class XOR(nn.Module):
    """2 -> 4 -> 1 with sigmoids; takes every digit for a case of XOR, its parity for the answer."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 4), nn.Sigmoid(), nn.Linear(4, 1), nn.Sigmoid())

    def forward(self, x):
        """Return answers (batch, 1) for x (batch, 784), of which two numbers are used."""
        return self.layers(x[:, :2])


def half_squared_error(answers, y):
    """Return half the mean squared error of answers (batch, 1) to the parity of y (batch,)."""
    return nn.functional.mse_loss(answers[:, 0], (y % 2).float()) / 2


NETWORKS = {"mlp": mlp, "cnn": cnn, "attention": PatchAttention, "xor": XOR}
OPTIMIZERS = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.01),
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=0.01, momentum=0.9),
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=0.001),
}


class TorchSide:
    """Trains PyTorch's model eagerly, with all cores, on shuffled mini-batches."""

    def __init__(self, model, optimizer, x, y):
        torch.manual_seed(1)
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(y).long()
        self.network = NETWORKS[model]()
        self.optimizer = OPTIMIZERS[optimizer](self.network.parameters())
        self.batch_size = models.recipe(model).batch_size
        self.loss_fn = half_squared_error if model == "xor" else nn.functional.cross_entropy

    def epoch(self):
        """Train one epoch; return its seconds."""
        started = time.perf_counter()
        order = torch.randperm(len(self.x))
        total = 0.0
        for chosen in order.split(self.batch_size):
            loss = self.loss_fn(self.network(self.x[chosen]), self.y[chosen])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(chosen)  # the course keeps the epoch's loss, too
        return time.perf_counter() - started
