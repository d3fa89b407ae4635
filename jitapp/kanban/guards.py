"""The guards G4 to G12 of a scan, in the order of the book: each answers with a code, or None to go on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from jitapp.kanban.answers import WARNINGS
from jitapp.kanban.ledger import Decision, Scan
from jitapp.kanban.state import Card, Loop
from jitapp.kanban.transitions import (
    FILLING,
    KINDS,
    MAY_FILL,
    SIDE,
    TABLE,
    TARGET,
    UNDOABLE,
    WAY,
    Row,
    Side,
)
from jitapp.kanban.vocabulary import (
    CardStatus,
    Intent,
    Level,
    LoopStatus,
    Need,
    SignalState,
    SupplyStatus,
    Trigger,
)

S = SupplyStatus

DOUBLE_SCAN = timedelta(seconds=60)  # a default never moves a card twice at one station within it
CLOCK_SLACK = timedelta(seconds=2)  # two devices' clocks may differ so much before a scan counts as late
CAME_LATE = timedelta(minutes=2)  # whoever scanned has walked on: what they did can no longer be refused
ASSERTIONS = frozenset({Intent.COUNT, Intent.CORRECT, Intent.LOST})
OVERFILL = Decimal("1.1")  # a container takes at most a tenth more than its card says (guard G11)


def side_of(loop: Loop, station_id: int | None) -> Side | None:
    """Which end of the loop a station is."""
    if station_id == loop.config.demand_id:
        return "demand"
    return "supply" if station_id == loop.config.supply_id else None


Guard = Callable[[Loop, Card, Scan, Intent | None, Decision], str | None]


def bounce(loop: Loop, card: Card, scan: Scan, intent: Intent | None, _decision: Decision) -> str | None:
    """G4: the same device read the same card twice within the bounce time."""
    if card.moved_at is None or scan.device_id is None or not card.moved_by.startswith(f"d{scan.device_id}p"):
        return None
    if scan.intent is not None and scan.intent != card.last_intent:
        return None
    apart = abs(scan.occurred_at - card.moved_at)
    return "bounced" if apart < timedelta(milliseconds=loop.config.bounce_ms) else None


def _late(loop: Loop, card: Card, scan: Scan, intent: Intent | None, decision: Decision) -> str | None:
    """G12: older than the card's last event. What changes nothing any more is history; a contradiction waits for a
    person, and so does whatever is older than the loop's `late_hours`."""
    hours = loop.config.late_hours
    if scan.recorded_at - scan.occurred_at > timedelta(hours=hours):
        decision.facts["hours"] = hours
        return "late_too_old"
    if card.moved_at is None or scan.occurred_at >= card.moved_at:
        return None
    if card.moved_at - scan.occurred_at <= CLOCK_SLACK:
        scan.occurred_at = card.moved_at
        return None
    if card.card_status is not CardStatus.IN_CIRCULATION:
        return "late_conflict"
    if intent is not None and TARGET.get(intent) == card.supply_status:
        return "already"
    if intent is Intent.EMPTY:
        if card.full_since is not None and card.full_since > scan.occurred_at:
            return "late_history"  # the container was filled after it was empty: its cycle is over
        if card.supply_status in (S.FULL, S.IN_USE):
            scan.late = True  # legal then, and what came after (an opening, a draw, a count) stays legal
            return None
        return "already"  # another scan has sent the signal of this cycle, and its container is on its way
    if _was_full(card, scan, intent) or _past(card, scan, intent):
        return "late_passed"
    return "late_conflict"


def _was_full(card: Card, scan: Scan, intent: Intent | None) -> bool:
    """Whether a late `receive` tells of a container known to have been full at that time, opened or emptied since."""
    if intent is not Intent.RECEIVE or card.full_since is None or card.moved_at is None:
        return False
    if card.supply_status is S.IN_USE:
        opened_last = card.last_intent == Intent.OPEN and bool(card.moved_by)
        return scan.occurred_at <= card.full_since or opened_last
    return card.turn is not None and scan.occurred_at < card.turn.opened_at


