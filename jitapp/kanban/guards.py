"""The guards G4 to G13 of a scan, in the order of the book. Each looks at the situation and returns a reply that ends
the scan, a warning, or None to go on; none of them changes anything.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from jitapp.kanban.conditions import MAY_FILL, room
from jitapp.kanban.state import AT_HAND, Card
from jitapp.kanban.step import STEPS, Guard, Reply, Situation, Step, no, words
from jitapp.kanban.vocabulary import (
    CardStatus,
    Intent,
    Level,
    LoopStatus,
    Need,
    SignalState,
    StationKind,
    SupplyStatus,
    Trigger,
)

S = SupplyStatus

DOUBLE_SCAN = timedelta(seconds=60)  # a default never moves a card twice at one station within it
CLOCK_SLACK = timedelta(
    seconds=2
)  # two clocks that were compared may differ so much before a scan counts as late
CAME_LATE = timedelta(minutes=2)  # whoever scanned has walked on: what they did can no longer be refused
OVERFILL = Decimal("1.1")  # a container takes at most a tenth more than its card says (guard G11)
# The way of a container through its supply source; what lies between two scans is implied.
WAY: tuple[SupplyStatus, ...] = (S.EMPTY, S.IN_PROCESS, S.COMPLETED, S.IN_TRANSIT, S.FULL)


def bounce(s: Situation) -> Reply | None:
    """G4: the same device read the same card twice within the bounce time, and said the same."""
    card, scan = s.card, s.scan
    if card.moved_at is None or scan.device_id is None or card.moved_device != scan.device_id:
        return None
    if card.last_scan is None or (scan.intent is not None and scan.intent != card.last_intent):
        return None
    if scan.said != card.last_said:
        return None
    apart = abs(scan.occurred_at - card.moved_at)
    return no("bounced") if apart < timedelta(milliseconds=s.loop.config.bounce_ms) else None


def addressed(s: Situation) -> Reply | None:
    """An act on a turn is for that turn alone: the card may have begun another one since."""
    wanted = s.scan.turn
    if wanted is None or (s.card.turn is not None and s.card.turn.uuid == wanted):
        return None
    return no("turn_closed")


def slack_of(occurred_at: datetime, recorded_at: datetime, *, compared: bool) -> timedelta:
    """How long before what is known already a scan may seem to lie, and still be one of now.

    Of a clock that nobody has compared with ours (no `sent_at`) only this is known: whoever scanned still stands there
    while CAME_LATE has not passed. They are answered as for now; a slow clock makes no history of what they do.
    """
    return CLOCK_SLACK if compared or recorded_at - occurred_at > CAME_LATE else CAME_LATE


def _too_old(s: Situation) -> Reply | None:
    hours = s.loop.config.late_hours
    if s.scan.recorded_at - s.scan.occurred_at > timedelta(hours=hours):
        return no("late_too_old", hours=hours)
    return None


def told_late(s: Situation) -> bool:
    """Whether the scan happened before the card's last event."""
    return s.card.moved_at is not None and s.at < s.card.moved_at


def late(s: Situation) -> Reply | None:
    """G12: older than the card's last event. What changes nothing any more is history; a contradiction waits for a
    person, and so does whatever is older than the loop's `late_hours`."""
    card, step = s.card, s.step
    if old := _too_old(s):
        return old
    if not told_late(s):
        return no("late_conflict") if _before_its_signal(s) else None
    if card.card_status is not CardStatus.IN_CIRCULATION:
        return no("late_conflict")
    if step is not None and step.intent is not Intent.ABORT and step.target == s.position:
        return there(s)
    if step is not None and step.intent is Intent.EMPTY:
        if card.full_since is not None and card.full_since > s.at:
            return no("late_history")  # the container was filled after it was empty: its cycle is over
        # In use still: legal then, and what came after (an opening, a draw, a count) stays legal. Else another scan has
        # sent the signal of this cycle, and its container is on its way.
        return None if card.supply_status in AT_HAND else there(s)
    if step is not None and (_was_full(s, step) or _past(s, step)):
        return no("late_passed")
    return no("late_conflict")


def _before_its_signal(s: Situation) -> bool:
    """Whether the scan tells of work on a turn at a time when its signal was not out yet: a batch, a plan or the ERP
    released it since, which no scan of the card tells (rule C5)."""
    turn = s.card.turn
    if s.step is None or not s.step.fills or turn is None or turn.released_at is None:
        return False
    return s.at < turn.released_at


def there(s: Situation) -> Reply:
    """The container is where the scan wants it; when its refill is due is said where one was asked for."""
    turn = s.card.turn
    return no("already" if turn is not None and turn.due_at is not None else "already_done")


