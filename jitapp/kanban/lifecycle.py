"""The book of rules of a scan: the transitions as data, the guards in their order, one `decide`.

`decide` takes a loop whose lock is held, one of its cards and a scan; it answers with a code and facts, and, if the
scan is applied, with the events it wrote (already folded into the loop). The guards G1-G3 and G13 belong to the doors
and the workers; G4-G12 stand here in the order of the book.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from jitapp.kanban.answers import ANSWERS
from jitapp.kanban.events import Event, apply
from jitapp.kanban.runouts import cause_of, is_dry, owner_of
from jitapp.kanban.state import Card, Loop, Turn, text
from jitapp.kanban.words import (
    CardStatus,
    Intent,
    Level,
    LoopKind,
    LoopStatus,
    Need,
    Outcome,
    SignalState,
    SupplyStatus,
)

Side = Literal["demand", "supply"]
S = SupplyStatus

DOUBLE_SCAN = timedelta(seconds=60)  # a default never moves a card twice at one station within it
CLOCK_SLACK = timedelta(seconds=2)  # two devices' clocks may differ so much before a scan counts as late
OVERFILL = Decimal("1.1")  # a container takes at most a tenth more than its card says (guard G11)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: at `frm`, the intent moves the container to `to`; `side` says who may (rule C13)."""

    intent: Intent
    frm: SupplyStatus
    to: SupplyStatus
    side: Side
    answer: str


TRANSITIONS: tuple[Row, ...] = (
    # 4.1 rows 1 to 3: the demand side opens and empties.
    Row(Intent.OPEN, S.FULL, S.IN_USE, "demand", "opened"),
    Row(Intent.EMPTY, S.FULL, S.EMPTY, "demand", "emptied"),
    Row(Intent.EMPTY, S.IN_USE, S.EMPTY, "demand", "emptied"),
    # 4.2 rows 3, 5, 8 and 4.4 rows 7, 8: the supply side fills. Skipped steps are implied, in order.
    Row(Intent.START, S.EMPTY, S.IN_PROCESS, "supply", "started"),
    Row(Intent.COMPLETE, S.EMPTY, S.COMPLETED, "supply", "completed"),
    Row(Intent.COMPLETE, S.IN_PROCESS, S.COMPLETED, "supply", "completed"),
    Row(Intent.ABORT, S.IN_PROCESS, S.EMPTY, "supply", "aborted"),
    Row(Intent.LOAD, S.EMPTY, S.IN_TRANSIT, "supply", "loaded"),
    Row(Intent.LOAD, S.IN_PROCESS, S.IN_TRANSIT, "supply", "loaded"),
    Row(Intent.LOAD, S.COMPLETED, S.IN_TRANSIT, "supply", "loaded"),
    # 4.1 row 8, 4.4 row 10: the demand side takes the full container in.
    Row(Intent.RECEIVE, S.EMPTY, S.FULL, "demand", "received"),
    Row(Intent.RECEIVE, S.IN_PROCESS, S.FULL, "demand", "received"),
    Row(Intent.RECEIVE, S.COMPLETED, S.FULL, "demand", "received"),
    Row(Intent.RECEIVE, S.IN_TRANSIT, S.FULL, "demand", "received"),
)
TABLE: dict[tuple[Intent, SupplyStatus], Row] = {(row.intent, row.frm): row for row in TRANSITIONS}

# The way of a container through its supply source; what lies between two scans is implied.
WAY: tuple[SupplyStatus, ...] = (S.EMPTY, S.IN_PROCESS, S.COMPLETED, S.IN_TRANSIT, S.FULL)
TARGET: dict[Intent, SupplyStatus] = {row.intent: row.to for row in TRANSITIONS}
SIDE: dict[Intent, Side] = {row.intent: row.side for row in TRANSITIONS}
FILLING = frozenset({Intent.START, Intent.COMPLETE, Intent.LOAD, Intent.RECEIVE, Intent.ABORT})
MAY_FILL = frozenset({SignalState.RELEASED, SignalState.ACKNOWLEDGED})
KINDS = frozenset({LoopKind.TWO_BIN, LoopKind.PRODUCTION, LoopKind.SUPPLIER})
UNDOABLE = frozenset({Intent.EMPTY, Intent.OPEN, Intent.START, Intent.COMPLETE, Intent.LOAD})


