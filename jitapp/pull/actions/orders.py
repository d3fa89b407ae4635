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
from jitapp.kanban.draws import rounded
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.signals import release, settle
from jitapp.kanban.vocabulary import LoopKind, LoopStatus, SignalState, SupplyStatus
from jitapp.outbox.publish import nudge_on_commit
from jitapp.plant.configs import configs
from jitapp.pull import store
from jitapp.pull.actions.cards import NOBODY, added, make
from jitapp.pull.actions.loops import Refused
from jitapp.pull.scan_request import Source


def order(
    *, loop_id: int, quantity: Decimal, now: datetime, source: Source = NOBODY, reason: str = ""
) -> UUID:
    """Places an order at an EVENT loop; answers the turn's id. Refused for another kind of loop or no quantity."""
    config = configs().loops.get(loop_id)
    if config is None or config.kind is not LoopKind.EVENT:
        raise Refused("Orders are placed at EVENT loops. Empty a card of this loop instead.")
    if config.status is not LoopStatus.ACTIVE:
        raise Refused("This loop is not in use. Resume it first.")
    if quantity <= 0:
        raise Refused("An order asks for more than nothing. Give a quantity above 0.")
    with transaction.atomic():
        turn = _ask(loop_id, quantity, now, source, reason)
        nudge_on_commit()
    return turn


def _ask(loop_id: int, quantity: Decimal, now: datetime, source: Source, reason: str) -> UUID:
    world, rows = make(loop_id, 1)
    ledger = Ledger(world.loops[loop_id], at=now)
    card = added(ledger, rows, turns=1, note=reason[:200])[0]
    ledger.write("card.activated", card, frm=SupplyStatus.EMPTY, to=SupplyStatus.EMPTY, contents="0")
    turn = release(ledger, card, new_uuid(), why=reason, asked=quantity)
    settle(ledger, new_uuid)
    world.record(ledger.loop, ledger.events, now=now, person_id=source.person_id, device_id=source.device_id)
    world.write()
    return turn.uuid


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
            events = [loop for loop in loops if known.loops[loop].kind is LoopKind.EVENT]
            if not events:
                continue
            target = known.loops[events[0]]
            need = rounded(asked * per_piece, target.decimals)
            with store.cursor() as to_database:
                to_database.execute(
                    "SELECT 1 FROM pull_turnlink l JOIN pull_card c ON c.id = l.upstream_card_id"
                    " WHERE l.downstream_id = %s AND l.kind = 'EVENT' AND c.loop_id = %s",
                    (turn_id, target.id),
                )
                if to_database.fetchone():
                    continue  # asked before: a message handled again asks nothing
            upstream = _ask(target.id, need, now, NOBODY, "")
            with store.cursor() as to_database:
                to_database.execute(
                    "INSERT INTO pull_turnlink (downstream_id, upstream_card_id, upstream_number, kind, quantity,"
                    " booked) SELECT %s, card_id, number, 'EVENT', %s, 0 FROM pull_turn WHERE uuid = %s"
                    " ON CONFLICT DO NOTHING",
                    (turn_id, need, upstream),
                )
            changed.add(target.id)
    return changed


def cancel_tree(turns: Sequence[UUID], *, now: datetime) -> set[int]:
    """Cancels what cancelled orders had asked for upstream, where nobody has acted; the next tier follows by itself."""
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
    world = store.load({row[0] for row in rows})
    changed: set[int] = set()
    for loop_id, card_id, number, downstream in rows:
        ledger = Ledger(world.loops[loop_id], at=now)
        card = ledger.loop.cards.get(card_id)
        turn = card.turn if card is not None else None
        if card is None or turn is None or turn.number != number or turn.step:
            continue
        if turn.signal_state is SignalState.ACKNOWLEDGED:
            continue  # the supplier has promised it: the buyer decides
        ledger.write(
            "turn.cancelled", card, turn=turn, reason="the order was cancelled", by_turn=str(downstream)
        )
        ledger.write("card.removed", card, note="the order was cancelled")
        settle(ledger, new_uuid)
        world.record(ledger.loop, ledger.events, now=now, turns=ledger.closed)
        changed.add(loop_id)
    world.write()
    return changed