def _was_full(s: Situation, step: Step) -> bool:
    """Whether a late `receive` tells of a container known to have been full at that time, opened or emptied since."""
    card = s.card
    if step.intent is not Intent.RECEIVE or card.full_since is None or card.moved_at is None:
        return False
    if card.supply_status is S.IN_USE:
        opened_last = card.last_intent == Intent.OPEN and card.last_scan is not None
        return s.at <= card.full_since or opened_last
    return card.turn is not None and s.at < card.turn.opened_at


def _past(s: Situation, step: Step) -> bool:
    """Whether the container has gone beyond the step since: the late scan only tells when."""
    if not step.fills or step.intent is Intent.ABORT or step.target is None:
        return False
    turn = s.card.turn
    if turn is None or s.at < turn.opened_at:
        return _of_closed_turn(s)
    if turn.released_at is None or s.at < turn.released_at or s.card.position not in WAY:
        return False
    return WAY.index(step.target) < WAY.index(s.card.position)


def _of_closed_turn(s: Situation) -> bool:
    """Whether a turn of the card that is closed now was under way at that time: its container came in since."""
    past = s.loop.past.turns(s.at) if s.loop.past is not None else ()
    return any(
        number == s.card.number
        and turn.released_at is not None
        and turn.closed_at is not None
        and turn.released_at <= s.at <= turn.closed_at
        for number, turn in (*past, *s.loop.ended)
    )


def late_assertion(s: Situation) -> Reply | None:
    """G12 for what asserts how things stand: a count or a correction from before the card's last event waits for a
    person. A hold, a promise or a cancellation is as right as on the day it was made."""
    if s.step is None or not s.step.asserts:
        return None
    return _too_old(s) or (no("late_conflict") if told_late(s) else None)


def card_status(s: Situation) -> Reply | None:
    """G5: the card takes part. What is under way to a held card may come in, and its old container be emptied; a held
    container with nothing under way stays as it is until somebody decides, and so does a blocked one."""
    card, intent = s.card, s.intent
    if card.card_status is CardStatus.IN_CIRCULATION:
        blocked = card.blocked and intent in (Intent.EMPTY, Intent.OPEN) and card.supply_status in AT_HAND
        return no("card_blocked") if blocked else None
    under_way = card.turn is not None and card.turn.under_way
    if card.held and intent in (Intent.EMPTY, Intent.RECEIVE) and under_way:
        return None
    return no(out_of_circulation(card))


def out_of_circulation(card: Card) -> str:
    """The code for a card that does not take part."""
    return {
        CardStatus.NEW: "card_new",
        CardStatus.HELD: "card_held",
        CardStatus.LOST: "card_lost",
    }.get(card.card_status, "card_retired")


def loop_status(s: Situation) -> Reply | None:
    """G6: the loop is in use; on hold, emptying and receiving go on and only the signal is withheld."""
    if s.loop.config.status is LoopStatus.ACTIVE:
        return None
    if s.loop.config.status is LoopStatus.ON_HOLD:
        return None if s.intent in (Intent.EMPTY, Intent.RECEIVE) else no("loop_on_hold")
    return no("loop_not_active")


def place(s: Situation) -> Reply | None:
    """G7: the station is an end of the loop, and the end where this is done (rule C13)."""
    scan, config = s.scan, s.loop.config
    if s.step is None:
        return no("wrong_station" if scan.station_id is not None else "station_missing")
    if scan.is_leader or (scan.station_id is None and scan.is_placeless):
        return None
    if scan.station_id is None:
        return no("station_missing")
    if s.side is None:
        return no("wrong_station")
    if s.step.side is not None and s.step.side != s.side:
        there = config.demand_name if s.step.side == "demand" else config.supply_name
        return no("not_your_side", place=there)
    return None


def permitted(s: Situation) -> Reply | None:
    """G7 for steps that belong to roles: the person or the place allows it; leaders and ERP clients may do them all."""
    step, scan = s.step, s.scan
    assert step is not None
    if step.everybody or scan.is_leader or scan.is_placeless or step.roles & scan.roles:
        return None
    return None if step.side is not None and s.side == step.side else no("not_allowed")


def detached_by_swap(s: Situation) -> Reply | None:
    """4.3: a production card leaves its full container only when a withdrawal card takes its place."""
    taken = s.intent in (Intent.EMPTY, Intent.OPEN) or (s.intent is Intent.LOAD and s.side == "demand")
    hangs = s.card.supply_status in AT_HAND and s.loop.config.hand_detached
    return no("swap_needs_withdrawal") if taken and hangs else None


