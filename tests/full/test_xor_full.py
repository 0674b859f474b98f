"""What lesson 05 says of networks that are stuck, over more epochs than a lesson has."""

import numpy as np

from course import xor


def test_stuck_networks_go_on_downhill_for_five_million_epochs():
    models, solved = xor.sweep(hidden=2)
    stuck = [models[number] for number in np.flatnonzero(~solved)[:60]]
    losses = [np.array([xor.evaluate(model)[0] for model in stuck])]
    for _ in range(5):
        out = xor.train_all(stuck, learning_rate=1.0, epochs=1_000_000)
        losses.append(np.array([xor.evaluate(model)[0] for model in stuck]))
        assert (losses[-1] < losses[-2]).all()
    assert len(out) == 60 and out.sum() == 3
    assert (losses[-2] - losses[-1])[~out].max() < 1e-6
    assert losses[-1][~out].min() > 1 / 17
