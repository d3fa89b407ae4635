"""What was written on state sheets becomes scans: each line is read, foretold, and booked by the way of every scan.

The scan's id is made of what the line says (card, what happened, minute), so that the same line entered again, by
whomever, adds nothing. A line that the rules refuse stays with its reason until somebody corrects it; the next try is a
scan of its own.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import date as Date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from django.utils.translation import gettext

from jitapp.kanban.quantity import NotAQuantity, read_quantity
from jitapp.kanban.vocabulary import Intent, Outcome
from jitapp.plant.models import Area
from jitapp.printing.models import PaperMove
from jitapp.pull import actions
from jitapp.pull.actions import KnownCard
from jitapp.pull.scan_request import Actor, Answer, Conflict, ScanRequest, Source

MOST = 500  # lines that somebody has open
PAPER = UUID("6f1d54f8-7f0b-5f49-9f61-0f6b2a5cf0aa")  # the namespace of ids made of lines
TYPED = ("day", "time", "code", "what", "quantity", "by", "note")
# What may have happened, where it happens, and the step that it is.
WHAT: dict[str, tuple[Intent, str]] = {
    "emptied": (Intent.EMPTY, "demand"),
    "started": (Intent.START, "supply"),
    "done": (Intent.COMPLETE, "supply"),
    "full": (Intent.RECEIVE, "demand"),
}
# What the rules say of a card whose signal is not out: another line of the sheet may send it, once it has been handled.
NOT_YET = frozenset({"overproduction", "not_released", "wrong_step", "supply_short"})
_TIME = re.compile(r"(?P<h>\d{1,2})(?:[:.hH ]?(?P<m>\d{2}))?\s*(?P<half>[aApP]\.?[mM]\.?)?")
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it was read. `problem` names why it cannot be booked as it is, with what it is about; else there is a
    request. `stranger` is a name that nobody here has."""

    move: PaperMove
    problem: str = ""
    about: str = ""
    card: KnownCard | None = None
    at: datetime | None = None
    request: ScanRequest | None = None
    stranger: str = ""


@dataclass(frozen=True, slots=True)
class Foretold:
    """A line with what booking it would do: the answer of the rules, or `again`: it was entered before."""

    line: Line
    answer: dict[str, Any] | None = None
    again: PaperMove | None = None


# -- lines -----------------------------------------------------------------------------------------------
def open_moves(area: Area, person_id: int) -> list[PaperMove]:
    """What somebody has entered for an area and is not booked yet, in the order of the lines."""
    return list(
        PaperMove.objects.filter(area=area, person_id=person_id, booked_at__isnull=True).order_by(
            "position", "pk"
        )
    )


def booked_moves(area: Area, most: int = 100) -> list[PaperMove]:
    """What was entered for an area last, the newest first."""
    found = PaperMove.objects.filter(area=area, booked_at__isnull=False).select_related("person")
    return list(found.order_by("-booked_at", "-pk")[:most])


def read_lines(moves: Sequence[PaperMove], area: Area, *, now: datetime) -> list[Line]:
    """What the lines say, in their order; the cards of all are looked up at once."""
    plants = frozenset({area.plant_id})
    cards = actions.known_cards([move.code for move in moves], plants)
    people: dict[str, int | None] = {}
    for move in moves:
        if move.by.strip() and move.by not in people:
            people[move.by] = actions.named_person(move.by, plants)
    seen: dict[tuple[str, str, datetime], PaperMove] = {}
    found = []
    for move in moves:
        line = _read(move, cards.get(move.code), people.get(move.by), area, now)
        if line.card is not None and line.at is not None and line.request is not None:
            first = seen.setdefault((line.card.code, move.what, line.at), move)
            if first is not move:
                line = Line(move, "twice", str(first.position + 1), line.card, line.at)
        found.append(line)
    return found


def _read(move: PaperMove, card: KnownCard | None, person: int | None, area: Area, now: datetime) -> Line:
    if not move.code.strip():
        return Line(move, "code_missing")
    if card is None:
        return Line(move, "unknown_card", move.code.strip()[:40])
    if move.what not in WHAT:
        return Line(move, "what_missing", card=card)
    if not move.time.strip():
        return Line(move, "time_missing", card=card)
    at = instant(move.day, move.time, area.plant.time_zone)
    if at is None:
        return Line(move, "time_unreadable", f"{move.day} {move.time}".strip()[:40], card)
    if at > now:
        return Line(move, "future", f"{move.day} {move.time}".strip()[:40], card, at)
    try:
        quantity = quantity_of(move.quantity)
    except NotAQuantity:
        return Line(move, "quantity_unreadable", move.quantity.strip()[:40], card, at)
    stranger = move.by.strip() if move.by.strip() and person is None else ""
    return Line(move, "", "", card, at, _request(move, card, at, quantity, person), stranger)


def _request(
    move: PaperMove, card: KnownCard, at: datetime, quantity: Decimal | None, person: int | None
) -> ScanRequest:
    intent, side = WHAT[move.what]
    moved = card.moved_at
    # The paper tells minutes. What happened in the minute of the card's last scan is taken as after it.
    occurred = moved if moved is not None and at <= moved < at + MINUTE else at
    return ScanRequest(
        id=scan_id(card.code, move.what, at, 0),
        code=card.code,
        station=card.supply if side == "supply" else card.demand,
        intent=str(intent),
        occurred_at=occurred,
        quantity=quantity,
        reason=move.note.strip() or None,
        actor=Actor(person) if person is not None else None,
        kept=True,
    )


def scan_id(card: str, what: str, at: datetime, attempt: int) -> UUID:
    """The id of the scan that a line is; `attempt` counts the tries that the rules refused before."""
    return uuid5(PAPER, f"{card}|{what}|{at.astimezone(UTC):%Y-%m-%dT%H:%M}|{attempt}")


