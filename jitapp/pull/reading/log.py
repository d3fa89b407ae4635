"""The log of a loop and of a card page by page, and one event with all that is known of it; reads only.

A page looks at a bounded stretch of the ledger. With a filter it may find less than a page there; it then says how far
it has looked, and the next one goes on from there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from jitapp.pull.models import Event, Receipt, Runout, Turn
from jitapp.pull.reading.sheets import HistoryLine, history_lines

LINES = 25  # on a page
LOOKED_AT = 5_000  # events of a loop that a filtered page looks at
# What a reader looks for, by the beginnings of the types' names.
ABOUT: dict[str, tuple[str, ...]] = {
    "moves": ("scan.", "card.opened", "card.emptied", "card.drawn", "card.detached", "turn.received"),
    "signals": ("turn.",),
    "waits": ("wait.", "runout.", "andon."),
    "cards": ("card.",),
    "settings": ("loop.", "card.added", "card.removed", "card.obsolete"),
}


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines, newest first. `older` is where the next page goes on: the number before which it looks; None: the log is
    at its end. `looked_to` is set where the page is not full though the log goes on."""

    lines: list[HistoryLine]
    older: int | None
    looked_to: datetime | None = None


def loop_log(loop_id: int, *, before: int | None = None, about: str = "", card: int | None = None) -> LogPage:
    """A page of a loop's log, before a number, about one of ABOUT, of the card of a number."""
    events = Event.objects.filter(loop_id=loop_id)
    newest = before if before is not None else (_newest(loop_id) + 1)
    floor = newest - (LOOKED_AT if about or card else 10 * LINES)
    wanted = events.filter(loop_seq__lt=newest, loop_seq__gte=floor)
    if card is not None:
        wanted = wanted.filter(card__number=card)
    if about in ABOUT:
        wanted = wanted.filter(type__regex=_pattern(ABOUT[about]))
    # The rows first, then what they name: whatever the planner believes of the table, it joins no more than a page.
    ids = list(wanted.order_by("-loop_seq").values_list("pk", flat=True)[: LINES + 1])
    lines = history_lines(Event.objects.filter(pk__in=ids).order_by("-loop_seq"))
    if len(lines) > LINES:
        shown = lines[:LINES]
        return LogPage(shown, shown[-1].seq)
    looked_to = None
    if floor > 1:
        looked_to = (
            events.filter(loop_seq__lt=floor)
            .order_by("-loop_seq")
            .values_list("occurred_at", flat=True)
            .first()
        )
    return LogPage(lines, floor if looked_to is not None else None, looked_to)


def card_log(card_id: int, *, before: int | None = None) -> LogPage:
    """A page of a card's log, before the id of an event."""
    events = Event.objects.filter(card_id=card_id)
    if before is not None:
        events = events.filter(pk__lt=before)
    ids = list(events.order_by("-pk").values_list("pk", flat=True)[: LINES + 1])
    lines = history_lines(Event.objects.filter(pk__in=ids[:LINES]).order_by("-pk"))
    return LogPage(lines, ids[LINES - 1] if len(ids) > LINES else None)


def _newest(loop_id: int) -> int:
    found = Event.objects.filter(loop_id=loop_id).order_by("-loop_seq").values_list("loop_seq", flat=True)
    return found.first() or 0


def _pattern(begins: Collection[str]) -> str:
    return "^(" + "|".join(each.replace(".", r"\.") for each in begins) + ")"


# -- one event -----------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Scanned:
    """The scan behind an event, as it was received and answered."""

    raw: str
    message: str
    next: str
    outcome: str
    occurred_at: datetime
    sent_at: datetime | None
    recorded_at: datetime
    settled: str  # whoever settled it in the tray, where it had waited


@dataclass(frozen=True, slots=True)
class EventSheet:
    """An event of a loop: what it says (`data`), the scan it came by, what was written together with it, in whatever
    loop of the plant, and the turn that it is about."""

    line: HistoryLine
    data: Mapping[str, Any]
    turn: UUID | None
    turn_number: int | None
    scanned: Scanned | None
    together: list[HistoryLine]
    loops: dict[int, str]  # the parts of the loops of `together`
    because: int | None  # the number of the event of this loop that it follows from
    person: str
    device: str


def event_sheet(loop_id: int, seq: int) -> EventSheet | None:
    """The event of that number; None if the loop has none."""
    found = Event.objects.filter(loop_id=loop_id, loop_seq=seq)
    event = found.select_related("person", "device").first()
    if event is None:
        return None
    together: list[HistoryLine] = []
    loops: dict[int, str] = {}
    if event.scan_id is not None:
        same = Event.objects.filter(scan_id=event.scan_id, plant_id=event.plant_id).exclude(pk=event.pk)
        together = history_lines(same.order_by("ordinal"))
        named = same.filter(loop__isnull=False).values_list("loop_id", "loop__part__number")
        loops = dict(named)
    because = event.data.get("because") or event.data.get("opened_seq")
    return EventSheet(
        line=history_lines(found)[0],
        data=event.data,
        turn=event.turn,
        turn_number=event.turn_number,
        scanned=_scanned(event.scan_id) if event.scan_id is not None else None,
        together=together,
        loops=loops,
        because=int(because) if because and int(because) != seq else None,
        person=str(event.person or ""),
        device=str(event.device or ""),
    )


def _scanned(scan_id: UUID) -> Scanned | None:
    row = Receipt.objects.filter(scan_id=scan_id).select_related("settlement__person").first()
    if row is None:
        return None
    settlement = getattr(row, "settlement", None)
    return Scanned(
        raw=row.raw,
        message=str(row.answer.get("message", "")),
        next=str(row.answer.get("next", "")),
        outcome=row.outcome,
        occurred_at=row.occurred_at,
        sent_at=row.sent_at,
        recorded_at=row.recorded_at,
        settled=str(settlement.person) if settlement is not None else "",
    )


# -- the turns of a card, the runouts of a loop --------------------------------------------------------------
TURNS = 10  # on a page
RUNOUTS = 20  # on the page of a loop


@dataclass(frozen=True, slots=True)
class TurnLine:
    """A turn of a card; `stretches` are those of its life, as steps_of reads them."""

    number: int
    signal_state: str
    standing: str
    asked: Decimal
    received: Decimal | None
    reason: str
    document: str
    opened_at: datetime
    released_at: datetime | None
    closed_at: datetime | None
    stretches: list[Any]


def turns_of(card_id: int, *, before: int | None = None) -> list[TurnLine]:
    """The turns of a card, newest first, below a number; one more than a page has if there are older ones."""
    rows = Turn.objects.filter(card_id=card_id).order_by("-number")
    if before is not None:
        rows = rows.filter(number__lt=before)
    return [
        TurnLine(
            number=row.number,
            signal_state=row.signal_state,
            standing=row.standing,
            asked=row.asked,
            received=row.received,
            reason=row.reason,
            document=row.document,
            opened_at=row.opened_at,
            released_at=row.released_at,
            closed_at=row.closed_at,
            stretches=row.stretches,
        )
        for row in rows[: TURNS + 1]
    ]


def runouts_of(loop_id: int) -> list[Runout]:
    """The newest runouts of a loop, newest first, each with the part of the one behind it."""
    rows = Runout.objects.filter(loop_id=loop_id).select_related("upstream__loop__part")
    return list(rows.order_by("-opened_at")[:RUNOUTS])
