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


NETWORKS = {"mlp": mlp}
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

    def epoch(self):
        """Train one epoch; return its seconds."""
        started = time.perf_counter()
        order = torch.randperm(len(self.x))
        total = 0.0
        for chosen in order.split(self.batch_size):
            loss = nn.functional.cross_entropy(self.network(self.x[chosen]), self.y[chosen])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(chosen)  # the course keeps the epoch's loss, too
        return time.perf_counter() - started
