"""What is done to a card or a turn without moving the container along its way: holds, losses, counts, corrections,
and the answers of suppliers, buyers and docks.

Each act is a line in `ACTS`: who may, when it fits, what it writes. Adding one is adding a line and two small
functions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from jitapp.kanban.answers import WARNINGS
from jitapp.kanban.guards import out_of_circulation, side_of
from jitapp.kanban.ledger import Decision, Ledger, Scan
from jitapp.kanban.runouts import owner_of
from jitapp.kanban.signals import (
    WITHHELD,
    below,
    dispatch,
    documented,
    gather,
    leave_wait,
    recover,
    signal,
    wait,
    waits_by_rule,
    withhold,
)
from jitapp.kanban.state import Card, Loop, Turn, text
from jitapp.kanban.transitions import MAY_FILL, Side
from jitapp.kanban.vocabulary import (
    CardStatus,
    GrPolicy,
    Intent,
    LoopStatus,
    Party,
    Role,
    SignalState,
    SupplyStatus,
    Trigger,
)

S = SupplyStatus
Check = Callable[[Loop, Card, Scan, Decision], str | None]
Effect = Callable[[Ledger, Card, Scan, Decision], str]


@dataclass(frozen=True, slots=True)
class Act:
    """One line: `roles` may do it anywhere, whoever stands at `side` may do it there; None and empty: everybody."""

    check: Check
    effect: Effect
    side: Side | None = None
    roles: frozenset[Role] = frozenset()
    everybody: bool = False


def may(act: Act, loop: Loop, scan: Scan) -> bool:
    """Whether the person or the place allows it; leaders and ERP clients may do every act."""
    if act.everybody or scan.is_leader or scan.is_placeless:
        return True
    if act.roles & scan.roles:
        return True
    return act.side is not None and side_of(loop, scan.station_id) == act.side


def act_guard(loop: Loop, card: Card, scan: Scan, intent: Intent | None, decision: Decision) -> str | None:
    """G7 and the act's own condition."""
    assert intent is not None
    act = ACTS[intent]
    if not may(act, loop, scan):
        return "not_allowed"
    if card.turn is not None and card.turn.failed and intent not in IN_ERROR:
        return "card_in_error"
    return act.check(loop, card, scan, decision)


# -- holding and releasing -----------------------------------------------------------------------------
def _can_hold(_loop: Loop, card: Card, scan: Scan, _decision: Decision) -> str | None:
    if card.card_status is CardStatus.HELD:
        return "already_held"
    if card.card_status is not CardStatus.IN_CIRCULATION:
        return out_of_circulation(card)
    return None if scan.reason else "reason_missing"


def _hold(ledger: Ledger, card: Card, scan: Scan, _decision: Decision) -> str:
    ledger.write("scan.applied", card, intent=Intent.HOLD, reason=scan.reason)
    ledger.write("card.held", card, reason=scan.reason)
    recall(ledger, card)
    return "held"


def recall(ledger: Ledger, card: Card) -> None:
    """Rule C12: a signal nobody acted on is withheld again; one under way is flagged. Whoever held the card must act on
    its turn, whatever it stood in (rule C10)."""
    turn = card.turn
    if turn is None or (turn.signal_state in WITHHELD and not card.held):
        return
    if turn.signal_state is SignalState.RELEASED and not turn.step and not turn.failed:
        after = replace(turn, signal_state=SignalState.UNRELEASED)
        withhold(ledger, card, owner=owner_of(ledger.loop.config, after, held=card.held))
        return
    ledger.write(
        "turn.recalled",
        card,
        turn=turn,
        withheld=False,
        owner=owner_of(ledger.loop.config, turn, held=card.held),
        more=_stands(turn) | ({} if turn.signal_state not in WITHHELD else {"flagged": False}),
    )


def _stands(turn: Turn) -> dict[str, Any]:
    """Where a turn stands, for events that do not move it."""
    facts: dict[str, Any] = {"state": turn.signal_state, "step": turn.step}
    if turn.short:
        facts["short"] = True
    return facts | {"failed": True} if turn.failed else facts


