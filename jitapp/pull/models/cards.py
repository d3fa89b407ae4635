"""Cards and the containers they are bound to, and what a loop counts."""

from __future__ import annotations

from django.db import models

from jitapp.accounts.models import choices, new_uuid
from jitapp.kanban.vocabulary import CardStatus, SupplyStatus
from jitapp.plant.models import QuantityField
from jitapp.pull.models.fields import Xid8Field, words_of


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
    place = Xid8Field(
        null=True, editable=False, help_text="place of its newest event in the feed, in this era"
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
            words_of("card_status", CardStatus, "card_status_known"),
            words_of("supply_status", SupplyStatus, "card_supply_status_known"),
            models.CheckConstraint(
                condition=models.Q(booked__gte=0, booked__lte=models.F("contents")),
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
