"""The web page, in a real Chromium and by plain requests."""

import ssl
from collections.abc import Callable, Iterator

import httpx
import pytest
from selenium import webdriver
from selenium.webdriver.support.select import Select
from tests.helpers.browser import Page, chromium

from local_nexus import LocalNexus, Progress

PROJECTS = "/api/projects/v1beta2"


@pytest.fixture(scope="module")
def driver(tmp_path_factory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


@pytest.fixture
def page(driver: webdriver.Chrome, nexus: LocalNexus) -> Page:
    driver.delete_all_cookies()
    driver.get_log("browser")  # what it returns, it forgets
    return Page(driver, nexus)


@pytest.fixture
def finished(client, submit) -> Callable[..., str]:
    """Submits a job, waits for its end and returns its id."""

    def finished(name: str, **options) -> str:
        job = submit(name, **options)
        client.run("qnx.jobs.wait_for(qnx.jobs.get(id=job), timeout=120)", job=job)
        return job

    return finished


def test_the_page_lists_projects_and_jobs(page, client, finished):
    client.run("qnx.projects.get_or_create('of the page')")
    job = finished("of the page", project="of the page")
    page.open()
    page.until(lambda: "of the page" in page.texts("#projects button"))
    page.until(lambda: page.row(job))
    assert page.row(job)[:5] == [
        "of the page",
        "of the page",
        "execute",
        "COMPLETED",
        "",
    ]


def test_a_project_restricts_the_jobs(page, client, finished):
    client.run("qnx.projects.get_or_create('alone')")
    inside, outside = finished("inside", project="alone"), finished("outside")
    page.open()
    page.until(lambda: page.row(outside))
    number = page.texts("#projects button").index("alone") + 1
    page.click(f"#projects li:nth-child({number}) button")
    page.until(lambda: not page.row(outside))
    assert page.row(inside)


def test_a_waiting_job_shows_its_queue_position_and_then_its_end(page, nexus, submit):
    nexus.progress = Progress.seconds(queued=1000)
    first, second = submit("first in line"), submit("second in line")
    page.open()
    page.until(lambda: page.row(second))
    positions = [int(page.row(job)[4]) for job in (first, second)]
    assert page.row(second)[3] == "QUEUED"
    assert positions[1] == positions[0] + 1
    nexus.progress = Progress.immediate()
    nexus.set_job_status(second, "CANCELLED")
    page.until(lambda: page.row(second)[3] == "CANCELLED")
    assert page.row(second)[4] == ""


def test_the_cost_of_a_job_is_shown_in_hqc(page, client):
    job = client.run(
        """
        project = qnx.projects.get(name="shared")
        circuit = Circuit(2, name="costs").ZZMax(0, 1).measure_all()
        job = qnx.start_execute_job(
            programs=qnx.circuits.upload(circuit, project=project), n_shots=1000,
            backend_config=qnx.models.QuantinuumConfig(device_name="H2-1E"),
            name="costs", project=project,
        )
        qnx.jobs.wait_for(job, timeout=120)
        result = [str(job.id), qnx.jobs.status(job).cost]
        """
    )
    page.open()
    page.until(lambda: page.row(job[0]))
    assert page.row(job[0])[5] == f"{job[1]:.2f}"


def test_the_histogram_shows_the_counts_of_the_chosen_item(page, client, finished):
    job = finished("to draw", n_shots=[100, 7])
    expected = client.run(
        """
        result = [
            {"".join(map(str, bits)): n for bits, n in counts.items()}
            for ref in qnx.jobs.results(qnx.jobs.get(id=job))
            for counts in [ref.download_result().get_counts()]
        ]
        """,
        job=job,
    )
    page.open()
    page.choose(job)
    assert page.counts() == expected[0]
    Select(page.one("#items")).select_by_value("1")
    page.until(lambda: page.one("figcaption").text.startswith("7 shots"))
    assert page.counts() == expected[1]


def test_a_job_without_a_result_says_why(page, nexus, submit):
    nexus.progress = Progress.seconds(queued=1000)
    job = submit("to fail")
    nexus.set_job_status(job, "ERROR", "It failed.", "A detail.")
    page.open()
    page.choose(job)
    page.until(lambda: page.one("#item-message").text)
    assert page.one("#job-message").text == "ERROR. It failed. A detail."
    assert not page.one("#histogram").is_displayed()


def test_names_are_shown_as_they_are(page, finished):
    name = "<img src=x onerror=\"document.title='broken'\"><b>bold</b>"
    job = finished(name)
    page.open()
    page.choose(job)
    page.until(lambda: page.one("#job-title").text == name)
    assert page.row(job)[0] == name
    assert page.driver.title == "Embedded Nexus"
    assert not page.texts("main img") + page.texts("main b")


@pytest.mark.parametrize("kind", ["shots", "counts"])
def test_results_of_pytket_are_counted_as_pytket_does(page, client, kind):
    result, expected = client.run(
        """
        import json
        import random
        from pytket.backends.backendresult import BackendResult
        from pytket.utils.outcomearray import OutcomeArray
        shots = [[random.randint(0, 1) for _ in range(11)] for _ in range(50)]
        shots += shots[:20]
        outcomes = OutcomeArray.from_readouts(shots)
        if kind == "counts":
            outcomes = outcomes.counts()
        backend_result = BackendResult(**{kind: outcomes})
        counts = backend_result.get_counts()
        result = [
            json.loads(json.dumps(backend_result.to_dict(), default=int)),
            {"".join(map(str, bits)): int(n) for bits, n in counts.items()},
        ]
        """,
        kind=kind,
    )
    page.driver.get(page.server.url)
    counted = page.driver.execute_async_script(
        """
        const [result, done] = arguments;
        const { countPytket } = await import("/results.js");
        done(Object.fromEntries(countPytket(result)));
        """,
        result,
    )
    assert counted == expected


def test_shots_of_hugr_programs_are_counted_by_their_tags(page):
    page.driver.get(page.server.url)
    counted = page.driver.execute_async_script(
        """
        const [shots, done] = arguments;
        const { countQsys } = await import("/results.js");
        done(Object.fromEntries(countQsys(shots)));
        """,
        [[["a", 1], ["b", [0, 1]]], [["a", 0]], [["a", 1], ["b", [0, 1]]]],
    )
    assert counted == {"a=1 b=01": 2, "a=0": 1}


def test_the_page_loads_nothing_from_elsewhere_and_breaks_no_rule(page, finished):
    page.open()
    page.choose(finished("own resources"))
    page.counts()
    loaded = page.driver.execute_script(
        "return performance.getEntriesByType('resource').map(({ name }) => name)"
    )
    assert loaded
    assert all(name.startswith(page.server.url + "/") for name in loaded)
    assert page.driver.get_log("browser") == []


def test_without_the_link_a_browser_sees_no_data(page, finished):
    finished("secret")
    page.driver.get(page.server.url)
    page.until(lambda: "Open the link" in page.one("#notice").text)
    assert not page.one("#content").is_displayed()
    assert page.texts("#jobs tr") == []


def test_a_link_leaves_no_token_in_the_address(page):
    page.open()
    assert page.driver.current_url == f"{page.server.url}/"


@pytest.fixture
def browser(nexus: LocalNexus) -> Iterator[httpx.Client]:
    """What a browser sends after the link was opened."""
    context = ssl.create_default_context(cafile=nexus.env["SSL_CERT_FILE"])
    with httpx.Client(base_url=nexus.url, verify=context) as http:
        answer = http.get(nexus.page_link())
        assert answer.status_code == 303
        assert answer.headers["location"] == "/"
        yield http


def test_a_link_opens_one_browser_only(nexus, anonymous):
    link = nexus.page_link()
    assert anonymous.get(link).cookies
    anonymous.cookies.clear()
    assert not anonymous.get(link).cookies
    assert anonymous.get(PROJECTS).status_code == 401


def test_a_wrong_token_opens_nothing(anonymous):
    assert not anonymous.get("/", params={"token": "wrong"}).cookies
    assert anonymous.get(PROJECTS).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/index.html",
        "/page/index.html",
        "/page.js/../index.html",
        "/..%2finstance.json",
    ],
)
def test_no_file_is_read_but_those_of_the_page(anonymous, path):
    assert anonymous.get(path).status_code == 404


def test_only_the_administrator_gets_links(http):
    assert http.post("/_local/page-links").status_code == 401


def test_a_browser_may_read_and_change_nothing(browser, shared):
    assert browser.get(PROJECTS).status_code == 200
    change = {"data": {"attributes": {"name": "changed"}}}
    assert browser.post(PROJECTS, json=change).status_code == 401
    assert browser.patch(f"{PROJECTS}/{shared}", json=change).status_code == 401
    assert browser.delete(f"{PROJECTS}/{shared}").status_code == 401


def test_scripts_and_other_sites_cannot_use_the_cookies(nexus, anonymous):
    login = {"email": nexus.email, "password": nexus.password}
    answers = [
        anonymous.get(nexus.page_link()),
        anonymous.post("/auth/login", json=login),
    ]
    for answer in answers:
        for cookie in answer.headers.get_list("set-cookie"):
            rules = {part.strip().lower() for part in cookie.split(";")}
            assert {"httponly", "secure", "samesite=strict", "path=/"} <= rules


def test_the_page_forbids_everything_that_it_does_not_need(anonymous):
    headers = anonymous.get("/").headers
    policy = headers["content-security-policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
