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

    def row(self, job: str) -> dict[str, str]:
        """What the list shows of a job, by the headings of the columns."""
        cells = f'[data-id="{job}"] > *'
        return dict(zip(self.texts("#list thead th"), self.texts(cells), strict=False))

    def click(self, selector: str) -> None:
        # The page renews itself: what was found may be gone at the click.
        script = "document.querySelector(arguments[0]).click()"
        self.driver.execute_script(script, selector)

    def choose(self, job: str) -> None:
        self.until(lambda: self.row(job))
        self.click(f'[data-id="{job}"] a')
        self.until(lambda: self.one("#job").is_displayed())

    def facts(self) -> dict[str, str]:
        """The details of the job that is shown."""
        return dict(zip(self.texts("#facts dt"), self.texts("#facts dd"), strict=True))

    def fits(self) -> bool:
        """Whether nothing of the page lies beside the window."""
        script = "const it = document.documentElement; "
        return self.driver.execute_script(
            script + "return it.scrollWidth <= it.clientWidth"
        )

    def resize(self, width: int) -> None:
        """Give the window a width, below the least of a window on a screen, too."""
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1}
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", metrics | {"mobile": False}
        )

    def download(self, button: str) -> str:
        """Press a button that saves a file, and return the text of the file."""
        script = """
            const [label, done] = arguments;
            const original = URL.createObjectURL;
            URL.createObjectURL = (blob) => {
                URL.createObjectURL = original;
                blob.text().then(done);
                return original.call(URL, blob);
            };
            const buttons = [...document.querySelectorAll("#actions button")];
            buttons.find((one) => one.textContent === label).click();
        """
        return self.driver.execute_async_script(script, button)

    def until(self, condition: Callable[[], object]) -> None:
        WebDriverWait(self.driver, 30).until(lambda _driver: condition())

    def counts(self) -> dict[str, int]:
        self.until(lambda: self.one("#histogram").is_displayed())
        outcomes = self.texts("#histogram tbody th")
        counts = self.texts("#histogram tbody td:nth-child(3)")
        return dict(zip(outcomes, map(int, counts), strict=True))


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
