"""What is asked of the pull room; reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


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
    """A loop as the board draws it. `version` is its loop_seq: a row with a higher one is newer."""

    loop_id: int
    loop: str
    version: int
    part: str
    description: str
    demand: str
    supply: str
    supply_name: str
    unit: str
    state: str  # out, act, soon, move, ok, held
    tiles: tuple[Tile, ...]
    usable: int
    runout_since: datetime | None
    cause: str
    runs_out_at: datetime | None  # projected from the last use; None: no rate yet
    refill_at: datetime | None
    owner: str  # "station SMT" or a name: who must act next
    owner_since: datetime | None
    why: str
    urgency: tuple[int, float, float]  # greater is more urgent


@dataclass(frozen=True, slots=True)
class Board:
    """An area's rows, most urgent first, and when they were true."""

    area: str
    name: str
    as_of: datetime
    rows: tuple[BoardRow, ...]
