"""What is asked of the pull room; reads only.

A board is five statements whatever the number of loops: its area, the loops with their open runouts, their cards with
open turns, the newest turns (for the rate of use and the learned time of a refill) and the calendars.
"""

from __future__ import annotations

import json
from collections import defaultdict, namedtuple
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.db import connection

from jitapp.kanban.vocabulary import (
    CardStatus,
    LoopStatus,
    Party,
    SignalState,
    StationKind,
    SupplyStatus,
)
from jitapp.kanban.waits import CUT_BY, OWNERS, PRECEDENCE, SHORT, Halt
from jitapp.kanban.worktime import BadCalendar, WorkCalendar

HISTORY = 8  # newest released turns of a loop from which its rate of use and its refill time are learned
LEARNED_FROM = 3  # fewer turns than this say nothing
QUIET_MARGIN_MINUTES = 15  # a refill that comes so shortly before the end is worth watching
MANY_EMPTY = Decimal("0.75")  # share of empty cards worth watching while no rate is known
USABLE = frozenset({SupplyStatus.FULL, SupplyStatus.IN_USE})
STATES = ("out", "act", "soon", "move", "ok", "held")  # most urgent first
_RANK = {"out": 5, "act": 4, "soon": 3, "move": 2, "ok": 1, "held": 0}


@dataclass(frozen=True, slots=True)
class Tile:
    """A card as the board draws it."""

    code: str
    number: int
    word: str  # FULL, IN_USE, EMPTY, IN_PROCESS, COMPLETED, IN_TRANSIT, WAIT, ERROR, HELD ...
    contents: Decimal
    quantity: Decimal
    since: datetime | None
    turn_number: int | None
    signal_state: str
    due_at: datetime | None
    late: bool


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A loop as the board draws it. `version` is its loop_seq: a row with a higher one is newer.

    `why_code` is one of queue, process, collect, transit, ack, accumulate, order_number, rejected, on_hold,
    cards_held, no_signal, upstream (the supply side is dry itself; see `upstream`), the reason of an open wait, or
    empty when nothing waits. `owner` and `why` say the same in English.
    """

    loop_id: int
    loop: str
    version: int
    area: str
    time_zone: str
    part: str
    description: str
    unit: str
    quantity: Decimal
    demand: str
    demand_name: str
    supply: str
    supply_name: str
    state: str  # out, act, soon, move, ok, held
    tiles: tuple[Tile, ...]
    usable: int
    circulating: int
    late: int  # open turns past their due time
    runout_since: datetime | None
    cause: str
    upstream: str  # the dry part behind an open runout
    near_since: datetime | None
    runs_out_at: datetime | None  # projected from the last use; None: no rate yet
    refill_at: datetime | None  # None: nothing was asked for
    owner: str  # "station SMT" or a name: who must act next
    owner_party: str
    owner_name: str
    owner_since: datetime | None
    why: str
    why_code: str
    why_since: datetime | None
    hold_reason: str
    problem: str  # why the turn that the row speaks of stands in ERROR
    urgency: tuple[int, float, float]  # greater is more urgent


@dataclass(frozen=True, slots=True)
class Board:
    """An area's rows, most urgent first, and when they were true."""

    area: str
    name: str
    as_of: datetime
    rows: tuple[BoardRow, ...]
    plant: str
    plant_id: int
    time_zone: str


class UnknownArea(LookupError):
    """There is no area of that code."""


# -- the statements ------------------------------------------------------------------------------