@dataclass(slots=True)
class Scan:
    """A scan as the rules see it: whose, where, when, meaning what. `occurred_at` is corrected, never after now."""

    occurred_at: datetime
    recorded_at: datetime
    new_uuid: Callable[[], UUID]
    id: UUID | None = None
    intent: Intent | None = None
    station_id: int | None = None
    station: str = ""
    device_id: int | None = None
    person_id: int | None = None
    quantity: Decimal | None = None
    reason: str = ""
    is_leader: bool = False  # may override place and person; recorded
    is_placeless: bool = False  # an ERP client or a handler's device: belongs to no station
    in_process: int | None = None  # cards in process at the supply station, counted under its lock
    last_events: Sequence[Event] = ()  # what the card's last scan wrote; only an undo needs it

    @property
    def mover(self) -> str:
        """Who moves, as the card keeps it: d<device>p<person>."""
        return f"d{self.device_id or ''}p{self.person_id or ''}"


@dataclass(slots=True)
class Decision:
    """How a scan ended. `facts` fill the sentence of `code`; `events` are folded into the loop already."""

    code: str
    facts: dict[str, Any]
    events: list[Event] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    intent: Intent | None = None
    turn: Turn | None = None

    @property
    def outcome(self) -> Outcome:
        """applied, already, bounced, refused or parked."""
        return ANSWERS[self.code].outcome


class Ledger:
    """Writes events onto a loop in order, folding each at once."""

    def __init__(self, loop: Loop, *, at: datetime, scan: Scan | None = None) -> None:
        self.loop = loop
        self.at = at
        self.scan = scan
        self.events: list[Event] = []
        self.closed: list[tuple[Card, Turn]] = []

    def write(
        self, type_: str, card: Card | None = None, *, turn: Turn | None = None, frm: str = "", to: str = "", **data: Any
    ) -> Event:
        """Appends one event; a card that does not move (`frm` = `to`) is written without a movement."""
        event = Event(
            type=type_,
            occurred_at=self.at,
            card_id=card.id if card else None,
            turn_number=turn.number if turn else None,
            turn=turn.uuid if turn else None,
            frm=frm if frm != to else "",
            to=to if frm != to else "",
            data=data,
            seq=self.loop.seq + 1,
            scan_id=self.scan.id if self.scan else None,
            ordinal=len(self.events),
            moved_by=self.scan.mover if self.scan else "",
        )
        if card is not None and card.turn is not None and type_ in ("turn.received", "turn.cancelled"):
            self.closed.append((card, card.turn))
        apply(self.loop, event)
        self.events.append(event)
        return event

    def settle(self) -> None:
        """Opens or closes the runout if the loop's state now says so (rule C9)."""
        dry = is_dry(self.loop)
        if dry == (self.loop.runout is not None):
            return
        turns = [(card, card.turn) for card in self.loop.cards.values() if card.turn is not None] + self.closed
        cause = cause_of(self.loop, turns, self.at)
        facts: dict[str, Any] = {"cause": cause.reason, "owner": cause.party, "facts": cause.facts()}
        if dry:
            self.write("runout.opened", **facts)
        else:
            assert self.loop.runout is not None
            facts["opened_at"] = self.loop.runout.opened_at.isoformat()
            facts["opened_seq"] = self.loop.runout.opened_seq
            if self.loop.config.status is not LoopStatus.ACTIVE:
                facts["cause"] = "loop_on_hold"
            self.write("runout.closed", **facts)


