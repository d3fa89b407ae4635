"""The facts of a plant: places, parts, bills, loops and the codes that name them. Fields and constraints only."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Value
from django.db.models.functions import Lower

from jitapp.accounts.models import choices, new_uuid
from jitapp.kanban.names import LONGEST_NUMBER
from jitapp.kanban.vocabulary import (
    Accumulate,
    ConsumeAt,
    Consumption,
    DocPolicy,
    GrPolicy,
    Level,
    LoopKind,
    LoopStatus,
    Role,
    StationKind,
    Trigger,
)
from jitapp.plant.demonstrations import Demonstration as Demonstration
from jitapp.plant.history import MasterChange as MasterChange
from jitapp.plant.placing import Enrolment as Enrolment
from jitapp.plant.placing import Placement as Placement
from jitapp.plant.placing import UnknownBadge as UnknownBadge
from jitapp.plant.routes import Route, RouteStop  # noqa: F401 (tables of this room, found by Django through here)
from jitapp.plant.spelling import CODE, part_number
from jitapp.plant.wordsfield import words_field


def one_of(field: str, words: type, name: str) -> models.CheckConstraint:
    """A check that a column holds one of the words of the domain."""
    values = [word.value for word in words]  # type: ignore[attr-defined]
    return models.CheckConstraint(condition=models.Q(**{f"{field}__in": values}), name=name)


class QuantityField(models.DecimalField[Any, Any]):
    """A quantity: numeric(20,6), in the part's unit of measure."""

    def __init__(self, **options: object) -> None:
        options.setdefault("max_digits", 20)
        options.setdefault("decimal_places", 6)
        super().__init__(**options)  # type: ignore[arg-type]


class Plant(models.Model):
    """A site with its own time zone and calendar; people and devices see the plants they belong to."""

    code = models.CharField(max_length=60, unique=True, validators=[CODE])
    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=60, default="UTC")
    words = words_field()

    def __str__(self) -> str:
        return self.code


class Calendar(models.Model):
    """Working time of a plant, station or supplier.

    `shifts`: [{"days": ["mon", ...], "start": "06:00", "end": "14:00", "breaks": [["09:00", "09:15"]]}] in the
    plant's local time; `holidays`: ["2026-12-25"]. No shifts means every minute is a working minute.
    """

    plant = models.ForeignKey(Plant, on_delete=models.PROTECT, related_name="calendars")
    code = models.CharField(max_length=60, validators=[CODE])
    name = models.CharField(max_length=120, blank=True)
    is_default = models.BooleanField(default=False)
    is_receiving = models.BooleanField(
        default=False, db_default=False, help_text="when the plant takes deliveries in"
    )
    shifts = models.JSONField(default=list, blank=True)
    holidays = models.JSONField(default=list, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plant", "code"], name="calendar_code_once"),
            # A plant has at most one default calendar.
            models.UniqueConstraint(
                fields=["plant"], condition=models.Q(is_default=True), name="calendar_default_once"
            ),
            models.UniqueConstraint(
                fields=["plant"], condition=models.Q(is_receiving=True), name="calendar_receiving_once"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Membership(models.Model):
    """What a person may do in a plant."""

    person = models.ForeignKey("accounts.Person", on_delete=models.CASCADE, related_name="memberships")
    plant = models.ForeignKey(Plant, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=choices(Role))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "plant", "role"], name="membership_once"),
            one_of("role", Role, "membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.role}"


class Area(models.Model):
    """A part of a plant that has a leader and a board."""

    plant = models.ForeignKey(Plant, on_delete=models.PROTECT, related_name="areas")
    code = models.CharField(max_length=60, unique=True, validators=[CODE])
    name = models.CharField(max_length=120)
    leader = models.ForeignKey("accounts.Person", on_delete=models.SET_NULL, null=True, blank=True)
    receiving = models.ForeignKey(
        Calendar,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        help_text="when deliveries are taken in here; empty: when the plant does",
    )
    idle_minutes = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        default=10,
        db_default=10,
        help_text="after so many minutes without a touch nobody is signed in at a tablet; empty: until they sign out",
    )
    escalation = models.JSONField(
        default=list,
        db_default=Value([], models.JSONField()),
        blank=True,
        help_text='who must come to a call that nobody took: [{"after": 5, "who": "area_leader"}], minutes of working'
        " time; empty: the usual steps",
    )
    words = words_field()

    class Meta:
        constraints = [
            # /b/supply/<station> is another page, so no area may take that word.
            models.CheckConstraint(condition=~models.Q(code="supply"), name="area_code_not_reserved"),
        ]

    def __str__(self) -> str:
        return self.code


