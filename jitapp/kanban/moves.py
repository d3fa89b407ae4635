"""What a scan does once the guards have let it through: each move writes its events and answers with a code."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from jitapp.kanban.answers import WARNINGS
from jitapp.kanban.guards import side_of
from jitapp.kanban.ledger import Decision, Ledger, Scan
from jitapp.kanban.market import short
from jitapp.kanban.runouts import owner_of
from jitapp.kanban.signals import below, open_sibling, opened, release, signal, wait
from jitapp.kanban.state import Card, Loop, Turn, text
from jitapp.kanban.transitions import SIDE, WAY
from jitapp.kanban.vocabulary import Intent, Need, SupplyStatus, Trigger

S = SupplyStatus


def _do_activate(ledger: Ledger, card: Card, scan: Scan, decision: Decision) -> str:
    empty = scan.target in (S.EMPTY, S.WAIT)
    quantity = scan.quantity if scan.quantity is not None else Decimal(0) if empty else card.quantity
    decision.facts["quantity"] = quantity
    to = S.FULL if quantity else S.EMPTY
    data: dict[str, Any] = {"intent": Intent.ACTIVATE, "contents": text(quantity)}
    if scan.reason:
        data["reason"] = scan.reason
    ledger.write("scan.applied", card, frm=card.supply_status, to=to, **data)
    if to is S.EMPTY and scan.target is S.WAIT and ledger.loop.config.trigger is not Trigger.ON_QTY:
        wait(ledger, card, scan.new_uuid)
    elif to is S.EMPTY:
        signal(ledger, card, scan.new_uuid, begins=True)
    return "activated"


def _do_open(ledger: Ledger, card: Card, scan: Scan, decision: Decision) -> str:
    """One container is used up before the next is opened; another one IN_USE is not refused, but said."""
    in_use = [other.number for other in ledger.loop.siblings(card) if other.supply_status is S.IN_USE]
    if in_use:
        decision.facts["open"] = in_use[0]
        decision.warnings.append(WARNINGS["another_open"])
    ledger.write("scan.applied", card, frm=card.supply_status, to=S.IN_USE, intent=Intent.OPEN)
    opened(ledger, card, scan.new_uuid)
    return "opened"


def _do_empty(ledger: Ledger, card: Card, scan: Scan, decision: Decision) -> str:
    to = card.position if card.turn is not None else S.EMPTY
    ledger.write(
        "scan.applied",
        card,
        frm=card.supply_status,
        to=to,
        intent=Intent.EMPTY,
        left=text(card.contents),
        # At a BACKFLUSH station the worker counts the pieces; a hand scan is a count of zero, its rest a difference.
        more={"difference": text(-card.contents)} if card.contents and _counted(ledger.loop) else None,
    )
    code = signal(ledger, card, scan.new_uuid)
    if card.turn is not None and card.turn.failed:
        code = "emptied_in_error"
    open_sibling(ledger, card, scan.new_uuid)
    decision.facts["due"] = card.turn.due_at if card.turn else None
    return code


def _counted(loop: Loop) -> bool:
    return loop.config.demand_consumption == "BACKFLUSH"


def _walk(ledger: Ledger, card: Card, scan: Scan, to: SupplyStatus) -> None:
    """The turn's events from where it stands to `to`: steps left out are implied, with the same instant."""
    turn = card.turn
    assert turn is not None
    config = ledger.loop.config
    begin = WAY.index(SupplyStatus(turn.step) if turn.step else S.EMPTY)
    quantity = scan.quantity if scan.quantity is not None else (turn.made or turn.asked)
    reason: dict[str, Any] = {"reason": scan.reason} if scan.reason else {}
    for step in WAY[begin + 1 : WAY.index(to) + 1]:
        implied: dict[str, Any] = {"implied": True} if step is not to else {}
        after = Turn(
            turn.uuid, turn.number, turn.asked, turn.opened_at, signal_state=turn.signal_state, step=step
        )
        owner = owner_of(config, after)
        if step is S.IN_PROCESS:
            ledger.write("turn.started", card, turn=turn, owner=owner, **implied)
        elif step is S.COMPLETED:
            ledger.write(
                "turn.completed", card, turn=turn, owner=owner, quantity=text(quantity), **reason, **implied
            )
        elif step is S.IN_TRANSIT:
            # A way without transport has nothing to tell of it.
            if config.need(S.IN_TRANSIT) is not Need.PROHIBITED and step is to:
                ledger.write("turn.shipped", card, turn=turn, owner=owner)
        else:
            ledger.write(
                "turn.received", card, turn=turn, quantity=text(quantity), asked=text(turn.asked), **reason
            )