def _end_hold(ledger: Ledger, card: Card) -> None:
    """The card takes part again, and its turn is theirs again who must act by where it stands."""
    ledger.write("card.unheld", card)
    turn = card.turn
    if turn is not None:
        owner = owner_of(ledger.loop.config, turn)
        ledger.write("turn.resumed", card, turn=turn, owner=owner, more=_stands(turn))


def _can_release(_loop: Loop, card: Card, scan: Scan, _decision: Decision) -> str | None:
    if card.card_status is CardStatus.HELD:
        return None
    turn = card.turn
    if card.card_status is not CardStatus.IN_CIRCULATION:
        return out_of_circulation(card)
    if turn is not None and turn.failed:
        return "card_in_error"
    if turn is None:
        # After a cancelled turn the empty card asks again when somebody says so.
        return None if card.supply_status in (S.WAIT, S.EMPTY) else "nothing_to_release"
    if turn.signal_state in (SignalState.UNRELEASED, SignalState.ACCUMULATING, SignalState.REJECTED):
        return None if scan.reason or turn.signal_state is SignalState.UNRELEASED else "reason_missing"
    return "nothing_to_release"


def _release(ledger: Ledger, card: Card, scan: Scan, _decision: Decision) -> str:
    ledger.write(
        "scan.applied", card, intent=Intent.RELEASE, more={"reason": scan.reason} if scan.reason else None
    )
    held = card.card_status is CardStatus.HELD
    if held:
        _end_hold(ledger, card)
    turn = card.turn
    if held and _waits_on(ledger.loop, card):
        return "hold_released"
    if ledger.loop.config.status is not LoopStatus.ACTIVE:
        if turn is not None and turn.signal_state is SignalState.UNRELEASED:
            leave_wait(ledger, card)  # the loop's own hold withholds it now, and sends it when that ends
        return "hold_released"
    if turn is None:
        if card.supply_status in (S.EMPTY, S.WAIT):
            dispatch(ledger, card, scan.new_uuid(), why=scan.reason or "released by hand")
            return "released"
        return "hold_released"
    if turn.failed:
        return "hold_released"
    if turn.signal_state is SignalState.ACCUMULATING and not held:
        gather(ledger, scan.new_uuid, why=scan.reason)
        return "released"
    if turn.signal_state in (SignalState.UNRELEASED, SignalState.REJECTED) or documented(turn):
        dispatch(ledger, card, scan.new_uuid(), why=scan.reason or "released by hand")
        return "released"
    return "hold_released"


def _waits_on(loop: Loop, card: Card) -> bool:
    """Whether a card that is no longer held goes on waiting for what it waited for before."""
    turn = card.turn
    if card.supply_status is not S.WAIT or turn is None:
        return card.supply_status is S.WAIT
    return card.out_of_stock or (waits_by_rule(loop) and turn.released_at is None)


def _can_recall(loop: Loop, card: Card, scan: Scan, decision: Decision) -> str | None:
    turn = card.turn
    if card.card_status is not CardStatus.IN_CIRCULATION:
        return out_of_circulation(card)
    if turn is None:
        return "already" if card.supply_status is S.WAIT else "no_open_turn"
    if turn.signal_state is SignalState.UNRELEASED:
        return "already" if card.supply_status is not S.EMPTY else None
    if turn.step:
        return "too_late_to_cancel"
    if scan.is_leader or scan.is_placeless:
        return None
    if turn.signal_state is SignalState.ACKNOWLEDGED:
        return "cancel_needs_consent"
    window = loop.config.undo_window_s
    if turn.released_at is not None and scan.occurred_at - turn.released_at > timedelta(seconds=window):
        decision.facts["window"] = window
        return "recall_needs_leader"
    return None


def _recall(ledger: Ledger, card: Card, scan: Scan, _decision: Decision) -> str:
    """The demand side puts an empty card to WAIT; once the signal is out it agrees with the cell's leader first."""
    assert card.turn is not None
    why = {"reason": scan.reason} if scan.reason else None
    ledger.write("scan.applied", card, turn=card.turn, intent=Intent.RECALL, more=why)
    withhold(ledger, card)
    return "recalled"


