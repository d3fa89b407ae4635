"""The table of transitions: which scan moves a container from where to where, and which side may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jitapp.kanban.vocabulary import Intent, LoopKind, SignalState, SupplyStatus

Side = Literal["demand", "supply"]
S = SupplyStatus


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: at `frm`, the intent moves the container to `to`; `side` says who may (rule C13)."""

    intent: Intent
    frm: SupplyStatus
    to: SupplyStatus
    side: Side
    answer: str


TRANSITIONS: tuple[Row, ...] = (
    # 4.1 rows 1 to 3: the demand side opens and empties.
    Row(Intent.OPEN, S.FULL, S.IN_USE, "demand", "opened"),
    Row(Intent.EMPTY, S.FULL, S.EMPTY, "demand", "emptied"),
    Row(Intent.EMPTY, S.IN_USE, S.EMPTY, "demand", "emptied"),
    # 4.2 rows 3, 5, 8 and 4.4 rows 7, 8: the supply side fills. Skipped steps are implied, in order.
    Row(Intent.START, S.EMPTY, S.IN_PROCESS, "supply", "started"),
    Row(Intent.COMPLETE, S.EMPTY, S.COMPLETED, "supply", "completed"),
    Row(Intent.COMPLETE, S.IN_PROCESS, S.COMPLETED, "supply", "completed"),
    Row(Intent.ABORT, S.IN_PROCESS, S.EMPTY, "supply", "aborted"),
    Row(Intent.LOAD, S.EMPTY, S.IN_TRANSIT, "supply", "loaded"),
    Row(Intent.LOAD, S.IN_PROCESS, S.IN_TRANSIT, "supply", "loaded"),
    Row(Intent.LOAD, S.COMPLETED, S.IN_TRANSIT, "supply", "loaded"),
    Row(Intent.SHIP, S.EMPTY, S.IN_TRANSIT, "supply", "loaded"),
    Row(Intent.SHIP, S.IN_PROCESS, S.IN_TRANSIT, "supply", "loaded"),
    Row(Intent.SHIP, S.COMPLETED, S.IN_TRANSIT, "supply", "loaded"),
    # 4.1 row 8, 4.4 row 10: the demand side takes the full container in.
    Row(Intent.RECEIVE, S.EMPTY, S.FULL, "demand", "received"),
    Row(Intent.RECEIVE, S.IN_PROCESS, S.FULL, "demand", "received"),
    Row(Intent.RECEIVE, S.COMPLETED, S.FULL, "demand", "received"),
    Row(Intent.RECEIVE, S.IN_TRANSIT, S.FULL, "demand", "received"),
)
TABLE: dict[tuple[Intent, SupplyStatus], Row] = {(row.intent, row.frm): row for row in TRANSITIONS}

# The way of a container through its supply source; what lies between two scans is implied.
WAY: tuple[SupplyStatus, ...] = (S.EMPTY, S.IN_PROCESS, S.COMPLETED, S.IN_TRANSIT, S.FULL)
TARGET: dict[Intent, SupplyStatus] = {row.intent: row.to for row in TRANSITIONS}
SIDE: dict[Intent, Side] = {row.intent: row.side for row in TRANSITIONS}
FILLING = frozenset({Intent.START, Intent.COMPLETE, Intent.LOAD, Intent.SHIP, Intent.RECEIVE, Intent.ABORT})
MAY_FILL = frozenset({SignalState.RELEASED, SignalState.ACKNOWLEDGED})
KINDS = frozenset(LoopKind)
UNDOABLE = frozenset({Intent.EMPTY, Intent.OPEN, Intent.START, Intent.COMPLETE, Intent.LOAD})