_LOOPS = """
SELECT l.id, l.code, l.status, l.hold_reason, l.quantity, l.max_empty_allowed,
       p.number AS part, p.description, p.unit,
       d.code AS demand, d.name AS demand_name, s.code AS supply, s.name AS supply_name, s.kind AS supply_kind,
       coalesce(sup.name, '') AS supplier, coalesce(a.code, '') AS area, pl.time_zone, pl.id AS plant,
       d.calendar_id AS demand_calendar, coalesce(s.calendar_id, sup.calendar_id) AS supply_calendar,
       coalesce(st.seq, 0) AS seq, st.near_since,
       r.opened_at AS dry_since, r.cause AS dry_cause, r.owner AS dry_owner, up.number AS dry_upstream,
       h.kind AS halt, h.since AS halt_since, h.owner AS halt_owner, h.who AS halt_who,
       (SELECT maker.name FROM plant_loop fed JOIN plant_station maker ON maker.id = fed.supply_id
         WHERE s.kind = 'SUPERMARKET' AND fed.demand_id = s.id AND fed.part_id = l.part_id
         ORDER BY fed.id LIMIT 1) AS maker
  FROM plant_loop l
  JOIN plant_part p ON p.id = l.part_id
  JOIN plant_station d ON d.id = l.demand_id
  JOIN plant_station s ON s.id = l.supply_id
  JOIN plant_plant pl ON pl.id = l.plant_id
  LEFT JOIN plant_area a ON a.id = d.area_id
  LEFT JOIN plant_supplier sup ON sup.id = s.supplier_id
  LEFT JOIN pull_loopstate st ON st.loop_id = l.id
  LEFT JOIN pull_runout r ON r.loop_id = l.id AND r.closed_at IS NULL
  LEFT JOIN pull_runout ur ON ur.id = r.upstream_id AND ur.closed_at IS NULL
  LEFT JOIN plant_loop ul ON ul.id = ur.loop_id
  LEFT JOIN plant_part up ON up.id = ul.part_id
  LEFT JOIN LATERAL ({halts}) h ON true
 WHERE l.status IN ('ACTIVE', 'ON_HOLD') AND {where}
"""

# What keeps a supply station from its work now, from the same sources as jitapp/pull/reading/waits.py. The first one
# in the order of precedence counts.
_HALTS = """
       SELECT x.kind, x.since, x.owner, x.who FROM (
              SELECT kind, began_at AS since, '' AS owner, '' AS who FROM pull_stationstate
               WHERE station_id = s.id AND ended_at IS NULL
               UNION ALL
              SELECT CASE call.kind WHEN 'quality' THEN 'quality' ELSE 'down' END, call.called_at,
                     CASE WHEN call.owned_at IS NULL THEN '' ELSE 'person' END,
                     coalesce(nullif(taker.name, ''), taker.username, '')
                FROM pull_andoncall call LEFT JOIN accounts_person taker ON taker.id = call.owner_id
               WHERE call.station_id = s.id AND call.stops_line AND call.solved_at IS NULL
               UNION ALL
              SELECT 'starved', missing.opened_at, missing.owner, ''
                FROM pull_runout missing JOIN plant_loop fed ON fed.id = missing.loop_id
               WHERE missing.closed_at IS NULL AND fed.demand_id = s.id AND fed.id <> l.id
                 AND CASE s.kind WHEN 'SUPERMARKET' THEN fed.part_id = l.part_id
                     WHEN 'PROCESS' THEN EXISTS (SELECT 1 FROM plant_billofmaterials b
                          WHERE b.parent_id = l.part_id AND b.component_id = fed.part_id)
                     ELSE false END
                 AND NOT EXISTS (SELECT 1 FROM plant_loop other
                      WHERE other.demand_id = s.id AND other.part_id = fed.part_id
                        AND other.status NOT IN ('DRAFT', 'RETIRED')
                        AND NOT EXISTS (SELECT 1 FROM pull_runout same
                             WHERE same.loop_id = other.id AND same.closed_at IS NULL))
            ) x
        ORDER BY array_position(ARRAY[$ORDER], x.kind::text), x.since
        LIMIT 1
""".replace("$ORDER", ", ".join(f"'{halt.value}'" for halt in PRECEDENCE))

_CARDS = """
SELECT c.loop_id, c.code, c.number, c.card_status, c.supply_status, c.quantity, c.contents, c.blocked, c.moved_at,
       t.number AS turn, t.signal_state, t.step, t.opened_at, t.released_at, t.due_at, t.owner, t.failed, t.owner_since,
       w.reason AS wait, w.opened_at AS wait_since,
       coalesce(nullif(holder.name, ''), holder.username, '') AS holder
  FROM pull_card c
  LEFT JOIN pull_turn t ON t.card_id = c.id AND t.closed_at IS NULL
  LEFT JOIN pull_wait w ON w.turn_id = t.id AND w.closed_at IS NULL
  LEFT JOIN pull_qualityhold q ON q.card_id = c.id AND q.released_at IS NULL
  LEFT JOIN accounts_person holder ON holder.id = q.held_by_id
 WHERE c.loop_id = ANY(%s) AND c.card_status NOT IN ('REMOVED', 'OBSOLETE', 'NEW')
 ORDER BY c.loop_id, c.number
"""

