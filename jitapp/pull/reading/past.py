"""A board as it was at an instant, of the same rows by the same rules as the board of now (board.py); reads only.

`now_known` is what is known of the instant today, with everything that was told late; `then_known` is what the board
could show at that instant. States, stocks, turns, owners, reasons, rates and learned times are those of the ledger
then. Names of parts, stations and people, calendars, and where a station lies are those of today; so is which runout
stands behind another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from jitapp.kanban.conditions import GONE, usable
from jitapp.kanban.duedates import due_at
from jitapp.kanban.moment import Moment
from jitapp.kanban.runouts import cause_of
from jitapp.kanban.standing import NOT_READY
from jitapp.kanban.state import Card, Turn
from jitapp.kanban.vocabulary import CardStatus, LoopStatus
from jitapp.pull.reading.board import row_of
from jitapp.pull.reading.board_row import BoardRow
from jitapp.pull.reading.board_statements import LOOPS
from jitapp.pull.reading.history import learned_from
from jitapp.pull.reading.past_ledger import LoopThen, loops_then
from jitapp.pull.reading.past_statements import DRY_BEHIND, HALTS_THEN, HOLDERS, RUNOUTS
from jitapp.pull.reading.projections import Calendars
from jitapp.pull.reading.records import Record, read_rows
from jitapp.pull.reading.tasks import TurnName, named

IN_USE = (LoopStatus.ACTIVE, LoopStatus.ON_HOLD)


@dataclass(frozen=True, slots=True)
class Difference:
    """A loop that looks different now that everything is known; None: the board did not show it, or does not."""

    then: BoardRow | None
    now: BoardRow | None
    told_later: int  # entries that occurred until the instant and were recorded only afterwards


@dataclass(frozen=True, slots=True)
class BoardThen:
    """An area's rows at an instant, most urgent first. `rows` are those that were asked for; `differences` the loops
    that the other knowledge shows differently; `seen` the loops that the ledger knew at all by then."""

    at: datetime
    rows: tuple[BoardRow, ...]
    differences: tuple[Difference, ...]
    seen: int


@dataclass(frozen=True, slots=True)
class _CardThen:
    """A card with its turn as board.py reads one of now."""

    loop_id: int
    code: str
    number: int
    card_status: str
    supply_status: str
    quantity: Decimal
    contents: Decimal
    blocked: bool
    note: str
    moved_at: datetime | None
    usable: bool
    turn: int | None = None
    signal_state: str | None = None
    step: str | None = None
    opened_at: datetime | None = None
    released_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    loaded_at: datetime | None = None
    due_at: datetime | None = None
    promised_at: datetime | None = None
    owner: str | None = None
    failed: str | None = None
    owner_since: datetime | None = None
    answer_late: bool | None = None
    gone_turn: int | None = None
    gone_card: int | None = None
    gone_loop: str | None = None
    standing: str | None = None
    standing_since: datetime | None = None
    holder: str = ""


@dataclass(slots=True)
class _Sources:
    """What is read beside the ledger, for all loops of a frame at once."""

    at: datetime
    calendars: Calendars
    runouts: dict[int, Record]  # by loop: the one that the register of today has at the instant
    # (loop, number of the opening event) -> the dry part behind it, as is known now and as was known then
    behind_now: dict[tuple[int, int], str]
    behind_then: dict[tuple[int, int], str]
    holders: dict[int, str]
    gone: Mapping[UUID | None, TurnName] = field(default_factory=dict)


def board_then(area: str, at: datetime, *, known_then: bool = False) -> BoardThen:
    """The board of an area at an instant; `known_then`: what it could show at that instant."""
    # Loops retired since are asked for beside those of now.
    where = "a.code = %s OR (l.status = 'RETIRED' AND a.code = %s)"
    return _board(_loops(where, [area, area], at), at, known_then)


def rows_then(loop_ids: Sequence[int], at: datetime, *, known_then: bool = False) -> BoardThen:
    """The same of named loops."""
    where = "l.id = ANY(%s) OR (l.status = 'RETIRED' AND l.id = ANY(%s))"
    return _board(_loops(where, [list(loop_ids), list(loop_ids)], at), at, known_then)


def _loops(where: str, parameters: list[Any], at: datetime) -> list[Record]:
    return read_rows(
        LOOPS.format(halts=HALTS_THEN, where=where), [*[at] * HALTS_THEN.count("%s"), *parameters]
    )


def _board(loops: list[Record], at: datetime, known_then: bool) -> BoardThen:
    found = loops_then([loop.id for loop in loops], at)
    loops = [loop for loop in loops if loop.id in found]
    if not loops:
        return BoardThen(at, (), (), 0)
    sources = _sources(loops, found, at)
    pairs = [(loop, found[loop.id], *_both(loop, found[loop.id], sources)) for loop in loops]
    rows = [then if known_then else now for _, _, now, then in pairs]
    shown = sorted((row for row in rows if row is not None), key=_place)
    differences = [
        Difference(then, now, it.told_later)
        for _, it, now, then in pairs
        if now is not then and _looks(now) != _looks(then)
    ]
    return BoardThen(at, tuple(shown), tuple(differences), len(loops))


def _place(row: BoardRow) -> tuple[tuple[float, ...], str, str]:
    return tuple(-part for part in row.urgency), row.part, row.loop


def _looks(row: BoardRow | None) -> object:
    """What people see of a row, without forecasts."""
    if row is None:
        return None
    tiles = [(tile.code, tile.word, tile.contents, tile.turn_number, tile.since) for tile in row.tiles]
    return row.state, row.runout_since, row.why_code, row.owner, row.hold_reason, tiles


def _both(loop: Record, it: LoopThen, sources: _Sources) -> tuple[BoardRow | None, BoardRow | None]:
    """(as is known now, as was known then); one row twice where nothing was told later."""
    register = sources.runouts.get(loop.id)
    dry_now = None
    if register is not None:
        dry_now = register.opened_at, register.opened_seq
    runout = it.then.loop.runout
    dry_then = (runout.opened_at, runout.opened_seq) if runout is not None else None
    behind_now = sources.behind_now.get((loop.id, dry_now[1])) if dry_now else None
    behind_then = sources.behind_then.get((loop.id, dry_then[1])) if dry_then else None
    now = _row(loop, it.now, it.settings_now, dry_now, behind_now, sources)
    if not it.told_later and (dry_now, behind_now) == (dry_then, behind_then):
        return now, now
    return now, _row(loop, it.then, it.settings_then, dry_then, behind_then, sources)


def _row(
    loop: Record,
    moment: Moment,
    settings: Mapping[str, str],
    dry: tuple[datetime, int] | None,
    behind: str | None,
    sources: _Sources,
) -> BoardRow | None:
    status = settings.get("status", loop.status)
    if status not in IN_USE:
        return None
    at, state = sources.at, moment.loop
    cause = cause_of(state, at) if dry else None
    record = loop._replace(
        status=status,
        hold_reason=settings.get("hold_reason", "") if status == LoopStatus.ON_HOLD else "",
        quantity=Decimal(settings["quantity"]) if "quantity" in settings else loop.quantity,
        lead_time_minutes=_number(settings, "lead_time_minutes", loop.lead_time_minutes),
        max_empty_allowed=_number(settings, "max_empty_allowed", loop.max_empty_allowed),
        seq=state.seq,
        near_since=None,
        dry_since=dry[0] if dry else None,
        dry_cause=cause.reason if cause else None,
        dry_owner=cause.party if cause else None,
        dry_upstream=behind,
    )
    cards = [_card(card, moment, loop.id, sources) for card in _shown(state.cards.values())]
    history = _history(moment)
    made = row_of(record, cards, history, sources.calendars, at)
    if _is_near(made, cards, status, due_at(state.config, at)):
        made = row_of(record._replace(near_since=at), cards, history, sources.calendars, at)
    return made


def _number(settings: Mapping[str, str], name: str, otherwise: int) -> int:
    text = settings.get(name, "")
    return int(text) if text.isdecimal() else otherwise


def _shown(cards: Iterable[Card]) -> list[Card]:
    hidden = GONE | {CardStatus.NEW}
    return sorted((card for card in cards if card.card_status not in hidden), key=lambda card: card.number)


def _is_near(row: BoardRow, cards: Sequence[_CardThen], status: str, due_if_released: datetime) -> bool:
    """A near-runout, as the sweep finds it (actions/sweeping.py): the last container, and the next one late or
    projected to come too late. A signal still withheld is due as if it went out at that instant."""
    turns = [card for card in cards if card.turn is not None]
    if status != LoopStatus.ACTIVE or row.usable != 1 or not turns:
        return False
    due = [card.due_at for card in turns if card.due_at and card.signal_state in ("RELEASED", "ACKNOWLEDGED")]
    too_late = row.runs_out_at is not None and row.runs_out_at < min(due, default=due_if_released)
    return row.late > 0 or too_late


def _card(card: Card, moment: Moment, loop_id: int, sources: _Sources) -> _CardThen:
    of_card = {
        "loop_id": loop_id,
        "code": card.code,
        "number": card.number,
        "card_status": card.card_status,
        "supply_status": card.supply_status,
        "quantity": card.quantity,
        "contents": card.contents,
        "blocked": card.blocked,
        "note": card.note,
        "moved_at": card.moved_at,
        "usable": usable(card),
    }
    turn = card.turn
    if turn is None:
        return _CardThen(**of_card)  # type: ignore[arg-type]
    refused = next((each for each in moment.refused if each.turn == turn.uuid), None)
    gone = sources.gone.get(turn.demand_cancelled)
    of_turn = {
        "turn": turn.number,
        "signal_state": turn.signal_state,
        **{name: getattr(turn, name) for name in _OF_TURN},
        "gone_turn": gone.turn_number if gone else None,
        "gone_card": gone.card_number if gone else None,
        "gone_loop": gone.loop if gone else None,
        "standing": NOT_READY[0] if refused else turn.standing,
        "standing_since": refused.since if refused else turn.stretches[-1].since if turn.stretches else None,
        "holder": sources.holders.get(card.id, ""),
    }
    return _CardThen(**of_card, **of_turn)  # type: ignore[arg-type]


_OF_TURN = (
    "step",
    "opened_at",
    "released_at",
    "started_at",
    "completed_at",
    "loaded_at",
    "due_at",
    "promised_at",
    "owner",
    "failed",
    "owner_since",
    "answer_late",
)


def _history(moment: Moment) -> list[Turn]:
    """The newest released turns, newest first, closed or open."""
    opened = [
        card.turn for card in moment.loop.cards.values() if card.turn is not None and card.turn.released_at
    ]
    turns = [*(each.turn for each in moment.closed), *opened]
    return learned_from(sorted(turns, key=lambda turn: turn.released_at or turn.opened_at, reverse=True))


def _sources(loops: list[Record], found: Mapping[int, LoopThen], at: datetime) -> _Sources:
    ids = [loop.id for loop in loops]
    cards = [card for it in found.values() for card in it.now.loop.cards.values()]
    held = [card.id for card in cards if card.held]
    runouts = {row.loop_id: row for row in read_rows(RUNOUTS, [ids, at, at])}
    numbers = {(loop_id, row.opened_seq) for loop_id, row in runouts.items()} | {
        (loop_id, it.then.loop.runout.opened_seq) for loop_id, it in found.items() if it.then.loop.runout
    }
    behind_now: dict[tuple[int, int], str] = {}
    behind_then: dict[tuple[int, int], str] = {}
    if numbers:
        pairs = [list(column) for column in zip(*numbers, strict=True)]
        for row in read_rows(DRY_BEHIND, [at, at, *pairs]):
            key, behind = (row.loop_id, row.opened_seq), found.get(row.behind)
            if row.is_dry:
                behind_now[key] = row.part
            # Of a loop of another area the register of now says whether it was dry then.
            open_then = behind.then.loop.runout if behind is not None else None
            if open_then.opened_seq == row.behind_seq if open_then else behind is None and row.is_dry:
                behind_then[key] = row.part
    return _Sources(
        at=at,
        calendars=Calendars(loops),
        runouts=runouts,
        behind_now=behind_now,
        behind_then=behind_then,
        holders={row.card_id: row.holder for row in read_rows(HOLDERS, [held, at, at])} if held else {},
        gone=named(card.turn.demand_cancelled for card in cards if card.turn is not None),
    )