def _fill_step(intent: Intent, to: SupplyStatus, code: str) -> Callable[[Ledger, Card, Scan, Decision], str]:
    def effect(ledger: Ledger, card: Card, scan: Scan, decision: Decision) -> str:
        if scan.inferred:
            _infer_empty(ledger, card, scan, decision)
        turn = card.turn
        assert turn is not None
        if scan.market_empty and card.supply_status is S.EMPTY and intent in (Intent.START, Intent.LOAD):
            ledger.write("scan.applied", card, turn=turn, intent=intent)
            short(ledger, card)
            return "supply_short"
        end, answer = to, code
        if intent is Intent.COMPLETE and ledger.loop.config.without_transport:
            end, answer = S.FULL, "received"
        quantity = scan.quantity if scan.quantity is not None else (turn.made or turn.asked)
        decision.facts["quantity"] = turn.asked if intent is Intent.START else quantity
        data: dict[str, Any] = {"intent": intent}
        if end is S.FULL:
            data["quantity"] = text(quantity)
            if card.contents:
                data["left"] = text(card.contents)
                if ledger.loop.config.trigger is Trigger.ON_QTY:
                    data["adds"] = (
                        True  # stock on hand grows; elsewhere a new container takes the old one's place
                    )
        if scan.is_leader and SIDE[intent] != side_of(ledger.loop, scan.station_id):
            data["override"] = True
        # A card still IN_USE shows that until it is emptied; its turn's progress lives on the turn.
        moves = end is S.FULL or card.supply_status not in (S.FULL, S.IN_USE)
        ledger.write(
            "scan.applied",
            card,
            turn=turn,
            frm=card.supply_status if moves else "",
            to=end if moves else "",
            **data,
        )
        _walk(ledger, card, scan, end)
        if end is S.FULL:
            below(ledger, scan.new_uuid)
        return answer

    return effect


def _infer_empty(ledger: Ledger, card: Card, scan: Scan, decision: Decision) -> None:
    """The empty scan that nobody sent, marked as inferred, with its signal; the receipt that follows closes it."""
    ledger.write(
        "card.emptied",
        card,
        frm=card.supply_status,
        to=S.EMPTY,
        inferred=True,
        left=text(card.contents),
    )
    release(ledger, card, scan.new_uuid(), why="inferred")
    decision.warnings.append(WARNINGS["empty_inferred"])


def _do_abort(ledger: Ledger, card: Card, scan: Scan, _decision: Decision) -> str:
    turn = card.turn
    assert turn is not None
    moves = card.supply_status is S.IN_PROCESS
    ledger.write(
        "scan.applied",
        card,
        turn=turn,
        frm=S.IN_PROCESS if moves else "",
        to=S.EMPTY if moves else "",
        intent=Intent.ABORT,
    )
    turn_after = Turn(turn.uuid, turn.number, turn.asked, turn.opened_at, signal_state=turn.signal_state)
    ledger.write(
        "turn.aborted",
        card,
        turn=turn,
        state=turn.signal_state,
        owner=owner_of(ledger.loop.config, turn_after),
        more={"reason": scan.reason} if scan.reason else None,
    )
    return "aborted"


def _do_undo(ledger: Ledger, card: Card, scan: Scan, _decision: Decision) -> str:
    """A compensating event per event of the last scan; nothing is deleted."""
    loop = ledger.loop
    first = next(event for event in scan.last_events if event.type == "scan.applied")
    contents = Decimal(first.data.get("left", "0")) if card.last_intent == Intent.EMPTY else card.contents
    undone = card.last_scan
    turn = card.turn
    ledger.write(
        "scan.applied",
        card,
        turn=turn,
        # Not `first.to`: an emptied card may have gone on to WAIT within the same scan.
        frm=card.supply_status if first.to else "",
        to=first.frm,
        intent=Intent.UNDO,
        undone=str(undone),
        undone_intent=first.data["intent"],
        contents=text(contents),
    )
    steps = [
        event
        for event in scan.last_events
        if event.type in ("turn.started", "turn.completed", "turn.shipped")
    ]
    for event in reversed(scan.last_events):
        if (event.type == "turn.released" and event.data.get("opens") and card.turn is not None) or (
            event.type == "turn.opened" and card.turn is not None
        ):
            ledger.write("turn.cancelled", card, turn=card.turn, reason="undone")
        elif event.type == "card.surplus":
            ledger.write("card.restored", card)
            ledger.write("loop.changed", surplus_due=loop.surplus_due + 1, reason="undone")
        elif event.type == "card.opened" and event.card_id is not None:
            sibling = loop.cards[event.card_id]
            if (
                sibling.supply_status is S.IN_USE
                and sibling.turn is None
                and sibling.contents == sibling.quantity
            ):
                ledger.write("card.unopened", sibling, frm=S.IN_USE, to=S.FULL)
    if steps and card.turn is not None:
        before = {"turn.started": "", "turn.completed": S.IN_PROCESS, "turn.shipped": S.COMPLETED}[
            steps[0].type
        ]
        after = Turn(turn.uuid, turn.number, turn.asked, turn.opened_at) if turn else None
        assert after is not None
        after.signal_state, after.step = card.turn.signal_state, str(before)
        ledger.write(
            "turn.reverted",
            card,
            turn=card.turn,
            state=after.signal_state,
            step=str(before),
            owner=owner_of(loop.config, after, held=card.held),
        )
    return "undone"


MOVES: dict[Intent | None, Callable[[Ledger, Card, Scan, Decision], str]] = {
    Intent.SHIP: _fill_step(Intent.LOAD, S.IN_TRANSIT, "loaded"),
    Intent.ACTIVATE: _do_activate,
    Intent.OPEN: _do_open,
    Intent.EMPTY: _do_empty,
    Intent.START: _fill_step(Intent.START, S.IN_PROCESS, "started"),
    Intent.COMPLETE: _fill_step(Intent.COMPLETE, S.COMPLETED, "completed"),
    Intent.LOAD: _fill_step(Intent.LOAD, S.IN_TRANSIT, "loaded"),
    Intent.RECEIVE: _fill_step(Intent.RECEIVE, S.FULL, "received"),
    Intent.ABORT: _do_abort,
    Intent.UNDO: _do_undo,
}
