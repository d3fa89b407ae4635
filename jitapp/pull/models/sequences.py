"""The numbers that a device counts its scans by, as far as they came in, and those that did not."""

from __future__ import annotations

from django.db import models


class DeviceSequence(models.Model):
    """How far one sequence of a device came; it begins again, under another `epoch`, after a loss of memory."""

    device = models.ForeignKey("accounts.Device", on_delete=models.CASCADE, related_name="sequences")
    epoch = models.CharField(max_length=64, blank=True)
    first_seq = models.BigIntegerField(help_text="the lowest number that is expected")
    max_seq = models.BigIntegerField(help_text="the highest that came in")
    recorded_at = models.DateTimeField(help_text="of the newest receipt that was looked at")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["device", "epoch"], name="device_sequence_once")]

    def __str__(self) -> str:
        return f"{self.device_id} {self.epoch}: {self.max_seq}"


class MissingScans(models.Model):
    """Numbers `first` to `last` of a sequence: later ones came in, these did not. The row goes when they come; a leader
    may note what was found out about them."""

    device = models.ForeignKey("accounts.Device", on_delete=models.CASCADE, related_name="missing_scans")
    epoch = models.CharField(max_length=64, blank=True)
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    found_at = models.DateTimeField(help_text="when a later number came in")
    noted_at = models.DateTimeField(null=True, blank=True)
    noted_by = models.ForeignKey(
        "accounts.Person", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    note = models.CharField(max_length=200, blank=True, db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["device", "epoch", "first"], name="missing_scans_once"),
            models.CheckConstraint(
                condition=models.Q(last__gte=models.F("first")), name="missing_scans_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.device_id} {self.epoch}: {self.first}-{self.last}"
