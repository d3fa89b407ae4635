"""dock: the container arrived at the dock; by the loop's policy that posts only, or sets it FULL (4.4 row 9)."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from jitapp.kanban.answers import CARD, Sentence, already, applied, refused
from jitapp.kanban.events.turns import TurnDocked, TurnReceived
from jitapp.kanban.filling import FillingScan, filling_event
from jitapp.kanban.guards import DECIDING
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.signals import below
from jitapp.kanban.state import exact
from jitapp.kanban.step import Reply, Situation, Step, no, register, words
from jitapp.kanban.vocabulary import GrPolicy, Intent, Role, ScanClass, SupplyStatus

S = SupplyStatus
ANSWERS: dict[str, Sentence] = {
    "docked": applied(CARD + ": {quantity} arrived at the dock.", "Bring it to {demand} and scan it there."),
    "already_docked": already(
        CARD + " is already at the dock.", "Bring it to {demand}.", kind=ScanClass.REPEATED_SIGNAL
    ),
    "not_on_its_way": refused(CARD + " is {status}, not on its way.", "Scan it when it is sent."),
}


class Docked(FillingScan, frozen=True, kw_only=True, tag_field="intent", tag="dock"):
    """The container arrived at the dock, `counted` pieces."""

    counted: Decimal


def _can_dock(s: Situation) -> Reply | None:
    turn = s.card.turn
    if turn is None:
        return no("no_open_turn")
    if turn.docked_at is not None:
        return no("already_docked")
    if turn.step != S.IN_TRANSIT:
        return no("not_on_its_way", status=words(s.card.position))
    return None


def _dock(ledger: Ledger, s: Situation) -> Reply:
    scan, card, turn = s.scan, s.card, s.card.turn
    assert turn is not None
    quantity = exact(scan.quantity if scan.quantity is not None else turn.deliverable)
    sets_full = s.loop.config.gr_policy is GrPolicy.RECEIPT_SETS_FULL
    arrived = partial(Docked, counted=quantity, reason=scan.reason)
    docked = filling_event(arrived, s, S.FULL if sets_full else S.IN_TRANSIT, quantity)
    ledger.write(docked, card, turn=turn, to=S.FULL if sets_full else "")
    ledger.write(TurnDocked(quantity=quantity, reason=scan.reason), card, turn=turn)
    if sets_full:
        received = TurnReceived(quantity=quantity, asked=exact(turn.asked), reason=scan.reason)
        ledger.write(received, card, turn=turn)
        below(ledger, scan.new_uuid)
    return Reply("received" if sets_full else "docked", {"quantity": quantity})


STEP = register(
    Step(
        Intent.DOCK,
        label="At the dock",
        says="Says that the container arrived at the dock.",
        answers=ANSWERS,
        effect=_dock,
        guards=DECIDING,
        check=_can_dock,
        side="demand",
        measures=True,
        roles=frozenset({Role.HANDLER, Role.BUYER}),
        by_turn=True,
    )
)
