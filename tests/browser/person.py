"""A person in front of a browser: logged in by cookie, waits on conditions, reads what the page says."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

from dash.testing.browser import Browser
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.console import Console
from tests.waiting import wait_until

T = TypeVar("T")
# selenium's WebDriver; this selenium has no types.
Driver: TypeAlias = Any

_ASKS = ("Network.requestWillBeSent", "Network.webSocketCreated")
_OF_NO_HOST = ("data:", "blob:", "about:", "chrome:", "devtools:")

# Only what asks nobody outside this machine for anything; the sandbox cannot run as root.
_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
WIDE = (1600, 1000)
NARROW = (400, 844)
WALL = (1920, 1080)


class _Options(Options):
    """Chromium's options, with the log of every request: `Browser` itself asks for that of the console only."""

    def set_capability(self, name: str, value: Any) -> None:
        """Set a capability; to the logs that are wanted one is added."""
        if name == "goog:loggingPrefs":
            value = {**value, "performance": "ALL"}
        super().set_capability(name, value)  # type: ignore[no-untyped-call]  # this selenium has no types here


def start_chromium(download_path: Path, size: tuple[int, int]) -> Driver:
    """Start Chromium with a window of ``size`` CSS pixels."""
    options = _Options()
    for argument in (*_ARGUMENTS, f"--window-size={size[0]},{size[1]}"):
        options.add_argument(argument)  # type: ignore[no-untyped-call]  # this selenium has no types here
    browser = Browser(
        browser="chrome", options=[options], download_path=str(download_path), percy_run=False, percy_finalize=False
    )
    # Waiting is done on conditions; an implicit wait would slow down each look at what is not there.
    browser.driver.implicitly_wait(0)
    return browser.driver


def _slowed(driver: Driver) -> Driver:
    """Let pages in this tab run slower by ``BROWSER_SLOWDOWN``: what depends on who is first shows itself then."""
    driver.execute_cdp_cmd("Emulation.setCPUThrottlingRate", {"rate": float(os.environ.get("BROWSER_SLOWDOWN", "1"))})
    return driver


class Browsers:
    """Chromium for one person after another: to start it and to load what all pages share takes longer than most tests.

    Whoever gets one finds it as if it had just been installed, but for what it has cached.
    """

    def __init__(self) -> None:
        """Start none yet."""
        self._idle: list[Driver] = []

    def lend(self, download_path: Path, size: tuple[int, int]) -> Driver:
        """Return one that nobody uses."""
        if not self._idle:
            return _slowed(start_chromium(download_path, size))
        driver = self._idle.pop()
        driver.set_window_size(*size)
        allowed = {"behavior": "allow", "downloadPath": str(download_path)}
        driver.execute_cdp_cmd("Browser.setDownloadBehavior", allowed)
        return _slowed(driver)

    def take_back(self, driver: Driver, origin: str) -> None:
        """Forget what somebody did in it at ``origin``."""
        used = driver.window_handles
        driver.switch_to.new_window("tab")
        fresh = driver.current_window_handle
        for handle in used:
            driver.switch_to.window(handle)
            driver.close()
        driver.switch_to.window(fresh)
        driver.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
        driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        driver.execute_cdp_cmd("Browser.resetPermissions", {})
        for kind in ("browser", "performance"):
            driver.get_log(kind)
        self._idle.append(driver)

    def end(self) -> None:
        """End those that nobody uses."""
        while self._idle:
            self._idle.pop().quit()


