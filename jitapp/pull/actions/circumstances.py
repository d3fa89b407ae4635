"""What the rules ask about the stations of a loop: counted under the station's lock where a limit depends on it."""

from __future__ import annotations

import msgspec

from jitapp.kanban.kinds import KINDS
from jitapp.kanban.state import Card, Loop, LoopConfig
from jitapp.kanban.vocabulary import Intent, StationKind
from jitapp.pull import store

_STARTS = frozenset({Intent.START, Intent.COMPLETE})
_SENDS = frozenset({Intent.LOAD, Intent.SHIP})


class Circumstances(msgspec.Struct, frozen=True):
    """Cards in process, turns ahead in the queue, usable containers at the receiver, why the line stands still, whether
    the supermarket that a withdrawal fetches from has no full container, and which components have run out."""

    in_process: int | None = None
    ahead: int = 0
    at_hand: int | None = None
    line_stopped: str = ""
    market_empty: bool = False
    missing: tuple[str, ...] = ()


NOTHING_SPECIAL = Circumstances()


def stations_to_lock(config: LoopConfig, intent: str | None, station_id: int | None) -> set[int]:
    """Stations whose limits this scan may touch; without an intent, a scan at the supply source may be any step."""
    locks: set[int] = set()
    at_supply = station_id == config.supply_id
    if config.wip_limit is not None and (intent == Intent.START or (intent is None and at_supply)):
        locks.add(config.supply_id)
    if config.receiving_limit is not None and (intent in _SENDS or (intent is None and at_supply)):
        locks.add(config.demand_id)
    return locks


def circumstances(
    unit: store.UnitOfWork, loop: Loop, card: Card, intent: str | None, station_id: int | None
) -> Circumstances:
    """Asked only for a scan that may start or send; everything else needs nothing of it."""
    config = loop.config
    at_supply = station_id == config.supply_id
    by_default = intent is None and at_supply
    starts = intent in _STARTS or by_default
    sends = intent in _SENDS or by_default
    if not starts and not sends:
        return NOTHING_SPECIAL
    turn = card.turn
    ahead, at_hand = 0, None
    if starts and config.keeps_sequence and turn is not None and turn.released_at is not None:
        ahead = _counted("EXECUTE pull_ahead(%s, %s)", config.supply_id, turn.released_at)
    if sends and config.receiving_limit is not None:
        at_hand = _counted("EXECUTE pull_full_at(%s)", config.demand_id)
    fetches = KINDS[config.kind].fetches and at_supply
    return Circumstances(
        in_process=unit.in_process.get(config.supply_id),
        ahead=ahead,
        at_hand=at_hand,
        line_stopped=unit.stopped.get(config.id, ""),
        market_empty=fetches and market_is_empty(unit, config),
        missing=_missing(unit, config) if starts else (),
    )


def market_is_empty(unit: store.UnitOfWork, config: LoopConfig) -> bool:
    """Whether no production card of the part hangs on a full container there. Read without a lock: a container that
    comes at this moment is found by the worker, which releases whoever was told to wait (W5).
    """
    feeding = [loop for loops, _ in unit.configs.components(config) for loop in loops]
    if not feeding:
        return False
    return not _counted(
        "SELECT count(*) FROM pull_container WHERE loop_id = ANY(%s) AND ready_to_fetch", feeding
    )


def _missing(unit: store.UnitOfWork, config: LoopConfig) -> tuple[str, ...]:
    """The components of a process of which no container can be used (4.2 row 3); several loops may bring one."""
    if config.supply_kind is not StationKind.PROCESS:
        return ()
    groups = [loops for loops, _ in unit.configs.components(config)]
    if not groups:
        return ()
    with store.cursor() as to_database:
        to_database.execute(
            "SELECT DISTINCT loop_id FROM pull_container WHERE loop_id = ANY(%s) AND usable",
            ([loop for loops in groups for loop in loops],),
        )
        usable = {row[0] for row in to_database.fetchall()}
    return tuple(unit.configs.loops[loops[0]].part for loops in groups if not usable.intersection(loops))


def _counted(statement: str, *values: object) -> int:
    with store.cursor() as to_database:
        to_database.execute(statement, values)
        return int(to_database.fetchone()[0])
