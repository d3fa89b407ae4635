"""Calls for help; where a call is about a loop its events stand in the loop's ledger."""

from __future__ import annotations

from datetime import date
from typing import ClassVar
from uuid import UUID

from jitapp.kanban.events.base import Event


class CallEvent(Event, frozen=True, kw_only=True, omit_defaults=False):
    """Something happened to the call named by `call`."""

    call: UUID


class AndonCalled(CallEvent, frozen=True, kw_only=True):
    """Somebody at a station called for help, or a runout did by itself; `stops_line`: nothing is started there until it
    is solved."""

    type: ClassVar[str] = "andon.called"

    kind: str
    stops_line: bool = False
    note: str = ""


class AndonRepeated(CallEvent, frozen=True, kw_only=True):
    """Somebody called again for what an open call of the station is about: it has now been called `times` times."""

    type: ClassVar[str] = "andon.repeated"

    times: int
    note: str = ""


class AndonAnswered(CallEvent, frozen=True, kw_only=True):
    """A person took the call and is its owner."""

    type: ClassVar[str] = "andon.answered"

    level: int
    minutes: float


class AndonEscalated(CallEvent, frozen=True, kw_only=True):
    """Nobody had taken the call in time: `who` must come now, a role or the `person`."""

    type: ClassVar[str] = "andon.escalated"

    level: int
    who: str
    person: str | None = None


class AndonSolved(CallEvent, frozen=True, kw_only=True):
    """The call was solved, for `reason`; `countermeasure` is what keeps it from coming back."""

    type: ClassVar[str] = "andon.solved"

    reason: str
    countermeasure: str = ""
    countermeasure_due: date | None = None
    minutes: float
    stops_line: bool = False
