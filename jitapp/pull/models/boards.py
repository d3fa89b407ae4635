"""What boards remember of loops, so that an area of ten thousand need not be measured to show its first rows."""

from __future__ import annotations

from django.db import models


class BoardLine(models.Model):
    """How a loop of a wide area stood when it was measured last: enough to order and to count it.

    A memory, never the truth: whatever is shown is measured again. It is out of date as soon as the loop's `seq`, the
    era or the loop's status differs, and may be after a minute while something is under way (`moves`), because then
    time alone changes how a loop stands.
    """

    loop = models.OneToOneField(
        "plant.Loop", on_delete=models.PROTECT, primary_key=True, related_name="board_line"
    )
    era = models.PositiveIntegerField()
    seq = models.BigIntegerField(help_text="the loop's seq when it was measured")
    status = models.CharField(max_length=8, help_text="the loop's status when it was measured")
    state = models.CharField(max_length=8, help_text="out, act, soon, move, ok or held")
    short = models.FloatField(help_text="the order within a state: greater is more urgent")
    lateness = models.FloatField(help_text="the order of what is as short; greater is more urgent")
    late = models.PositiveIntegerField(help_text="turns past their due time")
    moves = models.BooleanField(help_text="something is under way, so that time alone changes it")
    measured_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.loop_id}@{self.seq}: {self.state}"
