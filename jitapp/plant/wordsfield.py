"""The column in which a plant or an area keeps its own words (jitapp/plant/wording)."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Value


def words_field() -> models.JSONField[Any, Any]:
    """language -> term -> forms; empty: the house's words."""
    return models.JSONField(
        default=dict,
        db_default=Value({}, models.JSONField()),
        blank=True,
        help_text="words in place of ours, by language and term (docs/words.md)",
    )
