"""What the rules know of a loop: its settings, its cards and their open turns. Plain values, no framework.

Settings are frozen. Cards, turns and counters are changed by `kanban.fold.apply` alone, so that the shop floor, the
verification and a simulation fold the same events into the same state. The fields of `Card`, `Turn` and `LoopCounters`
are the columns of their tables: reading, writing and comparing rows is generated from them (pull/store/columns.py);
cards and turns are read as JSON arrays of their fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

import msgspec

from jitapp.kanban.vocabulary import (
    SUPPLY_SHORT,
    Accumulate,
    CardStatus,
    ConsumeAt,
    Consumption,
    DocPolicy,
    GrPolicy,
    Level,
    LoopKind,
    LoopStatus,
    Need,
    SignalState,
    StationKind,
    SupplyStatus,
    Trigger,
)
from jitapp.kanban.worktime import WorkCalendar

ZERO = Decimal(0)
# A word found in a table costs a tenth of what making its member does.
STATUSES: dict[str, SupplyStatus] = {str(status): status for status in SupplyStatus}
_NEEDS: dict[str, Need] = {str(need): need for need in Need}
# Where a container stands at the demand source.
AT_HAND = frozenset({SupplyStatus.FULL, SupplyStatus.IN_USE})


def text(quantity: Decimal) -> str:
    """A quantity as the shortest decimal string: 12, 0.5; never 1E+1."""
    return format(quantity.normalize(), "f")


def exact(quantity: Decimal) -> Decimal:
    """The same quantity without trailing zeros and without an exponent, as events keep it: 12, 0.5."""
    return Decimal(format(quantity.normalize(), "f"))


@dataclass(frozen=True, slots=True)
class LoopConfig:
    """The settings of a loop and of the stations it joins. Quantities in the part's unit; times in UTC."""

    id: int
    code: str
    plant_id: int
    plant_code: str
    time_zone: str
    area_id: int | None
    area_code: str
    kind: LoopKind
    status: LoopStatus
    hold_reason: str
    part_id: int
    part: str
    unit: str
    decimals: int
    quantity: Decimal
    lead_time_minutes: int
    demand_id: int
    demand: str
    demand_name: str
    demand_consumption: Consumption
    supply_id: int
    supply: str
    supply_name: str
    supply_kind: StationKind
    supply_consumption: Consumption
    wip_limit: int | None
    consume_at: ConsumeAt
    trigger: Trigger
    sequence: Mapping[str, str]
    min_turn_minutes: int
    min_turn_level: Level
    bounce_ms: int
    undo_window_s: int
    max_empty_allowed: int
    demand_intent: str
    supply_intent: str
    calendar: WorkCalendar
    supply_plant_id: int = 0
    accumulate: Accumulate = Accumulate.NONE
    accumulate_cards: int | None = None
    lot_quantity: Decimal | None = None
    triangle_quantity: Decimal | None = None
    accumulate_times: tuple[str, ...] = ()
    independent_supply: bool = False
    doc_policy: DocPolicy = DocPolicy.NONE
    ack_required: bool = False
    ack_within_minutes: int = 480  # after the release, in working minutes of the supply station
    gr_policy: GrPolicy = GrPolicy.FULL_POSTS_RECEIPT
    reorder_level: Decimal | None = None
    auto_detach: bool = False
    delivery_days: tuple[str, ...] = ()
    readiness_checks: tuple[str, ...] = ()
    keeps_sequence: bool = False
    receiving_limit: int | None = None
    late_hours: int = 72
    hand_detached: bool = False  # withdrawal cards fetch its containers, and people swap the cards (4.3)
    refuses_without_components: bool = (
        False  # the supply station starts nothing while a component has run out
    )
    receiving: WorkCalendar | None = None  # when what comes from outside is taken in; None: at any time

    def need(self, status: SupplyStatus) -> Need:
        """Whether the loop's sequence asks for a status; statuses it does not name are optional."""
        return _NEEDS[self.sequence.get(status, Need.OPTIONAL)]

    @property
    def without_transport(self) -> bool:
        """Filling is the end of it: neither COMPLETED nor IN_TRANSIT is ever shown (rule C13's exemption)."""
        return (
            self.need(SupplyStatus.COMPLETED) is Need.PROHIBITED
            and self.need(SupplyStatus.IN_TRANSIT) is Need.PROHIBITED
        )


