"""Cards, turns, the ledger and what follows from it: fields and constraints only.

Writers are jitapp.pull.actions alone. The rules that PostgreSQL can hold stand here and in the migrations
(append-only ledger); docs of each constraint name the rule (C1-C14) they keep.
"""

from __future__ import annotations

from django.db import models
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from jitapp.accounts.models import choices, new_uuid
from jitapp.kanban.vocabulary import CardStatus, Outcome, Party, SignalState, SupplyStatus
from jitapp.plant.models import QuantityField, one_of


class Xid8Field(models.BigIntegerField[int, int]):
    """PostgreSQL's 64-bit transaction id; the event cursor is (xid, id) below pg_snapshot_xmin."""

    def db_type(self, connection: object) -> str:
        return "xid8"


class LoopState(models.Model):
    """A loop's counters; this row is the lock that serialises a loop (order: station, loops by id, cards by id)."""

    loop = models.OneToOneField(
        "plant.Loop", on_delete=models.PROTECT, primary_key=True, related_name="state"
    )
    seq = models.BigIntegerField(default=0, help_text="loop_seq of the loop's newest event; dense")
    near_since = models.DateTimeField(null=True, blank=True, help_text="near-runout since")
    suppressed = models.PositiveIntegerField(default=0, help_text="signals withheld while on hold")
    surplus_due = models.PositiveIntegerField(
        default=0, db_default=0, help_text="cards to be taken out, each when it is next empty"
    )
    been_full = models.BooleanField(
        default=False, db_default=False, help_text="a card of it has been FULL before (rule C9)"
    )
    drawn_ahead = QuantityField(
        default=0, db_default=0, help_text="pieces drawn beyond what was needed: pieces are whole"
    )
    usable_changed_at = models.DateTimeField(
        null=True, blank=True, help_text="newest change of the usable containers, in occurred time"
    )

    def __str__(self) -> str:
        return f"{self.loop_id}@{self.seq}"