class Supplier(models.Model):
    """A company that fills containers from outside."""

    plant = models.ForeignKey(Plant, on_delete=models.PROTECT, related_name="suppliers")
    code = models.CharField(max_length=60, unique=True, validators=[CODE])
    name = models.CharField(max_length=120)
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, null=True, blank=True)
    ack_within_minutes = models.PositiveIntegerField(null=True, blank=True)
    delivery_days = models.JSONField(
        default=list,
        db_default=Value([], models.JSONField()),
        blank=True,
        help_text='["tue", "thu"]; empty: every day',
    )
    version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return self.code


class Station(models.Model):
    """A place where work is done or parts wait."""

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    plant = models.ForeignKey(Plant, on_delete=models.PROTECT, related_name="stations")
    area = models.ForeignKey(Area, on_delete=models.PROTECT, null=True, blank=True, related_name="stations")
    code = models.CharField(max_length=60, unique=True, validators=[CODE])
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=12, choices=choices(StationKind))
    consumption = models.CharField(max_length=10, choices=choices(Consumption), default=Consumption.SCAN)
    wip_limit = models.PositiveIntegerField(
        null=True, blank=True, help_text="cards in process; empty: no limit"
    )
    receiving_limit = models.PositiveIntegerField(
        null=True, blank=True, help_text="full cards; empty: no limit"
    )
    default_intent = models.CharField(max_length=12, blank=True)
    readiness_checks = models.JSONField(default=list, blank=True)
    keeps_sequence = models.BooleanField(
        default=False, db_default=False, help_text="starting out of the order of release needs a reason"
    )
    refuses_without_components = models.BooleanField(
        default=False, db_default=False, help_text="nothing is started while a component has run out"
    )
    standard_work = models.URLField(blank=True)
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, null=True, blank=True)
    supplier = models.ForeignKey(Supplier, on_delete=models.PROTECT, null=True, blank=True)
    position = models.PositiveIntegerField(default=0, help_text="place along the flow, upstream first")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            one_of("kind", StationKind, "station_kind_known"),
            one_of("consumption", Consumption, "station_consumption_known"),
            # A supplier's station belongs to a supplier, and only such a station does.
            models.CheckConstraint(
                condition=models.Q(kind=StationKind.SUPPLIER, supplier__isnull=False)
                | (~models.Q(kind=StationKind.SUPPLIER) & models.Q(supplier__isnull=True)),
                name="station_supplier_fits_kind",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Part(models.Model):
    """What is moved: one part number per stage of making, so that a bill has no circle."""

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    plant = models.ForeignKey(Plant, on_delete=models.PROTECT, related_name="parts")
    number = models.CharField(max_length=LONGEST_NUMBER, unique=True, validators=[part_number])
    description = models.CharField(max_length=200, blank=True)
    unit = models.CharField(max_length=10, default="pcs")
    decimals = models.PositiveSmallIntegerField(default=0)
    gtin = models.CharField(max_length=14, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(decimals__lte=6), name="part_decimals_at_most_six"),
        ]
        indexes = [models.Index(Lower("number"), name="part_number_in_any_case")]

    def __str__(self) -> str:
        return self.number