def _past(card: Card, scan: Scan, intent: Intent | None) -> bool:
    """Whether the same turn has gone beyond the step since: the late scan only tells when."""
    turn = card.turn
    if intent not in FILLING or intent is Intent.ABORT or turn is None or turn.released_at is None:
        return False
    if scan.occurred_at < turn.released_at or card.position not in WAY:
        return False
    return WAY.index(TARGET[intent]) < WAY.index(card.position)


def late_act(loop: Loop, card: Card, scan: Scan, intent: Intent | None, decision: Decision) -> str | None:
    """G12 for what asserts how things stand: a count or a correction from before the card's last event waits for a
    person. A hold, a promise or a cancellation is as right as on the day it was made."""
    if intent not in ASSERTIONS:
        return None
    if scan.recorded_at - scan.occurred_at > timedelta(hours=loop.config.late_hours):
        decision.facts["hours"] = loop.config.late_hours
        return "late_too_old"
    if card.moved_at is None or scan.occurred_at >= card.moved_at - CLOCK_SLACK:
        return None
    return "late_conflict"


def _card_status(
    _loop: Loop, card: Card, _scan: Scan, intent: Intent | None, _decision: Decision
) -> str | None:
    """G5: the card takes part. What is under way to a held card may come in, and its old container be emptied; a held
    container with nothing under way stays as it is until somebody decides."""
    if card.card_status is CardStatus.IN_CIRCULATION:
        return None
    under_way = card.turn is not None and card.turn.under_way
    if card.card_status is CardStatus.HELD and intent in (Intent.EMPTY, Intent.RECEIVE) and under_way:
        return None
    return out_of_circulation(card)


def out_of_circulation(card: Card) -> str:
    """Why a card that does not take part takes no scan."""
    return {
        CardStatus.NEW: "card_new",
        CardStatus.HELD: "card_held",
        CardStatus.LOST: "card_lost",
    }.get(card.card_status, "card_retired")


def _loop_status(
    loop: Loop, _card: Card, _scan: Scan, intent: Intent | None, _decision: Decision
) -> str | None:
    """G6: the loop is in use; on hold, emptying and receiving go on and only the signal is withheld."""
    if loop.config.status is LoopStatus.ACTIVE:
        return None
    if loop.config.status is LoopStatus.ON_HOLD:
        return None if intent in (Intent.EMPTY, Intent.RECEIVE) else "loop_on_hold"
    return "loop_not_active"


def _place(loop: Loop, _card: Card, scan: Scan, intent: Intent | None, decision: Decision) -> str | None:
    """G7: the station is an end of the loop, and the end where this is done (rule C13)."""
    side = side_of(loop, scan.station_id)
    if intent is None:
        return "wrong_station" if scan.station_id is not None else "station_missing"
    if scan.is_leader or (scan.station_id is None and scan.is_placeless):
        return None
    if scan.station_id is None:
        return "station_missing"
    if side is None:
        return "wrong_station"
    wanted = SIDE.get(intent)
    if wanted is not None and wanted != side:
        decision.facts["place"] = loop.config.demand_name if wanted == "demand" else loop.config.supply_name
        return "not_your_side"
    return None


def _failed(_loop: Loop, card: Card, _scan: Scan, intent: Intent | None, _decision: Decision) -> str | None:
    """G13: nothing is filled, sent or taken in for a turn that stands in ERROR, until somebody has put it right."""
    position = card.position if intent in FILLING else card.supply_status
    return "card_in_error" if position is S.ERROR else None


def _repeated(loop: Loop, card: Card, scan: Scan, intent: Intent | None, _decision: Decision) -> str | None:
    """G8: the card is where the scan wants it; and a default moves a card once a minute at one station."""
    if intent is None or intent not in TARGET:
        return None
    if scan.market_empty and card.out_of_stock and intent in (Intent.START, Intent.LOAD):
        return "already_short"
    position = card.position if intent in FILLING and card.turn is not None else card.supply_status
    if intent is Intent.EMPTY and card.supply_status in (S.EMPTY, S.IN_PROCESS, S.WAIT):
        return "already"
    if intent is not Intent.ABORT and TARGET[intent] == position:
        return "already"
    if scan.intent is None and card.moved_at is not None and card.last_intent in SIDE:
        same_side = SIDE[Intent(card.last_intent)] == side_of(loop, scan.station_id)
        if same_side and scan.occurred_at - card.moved_at < DOUBLE_SCAN:
            return "just_moved"
    return None