_HISTORY = """
SELECT l.id AS loop_id, h.opened_at, h.released_at, h.closed_at, h.asked
  FROM unnest(%s::bigint[]) AS l(id)
 CROSS JOIN LATERAL (
       SELECT t.opened_at, t.released_at, t.closed_at, t.asked FROM pull_turn t
        WHERE t.loop_id = l.id AND t.released_at IS NOT NULL AND t.signal_state <> 'CANCELLED'
        ORDER BY t.released_at DESC LIMIT %s) AS h
"""

_CALENDARS = """
SELECT c.id, c.plant_id, c.is_default, pl.time_zone, c.shifts, c.holidays
  FROM plant_calendar c JOIN plant_plant pl ON pl.id = c.plant_id
 WHERE c.id = ANY(%s) OR (c.is_default AND c.plant_id = ANY(%s))
"""


_Record = Any  # a row of a statement, its columns as attributes


@lru_cache(maxsize=16)
def _record(*columns: str) -> Any:
    return namedtuple("Row", columns)


def _rows(sql: str, parameters: Sequence[Any]) -> list[_Record]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        make = _record(*(column[0] for column in cursor.description or ()))._make
        return [make(values) for values in cursor.fetchall()]


# -- the board -----------------------------------------------------------------------------------


def board(area_code: str, *, now: datetime) -> Board:
    """The loops whose demand station lies in the area, most urgent first. Raises UnknownArea."""
    areas = _rows(
        "SELECT a.code, a.name, p.code AS plant, p.id AS plant_id, p.time_zone FROM plant_area a"
        " JOIN plant_plant p ON p.id = a.plant_id WHERE a.code = %s",
        [area_code],
    )
    if not areas:
        raise UnknownArea(area_code)
    rows = _board_rows(_rows(_LOOPS.format(halts=_HALTS, where="a.code = %s"), [area_code]), now)
    area = areas[0]
    return Board(area.code, area.name, now, tuple(rows), area.plant, area.plant_id, area.time_zone)


def board_rows(loop_ids: Sequence[int], *, now: datetime) -> list[BoardRow]:
    """The named loops as rows, most urgent first; unknown and retired ones are left out."""
    if not loop_ids:
        return []
    return _board_rows(_rows(_LOOPS.format(halts=_HALTS, where="l.id = ANY(%s)"), [list(loop_ids)]), now)


def board_rows_of_areas(area_codes: Sequence[str], *, now: datetime) -> list[BoardRow]:
    """The rows of several boards at once, for a page that counts them."""
    if not area_codes:
        return []
    return _board_rows(_rows(_LOOPS.format(halts=_HALTS, where="a.code = ANY(%s)"), [list(area_codes)]), now)


def _board_rows(loops: list[_Record], now: datetime) -> list[BoardRow]:
    if not loops:
        return []
    ids = [loop.id for loop in loops]
    cards = _by_loop(_rows(_CARDS, [ids]))
    history = _by_loop(_rows(_HISTORY, [ids, HISTORY]))
    calendars = _Calendars(loops)
    made = [_row(loop, cards[loop.id], history[loop.id], calendars, now) for loop in loops]
    made.sort(key=lambda row: (tuple(-part for part in row.urgency), row.part, row.loop))
    return made


def _by_loop(rows: Iterable[_Record]) -> dict[int, list[_Record]]:
    grouped: dict[int, list[_Record]] = defaultdict(list)
    for row in rows:
        grouped[row.loop_id].append(row)
    return grouped


