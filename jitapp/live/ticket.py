"""The ticket of an event stream: a short signed text in its URL, made by a page, checked without a database."""

from __future__ import annotations

from django.core import signing

SALT = "jitapp.live"
TICKET_SECONDS = 600  # time to connect; a stream that stands goes on (stream.LIFE_SECONDS)


class BadTicket(ValueError):
    """A ticket that was not made here, or is too old."""


def channel_of(area_code: str, language: str) -> str:
    """The channel of an area's board in one language; ":" is in neither part."""
    return f"{area_code}:{language}"


def make_ticket(channel: str) -> str:
    """A ticket that opens `channel` for the next ten minutes."""
    return signing.TimestampSigner(salt=SALT).sign_object(channel)


def open_ticket(text: str) -> str:
    """The channel a ticket opens. Raises BadTicket."""
    try:
        channel = signing.TimestampSigner(salt=SALT).unsign_object(text, max_age=TICKET_SECONDS)
    except (signing.BadSignature, ValueError):
        raise BadTicket("The ticket is not valid any more. Load the page again.") from None
    if not isinstance(channel, str):
        raise BadTicket("The ticket names no board. Load the page again.")
    return channel