def _step(loop: Loop, card: Card, scan: Scan, intent: Intent | None, decision: Decision) -> str | None:
    """G9: the table has the step, the loop's sequence allows it, the signal is out (C5), the limit holds (C7)."""
    if intent is None or intent not in TARGET or loop.config.kind not in KINDS:
        return "move_not_known"
    if intent in FILLING and card.turn is None:
        if not _missed_empty(loop, card, scan, intent):
            return "overproduction"
        scan.inferred = True
        return None
    position = card.position if intent in FILLING else card.supply_status
    row = TABLE.get((intent, position))
    if row is None:
        waits = position is S.WAIT and intent in FILLING and intent is not Intent.ABORT
        return "not_released" if waits else "wrong_step"
    if intent in FILLING:
        assert card.turn is not None
        if card.turn.signal_state not in MAY_FILL:
            return "not_released"
    if (
        intent is not Intent.ABORT
        and loop.config.need(row.to) is Need.PROHIBITED
        and not _ends_at_source(loop, row)
    ):
        decision.facts["status"] = str(row.to).replace("_", " ")
        return "step_prohibited"
    if intent in FILLING and intent is not Intent.ABORT:
        for skipped in WAY[WAY.index(row.frm) + 1 : WAY.index(row.to)]:
            if loop.config.need(skipped) is Need.MANDATORY:
                decision.facts["missing"] = str(skipped).replace("_", " ")
                return "step_missing"
    limit = loop.config.wip_limit
    if (
        intent is Intent.START
        and limit is not None
        and scan.in_process is not None
        and scan.in_process >= limit
    ):
        decision.facts |= {"count": scan.in_process, "limit": limit}
        return "wip_limit"
    return None


def _missed_empty(loop: Loop, card: Card, scan: Scan, intent: Intent) -> bool:
    """Whether a full container came in while the old one was in use, and was told of too late to be refused: then its
    empty scan was missed, and is written as inferred. Whoever scans in time is told at once (C5)."""
    return (
        intent is Intent.RECEIVE
        and card.supply_status is S.IN_USE
        and scan.recorded_at - scan.occurred_at > CAME_LATE
        and loop.config.status is LoopStatus.ACTIVE
        and loop.config.trigger is not Trigger.ON_QTY
        and card.turns_left != 0
        and not loop.surplus_due
    )


def _discipline(loop: Loop, _card: Card, scan: Scan, intent: Intent | None, decision: Decision) -> str | None:
    """What a station asks before it starts or sends: the line runs, the checks are made, the order is kept (F2-F7)."""
    config = loop.config
    if intent is Intent.START:
        if scan.line_stopped:
            decision.facts["reason"] = scan.line_stopped
            return "line_stopped"
        missing = [check for check in config.readiness_checks if check not in scan.checks]
        if missing:
            decision.facts["missing"] = ", ".join(missing)
            return "not_ready"
        if config.keeps_sequence and scan.ahead and not scan.reason:
            decision.facts["ahead"] = scan.ahead
            return "out_of_sequence"
    limit = config.receiving_limit
    sends = intent in (Intent.LOAD, Intent.SHIP)
    if sends and limit is not None and scan.full_at_demand is not None and scan.full_at_demand >= limit:
        decision.facts |= {"count": scan.full_at_demand, "limit": limit}
        return "receiver_not_ready"
    return None


def _ends_at_source(loop: Loop, row: Row) -> bool:
    return row.intent is Intent.COMPLETE and loop.config.without_transport


def _too_soon(loop: Loop, card: Card, scan: Scan, intent: Intent | None, decision: Decision) -> str | None:
    """G10: a container cannot be empty sooner than its pieces can be used."""
    config = loop.config
    if intent is not Intent.EMPTY or not config.min_turn_minutes or card.full_since is None:
        return None
    earliest = card.full_since + timedelta(minutes=config.min_turn_minutes)
    if config.min_turn_level is Level.NONE or scan.occurred_at >= earliest:
        return None
    decision.facts |= {"since": card.full_since, "earliest": earliest}
    if config.min_turn_level is Level.BLOCK:
        return "too_soon"
    decision.warnings.append(WARNINGS["full_only_shortly"])
    return None


