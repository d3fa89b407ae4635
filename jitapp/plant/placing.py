"""Devices where they stand, and what is not known yet: devices about to be enrolled, badges that nobody has."""

from __future__ import annotations

from django.db import models
from django.db.models import Value

from jitapp.accounts.models import choices, new_uuid
from jitapp.kanban.vocabulary import DeviceKind


class Placement(models.Model):
    """Where a device stands: its plant, and its own station if it has one."""

    device = models.OneToOneField("accounts.Device", on_delete=models.CASCADE, related_name="placement")
    plant = models.ForeignKey("plant.Plant", on_delete=models.CASCADE, related_name="placements")
    station = models.ForeignKey("plant.Station", on_delete=models.PROTECT, null=True, blank=True)
    intent = models.CharField(
        max_length=12, blank=True, db_default="", help_text="what a scan there means; empty: the usual step"
    )
    wall = models.JSONField(
        default=dict,
        db_default=Value({}, models.JSONField()),
        blank=True,
        help_text="what a wall screen shows (jitapp/plant/walls.py)",
    )

    def __str__(self) -> str:
        return f"{self.device_id} at {self.station_id}"


class Enrolment(models.Model):
    """A one-time code by which a browser becomes a device; only its SHA-256 is stored.

    The code has 60 random bits and ends after ten minutes, so a fast hash is enough: there is nothing to guess.
    `device` is the one that is enrolled again, or the one that the code made.
    """

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    code_hash = models.CharField(max_length=64, unique=True)
    plant = models.ForeignKey("plant.Plant", on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=10, choices=choices(DeviceKind))
    station = models.ForeignKey(
        "plant.Station", on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    intent = models.CharField(max_length=12, blank=True, db_default="")
    wall = models.JSONField(default=dict, db_default=Value({}, models.JSONField()), blank=True)
    made_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    device = models.ForeignKey(
        "accounts.Device", on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )

    def __str__(self) -> str:
        return self.name


class UnknownBadge(models.Model):
    """A badge with which somebody wanted to sign in and that nobody has; gone when somebody has it, or when a leader
    has looked. `badge` is as it was read, control characters escaped."""

    plant = models.ForeignKey("plant.Plant", on_delete=models.CASCADE, related_name="+")
    badge = models.CharField(max_length=80)
    device = models.ForeignKey("accounts.Device", on_delete=models.CASCADE, related_name="+")
    times = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plant", "badge"], name="unknown_badge_once")]

    def __str__(self) -> str:
        return self.badge