class Card(models.Model):
    """The physical token. `code` never changes and is never reused.

    `contents` are the pieces in the container at the demand source, `booked` of them promised to released turns of
    the consuming station. While `supply_status` is IN_USE an open turn may already be under way (early release):
    its progress is `Turn.step`.
    """

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    loop = models.ForeignKey("plant.Loop", on_delete=models.PROTECT, related_name="cards", db_index=False)
    code = models.CharField(max_length=11, unique=True)
    number = models.PositiveIntegerField()
    card_status = models.CharField(max_length=14, choices=choices(CardStatus), default=CardStatus.NEW)
    supply_status = models.CharField(max_length=10, choices=choices(SupplyStatus), default=SupplyStatus.EMPTY)
    quantity = QuantityField(
        help_text="pieces a full container holds; the loop's quantity when last released"
    )
    contents = QuantityField(default=0)
    booked = QuantityField(default=0)
    blocked = models.BooleanField(default=False)
    urgent = models.BooleanField(default=False, db_default=False)
    out_of_stock = models.BooleanField(
        default=False, db_default=False, help_text="the supply side has nothing to send"
    )
    label_stale = models.BooleanField(
        default=False, db_default=False, help_text="printed values are no longer true: reprint"
    )
    note = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="why it is held, lost or removed"
    )
    turns_left = models.PositiveIntegerField(
        null=True, blank=True, help_text="limited-use card: turns it may still do"
    )
    replaces = models.PositiveIntegerField(
        null=True, blank=True, help_text="number of the lost card whose place it takes"
    )
    turn_number = models.PositiveIntegerField(default=0, help_text="number of the newest turn")
    full_since = models.DateTimeField(null=True, blank=True)
    status_since = models.DateTimeField(null=True, blank=True, help_text="since when it stands where it does")
    moved_at = models.DateTimeField(null=True, blank=True, help_text="when it was last scanned or drawn from")
    # As in the ledger: ids of rows that nobody deletes, without foreign keys.
    moved_device = models.BigIntegerField(null=True, blank=True, help_text="device that was last at it")
    moved_person = models.BigIntegerField(null=True, blank=True, help_text="person who was last at it")
    last_intent = models.CharField(max_length=12, blank=True, default="", db_default="")
    last_said = models.CharField(
        max_length=16,
        blank=True,
        default="",
        db_default="",
        help_text="fingerprint of the last scan's content",
    )
    last_scan = models.UUIDField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["loop", "number"], name="card_number_once"),
            one_of("card_status", CardStatus, "card_status_known"),
            one_of("supply_status", SupplyStatus, "card_supply_status_known"),
            models.CheckConstraint(
                condition=models.Q(contents__gte=0, booked__gte=0, booked__lte=models.F("contents")),
                name="card_contents_bounds",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Bin(models.Model):
    """The container; in a two-bin loop it carries the card's code; it may carry a tag of its own (Identifier)."""

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    plant = models.ForeignKey("plant.Plant", on_delete=models.PROTECT, related_name="bins")
    code = models.CharField(max_length=60, unique=True)
    card = models.OneToOneField(Card, on_delete=models.PROTECT, null=True, blank=True, related_name="bin")

    def __str__(self) -> str:
        return self.code


class Turn(models.Model):
    """One circulation of one card, FULL to FULL, numbered; the signal and its progress at the supply source."""

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="turns", db_index=False)
    loop = models.ForeignKey("plant.Loop", on_delete=models.PROTECT, related_name="turns", db_index=False)
    supply = models.ForeignKey(
        "plant.Station", on_delete=models.PROTECT, related_name="turns", db_index=False
    )
    number = models.PositiveIntegerField()
    signal_state = models.CharField(
        max_length=12, choices=choices(SignalState), default=SignalState.UNRELEASED
    )
    step = models.CharField(
        max_length=10, blank=True, default="", help_text="IN_PROCESS, COMPLETED, IN_TRANSIT or empty"
    )
    asked = QuantityField()
    made = QuantityField(null=True, blank=True)
    received = QuantityField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True, default="")
    opened_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    loaded_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    promised_at = models.DateTimeField(null=True, blank=True)
    docked_at = models.DateTimeField(null=True, blank=True, help_text="at the dock, not yet at its place")
    document = models.CharField(
        max_length=60, blank=True, default="", db_default="", help_text="number of the ERP's document"
    )
    batch = models.UUIDField(null=True, blank=True, help_text="released together")
    doc_owed = models.BooleanField(
        default=False, db_default=False, help_text="the ERP was asked for the document and has not answered"
    )
    to_recall = models.BooleanField(
        default=False, db_default=False, help_text="the card was held or lost while material was under way"
    )
    demand_cancelled = models.UUIDField(
        null=True, blank=True, help_text="the turn that no longer needs it, though work on it had begun"
    )
    answer_late = models.BooleanField(
        default=False, db_default=False, help_text="the supplier has not answered in time"
    )
    standing = models.CharField(
        max_length=20,
        blank=True,
        default="",
        db_default="",
        help_text="what it waits for, or what is done to it",
    )
    stretches = models.JSONField(
        default=list, db_default=[], help_text="its life: [reason, owner, since, event] each"
    )
    failed = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="why it stands in ERROR"
    )
    owner = models.CharField(max_length=10, choices=choices(Party), blank=True, help_text="who must act next")
    owner_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["card", "number"], name="turn_number_once"),
            # Rule C2: a document belongs to one live turn.
            models.UniqueConstraint(
                fields=["supply", "document"],
                condition=models.Q(closed_at__isnull=True) & ~models.Q(document=""),
                name="turn_document_once",
            ),
            # Rule C2: at most one open turn per card.
            models.UniqueConstraint(
                fields=["card"], condition=models.Q(closed_at__isnull=True), name="turn_one_open_per_card"
            ),
            one_of("signal_state", SignalState, "turn_signal_state_known"),
            models.CheckConstraint(
                condition=models.Q(step__in=["", "IN_PROCESS", "COMPLETED", "IN_TRANSIT"]),
                name="turn_step_known",
            ),
            models.CheckConstraint(
                condition=models.Q(signal_state__in=["CLOSED", "CANCELLED"], closed_at__isnull=False)
                | (~models.Q(signal_state__in=["CLOSED", "CANCELLED"]) & models.Q(closed_at__isnull=True)),
                name="turn_closed_says_when",
            ),
            # Rule C5: nothing is made without a released signal.
            models.CheckConstraint(
                condition=models.Q(step="") | models.Q(released_at__isnull=False),
                name="turn_step_needs_release",
            ),
            # Rule C6: received as asked, or a reason stands beside it.
            models.CheckConstraint(
                condition=models.Q(received__isnull=True)
                | models.Q(received=models.F("asked"))
                | ~models.Q(reason=""),
                name="turn_difference_needs_reason",
            ),
            # Rule C10: an open turn has an owner, and since when.
            models.CheckConstraint(
                condition=models.Q(closed_at__isnull=False)
                | (~models.Q(owner="") & models.Q(owner_since__isnull=False)),
                name="turn_open_has_owner",
            ),
        ]
        indexes = [
            # Without the step: a turn that only moves on is updated in its place (HOT), no index is touched.
            models.Index(
                fields=["supply"],
                name="turn_open_by_supply",
                condition=models.Q(closed_at__isnull=True),
            ),
            models.Index(fields=["loop", "-released_at"], name="turn_by_loop"),
        ]

    def __str__(self) -> str:
        return f"{self.card_id}/{self.number}"


