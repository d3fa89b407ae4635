"""Turns of cards, how they hang together, and what was drawn."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.db.models.lookups import Exact, IsNull

from jitapp.accounts.models import choices, new_uuid
from jitapp.kanban.vocabulary import Party, SignalState
from jitapp.plant.models import QuantityField
from jitapp.pull.models.cards import Card
from jitapp.pull.models.fields import OneOf, words_of


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
            words_of("signal_state", SignalState, "turn_signal_state_known"),
            words_of("step", ["", "IN_PROCESS", "COMPLETED", "IN_TRANSIT"], "turn_step_known"),
            models.CheckConstraint(
                condition=Exact(
                    IsNull(models.F("closed_at"), False),
                    OneOf(models.F("signal_state"), ["CLOSED", "CANCELLED"]),
                ),
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
