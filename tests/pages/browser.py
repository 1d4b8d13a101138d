"""Chromium without a window: opens pages, takes pictures, reads the console, asks axe-core."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException

AXE = Path(__file__).parent / "axe" / "axe.min.js"
#: Said by Chromium itself about pages that are all right.
_NO_FAULT = ("favicon.ico",)


def missing() -> str:
    """Why there is no browser here; empty if there is one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    if not any(map(shutil.which, names)):
        return "no Chromium is installed (apt-get install chromium chromium-driver)"
    return "" if shutil.which("chromedriver") else "no chromedriver is installed (apt-get install chromium-driver)"


def skip_or_fail(why: str) -> None:
    """Skip where a program is not installed; fail where CI says that it must be."""
    if why and os.environ.get("TMS_REQUIRE_CHROMIUM") == "1":
        pytest.fail(why)
    if why:
        pytest.skip(why)


class Browser:
    """One tab."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, url: str, *words: str, seconds: float = 25) -> None:
        """Open the page and wait until it says all these words. Fails with what it says instead."""
        self.driver.get_log("browser")
        self.driver.get(url)
        self.wait_for(*words, seconds=seconds)

    def wait_for(self, *words: str, seconds: float = 25) -> None:
        end = time.monotonic() + seconds
        while True:
            with contextlib.suppress(WebDriverException):
                text = self.text()
                if all(word in text for word in words):
                    return
            assert time.monotonic() < end, f"{self.driver.current_url} does not say {words}: {self.text()[:1500]}"
            time.sleep(0.1)

    def text(self) -> str:
        found: str = self.driver.execute_script("return document.body ? document.body.innerText : ''")
        return found

    def click(self, text: str) -> None:
        """Click the last element with just this text; Dagster keeps hidden twins before it."""
        found = self.driver.execute_script(
            "return [...document.querySelectorAll('a,button,[role=tab],[role=button],div,span')]"
            ".filter(e => e.innerText && e.innerText.trim() === arguments[0] && e.offsetParent).pop()", text,
        )  # fmt: skip
        assert found is not None, f"nothing says {text!r}: {self.text()[:800]}"
        self.driver.execute_script("arguments[0].click()", found)

    def faults(self) -> list[str]:
        """Severe lines of the console since the page was opened."""
        return [
            line["message"][:400]
            for line in self.driver.get_log("browser")
            if line["level"] == "SEVERE" and not any(word in line["message"] for word in _NO_FAULT)
        ]

    def picture(self, path: Path) -> Path:
        """Take a picture of what is seen; fails when it is one plain colour."""
        path.parent.mkdir(parents=True, exist_ok=True)
        assert self.driver.save_screenshot(str(path))
        assert path.stat().st_size > 4000, f"{path.name} shows nothing"
        return path

    def size(self, width: int, height: int) -> None:
        self.driver.set_window_size(width, height)

    def accessibility(self, *, but: Sequence[str] = ()) -> list[str]:
        """What axe-core finds serious or critical on this page: rule, what it says, where."""
        self.driver.execute_script(AXE.read_text(encoding="utf-8"))
        found: dict[str, Any] = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1]; axe.run(document).then(done, e => done({violations: "
            "[{id: 'axe', impact: 'critical', help: String(e), nodes: []}]}))"
        )
        return [
            f"{item['id']} ({item['impact']}): {item['help']}: {[node['target'] for node in item['nodes'][:3]]}"
            for item in found["violations"]
            if item["impact"] in ("serious", "critical") and item["id"] not in but
        ]


@contextlib.contextmanager
def open_browser(folder: Path) -> Iterator[Browser]:
    """Start Chromium; everything that it keeps lies in the folder."""
    options = webdriver.ChromeOptions()
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-device-scale-factor=1",
        "--window-size=1500,900", "--hide-scrollbars", "--disable-background-networking", "--disable-extensions",
        f"--user-data-dir={folder / 'profile'}", "--lang=en-SG",
    ):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.binary_location = next(
        found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))
    )
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    driver.set_page_load_timeout(60)
    driver.set_script_timeout(60)
    try:
        yield Browser(driver)
    finally:
        driver.quit()
