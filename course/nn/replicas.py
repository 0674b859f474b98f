"""Copies of a network that take the shares of a batch: data parallelism.

Each copy has the same weights, the very same arrays, and gradients of its own; the sum of them is
the batch's. What a layer computes over the batch, batch norm's mean and variance, each copy
computes over its share, as frameworks do it on several devices; for the network it is as if
batches were smaller (Hoffer, Hubara & Soudry, "Train longer, generalize better", NeurIPS 2017,
section 4: ghost batch normalization).
"""

import copy

import numpy as np

from course.nn import shares
from course.nn.layers import Sequential
from course.nn.rng import SimpleRng


class Replicas:
    """Copies of `network`, a Sequential, one for each share of a batch."""

    def __init__(self, network):
        self.network = network
        known = {id(w): w for w in network.parameters.values()}  # not to be copied
        layers = Sequential(**network.layers)
        self.copies = [copy.deepcopy(layers, dict(known)) for _ in range(shares.OF_A_BATCH)]

    def loss_and_gradients(self, x, labels, loss_fn):
        """Take x forward and back; return (mean loss, number read correctly).

        Leaves what `backward` would in the network's `gradients`, and what `forward` would in its
        `buffers`: generators draw for each copy anew, running means are the mean of the copies'.
        """
        self._hand_out_buffers()

        def task(part, replica):
            logits = replica.forward(x[part])
            loss, dlogits = loss_fn(logits, labels[part])
            share = len(logits) / len(x)
            dlogits *= dlogits.dtype.type(share)  # the mean over the batch, not over the share
            replica.backward(dlogits)
            return loss * share, int((logits.argmax(axis=1) == labels[part]).sum())

        results = shares.in_slices(task, len(x), self.copies)
        self._collect(self.copies[: len(results)])
        losses, correct = zip(*results, strict=True)
        return sum(losses), sum(correct)

    def _hand_out_buffers(self):
        for name, buffer in self.network.buffers.items():
            for replica in self.copies:
                if buffer.dtype == np.uint64:  # the state of a generator
                    rng = SimpleRng(int(buffer[0]))
                    replica.buffers[name][0] = (rng.u32() << 32) | rng.u32() or 1
                    buffer[0] = rng.state
                else:
                    replica.buffers[name][...] = buffer
                replica.training = True

    def _collect(self, used):
        for name, gradient in self.network.gradients.items():
            gradient[...] = used[0].gradients[name]
            for replica in used[1:]:
                gradient += replica.gradients[name]
        for name, buffer in self.network.buffers.items():
            if buffer.dtype != np.uint64:
                np.mean([replica.buffers[name] for replica in used], axis=0, out=buffer)