def release(ledger: Ledger, card: Card, uuid: UUID) -> Turn:
    """Opens a card's next turn (if none is open) and releases its signal; due by the supply station's calendar."""
    config = ledger.loop.config
    due = config.calendar.add_working_minutes(ledger.at, config.lead_time_minutes)
    opens = card.turn is None
    turn = card.turn or Turn(uuid, card.turn_number + 1, config.quantity, ledger.at)
    turn.signal_state = SignalState.RELEASED
    ledger.write(
        "turn.released",
        card,
        turn=turn,
        due_at=due.isoformat(),
        owner=owner_of(config, turn),
        **({"opens": True, "asked": text(config.quantity)} if opens else {}),
    )
    assert card.turn is not None
    return card.turn


def open_sibling(ledger: Ledger, emptied: Card) -> None:
    """When a bin is emptied, the longest-full sibling counts as opened unless one is open already (4.1 row 1)."""
    loop = ledger.loop
    if loop.config.kind is not LoopKind.TWO_BIN and loop.config.quantity <= 1:
        return  # a container of one piece is never "in use": it is full or empty
    siblings = [card for card in loop.siblings(emptied) if card.usable]
    if not siblings or any(card.supply_status is S.IN_USE for card in siblings):
        return
    longest = min(siblings, key=lambda card: (card.full_since or ledger.at, card.number))
    ledger.write("card.opened", longest, frm=S.FULL, to=S.IN_USE)


def decide(loop: Loop, card: Card, scan: Scan) -> Decision:
    """The answer to a scan (guards G4 to G12 in order, then the transition).

    Refusals change nothing. `facts["expected"]` names the step that would fit now.
    """
    intent = scan.intent or default_intent(loop, card, scan)
    guards = (_bounce, _late, _card_status, _loop_status, _place, _repeated, _step, _too_soon, _quantity)
    if intent is Intent.ACTIVATE:
        guards = (_bounce, _activation, _place, _quantity)
    elif intent is Intent.UNDO:
        guards = (_place, _undo)
    decision = Decision("", facts(loop, card, scan, intent), intent=intent, turn=card.turn)
    for guard in guards:
        code = guard(loop, card, scan, intent, decision)
        if code:
            decision.code = code
            return decision
    ledger = Ledger(loop, at=scan.occurred_at, scan=scan)
    decision.code = _EFFECTS[intent](ledger, card, scan, decision)
    ledger.settle()
    decision.events = ledger.events
    decision.turn = card.turn or decision.turn
    decision.facts["status"] = shown(card)
    return decision


def shown(card: Card) -> str:
    """A card's status as people see it."""
    return str(card.supply_status).replace("_", " ")


def facts(loop: Loop, card: Card, scan: Scan, intent: Intent | None) -> dict[str, Any]:
    """What a sentence about this card may name."""
    config = loop.config
    return {
        "part": config.part,
        "number": card.number,
        "of": max(loop.circulating, card.number),
        "status": shown(card),
        "supply": config.supply_name,
        "demand": config.demand_name,
        "quantity": card.turn.asked if card.turn else config.quantity,
        "since": card.moved_at,
        "by": card.moved_by,
        "due": card.turn.due_at if card.turn else None,
        "reason": config.hold_reason or "loop on hold",
        "occurred": scan.occurred_at,
        "intent": str(intent) if intent else "",
        "expected": expected(card),
    }


def expected(card: Card) -> str:
    """The step that fits the card now, in words."""
    if card.card_status is CardStatus.NEW:
        return "activate"
    return {
        S.FULL: "empty it",
        S.IN_USE: "empty it",
        S.EMPTY: "start",
        S.IN_PROCESS: "complete",
        S.COMPLETED: "load, or receive",
        S.IN_TRANSIT: "receive",
    }.get(card.position if card.turn else card.supply_status, "ask your leader")


def side_of(loop: Loop, station_id: int | None) -> Side | None:
    """Which end of the loop a station is."""
    if station_id == loop.config.demand_id:
        return "demand"
    return "supply" if station_id == loop.config.supply_id else None


