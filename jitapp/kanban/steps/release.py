"""release: a withheld signal goes out. For a held card it ends the hold: the public alias of an unhold."""

from __future__ import annotations

from jitapp.kanban.answers import CARD, Sentence, applied, refused
from jitapp.kanban.events.scans import ScanApplied
from jitapp.kanban.guards import DECIDING, out_of_circulation
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.recalling import unhold
from jitapp.kanban.signals import authorise, dispatch, documented, gather, waits_by_rule
from jitapp.kanban.state import Card, Loop
from jitapp.kanban.step import Reply, Situation, Step, no, register
from jitapp.kanban.vocabulary import (
    Accumulate,
    CardStatus,
    Intent,
    LoopStatus,
    Role,
    SignalState,
    SupplyStatus,
)

S = SupplyStatus
ANSWERS: dict[str, Sentence] = {
    "hold_released": applied(CARD + " takes part again.", "Go on."),
    "released": applied(CARD + ": the signal went out to {supply}.", "Nothing else to do."),
    "release_on_hold": applied(
        CARD + ": {part} is on hold: {reason}; no signal went out.",
        "The signal goes out when the hold of {part} ends.",
    ),
    "release_after_hold": refused(
        CARD + ": {part} is on hold: {reason}; no signal goes out.",
        "Release it again when the hold of {part} has ended.",
        headline="On hold",
    ),
    "nothing_to_release": refused(
        CARD + " has no signal that waits.",
        "Nothing to do: its signal is out, or goes out when its container is empty.",
    ),
}


class Released(ScanApplied, frozen=True, kw_only=True, tag_field="intent", tag="release"):
    """A hold was ended, or a withheld signal sent."""


def _can_release(s: Situation) -> Reply | None:
    card, turn = s.card, s.card.turn
    if card.held:
        return None
    if card.card_status is not CardStatus.IN_CIRCULATION:
        return no(out_of_circulation(card))
    if turn is not None and turn.failed:
        return no("card_in_error")
    if turn is None:
        # After a cancelled turn the empty card asks again when somebody says so.
        asks = card.supply_status in (S.WAIT, S.EMPTY) and card.turns_left != 0
        return _after_hold(s) if asks else no("nothing_to_release")
    if turn.signal_state in (SignalState.UNRELEASED, SignalState.ACCUMULATING, SignalState.REJECTED):
        explained = s.scan.reason or turn.signal_state is SignalState.UNRELEASED
        return _after_hold(s) if explained else no("reason_missing")
    return no("nothing_to_release")


def _after_hold(s: Situation) -> Reply | None:
    """In a loop on hold nothing is sent; only what goes out by itself when the hold ends can be released before."""
    if s.loop.config.status is LoopStatus.ACTIVE or _resumes(s.loop, s.card):
        return None
    return no("release_after_hold")


def _resumes(loop: Loop, card: Card) -> bool:
    """Whether the card's signal, released now, goes out by itself when the hold of its loop ends."""
    withheld = card.turn is not None and card.turn.signal_state is SignalState.UNRELEASED
    return withheld and not waits_by_rule(loop) and loop.config.accumulate is Accumulate.NONE


def _release(ledger: Ledger, s: Situation) -> Reply:
    scan, card, held = s.scan, s.card, s.card.held
    ledger.write(Released(reason=scan.reason, said=scan.said, settles=scan.settles), card)
    if held:
        unhold(ledger, card)
    if _sends(ledger, s, held):
        return Reply("released")
    return Reply("hold_released" if held else "release_on_hold")


def _sends(ledger: Ledger, s: Situation, held: bool) -> bool:
    """Sends the signal if nothing else withholds it; whether it went out."""
    card, turn, why = s.card, s.card.turn, s.scan.reason or "released by hand"
    if held and _waits_on(s.loop, card):
        return False
    if s.loop.config.status is not LoopStatus.ACTIVE:
        if turn is not None and turn.signal_state is SignalState.UNRELEASED:
            authorise(ledger, card)  # the loop's own hold withholds it now, and sends it when that ends
        return False
    if turn is None:
        if card.supply_status not in (S.EMPTY, S.WAIT):
            return False
        dispatch(ledger, card, s.scan.new_uuid(), why=why)
        return True
    if turn.failed:
        return False
    if turn.signal_state is SignalState.ACCUMULATING and not held:
        gather(ledger, s.scan.new_uuid, why=s.scan.reason)
        return True
    if turn.signal_state in (SignalState.UNRELEASED, SignalState.REJECTED) or documented(turn):
        dispatch(ledger, card, s.scan.new_uuid(), why=why)
        return True
    return False


def _waits_on(loop: Loop, card: Card) -> bool:
    """Whether a card that is no longer held goes on waiting for what it waited for before."""
    turn = card.turn
    if card.supply_status is not S.WAIT or turn is None:
        return card.supply_status is S.WAIT
    return card.out_of_stock or (waits_by_rule(loop) and turn.released_at is None)


STEP = register(
    Step(
        Intent.RELEASE,
        label="Released",
        says="Sends a withheld signal; ends the hold of a held card.",
        answers=ANSWERS,
        effect=_release,
        guards=DECIDING,
        check=_can_release,
        side="supply",
        roles=frozenset({Role.QUALITY, Role.PLANNER, Role.BUYER}),
        acceptable=True,
        in_error=True,
        by_turn=True,
    )
)