class BillOfMaterials(models.Model):
    """One line of a bill: `quantity` of the component goes into one unit of the parent."""

    parent = models.ForeignKey(Part, on_delete=models.CASCADE, related_name="bill")
    component = models.ForeignKey(Part, on_delete=models.PROTECT, related_name="used_in")
    quantity = QuantityField()

    class Meta:
        verbose_name_plural = "bills of materials"
        constraints = [
            models.UniqueConstraint(fields=["parent", "component"], name="bill_line_once"),
            models.CheckConstraint(condition=models.Q(quantity__gt=0), name="bill_quantity_positive"),
            models.CheckConstraint(
                condition=~models.Q(parent=models.F("component")), name="bill_not_of_itself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.parent_id} <- {self.component_id}"


class Loop(models.Model):
    """The control cycle: one part, one demand source, one supply source, cards of `quantity` pieces."""

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    plant = models.ForeignKey(Plant, on_delete=models.PROTECT, related_name="loops")
    code = models.CharField(max_length=60, unique=True, validators=[CODE])
    part = models.ForeignKey(Part, on_delete=models.PROTECT, related_name="loops")
    demand = models.ForeignKey(Station, on_delete=models.PROTECT, related_name="loops_in")
    supply = models.ForeignKey(Station, on_delete=models.PROTECT, related_name="loops_out")
    kind = models.CharField(max_length=12, choices=choices(LoopKind))
    status = models.CharField(max_length=10, choices=choices(LoopStatus), default=LoopStatus.ACTIVE)
    hold_reason = models.CharField(max_length=200, blank=True)
    quantity = QuantityField(help_text="pieces a card asks for")
    lead_time_minutes = models.PositiveIntegerField(
        default=240, help_text="working minutes of the supply station"
    )
    consume_at = models.CharField(max_length=10, choices=choices(ConsumeAt), default=ConsumeAt.START)
    trigger = models.CharField(max_length=20, choices=choices(Trigger), default=Trigger.ON_EMPTY)
    sequence = models.JSONField(default=dict, blank=True, help_text='{"IN_TRANSIT": "PROHIBITED"}')
    min_turn_minutes = models.PositiveIntegerField(default=0)
    min_turn_level = models.CharField(max_length=5, choices=choices(Level), default=Level.WARN)
    bounce_ms = models.PositiveIntegerField(default=1500)
    undo_window_s = models.PositiveIntegerField(default=120)
    late_hours = models.PositiveIntegerField(
        default=72, db_default=72, help_text="a scan that is older when it comes in waits for a person"
    )
    max_empty_allowed = models.PositiveIntegerField(default=0)
    accumulate = models.CharField(
        max_length=10, choices=choices(Accumulate), default=Accumulate.NONE, db_default=Accumulate.NONE
    )
    accumulate_cards = models.PositiveIntegerField(null=True, blank=True, help_text="at most N - 1")
    lot_quantity = QuantityField(null=True, blank=True, help_text="pieces released together")
    triangle_quantity = QuantityField(
        null=True,
        blank=True,
        help_text="signal kanban: pieces left where the triangle hangs; at most the lot",
    )
    accumulate_times = models.JSONField(
        default=list,
        db_default=Value([], models.JSONField()),
        blank=True,
        help_text='["10:00"] in the plant\'s time',
    )
    independent_supply = models.BooleanField(
        default=False, db_default=False, help_text="an emptied card waits until the supply side releases it"
    )
    doc_policy = models.CharField(
        max_length=20, choices=choices(DocPolicy), default=DocPolicy.NONE, db_default=DocPolicy.NONE
    )
    ack_required = models.BooleanField(
        default=False, db_default=False, help_text="whoever fills must say that the signal was seen"
    )
    ack_within_minutes = models.PositiveIntegerField(
        default=480,
        db_default=480,
        help_text="where that is required: how soon after the release, in working minutes of the supply station",
    )
    gr_policy = models.CharField(
        max_length=20,
        choices=choices(GrPolicy),
        default=GrPolicy.FULL_POSTS_RECEIPT,
        db_default=GrPolicy.FULL_POSTS_RECEIPT,
    )
    reorder_level = QuantityField(
        null=True, blank=True, help_text="ON_QTY: a signal goes out when the stock is strictly below it"
    )
    auto_detach = models.BooleanField(
        default=False,
        db_default=False,
        help_text="WITHDRAWAL: software detaches the supermarket's card when the container leaves",
    )
    version = models.PositiveIntegerField(default=1)
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            one_of("kind", LoopKind, "loop_kind_known"),
            one_of("status", LoopStatus, "loop_status_known"),
            one_of("consume_at", ConsumeAt, "loop_consume_at_known"),
            one_of("trigger", Trigger, "loop_trigger_known"),
            one_of("accumulate", Accumulate, "loop_accumulate_known"),
            one_of("doc_policy", DocPolicy, "loop_doc_policy_known"),
            one_of("gr_policy", GrPolicy, "loop_gr_policy_known"),
            models.CheckConstraint(condition=models.Q(quantity__gt=0), name="loop_quantity_positive"),
            # A signal kanban whose lot is smaller than what the triangle leaves would ask again before it is filled.
            models.CheckConstraint(
                condition=models.Q(triangle_quantity__isnull=True)
                | models.Q(lot_quantity__gte=models.F("triangle_quantity")),
                name="loop_lot_at_least_triangle",
            ),
            models.CheckConstraint(
                condition=~models.Q(accumulate=Accumulate.CARDS) | models.Q(accumulate_cards__gt=0),
                name="loop_accumulate_says_how_many",
            ),
            models.CheckConstraint(
                condition=~models.Q(accumulate=Accumulate.QUANTITY) | models.Q(lot_quantity__gt=0),
                name="loop_accumulate_says_how_much",
            ),
            models.CheckConstraint(
                condition=~models.Q(trigger=Trigger.ON_QTY) | models.Q(reorder_level__gt=0),
                name="loop_quantity_signal_has_level",
            ),
            models.CheckConstraint(
                condition=~models.Q(demand=models.F("supply")), name="loop_not_onto_itself"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class StandardWork(models.Model):
    """Where the standard work of making a part at a station is described; without one the station's own counts."""

    part = models.ForeignKey(Part, on_delete=models.CASCADE, related_name="standard_work")
    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="standard_work_of_parts")
    url = models.URLField()

    class Meta:
        verbose_name_plural = "standard work"
        constraints = [models.UniqueConstraint(fields=["part", "station"], name="standard_work_once")]

    def __str__(self) -> str:
        return f"{self.part_id} at {self.station_id}"


class LoopRevision(models.Model):
    """Planned values of a loop with the instant from which they hold; applied by the sweeper, never edited after.

    One that the loop cannot take any more at that instant is refused instead, with the reason.
    """

    loop = models.ForeignKey(Loop, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    effective_at = models.DateTimeField()
    values = models.JSONField(help_text='{"quantity": "8", "cards": 3}')
    reason = models.CharField(max_length=200, blank=True)
    author = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    refused_at = models.DateTimeField(null=True, blank=True)
    refusal = models.TextField(blank=True, default="", db_default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["loop", "number"], name="loop_revision_once")]

    def __str__(self) -> str:
        return f"{self.loop_id} revision {self.number}"


class Identifier(models.Model):
    """Any scannable code or tag: unique over all plants, points to exactly one target, never reused."""

    class Kind(models.TextChoices):
        CARD = "card"
        BIN = "bin"
        STATION = "station"
        PART = "part"
        PERSON = "person"

    code = models.CharField(max_length=128, unique=True)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    target_id = models.BigIntegerField(help_text="id of the card, bin, station, part or person")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["card", "bin", "station", "part", "person"]),
                name="identifier_kind_known",
            ),
        ]
        indexes = [models.Index(fields=["kind", "target_id"], name="identifier_target")]

    def __str__(self) -> str:
        return self.code


class Epoch(models.Model):
    """One row that counts every change of master data; triggers raise it, caches compare it.

    A scan reads the number with its locking read and keeps loops, bills and calendars in memory between changes.
    """

    number = models.BigIntegerField(default=1)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="epoch_one_row")]

    def __str__(self) -> str:
        return str(self.number)