# -- lost, found, removed --------------------------------------------------------------------------------
def _can_lose(_loop: Loop, card: Card, _scan: Scan, _decision: Decision) -> str | None:
    if card.card_status is CardStatus.LOST:
        return "already_lost"
    takes_part = card.card_status in (CardStatus.IN_CIRCULATION, CardStatus.HELD)
    return None if takes_part else out_of_circulation(card)


def _lose(ledger: Ledger, card: Card, scan: Scan, _decision: Decision) -> str:
    """The open turn is kept if material is on its way, else cancelled."""
    ledger.write(
        "scan.applied", card, intent=Intent.LOST, more={"reason": scan.reason} if scan.reason else None
    )
    turn = card.turn
    if turn is not None and not turn.under_way:
        ledger.write("turn.cancelled", card, turn=turn, reason="the card was reported lost")
    elif turn is not None:
        if card.held:
            _end_hold(ledger, card)
        recall(ledger, card)
    ledger.write("card.lost", card, reason=scan.reason)
    return "lost"


def _can_find(_loop: Loop, card: Card, _scan: Scan, _decision: Decision) -> str | None:
    return None if card.card_status is CardStatus.LOST else "not_lost"


def _find(ledger: Ledger, card: Card, scan: Scan, _decision: Decision) -> str:
    """A card that was replaced goes out, unless the person says that it takes part again (a quantity)."""
    loop = ledger.loop
    replaced = any(
        other.note == f"replaces {card.number}" and other.card_status is not CardStatus.REMOVED
        for other in loop.siblings(card)
    )
    if replaced and scan.quantity is None:
        ledger.write("scan.applied", card, intent=Intent.FOUND, replaced=True)
        if card.turn is not None:
            ledger.write("turn.cancelled", card, turn=card.turn, reason="the card was replaced")
        ledger.write("card.removed", card, note="found after its replacement")
        return "found_removed"
    contents = scan.quantity if scan.quantity is not None else card.contents
    full = contents > 0 and card.turn is None
    to = S.FULL if full else (card.supply_status if card.turn is not None else S.EMPTY)
    ledger.write(
        "scan.applied",
        card,
        frm=card.supply_status,
        to=to,
        intent=Intent.FOUND,
        contents=text(contents if full else Decimal(0)),
    )
    ledger.write("card.found", card)
    asks = signal(ledger, card, scan.new_uuid, begins=True) if not full and card.turn is None else ""
    return "found_last" if asks == "emptied_last" else "found"


def _can_remove(_loop: Loop, card: Card, _scan: Scan, _decision: Decision) -> str | None:
    if card.card_status is CardStatus.REMOVED:
        return "card_retired"
    return "remove_under_way" if card.turn is not None and card.turn.under_way else None


def _remove(ledger: Ledger, card: Card, scan: Scan, _decision: Decision) -> str:
    ledger.write(
        "scan.applied", card, intent=Intent.REMOVE, more={"reason": scan.reason} if scan.reason else None
    )
    if card.turn is not None:
        ledger.write("turn.cancelled", card, turn=card.turn, reason="the card was removed")
    ledger.write("card.removed", card, note=scan.reason)
    return "removed"


# -- counting and correcting -----------------------------------------------------------------------------
def _can_count(loop: Loop, card: Card, scan: Scan, decision: Decision) -> str | None:
    if card.card_status not in (CardStatus.IN_CIRCULATION, CardStatus.HELD):
        return out_of_circulation(card)
    if scan.quantity is None:
        return "quantity_missing"
    decision.facts["found"] = scan.quantity
    if scan.quantity > 0 and card.supply_status not in (S.FULL, S.IN_USE):
        return "count_not_here"
    most = card.quantity if loop.config.trigger is not Trigger.ON_QTY else None
    if most is not None and scan.quantity > most and not scan.reason:
        decision.facts |= {"asked": most, "quantity": scan.quantity}
        return "quantity_needs_reason"
    return None