def failed(s: Situation) -> Reply | None:
    """G13: nothing is filled, sent or taken in for a turn that stands in ERROR, until somebody has put it right."""
    step = s.step
    if step is not None and not step.moves:
        stands = s.card.turn is not None and s.card.turn.failed and not step.in_error
        return no("card_in_error") if stands else None
    return no("card_in_error") if s.position is S.ERROR else None


def repeated(s: Situation) -> Reply | None:
    """G8: the card is where the scan wants it; and a default moves a card once a minute at one station."""
    card, step, scan = s.card, s.step, s.scan
    if step is None:
        return None
    if scan.market_empty and card.out_of_stock and s.intent in (Intent.START, Intent.LOAD):
        return no("already_short")
    if s.intent is Intent.EMPTY and card.supply_status in (S.EMPTY, S.IN_PROCESS, S.WAIT):
        return there(s)
    if s.intent is not Intent.ABORT and step.target == s.position:
        return there(s)
    if scan.intent is not None:
        return None
    return no("just_moved") if just_moved(card.last_intent, card.moved_at, s.side, s.at) else None


def just_moved(last_intent: str, moved_at: datetime | None, side: str | None, at: datetime) -> bool:
    """Whether a default at this side ("supply" or "demand") must not move the card again at `at`: it was moved there
    less than DOUBLE_SCAN ago."""
    if moved_at is None or not last_intent or at - moved_at >= DOUBLE_SCAN:
        return False
    last = STEPS.get(Intent(last_intent))
    return last is not None and bool(last.moves) and last.side == side


def fits(s: Situation) -> Reply | None:
    """G9: the step follows from where the container stands, the loop's sequence allows it, the signal is out (C5), the
    limit holds (C7)."""
    step, card = s.step, s.card
    if step is None or step.target is None:
        return no("move_not_known")
    if step.fills and card.turn is None:
        return None if missed_empty(s) else no("overproduction")
    target = step.moves.get(s.position)
    if target is None:
        waits = s.position is S.WAIT and step.fills and s.intent is not Intent.ABORT
        return no("not_released" if waits else "wrong_step")
    if step.fills and (card.turn is None or card.turn.signal_state not in MAY_FILL):
        rejected = card.turn is not None and card.turn.signal_state is SignalState.REJECTED
        return no("signal_rejected" if rejected else "not_released")
    if s.intent is Intent.ABORT:
        return None
    return _in_sequence(s, step, target) or _answered(s, step) or _within_limit(s)


def _in_sequence(s: Situation, step: Step, target: SupplyStatus) -> Reply | None:
    config = s.loop.config
    # A way without transport ends where it is made: COMPLETED is FULL at once.
    ends_at_source = s.intent is Intent.COMPLETE and config.without_transport
    if config.need(target) is Need.PROHIBITED and not ends_at_source:
        return no("step_prohibited", status=words(target), expected=_next_allowed(s, step))
    if step.fills:
        for skipped in WAY[WAY.index(s.position) + 1 : WAY.index(target)]:
            if config.need(skipped) is Need.MANDATORY:
                return no("step_missing", missing=words(skipped))
    return None


def _next_allowed(s: Situation, refused: Step) -> str:
    """The step that fits instead of one that the loop does not have."""
    config = s.loop.config
    for step in (STEPS[Intent.START], STEPS[Intent.COMPLETE], STEPS[Intent.LOAD], STEPS[Intent.RECEIVE]):
        target = step.moves.get(s.position)
        allowed = target is not None and config.need(target) is not Need.PROHIBITED
        made = config.without_transport and config.need(S.IN_PROCESS) is not Need.PROHIBITED
        if step is not refused and (allowed or (step.intent is Intent.COMPLETE and made)):
            return str(step.intent)
    return "ask your leader"


def _answered(s: Situation, step: Step) -> Reply | None:
    """Where the supplier must answer (`ack_required`), nothing is made or sent before the answer."""
    turn, config = s.card.turn, s.loop.config
    if not config.ack_required or config.supply_kind is not StationKind.SUPPLIER or turn is None:
        return None
    sends = step.fills and s.intent is not Intent.RECEIVE
    return no("answer_missing") if sends and turn.acknowledged_at is None else None


def _within_limit(s: Situation) -> Reply | None:
    limit, count = s.loop.config.wip_limit, s.scan.in_process
    if s.intent is not Intent.START or limit is None or count is None or count < limit:
        return None
    return no("wip_limit", count=count, limit=limit)


def missed_empty(s: Situation) -> bool:
    """Whether a full container came in while the old one was in use, and was told of too late to be refused: then its
    empty scan was missed, and is written as inferred. Whoever scans in time is told at once (C5)."""
    config, card = s.loop.config, s.card
    return (
        s.intent is Intent.RECEIVE
        and card.turn is None
        and card.supply_status is S.IN_USE
        and s.scan.recorded_at - s.at > CAME_LATE
        and config.status is LoopStatus.ACTIVE
        and config.trigger is not Trigger.ON_QTY
        and card.turns_left != 0
        and not s.loop.surplus_due
    )