def default_intent(loop: Loop, card: Card, scan: Scan) -> Intent | None:
    """What a scan without an intent means: the station's setting, else by the side and the card's state."""
    if card.card_status is CardStatus.NEW:
        return Intent.ACTIVATE
    side = side_of(loop, scan.station_id)
    if side is None:
        return None
    setting = loop.config.demand_intent if side == "demand" else loop.config.supply_intent
    if setting:
        return Intent(setting)
    if side == "supply":
        by_position = {S.IN_PROCESS: Intent.COMPLETE, S.COMPLETED: Intent.LOAD, S.IN_TRANSIT: Intent.LOAD}
        return by_position.get(card.position, Intent.START)
    return Intent.RECEIVE if card.supply_status in (S.COMPLETED, S.IN_TRANSIT) else Intent.EMPTY


# -- the guards, in the order of the book; each answers with a code or None ----------------------------
Guard = Callable[[Loop, Card, Scan, Intent | None, Decision], str | None]


def _bounce(loop: Loop, card: Card, scan: Scan, intent: Intent | None, _decision: Decision) -> str | None:
    """G4: the same device read the same card twice within the bounce time."""
    if card.moved_at is None or scan.device_id is None or not card.moved_by.startswith(f"d{scan.device_id}p"):
        return None
    if scan.intent is not None and scan.intent != card.last_intent:
        return None
    apart = abs(scan.occurred_at - card.moved_at)
    return "bounced" if apart < timedelta(milliseconds=loop.config.bounce_ms) else None


def _late(_loop: Loop, card: Card, scan: Scan, intent: Intent | None, _decision: Decision) -> str | None:
    """G12: older than the card's last event. The same target is `already`; the rest waits for a person."""
    if card.moved_at is None or scan.occurred_at >= card.moved_at:
        return None
    if card.moved_at - scan.occurred_at <= CLOCK_SLACK:
        scan.occurred_at = card.moved_at
        return None
    if intent is not None and TARGET.get(intent) == card.supply_status:
        return "already"
    return "late_conflict"


def _card_status(_loop: Loop, card: Card, _scan: Scan, intent: Intent | None, _decision: Decision) -> str | None:
    """G5: the card takes part. A held card with material under way may still be emptied and received."""
    if card.card_status is CardStatus.IN_CIRCULATION:
        return None
    if card.card_status is CardStatus.HELD and intent in (Intent.EMPTY, Intent.RECEIVE):
        return None
    return {
        CardStatus.NEW: "card_new",
        CardStatus.HELD: "card_held",
        CardStatus.LOST: "card_lost",
    }.get(card.card_status, "card_retired")


def _loop_status(loop: Loop, _card: Card, _scan: Scan, intent: Intent | None, _decision: Decision) -> str | None:
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


def _repeated(loop: Loop, card: Card, scan: Scan, intent: Intent | None, _decision: Decision) -> str | None:
    """G8: the card is where the scan wants it; and a default moves a card once a minute at one station."""
    if intent is None or intent not in TARGET:
        return None
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
        return "overproduction"
    position = card.position if intent in FILLING else card.supply_status
    row = TABLE.get((intent, position))
    if row is None:
        return "wrong_step"
    if intent in FILLING:
        assert card.turn is not None
        if card.turn.signal_state not in MAY_FILL:
            return "not_released"
    if intent is not Intent.ABORT and loop.config.need(row.to) is Need.PROHIBITED and not _ends_at_source(loop, row):
        decision.facts["status"] = str(row.to).replace("_", " ")
        return "step_prohibited"
    if intent in FILLING and intent is not Intent.ABORT:
        for skipped in WAY[WAY.index(row.frm) + 1 : WAY.index(row.to)]:
            if loop.config.need(skipped) is Need.MANDATORY:
                decision.facts["missing"] = str(skipped).replace("_", " ")
                return "step_missing"
    limit = loop.config.wip_limit
    if intent is Intent.START and limit is not None and scan.in_process is not None and scan.in_process >= limit:
        decision.facts |= {"count": scan.in_process, "limit": limit}
        return "wip_limit"
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
    decision.warnings.append("It was full only a short while: is it really empty?")
    return None


