"""Lesson 08: several opinions are better than one.

Networks that begin with other weights see the digits in another order and err on other ones. The
mean of their probabilities errs less: what one of them got wrong by chance, the others outvote.
Ciresan, Meier & Schmidhuber, "Multi-column deep neural networks for image classification", CVPR
2012, section 2. One network has several opinions, too, if it looks from several places: test-time
augmentation.
"""

import numpy as np

from course.nn.layers import Layer
from course.nn.losses import log_softmax


class Committee(Layer):
    """Networks whose probabilities are averaged: reads as one network, and is not trained.

    `forward` returns the logarithm of the mean probabilities (batch, classes); they are logits
    whose softmax is the mean.

    Raises ValueError if there are no members.
    """

    name = "committee"

    def __init__(self, members):
        super().__init__()
        self.members = list(members)
        if not self.members:
            raise ValueError("a committee needs at least one member")
        self.class_names = self.members[0].class_names

    @property
    def training(self):
        return False

    @training.setter
    def training(self, value):
        """Members are trained already: none of them is to drop anything."""

    def forward(self, x):
        opinions = [log_softmax(member.forward(x)) for member in self.members]
        return np.logaddexp.reduce(opinions) - np.log(np.float32(len(opinions)))


class Shifted(Layer):
    """A network that looks at pictures (batch, 784) after they were moved by whole pixels.

    What leaves on one side comes in on the other; the edges of digits are black.
    """

    def __init__(self, network, down, right):
        super().__init__()
        self.network, self.down, self.right = network, down, right
        self.class_names = network.class_names

    def forward(self, x):
        pictures = x.reshape(-1, 28, 28)
        moved = np.roll(pictures, (self.down, self.right), axis=(1, 2))
        return self.network.forward(moved.reshape(x.shape))


def from_several_places(network, pixels=1):
    """A committee of one network: it looks at each picture as it is, and moved in 4 directions."""
    moves = [(0, 0), (pixels, 0), (-pixels, 0), (0, pixels), (0, -pixels)]
    return Committee([Shifted(network, *move) for move in moves])
