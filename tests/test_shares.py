"""Shares of a batch: computed at the same time, in any order, in a forked process, too."""

import os
import threading

import numpy as np
import pytest

from course.attention import PatchAttention
from course.nn import shares


def test_every_share_is_computed_and_the_results_keep_their_order():
    assert shares.run(lambda a, b: a - b, [(k, 10) for k in range(40)]) == list(range(-10, 30))


def test_an_error_in_a_share_is_told_after_all_have_ended():
    ended = []

    def task(k):
        if k == 1:
            raise ZeroDivisionError
        ended.append(k)

    with pytest.raises(ZeroDivisionError):
        shares.run(task, [(k,) for k in range(8)])
    assert sorted(ended) == [0, *range(2, 8)]


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
