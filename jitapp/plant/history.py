"""The table of who changed which master data, when, from what to what, and of remarks on it (`changes` writes it)."""

from __future__ import annotations

from django.db import models


class MasterChange(models.Model):
    """One row of master data was made or changed, or somebody wrote a remark on it.

    `changes`: {"name": ["before", "after"]}; empty for a new row and for a remark.
    """

    class What(models.TextChoices):
        CREATED = "created"
        CHANGED = "changed"
        REMARK = "remark"

    plant = models.ForeignKey("plant.Plant", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, help_text="the list of a shop file: parts, stations, loops")
    key = models.CharField(max_length=120)
    what = models.CharField(max_length=8, choices=What.choices)
    changes = models.JSONField(default=dict)
    remark = models.CharField(max_length=500, blank=True, default="")
    at = models.DateTimeField()
    person = models.ForeignKey(
        "accounts.Person", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    device = models.ForeignKey(
        "accounts.Device", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        indexes = [models.Index(fields=["plant", "kind", "key", "-id"], name="master_change_newest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key} {self.what}"
