"""Supermarkets between two loops: who waits for a full container, and who gets the next one (4.3, W4 and W5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from jitapp.accounts.models import new_uuid
from jitapp.kanban.kinds import KINDS
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.market import balance
from jitapp.outbox.publish import nudge_on_commit
from jitapp.plant.configs import Configs, configs
from jitapp.pull import store
from jitapp.pull.actions.saving import take_over
from jitapp.pull.store import LoopChanged

# What makes a container full, or takes one away, or asks for one.
AFFECTS_MARKETS = frozenset(
    {"turn.received", "turn.released", "turn.opened", "turn.cancelled", "turn.recalled"}
)

# Cards that wait for a supermarket: their loops.
SHORT = """
    SELECT DISTINCT c.loop_id FROM pull_card c JOIN plant_loop l ON l.id = c.loop_id AND l.kind = 'WITHDRAWAL'
    WHERE c.supply_status = 'WAIT' AND c.out_of_stock AND c.card_status = 'IN_CIRCULATION'
"""


@dataclass(frozen=True, slots=True)
class Market:
    """The loops of one part that meet in a supermarket, by their ids."""

    withdrawals: tuple[int, ...]
    productions: tuple[int, ...]

    @property
    def loops(self) -> set[int]:
        """All of them, to be locked together."""
        return {*self.withdrawals, *self.productions}


def markets_of(settings: Configs, loop_ids: Iterable[int]) -> list[Market]:
    """The markets that these loops fetch from or fill."""
    places: set[tuple[int, int]] = set()
    for loop_id in loop_ids:
        config = settings.loops.get(loop_id)
        if config is not None:
            end = config.supply_id if KINDS[config.kind].fetches else config.demand_id
            places.add((end, config.part_id))
    return [
        Market(tuple(settings.fetching[place]), tuple(settings.feeding[place]))
        for place in sorted(places)
        if place in settings.fetching and place in settings.feeding
    ]


def affected_markets(messages: Sequence[tuple[int, LoopChanged]], settings: Configs) -> list[Market]:
    """The markets that messages of the outbox tell of."""
    if not settings.fetching:
        return []
    return markets_of(
        settings,
        {
            loop_id
            for loop_id, message in messages
            if any(event.type in AFFECTS_MARKETS for event in message.events)
        },
    )


def serve_affected_markets(
    messages: Sequence[tuple[int, LoopChanged]], settings: Configs, now: datetime
) -> set[int]:
    """Releases who may fetch now, and lets wait who would fetch in vain, inside the drain; returns the loops."""
    return _serve(affected_markets(messages, settings), now)


def serve_waiting(*, now: datetime) -> set[int]:
    """The level check of the sweeper: nobody waits for a supermarket that has a full container. Returns the loops."""
    with store.cursor() as to_database:
        to_database.execute(SHORT)
        waiting = [row[0] for row in to_database.fetchall()]
    changed: set[int] = set()
    for market in markets_of(configs(), waiting):
        with transaction.atomic():
            changed |= _serve([market], now)
            nudge_on_commit()
    return changed


def _serve(markets: Sequence[Market], now: datetime) -> set[int]:
    if not markets:
        return set()
    unit = store.load({loop_id for market in markets for loop_id in market.loops})
    changed: set[int] = set()
    for market in markets:
        ledgers = [Ledger(unit.loops[loop_id], at=now) for loop_id in market.withdrawals]
        balance(ledgers, [unit.loops[loop_id] for loop_id in market.productions], new_uuid)
        changed |= {ledger.loop.config.id for ledger in ledgers if take_over(unit, ledger, now)}
    unit.write()
    return changed