def instant(day: str, clock: str, time_zone: str) -> datetime | None:
    """When it was, from a day (2026-11-28) and a time of day (14:05, 1405, 2.05 pm) in the plant; None for what is
    neither, and for a minute that the clock left out in spring."""
    read = _TIME.fullmatch(clock.strip())
    if read is None:
        return None
    hour, minute = int(read["h"]), int(read["m"] or 0)
    if read["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if read["half"][0] in "pP" else 0)
    try:
        found = datetime.combine(Date.fromisoformat(day.strip()), datetime.min.time())
        local = found.replace(hour=hour, minute=minute, tzinfo=ZoneInfo(time_zone))
        at = local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if at.astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None) else None


def quantity_of(text: str) -> Decimal | None:
    """The quantity, also with a decimal comma; None for nothing. Raises NotAQuantity."""
    return read_quantity(text.strip().replace(",", ".")) if text.strip() else None


# -- foretold --------------------------------------------------------------------------------------------
def foretell(lines: Sequence[Line], *, source: Source, now: datetime) -> list[Foretold]:
    """What booking the lines would do, each after those that happened before it; in the order of the lines."""
    before = _entered([line for line in lines if line.request is not None])
    todo = [line for line in in_order(lines) if line.move.pk not in before]
    requests = [line.request for line in todo if line.request is not None]
    answers = actions.foretell(requests, source=source, now=now) if requests else []
    told = {line.move.pk: answer for line, answer in zip(todo, answers, strict=True)}
    return [Foretold(line, told.get(line.move.pk), before.get(line.move.pk)) for line in lines]


def in_order(lines: Sequence[Line]) -> list[Line]:
    """The lines that can be booked, as they happened; within a minute as they were written."""
    ready = [(line.at, line.move.position, line.move.pk, line) for line in lines if line.request and line.at]
    return [line for _, _, _, line in sorted(ready, key=lambda each: each[:3])]


def _entered(lines: Sequence[Line]) -> dict[int, PaperMove]:
    """Lines that were booked before, from this sheet or another one: by their primary keys."""
    ids = {line.request.id: line.move.pk for line in lines if line.request is not None}
    found = PaperMove.objects.filter(scan_id__in=ids, booked_at__isnull=False).select_related("person")
    return {ids[move.scan_id]: move for move in found if move.scan_id in ids}


# -- booked ----------------------------------------------------------------------------------------------
def book(
    lines: Sequence[Line],
    *,
    source: Source,
    now: Callable[[], datetime],
    handled: Callable[[], bool],
    until: float,
) -> Iterator[PaperMove]:
    """Books the lines as they happened, until the monotonic clock passes `until`; gives each with what became of it.

    `handled` waits until what earlier scans set off has been handled, and returns False if that takes too long:
    signals that go out by themselves belong between the lines as they did on the floor.
    """
    last: datetime | None = None
    goes_on = True
    for line in in_order(lines):
        if time.monotonic() >= until:
            return
        if last is not None and line.at != last:
            goes_on = goes_on and handled()
        last = line.at
        answer = _booked(line, source, now)
        if goes_on and answer.get("outcome") == Outcome.REFUSED and answer.get("code") in NOT_YET:
            goes_on = handled()
            answer = _booked(line, source, now)
        yield _keep(line.move, answer, now())


def _booked(line: Line, source: Source, now: Callable[[], datetime]) -> dict[str, Any]:
    """The answer of the rules; of an earlier try, unless that was refused."""
    assert line.request is not None
    assert line.card is not None
    assert line.at is not None
    for attempt in range(1_000):
        key = scan_id(line.card.code, line.move.what, line.at, attempt)
        earlier = actions.first_answer(key, source=source)
        if earlier is None:
            line.move.scan_id = key
            given = actions.scan(_with_id(line.request, key), source=source, now=now())
            return given.body if isinstance(given, Answer) else _conflict(given)
        if earlier.body.get("outcome") != Outcome.REFUSED:
            other = _entered_otherwise(line, key)
            line.move.scan_id = None if other else key
            return other or earlier.body
    raise RuntimeError(f"{line.move} was refused a thousand times.")


def _entered_otherwise(line: Line, key: UUID) -> dict[str, Any] | None:
    """Why a line is not booked that was entered before with another quantity: nothing typed may seem to be recorded
    that is not."""
    first = PaperMove.objects.filter(scan_id=key, booked_at__isnull=False).exclude(pk=line.move.pk).first()
    if first is None or quantity_of(first.quantity) == quantity_of(line.move.quantity):
        return None
    said = gettext(
        "It was entered before with another quantity ({}). To change what is recorded, correct the card on its page;"
        " else remove this line."
    ).format(first.quantity.strip() or gettext("the usual one"))
    return {"outcome": str(Outcome.REFUSED), "code": "entered_otherwise", "message": said}


def _with_id(request: ScanRequest, key: UUID) -> ScanRequest:
    return ScanRequest(
        **{name: getattr(request, name) for name in ScanRequest.__struct_fields__} | {"id": key}
    )


def _conflict(given: Conflict) -> dict[str, Any]:
    return {"outcome": str(Outcome.REFUSED), "code": given.code, "message": given.message}


def _keep(move: PaperMove, answer: dict[str, Any], now: datetime) -> PaperMove:
    """A line that was recorded, was recorded before, or waits for a leader is done; a refused one stays open."""
    move.outcome = str(answer["outcome"])
    move.message = " ".join(text for text in (answer["message"], answer.get("next", "")) if text)
    move.booked_at = None if move.outcome == Outcome.REFUSED else now
    move.save(update_fields=["scan_id", "outcome", "message", "booked_at"])
    return move
