"""The table of demonstrations: which plant is one, and when it was ended (`shown` reads it, and ends)."""

from __future__ import annotations

from django.db import models


class Demonstration(models.Model):
    """A plant that was made to be tried, and may therefore be removed with everything in it.

    Only the database's owner writes here (jitapp/workshop/grants.py): whoever speaks as the application can mark no
    plant. The row outlives the plant, so it names it by number, without a foreign key. `ending` holds the number of the
    transaction in which the plant is being removed, while that runs: the triggers of the ledger ask for it.
    """

    plant_number = models.BigIntegerField(unique=True, help_text="id of the plant; never used again")
    code = models.CharField(max_length=60)
    made_at = models.DateTimeField()
    ending = models.CharField(max_length=20, blank=True, default="", db_default="")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=120, blank=True, default="", db_default="")

    def __str__(self) -> str:
        return self.code
