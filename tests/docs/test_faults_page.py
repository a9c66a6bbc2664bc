"""Every fault on the page of faults names the tests that cause it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROW = re.compile(
    r"^\| (?!fault |file system |---)(.+?) \| .+ \| (.*) \|$", re.MULTILINE
)
TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")
ROWS = [
    (fault, tests)
    for fault, tests in ROW.findall((ROOT / "docs" / "faults.md").read_text())
    if "::" in tests
]


def test_every_row_of_the_tables_is_read():
    page = (ROOT / "docs" / "faults.md").read_text()
    lines = [line for line in page.splitlines() if "_" in line and "::" in line]
    assert len(ROWS) == len(lines) > 40


@pytest.mark.parametrize(("fault", "tests"), ROWS, ids=[fault for fault, _ in ROWS])
def test_the_tests_of_a_fault_exist(fault, tests):
    named = TEST.findall(tests)
    assert len(named) == tests.count("::")
    for file, name in named:
        source = (ROOT / "tests" / file).read_text()
        assert re.search(rf"^def {name}\(", source, re.MULTILINE), (file, name)