class TurnLink(models.Model):
    """An edge of the pull chain: the downstream turn took from the container that the upstream turn refills.

    Written at the draw even if the upstream turn opens later, hence card and number instead of a foreign key.
    `booked` pieces of it are promised but not yet taken out (consume_at RELEASE).
    """

    class Kind(models.TextChoices):
        DRAW = "DRAW"
        SCAN = "SCAN"
        SWAP = "SWAP"
        EVENT = "EVENT"

    downstream = models.ForeignKey(Turn, on_delete=models.PROTECT, related_name="links_up", db_index=False)
    upstream_card = models.ForeignKey(
        Card, on_delete=models.PROTECT, related_name="links_down", db_index=False
    )
    upstream_number = models.PositiveIntegerField()
    kind = models.CharField(max_length=5, choices=Kind.choices)
    quantity = QuantityField()
    booked = QuantityField(default=0)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["downstream", "upstream_card", "upstream_number"], name="link_once"
            ),
        ]
        indexes = [models.Index(fields=["upstream_card", "upstream_number"], name="link_upstream")]

    def __str__(self) -> str:
        return f"{self.downstream_id} <- {self.upstream_card_id}/{self.upstream_number}"


class Draw(models.Model):
    """What a turn took from (or booked at) one component loop; once per turn and loop (rule C8)."""

    turn = models.ForeignKey(Turn, on_delete=models.PROTECT, related_name="draws", db_index=False)
    loop = models.ForeignKey("plant.Loop", on_delete=models.PROTECT, related_name="draws")
    needed = QuantityField()
    drawn = QuantityField(default=0)
    booked = QuantityField(default=0)
    short = QuantityField(default=0, help_text="missing pieces: a recorded shortage, never an error")
    used = models.BooleanField(
        default=False, help_text="the consumption has happened; a restart draws nothing"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["turn", "loop"], name="draw_once_per_turn_and_loop")]

    def __str__(self) -> str:
        return f"{self.turn_id} from {self.loop_id}"


