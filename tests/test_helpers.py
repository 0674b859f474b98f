"""Threads that help with shares: errors, Ctrl-C, and cores that others need."""

import threading
import time

import pytest

from course.nn import shares
from course.nn.compiled import HAS_NUMBA

if not HAS_NUMBA:
    pytest.skip("without Numba no threads help: the caller computes all", allow_module_level=True)

from course.nn import helpers


def test_ctrl_c_while_helpers_are_called_does_no_harm_to_the_next_shares(monkeypatch):
    monkeypatch.setattr(shares, "CORES", 2)
    monkeypatch.setattr(helpers, "_calm", 0)
    monkeypatch.setattr(helpers, "_crew", [])
    shares.run(abs, [(1,), (2,)])
    (before,) = helpers._crew
    call = helpers._Helper.call

    def interrupted(helper, work):
        call(helper, work)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(helpers._Helper, "call", interrupted)
        with pytest.raises(KeyboardInterrupt):
            shares.run(abs, [(-k,) for k in range(50)])
    for _ in range(20):
        assert shares.run(abs, [(-k,) for k in range(50)]) == list(range(50))
    assert before not in helpers._crew


@pytest.mark.parametrize("who", ["caller", "helper"])
def test_an_error_is_told_when_nobody_is_at_work_any_more(who, monkeypatch):
    monkeypatch.setattr(shares, "CORES", 2)
    monkeypatch.setattr(helpers, "_calm", 0)
    caller, both, begun, ended = threading.get_ident(), threading.Barrier(2), [], []

    def task(k):
        begun.append(k)
        if k < 2:
            both.wait(60)  # each has a share
            if (threading.get_ident() == caller) == (who == "caller"):
                raise ZeroDivisionError
        time.sleep(0.01)
        ended.append(k)

    with pytest.raises(ZeroDivisionError):
        shares.run(task, [(k,) for k in range(50)])
    assert len(begun) == len(ended) + 1 < 50


def test_in_a_crowd_the_caller_sleeps_while_helpers_do_it_all(monkeypatch):
    monkeypatch.setattr(shares, "CORES", 2)
    monkeypatch.setattr(helpers, "_calm", 4)
    for _ in range(3):
        threads = shares.run(lambda _: threading.get_ident(), [(k,) for k in range(50)])
        assert threading.get_ident() not in threads
    with pytest.raises(ZeroDivisionError):
        monkeypatch.setattr(helpers, "_calm", 4)
        shares.run(lambda k: 1 / k, [(k,) for k in range(5)])
    monkeypatch.setattr(helpers, "_calm", 1)  # over: the caller takes its part again
    assert threading.get_ident() in shares.run(
        lambda _: time.sleep(0.01) or threading.get_ident(), [(k,) for k in range(9)]
    )


def test_who_is_late_calms_all(monkeypatch):
    monkeypatch.setattr(shares, "CORES", 2)
    monkeypatch.setattr(helpers, "_calm", 0)
    caller, both = threading.get_ident(), threading.Barrier(2)

    def task():
        both.wait(60)
        if threading.get_ident() != caller:
            time.sleep(0.1)  # far longer than anybody looks

    shares.run(task, [()] * 2)
    assert helpers._calm == helpers.CALM
