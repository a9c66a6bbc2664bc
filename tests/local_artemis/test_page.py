"""The web page in a real Chromium."""

from collections.abc import Iterator

import pytest
from selenium import webdriver
from tests.helpers.browser import Page, chromium

from local_artemis import Progress


@pytest.fixture(scope="module")
def driver(tmp_path_factory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


def test_jobs_and_their_counts_are_shown(driver, artemis, api):
    artemis.set_progress(Progress.seconds(submitted=1e6), job="<b>waits</b>")
    waiting = api.submit(job_name="<b>waits</b>")
    artemis.progress = Progress.immediate()
    done = api.submit(job_name="done", n_samples=50)
    page = Page(driver, artemis)
    page.open()
    page.until(lambda: page.row(str(done))[3:4] == ["Completed"])
    assert page.row(str(waiting))[:6] == [
        *(str(waiting), "<b>waits</b>", "Artemis", "Scheduled", "1", "100")
    ]
    page.choose(str(done))
    assert page.counts() == {
        "".join(it for it in state if it in "01"): count
        for state, count in api.results(done)["results"].items()
    }
    page.choose(str(waiting))
    page.until(lambda: page.one("#job-message").text == "Scheduled.")
    assert page.one("#job-title").text == f"Job {waiting}: <b>waits</b>"
