"""Wall screens for tests: set up, and open."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.devices import place_device
from jitapp.plant.models import Placement
from jitapp.plant.walls import WallSettings
from tests.journeys.pages import Site
from tests.web.shop import Shop

# Each text that is seen, with the size of its type; and whatever lies beyond the edge of the screen or of its row.
MEASURED = """() => {
  const small = [], beyond = [];
  let texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.data.trim() || ['SCRIPT', 'TITLE'].includes(node.parentElement.tagName)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const boxes = [...range.getClientRects()].filter(box => box.width > 2 && box.height > 2);
    if (!boxes.length || node.parentElement.closest('.unseen')) continue;
    texts += 1;
    const size = parseFloat(getComputedStyle(node.parentElement).fontSize);
    if (size < 51) small.push(`${size} ${node.data}`);
    for (const box of boxes)
      if (box.left < 0 || box.right > innerWidth || box.top < 0 || box.bottom > innerHeight)
        beyond.push(`${node.data} ${Math.round(box.left)} ${Math.round(box.right)} ${Math.round(box.bottom)}`);
  }
  const spilled = [...document.querySelectorAll('.row > *, .chip, .wall-number, .wall-call > *, h1, .truth')]
    .filter(each => each.offsetParent && getComputedStyle(each).display !== 'inline')
    .filter(each => each.scrollWidth > each.clientWidth + 2)
    .map(each => `${each.className}: ${each.textContent}`);
  const root = document.documentElement;
  const bars = innerWidth - root.clientWidth + (root.scrollHeight > root.clientHeight ? 1 : 0) +
    (root.scrollWidth > root.clientWidth ? 1 : 0);
  const shown = '.row:not([hidden])';
  const primary = [...document.querySelectorAll(`${shown} .big, ${shown} .c-part b, .wall-number .n`)]
    .map(each => parseFloat(getComputedStyle(each).fontSize));
  return { texts, small, beyond, spilled, bars, primary: Math.min(...primary),
           rows: document.querySelectorAll('#rows .row:not([hidden])').length };
}"""


def a_wall(shop: Shop, **wall: Any) -> str:
    """The token of a wall screen that is set up like that."""
    token = place_device("Wall", DeviceKind.WALL, plant=shop.plant.code)
    wall.setdefault("languages", ("en",))
    Placement.objects.filter(device__name="Wall").update(wall=WallSettings(**wall).saved)
    return token


def open_wall(context: BrowserContext, pages: Site, token: str) -> Page:
    wall = context.new_page()
    wall.goto(f"{pages.url}/tv/{token}")
    expect(wall.locator("#truth")).to_have_attribute("data-state", "live")
    expect(wall.locator("#rows .row, #well b").first).to_be_visible()
    return wall


def many(shop: Shop, count: int = 16) -> None:
    """So many more loops that have run out, with parts of every length."""
    for number in range(count):
        loop = shop.loop(
            f"L-MANY-{number:02d}",
            f"BRACKET-STAINLESS-LEFT-{number:04d}" if number % 2 else f"P{number}",
            "REFLOW",
            "TEST",
        )
        for card in range(1, 3 + number % 6):
            shop.card(loop, card, "FULL" if card > 2 else "EMPTY")
        shop.turn(loop.cards.get(number=1), minutes_ago=60 + number, due_in=-number)
        if number < 9:
            shop.runout(loop, minutes_ago=30 + number)