def _count(ledger: Ledger, card: Card, scan: Scan, decision: Decision) -> str:
    """A count is an assertion: expected, found, difference; the difference is posted openly."""
    assert scan.quantity is not None
    expected, found = card.contents, scan.quantity
    empty = not found and card.supply_status in (S.FULL, S.IN_USE)
    to = card.position if card.turn else S.EMPTY
    data: dict[str, Any] = {
        "intent": Intent.COUNT,
        "expected": text(expected),
        "found": text(found),
        "difference": text(found - expected),
    }
    if scan.reason:
        data["reason"] = scan.reason
    ledger.write(
        "scan.applied", card, frm=card.supply_status if empty else "", to=to if empty else "", more=data
    )
    decision.facts |= {"expected_quantity": expected, "found": found, "difference": found - expected}
    if empty:
        signal(ledger, card, scan.new_uuid)
    below(ledger, scan.new_uuid)
    return "counted" if found != expected else "counted_right"


def _can_correct(_loop: Loop, card: Card, scan: Scan, decision: Decision) -> str | None:
    if not scan.reason:
        return "reason_missing"
    if scan.target is None or scan.target not in (
        S.FULL,
        S.IN_USE,
        S.EMPTY,
        S.WAIT,
        S.IN_PROCESS,
        S.COMPLETED,
        S.IN_TRANSIT,
    ):
        return "status_missing"  # nobody corrects into ERROR: only the system enters it
    if card.card_status is not CardStatus.IN_CIRCULATION:
        return out_of_circulation(card)
    if scan.target == card.supply_status and scan.quantity in (None, card.contents):
        return "already"
    if scan.target in (S.IN_PROCESS, S.COMPLETED, S.IN_TRANSIT):
        turn = card.turn
        if turn is None or turn.signal_state not in MAY_FILL:
            decision.facts["status"] = str(scan.target).replace("_", " ")
            return "correct_needs_signal"
    return None


def _correct(ledger: Ledger, card: Card, scan: Scan, _decision: Decision) -> str:
    """Any status with a reason; what follows from it (a turn opened, closed or set back) follows openly."""
    target = scan.target
    assert target is not None
    before = card.supply_status
    usable = target in (S.FULL, S.IN_USE)
    contents = scan.quantity if scan.quantity is not None else (card.contents or card.quantity)
    contents = contents if usable else Decimal(0)
    ledger.write(
        "scan.applied",
        card,
        frm=before,
        to=target,
        intent=Intent.CORRECT,
        reason=scan.reason,
        expected=text(card.contents),
        contents=text(contents),
    )
    turn = card.turn
    if usable and turn is not None and before not in (S.FULL, S.IN_USE):
        ledger.write(
            "turn.received",
            card,
            turn=turn,
            quantity=text(contents),
            asked=text(turn.asked),
            reason=scan.reason,
        )
    elif target is S.EMPTY and turn is None:
        signal(ledger, card, scan.new_uuid)
    elif target is S.WAIT and turn is None:
        wait(ledger, card, scan.new_uuid)
    elif turn is not None and not usable:
        step = "" if target in (S.EMPTY, S.WAIT) else str(target)
        after = Turn(
            turn.uuid, turn.number, turn.asked, turn.opened_at, signal_state=turn.signal_state, step=step
        )
        ledger.write(
            "turn.corrected",
            card,
            turn=turn,
            state=turn.signal_state,
            step=step,
            owner=owner_of(ledger.loop.config, after, held=card.held),
        )
        withheld = turn.signal_state is SignalState.UNRELEASED
        asks = ledger.loop.config.status is LoopStatus.ACTIVE and not waits_by_rule(ledger.loop)
        if target is S.WAIT and not withheld:
            withhold(ledger, card)
        elif target is S.EMPTY and withheld and asks:
            dispatch(ledger, card, scan.new_uuid(), why="corrected")
    return "corrected"


# -- the answers of suppliers, buyers and docks ----------------------------------------------------------
def _turn_open(_loop: Loop, card: Card, _scan: Scan, _decision: Decision) -> str | None:
    return None if card.turn is not None else "no_open_turn"


def _can_acknowledge(loop: Loop, card: Card, scan: Scan, decision: Decision) -> str | None:
    if missing := _turn_open(loop, card, scan, decision):
        return missing
    assert card.turn is not None
    if card.turn.signal_state is SignalState.ACKNOWLEDGED:
        return "already_acknowledged"
    if card.turn.signal_state in WITHHELD:
        return "not_released"
    return (
        None
        if card.turn.signal_state is SignalState.RELEASED and not card.turn.step
        else "too_late_to_answer"
    )


