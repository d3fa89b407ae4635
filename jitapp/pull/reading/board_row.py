"""A row of a board as the pages draw it, and the order of rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from jitapp.pull.reading.tasks import Task

STATES = ("out", "act", "soon", "move", "ok", "held")  # most urgent first
CALM = frozenset({"move", "ok"})  # nothing is in danger
RANK = {"out": 5, "act": 4, "soon": 3, "move": 2, "ok": 1, "held": 0}
Place = tuple[tuple[float, ...], str, str]


@dataclass(frozen=True, slots=True)
class Tile:
    """A card as the board draws it."""

    code: str
    number: int
    word: str  # FULL, IN_USE, EMPTY, IN_PROCESS, COMPLETED, IN_TRANSIT, WAIT, ERROR, HELD, BLOCKED ...
    reason: str  # why it is held, blocked or lost
    contents: Decimal
    quantity: Decimal
    since: datetime | None
    turn_number: int | None
    signal_state: str
    due_at: datetime | None
    late: bool
    promised_at: datetime | None
    promise_late: bool  # promised for after the due time


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A loop as the board draws it. `version` is its loop_seq: a row with a higher one is newer, and one of a later
    `era` is newer than all before it (the database was restored, and the numbers went back).

    `why_code` is what the turn that the row speaks of waits for or what is done to it (standing.REASONS), or what its
    station stands still for (waits.Halt), or one of NO_TURN, or empty when nothing waits. `tasks` of other turns of the
    loop stand beside it.
    """

    loop_id: int
    loop: str
    version: int
    era: int
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
    on_hold: bool
    under_way: bool  # a turn is open, so that time alone changes the row
    tiles: tuple[Tile, ...]
    usable: int
    circulating: int
    late: int  # open turns past their due time
    runout_since: datetime | None
    cause: str
    upstream: str  # the dry part behind an open runout
    near_since: datetime | None
    runs_out_at: datetime | None  # projected from the last use; None: no rate yet
    idle_since: datetime | None  # nothing was used for more than a week
    by_order: bool  # a loop of orders holds nothing between them, so that nothing runs dry
    refill_at: datetime | None  # None: nothing was asked for
    owner: str  # "station SMT" or a name: who must act next
    owner_party: str
    owner_name: str
    owner_since: datetime | None
    why_code: str
    why_since: datetime | None
    hold_reason: str
    problem: str  # why the turn that the row speaks of stands in ERROR
    promised_at: datetime | None  # the first of the suppliers' promises
    promise_late: bool  # it is for after the due time of its turn
    tasks: tuple[Task, ...]
    urgency: tuple[int, float, float]  # greater is more urgent


def place_of(row: BoardRow) -> Place:
    """Sorts rows, most urgent first."""
    return place(row.urgency, row.part, row.loop)


def place(urgency: tuple[int, float, float], part: str, loop: str) -> Place:
    """Where a loop stands on its board: the lower, the more urgent."""
    return tuple(-each for each in urgency), part, loop
