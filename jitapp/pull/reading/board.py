"""What is asked of the pull room; reads only.

A board is five statements whatever the number of loops: its area, the loops with their open runouts, their cards with
open turns, the newest turns (for the rate of use and the learned time of a refill) and the calendars.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from jitapp.kanban.kinds import KINDS
from jitapp.kanban.runouts import QUALITY
from jitapp.kanban.standing import SHORT
from jitapp.kanban.vocabulary import (
    CardStatus,
    LoopKind,
    LoopStatus,
    Party,
    SupplyStatus,
)
from jitapp.kanban.waits import CUT_BY, OWNERS, Halt
from jitapp.pull.reading.board_row import CALM, RANK, BoardRow, Tile, place_of
from jitapp.pull.reading.board_statements import CARDS, HALTS, LOOPS
from jitapp.pull.reading.history import by_loop, history_of, idle_since
from jitapp.pull.reading.projections import Calendars, in_force, refill_at, runs_out_at
from jitapp.pull.reading.records import Record, read_rows
from jitapp.pull.reading.tasks import Task, TurnName, broken

# A refill that comes so shortly before the end is worth watching: in minutes, and as a share of the lead time, because
# a quarter of an hour is nothing to a loop of two days and everything to one of ten minutes. The smaller one counts.
QUIET_MARGIN_MINUTES = 15
QUIET_SHARE = 0.1
MANY_EMPTY = Decimal("0.75")  # share of empty cards worth watching while no rate is known
BLOCKED = "BLOCKED"  # the word of a container that must not be used while its card goes on circulating


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


# -- the board -----------------------------------------------------------------------------------


def board(area_code: str, *, now: datetime) -> Board:
    """The loops whose demand station lies in the area, most urgent first. Raises UnknownArea."""
    areas = read_rows(
        "SELECT a.code, a.name, p.code AS plant, p.id AS plant_id, p.time_zone FROM plant_area a"
        " JOIN plant_plant p ON p.id = a.plant_id WHERE a.code = %s",
        [area_code],
    )
    if not areas:
        raise UnknownArea(area_code)
    found = _board_rows(read_rows(LOOPS.format(halts=HALTS, where="a.code = %s"), [area_code]), now)
    area = areas[0]
    return Board(area.code, area.name, now, tuple(found), area.plant, area.plant_id, area.time_zone)


def board_rows(loop_ids: Sequence[int], *, now: datetime) -> list[BoardRow]:
    """The named loops as rows, most urgent first; unknown and retired ones are left out."""
    if not loop_ids:
        return []
    return _board_rows(read_rows(LOOPS.format(halts=HALTS, where="l.id = ANY(%s)"), [list(loop_ids)]), now)


def board_rows_of_areas(area_codes: Sequence[str], *, now: datetime) -> list[BoardRow]:
    """The rows of several boards at once, for a page that counts them."""
    if not area_codes:
        return []
    return _board_rows(
        read_rows(LOOPS.format(halts=HALTS, where="a.code = ANY(%s)"), [list(area_codes)]), now
    )


def _board_rows(loops: list[Record], now: datetime) -> list[BoardRow]:
    if not loops:
        return []
    ids = [loop.id for loop in loops]
    cards = by_loop(read_rows(CARDS, [ids]))
    history = history_of(ids)
    calendars = Calendars(loops)
    made = [_row(loop, cards[loop.id], history[loop.id], calendars, now) for loop in loops]
    made.sort(key=place_of)
    return made


@dataclass(frozen=True, slots=True)
class _Measured:
    """What is counted and foreseen of a loop, and the state of its row that follows. `margin`: minutes from the refill
    to the end of the stock, negative where the refill comes too late; None while one of the two is not known."""

    circulating: int
    usable: int
    turns: list[Record]
    late: list[Record]
    ends_at: datetime | None
    full_at: datetime | None
    margin: float | None
    empty_share: Decimal
    state: str


def _measure(
    loop: Record,
    cards: list[Record],
    history: list[Record],
    calendars: Calendars,
    now: datetime,
) -> _Measured:
    circulating = [card for card in cards if card.card_status == CardStatus.IN_CIRCULATION]
    usable = [card for card in circulating if card.usable]
    turns = [card for card in cards if card.turn is not None]
    late = [card for card in turns if _is_late(card, now)]
    ends_at = runs_out_at(usable, history, in_force(calendars.of_demand(loop), history, now), now)
    full_at = refill_at(turns, history, in_force(calendars.of_supply(loop), history, now), now)
    margin = (ends_at - full_at).total_seconds() / 60 if ends_at is not None and full_at is not None else None
    in_error = sum(card.supply_status == SupplyStatus.ERROR for card in circulating)
    empty_share = (
        Decimal(len(circulating) - len(usable) - in_error - loop.max_empty_allowed) / len(circulating)
        if circulating
        else Decimal(0)
    )
    state = _state(
        on_hold=loop.status == LoopStatus.ON_HOLD,
        circulating=len(circulating),
        cards=len(cards),
        usable=len(usable),
        dry=loop.dry_since is not None,
        near=loop.near_since is not None,
        late=len(late),
        turns=len(turns),
        margin=margin,
        quiet_margin=min(QUIET_MARGIN_MINUTES, QUIET_SHARE * loop.lead_time_minutes),
        empty_share=empty_share,
    )
    return _Measured(
        circulating=len(circulating),
        usable=len(usable),
        turns=turns,
        late=late,
        ends_at=ends_at,
        full_at=full_at,
        margin=margin,
        empty_share=empty_share,
        state=state,
    )


def _row(
    loop: Record,
    cards: list[Record],
    history: list[Record],
    calendars: Calendars,
    now: datetime,
) -> BoardRow:
    it = _measure(loop, cards, history, calendars, now)
    next_turn = _next_turn(it.turns, loop.dry_since is not None, now)
    code, since = _why(loop, next_turn, it.state)
    party, name, owner_since = _owner(loop, next_turn, it.state)
    promise = min(
        (turn for turn in it.turns if turn.promised_at), key=lambda turn: turn.promised_at, default=None
    )
    return BoardRow(
        loop_id=loop.id,
        loop=loop.code,
        version=loop.seq,
        era=loop.era,
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
        state=it.state,
        on_hold=loop.status == LoopStatus.ON_HOLD,
        under_way=bool(it.turns),
        tiles=tuple(_tile(card, now) for card in cards),
        usable=it.usable,
        circulating=it.circulating,
        late=len(it.late),
        runout_since=loop.dry_since,
        cause=loop.dry_cause or "",
        upstream=loop.dry_upstream or "",
        near_since=loop.near_since,
        runs_out_at=it.ends_at,
        idle_since=idle_since(cards, history, now),
        by_order=KINDS[LoopKind(loop.kind)].ordered,
        refill_at=it.full_at,
        owner=f"{party} {name}".strip(),
        owner_party=party,
        owner_name=name,
        owner_since=owner_since,
        why_code=code,
        why_since=since,
        hold_reason=loop.hold_reason,
        problem=next_turn.failed if next_turn is not None else "",
        promised_at=promise.promised_at if promise is not None else None,
        promise_late=promise is not None and broken(promise.promised_at, promise.due_at),
        tasks=tuple(task for turn in it.turns for task in _tasks(loop, turn)),
        urgency=_urgency(it, loop.dry_since),
    )


row_of = _row  # the boards of the past are drawn by the same rules (past.py)

_PROGRESS = {"IN_TRANSIT": 0, "COMPLETED": 1, "IN_PROCESS": 2, "": 3}


def _next_turn(turns: list[Record], dry: bool, now: datetime) -> Record | None:
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


def _is_late(card: Record, now: datetime) -> bool:
    return card.due_at is not None and card.due_at < now


def _tile(card: Record, now: datetime) -> Tile:
    return Tile(
        code=card.code,
        number=card.number,
        word=tile_word(card.card_status, card.supply_status, card.blocked),
        reason=card.note if card.blocked or card.card_status != CardStatus.IN_CIRCULATION else "",
        contents=card.contents,
        quantity=card.quantity,
        since=card.moved_at,
        turn_number=card.turn,
        signal_state=card.signal_state or "",
        due_at=card.due_at,
        late=_is_late(card, now),
        promised_at=card.promised_at,
        promise_late=broken(card.promised_at, card.due_at),
    )


def tile_word(card_status: str, supply_status: str, blocked: bool) -> str:
    """The one word that says how a card stands: its life first, then its container."""
    if card_status != CardStatus.IN_CIRCULATION:
        return card_status
    return BLOCKED if blocked else supply_status


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
    quiet_margin: float,
    empty_share: Decimal,
) -> str:
    if on_hold:
        return "held"
    if dry:  # also when all its containers are held: nothing can be used (rule C9)
        return "out"
    if cards and not circulating:
        return "held"
    last_one = usable <= 1 < circulating or not usable
    if turns and (near or (late and last_one) or (margin is not None and margin < 0)):
        return "act"
    if late or (turns and margin is not None and margin < quiet_margin):
        return "soon"
    if turns and margin is None and empty_share >= MANY_EMPTY:
        return "soon"
    return "move" if turns else "ok"


NEVER_LATE = -1e12  # before every instant, in minutes
NEVER_USED_UP = -1e9  # after every instant


def _urgency(it: _Measured, dry_since: datetime | None) -> tuple[int, float, float]:
    """State first; then how far the buffer falls short in minutes, of dry ones the one that is dry the longest, of calm
    ones the one that is used up first, and last those of which nobody knows; then the one that is late the longest.
    Instants stand for lengths of time, so that two rows keep their order however long ago each was measured."""
    if it.state == "out" and dry_since is not None:
        short = -dry_since.timestamp() / 60
    elif it.state in CALM:
        short = round(-it.ends_at.timestamp() / 60) if it.ends_at else NEVER_USED_UP + float(it.empty_share)
    else:
        short = -it.margin if it.margin is not None else float(it.empty_share)
    first_due = min((card.due_at.timestamp() for card in it.late), default=None)
    lateness = NEVER_LATE if first_due is None else -first_due / 60
    return RANK[it.state], round(short, 2), round(lateness, 1)


# -- who must act next, and why --------------------------------------------------------------------
# Why a loop stands where no turn says it: the loop or all its cards were put on hold, no card was scanned empty, all
# containers are withdrawn, or the supply side is dry itself (see `BoardRow.upstream`).
NO_TURN = ("on_hold", "cards_held", "no_signal", "upstream")


def _why(loop: Record, turn: Record | None, state: str) -> tuple[str, datetime | None]:
    if state == "held":
        return ("on_hold" if loop.status == LoopStatus.ON_HOLD else "cards_held"), None
    if turn is not None and turn.failed:
        return "error", turn.standing_since or turn.owner_since
    if loop.dry_upstream and (turn is None or not turn.step):
        return "upstream", loop.dry_since
    if turn is None:
        withdrawn = loop.dry_cause == QUALITY[0]
        return ("cards_held" if withdrawn else "no_signal" if loop.dry_since else ""), loop.dry_since
    halt = _halted(loop, turn)
    since = turn.standing_since or turn.owner_since
    return (halt, max(loop.halt_since, since)) if halt else (turn.standing, since)


def _halted(loop: Record, turn: Record) -> Halt | None:
    """What keeps the station from a card that waits in its queue; outside working time the wait is shown as it is."""
    return Halt(loop.halt) if loop.halt and turn.standing in CUT_BY else None


def _owner(loop: Record, turn: Record | None, state: str) -> tuple[str, str, datetime | None]:
    if state == "held" and loop.status == LoopStatus.ON_HOLD:
        return Party.PLANNER, "", None
    if turn is None:
        return (loop.dry_owner or Party.PLANNER, "", loop.dry_since) if loop.dry_since else ("", "", None)
    halt = _halted(loop, turn)
    if halt and state != "held":
        owner = loop.halt_owner or OWNERS[halt]
        name = loop.halt_who or (loop.supply_name if halt is Halt.SETUP else "")
        return owner, name, max(loop.halt_since, turn.standing_since)
    return turn.owner, _name_of_owner(loop, turn), turn.owner_since


def _name_of_owner(loop: Record, turn: Record) -> str:
    named = {
        Party.STATION: loop.supply_name,
        Party.SUPPLIER: loop.supplier or loop.supply_name,
        Party.PERSON: turn.holder,
    }
    if turn.standing == SHORT[0]:
        named[Party.STATION] = loop.maker or loop.supply_name  # who fills the supermarket (rule C10)
    return str(named.get(turn.owner, ""))


def _tasks(loop: Record, turn: Record) -> Iterable[Task]:
    owner = turn.owner, _name_of_owner(loop, turn)
    if turn.gone_turn is not None:
        gone = TurnName(turn.gone_loop, turn.gone_card, turn.gone_turn)
        yield Task("demand_cancelled", turn.number, turn.turn, *owner, gone)
    if turn.answer_late:
        yield Task("answer_late", turn.number, turn.turn, *owner)
