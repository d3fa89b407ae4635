"""The swap scan: two codes, one effect. Either both arrive in one scan (`pair`), or the withdrawal card comes first and
the container's card within a minute from the same device; nothing changes in between.

A pair stays open after every refusal: whoever takes another container scans its card next, and the pair is complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from jitapp.kanban.kinds import KINDS, detached_by_hand
from jitapp.kanban.ledger import Decision
from jitapp.kanban.lifecycle import decide, facts_of
from jitapp.kanban.swap import swap
from jitapp.kanban.vocabulary import Intent, Outcome, SupplyStatus
from jitapp.plant.configs import Configs
from jitapp.pull import store
from jitapp.pull.actions.stages import Decided, Read, Situated, read
from jitapp.pull.models import Receipt
from jitapp.pull.scan_request import ScanRequest, Source

WITHIN = timedelta(seconds=60)
# What a scan of the container's card may mean to do.
COMPLETES = (None, Intent.LOAD, Intent.EMPTY)


def swaps_by_hand(situated: Situated) -> bool:
    """Whether this scan of a withdrawal card means the swap: at the supermarket, where cards are detached by hand."""
    loop, scan = situated.located.loop, situated.scan
    return (
        loop is not None
        and scan is not None
        and detached_by_hand(loop.config)
        and scan.station_id == loop.config.supply_id
        and scan.intent in (None, Intent.LOAD)
    )


def find_pairs(found: Sequence[Read], source: Source, now: datetime, known: Configs) -> list[Read]:
    """Completes each scan that is half of a swap with its other half, before any lock is taken.

    The second half (a production card at the supermarket) becomes a scan of the withdrawal card with its pair.
    """
    if not known.swap_stations:
        return list(found)
    pairs = [ScanRequest(id=each.request.id, code=each.request.pair) for each in found if each.request.pair]
    others = iter(read(pairs) if pairs else ())  # in the order of the scans that name them
    return [
        _named_pair(each, next(others)) if each.request.pair else _with_pair(each, source, now, known)
        for each in found
    ]


def _named_pair(each: Read, other: Read) -> Read:
    return replace(each, pair_card_id=other.card_id, pair_loop_id=other.loop_id)


def _with_pair(each: Read, source: Source, now: datetime, known: Configs) -> Read:
    request = each.request
    config = known.loops.get(each.loop_id) if each.loop_id is not None else None
    if config is None or source.device_id is None or KINDS[config.kind].fetches:
        return each
    named = known.stations.find(request.station) if request.station else None
    here = named.id if named is not None else source.station_id
    if config.demand_id not in known.swap_stations or here != config.demand_id:
        return each
    if request.intent not in COMPLETES:
        return each  # something else is meant with this card
    waiting = _waiting(request, config.demand_id, source.device_id, now, known)
    return each.swapped(*waiting) if waiting is not None else each


def _waiting(
    request: ScanRequest, market_id: int, device_id: int, now: datetime, known: Configs
) -> tuple[int, int] | None:
    """(card, loop) of the withdrawal card that this device scanned here last and that has not got its container."""
    rows = (
        Receipt.objects.filter(device_id=device_id, recorded_at__gte=now - WITHIN, card__isnull=False)
        .exclude(scan_id=request.id)
        .order_by("-recorded_at", "-pk")
        .values_list("outcome", "card_id", "loop_id")
    )
    for outcome, card_id, loop_id in rows:
        config = known.loops.get(loop_id or 0)
        if config is None or not detached_by_hand(config) or config.supply_id != market_id:
            continue
        return (card_id, loop_id) if outcome == Outcome.REFUSED else None
    return None


def swap_by_hand(unit: store.UnitOfWork, situated: Situated) -> Decided:
    """Both moves in this transaction, with the link of the pull chain; or the prompt for the second code, unless
    there is no full container whose card could be scanned (W4)."""
    located, scan = situated.located, situated.scan
    loop, card, found = located.loop, located.card, located.read
    assert loop is not None
    assert card is not None
    assert scan is not None
    other_loop = unit.loops.get(found.pair_loop_id) if found.pair_loop_id is not None else None
    other = (
        other_loop.cards.get(found.pair_card_id) if other_loop is not None and found.pair_card_id else None
    )
    if other_loop is None or other is None:
        if scan.market_empty and card.position in (SupplyStatus.EMPTY, SupplyStatus.WAIT):
            return Decided(situated, decide(loop, card, replace(scan, intent=Intent.LOAD)))
        facts = facts_of(loop, card, scan, Intent.LOAD)
        prompt = Decision("swap_incomplete", facts, intent=Intent.LOAD, turn=card.turn)
        return Decided(situated, prompt)
    done = swap(loop, card, other_loop, other, scan)
    if done.detached:
        unit.record(
            other_loop,
            done.detached,
            now=located.recorded_at,
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
    return Decided(situated, done.decision)