def _row(
    loop: _Record,
    cards: list[_Record],
    history: list[_Record],
    calendars: _Calendars,
    now: datetime,
) -> BoardRow:
    circulating = [card for card in cards if card.card_status == CardStatus.IN_CIRCULATION]
    usable = [card for card in circulating if not card.blocked and card.supply_status in USABLE]
    turns = [card for card in cards if card.turn is not None]
    late = [card for card in turns if _is_late(card, now)]
    runs_out_at = _runs_out_at(usable, history, _in_force(calendars.of_demand(loop), history), now)
    next_turn = _next_turn(turns, loop.dry_since is not None, now)
    refill_at = _refill_at(turns, history, _in_force(calendars.of_supply(loop), history), now)
    on_hold = loop.status == LoopStatus.ON_HOLD
    margin = (
        (runs_out_at - refill_at).total_seconds() / 60
        if runs_out_at is not None and refill_at is not None
        else None
    )
    in_error = sum(card.supply_status == SupplyStatus.ERROR for card in circulating)
    empty_share = (
        Decimal(len(circulating) - len(usable) - in_error - loop.max_empty_allowed) / len(circulating)
        if circulating
        else Decimal(0)
    )
    state = _state(
        on_hold=on_hold,
        circulating=len(circulating),
        cards=len(cards),
        usable=len(usable),
        dry=loop.dry_since is not None,
        near=loop.near_since is not None,
        late=len(late),
        turns=len(turns),
        margin=margin,
        empty_share=empty_share,
    )
    code, since = _why(loop, next_turn, state)
    party, name, owner_since = _owner(loop, next_turn, state)
    return BoardRow(
        loop_id=loop.id,
        loop=loop.code,
        version=loop.seq,
        area=loop.area,
        time_zone=loop.time_zone,
        part=loop.part,
        description=loop.description,
        unit=loop.unit,
        quantity=loop.quantity,
        demand=loop.demand,
        demand_name=loop.demand_name,
        supply=loop.supply,
        supply_name=loop.supplier or loop.supply_name,
        state=state,
        tiles=tuple(_tile(card, now) for card in cards),
        usable=len(usable),
        circulating=len(circulating),
        late=len(late),
        runout_since=loop.dry_since,
        cause=loop.dry_cause or "",
        upstream=loop.dry_upstream or "",
        near_since=loop.near_since,
        runs_out_at=runs_out_at,
        refill_at=refill_at,
        owner=f"{party} {name}".strip(),
        owner_party=party,
        owner_name=name,
        owner_since=owner_since,
        why=_WHY.get(code, code.replace("_", " ")),
        why_code=code,
        why_since=since,
        hold_reason=loop.hold_reason,
        problem=next_turn.failed if next_turn is not None else "",
        urgency=_urgency(state, loop.dry_since, margin, empty_share, late, now),
    )


_PROGRESS = {"IN_TRANSIT": 0, "COMPLETED": 1, "IN_PROCESS": 2, "": 3}


def _next_turn(turns: list[_Record], dry: bool, now: datetime) -> _Record | None:
    """The turn the row speaks of: one that stands in ERROR, because nothing moves it but a person; else the first due,
    or where all is empty the one that can be back first."""
    return min(
        turns,
        key=lambda card: (
            not card.failed,
            _PROGRESS[card.step] if dry else 0,
            card.due_at or now,
            card.opened_at,
        ),
        default=None,
    )


def _is_late(card: _Record, now: datetime) -> bool:
    return card.due_at is not None and card.due_at < now


def _tile(card: _Record, now: datetime) -> Tile:
    return Tile(
        code=card.code,
        number=card.number,
        word=tile_word(card.card_status, card.supply_status, card.blocked),
        contents=card.contents,
        quantity=card.quantity,
        since=card.moved_at,
        turn_number=card.turn,
        signal_state=card.signal_state or "",
        due_at=card.due_at,
        late=_is_late(card, now),
    )


def tile_word(card_status: str, supply_status: str, blocked: bool) -> str:
    """The one word that says how a card stands: its life first, then its container."""
    if card_status != CardStatus.IN_CIRCULATION:
        return card_status
    return CardStatus.HELD.value if blocked else supply_status


def _state(
    *,
    on_hold: bool,
    circulating: int,
    cards: int,
    usable: int,
    dry: bool,
    near: bool,
    late: int,
    turns: int,
    margin: float | None,
    empty_share: Decimal,
) -> str:
    if on_hold or (cards and not circulating):
        return "held"
    if dry:
        return "out"
    last_one = usable <= 1 < circulating or not usable
    if turns and (near or (late and last_one) or (margin is not None and margin < 0)):
        return "act"
    if late or (turns and margin is not None and margin < QUIET_MARGIN_MINUTES):
        return "soon"
    if turns and margin is None and empty_share >= MANY_EMPTY:
        return "soon"
    return "move" if turns else "ok"


