"""Wrong guesses, counted in the database because every process must know them, and how long the next one waits.

A try is counted before it is checked and taken back if it was right, so that tries at the same moment are not fewer
than there were.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from jitapp.accounts.models import WrongTries

LONGEST_KEPT = timedelta(days=2)
MOST_DOUBLINGS = 20


@dataclass(frozen=True, slots=True)
class Gate:
    """`free` wrong tries in a row cost nothing; each further one shuts the gate for `wait`, doubled every time, `most`
    at most. Without a wrong try for `forgets` the count begins again."""

    name: str
    free: int
    wait: timedelta
    most: timedelta
    forgets: timedelta

    def enter(self, who: str, now: datetime) -> datetime | None:
        """Counts a try; None if it may be made, else the instant from which the next one counts."""
        with transaction.atomic():
            row = self._row(who, now)
            if row.shut_until is not None and row.shut_until > now:
                return row.shut_until
            if now - row.last_at > self.forgets:
                row.wrong = 0
            row.wrong += 1
            row.last_at = now
            row.shut_until = self._shut_until(row.wrong, now)
            row.save(update_fields=["wrong", "last_at", "shut_until"])
        return None

    def right(self, who: str, *, all_of: bool) -> None:
        """The try was right: it does not count, nor do the wrong ones before it if `all_of`."""
        rows = WrongTries.objects.filter(key=self._key(who))
        if all_of:
            rows.delete()
            return
        with transaction.atomic():
            row = rows.select_for_update().first()
            if row is not None:
                row.wrong = max(0, row.wrong - 1)
                row.shut_until = None
                row.save(update_fields=["wrong", "shut_until"])

    def _shut_until(self, wrong: int, now: datetime) -> datetime | None:
        beyond = wrong - self.free
        return now + min(self.most, self.wait * 2 ** min(beyond, MOST_DOUBLINGS)) if beyond >= 0 else None

    def _row(self, who: str, now: datetime) -> WrongTries:
        """The row, locked; old ones of others go when a new one comes."""
        key = self._key(who)
        row, made = WrongTries.objects.select_for_update().get_or_create(key=key, defaults={"last_at": now})
        if made:
            WrongTries.objects.filter(last_at__lt=now - LONGEST_KEPT).delete()
        return row

    def _key(self, who: str) -> str:
        return hashlib.sha256(f"{self.name}\x1f{who}".encode("utf-8", "surrogatepass")).hexdigest()
