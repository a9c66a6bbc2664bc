"""What Tierkreis's visualiser shows of our graphs, in a real Chromium."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from tests.helpers import control_workflow
from tests.helpers.browser import chromium
from tierkreis.controller.data.location import Loc
from tierkreis.storage import FileStorage

from local_nexus import Progress
from tkr_nexus_worker.graphs.submit_poll import POLLING_LOOP

NODE = ".react-flow__node"
# "tkr-vis" starts the same application on a fixed port.
APPLICATION = "tierkreis_visualization.app:get_filestorage_app"


class Visualiser:
    """tkr-vis on one workflow, in a browser."""

    def __init__(self, driver: webdriver.Chrome, url: str, workflow: UUID) -> None:
        self.driver = driver
        self.url = f"{url}/workflows/{workflow}/nodes"

    def open(self, node: str, expected: str) -> None:
        self.driver.get(f"{self.url}/{node}")
        self.until(lambda: expected in self.names())

    def names(self) -> list[str]:
        # Names are cut by the style alone.
        script = "return [...document.querySelectorAll(arguments[0])].map((node) => "
        return self.driver.execute_script(f"{script}node.textContent)", NODE)

    def click(self, name: str) -> None:
        nodes = self.driver.find_elements(By.CSS_SELECTOR, NODE)
        [node] = [it for it in nodes if it.get_property("textContent") == name]
        node.click()

    def dialog(self, expected: str) -> str:
        """Return the text of the dialog once it has what is expected."""
        found = ""

        def has_text() -> bool:
            nonlocal found
            script = "return document.querySelector('[role=dialog]')?.textContent ?? ''"
            found = self.driver.execute_script(script)
            return expected in found

        self.until(has_text)
        return found

    def until(self, condition: Callable[[], object]) -> None:
        WebDriverWait(self.driver, 60).until(lambda _driver: condition())


@pytest.fixture
def visualiser(tmp_path) -> Iterator[str]:
    """The address of a server that shows the workflows in the folder of the test."""
    command = [sys.executable, "-m", "uvicorn", "--factory", APPLICATION, "--port", "0"]
    environment = os.environ | {"TIERKREIS_PATH": str(tmp_path)}
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, text=True
    ) as server:
        for line in server.stderr:
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                yield found[0]
                break
        # It would wait for those who follow a workflow.
        server.kill()


def loop_of(storage: FileStorage) -> Loc:
    """Return where the polling loop is, once it has started."""
    name = f'"name":"{POLLING_LOOP}"'
    [node] = [
        it.parent.name
        for it in Path(storage.workflow_dir).glob("*/nodedef")
        if name in it.read_text()
    ]
    return Loc(node)


def test_a_user_recognises_a_graph_and_the_state_of_its_job(
    nexus, visualiser, tmp_path, tmp_path_factory
):
    before = {job["id"] for job in nexus.jobs()}

    def submitted() -> list[dict]:
        return [job for job in nexus.jobs() if job["id"] not in before]

    nexus.progress = Progress.seconds(queued=1000)
    workflow = uuid4()
    command = [control_workflow.__file__, "run", "nexus", tmp_path, str(workflow)]
    environment = os.environ | nexus.env | {"TKR_TEST_EXECUTOR": "in-process"}
    controller = subprocess.Popen([sys.executable, *command], env=environment)
    storage = FileStorage(workflow, tierkreis_directory=tmp_path)
    try:
        with chromium(tmp_path_factory.mktemp("chromium")) as driver:
            page = Visualiser(driver, visualiser, workflow)
            page.open("-", "Loop")
            names = set(page.names())
            assert names >= {"project_name", "job_name", "circuits", "n_shots"}
            assert names >= {"backend_config", "Map", "Output"}
            tasks = {it for it in names if it.startswith("nexus_worker.")}
            assert tasks == {
                "nexus_worker.prepare_batches",
                "nexus_worker.start_execute_job",
            }
            page.until(lambda: submitted() and any(tmp_path.glob("*/*.L1.N*/logs")))
            loop = loop_of(storage)
            # The pass that waits shows in its log how the job is now.
            page.open(f"{loop}.L1", "nexus_worker.wait_for_change")
            page.click("nexus_worker.wait_for_change")
            assert "'a job'" in page.dialog("QUEUED, queue position 1")

            nexus.clear_progress()
            assert controller.wait(120) == 0
            # A pass that has ended shows in its output how the job was then.
            page.open(f"{loop}.L0", "Output")
            page.click("Output")
            page.dialog("QUEUED, queue position 1")
            assert [job["status"] for job in submitted()] == ["COMPLETED"]
    finally:
        controller.kill()
        controller.wait()