class Stretch(msgspec.Struct, frozen=True, array_like=True):
    """A stretch of a turn's life: what it waited for or what was done to it (standing.py), who had to act, from when
    on, and the number of the loop's event that began it. It ends where the next one begins; the last stretch of a
    closed turn has no reason.
    """

    reason: str
    owner: str
    since: datetime
    seq: int


class Turn(msgspec.Struct, array_like=True):
    """An open circulation of a card: the signal, and its progress at the supply source (`step`)."""

    uuid: UUID
    number: int
    asked: Decimal
    opened_at: datetime
    signal_state: SignalState = SignalState.UNRELEASED
    step: str = ""
    made: Decimal | None = None
    received: Decimal | None = None
    reason: str = ""
    released_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    loaded_at: datetime | None = None
    closed_at: datetime | None = None
    due_at: datetime | None = None
    acknowledged_at: datetime | None = None
    promised_at: datetime | None = None
    docked_at: datetime | None = None
    document: str = ""
    doc_owed: bool = False  # the ERP was asked for the document and has not answered
    batch: UUID | None = None
    to_recall: bool = (
        False  # the card was held or lost while the supply side was at work: the signal is to be recalled
    )
    failed: str = ""  # why it stands in ERROR: what went wrong for good beside the floor
    demand_cancelled: UUID | None = (
        None  # the downstream turn that no longer needs it, after work on it had begun
    )
    answer_late: bool = False  # the supplier let `ack_within_minutes` pass without an answer
    standing: str = ""  # what it waits for, or what is done to it now: derived (standing.py)
    owner: str = ""  # who must act next (rule C10): derived
    owner_since: datetime | None = None
    stretches: tuple[Stretch, ...] = ()

    @property
    def place(self) -> SupplyStatus:
        """Where its container stands, whatever else is the matter with it."""
        return STATUSES[self.step] if self.step else SupplyStatus.EMPTY

    @property
    def reached_at(self) -> datetime:
        """When its container came to its place."""
        reached = {
            SupplyStatus.IN_PROCESS: self.started_at,
            SupplyStatus.COMPLETED: self.completed_at,
            SupplyStatus.IN_TRANSIT: self.loaded_at,
        }.get(self.place)
        return reached or self.opened_at

    @property
    def supply_short(self) -> bool:
        """Whether it waits for a full container in the supermarket."""
        return self.reason == SUPPLY_SHORT

    @property
    def under_way(self) -> bool:
        """Whether the supply side has begun to fill it, or has promised to."""
        return bool(self.step) or self.signal_state is SignalState.ACKNOWLEDGED

    @property
    def deliverable(self) -> Decimal:
        """How many pieces may arrive without a reason: what was made or sent, else what was asked."""
        return self.made if self.made is not None else self.asked


class Card(msgspec.Struct, array_like=True):
    """A card with its open turn. `contents` and `booked` are pieces in the container at the demand source."""

    id: int
    code: str
    number: int
    quantity: Decimal
    card_status: CardStatus = CardStatus.NEW
    supply_status: SupplyStatus = SupplyStatus.EMPTY
    contents: Decimal = ZERO
    booked: Decimal = ZERO
    blocked: bool = False
    urgent: bool = False
    out_of_stock: bool = False
    label_stale: bool = False
    note: str = ""
    replaces: int | None = None  # the number of the lost card whose place it takes
    turns_left: int | None = None
    turn_number: int = 0
    full_since: datetime | None = None
    status_since: datetime | None = None  # since when its container stands where it does
    moved_at: datetime | None = None  # when it was last touched, scanned or drawn from
    moved_device: int | None = None
    moved_person: int | None = None
    last_intent: str = ""
    last_said: str = ""  # fingerprint of what the last applied scan said beside its intent (guard G4)
    last_scan: UUID | None = None
    turn: Turn | None = None

    @property
    def held(self) -> bool:
        """Whether somebody took it out of circulation for a time, and must say how it goes on."""
        return self.card_status is CardStatus.HELD

    @property
    def position(self) -> SupplyStatus:
        """Where the container to be filled stands: the card's status, or its open turn's step while still IN_USE."""
        if self.turn is not None and self.supply_status in AT_HAND:
            return SupplyStatus.ERROR if self.turn.failed else self.turn.place
        return self.supply_status

    @property
    def container(self) -> int:
        """The number of the turn that will refill the container now at the demand source."""
        return self.turn.number if self.turn is not None else self.turn_number + 1

    @property
    def emptied_to(self) -> SupplyStatus:
        """Where the card stands once the container at hand is empty: where its refill is, if that was asked for."""
        return self.position if self.turn is not None else SupplyStatus.EMPTY

    @property
    def free(self) -> Decimal:
        """Pieces that nobody has booked."""
        return self.contents - self.booked


