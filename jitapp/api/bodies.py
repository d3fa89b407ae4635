"""Reading what a client sent: the body in its shape, and the members that every resource writes alike."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
from rest_framework.request import Request

from jitapp.accounts.models import new_uuid
from jitapp.api.errors import Problem
from jitapp.kanban.instants import FIRST_YEAR, LAST_YEAR
from jitapp.kanban.quantity import NotAQuantity, read_quantity

T = TypeVar("T")
# Neither PostgreSQL nor UTF-8 can hold these; JSON can write them.
_UNKEEPABLE = re.compile("[\0\ud800-\udfff]")


def object_of(request: Request) -> dict[str, object]:
    """The body as a JSON object whose members nobody has checked. Raises Problem 400, 411.

    A body that is not there never means that all members are left out: it may have got lost on the way. Rows within it
    are checked by whoever reads them, row by row; its own texts can be kept, or it is refused (422).
    """
    if request.stream is None:
        if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
            raise Problem(
                411, "length_required", "The body came in chunks. Send it whole, with Content-Length."
            )
        raise Problem(
            400, "malformed", "The body is missing. Send one JSON object, {} if nothing is to be said."
        )
    data = request.data
    if not isinstance(data, dict):
        raise Problem(400, "malformed", "Send one JSON object.")
    for name, value in data.items():
        if isinstance(value, str) and _UNKEEPABLE.search(value):
            raise _unkeepable(name)
    return dict(data)


def _unkeepable(name: str) -> Problem:
    return Problem(
        422,
        "field_unreadable",
        f"`{name}` holds a NUL, or half a character, which cannot be kept. Leave it out.",
    )


def _refuse_unkeepable(name: str, value: object) -> None:
    """Also within lists and members of members. Raises Problem 422."""
    if isinstance(value, str) and _UNKEEPABLE.search(value):
        raise _unkeepable(name)
    if isinstance(value, list):
        for each in value:
            _refuse_unkeepable(name, each)
    if isinstance(value, dict):
        for key, each in value.items():
            _refuse_unkeepable(name, key)
            _refuse_unkeepable(name, each)


def no_members(request: Request) -> None:
    """For writes that take no body: none, or an empty one. Raises Problem 422 for members that nobody would read."""
    chunked = "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
    if (request.stream is not None or chunked) and object_of(request):
        raise Problem(422, "field_unreadable", "There is nothing to say here. Send no body, or {}.")


def read(request: Request, shape: type[T]) -> T:
    """The body in its shape. Raises Problem 400 for no object, 422 for a member that cannot be read."""
    members = object_of(request)
    for name, value in members.items():
        _refuse_unkeepable(name, value)
    try:
        return msgspec.convert(members, shape, strict=False)
    except msgspec.ValidationError as error:
        raise Problem(422, "field_unreadable", f"A member cannot be read: {error}.") from None


def quantity_of(text: str | None, name: str = "quantity") -> Decimal | None:
    """A quantity of at least nothing, None for no or an empty text. Raises Problem 422."""
    if not text:
        return None
    try:
        found = read_quantity(text)
        if found.is_signed():
            raise NotAQuantity
    except NotAQuantity:
        raise Problem(422, "field_unreadable", f"`{name}` is no decimal number like 12 or 0.5.") from None
    return found


def instant_of(name: str, text: str | None) -> datetime | None:
    """An instant in UTC, None for no or an empty text. Raises Problem 422."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise no_instant(name) from None
    return plausible(name, at)


def plausible(name: str, at: datetime | None, **more: object) -> datetime | None:
    """The instant in UTC, if it lies in years with which can be calculated in every time zone. Raises Problem 422."""
    if at is None:
        return None
    try:
        found = utc_of(at)
    except ValueError:
        raise no_instant(name, **more) from None
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        said = f"`{name}` lies in the year {found.year}: only {FIRST_YEAR} to {LAST_YEAR} can be meant."
        raise Problem(422, "field_unreadable", said, **more)
    return found


def utc_of(at: datetime) -> datetime:
    """The same instant in UTC. Raises ValueError without an offset, and for some instants of the years 1 and 9999."""
    if at.tzinfo is None:
        raise ValueError("no offset")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("out of range") from None


def no_instant(name: str, **more: object) -> Problem:
    """What a member says whose instant cannot be read."""
    said = f"`{name}` is no instant with an offset. Write 2026-11-21T09:00:00+01:00."
    return Problem(422, "field_unreadable", said, **more)


def key_of(request: Request, about: str) -> UUID:
    """The act's id: the client's Idempotency-Key (a UUID as it is, another text made into one), else a new one."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if not key:
        return new_uuid()
    try:
        return UUID(key)
    except ValueError:
        return uuid5(NAMESPACE_URL, f"jitapp:{about}:{key[:200]}")
