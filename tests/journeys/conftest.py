"""What most journeys begin with: the shop with a loop in each state, and its site in a browser.

A file that needs another shop has a `shop` of its own, and `pages` serves that one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

if TYPE_CHECKING:
    from tests.journeys.pages import Site
    from tests.web.shop import Shop


@pytest.fixture
def shop() -> Shop:
    from tests.web.shop import a_person, every_state  # when Django is set up

    made = every_state(timezone.now())
    a_person(made)
    return made


@pytest.fixture
def made_up(tmp_path: Path, settings: LazySettings) -> Iterator[None]:
    from tests.journeys.made_up import spoken_besides  # when Django is set up

    with spoken_besides(tmp_path, settings):
        yield


@pytest.fixture
def pages(live_server: LiveServer, chromium: Browser, settings: LazySettings, shop: Shop) -> Iterator[Site]:
    from tests.journeys.pages import site  # when Django is set up

    with site(live_server, chromium, settings) as running:
        yield running
