"""Loops as they were at some number of their ledger, so that the past need not be folded from its beginning."""

from __future__ import annotations

from django.db import models


class LoopSnapshot(models.Model):
    """The fold of a loop's first `seq` events (jitapp/kanban/moment.py), and what the stretch of the ledger since the
    snapshot before it holds. A beginning of the ledger never changes, so that neither does its fold: what is told late
    comes behind it. Made by the sweep, proved by `verify`, and made again where it lacks.

    The stretch is (`after`, `seq`]; `earliest_at` and `latest_at` bound when its events occurred, `changes` says
    whether settings of the loop were changed in it.
    """

    loop = models.ForeignKey(
        "plant.Loop", on_delete=models.PROTECT, related_name="snapshots", db_constraint=False, db_index=False
    )
    shape = models.CharField(max_length=16, help_text="form of `state`; one of another form is not read")
    seq = models.BigIntegerField()
    after = models.BigIntegerField()
    known_at = models.DateTimeField(help_text="when the last of the events until here was recorded")
    earliest_at = models.DateTimeField()
    latest_at = models.DateTimeField()
    changes = models.BooleanField()
    state = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["loop", "shape", "seq"], name="snapshot_once"),
        ]
        indexes = [models.Index(fields=["loop", "shape", "known_at"], name="snapshot_by_knowledge")]

    def __str__(self) -> str:
        return f"{self.loop_id}@{self.seq}"
