"""The swap scan through the door: two codes, one effect. Either both arrive in one scan (`pair`), or the withdrawal
card comes first and the container's card within a minute from the same device; nothing changes in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from jitapp.kanban.ledger import Decision, Scan
from jitapp.kanban.lifecycle import decide, facts
from jitapp.kanban.state import Card, Loop
from jitapp.kanban.swap import swap
from jitapp.kanban.vocabulary import Intent, LoopKind, StationKind, SupplyStatus
from jitapp.plant.configs import Configs
from jitapp.pull import store
from jitapp.pull.models import Receipt
from jitapp.pull.scan_request import Resolved, ScanRequest, Source

WITHIN = timedelta(seconds=60)


def swaps_by_hand(loop: Loop, scan: Scan) -> bool:
    """Whether this scan of a withdrawal card means the swap: at the supermarket, where cards are detached by hand."""
    config = loop.config
    return (
        config.kind is LoopKind.WITHDRAWAL
        and not config.auto_detach
        and config.supply_kind is StationKind.SUPERMARKET
        and scan.station_id == config.supply_id
        and scan.intent in (None, Intent.LOAD)
    )


def find_pairs(
    resolved: Sequence[Resolved],
    source: Source,
    now: datetime,
    known: Configs,
    *,
    code_of: Callable[[ScanRequest], Resolved],
) -> None:
    """Completes each scan that is half of a swap with its other half, before any lock is taken.

    The second half (a production card at the supermarket) becomes a scan of the withdrawal card with its pair.
    """
    if not known.swap_stations:
        return
    for item in resolved:
        if item.request.pair:
            other = code_of(ScanRequest(id=item.request.id, code=item.request.pair))
            item.pair_card_id, item.pair_loop_id = other.card_id, other.loop_id
            continue
        config = known.loops.get(item.loop_id) if item.loop_id is not None else None
        if config is None or source.device_id is None or config.kind is LoopKind.WITHDRAWAL:
            continue
        named = known.stations.get(item.request.station) if item.request.station else None
        here = named.id if named is not None else source.station_id
        if config.demand_id not in known.swap_stations or here != config.demand_id:
            continue
        if item.request.intent not in (None, Intent.LOAD):
            continue  # something else is meant with this card
        first = (
            Receipt.objects.filter(device_id=source.device_id, recorded_at__gte=now - WITHIN)
            .exclude(scan_id=item.request.id)
            .order_by("-recorded_at", "-pk")
            .values_list("code", "card_id", "loop_id")
            .first()
        )
        if first is not None and first[0] == "swap_incomplete" and first[1] is not None:
            waiting = known.loops.get(first[2] or 0)
            if waiting is not None and waiting.supply_id == config.demand_id:
                item.pair_card_id, item.pair_loop_id = item.card_id, item.loop_id
                item.card_id, item.loop_id = first[1], first[2]


def do_swap(
    world: store.UnitOfWork, item: Resolved, loop: Loop, card: Card, scan: Scan, now: datetime
) -> Decision:
    """Both moves in this transaction, with the link of the pull chain; or the prompt for the second code, unless
    there is no full container whose card could be scanned (W4)."""
    other_loop = world.loops.get(item.pair_loop_id) if item.pair_loop_id is not None else None
    other = other_loop.cards.get(item.pair_card_id) if other_loop is not None and item.pair_card_id else None
    if other_loop is None or other is None:
        if scan.market_empty and card.position in (SupplyStatus.EMPTY, SupplyStatus.WAIT):
            return decide(loop, card, replace(scan, intent=Intent.LOAD))
        return Decision(
            "swap_incomplete", facts(loop, card, scan, Intent.LOAD), intent=Intent.LOAD, turn=card.turn
        )
    done = swap(loop, card, other_loop, other, scan)
    if done.detached:
        world.record(
            other_loop,
            done.detached,
            now=now,
            station_id=scan.station_id,
            person_id=scan.person_id,
            device_id=scan.device_id,
        )
        turn = done.decision.turn
        assert turn is not None
        with store.cursor() as to_database:
            to_database.execute(
                "INSERT INTO pull_turnlink (downstream_id, upstream_card_id, upstream_number, kind, quantity, booked)"
                " SELECT id, %s, %s, 'SWAP', asked, 0 FROM pull_turn WHERE uuid = %s ON CONFLICT DO NOTHING",
                (other.id, done.number, turn.uuid),
            )
    return done.decision
