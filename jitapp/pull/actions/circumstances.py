"""What the rules ask about the stations of a loop: counted under the station's lock where a limit depends on it."""

from __future__ import annotations

from dataclasses import dataclass

from jitapp.kanban.state import Card, Loop, LoopConfig
from jitapp.kanban.vocabulary import Intent, LoopKind
from jitapp.pull import store


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Cards in process, turns ahead in the queue, full containers at the receiver, why the line stands still, and
    whether the supermarket that a withdrawal fetches from has no full container."""

    in_process: int | None = None
    ahead: int = 0
    full_at_demand: int | None = None
    line_stopped: str = ""
    market_empty: bool = False


NOTHING_SPECIAL = Circumstances()


def stations_to_lock(config: LoopConfig, intent: str | None, station_id: int | None) -> set[int]:
    """Stations whose limits this scan may touch; without an intent, a scan at the supply source may be any step."""
    locks: set[int] = set()
    at_supply = station_id == config.supply_id
    if config.wip_limit is not None and (intent == Intent.START or (intent is None and at_supply)):
        locks.add(config.supply_id)
    sends = intent in (Intent.LOAD, Intent.SHIP) or (intent is None and at_supply)
    if config.receiving_limit is not None and sends:
        locks.add(config.demand_id)
    return locks


def circumstances(
    world: store.UnitOfWork, loop: Loop, card: Card, intent: str | None, station_id: int | None
) -> Circumstances:
    """Asked only for a scan that may start or send; everything else needs nothing of it."""
    config = loop.config
    at_supply = station_id == config.supply_id
    starts = intent == Intent.START or (intent is None and at_supply)
    sends = intent in (Intent.LOAD, Intent.SHIP) or (intent is None and at_supply)
    if not starts and not sends:
        return NOTHING_SPECIAL
    turn = card.turn
    ahead, full = 0, None
    if starts and config.keeps_sequence and turn is not None and turn.released_at is not None:
        ahead = _counted("EXECUTE pull_ahead(%s, %s)", config.supply_id, turn.released_at)
    if sends and config.receiving_limit is not None:
        full = _counted("EXECUTE pull_full_at(%s)", config.demand_id)
    return Circumstances(
        in_process=world.in_process.get(config.supply_id),
        ahead=ahead,
        full_at_demand=full,
        line_stopped=world.stopped.get(config.id, ""),
        market_empty=config.kind is LoopKind.WITHDRAWAL and at_supply and market_is_empty(world, config),
    )


def market_is_empty(world: store.UnitOfWork, config: LoopConfig) -> bool:
    """Whether no production card of the part hangs on a full container there. Read without a lock: a container that
    comes at this moment is found by the worker, which releases whoever was told to wait (W5).
    """
    feeding = [loop for loops, _ in world.configs.components(config) for loop in loops]
    if not feeding:
        return False
    return not _counted(
        "SELECT count(*) FROM pull_card WHERE loop_id = ANY(%s) AND supply_status = 'FULL'"
        " AND card_status = 'IN_CIRCULATION' AND NOT blocked",
        feeding,
    )


def _counted(statement: str, *values: object) -> int:
    with store.cursor() as to_database:
        to_database.execute(statement, values)
        return int(to_database.fetchone()[0])
