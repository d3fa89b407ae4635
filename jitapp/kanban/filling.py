"""What the steps that fill a container share: start, complete, load, ship and receive walk its turn along the same way,
and steps left out are implied by the later scan, in order, with the same instant.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from jitapp.kanban.events.base import Entry, filled
from jitapp.kanban.events.cards import CardEmptied
from jitapp.kanban.events.scans import ScanApplied
from jitapp.kanban.events.turns import TurnCompleted, TurnReceived, TurnShipped, TurnStarted
from jitapp.kanban.guards import WAY, missed_empty
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.market import short
from jitapp.kanban.signals import below, release
from jitapp.kanban.state import AT_HAND, ZERO, Card, Loop, exact
from jitapp.kanban.step import Effect, Reply, Situation
from jitapp.kanban.vocabulary import Intent, Need, SupplyStatus, Trigger

S = SupplyStatus


class FillingScan(ScanApplied, frozen=True, kw_only=True):
    """A step on the way of a container. Where it ends it, `quantity` pieces came in, beside the `left` ones of the
    old container: instead of them, or (`adds`) on top of them."""

    quantity: Decimal | None = None
    left: Decimal | None = None
    adds: bool = False

    def change(self, loop: Loop, card: Card, entry: Entry) -> None:
        """A full container stands at the demand source."""
        if self.quantity is not None:
            before = card.contents if self.adds else ZERO
            filled(loop, card, self.quantity + before, entry.occurred_at)


def filling(made_by: Callable[..., FillingScan], to: SupplyStatus, code: str) -> Effect:
    """The effect of a step that brings the container to `to`; `made_by` is the event type of its scan."""

    def effect(ledger: Ledger, s: Situation) -> Reply:
        warnings = _infer_empty(ledger, s) if missed_empty(s) else ()
        card, scan, turn = s.card, s.scan, s.card.turn
        assert turn is not None
        fetches = scan.market_empty and card.supply_status is S.EMPTY
        if fetches and s.intent in (Intent.START, Intent.LOAD):
            ledger.write(made_by(said=scan.said, settles=scan.settles), card, turn=turn)
            short(ledger, card)
            return Reply("supply_short")
        end, answer = to, code
        if s.intent is Intent.COMPLETE and s.loop.config.without_transport:
            end, answer = S.FULL, "received"
        quantity = scan.quantity if scan.quantity is not None else turn.deliverable
        # A card still IN_USE shows that until it is emptied; its turn's progress lives on the turn.
        moves = end is S.FULL or card.supply_status not in AT_HAND
        ledger.write(filling_event(made_by, s, end, quantity), card, turn=turn, to=end if moves else "")
        _walk(ledger, s, end, quantity)
        if end is S.FULL:
            below(ledger, scan.new_uuid)
        told = turn.asked if s.intent is Intent.START else quantity
        return Reply(answer, {"quantity": told}, warnings)

    return effect


def filling_event(
    made_by: Callable[..., FillingScan], s: Situation, end: SupplyStatus, quantity: Decimal
) -> FillingScan:
    """What a scan that brings the container to `end` is written as; `quantity` pieces are in it, and count where `end`
    is FULL."""
    assert s.step is not None
    override = s.scan.is_leader and s.step.side != s.side
    if end is not S.FULL:
        # Why a card was begun out of order (F7); later steps keep their reason with the turn.
        reason = s.scan.reason if s.intent is Intent.START else ""
        return made_by(said=s.scan.said, settles=s.scan.settles, override=override, reason=reason)
    contents = s.card.contents
    # Stock on hand grows; elsewhere a new container takes the old one's place.
    adds = bool(contents) and s.loop.config.trigger is Trigger.ON_QTY
    return made_by(
        quantity=exact(quantity),
        left=exact(contents) if contents else None,
        adds=adds,
        said=s.scan.said,
        settles=s.scan.settles,
        override=override,
    )


def _walk(ledger: Ledger, s: Situation, to: SupplyStatus, quantity: Decimal) -> None:
    """The turn's events from where it stands to `to`."""
    card, turn, reason = s.card, s.card.turn, s.scan.reason
    assert turn is not None
    before = turn.reason if reason else ""
    for step in WAY[WAY.index(turn.place) + 1 : WAY.index(to) + 1]:
        implied = step is not to
        if step is S.IN_PROCESS:
            ledger.write(TurnStarted(implied=implied), card, turn=turn)
        elif step is S.COMPLETED:
            done = TurnCompleted(
                quantity=exact(quantity), reason=reason, reason_before=before, implied=implied
            )
            ledger.write(done, card, turn=turn)
        elif step is S.IN_TRANSIT:
            # A way without transport has nothing to tell of it.
            if s.loop.config.need(S.IN_TRANSIT) is not Need.PROHIBITED and not implied:
                counted = s.scan.quantity is not None
                shipped = TurnShipped(
                    quantity=exact(quantity) if counted else None,
                    made_before=exact(turn.deliverable) if counted else None,
                    reason=reason,
                    reason_before=before,
                )
                ledger.write(shipped, card, turn=turn)
        else:
            received = TurnReceived(quantity=exact(quantity), asked=exact(turn.asked), reason=reason)
            ledger.write(received, card, turn=turn)


def _infer_empty(ledger: Ledger, s: Situation) -> tuple[str, ...]:
    """The empty scan that nobody sent, marked as inferred, with its signal; the receipt that follows closes it."""
    ledger.write(CardEmptied(inferred=True, left=exact(s.card.contents)), s.card, to=S.EMPTY)
    release(ledger, s.card, s.scan.new_uuid(), why="inferred")
    return ("empty_inferred",)
