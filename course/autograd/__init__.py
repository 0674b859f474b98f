"""Lesson 10: automatic differentiation. `tensor` is the idea, `networks` what it is used for."""

from course.autograd.networks import (
    attention_loss,
    cnn_loss,
    convolve,
    max_pool,
    mlp_loss,
    softmax,
    softmax_cross_entropy,
    tensors,
    xor_loss,
)
from course.autograd.tensor import Tensor, TensorError

__all__ = [
    "Tensor",
    "TensorError",
    "attention_loss",
    "cnn_loss",
    "convolve",
    "max_pool",
    "mlp_loss",
    "softmax",
    "softmax_cross_entropy",
    "tensors",
    "xor_loss",
]
