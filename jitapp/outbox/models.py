"""The outbox: a row written in the transaction of its cause is the job. Plain ids and text, no foreign keys."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class Message(models.Model):
    """One thing to do after a commit: at least once by the relay, effect and `done_at` in one transaction.

    `key` keeps order: messages of one key (a loop's id) are handled one after the other, oldest first.
    """

    topic = models.CharField(max_length=40)
    key = models.BigIntegerField()
    payload = models.JSONField(default=dict)
    dedupe_key = models.CharField(max_length=120, null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())
    attempts = models.SmallIntegerField(db_default=0)
    last_error = models.TextField(blank=True, db_default="")
    done_at = models.DateTimeField(null=True, blank=True)
    dead_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dedupe_key"], condition=models.Q(dedupe_key__isnull=False), name="outbox_once"
            ),
        ]
        indexes = [
            # Both small, because what is done leaves them: the oldest of all, and the oldest of a key.
            models.Index(
                fields=["id"],
                name="outbox_next",
                condition=models.Q(done_at__isnull=True, dead_at__isnull=True),
            ),
            models.Index(
                fields=["key", "id"],
                name="outbox_waiting",
                condition=models.Q(done_at__isnull=True, dead_at__isnull=True),
            ),
            models.Index(fields=["dead_at"], name="outbox_dead", condition=models.Q(dead_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.key} #{self.pk}"
