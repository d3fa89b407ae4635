"""What was sent and what was judged, and the ledger of events: rows that are never changed."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.expressions import RawSQL

from jitapp.accounts.models import choices, new_uuid
from jitapp.kanban.vocabulary import Outcome
from jitapp.pull.models.cards import Card
from jitapp.pull.models.fields import Xid8Field, words_of

# What a row names: neither checked nor indexed by the database (see Receipt).
_NAMED: dict[str, Any] = {
    "on_delete": models.PROTECT,
    "db_constraint": False,
    "db_index": False,
    "blank": True,
}


class Receipt(models.Model):
    """Every scan as received, also refused ones, with the answer it got. Its id is the client's (rule C3).

    As in the ledger, what a row names is protected by Django and deleted by nobody (cards not even by the database);
    checking and indexing each of the names again for every row would be a third of a scan's cost in the database.
    """

    scan_id = models.UUIDField(unique=True)
    fingerprint = models.BinaryField(max_length=32, help_text="SHA-256 of the scan's content")
    plant = models.ForeignKey("plant.Plant", null=True, **_NAMED)
    device = models.ForeignKey("accounts.Device", null=True, **_NAMED)
    person = models.ForeignKey("accounts.Person", null=True, **_NAMED)
    station = models.ForeignKey("plant.Station", null=True, **_NAMED)
    loop = models.ForeignKey("plant.Loop", null=True, **_NAMED)
    card = models.ForeignKey(Card, null=True, **_NAMED)
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
        constraints = [words_of("outcome", Outcome, "receipt_outcome_known")]
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


class History(models.Model):
    """An era of this database's history; the newest row is the present one (pull/history.py).

    Transaction numbers belong to one run of one database. Where that changes, because the database was restored, a new
    era begins, and the feed's order goes by eras first.
    """

    era = models.BigIntegerField(primary_key=True, help_text="seconds since 1970 when it began")
    epoch = models.CharField(max_length=16, unique=True, help_text="the era's name in cursors and streams")
    identity = models.CharField(
        max_length=80, help_text="cluster, time line and database; empty: not yet known"
    )
    began_at = models.DateTimeField()
    kept_until = models.DateTimeField(
        null=True,
        blank=True,
        help_text="nothing recorded until then is missing; what came later was set back",
    )

    def __str__(self) -> str:
        return self.epoch


class Event(models.Model):
    """The ledger: append-only by triggers, folded in (loop_seq) order; every present state can be rebuilt from it.

    `from_status`/`to_status` are set on events that move a card's supply status (rule C4).
    """

    # Version 7 and of our own making: unique without an index that would prove it.
    uuid = models.UUIDField(default=new_uuid, editable=False)
    xid = Xid8Field(db_default=RawSQL("pg_current_xact_id()", ()), editable=False)
    # Where it stands in the feed: the era, then its transaction, or that of the loop's event before if it is later.
    era = models.BigIntegerField(db_default=RawSQL("pull_era()", ()), editable=False)
    place = Xid8Field(db_default=RawSQL("pg_current_xact_id()", ()), editable=False)
    type = models.CharField(max_length=32)
    plant = models.ForeignKey("plant.Plant", on_delete=models.PROTECT, db_constraint=False, db_index=False)
    loop = models.ForeignKey("plant.Loop", null=True, **_NAMED)
    loop_seq = models.BigIntegerField(null=True, blank=True)
    card = models.ForeignKey(Card, related_name="events", null=True, **_NAMED)
    turn_number = models.PositiveIntegerField(null=True, blank=True)
    turn = models.UUIDField(null=True, blank=True, help_text="the turn's outside id")
    station = models.ForeignKey("plant.Station", null=True, **_NAMED)
    person = models.ForeignKey("accounts.Person", null=True, **_NAMED)
    device = models.ForeignKey("accounts.Device", null=True, **_NAMED)
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
            models.Index(fields=["era", "place", "id"], name="event_feed"),
            models.Index(fields=["card", "id"], name="event_by_card"),
            models.Index(
                fields=["station", "id"], name="event_of_station", condition=models.Q(loop__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.loop_id}/{self.loop_seq}"
