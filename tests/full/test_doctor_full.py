"""The doctor raises no false alarm: the healthy runs of test_doctor.py, from seeds 3 to 7."""

import pytest
from test_doctor import HEALTHY, findings_of_healthy


@pytest.mark.parametrize("name", HEALTHY)
@pytest.mark.parametrize("seed", range(3, 8))
def test_a_healthy_run_is_left_in_peace(name, seed):
    assert findings_of_healthy(name, seed) == []
