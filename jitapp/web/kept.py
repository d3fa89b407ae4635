"""Reads the scans that a tablet kept: each becomes a request, or the sentence that says why it cannot be taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import get_language, gettext

from jitapp.accounts.models import Person
from jitapp.kanban.quantity import NotAQuantity, read_quantity
from jitapp.plant.belonging import roles_of
from jitapp.pull.scan_request import Actor, ScanRequest

CODE_LIMIT = 4_096
MOST_CHECKS = 50
LONGEST_ALLOWED = 600


@dataclass(frozen=True, slots=True)
class Item:
    """One kept scan as it was read: the request, or why it cannot be taken; and the language of its answer."""

    id: str | None
    request: ScanRequest | None
    language: str
    problem: str = ""
    help: str = ""  # it is no scan but a call of this kind from the station
    override: bool = False
    act: object = None  # what was done on a page of the handlers instead (web/acts.py)
    allowed: str = ""  # what a leader gave the tablet for this one scan (pull/allowing.py)

    @property
    def way(self) -> tuple[str, bool]:
        """What is answered together: plain scans in one language; everything else alone."""
        alone = self.help or self.override or self.act is not None
        return self.language, self.request is not None and not alone


class Unreadable(ValueError):
    """A kept scan that cannot be taken; the text says why."""


def read_items(items: Sequence[object], signed_in: Person | None) -> list[Item]:
    """The kept scans in their order; none raises, however torn it is. Whoever is `signed_in` on the tablet itself has
    their rights in their own scans; everybody else is only named."""
    people = _people_of(items, signed_in)
    return [_read(each, people) for each in items]


def _read(item: object, people: Mapping[str, Actor]) -> Item:
    if not isinstance(item, dict):
        return Item(None, None, "en", gettext("The scan could not be read."))
    named = item.get("id")
    language = item.get("language")
    spoken = language if language in dict(settings.LANGUAGES) else get_language() or "en"
    known = named if isinstance(named, str) and len(named) <= 64 else None
    try:
        request = _request_of(item, people)
        return Item(
            known,
            request,
            str(spoken),
            help=_short(item, "help", 20) or "",
            override=item.get("override") is True,
            act=item.get("act"),
            allowed=_short(item, "allowed", LONGEST_ALLOWED) or "",
        )
    except Unreadable as why:
        return Item(known, None, str(spoken), str(why))


def _request_of(item: Mapping[str, Any], people: Mapping[str, Actor]) -> ScanRequest:
    code, intent, checks = item.get("code"), item.get("intent"), item.get("checks") or []
    scan_id = uuid_of(item.get("id"))
    if scan_id is None:
        raise Unreadable(gettext("The scan has no id."))
    if not isinstance(code, str) or not code or len(code) > CODE_LIMIT:
        raise Unreadable(gettext("There is no code, or it is too long."))
    if not isinstance(checks, list) or len(checks) > MOST_CHECKS:
        raise Unreadable(gettext("The checks of the scan could not be read."))
    undoes = item.get("undoes")
    if undoes is not None and uuid_of(undoes) is None:
        raise Unreadable(gettext("A member of the scan could not be read: {}.").format("undoes"))
    by = _short(item, "by", 64)
    seq = item.get("seq")
    return ScanRequest(
        id=scan_id,
        code=code,
        station=_short(item, "station", 60),
        intent=_short(item, "intent", 40) if intent else None,
        occurred_at=_instant(item.get("occurred_at")),
        sent_at=_instant(item.get("sent_at")),
        quantity=_quantity(item.get("quantity")),
        reason=_short(item, "reason", 200),
        by=by,
        actor=_actor(by, people),
        seq=seq if isinstance(seq, int) and 0 <= seq < 2**63 else None,
        epoch=_short(item, "epoch", 64),
        checks=tuple(str(check)[:120] for check in checks),
        undoes=uuid_of(undoes),
        kept=True,
        withdrawn=item.get("withdrawn") is True,
    )


def _people_of(items: Sequence[object], signed_in: Person | None) -> dict[str, Actor]:
    """Whoever made the scans, by the uuid that names them, in one question."""
    named = {each["by"] for each in items if isinstance(each, dict) and isinstance(each.get("by"), str)}
    known = Person.objects.filter(uuid__in=[by for by in named if uuid_of(by)], is_active=True)
    people = {str(uuid): Actor(pk) for pk, uuid in known.values_list("pk", "uuid")}
    if signed_in is not None:
        people[str(signed_in.uuid)] = Actor(signed_in.pk, roles_of(signed_in.pk))
    return people


def _actor(by: str | None, people: Mapping[str, Actor]) -> Actor | None:
    """Whoever made the scan; None for a badge or a user name, which the scan path looks up."""
    uuid = uuid_of(by)
    return people.get(str(uuid), Actor(doubt="by_unknown")) if uuid is not None else None


def _short(item: Mapping[str, Any], name: str, longest: int) -> str | None:
    value = item.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str | int) or len(str(value)) > longest:
        raise Unreadable(gettext("A member of the scan could not be read: {}.").format(name))
    return str(value)


def _quantity(value: object) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        return read_quantity(str(value))
    except NotAQuantity:
        raise Unreadable(gettext("That is no quantity: {}.").format(str(value)[:40])) from None


def _instant(value: object) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        found = datetime.fromisoformat(str(value))
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Unreadable(gettext("The time of the scan could not be read.")) from None


def moment_of(value: object) -> datetime | None:
    """The instant that a member tells; None for whatever is none."""
    try:
        return _instant(value)
    except Unreadable:
        return None


def uuid_of(value: object) -> UUID | None:
    """The id that a member tells; None for whatever is none."""
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
