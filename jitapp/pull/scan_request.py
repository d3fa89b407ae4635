"""What comes in at a scan door and what goes out: plain values, shared by every door."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

RAW_LIMIT = 4096
_NO_ROLES: frozenset[str] = frozenset()  # of devices


class TokenEnded(Exception):
    """The device was ended, or enrolled again elsewhere, while its token was still remembered: nothing was recorded."""


@dataclass(frozen=True, slots=True)
class Source:
    """Who or what scans: resolved from a token or a session, with what it may touch.

    `roles` are those of the person, by plant: a right in one plant is none in another. `station_id` is the device's own
    station; `placeless` marks an ERP client, which belongs to no station; `acts_for_nobody` marks a reader, whose
    `by` counts for nothing.
    """

    device_id: int | None = None
    person_id: int | None = None
    station_id: int | None = None
    plant_ids: frozenset[int] = frozenset()
    roles: Mapping[int, frozenset[str]] = field(default_factory=dict)
    language: str = "en"
    name: str = ""
    placeless: bool = False
    fixed: bool = False  # the device may name no other station than its own
    acts_for_nobody: bool = False
    token: str = ""  # hash of the device's token; a scan asks under its lock whether it has ended since

    def roles_at(self, *plants: int) -> frozenset[str]:
        """The roles of the person in these plants."""
        return (
            _NO_ROLES
            if not self.roles
            else frozenset().union(*(self.roles.get(plant, ()) for plant in plants))
        )

    def with_role(self, role: str, plant: int) -> Source:
        """The same source with one role more, in one plant."""
        return replace(self, roles={**self.roles, plant: self.roles_at(plant) | {role}})


@dataclass(frozen=True, slots=True)
class Actor:
    """For whom a device acts: nobody (the device alone is on record), somebody who is only named, or somebody who has
    proved it by a PIN and therefore has `roles` by plant. `doubt` is the name of the warning that says why nobody was
    taken (`WARNINGS` in jitapp/kanban/warnings.py), `until` when the next PIN counts."""

    person_id: int | None = None
    roles: Mapping[int, frozenset[str]] = field(default_factory=dict)
    doubt: str = ""
    until: datetime | None = None

    def roles_at(self, *plants: int) -> frozenset[str]:
        """The roles that were proved in these plants."""
        return (
            _NO_ROLES
            if not self.roles
            else frozenset().union(*(self.roles.get(plant, ()) for plant in plants))
        )


@dataclass(frozen=True, slots=True)
class Allowed:
    """A leader who allows one scan: `person` is the uuid, `roles` are theirs by plant at the moment of the scan."""

    person: UUID
    roles: Mapping[int, frozenset[str]]

    def roles_at(self, *plants: int) -> frozenset[str]:
        """The leader's roles in these plants."""
        return _NO_ROLES.union(*(self.roles.get(plant, ()) for plant in plants))


class ScanRequest(msgspec.Struct, frozen=True):
    """A scan as the client sent it; `id` is the client's own, and the same scan sent again has the same id."""

    id: UUID
    code: str
    station: str | None = None
    intent: str | None = None
    occurred_at: datetime | None = None
    quantity: Decimal | None = None
    reason: str | None = None
    by: str | None = None
    pin: str | None = None  # proves `by`; checked before the scan, stored nowhere
    actor: Actor | None = None  # what the PIN proved; never said by a device
    allowed: Allowed | None = None  # a leader lets somebody else do it (allowing.py); never said by a device
    seq: int | None = None
    epoch: str | None = None
    sent_at: datetime | None = None
    status: str | None = None  # correct: the supply status that is true
    promised_at: datetime | None = None  # acknowledge, promise
    checks: tuple[str, ...] = ()  # start: readiness checks that were ticked
    pair: str | None = None  # swap: the code on the full container, beside the withdrawal card's own
    turn: UUID | None = None  # an act on this turn of the card, and on no other
    undoes: UUID | None = None  # undo: this scan, and no other of the card
    settles: UUID | None = None  # the parked scan that a person settles by this one; never said by a device
    # It was kept on a device before it was sent: where and by whom are facts of then. If they name nothing any more, it
    # waits for a person instead of being booked elsewhere or refused.
    kept: bool = False
    # Whoever made it took it back before the device could send it: it is recorded and changes nothing.
    withdrawn: bool = False
    # The step that follows where the card stands, found for whoever overrides its place. The device did not say it: the
    # same scan sent again may find another one, and is the same scan all the same.
    meant: str | None = None

    def __repr__(self) -> str:
        """What it is about; the PIN is told nobody."""
        return f"ScanRequest({self.id}, {self.code!r}, station={self.station!r}, intent={self.intent!r})"

    def fingerprint(self) -> str:
        """SHA-256 (hex) over the content that rule C3 names; the counters and `sent_at` may differ in a repeat."""
        parts = [
            self.code,
            self.station or "",
            self.intent or "",
            str(self.occurred_at.timestamp()) if self.occurred_at else "",
            "" if self.quantity is None else format(self.quantity.normalize(), "f"),
            self.reason or "",
            self.by or "",
        ]
        # Members beside rule C3's count too where they are given; without them the print stays what it was.
        extra: tuple[object, ...] = (self.status, self.promised_at, self.checks or None, self.pair, self.turn)
        if self.undoes:
            extra = (*extra, self.undoes)
        if any(extra):
            parts += [str(part or "") for part in extra]
        return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


class Answer(msgspec.Struct, frozen=True):
    """The answer to a scan, as the public contract has it."""

    body: dict[str, Any]
    replayed: bool = False
    loop_id: int | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """The scan id was used before for another scan: nothing was changed (HTTP 409)."""

    id: UUID
    code: str = "scan_id_reused"
    message: str = (
        "This scan id was used before for another scan. Nothing was changed; send it with a new id."
    )


_ESCAPES = re.compile(r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U00(?:0[0-9a-f]|10)[0-9a-f]{4}|[trn])")


def unescaped(stored: str) -> str:
    """A raw scan as it was received, from how it is stored. What looked like an escape before is taken for one."""
    return _ESCAPES.sub(lambda found: found[0].encode().decode("unicode_escape"), stored)


def escaped(raw: str) -> str:
    """The raw scan as it is stored: control characters and lone surrogates written out, at most 4 kB."""
    if raw.isascii() and raw.isprintable():
        return raw[:RAW_LIMIT]
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in raw)
    return shown.encode("utf-8", "backslashreplace").decode()[:RAW_LIMIT]
