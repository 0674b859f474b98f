"""The same models in PyTorch, written as its users would: a yardstick of the benchmark.

Only this module and cells of lesson 10b load PyTorch, which the course does not need. Layers have
the names that they have in the course, so that the course's weights can be put into them.
"""

from collections import OrderedDict

import torch
from torch import nn

from course import models
from course.benchmark.course_side import LEARNING_RATE
from course.interchange import to_torch


def mlp():
    """784 -> 512 -> 10."""
    layers = {"hidden": nn.Linear(784, 512), "relu": nn.ReLU(), "output": nn.Linear(512, 10)}
    return nn.Sequential(OrderedDict(layers))


def cnn():
    """1x28x28 -> convolution 8@3x3 -> ReLU -> max-pool 2 -> 1568 -> 10."""
    layers = {
        "images": nn.Unflatten(1, (1, 28, 28)),
        "conv": nn.Conv2d(1, 8, 3, padding=1),
        "relu": nn.ReLU(),
        "pool": nn.MaxPool2d(2),
        "flatten": nn.Flatten(),
        "classifier": nn.Linear(8 * 14 * 14, 10),
    }
    return nn.Sequential(OrderedDict(layers))


class PatchAttention(nn.Module):
    """49 tokens of 4x4 pixels, one attention head, feed-forward, mean pool."""

    def __init__(self, d_model=64, d_ff=128):
        super().__init__()
        self.patch = nn.Linear(16, d_model)
        self.positions = nn.Parameter(torch.zeros(49, d_model))
        self.query, self.key, self.value = (nn.Linear(d_model, d_model) for _ in range(3))
        self.ff1, self.ff2 = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)
        self.classifier = nn.Linear(d_model, 10)

    def forward(self, x):
        """Return logits (batch, 10) for x (batch, 784)."""
        patches = x.reshape(-1, 7, 4, 7, 4).transpose(2, 3).reshape(-1, 49, 16)
        tokens = torch.relu(self.patch(patches) + self.positions)  # (batch, 49, d_model)
        attended = nn.functional.scaled_dot_product_attention(
            self.query(tokens), self.key(tokens), self.value(tokens)
        )
        hidden = torch.relu(self.ff1(attended))  # (batch, 49, d_ff)
        # As in the course: the mean over the tokens first, then the second layer, once an image.
        return self.classifier(self.ff2(hidden.mean(dim=1)))


def deep():
    """1x28x28 -> 16@14x14 -> 32@7x7 -> 1568 -> 128 -> 10, with batch norm and dropout."""
    layers = {
        "images": nn.Unflatten(1, (1, 28, 28)),
        "conv1": nn.Conv2d(1, 16, 5, padding=2),
        "pool1": nn.MaxPool2d(2),
        "norm1": nn.BatchNorm2d(16),
        "relu1": nn.ReLU(),
        "conv2": nn.Conv2d(16, 32, 5, padding=2),
        "pool2": nn.MaxPool2d(2),
        "norm2": nn.BatchNorm2d(32),
        "relu2": nn.ReLU(),
        "flatten": nn.Flatten(),
        "hidden": nn.Linear(32 * 7 * 7, 128),
        "relu3": nn.ReLU(),
        "dropout": nn.Dropout(0.3),
        "classifier": nn.Linear(128, 10),
    }
    return nn.Sequential(OrderedDict(layers))


NETWORKS = {"mlp": mlp, "cnn": cnn, "attention": PatchAttention, "deep": deep}
OPTIMIZERS = {
    "sgd": torch.optim.SGD,
    "momentum": lambda parameters, lr: torch.optim.SGD(parameters, lr, momentum=0.9),
    "adam": torch.optim.Adam,
}


class TorchSide:
    """Trains PyTorch's model with all cores on shuffled mini-batches, eagerly or `compiled`."""

    def __init__(self, model, optimizer, x, y, compiled=False):
        torch.manual_seed(1)
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(y).long()
        self.network = NETWORKS[model]()
        ours = models.build(model)
        weights = {name: torch.from_numpy(w) for name, w in to_torch(ours.parameters).items()}
        # Not strict: batch norm's running means begin as the course's do, at 0 and 1.
        self.network.load_state_dict(weights, strict=not ours.buffers)
        self.loss = nn.CrossEntropyLoss(label_smoothing=ours.loss_fn.smoothing)
        if compiled:  # for each size of batch anew: the epoch's last may be smaller
            self.network.compile(dynamic=False)
        self.optimizer = OPTIMIZERS[optimizer](self.network.parameters(), LEARNING_RATE[optimizer])
        self.batch_size = models.recipe(model).batch_size

    def train_epoch(self, order=None):
        """Train on the digits in this order, by default a random one; return the mean loss."""
        order = torch.randperm(len(self.x)) if order is None else torch.from_numpy(order)
        total = 0.0
        for chosen in order.split(self.batch_size):
            loss = self.loss(self.network(self.x[chosen]), self.y[chosen])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(chosen)  # the course keeps the epoch's loss, too
        return total / len(order)
