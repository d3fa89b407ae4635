"""What the rules know of a loop: its settings, its cards and their open turns. Plain values, no framework.

Settings are frozen; cards and turns are changed by `kanban.events.apply` alone, so that the shop floor, the
verification and a simulation fold the same events into the same state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

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
USABLE = frozenset({SupplyStatus.FULL, SupplyStatus.IN_USE})
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def text(quantity: Decimal) -> str:
    """A quantity as the shortest decimal string: 12, 0.5; never 1E+1."""
    return format(quantity.normalize(), "f")


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
    receiving: WorkCalendar | None = None  # when what comes from outside is taken in; None: at any time

    def need(self, status: SupplyStatus) -> Need:
        """Whether the loop's sequence asks for a status; statuses it does not name are optional."""
        return Need(self.sequence.get(status, Need.OPTIONAL))

    @property
    def without_transport(self) -> bool:
        """Filling is the end of it: neither COMPLETED nor IN_TRANSIT is ever shown (rule C13's exemption)."""
        return (
            self.need(SupplyStatus.COMPLETED) is Need.PROHIBITED
            and self.need(SupplyStatus.IN_TRANSIT) is Need.PROHIBITED
        )


@dataclass(slots=True)
class Turn:
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
    batch: UUID | None = None
    recall: bool = False
    failed: str = ""  # why it stands in ERROR: what went wrong for good beside the floor
    owner: str = ""
    owner_since: datetime | None = None

    @property
    def place(self) -> SupplyStatus:
        """Where its container stands, whatever else is the matter with it."""
        return SupplyStatus(self.step) if self.step else SupplyStatus.EMPTY

    @property
    def short(self) -> bool:
        """Whether it waits for a full container in the supermarket."""
        return self.reason == SUPPLY_SHORT

    @property
    def under_way(self) -> bool:
        """Whether the supply side has begun to fill it, or has promised to."""
        return bool(self.step) or self.signal_state is SignalState.ACKNOWLEDGED


@dataclass(slots=True)
class Card:
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
    turns_left: int | None = None
    been_full: bool = False
    turn_number: int = 0
    full_since: datetime | None = None
    moved_at: datetime | None = None
    moved_by: str = ""
    last_intent: str = ""
    last_scan: UUID | None = None
    turn: Turn | None = None

    @property
    def held(self) -> bool:
        """Whether somebody took it out of circulation for a time, and must say how it goes on."""
        return self.card_status is CardStatus.HELD

    @property
    def usable(self) -> bool:
        """Whether the demand source can take from it (the rule of a runout, C9)."""
        return (
            self.card_status is CardStatus.IN_CIRCULATION
            and not self.blocked
            and self.supply_status in USABLE
        )

    @property
    def position(self) -> SupplyStatus:
        """Where the container to be filled stands: the card's status, or its open turn's step while still IN_USE."""
        if self.turn is not None and self.supply_status in USABLE:
            return SupplyStatus.ERROR if self.turn.failed else self.turn.place
        return self.supply_status

    @property
    def container(self) -> int:
        """The number of the turn that will refill the container now at the demand source."""
        return self.turn.number if self.turn is not None else self.turn_number + 1

    @property
    def free(self) -> Decimal:
        """Pieces that nobody has booked."""
        return self.contents - self.booked


@dataclass(slots=True)
class OpenRunout:
    """A runout that has not ended."""

    opened_at: datetime
    opened_seq: int
    cause: str = ""
    facts: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class Loop:
    """A loop as the rules see it while its lock is held."""

    config: LoopConfig
    seq: int = 0
    suppressed: int = 0
    surplus_due: int = 0
    cards: dict[int, Card] = field(default_factory=dict)
    runout: OpenRunout | None = None

    def siblings(self, card: Card) -> list[Card]:
        """The other cards of the loop."""
        return [other for other in self.cards.values() if other.id != card.id]

    @property
    def circulating(self) -> int:
        """N as it is on the floor: cards that take part."""
        return sum(1 for card in self.cards.values() if card.card_status is CardStatus.IN_CIRCULATION)
