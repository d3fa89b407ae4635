"""Handovers from one shift's leader to the next: rows that only grow, as the ledger does.

They stand in this room and not among the master data of `plant`, because they keep the state of the floor as two people
saw and signed it, and the triggers that keep such rows from being changed are this room's.
"""

from __future__ import annotations

from django.db import models

from jitapp.accounts.models import new_uuid


class Handover(models.Model):
    """What a leader left to the next one. `facts` is the page as it was signed (pull/reading/handover.py), so that
    nothing told later changes it."""

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    area = models.ForeignKey("plant.Area", on_delete=models.PROTECT, related_name="handovers", db_index=False)
    since = models.DateTimeField(help_text="when the shift began that is handed over")
    until = models.DateTimeField(help_text="when it was handed over; the facts are of this instant")
    notes = models.TextField(blank=True)
    facts = models.JSONField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(until__gte=models.F("since")), name="handover_ends_after_it_begins"
            )
        ]
        indexes = [models.Index(fields=["area", "-until"], name="handover_by_area")]

    def __str__(self) -> str:
        return f"{self.area_id} {self.until:%Y-%m-%d %H:%M}"


class HandoverSignature(models.Model):
    """Who signed a handover: the leader who left, then the one who arrived, perhaps with a word of their own."""

    class Side(models.TextChoices):
        LEAVING = "leaving"
        ARRIVING = "arriving"

    class How(models.TextChoices):
        LOGIN = "login"
        BADGE = "badge"
        PIN = "pin"

    handover = models.ForeignKey(
        Handover, on_delete=models.PROTECT, related_name="signatures", db_index=False
    )
    side = models.CharField(max_length=8, choices=Side.choices)
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    how = models.CharField(max_length=5, choices=How.choices, help_text="how the person proved who they are")
    signed_at = models.DateTimeField()
    remark = models.CharField(max_length=400, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["handover", "side"], name="handover_signed_once_per_side"),
            models.CheckConstraint(
                condition=models.Q(side__in=["leaving", "arriving"]), name="handover_side_known"
            ),
            models.CheckConstraint(
                condition=models.Q(how__in=["login", "badge", "pin"]), name="handover_how_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.person_id}"