class Receipt(models.Model):
    """Every scan as received, also refused ones, with the answer it got. Its id is the client's (rule C3).

    As in the ledger, what a row names is protected by Django and deleted by nobody (cards not even by the database);
    checking and indexing each of the names again for every row would be a third of a scan's cost in the database.
    """

    scan_id = models.UUIDField(unique=True)
    fingerprint = models.BinaryField(max_length=32, help_text="SHA-256 of the scan's content")
    plant = models.ForeignKey(
        "plant.Plant", on_delete=models.PROTECT, db_constraint=False, db_index=False, null=True, blank=True
    )
    device = models.ForeignKey(
        "accounts.Device",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
    )
    person = models.ForeignKey(
        "accounts.Person",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
    )
    station = models.ForeignKey(
        "plant.Station", on_delete=models.PROTECT, db_constraint=False, db_index=False, null=True, blank=True
    )
    loop = models.ForeignKey(
        "plant.Loop", on_delete=models.PROTECT, db_constraint=False, db_index=False, null=True, blank=True
    )
    card = models.ForeignKey(
        Card, on_delete=models.PROTECT, db_constraint=False, null=True, blank=True, db_index=False
    )
    raw = models.TextField(help_text="as received, control characters escaped, at most 4 kB")
    intent = models.CharField(max_length=12, blank=True)
    seq = models.BigIntegerField(null=True, blank=True)
    epoch = models.CharField(max_length=64, blank=True)
    occurred_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField()
    outcome = models.CharField(max_length=8, choices=choices(Outcome))
    code = models.CharField(max_length=40, help_text="what happened, or which rule said no")
    answer = models.JSONField(help_text="the stored answer; a repeat of the scan gets it word for word")
    settled_at = models.DateTimeField(
        null=True, blank=True, help_text="a parked scan was settled by a person"
    )

    class Meta:
        constraints = [one_of("outcome", Outcome, "receipt_outcome_known")]
        indexes = [
            models.Index(fields=["card", "-recorded_at"], name="receipt_by_card"),
            models.Index(fields=["device", "-recorded_at"], name="receipt_by_device"),
            models.Index(
                fields=["outcome", "recorded_at"],
                name="receipt_not_applied",
                condition=~models.Q(outcome="applied"),
            ),
            models.Index(
                fields=["recorded_at"],
                name="receipt_waiting",
                condition=models.Q(settled_at__isnull=True)
                & (models.Q(outcome="parked") | models.Q(code="unknown_card")),
            ),
        ]

    def __str__(self) -> str:
        return str(self.scan_id)


