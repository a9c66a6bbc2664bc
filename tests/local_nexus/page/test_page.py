"""The web page, in a real Chromium and by plain requests."""

import base64
import csv
import json
import re
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from selenium import webdriver
from tests.helpers.browser import Page, chromium
from tests.helpers.many_jobs import add_jobs

from local_nexus import LocalNexus, Progress

PROJECTS = "/api/projects/v1beta2"
COIN = Path(__file__).parents[1] / "simulators" / "coin_guppylang_0_21_6.hugr"


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
    page.until(lambda: "of the page" in page.texts("#projects a"))
    page.until(lambda: page.row(job))
    row = page.row(job)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", row.pop("Submitted (UTC)"))
    assert row == {
        "Name": "of the page",
        "Project": "of the page",
        "Device": "Qulacs",
        "Type": "execute",
        "Status": "COMPLETED",
        "Queue position": "",
        "Cost (HQC)": "",
    }


def test_a_project_restricts_the_jobs(page, client, finished):
    client.run("qnx.projects.get_or_create('alone')")
    inside, outside = finished("inside", project="alone"), finished("outside")
    page.open()
    page.until(lambda: page.row(outside))
    number = page.texts("#projects a").index("alone") + 1
    page.click(f"#projects li:nth-child({number}) a")
    page.until(lambda: not page.row(outside))
    assert page.row(inside)
    # One page needs no links to others.
    assert not page.one("#pages").is_displayed()


def test_more_jobs_than_fit_are_on_further_pages(page, client, nexus):
    project = client.run("result = str(qnx.projects.get_or_create('of many').id)")
    add_jobs(nexus, project, [str(uuid4()) for _ in range(27)])
    page.open()
    page.driver.get(f"{nexus.url}/#project={project}")
    # Until then it shows those of all projects, which may be as many.
    page.until(lambda: page.one("#pages").text.startswith("1 to 25 of 27"))
    assert len(page.texts("#jobs tr")) == 25
    page.click("#older")
    page.until(lambda: len(page.texts("#jobs tr")) == 2)
    assert page.one("#pages").text.split("\n")[0].startswith("26 to 27 of 27")
    page.click("#newer")
    page.until(lambda: len(page.texts("#jobs tr")) == 25)


def test_a_waiting_job_shows_its_queue_position_and_then_its_end(page, nexus, submit):
    nexus.progress = Progress.seconds(queued=1000)
    first, second = submit("first in line"), submit("second in line")
    page.open()
    page.until(lambda: page.row(second))
    positions = [int(page.row(job)["Queue position"]) for job in (first, second)]
    assert page.row(second)["Status"] == "QUEUED"
    assert positions[1] == positions[0] + 1
    nexus.progress = Progress.immediate()
    nexus.set_job_status(second, "CANCELLED")
    page.until(lambda: page.row(second)["Status"] == "CANCELLED")
    assert page.row(second)["Queue position"] == ""


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
    assert page.row(job[0])["Cost (HQC)"] == f"{job[1]:.2f}"
    page.choose(job[0])
    assert page.facts()["Cost"] == f"{job[1]:.2f} HQC"


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
    page.click("#items tr:nth-child(2) a")
    page.until(lambda: page.one("#histogram-title").text.startswith("7 shots"))
    assert page.counts() == expected[1]
    p = max(expected[1].values()) / 7
    estimates = page.texts("#histogram td:nth-child(4)")
    assert f"{p:.4f} ± {(p * (1 - p) / 7) ** 0.5:.4f}" in estimates
    # The address leads there again.
    assert page.driver.current_url.endswith(f"#job={job}&item=1")
    page.driver.refresh()
    page.until(lambda: page.one("#histogram-title").text.startswith("7 shots"))
    assert page.counts() == expected[1]

    saved = json.loads(page.download("Download JSON"))
    assert saved["job"]["id"] == job
    assert [one["counts"] for one in saved["results"]] == expected
    rows = csv.DictReader(page.download("Download CSV").splitlines())
    counted = [{}, {}]
    for row in rows:
        counted[int(row["circuit"])][row["outcome"]] = int(row["count"])
    assert counted == expected


def test_a_wide_job_is_told_apart_drawn_and_readable_on_a_phone(page, client):
    job = client.run(
        """
        project = qnx.projects.get(name="shared")
        circuit = Circuit(23, name="ghz").H(0)
        for qubit in range(22):
            circuit.CX(qubit, qubit + 1)
        circuit.measure_all().X(0, condition_bits=[3], condition_value=1)
        job = qnx.start_execute_job(
            programs=qnx.circuits.upload(circuit, project=project), n_shots=50,
            backend_config=qnx.models.QuantinuumConfig(device_name="H2-1LE"),
            name="ghz", project=project,
        )
        qnx.jobs.wait_for(job, timeout=120)
        result = str(job.id)
        """
    )
    page.open()
    page.choose(job)
    assert set(page.counts()) == {"0" * 23, "1" * 23}
    wires = [f"q[{qubit}]" for qubit in range(23)]
    drawn = page.texts("#drawing text")
    assert set(drawn) >= {*wires, "H", "M c[22]", "if c[3]=1: X"}
    assert len(page.texts("#drawing circle.ring")) == 22
    assert page.facts()["Job id"] == job
    assert page.facts()["Device"] == "H2-1LE"
    assert page.texts("#log td:last-child")[-1] == "Completed"
    assert '"device_name": "H2-1LE"' in page.texts("#config")[0]
    page.resize(390)
    assert page.fits()
    assert [it for it in page.texts("#histogram tbody th") if len(it) == 23]
    page.click("header a")
    page.until(lambda: page.one("#list").is_displayed())
    assert page.fits()
    page.resize(1200)


