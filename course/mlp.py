"""Lesson 02: the multi-layer perceptron, 784 -> 512 -> 10.

Every pixel is connected to every hidden unit, and every hidden unit to every digit. Here is only
the composition: its parts are in `course.nn.layers` and `course.nn.activations`, and the products
run on BLAS.
"""

import numpy as np

from course.nn.activations import ReLU
from course.nn.layers import Dense, Sequential
from course.nn.recipe import Recipe
from course.nn.rng import SimpleRng

# 98.3 % and more on full MNIST; `Recipe()` with its plain SGD at 0.01 gets to about 94 %.
RECIPE = Recipe(optimizer="momentum", learning_rate=0.1, schedule="one_cycle")


class MLP(Sequential):
    """Dense, ReLU, dense: x (batch, inputs) in [0, 1] -> logits (batch, outputs)."""

    name = "mlp"

    def __init__(self, seed=1, inputs=784, hidden=512, outputs=10, dtype=np.float32):
        rng = SimpleRng(seed)
        super().__init__(
            hidden=Dense(inputs, hidden, rng, dtype, needs_input_gradient=False),
            relu=ReLU(),
            output=Dense(hidden, outputs, rng, dtype),
        )
        self.config = {"inputs": inputs, "hidden": hidden, "outputs": outputs}
