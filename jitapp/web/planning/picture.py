"""The picture of a loop: two stations, the containers between them, and the way back of the cards; drawn as SVG."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from jitapp.pull.reading.plans import PlanCard
from jitapp.web.phrases import Words

MOST_DRAWN = 12
WIDE, BOX, TILE, GAP = 640, 150, 34, 6
LONGEST_LINE, MOST_LINES = 17, 3
DRAWN = frozenset({"full", "in_use", "empty", "new", "move"})


@dataclass(frozen=True, slots=True)
class Bin:
    """A container in the picture, in units of the drawing."""

    x: int
    y: int
    look: str
    number: str


@dataclass(frozen=True, slots=True)
class Place:
    """A station: the lines of its name with their heights."""

    x: int
    lines: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Picture:
    """What the template draws; `says` is the same in a sentence."""

    supply: Place
    demand: Place
    bins: list[Bin]
    more: str
    part: str
    back: str
    says: str


def picture(
    *,
    part: str,
    supply: str,
    demand: str,
    cards: int,
    unit: str,
    quantity: str,
    there: Sequence[PlanCard] = (),
) -> Picture:
    """The picture of a loop of so many cards; with `there` its cards as they stand."""
    shown = min(cards, MOST_DRAWN)
    per_row = (WIDE - 2 * BOX - 40) // (TILE + GAP)
    lines = -(-shown // per_row)
    begin = (WIDE - min(shown, per_row) * (TILE + GAP) + GAP) // 2
    bins = []
    for at in range(shown):
        row, column = divmod(at, per_row)
        look, number = "full", str(at + 1)
        if at < len(there):
            look, number = _look(there[at]), str(there[at].number)
        x, y = begin + column * (TILE + GAP), 100 - lines * (TILE + GAP) // 2 + row * (TILE + GAP)
        bins.append(Bin(x, y, look, number))
    return Picture(
        _place(0, supply),
        _place(WIDE - BOX, demand),
        bins,
        gettext("and {} more").format(cards - shown) if cards > shown else "",
        part,
        gettext("an empty container asks for the next"),
        gettext("{part} goes from {supply} to {demand} in {cards} containers of {quantity} {unit}.").format(
            part=part, supply=supply, demand=demand, cards=cards, quantity=quantity, unit=unit
        ),
    )


def _place(x: int, name: str) -> Place:
    lines = textwrap.wrap(
        name, LONGEST_LINE, break_long_words=True, max_lines=MOST_LINES, placeholder="…"
    ) or ["–"]
    top = 109 - 10 * (len(lines) - 1)
    return Place(x + BOX // 2, [(top + 20 * at, line) for at, line in enumerate(lines)])


def _look(card: PlanCard) -> str:
    status = card.supply_status.lower()
    if card.card_status == "NEW":
        return "new"
    if card.out or card.card_status == "LOST":
        return "gone"
    return status if status in DRAWN else "move" if card.under_way else "empty"


def where(card: PlanCard, *, supply: str, demand: str, words: Words) -> str:
    """Where a card is now, in words."""
    if card.card_status == "NEW":
        return gettext("not in use yet")
    if card.card_status == "LOST":
        return words.tiles["LOST"]
    places = {
        "FULL": gettext("full, at {demand}"),
        "IN_USE": gettext("in use, at {demand}"),
        "EMPTY": gettext("empty, asked of {supply}") if card.under_way else gettext("empty, at {demand}"),
        "WAIT": gettext("empty, at {demand}"),
        "IN_PROCESS": gettext("being filled, at {supply}"),
        "COMPLETED": gettext("filled, at {supply}"),
        "IN_TRANSIT": gettext("on the way to {demand}"),
    }
    return places.get(card.supply_status, words.tiles["ERROR"]).format(supply=supply, demand=demand)
