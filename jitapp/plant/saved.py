"""Saved rows as the rules find them: what no check of ours let through is mended in memory, and said."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, ClassVar

from django.db import models

from jitapp.plant.masters.master import Master

logger = logging.getLogger(__name__)


class SavedRows:
    """One reading of the settings: every row is looked at, and each that cannot be read is told of once."""

    # What was told last by this process: settings are read again at every change, and their faults stay.
    _told: ClassVar[frozenset[str]] = frozenset()

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], str] = {}

    def look(self, master: Master[Any, Any], entry: models.Model) -> str:
        """Mends the row in memory (`Master.mend`); returns what was wrong with it, empty for a row that can be read."""
        place = (master.kind, entry.pk)
        known = self._known.get(place)
        if (
            known != ""
        ):  # a row that was found right is right in every copy of it; others are mended copy by copy
            wrong = master.mend(entry)
            known = f"{master.word.title()} {getattr(entry, master.key)}: {' '.join(wrong)}" if wrong else ""
            self._known.setdefault(place, known)
        return self._known[place]

    def tell(self, more: Iterable[str]) -> None:
        """Logs what cannot be read, unless that was said already."""
        found = frozenset(filter(None, [*self._known.values(), *more]))
        for sentence in sorted(found - SavedRows._told):
            logger.error(
                "A saved row cannot be used: %s Correct it in the administration, or by file or API.",
                sentence,
            )
        SavedRows._told = found
