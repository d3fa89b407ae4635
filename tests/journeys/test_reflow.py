"""Every page keeps inside a phone's edges, at 375 px and at the 320 px that a desk's page has at 400 % (fault B4)."""

from __future__ import annotations

import pytest
from django.utils import timezone

from jitapp.accounts.models import Person
from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Membership
from tests.journeys.pages import Site, log_in
from tests.web.shop import Shop, a_person, every_state

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = (
    "/", "/s/", "/s/tray", "/s/who", "/b/SMT", "/b/supply/PASTE", "/calls", "/r/", "/recv", "/walk/", "/print",
    "/devices", "/devices/enrol", "/people", "/tags/", "/device/doctor", "/status", "/api/docs", "/map", "/components",
)  # fmt: skip


@pytest.fixture
def shop() -> Shop:
    made = every_state(timezone.now())
    a_person(made)
    mia = Person.objects.get(username="mia")
    Membership.objects.create(person=mia, plant=made.plant, role=Role.LEADER)
    return made


@pytest.mark.parametrize("language", ["en", "de"])
def test_b04_no_page_moves_sideways_on_a_phone(pages: Site, shop: Shop, language: str) -> None:
    loop = shop.loops["L-OUT"]
    things = (f"/l/{loop.pk}", f"/k/{loop.cards.all()[0].code}")
    wide: dict[str, int] = {}
    with pages.context(width=375, height=667) as context:
        page = context.new_page()
        log_in(page, pages.url, "TEST")
        context.add_cookies([{"name": "django_language", "value": language, "url": pages.url}])
        for path in (*PAGES, *things):
            page.goto(f"{pages.url}{path}")
            assert page.evaluate("document.documentElement.lang") == language or path == "/api/docs"
            for width in (375, 320):
                page.set_viewport_size({"width": width, "height": 667})
                over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                if over > 0:
                    wide[f"{path} {width}"] = over
    assert wide == {}