class Settlement(models.Model):
    """How a person settled a parked scan, or a code that nobody knew. The receipt's own answer stays (rule C3); this
    stands beside it and never changes.

    `scan_id` is the scan by which it was applied (its receipt and events are its own), `card` the card that an unknown
    code was given to.
    """

    class How(models.TextChoices):
        ACCEPTED = "accepted"
        DISCARDED = "discarded"
        ASSIGNED = "assigned"

    receipt = models.OneToOneField(Receipt, on_delete=models.PROTECT, related_name="settlement")
    key = models.UUIDField(help_text="the request; the same again gets the first answer")
    how = models.CharField(max_length=9, choices=How.choices)
    intent = models.CharField(max_length=20, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    scan_id = models.UUIDField(null=True, blank=True)
    card = models.ForeignKey(Card, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    settled_at = models.DateTimeField()
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    device = models.ForeignKey(
        "accounts.Device", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(how="accepted", scan_id__isnull=False)
                | models.Q(how="assigned", card__isnull=False)
                | (models.Q(how="discarded") & ~models.Q(reason="")),
                name="settlement_says_how",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.receipt_id} {self.how}"


class Event(models.Model):
    """The ledger: append-only by triggers, folded in (loop_seq) order; every present state can be rebuilt from it.

    `from_status`/`to_status` are set on events that move a card's supply status (rule C4).
    """

    # Version 7 and of our own making: unique without an index that would prove it.
    uuid = models.UUIDField(default=new_uuid, editable=False)
    xid = Xid8Field(db_default=RawSQL("pg_current_xact_id()", ()), editable=False)
    type = models.CharField(max_length=32)
    plant = models.ForeignKey("plant.Plant", on_delete=models.PROTECT, db_constraint=False, db_index=False)
    loop = models.ForeignKey(
        "plant.Loop", on_delete=models.PROTECT, db_constraint=False, db_index=False, null=True, blank=True
    )
    loop_seq = models.BigIntegerField(null=True, blank=True)
    card = models.ForeignKey(
        Card,
        on_delete=models.PROTECT,
        db_constraint=False,
        null=True,
        blank=True,
        related_name="events",
        db_index=False,
    )
    turn_number = models.PositiveIntegerField(null=True, blank=True)
    turn = models.UUIDField(null=True, blank=True, help_text="the turn's outside id")
    station = models.ForeignKey(
        "plant.Station", on_delete=models.PROTECT, db_constraint=False, db_index=False, null=True, blank=True
    )
    person = models.ForeignKey(
        "accounts.Person",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
    )
    device = models.ForeignKey(
        "accounts.Device",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
    )
    scan_id = models.UUIDField(null=True, blank=True)
    ordinal = models.PositiveSmallIntegerField(default=0)
    from_status = models.CharField(max_length=10, blank=True, default="")
    to_status = models.CharField(max_length=10, blank=True, default="")
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    late = models.BooleanField(default=False)
    data = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["loop", "loop_seq"], name="event_loop_seq_once"),
            # Rule C3: a scan has its events once.
            models.UniqueConstraint(
                fields=["scan_id", "ordinal"],
                condition=models.Q(scan_id__isnull=False),
                name="event_scan_once",
            ),
            models.CheckConstraint(
                condition=models.Q(loop__isnull=True, loop_seq__isnull=True)
                | models.Q(loop__isnull=False, loop_seq__isnull=False),
                name="event_loop_has_seq",
            ),
            models.CheckConstraint(
                condition=models.Q(occurred_at__lte=models.F("recorded_at")), name="event_not_from_tomorrow"
            ),
        ]
        indexes = [
            models.Index(fields=["xid", "id"], name="event_cursor"),
            models.Index(fields=["card", "id"], name="event_by_card"),
            models.Index(
                fields=["station", "id"], name="event_of_station", condition=models.Q(loop__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.loop_id}/{self.loop_seq}"


class Runout(models.Model):
    """A loop without a usable container, from the event that caused it to the first FULL (rule C9)."""

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    loop = models.ForeignKey("plant.Loop", on_delete=models.PROTECT, related_name="runouts")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    opened_seq = models.BigIntegerField()
    closed_seq = models.BigIntegerField(null=True, blank=True)
    cause = models.CharField(max_length=20, blank=True, help_text="candidate while open, final at the close")
    cause_facts = models.JSONField(default=dict, blank=True)
    owner = models.CharField(max_length=10, choices=choices(Party), blank=True)
    upstream = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="downstream"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["loop"], condition=models.Q(closed_at__isnull=True), name="runout_one_open_per_loop"
            ),
            models.UniqueConstraint(fields=["loop", "opened_seq"], name="runout_opened_once"),
        ]
        indexes = [models.Index(fields=["loop", "-opened_at"], name="runout_by_loop")]

    def __str__(self) -> str:
        return f"{self.loop_id} since {self.opened_at:%Y-%m-%d %H:%M}"


class Wait(models.Model):
    """An interval in which an open turn does not move, with its reason, owner and clock: the fold of `wait.opened` and
    `wait.closed`. Why a station did not get to it in that time is computed when it is read
    (jitapp/pull/reading/waits.py)."""

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    turn = models.ForeignKey(Turn, on_delete=models.PROTECT, related_name="waits")
    loop = models.ForeignKey("plant.Loop", on_delete=models.PROTECT, related_name="waits", db_index=False)
    reason = models.CharField(max_length=20)
    owner = models.CharField(max_length=10, choices=choices(Party))
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    # Empty: from before waits were events.
    opened_seq = models.BigIntegerField(
        null=True, blank=True, help_text="loop_seq of the turn's event that began it"
    )
    closed_seq = models.BigIntegerField(
        null=True, blank=True, help_text="loop_seq of the turn's event that ended it"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["turn"], condition=models.Q(closed_at__isnull=True), name="wait_one_open_per_turn"
            ),
            models.UniqueConstraint(fields=["turn", "reason", "opened_at", "opened_seq"], name="wait_once"),
            models.CheckConstraint(
                condition=models.Q(closed_at__isnull=True) | models.Q(closed_at__gte=models.F("opened_at")),
                name="wait_ends_after_it_begins",
            ),
        ]
        indexes = [models.Index(fields=["loop", "closed_at"], name="wait_by_loop")]

    def __str__(self) -> str:
        return f"{self.turn_id} {self.reason}"