class Change(msgspec.Struct, frozen=True):
    """A change of what counts for a runout, as one event of the ledger brought it: where a container stands, the life
    of its card, whether it is blocked, the loop's status, or when an order is due. None: this did not change.
    """

    at: datetime
    seq: int
    card: int | None = None
    supply_status: SupplyStatus | None = None
    card_status: CardStatus | None = None
    blocked: bool | None = None
    loop_status: LoopStatus | None = None
    due_at: datetime | None = None
    not_due: bool = False  # the turn is closed, or its signal taken back


@dataclass(slots=True)
class Span:
    """A runout as it is on record; `closed_at` None: it goes on."""

    opened_seq: int
    opened_at: datetime
    closed_at: datetime | None = None


class Past(Protocol):
    """What the ledger and the register hold of a loop from before its lock was taken; asked only when something is
    told late."""

    def changes(self) -> Sequence[Change]:
        """All changes that count for a runout, in the order of the ledger."""

    def runouts(self) -> Sequence[Span]:
        """All runouts on record."""

    def turns(self, since: datetime) -> Sequence[tuple[int, Turn]]:
        """(number of the card, turn) of the turns that were closed after `since`."""


@dataclass(slots=True)
class OpenRunout:
    """A runout that has not ended. How the cards stood before `looked_at`, the instant of its newest event: `quality`,
    all containers were held or blocked; `cards` took part. None: nothing has happened since the lock was taken."""

    opened_at: datetime
    opened_seq: int
    quality: bool | None = field(default=None, compare=False)
    cards: frozenset[int] | None = field(default=None, compare=False)
    looked_at: datetime | None = field(default=None, compare=False)


class LoopCounters(msgspec.Struct):
    """What a loop keeps of its own beside its cards: the columns of its state row."""

    seq: int = 0
    suppressed: int = 0
    surplus_due: int = 0
    been_full: bool = False  # a card of it has been FULL before, also one that was removed since (rule C9)
    drawn_ahead: Decimal = ZERO  # pieces drawn beyond what was needed, because pieces are whole (draws.py)
    usable_changed_at: datetime | None = (
        None  # the newest change of what counts for a runout, in occurred time
    )


class Loop(LoopCounters, kw_only=True):
    """A loop as the rules see it while its lock is held."""

    config: LoopConfig
    cards: dict[int, Card] = msgspec.field(default_factory=dict)
    runout: OpenRunout | None = None
    # Since the lock was taken; not stored.
    past: Past | None = None
    fresh: list[Change] = msgspec.field(default_factory=list)
    register: dict[int, Span] = msgspec.field(default_factory=dict)
    ended: list[tuple[int, Turn]] = msgspec.field(default_factory=list)
    turned_at: datetime | None = None  # when a container became usable or ceased to be
    told_late: datetime | None = None  # the earliest change that occurred before one known already

    def siblings(self, card: Card) -> list[Card]:
        """The other cards of the loop."""
        return [other for other in self.cards.values() if other.id != card.id]

    @property
    def circulating(self) -> int:
        """N as it is on the floor: cards that take part."""
        return len([True for card in self.cards.values() if card.card_status is CardStatus.IN_CIRCULATION])
