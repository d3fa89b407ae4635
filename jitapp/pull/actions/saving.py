"""The end of every transaction on a loop: its runout, its rows, and a nudge for the workers."""

from __future__ import annotations

from datetime import datetime

from jitapp.accounts.models import new_uuid
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.signals import finish
from jitapp.kanban.stated import Stated
from jitapp.outbox.publish import nudge_on_commit
from jitapp.pull import store
from jitapp.pull.scan_request import Source

NOBODY = Source()


class Refused(ValueError):
    """A change that a rule forbids; the text says what happened and what to do next."""

    def __init__(self, said: str | Stated) -> None:
        super().__init__(str(said))
        self.said = said


def take_over(unit: store.UnitOfWork, ledger: Ledger, now: datetime, source: Source = NOBODY) -> bool:
    """Opens or closes the runout, and hands over what the ledger holds; whether it holds anything."""
    finish(ledger, new_uuid)
    unit.record(
        ledger.loop,
        ledger.entries,
        now=now,
        person_id=source.person_id,
        device_id=source.device_id,
        turns=ledger.closed,
    )
    return bool(ledger.entries)


def save(unit: store.UnitOfWork, ledger: Ledger, now: datetime, source: Source = NOBODY) -> None:
    """The same for the only loop of a transaction, written at once; the workers are nudged after the commit."""
    take_over(unit, ledger, now, source)
    unit.write()
    nudge_on_commit()
