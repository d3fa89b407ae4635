"""How long a scan takes until it is seen, and until the server's answer is: figures, and no scan without either."""

from __future__ import annotations

import logging

import pytest
from django.utils import timezone
from playwright.sync_api import CDPSession, Page

from jitapp.pull.models import Receipt
from tests.journeys.pages import Site, known_to_tablet, log_in, until
from tests.web.shop import Shop, with_many_cards

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
logger = logging.getLogger(__name__)  # the figures: -o log_cli=true
SCANS = 400  # half of them without a network: 200 samples each

# From the Enter of a scan to the frame that shows it: as it is kept here, and as the server answered. Where the browser
# was so busy that a code was taken without its Enter, from the last sign of the code.
WATCH = """() => {
  const watched = Boolean(globalThis.seen);
  globalThis.seen = [];
  if (watched) return;
  let signs = 0;
  addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') signs += 1;
    if (event.key !== 'Enter' && signs === 11) seen.push({ ended: event.timeStamp });
    if (event.key !== 'Enter') return;
    signs = 0;
    if (!seen.at(-1).kept) seen.at(-1).ended = event.timeStamp;
  }, true);
  const result = document.getElementById('result');
  new MutationObserver(() => {
    const now = seen.at(-1);
    const state = result.dataset.state;
    const stage = state === 'sending' || state === 'offline' ? 'kept' : 'answered';
    if (!now || now[stage] || state === 'ready') return;
    now[stage] = true;
    requestAnimationFrame(() => setTimeout(() => { now[`${stage}_ms`] = performance.now() - now.ended; }));
  }).observe(result, { attributes: true, attributeFilter: ['data-state', 'data-look', 'class'] });
}"""


@pytest.fixture
def shop() -> Shop:
    return with_many_cards(timezone.now(), SCANS)


def type_scan(session: CDPSession, code: str) -> None:
    """What a keyboard-wedge scanner does, with the time stamps of the browser's own input."""
    for symbol in code:
        name = f"Digit{symbol}" if symbol.isdigit() else f"Key{symbol}"
        session.send(
            "Input.dispatchKeyEvent", {"type": "keyDown", "code": name, "key": symbol, "text": symbol}
        )
        session.send("Input.dispatchKeyEvent", {"type": "keyUp", "code": name, "key": symbol})
    enter = {"code": "Enter", "key": "Enter"}
    session.send("Input.dispatchKeyEvent", {"type": "keyDown", "text": "\r", **enter})
    session.send("Input.dispatchKeyEvent", {"type": "keyUp", **enter})


def told(name: str, values: list[float]) -> None:
    ordered = sorted(values)
    at = [ordered[int(len(ordered) * share) - 1] for share in (0.5, 0.95, 1)]
    logger.info("%s: p50 %.0f, p95 %.0f, max %.0f ms of %d scans", name, *at, len(ordered))


def measured(page: Page, session: CDPSession, codes: list[str], stages: list[str]) -> dict[str, list[float]]:
    page.evaluate(WATCH)
    for place, code in enumerate(codes, start=1):
        type_scan(session, code)
        done = "([n, stages]) => seen.length === n && stages.every(stage => seen[n - 1][`${stage}_ms`] !== undefined)"
        until(page, done, [place, stages])
    seen: list[dict[str, float]] = page.evaluate("seen")
    return {stage: [each[f"{stage}_ms"] for each in seen] for stage in stages}


def test_check_1_and_2_every_scan_is_seen_at_once_and_confirmed(pages: Site, shop: Shop) -> None:
    codes = list(shop.loops["L-MANY"].cards.order_by("number").values_list("code", flat=True))
    half = SCANS // 2
    with pages.context() as context:
        page = context.new_page()
        log_in(page, pages.url, "SHIP")
        known_to_tablet(page)
        session = context.new_cdp_session(page)
        online = measured(page, session, codes[:half], ["kept", "answered"])
        told("kept and seen", online["kept"])
        told("answered and seen", online["answered"])
        context.set_offline(True)
        until(page, "document.getElementById('link').dataset.state === 'offline'")
        offline = measured(page, session, codes[half:], ["kept"])
        told("kept and seen without a network", offline["kept"])
        context.set_offline(False)
        until(page, "document.getElementById('link').dataset.state === 'live'")
        for _ in range(300):
            if Receipt.objects.filter(outcome="applied").count() == SCANS:
                break
            page.wait_for_timeout(100)
    assert Receipt.objects.filter(outcome="applied").count() == SCANS
