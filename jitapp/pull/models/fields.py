"""Column types of PostgreSQL that Django does not know."""

from __future__ import annotations

from typing import Any

from django.db import models


class Xid8Field(models.BigIntegerField[Any, Any]):
    """PostgreSQL's 64-bit transaction id; an event's place in the feed is (era, place, id)."""

    def db_type(self, connection: object) -> str:
        return "xid8"