def _acknowledge(ledger: Ledger, card: Card, scan: Scan, decision: Decision) -> str:
    turn = card.turn
    assert turn is not None
    data: dict[str, Any] = {}
    if scan.promised_at is not None:
        data["promised_at"] = scan.promised_at.isoformat()
        decision.facts["promised"] = scan.promised_at
    ledger.write("scan.applied", card, turn=turn, intent=Intent.ACKNOWLEDGE)
    after = Turn(turn.uuid, turn.number, turn.asked, turn.opened_at, signal_state=SignalState.ACKNOWLEDGED)
    owner = owner_of(ledger.loop.config, after, held=card.held)
    ledger.write("turn.acknowledged", card, turn=turn, owner=owner, more=data)
    if scan.promised_at and turn.due_at and scan.promised_at > turn.due_at:
        decision.warnings.append(WARNINGS["promise_late"])
    return "acknowledged"


def _can_promise(loop: Loop, card: Card, scan: Scan, decision: Decision) -> str | None:
    if missing := _turn_open(loop, card, scan, decision):
        return missing
    assert card.turn is not None
    if scan.promised_at is None:
        return "promise_missing"
    if card.turn.signal_state in WITHHELD:
        return "not_released"
    return None if card.turn.signal_state in MAY_FILL else "too_late_to_answer"


def _promise(ledger: Ledger, card: Card, scan: Scan, decision: Decision) -> str:
    assert card.turn is not None
    assert scan.promised_at is not None
    decision.facts["promised"] = scan.promised_at
    ledger.write("scan.applied", card, turn=card.turn, intent=Intent.PROMISE)
    ledger.write("turn.promised", card, turn=card.turn, promised_at=scan.promised_at.isoformat())
    return "promised"


def _can_reject(loop: Loop, card: Card, scan: Scan, decision: Decision) -> str | None:
    if missing := _turn_open(loop, card, scan, decision):
        return missing
    assert card.turn is not None
    if not scan.reason:
        return "reason_missing"
    if card.turn.signal_state in WITHHELD:
        return "not_released"
    return None if card.turn.signal_state in MAY_FILL and not card.turn.step else "too_late_to_answer"


def _reject(ledger: Ledger, card: Card, scan: Scan, _decision: Decision) -> str:
    assert card.turn is not None
    ledger.write("scan.applied", card, turn=card.turn, intent=Intent.REJECT, reason=scan.reason)
    owner = Party.PERSON if card.held else Party.BUYER
    ledger.write("turn.rejected", card, turn=card.turn, reason=scan.reason, owner=owner)
    return "rejected"


def _can_dock(loop: Loop, card: Card, scan: Scan, decision: Decision) -> str | None:
    if missing := _turn_open(loop, card, scan, decision):
        return missing
    assert card.turn is not None
    if card.turn.docked_at is not None:
        return "already_docked"
    if card.turn.step != S.IN_TRANSIT:
        return "not_on_its_way"
    quantity = scan.quantity
    if quantity is not None and quantity != card.turn.asked and not scan.reason:
        decision.facts |= {"quantity": quantity, "asked": card.turn.asked}
        return "quantity_needs_reason"
    return None


def _dock(ledger: Ledger, card: Card, scan: Scan, decision: Decision) -> str:
    """The receipt at the dock; by the loop's policy it posts only, or sets the card FULL at once."""
    turn = card.turn
    assert turn is not None
    quantity = scan.quantity if scan.quantity is not None else (turn.made or turn.asked)
    decision.facts["quantity"] = quantity
    sets_full = ledger.loop.config.gr_policy is GrPolicy.RECEIPT_SETS_FULL
    data: dict[str, Any] = {"quantity": text(quantity)} | ({"reason": scan.reason} if scan.reason else {})
    ledger.write(
        "scan.applied",
        card,
        turn=turn,
        frm=card.supply_status if sets_full else "",
        to=S.FULL if sets_full else "",
        intent=Intent.DOCK,
        more=data,
    )
    owner = Party.PERSON if card.held else Party.RECEIVING
    ledger.write("turn.docked", card, turn=turn, owner=owner, more=data)
    if sets_full:
        ledger.write("turn.received", card, turn=turn, asked=text(turn.asked), more=data)
        return "received"
    return "docked"


