"""`scan.applied`: what a scan did, one type per intent. They share the type's name in ledger and feed; the member
`intent` tells them apart.

Subclasses stand in the file of their step (kanban/steps/).
"""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from jitapp.kanban.events.base import Entry, Event, moved, needed_card
from jitapp.kanban.state import Card, Loop


class ScanApplied(Event, frozen=True, kw_only=True, tag_field="intent", tag=""):
    """A scan was applied; `intent` says which move, `from` and `to` how the card moved."""

    type: ClassVar[str] = "scan.applied"

    reason: str = ""
    said: str = ""  # fingerprint of quantity, reason, status and promise
    override: bool = False  # a leader did it at the other end of the loop
    settles: UUID | None = None  # the parked scan that a person settled by this one
    allowed_by: UUID | None = (
        None  # the leader who let whoever scanned do it, where they may not by themselves
    )

    @property
    def intent(self) -> str:
        """The intent of the scan."""
        return str(type(self).__struct_config__.tag)

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """Notes who touched the container last, and what by; subclasses change its contents."""
        card = needed_card(card, entry)
        self.change(loop, card, entry)
        moved(card, entry)
        card.last_intent, card.last_said, card.last_scan = self.intent, self.said, entry.scan_id

    def change(self, loop: Loop, card: Card, entry: Entry) -> None:
        """What the scan changes of the container."""
