"""What the API itself must remember between two requests."""

from __future__ import annotations

from django.db import models

from jitapp.accounts.models import Device


class KeptAnswer(models.Model):
    """The first answer to a write that came with an `Idempotency-Key`; written in the transaction of what it did.

    `fingerprint` is the SHA-256 of method, address and content. Without `status` the answer is kept elsewhere (a scan's
    receipt), and the row only says whose key it is. Rows older than keys.KEPT_DAYS are deleted.
    """

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    etag = models.CharField(max_length=80, blank=True)
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["device", "key"], name="kept_answer_once_per_key")]

    def __str__(self) -> str:
        return self.key
