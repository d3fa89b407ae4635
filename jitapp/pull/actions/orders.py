"""EVENT kanban: a customer's order in its own quantity, asked for at every tier at once, cancelled as a tree.

An order is a limited-use card with one turn. What its filling needs is asked for, tier by tier, at the EVENT loops
that bring the components; components without an EVENT loop come from their ordinary loops when filling starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from jitapp.accounts.models import new_uuid
from jitapp.kanban import state
from jitapp.kanban.draws import whole, withdraw_demand
from jitapp.kanban.events.cards import CardActivated, CardRemoved
from jitapp.kanban.events.loops import DemandSuppressed
from jitapp.kanban.events.turns import TurnOpened
from jitapp.kanban.kinds import KINDS
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.signals import release
from jitapp.kanban.state import ZERO, LoopConfig, exact
from jitapp.kanban.vocabulary import LoopStatus, SignalState
from jitapp.outbox.publish import nudge_on_commit
from jitapp.plant.configs import configs
from jitapp.pull import store
from jitapp.pull.actions.making import added, make
from jitapp.pull.actions.saving import NOBODY, Refused, take_over
from jitapp.pull.models import LoopState, Turn
from jitapp.pull.retry import retried
from jitapp.pull.scan_request import Source


def order(
    *,
    loop_id: int,
    quantity: Decimal,
    now: datetime,
    source: Source = NOBODY,
    reason: str = "",
    key: UUID | None = None,
) -> UUID:
    """Places an order at an EVENT loop; returns the turn's id, which is `key` where one is given: the same key again
    is the same order. At a loop on hold the signal is withheld until the loop is resumed.

    Refused for another kind of loop, for one that is retired or a draft, for no quantity, and for a key that was used
    for something else.
    """
    config = configs().loops.get(loop_id)
    if config is None or not KINDS[config.kind].ordered:
        raise Refused("Orders are placed at EVENT loops. Empty a card of this loop instead.")
    if quantity <= 0:
        raise Refused("An order asks for more than nothing. Give a quantity above 0.")

    def once() -> UUID:
        with transaction.atomic():
            if key is not None and _placed_before(key, loop_id, quantity):
                return key
            turn = _ask(loop_id, quantity, now, source, reason, key or new_uuid())
            nudge_on_commit()
            return turn

    return retried(once)


def _placed_before(key: UUID, loop_id: int, quantity: Decimal) -> bool:
    """Whether the order of this key stands. Refused for a key of something else."""
    LoopState.objects.select_for_update().filter(pk=loop_id).first()  # the same order may be on its way
    known = Turn.objects.filter(uuid=key).values_list("loop_id", "asked").first()
    if known is not None and known != (loop_id, quantity):
        raise Refused("This key was used for something else before. Send the order with a new one.")
    return known is not None


def _ask(loop_id: int, quantity: Decimal, now: datetime, source: Source, reason: str, uuid: UUID) -> UUID:
    """A card with one turn for this quantity; its signal goes out unless the loop is on hold. Raises Refused."""
    unit, rows = make(loop_id, 1)
    config = unit.loops[loop_id].config
    if config.status is LoopStatus.DRAFT:
        raise Refused(f"Loop {config.code} is a draft. Resume it to take it into use, then order.")
    ledger = Ledger(unit.loops[loop_id], at=now)
    card = added(ledger, rows, turns=1, note=reason[:200])[0]
    ledger.write(CardActivated(contents=ZERO), card)
    if config.status is LoopStatus.ON_HOLD:
        turn = state.Turn(uuid, card.turn_number + 1, quantity, ledger.at)
        opened = TurnOpened(state=SignalState.UNRELEASED, opens=True, asked=exact(quantity))
        ledger.write(opened, card, turn=turn)
        ledger.write(DemandSuppressed(), card, turn=card.turn)
    else:
        release(ledger, card, uuid, why=reason, asked=quantity)
    take_over(unit, ledger, now, source)
    unit.write()
    return uuid


def explode(turns: Sequence[UUID], *, now: datetime) -> set[int]:
    """Asks at the EVENT loops of the components of these turns, once per turn and loop; inside the drain."""
    known = configs()
    changed: set[int] = set()
    with store.cursor() as to_database:
        to_database.execute(
            "SELECT id, uuid, loop_id, asked FROM pull_turn WHERE uuid = ANY(%s::uuid[]) AND closed_at IS NULL",
            (list(turns),),
        )
        rows = to_database.fetchall()
    for turn_id, _uuid, loop_id, asked in rows:
        config = known.loops[loop_id]
        for loops, per_piece in known.components(config):
            events = [loop for loop in loops if _takes_orders(known.loops[loop])]
            if not events:
                continue
            target = known.loops[events[0]]
            need = whole(asked * per_piece, target.decimals)
            with store.cursor() as to_database:
                to_database.execute(
                    "SELECT 1 FROM pull_turnlink l JOIN pull_card c ON c.id = l.upstream_card_id"
                    " WHERE l.downstream_id = %s AND l.kind = 'EVENT' AND c.loop_id = %s",
                    (turn_id, target.id),
                )
                if to_database.fetchone():
                    continue  # asked before: a message handled again asks nothing
            upstream = _ask(target.id, need, now, NOBODY, "", new_uuid())
            with store.cursor() as to_database:
                to_database.execute(
                    "INSERT INTO pull_turnlink (downstream_id, upstream_card_id, upstream_number, kind, quantity,"
                    " booked) SELECT %s, card_id, number, 'EVENT', %s, 0 FROM pull_turn WHERE uuid = %s"
                    " ON CONFLICT DO NOTHING",
                    (turn_id, need, upstream),
                )
            changed.add(target.id)
    return changed


def _takes_orders(config: LoopConfig) -> bool:
    """Whether what an order needs is asked for at this loop; one on hold keeps the signal until it is resumed."""
    return KINDS[config.kind].ordered and config.status in (LoopStatus.ACTIVE, LoopStatus.ON_HOLD)


def cancel_tree(turns: Sequence[UUID], *, now: datetime) -> set[int]:
    """Cancels what cancelled orders had asked for upstream, where nobody has acted; elsewhere the owner has a
    task. The next tier follows by itself."""
    with store.cursor() as to_database:
        to_database.execute(
            "SELECT c.loop_id, c.id, l.upstream_number, d.uuid FROM pull_turn d"
            " JOIN pull_turnlink l ON l.downstream_id = d.id AND l.kind = 'EVENT'"
            " JOIN pull_card c ON c.id = l.upstream_card_id WHERE d.uuid = ANY(%s::uuid[])",
            (list(turns),),
        )
        rows = to_database.fetchall()
    if not rows:
        return set()
    unit = store.load({row[0] for row in rows})
    changed: set[int] = set()
    for loop_id, card_id, number, downstream in rows:
        ledger = Ledger(unit.loops[loop_id], at=now)
        card = ledger.loop.cards.get(card_id)
        turn = card.turn if card is not None else None
        if card is None or turn is None or turn.number != number:
            continue
        if withdraw_demand(ledger, card, downstream, reason="the order was cancelled"):
            ledger.write(CardRemoved(note="the order was cancelled"), card)
        if take_over(unit, ledger, now):
            changed.add(loop_id)
    unit.write()
    return changed
