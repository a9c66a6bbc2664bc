import pytest

from tkr_runtime.times import age


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0 s"), (59.9, "59 s"), (60, "1 min"), (7199, "1 h"), (2 * 86400, "2 d")],
)
def test_an_age_has_one_unit(seconds, text):
    assert age(seconds) == text
