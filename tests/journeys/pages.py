"""Pages in a real browser against a real server with its streams."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import LazySettings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Error, Page
from pytest_django.live_server_helper import LiveServer

from jitapp.accounts.models import Person
from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Membership
from tests.floor import Floor
from tests.live.served import Served, served, wait_until

PASSWORD = "scan-the-card"


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
        assert made.faults == [], made.faults


def give_login(context: BrowserContext, site_url: str, username: str, password: str = PASSWORD) -> None:
    """This browser has logged in: it gets the cookies that the login form answers with. How the form itself is filled
    in a browser is told by test_first_scan.py and test_languages.py."""
    client = Client()
    answer = client.post("/login/", {"username": username, "password": password})
    assert answer.status_code == 302, "nobody logs in like that"
    for name, cookie in client.cookies.items():
        kept = int(cookie["max-age"]) if cookie["max-age"] else 0  # without it a browser that ends forgets it
        expires = time.time() + kept if kept else -1
        context.add_cookies([{"name": name, "value": cookie.value, "url": site_url, "expires": expires}])


def log_in(page: Page, site_url: str, station: str) -> None:
    """Mia has logged in and stands at a station; ends on the scan page."""
    give_login(page.context, site_url, "mia")
    page.goto(f"{site_url}/s/")
    page.click(f"button[value='{station}']")
    page.wait_for_selector("#result[data-ready]")


def scan(page: Page, code: str, suffix: str = "Enter") -> None:
    """What a keyboard-wedge scanner does: types the code and its suffix at once."""
    page.keyboard.type(code)
    if suffix:
        page.keyboard.press(suffix)


KEPT = """() => new Promise((resolve, reject) => {
  const opening = indexedDB.open('jitapp');
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const all = opening.result.transaction('scans').objectStore('scans').getAll();
    all.onsuccess = () => { opening.result.close(); resolve(all.result); };
  };
})"""


def kept(page: Page) -> list[dict[str, Any]]:
    """The scans on this device, as they lie in its database: `waits` is 1 for those to be sent."""
    found: list[dict[str, Any]] = page.evaluate(KEPT)
    return found


def waiting(page: Page) -> list[dict[str, Any]]:
    return [scan for scan in kept(page) if scan.get("waits")]


def aside(page: Page) -> list[dict[str, Any]]:
    return [scan for scan in kept(page) if not scan.get("waits")]


def until(page: Page, script: str, arg: object = None, *, seconds: float = 60) -> None:
    """Waits until the script returns something true; unlike the browser's own waiting it needs no `eval` there."""
    for _ in range(int(seconds * 10)):
        try:
            if page.evaluate(script, arg):
                return
        except Error as error:
            if "navigation" not in error.message:  # the page loads itself again meanwhile
                raise
        page.wait_for_timeout(100)
    raise AssertionError(f"It did not come about in {seconds} s: {script}")


def sign_in(floor: Floor, username: str = "mia") -> Person:
    """Somebody with a password who works on this floor."""
    person = floor.person(username)
    person.set_password("scan-the-card")
    person.save()
    Membership.objects.create(person=person, plant=floor.plant, role=Role.OPERATOR)
    return person


KNOWN = """async () => (await caches.keys()).length > 0 && await new Promise(resolve => {
  const opening = indexedDB.open('jitapp');
  opening.onsuccess = () => {
    const asked = opening.result.transaction('kept').objectStore('kept').get('cards');
    asked.onsuccess = () => { opening.result.close(); resolve(Boolean(asked.result)); };
  };
})"""


def known_to_tablet(page: Page) -> None:
    """Until the tablet has its card list, and its worker keeps the page."""
    page.evaluate("() => navigator.serviceWorker.ready.then(() => undefined)")
    until(page, KNOWN)