def _urgency(
    state: str,
    dry_since: datetime | None,
    margin: float | None,
    empty_share: Decimal,
    late: list[_Record],
    now: datetime,
) -> tuple[int, float, float]:
    """State first; then how far the buffer falls short (dry: for how long, in minutes); then lateness in minutes."""
    if dry_since is not None:
        short = (now - dry_since).total_seconds() / 60
    else:
        short = -margin if margin is not None else float(empty_share)
    lateness = max(((now - card.due_at).total_seconds() / 60 for card in late), default=0.0)
    return _RANK[state], round(short, 2), round(lateness, 1)


# -- who must act next, and why --------------------------------------------------------------------

_WHY = {
    "": "nothing waits",
    "queue": "not started yet",
    "process": "being made",
    "collect": "finished, waits to be collected",
    "transit": "on its way",
    "ack": "waits for the supplier's answer",
    "supplier": "the supplier is filling it",
    "accumulate": "waits for a batch",
    "order_number": "waits for an order number",
    "doc": "waits for an order number",
    "rejected": "the supplier said no",
    "withheld": "not released yet",
    "error": "it stands in ERROR",
    "supply_short": "no full container in the supermarket",
    "held": "its card is on hold",
    "put_away": "at the dock, not at its place",
    "receiver_not_ready": "no room where it should go",
    "down": "the station is down",
    "setup": "the station changes over",
    "no_operator": "nobody is at the station",
    "planned_stop": "the station is stopped as planned",
    "quality": "the line stands for quality",
    "starved": "the station lacks parts",
    "on_hold": "the loop is on hold",
    "cards_held": "its cards are on hold",
    "no_signal": "no card has been scanned empty",
    "upstream": "its own parts have run out",
}


def _why(loop: _Record, turn: _Record | None, state: str) -> tuple[str, datetime | None]:
    if state == "held":
        return ("on_hold" if loop.status == LoopStatus.ON_HOLD else "cards_held"), None
    if turn is not None and turn.failed:
        return "error", turn.wait_since or turn.owner_since
    if loop.dry_upstream and (turn is None or not turn.step):
        return "upstream", loop.dry_since
    if turn is None:
        return ("no_signal" if loop.dry_since else ""), loop.dry_since
    if turn.wait:
        halt = _halted(loop, turn)
        return (halt, max(loop.halt_since, turn.wait_since)) if halt else (turn.wait, turn.wait_since)
    return phase_of(turn.signal_state, turn.step, loop.supply_kind), turn.owner_since


def _halted(loop: _Record, turn: _Record) -> Halt | None:
    """What keeps the station from a card that waits in its queue; outside working time the wait is shown as it is."""
    return Halt(loop.halt) if loop.halt and turn.wait in CUT_BY else None


def phase_of(signal_state: str, step: str, supply_kind: str) -> str:
    """Where an open turn stands, in the words of `why_code`."""
    if signal_state == SignalState.REJECTED:
        return "rejected"
    if signal_state == SignalState.PENDING_DOC:
        return "order_number"
    if signal_state in (SignalState.UNRELEASED, SignalState.ACCUMULATING):
        return "accumulate"
    if step == SupplyStatus.IN_TRANSIT:
        return "transit"
    if step == SupplyStatus.COMPLETED:
        return "collect"
    if supply_kind == StationKind.SUPPLIER:
        return "supplier" if step or signal_state == SignalState.ACKNOWLEDGED else "ack"
    return "process" if step == SupplyStatus.IN_PROCESS else "queue"


def _owner(loop: _Record, turn: _Record | None, state: str) -> tuple[str, str, datetime | None]:
    if state == "held" and loop.status == LoopStatus.ON_HOLD:
        return Party.PLANNER, "", None
    if turn is None:
        return (loop.dry_owner or Party.PLANNER, "", loop.dry_since) if loop.dry_since else ("", "", None)
    named = {
        Party.STATION: loop.supply_name,
        Party.SUPPLIER: loop.supplier or loop.supply_name,
        Party.PERSON: turn.holder,
    }
    if turn.wait == SHORT[0]:
        named[Party.STATION] = loop.maker or loop.supply_name  # who fills the supermarket (rule C10)
    halt = _halted(loop, turn)
    if halt and state != "held":
        owner = loop.halt_owner or OWNERS[halt]
        name = loop.halt_who or (loop.supply_name if halt is Halt.SETUP else "")
        return owner, name, max(loop.halt_since, turn.wait_since)
    return turn.owner, named.get(turn.owner, ""), turn.owner_since


