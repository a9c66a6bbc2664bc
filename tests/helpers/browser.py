"""A web page of an embedded cloud in a real Chromium."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from local_cloud import LocalServer

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--ignore-certificate-errors",  # the authority of the server is a throw-away one
    "--window-size=1200,900",
)


class Page:
    """The web page of a server in a browser."""

    def __init__(self, driver: webdriver.Chrome, server: LocalServer) -> None:
        self.driver = driver
        self.server = server

    def open(self) -> None:
        self.driver.get(self.server.page_link())
        self.until(lambda: self.one("#content").is_displayed())

    def one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        script = (
            "return [...document.querySelectorAll(arguments[0])]"
            ".map((node) => node.textContent)"
        )
        return self.driver.execute_script(script, selector)

    def row(self, job: str) -> list[str]:
        return self.texts(f'[data-id="{job}"] td')

    def click(self, selector: str) -> None:
        # The page renews itself: what was found may be gone at the click.
        script = "document.querySelector(arguments[0]).click()"
        self.driver.execute_script(script, selector)

    def choose(self, job: str) -> None:
        self.until(lambda: self.row(job))
        self.click(f'[data-id="{job}"] button')

    def until(self, condition: Callable[[], object]) -> None:
        WebDriverWait(self.driver, 30).until(lambda _driver: condition())

    def counts(self) -> dict[str, int]:
        self.until(lambda: self.one("#histogram").is_displayed())
        pairs = [title.rsplit(": ", 1) for title in self.texts("#histogram title")]
        return {outcome: int(count) for outcome, count in pairs}


@contextlib.contextmanager
def chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """Give a browser; a test that needs one is skipped where there is none.

    :param profile: an empty folder.
    """
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("Chromium is not installed: apt-get install chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for option in OPTIONS:
        options.add_argument(option)
    options.add_argument(f"--user-data-dir={profile}")
    driver = webdriver.Chrome(options, Service(DRIVER))
    yield driver
    driver.quit()