def discipline(s: Situation) -> Reply | None:
    """What a station asks before it starts or sends: the line runs, the checks are made, the order is kept, the
    components are there, and the receiver has room (F2-F7)."""
    config, scan = s.loop.config, s.scan
    if s.intent is Intent.START:
        if scan.line_stopped:
            return no("line_stopped", reason=scan.line_stopped)
        missing = [check for check in config.readiness_checks if check not in scan.checks]
        if missing:
            return no("not_ready", missing=", ".join(missing))
        if config.keeps_sequence and scan.ahead and not scan.reason:
            return no("out_of_sequence", ahead=scan.ahead)
    sends = s.intent in (Intent.LOAD, Intent.SHIP) and scan.at_hand is not None
    if sends and not room(config.receiving_limit, scan.at_hand or 0):
        return no("receiver_not_ready", count=scan.at_hand, limit=config.receiving_limit)
    return _components(s)


def _components(s: Situation) -> Reply | None:
    """What is made of parts that have run out: said, and refused where the station says so."""
    if not s.scan.missing or s.intent not in (Intent.START, Intent.COMPLETE):
        return None
    facts = {"components": ", ".join(s.scan.missing)}
    if s.loop.config.refuses_without_components and s.intent is Intent.START:
        return Reply("components_missing", facts)
    return Reply("", facts, ("components_missing",))


def too_soon(s: Situation) -> Reply | None:
    """G10: a container that was filled a moment ago is hardly empty."""
    config, card = s.loop.config, s.card
    if s.intent is not Intent.EMPTY or not config.min_turn_minutes or card.full_since is None:
        return None
    earliest = card.full_since + timedelta(minutes=config.min_turn_minutes)
    if config.min_turn_level is Level.NONE or s.at >= earliest:
        return None
    facts = {"since": card.full_since, "earliest": earliest}
    if config.min_turn_level is Level.BLOCK:
        return Reply("too_soon", facts)
    return Reply("", facts, ("full_only_shortly",))


def quantity_readable(s: Situation) -> Reply | None:
    """G11, first half: a quantity of the part's unit, with no more decimals than it has."""
    quantity = s.scan.quantity
    if quantity is None:
        return None
    facts: dict[str, object] = {"quantity": quantity}
    exponent = quantity.normalize().as_tuple().exponent
    in_range = quantity > 0 or (quantity == 0 and s.step is not None and s.step.zero_counts)
    if not in_range or not isinstance(exponent, int) or -exponent > s.loop.config.decimals:
        return Reply("quantity_unreadable", facts | {"decimals": s.loop.config.decimals})
    return Reply("", facts)


def quantity_fits(s: Situation) -> Reply | None:
    """G11 and C6: a readable quantity within the container. Another one than was asked, or more than was made or sent,
    needs a reason."""
    quantity, step, turn = s.scan.quantity, s.step, s.card.turn
    readable = quantity_readable(s)
    if readable is not None and readable.code:
        return readable
    if step is None or not step.measures:
        return readable
    asked = turn.asked if turn else s.card.quantity
    expected = asked if turn is None or s.intent is Intent.COMPLETE else turn.deliverable
    told = quantity if quantity is not None else expected
    facts: dict[str, object] = {"quantity": told}
    if told > asked * OVERFILL:
        return Reply("quantity_exceeds_container", facts | {"most": asked * OVERFILL})
    explained = bool(s.scan.reason) or (turn is not None and bool(turn.reason) and told == expected)
    if told not in (asked, 0) and not explained:
        return Reply("quantity_needs_reason", facts | {"asked": asked})
    if told > expected and not s.scan.reason:
        return Reply("quantity_needs_reason", facts | {"asked": expected})
    return Reply("", facts) if quantity is not None else None


def own(s: Situation) -> Reply | None:
    """The step's own condition."""
    assert s.step is not None
    return s.step.check(s) if s.step.check is not None else None


# For steps that move the container along its way.
MOVING: tuple[Guard, ...] = (
    addressed,
    bounce,  # G4
    late,  # G12, right after G4
    card_status,  # G5
    loop_status,  # G6
    detached_by_swap,  # 4.3
    place,  # G7
    failed,  # G13
    repeated,  # G8
    fits,  # G9
    discipline,  # F2 to F7, A5
    too_soon,  # G10
    quantity_fits,  # G11
)
# For what is said or decided about a card or a turn.
DECIDING: tuple[Guard, ...] = (
    addressed,
    bounce,
    late_assertion,
    quantity_fits,  # G11
    permitted,
    failed,
    own,
)