class StationState(models.Model):
    """A stretch of time in which a station could not work on what waits for it, as its own events told; without an end
    it goes on. News may come late: whatever is cut with these is reckoned anew when it is read."""

    uuid = models.UUIDField(unique=True, editable=False, help_text="the event it began with")
    station = models.ForeignKey(
        "plant.Station", on_delete=models.PROTECT, related_name="states", db_index=False
    )
    kind = models.CharField(max_length=12)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["station", "kind"],
                condition=models.Q(ended_at__isnull=True),
                name="state_one_open_per_station_and_kind",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True) | models.Q(ended_at__gte=models.F("began_at")),
                name="state_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["down", "setup", "no_operator", "planned_stop"]),
                name="state_kind_known",
            ),
        ]
        indexes = [models.Index(fields=["station", "ended_at"], name="state_by_station")]

    def __str__(self) -> str:
        return f"{self.kind} at {self.station_id}"


class AndonCall(models.Model):
    """Somebody calls for help at a station, or a runout does by itself: what it is about, who took it, how it was
    solved."""

    class Kind(models.TextChoices):
        MATERIAL = "material"
        QUALITY = "quality"
        MACHINE = "machine"
        HELP = "help"

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    station = models.ForeignKey("plant.Station", on_delete=models.PROTECT, related_name="calls")
    loop = models.ForeignKey(
        "plant.Loop", on_delete=models.PROTECT, null=True, blank=True, related_name="calls"
    )
    card = models.ForeignKey(Card, on_delete=models.PROTECT, null=True, blank=True, related_name="calls")
    runout = models.OneToOneField(
        Runout,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="call",
        help_text="the runout that made this call; it makes one",
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    stops_line = models.BooleanField(default=False)
    note = models.CharField(max_length=200, blank=True)
    called_by = models.ForeignKey(
        "accounts.Person", on_delete=models.PROTECT, null=True, related_name="calls_made"
    )
    device = models.ForeignKey("accounts.Device", on_delete=models.PROTECT, null=True, blank=True)
    called_at = models.DateTimeField()
    owner = models.ForeignKey(
        "accounts.Person", on_delete=models.PROTECT, null=True, related_name="calls_owned"
    )
    owned_at = models.DateTimeField(null=True, blank=True)
    level = models.PositiveSmallIntegerField(default=0, help_text="step of escalation reached")
    solved_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    countermeasure = models.CharField(max_length=400, blank=True)
    countermeasure_due = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["material", "quality", "machine", "help"]),
                name="call_kind_known",
            ),
            models.CheckConstraint(
                condition=models.Q(solved_at__isnull=True) | ~models.Q(reason=""), name="call_solved_says_why"
            ),
        ]
        indexes = [
            models.Index(fields=["called_at"], name="call_open", condition=models.Q(solved_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.station_id}"


class QualityHold(models.Model):
    """A container or card that must not be used until quality says so."""

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="holds")
    reason = models.CharField(max_length=200)
    held_by = models.ForeignKey(
        "accounts.Person", on_delete=models.PROTECT, null=True, related_name="holds_made"
    )
    held_at = models.DateTimeField()
    released_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True, blank=True)
    decision = models.CharField(max_length=40, blank=True, help_text="use, rework, scrap")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["card"], condition=models.Q(released_at__isnull=True), name="hold_one_open_per_card"
            )
        ]

    def __str__(self) -> str:
        return f"{self.card_id}: {self.reason}"
