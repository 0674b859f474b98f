"""Shares of a batch: computed at the same time, in any order, in a forked process, too."""

import contextlib
import dataclasses
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from course import models
from course.attention import PatchAttention
from course.nn import shares


def test_every_share_is_computed_and_the_results_keep_their_order():
    assert shares.run(lambda a, b: a - b, [(k, 10) for k in range(40)]) == list(range(-10, 30))
    assert shares.run(max, []) == []


def test_shares_within_shares_and_several_callers():
    def outer(k):
        return shares.run(lambda i: (k, i, threading.get_ident()), [(i,) for i in range(20)])

    found = [[], []]
    threads = [
        threading.Thread(target=lambda f=f: f.extend(shares.run(outer, [(k,) for k in range(50)])))
        for f in found
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for results in found:
        assert [[entry[:2] for entry in row] for row in results] == [
            [(k, i) for i in range(20)] for k in range(50)
        ]


def test_with_one_core_the_caller_does_all_inside_the_block_only(monkeypatch):
    monkeypatch.setattr(shares, "CORES", 3)
    with shares.limit(1):
        threads = shares.run(threading.get_ident, [()] * 8)
    assert set(threads) == {threading.get_ident()}
    with shares.limit(5):
        assert shares.CORES == 3  # there are no more
    assert shares.CORES == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork")
def test_a_process_forked_off_after_a_step_can_go_on():
    """Threads are not inherited: a child that waited for its parent's would wait for ever."""
    model, x = PatchAttention(height=8, width=8, d_model=4, d_ff=4), np.ones((8, 64), np.float32)
    expected = model.forward(x)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if np.array_equal(model.forward(x), expected) else 2
        finally:
            os._exit(code)
    killer = threading.Timer(60, os.kill, (child, 9))
    killer.start()
    _, status = os.waitpid(child, 0)
    killer.cancel()
    assert status == 0


@contextlib.contextmanager
def crowd(count):
    """Keep `count` other processes busy, each in a session of its own as other users' are."""
    command = [sys.executable, "-S", "-c", "while True: pass"]
    others = [subprocess.Popen(command, start_new_session=True) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mlp", "cnn", "attention"])
def test_the_same_seed_gives_the_same_bits_whatever_the_machine_does(name, monkeypatch):
    random = np.random.default_rng(0)
    x, y = random.random((640, 784), np.float32), random.integers(0, 10, 640)

    def train():
        model = models.build(name)
        recipe = dataclasses.replace(models.recipe(name), epochs=2, validation_split=0.0)
        recipe.trainer(model).fit(x, y)
        return {key: w.tobytes() for key, w in model.parameters.items()}

    with shares.limit(1):
        alone = train()
    together = train()
    with crowd(4):
        crowded = train()
    monkeypatch.setattr(shares, "CORES", 4)  # more than there may be
    assert alone == together == crowded == train()