# -- when it runs out, when it is full again -------------------------------------------------------


def _runs_out_at(
    usable: list[_Record], history: list[_Record], calendar: WorkCalendar, now: datetime
) -> datetime | None:
    """Now + what is left / the rate of use. A container half used since the last emptying counts by the clock.

    The rate is pieces per working minute between the oldest and the newest of the last turns; a pause longer than
    usual slows it, so that a stopped line does not look as if it ran out.
    """
    if len(history) < LEARNED_FROM or not usable:
        return None
    newest, oldest = history[0].opened_at, history[-1].opened_at
    minutes = calendar.working_minutes_between(oldest, newest)
    pieces = float(sum(turn.asked for turn in history[:-1]))
    if minutes <= 0 or pieces <= 0:
        return None
    usual = minutes / (len(history) - 1)
    elapsed = calendar.working_minutes_between(newest, now)
    rate = pieces / (minutes + max(elapsed - usual, 0.0))
    left = float(sum(card.contents for card in usable))
    partly_used = any(card.contents < card.quantity for card in usable)
    # Contents that fall with each draw are the truth of now; else they are the truth of the last emptying. Whatever
    # the clock says, only the container in use can be used up unseen: the others are still full.
    begin, gone = (now, 0.0) if partly_used else (newest, elapsed)
    unseen = (left - float(max(card.contents for card in usable))) / rate if gone else 0.0
    ahead = left / rate
    if ahead - gone <= unseen:
        return calendar.add_working_minutes(now, round(unseen)) if unseen else now
    return max(calendar.add_working_minutes(begin, round(ahead)), now)


def _refill_at(
    turns: list[_Record], history: list[_Record], calendar: WorkCalendar, now: datetime
) -> datetime | None:
    """The first of the open turns to come back: by the learned time (its 80th percentile), else by its due time."""
    if not turns:
        return None
    taken = sorted(
        calendar.working_minutes_between(turn.released_at, turn.closed_at)
        for turn in history
        if turn.closed_at is not None
    )
    usual = taken[int(0.8 * (len(taken) - 1) + 0.5)] if len(taken) >= LEARNED_FROM else None
    expected: list[datetime] = []
    for turn in turns:
        learned = (
            calendar.add_working_minutes(turn.released_at, round(usual))
            if usual is not None and turn.released_at is not None
            else None
        )
        if learned is not None and (learned > now or turn.due_at is None):
            expected.append(learned)
        elif turn.due_at is not None:
            expected.append(turn.due_at)
    return min(expected, default=None)


class _Calendars:
    """The working time of the loops' stations: their own, else the plant's, else every minute."""

    def __init__(self, loops: list[_Record]) -> None:
        wanted = {loop.demand_calendar for loop in loops} | {loop.supply_calendar for loop in loops}
        plants = list({loop.plant for loop in loops})
        self._own: dict[int, WorkCalendar] = {}
        self._of_plant: dict[int, WorkCalendar] = {}
        for row in _rows(_CALENDARS, [[number for number in wanted if number is not None], plants]):
            calendar = _calendar(row.time_zone, _text(row.shifts), _text(row.holidays))
            self._own[row.id] = calendar
            if row.is_default:
                self._of_plant[row.plant_id] = calendar

    def of_demand(self, loop: _Record) -> WorkCalendar:
        return self._find(loop.demand_calendar, loop.plant)

    def of_supply(self, loop: _Record) -> WorkCalendar:
        return self._find(loop.supply_calendar, loop.plant)

    def _find(self, number: int | None, plant: int) -> WorkCalendar:
        if number is not None and number in self._own:
            return self._own[number]
        return self._of_plant.get(plant, _ALWAYS)


_ALWAYS = WorkCalendar()


def _in_force(calendar: WorkCalendar, history: list[_Record]) -> WorkCalendar:
    """The clock instead of the calendar while people evidently work outside it, as on an extra shift."""
    return calendar if not history or calendar.is_working(history[0].opened_at) else _ALWAYS


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@lru_cache(maxsize=256)
def _calendar(time_zone: str, shifts: str, holidays: str) -> WorkCalendar:
    """Built once per content: a calendar keeps the days it has reckoned."""
    try:
        return WorkCalendar(time_zone, json.loads(shifts), json.loads(holidays))
    except BadCalendar:
        return _ALWAYS
