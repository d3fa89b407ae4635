"""The table of lessons that a person has done (`web/learn` says which there are)."""

from __future__ import annotations

from django.db import models


class LessonDone(models.Model):
    """A lesson of the page "Learn", done by this person: by itself, because the thing happened, or ticked by hand."""

    person = models.ForeignKey("accounts.Person", on_delete=models.CASCADE, related_name="lessons_done")
    lesson = models.CharField(max_length=40)
    done_at = models.DateTimeField()
    by_hand = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "lesson"], name="lesson_done_once")]

    def __str__(self) -> str:
        return f"{self.person_id} {self.lesson}"
