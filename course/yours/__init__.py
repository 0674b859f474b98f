"""Lesson 09: networks that are made of the learner's own functions, and how they are trained.

Here is only what holds these functions together: which one gets what, how long they take, and how
much of the training that leaves time for. All sums, forward, backward and in the steps, are in
`parts`, a namespace with the functions of the lesson; nothing of `course.nn` computes with them.
"""

from course.yours.files import content, keep, kept, whose
from course.yours.networks import ConvolutionalNetwork, Network
from course.yours.planning import Plan, plan, time_batch
from course.yours.training import (
    ADAM,
    BATCH_SIZE,
    MOMENTUM,
    Method,
    accuracy,
    epoch_seconds,
    train,
    train_mlp,
)

__all__ = [
    "ADAM",
    "BATCH_SIZE",
    "MOMENTUM",
    "ConvolutionalNetwork",
    "Method",
    "Network",
    "Plan",
    "accuracy",
    "content",
    "epoch_seconds",
    "keep",
    "kept",
    "plan",
    "time_batch",
    "train",
    "train_mlp",
    "whose",
]