def _quantity(loop: Loop, card: Card, scan: Scan, intent: Intent | None, decision: Decision) -> str | None:
    """G11 and C6: a readable quantity within the container; another than asked needs a reason."""
    quantity = scan.quantity
    if quantity is None:
        return None
    decision.facts["quantity"] = quantity
    exponent = quantity.normalize().as_tuple().exponent
    least_ok = quantity > 0 or (quantity == 0 and intent is Intent.ACTIVATE)
    if not least_ok or not isinstance(exponent, int) or -exponent > loop.config.decimals:
        decision.facts["decimals"] = loop.config.decimals
        return "quantity_unreadable"
    if intent not in (Intent.COMPLETE, Intent.RECEIVE, Intent.ACTIVATE):
        return None
    asked = card.turn.asked if card.turn else card.quantity
    if quantity > asked * OVERFILL:
        decision.facts["most"] = asked * OVERFILL
        return "quantity_exceeds_container"
    if quantity != asked and quantity > 0 and not scan.reason:
        decision.facts["asked"] = asked
        return "quantity_needs_reason"
    return None


def _activation(_loop: Loop, card: Card, _scan: Scan, _intent: Intent | None, _decision: Decision) -> str | None:
    """Only a NEW card is activated."""
    if card.card_status is CardStatus.NEW:
        return None
    return "card_active" if card.card_status is CardStatus.IN_CIRCULATION else "card_retired"


def _undo(loop: Loop, card: Card, scan: Scan, _intent: Intent | None, decision: Decision) -> str | None:
    """4.6: only the card's last scan, by the same operator or a leader, in the window, while nobody acted on it."""
    if card.last_scan is None or card.moved_at is None or card.last_intent not in UNDOABLE:
        return "undo_nothing"
    window = loop.config.undo_window_s
    if scan.occurred_at - card.moved_at > timedelta(seconds=window):
        decision.facts["window"] = window
        return "undo_too_late"
    if not scan.is_leader and card.moved_by != scan.mover:
        return "undo_not_yours"
    turn = card.turn
    opened = any(event.type == "turn.released" and event.data.get("opens") for event in scan.last_events)
    if card.last_intent == Intent.EMPTY and turn is not None and opened:
        if turn.signal_state is not SignalState.RELEASED or turn.step:
            return "undo_acted_on"
    return None


# -- the effects: each writes its events and answers with a code ---------------------------------------
def _do_activate(ledger: Ledger, card: Card, scan: Scan, decision: Decision) -> str:
    quantity = card.quantity if scan.quantity is None else scan.quantity
    decision.facts["quantity"] = quantity
    to = S.FULL if quantity else S.EMPTY
    data: dict[str, Any] = {"intent": Intent.ACTIVATE, "contents": text(quantity)}
    if scan.reason:
        data["reason"] = scan.reason
    ledger.write("scan.applied", card, frm=card.supply_status, to=to, **data)
    if to is S.EMPTY and ledger.loop.config.status is LoopStatus.ACTIVE:
        release(ledger, card, scan.new_uuid())
    return "activated"


def _do_open(ledger: Ledger, card: Card, _scan: Scan, _decision: Decision) -> str:
    ledger.write("scan.applied", card, frm=card.supply_status, to=S.IN_USE, intent=Intent.OPEN)
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
        **({"difference": text(-card.contents)} if card.contents and _counted(ledger.loop) else {}),
    )
    code = signal(ledger, card, scan.new_uuid)
    open_sibling(ledger, card)
    decision.facts["due"] = card.turn.due_at if card.turn else None
    return code


def _counted(loop: Loop) -> bool:
    return loop.config.demand_consumption == "BACKFLUSH"


