"""Pages in a real browser against a real server with its streams."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.conf import LazySettings
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from tests.live.served import Served, served, wait_until


@dataclass
class Site:
    """A running site: the address of its pages and its streams; `faults` is what any page complained of."""

    url: str
    live: Served
    browser: Browser
    faults: list[str] = field(default_factory=list)

    @contextmanager
    def context(self, *, width: int = 1280, height: int = 800) -> Iterator[BrowserContext]:
        """A browser profile of its own."""
        context = self.browser.new_context(viewport={"width": width, "height": height})
        context.on("page", self._watch)
        try:
            yield context
        finally:
            context.close()

    def _watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on(
            "console",
            lambda message: (
                self.faults.append(message.text) if "Content Security Policy" in message.text else None
            ),
        )


@contextmanager
def site(live_server: LiveServer, browser: Browser, settings: LazySettings) -> Iterator[Site]:
    """The site with its streams; fails if a page broke the content security policy or threw."""
    with served(settings.REDIS_URL) as live:
        settings.LIVE_PORT = live.port
        wait_until(lambda: not live.hub.degraded)
        made = Site(live_server.url, live, browser)
        yield made
        assert made.faults == []


def log_in(page: Page, site_url: str, station: str) -> None:
    """Logs in as Mia and stands at a station; ends on the scan page."""
    page.goto(f"{site_url}/login/")
    page.fill("[name=username]", "mia")
    page.fill("[name=password]", "scan-the-card")
    page.click("main button.main")
    page.goto(f"{site_url}/s/")
    page.click(f"button[value='{station}']")
    page.wait_for_selector("#result[data-ready]")


def scan(page: Page, code: str, suffix: str = "Enter") -> None:
    """What a keyboard-wedge scanner does: types the code and its suffix at once."""
    page.keyboard.type(code)
    if suffix:
        page.keyboard.press(suffix)
