"""Settings are read from the environment, and a wrong one is named."""

import pytest

from tkr_runtime.errors import InvalidInputError
from tkr_runtime.settings.limits import Limits, PreloadedProcessSettings


def test_a_limit_is_read_each_time_from_its_variable(monkeypatch):
    assert Limits.from_environment("TKR_TEST_") == Limits()
    monkeypatch.setenv("TKR_TEST_READ_TIMEOUT", "2.5")
    monkeypatch.setenv("TKR_TEST_RETRY_TIME", "")
    assert Limits.from_environment("TKR_TEST_") == Limits(read_timeout=2.5)
    monkeypatch.setenv("TKR_TEST_READ_TIMEOUT", "3")
    assert Limits.from_environment("TKR_TEST_").read_timeout == 3.0


@pytest.mark.parametrize("value", ["soon", "0", "-1", "inf", "nan"])
def test_a_wrong_limit_is_refused_with_its_variable_and_value(value, monkeypatch):
    monkeypatch.setenv("TKR_TEST_READ_TIMEOUT", value)
    message = f"variable TKR_TEST_READ_TIMEOUT is '{value}'; give a number of seconds"
    with pytest.raises(InvalidInputError, match=message):
        Limits.from_environment("TKR_TEST_")


def test_a_wrong_number_of_tasks_is_refused(monkeypatch):
    monkeypatch.setenv("TKR_TEST_WARM_TASKS", "0")
    with pytest.raises(InvalidInputError, match="WARM_TASKS is '0'; give a whole"):
        PreloadedProcessSettings.from_environment("TKR_TEST_")
