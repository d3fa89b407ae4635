"""Printing in the browser: ticked cards, the preview in true size, the file, and a code that is scanned back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Page, expect

from jitapp.printing.models import PrintedCard, PrintJob
from jitapp.pull.models import Receipt
from tests.journeys.pages import Site, give_login, scan, until
from tests.web.shop import Shop, a_person, every_state

pytestmark = pytest.mark.django_db(transaction=True)
MM = 96 / 25.4  # CSS pixels


@pytest.fixture
def shop(settings: LazySettings) -> Shop:
    settings.DEMO = "0"
    settings.SITE_URL = "https://kanban.example.com"
    made = every_state(timezone.now())
    a_person(made, roles=("operator", "leader"))
    return made


def opened(page: Page, url: str) -> None:
    give_login(page.context, url, "mia")
    page.goto(f"{url}/print")
    page.wait_for_selector("#printer")


def test_ticked_cards_are_printed_and_leave_the_list(pages: Site, shop: Shop, tmp_path: Path) -> None:
    with pages.context() as mine:
        page = mine.new_page()
        opened(page, pages.url)
        every = page.locator("table.cards input[name=card]").count()
        go = page.locator("#go")
        expect(go).to_have_text(f"Print {every} cards")
        page.uncheck("#tick-all")
        expect(go).to_be_disabled()
        tick = page.locator("table.cards input[name=card]").nth(2)
        tick.check()
        expect(go).to_have_text("Print 1 card")
        code = tick.get_attribute("value")
        page.select_option("#form", "zpl203")
        expect(page.locator("#paper")).to_have_value("100x50")
        with page.expect_download() as found:
            go.click()
        kept = tmp_path / found.value.suggested_filename
        found.value.save_as(kept)
        assert re.fullmatch(r"cards-\d{8}-\d{4}-100x50\.zpl", kept.name)
        assert kept.read_bytes().startswith(b"^XA")
        page.reload()
        expect(page.locator(f"input[value={code}]")).to_have_count(0)
        expect(page.locator("table.cards input[name=card]")).to_have_count(every - 1)
    assert PrintedCard.objects.get().card.code == code


def test_the_preview_has_its_true_size_on_the_screen(pages: Site, shop: Shop) -> None:
    sizes = {"a6": (105, 148), "a4-8": (74, 105), "letter-4": (107.95, 139.7), "85x54": (85.6, 54)}
    with pages.context(width=1920, height=1080) as mine:
        page = mine.new_page()
        opened(page, pages.url)
        picture = page.locator("#preview")
        for paper, (width, height) in sizes.items():
            with page.expect_response(re.compile(f"paper={paper}&")) as found:
                page.select_option("#paper", paper)
            assert found.value.status == 200
            until(page, "document.getElementById('preview').complete")
            box = picture.bounding_box()
            assert box is not None
            assert box["width"] / MM == pytest.approx(width, abs=0.5)
            assert box["height"] / MM == pytest.approx(height, abs=0.7)


def test_a_card_that_is_scanned_back_is_verified_and_moves_nothing(pages: Site, shop: Shop) -> None:
    with pages.context() as mine:
        page = mine.new_page()
        opened(page, pages.url)
        page.select_option("#form", "zpl203")
        with page.expect_download():
            page.click("#go")
        card = PrintedCard.objects.select_related("card").latest("id").card
        page.focus("#verify-code")
        scan(page, card.code)
        expect(page.get_by_text(f"Card {card.code} was read back")).to_be_visible()
    assert PrintedCard.objects.filter(card=card, verified_at__isnull=False).exists()
    assert not Receipt.objects.exists()


@pytest.mark.parametrize(("width", "height"), [(375, 667), (1280, 800), (1920, 1080)])
def test_nothing_lies_beyond_the_edge_and_every_target_is_large_enough(
    pages: Site, shop: Shop, width: int, height: int
) -> None:
    with pages.context(width=width, height=height) as mine:
        page = mine.new_page()
        opened(page, pages.url)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        boxes = page.locator("main button:visible, main select:visible, main input:visible").evaluate_all(
            "all => all.map(each => each.getBoundingClientRect()).map(box => [box.width, box.height])"
        )
        assert len(boxes) > 20
        assert min(min(box) for box in boxes) >= 24
        big = page.locator("#go").bounding_box()
        assert big is not None
        assert big["height"] >= 64


def test_test_page_and_signs_open_in_a_tab_of_their_own(pages: Site, shop: Shop) -> None:
    with pages.context() as mine:
        page = mine.new_page()
        opened(page, pages.url)
        with mine.expect_page() as found:
            page.click("text=Print command cards")
        assert found.value is not page
        expect(page.locator("#printer")).to_be_visible()
    assert PrintJob.objects.get().what == "commands"