def signal(ledger: Ledger, card: Card, new_uuid: Callable[[], UUID]) -> str:
    """What an emptied card asks for: one turn, released unless the loop or the card is on hold (rule C8)."""
    config = ledger.loop.config
    if card.turn is not None:
        return "emptied_under_way"
    if config.status is LoopStatus.ACTIVE and card.card_status is CardStatus.IN_CIRCULATION:
        release(ledger, card, new_uuid())
        return "emptied"
    turn = Turn(new_uuid(), card.turn_number + 1, config.quantity, ledger.at)
    ledger.write("turn.opened", card, turn=turn, asked=text(config.quantity), owner=owner_of(config, turn))
    ledger.write("demand.suppressed", card, turn=turn)
    return "emptied_on_hold"


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
        after = Turn(turn.uuid, turn.number, turn.asked, turn.opened_at, signal_state=turn.signal_state, step=step)
        owner = owner_of(config, after)
        if step is S.IN_PROCESS:
            ledger.write("turn.started", card, turn=turn, owner=owner, **implied)
        elif step is S.COMPLETED:
            ledger.write("turn.completed", card, turn=turn, owner=owner, quantity=text(quantity), **reason, **implied)
        elif step is S.IN_TRANSIT:
            # A way without transport has nothing to tell of it.
            if config.need(S.IN_TRANSIT) is not Need.PROHIBITED and step is to:
                ledger.write("turn.shipped", card, turn=turn, owner=owner)
        else:
            ledger.write("turn.received", card, turn=turn, quantity=text(quantity), asked=text(turn.asked), **reason)


def _fill_step(intent: Intent, to: SupplyStatus, code: str) -> Callable[[Ledger, Card, Scan, Decision], str]:
    def effect(ledger: Ledger, card: Card, scan: Scan, decision: Decision) -> str:
        turn = card.turn
        assert turn is not None
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
        if scan.is_leader and SIDE[intent] != side_of(ledger.loop, scan.station_id):
            data["override"] = True
        # A card still IN_USE shows that until it is emptied; its turn's progress lives on the turn.
        moves = end is S.FULL or card.supply_status not in (S.FULL, S.IN_USE)
        ledger.write(
            "scan.applied", card, turn=turn, frm=card.supply_status if moves else "", to=end if moves else "", **data
        )
        _walk(ledger, card, scan, end)
        return answer

    return effect


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
        owner=owner_of(ledger.loop.config, turn_after),
        **({"reason": scan.reason} if scan.reason else {}),
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
        frm=first.to,
        to=first.frm,
        intent=Intent.UNDO,
        undone=str(undone),
        undone_intent=first.data["intent"],
        contents=text(contents),
    )
    steps = [event for event in scan.last_events if event.type in ("turn.started", "turn.completed", "turn.shipped")]
    for event in reversed(scan.last_events):
        if event.type == "turn.released" and event.data.get("opens") and card.turn is not None:
            ledger.write("turn.cancelled", card, turn=card.turn, reason="undone")
        elif event.type == "turn.opened" and card.turn is not None:
            ledger.write("turn.cancelled", card, turn=card.turn, reason="undone")
        elif event.type == "card.opened" and event.card_id is not None:
            sibling = loop.cards[event.card_id]
            if sibling.supply_status is S.IN_USE and sibling.turn is None and sibling.contents == sibling.quantity:
                ledger.write("card.unopened", sibling, frm=S.IN_USE, to=S.FULL)
    if steps and card.turn is not None:
        before = {"turn.started": "", "turn.completed": S.IN_PROCESS, "turn.shipped": S.COMPLETED}[steps[0].type]
        after = Turn(turn.uuid, turn.number, turn.asked, turn.opened_at) if turn else None
        assert after is not None
        after.signal_state, after.step = card.turn.signal_state, str(before)
        ledger.write(
            "turn.reverted", card, turn=card.turn, step=str(before), owner=owner_of(loop.config, after)
        )
    return "undone"


_EFFECTS: dict[Intent | None, Callable[[Ledger, Card, Scan, Decision], str]] = {
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
