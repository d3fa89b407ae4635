"""Every component of the design system with its real markup, in the three themes side by side: for people who change
pages, and for the test that walks over it (tests/journeys/test_components.py)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from jitapp.pull.reading.board_row import STATES, BoardRow, Tile
from jitapp.web.board import chip, counts, margin_bar, render_row
from jitapp.web.phrases import TILE_WORDS, Words, words_of
from jitapp.web.visit import people, viewer_of

THEMES = ("day", "dim", "sun")
NOT_ON_BOARDS = {"NEW", "OBSOLETE", "REMOVED"}  # cards that take no part
MARGINS = (-28_800, -1_500, -120, 0, 300, 7_200, 28_800)  # seconds


@dataclass(frozen=True, slots=True)
class Panel:
    """The components in one theme; ids of one panel stand in no other."""

    theme: str
    name: str
    chips: list[str]
    numbers: list[dict[str, object]]
    margins: list[str]
    bins: list[str]
    rows: str


@require_GET
@people
def components_page(request: HttpRequest) -> HttpResponseBase:
    """All components, thrice."""
    viewer, now = viewer_of(request), timezone.now()
    words = words_of(viewer.language)
    names = {"day": gettext("Day"), "dim": gettext("Dim"), "sun": gettext("Bright sun")}
    panels = [_panel(place, theme, names[theme], now, words) for place, theme in enumerate(THEMES)]
    return render(request, "components/page.html", {"panels": panels, "now": now})


def _panel(place: int, theme: str, name: str, now: datetime, words: Words) -> Panel:
    rows = list(_rows(-1000 * (place + 1), now))
    numbers = counts(rows)
    drawn = b"".join(render_row(row, now, words.language) for row in rows).decode()
    bins = _sizes_of_bins(rows, now, words)
    return Panel(
        theme=theme,
        name=name,
        chips=[mark_safe(chip(state, words)) for state in STATES],  # noqa: S308 (made of our own words)
        numbers=[
            {"state": state, "count": count, "word": words.states[state], "help": words.states_help[state]}
            for state in STATES
            for count in (numbers[state], 0)
        ],
        margins=[mark_safe(margin_bar(margin)) for margin in MARGINS],  # noqa: S308 (numbers alone)
        bins=bins,
        rows=mark_safe(drawn),  # noqa: S308 (escaped there)
    )


def _sizes_of_bins(rows: list[BoardRow], now: datetime, words: Words) -> list[str]:
    """Every word of a container with room for it, the levels of one in use, and a loop of many cards."""
    row = rows[0]
    words_drawn = [word for word in TILE_WORDS if word not in NOT_ON_BOARDS]
    whole = [_tile(number, word, now) for number, word in enumerate(words_drawn, start=1)]
    used = [replace(_tile(level + 1, "IN_USE", now), contents=Decimal(level)) for level in range(11)]
    lists = [*(whole[at : at + 3] for at in range(0, len(whole), 3)), whole[:9], used]
    return [
        mark_safe(_bins_of(replace(row, tiles=tuple(tiles)), now, words))  # noqa: S308 (escaped there)
        for tiles in lists
    ]


def _bins_of(row: BoardRow, now: datetime, words: Words) -> str:
    drawn = render_row(row, now, words.language).decode()
    return drawn[drawn.index('<ul class="bins') : drawn.index("</ul>") + 5]


def _tile(number: int, word: str, now: datetime) -> Tile:
    full = word in ("FULL", "IN_USE")
    return Tile(
        code=f"KB{number:09d}",
        number=number,
        word=word,
        reason="",
        contents=Decimal(10 if full else 0),
        quantity=Decimal(10),
        since=now - timedelta(minutes=7),
        turn_number=number,
        signal_state="",
        due_at=None,
        late=word == "IN_PROCESS",
        promised_at=None,
        promise_late=False,
    )


# A loop in each state: what its cards stand at, minutes until it runs dry and until its refill, who must act and why.
_SAMPLES = (
    ("out", "EMPTY IN_PROCESS EMPTY", -12, 38, "station", "queue"),
    ("act", "IN_USE IN_TRANSIT EMPTY", 9, 25, "handler", "transit"),
    ("soon", "FULL COMPLETED EMPTY", 45, 40, "handler", "collect"),
    ("move", "FULL FULL IN_PROCESS", 95, 30, "station", "process"),
    ("ok", "FULL FULL FULL", 180, None, "", ""),
    ("held", "FULL BLOCKED HELD", None, None, "planner", "on_hold"),
)


def _rows(first: int, now: datetime) -> Iterator[BoardRow]:
    for place, (state, tiles, dry, back, owner, why) in enumerate(_SAMPLES):
        yield BoardRow(
            loop_id=first - place,
            loop=f"SAMPLE-{place}",
            version=1,
            era=0,
            area="",
            time_zone="UTC",
            part=f"BRACKET-{place + 1:02d}",
            description="Bracket, zinc-plated",
            unit="pcs",
            quantity=Decimal(10),
            demand="LINE-2",
            demand_name="Line 2",
            supply="PRESS",
            supply_name="Press",
            state=state,
            on_hold=state == "held",
            under_way=back is not None,
            tiles=tuple(_tile(number, word, now) for number, word in enumerate(tiles.split(), start=1)),
            usable=tiles.count("FULL") + tiles.count("IN_USE"),
            circulating=3,
            late=tiles.count("IN_PROCESS"),
            runout_since=now + timedelta(minutes=dry) if dry is not None and dry < 0 else None,
            cause="queue" if state == "out" else "",
            upstream="",
            near_since=None,
            runs_out_at=now + timedelta(minutes=dry) if dry is not None and dry >= 0 else None,
            idle_since=None,
            by_order=False,
            refill_at=now + timedelta(minutes=back) if back is not None else None,
            owner=owner,
            owner_party=owner,
            owner_name="Press" if owner == "station" else "",
            owner_since=now - timedelta(minutes=17) if owner else None,
            why_code=why,
            why_since=None,
            hold_reason="",
            problem="",
            promised_at=None,
            promise_late=False,
            tasks=(),
            urgency=(len(_SAMPLES) - place, 0.0, 0.0),
        )