def test_a_waiting_job_is_cancelled_by_its_button(page, nexus, submit):
    nexus.progress = Progress.seconds(queued=1000)
    job = submit("to cancel")
    page.open()
    page.choose(job)
    assert "Queue position" in page.one("#job-message").text
    page.click("#actions .danger")
    page.until(lambda: "CANCELLED" in page.one("#job-message").text)
    states = {one["id"]: one["status"] for one in nexus.jobs()}
    assert states[job] == "CANCELLED"
    assert not page.texts("#actions .danger")
    assert page.texts("#log td:last-child")[-1] == "Cancelled"


def test_a_job_without_a_result_says_why(page, nexus, submit):
    nexus.progress = Progress.seconds(queued=1000)
    job = submit("to fail")
    nexus.set_job_status(job, "ERROR", "It failed.", "A detail.")
    page.open()
    page.choose(job)
    page.until(lambda: page.texts("#items tr"))
    assert page.one("#job-message").text == "ERROR It failed. A detail."
    # Once, though the item says the same.
    assert page.one("article").text.count("It failed.") == 1
    assert not page.one("#results").is_displayed()


def test_names_are_shown_as_they_are(page, finished):
    name = "<img src=x onerror=\"document.title='broken'\"><b>bold</b>"
    job = finished(name)
    page.open()
    page.choose(job)
    page.until(lambda: page.one("#job-title").text == name)
    assert page.row(job)["Name"] == name
    assert page.texts("#items th") == [f"0: {name}"]
    assert page.driver.title == f"{name} - Embedded Nexus"
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
    page.driver.get("about:blank")
    page.driver.get(f"{page.server.url}/#job=secret")
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


def test_a_browser_may_read_and_change_only_what_the_page_has_buttons_for(
    browser, nexus, shared, submit
):
    assert browser.get(PROJECTS).status_code == 200
    change = {"data": {"attributes": {"name": "changed"}}}
    assert browser.post(PROJECTS, json=change).status_code == 401
    assert browser.patch(f"{PROJECTS}/{shared}", json=change).status_code == 401
    assert browser.delete(f"{PROJECTS}/{shared}").status_code == 401
    nexus.progress = Progress.seconds(queued=1000)
    job = submit("not of others")
    by_api = browser.post(f"/api/jobs/v1beta3/{job}/rpc/cancel")
    assert by_api.status_code == 401
    cancel = f"/page/jobs/{job}/cancel"
    foreign = browser.post(cancel, headers={"origin": "https://example.com"})
    assert foreign.status_code == 403
    assert browser.get(f"/page/jobs/{job}").json()["data"]["id"] == job
    assert browser.post(cancel, headers={"origin": nexus.url}).status_code == 204
    assert browser.post(cancel).status_code == 409


def test_the_page_reads_a_job_without_moving_it(browser, nexus, submit):
    nexus.progress = Progress.after_reads(2)
    job = submit("not moved")
    for _ in range(5):
        shown = browser.get(f"/page/jobs/{job}").json()
    assert shown["data"]["attributes"]["status"]["status"] != "COMPLETED"


def test_without_a_session_no_button_works(anonymous, submit, nexus):
    nexus.progress = Progress.seconds(queued=1000)
    job = submit("of somebody")
    assert anonymous.get(f"/page/jobs/{job}").status_code == 401
    assert anonymous.post(f"/page/jobs/{job}/cancel").status_code == 401


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


BELL_QIR = b"""define void @main() #0 {
  call void @"<b>"()
  ret void
}
declare void @"<b>"()
attributes #0 = { "entry_point" }
"""


def uploaded(client, kind: str, contents: bytes) -> str:
    return client.run(
        """
        project = qnx.projects.get(name="shared")
        attributes = {"name": key, "properties": {}, "contents": contents}
        owner = {"project": {"data": {"id": str(project.id), "type": "project"}}}
        data = {"type": kind, "attributes": attributes, "relationships": owner}
        version = "v1beta2" if kind == "hugr" else "v1beta"
        client = qnx.client.get_nexus_client()
        answer = client.post(f"/api/{kind}/{version}", json={"data": data})
        result = answer.json()["data"]["id"]
        """,
        key=f"program {uuid4()}",
        kind=kind,
        contents=base64.b64encode(contents).decode(),
    )


@pytest.mark.parametrize(
    ("kind", "contents", "shown"),
    [
        ("hugr", COIN.read_bytes(), "main() -> ()\n     1 tket.quantum.QAlloc\n"),
        ("qir", BELL_QIR, BELL_QIR.decode()),
        ("qir", b"BC\xc0\xdejunk", ""),
    ],
)
def test_a_program_that_is_not_drawn_is_listed(browser, client, kind, contents, shown):
    path = f"/page/programs/{kind}/{uploaded(client, kind, contents)}"
    answer = browser.get(path).json()
    assert answer["text"].startswith(shown)
    assert ("problem" in answer) == (not shown)


def test_programs_are_listed_for_their_readers_alone(browser, anonymous, client):
    program = uploaded(client, "qir", BELL_QIR)
    assert anonymous.get(f"/page/programs/qir/{program}").status_code == 401
    assert browser.get(f"/page/programs/hugr/{program}").status_code == 404
    assert browser.get(f"/page/programs/circuit/{program}").status_code == 404
    assert browser.get(f"/page/programs/qir/{uuid4()}").status_code == 404