def _can_cancel(loop: Loop, card: Card, scan: Scan, decision: Decision) -> str | None:
    if missing := _turn_open(loop, card, scan, decision):
        return missing
    turn = card.turn
    assert turn is not None
    if not scan.reason:
        return "reason_missing"
    if turn.step:
        return "too_late_to_cancel"
    needs_consent = turn.signal_state is SignalState.ACKNOWLEDGED
    return "cancel_needs_consent" if needs_consent and not scan.is_leader else None


def _cancel(ledger: Ledger, card: Card, scan: Scan, _decision: Decision) -> str:
    assert card.turn is not None
    # A lost card is nowhere: what it waits for is asked when it is found.
    empty = card.supply_status is S.EMPTY and card.card_status is not CardStatus.LOST
    to = S.WAIT if empty else card.supply_status
    ledger.write(
        "scan.applied",
        card,
        turn=card.turn,
        frm=card.supply_status,
        to=to,
        intent=Intent.CANCEL,
        reason=scan.reason,
    )
    ledger.write("turn.cancelled", card, turn=card.turn, reason=scan.reason)
    if card.turns_left == 0:
        ledger.write("card.removed", card, note="its order was cancelled")
    return "cancelled"


def _can_retry(_loop: Loop, card: Card, _scan: Scan, _decision: Decision) -> str | None:
    return None if card.turn is not None and card.turn.failed else "not_in_error"


def _retry(ledger: Ledger, card: Card, scan: Scan, _decision: Decision) -> str:
    """What had failed was done again, and succeeded."""
    turn = card.turn
    assert turn is not None
    why = {"reason": scan.reason} if scan.reason else None
    ledger.write("scan.applied", card, turn=turn, intent=Intent.RETRY, more=why)
    recover(ledger, card, why=scan.reason)
    return "recovered"


# What may still be done to a card whose turn stands in ERROR; a release ends a hold, not the error.
IN_ERROR = frozenset(
    {
        Intent.HOLD,
        Intent.RELEASE,
        Intent.LOST,
        Intent.FOUND,
        Intent.REMOVE,
        Intent.COUNT,
        Intent.CORRECT,
        Intent.RETRY,
    }
)
ACTS: dict[Intent | None, Act] = {
    Intent.HOLD: Act(_can_hold, _hold, roles=frozenset({Role.QUALITY, Role.PLANNER})),
    Intent.RELEASE: Act(
        _can_release, _release, side="supply", roles=frozenset({Role.QUALITY, Role.PLANNER, Role.BUYER})
    ),
    Intent.LOST: Act(_can_lose, _lose, everybody=True),
    Intent.FOUND: Act(_can_find, _find, roles=frozenset({Role.PLANNER})),
    Intent.REMOVE: Act(_can_remove, _remove, roles=frozenset({Role.PLANNER})),
    Intent.COUNT: Act(_can_count, _count, side="demand", roles=frozenset({Role.PLANNER, Role.HANDLER})),
    Intent.CORRECT: Act(_can_correct, _correct),
    Intent.ACKNOWLEDGE: Act(
        _can_acknowledge,
        _acknowledge,
        side="supply",
        roles=frozenset({Role.SUPPLIER, Role.BUYER, Role.HANDLER}),
    ),
    Intent.PROMISE: Act(_can_promise, _promise, side="supply", roles=frozenset({Role.SUPPLIER, Role.BUYER})),
    Intent.REJECT: Act(_can_reject, _reject, side="supply", roles=frozenset({Role.SUPPLIER, Role.BUYER})),
    Intent.DOCK: Act(_can_dock, _dock, side="demand", roles=frozenset({Role.HANDLER, Role.BUYER})),
    Intent.RETRY: Act(_can_retry, _retry, roles=frozenset({Role.BUYER})),
    Intent.RECALL: Act(_can_recall, _recall, side="demand", roles=frozenset({Role.PLANNER})),
    Intent.CANCEL: Act(_can_cancel, _cancel, roles=frozenset({Role.BUYER, Role.PLANNER})),
}