def quantity_readable(
    loop: Loop, _card: Card, scan: Scan, intent: Intent | None, decision: Decision
) -> str | None:
    """G11, first half: a quantity of the part's unit, with no more decimals than it has."""
    quantity = scan.quantity
    if quantity is None:
        return None
    decision.facts["quantity"] = quantity
    exponent = quantity.normalize().as_tuple().exponent
    zero_says_something = intent in (Intent.ACTIVATE, Intent.COUNT, Intent.FOUND, Intent.CORRECT)
    in_range = quantity > 0 or (quantity == 0 and zero_says_something)
    if not in_range or not isinstance(exponent, int) or -exponent > loop.config.decimals:
        decision.facts["decimals"] = loop.config.decimals
        return "quantity_unreadable"
    return None


def _quantity(loop: Loop, card: Card, scan: Scan, intent: Intent | None, decision: Decision) -> str | None:
    """G11 and C6: a readable quantity within the container; another than asked needs a reason."""
    quantity = scan.quantity
    if quantity is None:
        return None
    if code := quantity_readable(loop, card, scan, intent, decision):
        return code
    if intent not in (Intent.COMPLETE, Intent.RECEIVE, Intent.ACTIVATE, Intent.SHIP, Intent.LOAD):
        return None
    asked = card.turn.asked if card.turn else card.quantity
    if quantity > asked * OVERFILL:
        decision.facts["most"] = asked * OVERFILL
        return "quantity_exceeds_container"
    if quantity != asked and quantity > 0 and not scan.reason:
        decision.facts["asked"] = asked
        return "quantity_needs_reason"
    return None


def _activation(
    _loop: Loop, card: Card, _scan: Scan, _intent: Intent | None, _decision: Decision
) -> str | None:
    """Only a NEW card is activated."""
    if card.card_status is CardStatus.NEW:
        return None
    return "card_active" if card.card_status is CardStatus.IN_CIRCULATION else out_of_circulation(card)


def _undo(loop: Loop, card: Card, scan: Scan, _intent: Intent | None, decision: Decision) -> str | None:
    """4.6: only the card's last scan, by the same operator or a leader, in the window, while nobody acted on it."""
    if card.last_scan is None or card.moved_at is None or card.last_intent not in UNDOABLE:
        return "undo_nothing"
    if card.card_status is CardStatus.REMOVED:
        return "card_retired"  # terminal
    if card.out_of_stock:
        return "undo_nothing"  # the last scan found the supermarket empty: nothing was moved
    if any(event.type == "turn.received" for event in scan.last_events):
        return "undo_nothing"  # a fill without transport ends as a receipt does: the turn is closed
    window = loop.config.undo_window_s
    if scan.occurred_at - card.moved_at > timedelta(seconds=window):
        decision.facts["window"] = window
        return "undo_too_late"
    if not scan.is_leader and card.moved_by != scan.mover:
        return "undo_not_yours"
    turn = card.turn
    if turn is not None and turn.failed:
        return "card_in_error"
    opened = any(event.type == "turn.released" and event.data.get("opens") for event in scan.last_events)
    if card.last_intent != Intent.EMPTY or turn is None or not opened:
        return None
    untouched = turn.signal_state is SignalState.RELEASED and not turn.step
    return None if untouched else "undo_acted_on"


GUARDS: tuple[Guard, ...] = (
    bounce,  # G4
    _late,  # G12, right after G4
    _card_status,  # G5
    _loop_status,  # G6
    _place,  # G7
    _failed,  # G13
    _repeated,  # G8
    _step,  # G9
    _discipline,  # F2 to F7, A5
    _too_soon,  # G10
    _quantity,  # G11
)
SPECIAL_GUARDS: dict[Intent | None, tuple[Guard, ...]] = {
    Intent.ACTIVATE: (bounce, _activation, _place, _quantity),
    Intent.UNDO: (_place, _undo),
}
