"""Schedules: values computed by hand, files of the forms that the course reads, and bad files."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.nn import schedules
from course.nn.schedules import ScheduleError

NAMES = ("constant", "step", "exponential", "cosine", "warmup_cosine", "one_cycle")
HALF = math.sqrt(0.5)  # cos(pi / 4)


@pytest.mark.parametrize(
    ("schedule", "expected"),  # {epoch: learning rate}
    [
        (schedules.Constant(0.1), {0: 0.1, 7.5: 0.1}),
        (schedules.StepDecay(0.8), {0: 0.8, 2.99: 0.8, 3: 0.4, 5.5: 0.4, 6: 0.2, 9: 0.1}),
        (schedules.StepDecay(1.0, 1, 0.1), {0.5: 1.0, 1: 0.1, 2.9: 0.01}),
        (schedules.Exponential(1.0), {0: 1.0, 0.9: 1.0, 1: 0.9, 2.5: 0.81, 3: 0.729}),
        (schedules.Exponential(0.2, 0.5), {1: 0.1, 4: 0.0125}),
        (
            schedules.CosineAnnealing(1.0, T_max=4, min_lr=0.2),  # 0.6 + 0.4 cos(pi epoch / 4)
            {0: 1.0, 0.9: 1.0, 1: 0.6 + 0.4 * HALF, 2: 0.6, 3: 0.6 - 0.4 * HALF, 4: 0.2, 9: 0.2},
        ),
        (
            schedules.WarmupCosine(1.0, epochs=5, warmup=1, min_lr=0.2),
            {0: 0, 0.25: 0.25, 1: 1.0, 2: 0.6 + 0.4 * HALF, 3: 0.6, 5: 0.2, 6: 0.2},
        ),
        (schedules.WarmupCosine(1.0, epochs=4, warmup=2), {0.5: 0.25, 2: 1, 2.5: 0.5 + HALF / 2}),
        (schedules.WarmupCosine(1.0, epochs=4, warmup=0), {0: 1, 2: 0.5, 4: 0}),
        (
            schedules.OneCycle(1.0, epochs=10),  # up from 0.04 until epoch 3, down to 4e-6 at 10
            {0: 0.04, 1.5: 0.52, 3: 1.0, 6.5: 0.500002, 10: 4e-6, 12: 4e-6},
        ),
        (schedules.OneCycle(0.5, epochs=4, rise=0.5), {0: 0.02, 1: 0.26, 2: 0.5, 3: 0.250001}),
    ],
    ids=lambda value: value.__class__.__name__,
)
def test_values_by_hand(schedule, expected):
    for epoch, rate in expected.items():
        assert schedule(epoch) == pytest.approx(rate, rel=1e-12, abs=1e-15), epoch


@pytest.mark.parametrize("name", NAMES)
@given(rate=st.floats(1e-6, 10), epochs=st.integers(1, 50), part=st.floats(0, 1.5))
def test_any_run_has_learning_rates_between_0_and_the_one_asked_for(name, rate, epochs, part):
    schedule = schedules.make(name, rate, epochs)
    assert 0 <= schedule(part * epochs) <= rate * (1 + 1e-12)
    assert schedule(epochs / 3) > 0


@pytest.mark.parametrize(("name", "moves"), list(zip(NAMES, (0, 0, 0, 0, 1, 1), strict=True)))
def test_which_schedules_move_within_an_epoch(name, moves):
    schedule = schedules.make(name, 0.1, 10)
    assert (schedule(4.9) != schedule(4.1)) == moves
    assert (schedule(5.1) != schedule(1.1)) == (name != "constant")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("step", schedules.StepDecay(0.1, 3, 0.5)),
        ("exponential", schedules.Exponential(0.1, 0.9)),
        ("cosine", schedules.CosineAnnealing(0.1, 12, 0.0)),
        ("warmup_cosine", schedules.WarmupCosine(0.1, 12, 1.0, 0.0)),
        ("one_cycle", schedules.OneCycle(0.1, 12, 0.3)),
    ],
)
def test_a_named_schedule_fits_the_run(name, expected):
    assert schedules.make(name, 0.1, 12) == expected


def test_a_short_run_has_a_short_warm_up():
    assert schedules.make("warmup_cosine", 0.1, 2).warmup == 0.5


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ScheduleError, match="'linear'.*constant.*one_cycle.*json"):
        schedules.make("linear", 0.1, 10)


# Files


def write(tmp_path, content):
    path = tmp_path / "schedule.json"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            {"scheduler_type": "step_decay", "step_size": 4, "gamma": 0.25},
            schedules.StepDecay(0.1, 4, 0.25),
        ),
        ({"scheduler_type": "step_decay"}, schedules.StepDecay(0.1, 3, 0.5)),
        ({"scheduler_type": "exponential", "gamma": 0.95}, schedules.Exponential(0.1, 0.95)),
        ({"scheduler_type": "exponential", "gamma": 1}, schedules.Exponential(0.1, 1.0)),
        (
            {"scheduler_type": "cosine_annealing", "min_lr": 1e-4, "T_max": 10},
            schedules.CosineAnnealing(0.1, 10, 1e-4),
        ),
        (
            {"scheduler_type": "cosine_annealing", "min_lr": 0},
            schedules.CosineAnnealing(0.1, 10, 0.0),
        ),
        ({"scheduler_type": "constant"}, schedules.Constant(0.1)),
    ],
)
def test_files(tmp_path, content, expected):
    path = write(tmp_path, content)
    assert schedules.make(path, 0.1, 7) == schedules.from_json(path, 0.1) == expected
    assert [schedules.make(str(path), 0.1, 7)(e) for e in range(9)] == [*map(expected, range(9))]


def test_a_file_from_an_editor_that_marks_its_encoding(tmp_path):
    path = write(tmp_path, b'\xef\xbb\xbf{"scheduler_type": "constant"}')
    assert schedules.from_json(path, 0.1) == schedules.Constant(0.1)


BAD_VALUES = [0, -1, 1e400, float("nan"), 10**400, "3", None, True, [3], {}]


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ("", "cannot read"),
        ("{", "cannot read"),
        (b"\xff\xfe\x00", "cannot read"),
        ("[" * 100_000, "cannot read"),
        ("[]", "scheduler_type"),
        ("3", "scheduler_type"),
        ("{}", "scheduler_type"),
        ({"scheduler_type": "linear"}, "scheduler_type"),
        ({"scheduler_type": ["step_decay"]}, "scheduler_type"),
        ({"scheduler_type": None, "gamma": 0.5}, "scheduler_type"),
        ({"scheduler_type": "constant", "gamma": 0.5}, "gamma"),
        ({"scheduler_type": "exponential", "step_size": 3}, "step_size"),
        ({"scheduler_type": "step_decay", "stepsize": 3}, "stepsize"),
        ({"scheduler_type": "step_decay", "step_size": 2.5}, "step_size"),
        ({"scheduler_type": "exponential", "gamma": 1.5}, "gamma"),
        *[({"scheduler_type": "step_decay", "step_size": v}, "step_size") for v in BAD_VALUES],
        *[({"scheduler_type": "exponential", "gamma": v}, "gamma") for v in BAD_VALUES],
        *[({"scheduler_type": "cosine_annealing", "T_max": v}, "T_max") for v in BAD_VALUES],
        *[({"scheduler_type": "cosine_annealing", "min_lr": v}, "min_lr") for v in BAD_VALUES[1:]],
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_file_is_named_with_the_field(tmp_path, content, field):
    path = write(tmp_path, content)
    with pytest.raises(ScheduleError) as caught:
        schedules.from_json(path, 0.1)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and field in message
    assert len(message) < len(str(path)) + 200


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ScheduleError, match="nowhere.json"):
        schedules.make(tmp_path / "nowhere.json", 0.1, 10)