class Person:
    """One browser of its own, used by one account."""

    def __init__(
        self, console: Console, download_path: Path, size: tuple[int, int] = WIDE, driver: Driver | None = None
    ) -> None:
        """Take a browser, or start one with a window of ``size`` CSS pixels."""
        self._console = console
        self.driver = driver or start_chromium(download_path, size)

    def __enter__(self) -> Self:
        """Nothing to do: the browser runs already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the browser."""
        self.driver.quit()

    def log_in(self, name: str) -> Self:
        """Take over the session cookie of an HTTP log-in: only the log-in tests type a password."""
        http = self._console.log_in(name, self.driver.execute_script("return navigator.userAgent"))
        self.driver.get(f"{self._console.url}/health/live")
        for cookie in http.cookies:
            self.driver.add_cookie({"name": cookie.name, "value": cookie.value or "", "path": "/"})
        return self

    def open(self, path: str) -> Self:
        """Go to a path of the console."""
        self.driver.get(self._console.url + path)
        return self

    def set_theme(self, theme: str) -> Self:
        """Choose ``dark`` or ``light`` as the user menu does."""
        self.driver.execute_script("window.localStorage.setItem('console-theme', arguments[0])", theme)
        return self

    def resize(self, size: tuple[int, int]) -> Self:
        """Give the page a size in CSS pixels, smaller than a window can be."""
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        return self

    def find(self, css: str) -> list[WebElement]:
        """Return what matches now."""
        found: list[WebElement] = self.driver.find_elements(By.CSS_SELECTOR, css)
        return found

    def wait(self, css: str, timeout_s: float = 10.0) -> WebElement:
        """Return the first element that matches, as soon as it is displayed."""
        found = wait_until(lambda: self._displayed(css), timeout_s, f"{css} in {self.driver.current_url}")
        assert found is not None
        return found

    def wait_gone(self, css: str, timeout_s: float = 10.0) -> None:
        """Wait until nothing that matches is displayed."""
        wait_until(lambda: self._displayed(css) is None, timeout_s, f"{css} to go away")

    def text(self, css: str) -> str:
        """Return the text of the first match, as the page shows it; empty where there is none."""
        return str(
            self.driver.execute_script(
                "const found = document.querySelector(arguments[0]); return found ? found.innerText : ''", css
            )
        )

    def texts(self, css: str) -> list[str]:
        """Return the texts of all matches."""
        script = "return Array.from(document.querySelectorAll(arguments[0]), e => e.innerText)"
        return [str(text) for text in self.driver.execute_script(script, css)]

    def wait_text(self, css: str, part: str, timeout_s: float = 10.0) -> str:
        """Wait until the text of the first match holds ``part``; return it."""
        return self.wait_for(lambda: part in (text := self.text(css)) and text, timeout_s, f"{part!r} in {css}") or ""

    def wait_that(self, condition: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Wait for a condition."""
        self.wait_for(condition, timeout_s, what)

    def wait_for(self, value: Callable[[], T], timeout_s: float, what: str) -> T:
        """Wait for a truthy value and return it; on failure say what the page looked like."""
        try:
            return wait_until(value, timeout_s, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\npage: {self.text('main')[:3000]}") from error
        return what

    def click(self, css: str, timeout_s: float = 10.0) -> None:
        """Click the first match as soon as it is displayed, as often as the page redraws it meanwhile."""

        def clicked() -> bool:
            try:
                self.wait(css, timeout_s).click()
            except StaleElementReferenceException:
                return False
            return True

        wait_until(clicked, timeout_s, f"a click on {css}")

    def problems(self) -> list[str]:
        """Return what the browser's console complained about since the last call, and forget it."""
        return [str(entry["message"]) for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def foreign_requests(self) -> list[str]:
        """Return addresses outside our own that any page asked for since the last call, and forget them."""
        asked = [_address(json.loads(entry["message"])["message"]) for entry in self.driver.get_log("performance")]
        return [name for name in asked if name and not name.startswith((f"{self._console.url}/", *_OF_NO_HOST))]

    def is_at_rest(self) -> bool:
        """Tell whether nothing is shown as still loading, and no callback is under way."""
        script = "return document.querySelector('.loading-after, [data-dash-is-loading=true]') === null"
        return bool(self.driver.execute_script(script))

    def screenshot(self, path: Path) -> None:
        """Write a PNG of what is visible."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(path))

    def _displayed(self, css: str) -> WebElement | None:
        try:
            return next((element for element in self.find(css) if element.is_displayed()), None)
        except StaleElementReferenceException:
            return None


def _address(event: Mapping[str, Any]) -> str:
    """Return the address an event of the browser asked for; empty where it asked for nothing."""
    if event["method"] not in _ASKS:
        return ""
    parameters = event["params"]
    return str(parameters["request"]["url"] if "request" in parameters else parameters["url"])
