"""Averaged weights: the mean of where a network has been lately is better than where it is.

Steps on mini-batches scatter around the valley's floor; their mean lies nearer to it. Polyak &
Juditsky, "Acceleration of stochastic approximation by averaging", SIAM Journal on Control and
Optimization 30(4), 1992; as an exponential moving average (EMA), which forgets.
"""

import numpy as np

from course.nn.optimizers import Optimizer


class AveragedWeights(Optimizer):
    """Takes the steps of `optimizer`, and keeps a running mean of the weights they lead to.

    mean <- decay * mean + (1 - decay) * w, with a decay that begins small, (1 + t) / (10 + t) at
    step t: the first weights are to be forgotten soon. Running means of batch norm are averaged
    likewise. `finish` puts the means into the model.

    Raises ValueError for a decay outside (0, 1).
    """

    def __init__(self, optimizer, decay):
        super().__init__(optimizer.model)
        if not 0.0 < decay < 1.0:
            raise ValueError(f"the decay of averaged weights must be above 0, below 1, got {decay}")
        self.optimizer, self.decay = optimizer, decay
        self.mean = {
            name: array.copy()
            for name, array in (self.model.parameters | self.model.buffers).items()
            if array.dtype.kind == "f"
        }
        self.state = optimizer.state | {f"average.{name}": mean for name, mean in self.mean.items()}
        self.state["average.steps"] = np.zeros(1, np.int64)

    def step(self, learning_rate):
        self.optimizer.step(learning_rate)
        self._follow()

    def backward_and_step(self, dy, learning_rate):
        self.optimizer.backward_and_step(dy, learning_rate)
        self._follow()

    def _follow(self):
        steps = self.state["average.steps"]
        steps += 1
        t = int(steps[0])
        decay = min(self.decay, (1 + t) / (10 + t))
        now = self.model.parameters | self.model.buffers
        for name, mean in self.mean.items():
            mean += mean.dtype.type(1.0 - decay) * (now[name] - mean)

    def finish(self):
        now = self.model.parameters | self.model.buffers
        for name, mean in self.mean.items():
            now[name][...] = mean
