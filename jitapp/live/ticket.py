"""The ticket of an event stream: a short signed text in its URL, made by a page, checked without a database.

It names the session of the page, by a mark that tells nothing of the session itself. A session that ends is told to the
streams through Redis (`push.session_ended`): its streams end, and its tickets open nothing any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core import signing
from django.utils.crypto import salted_hmac

SALT = "jitapp.live"
TICKET_SECONDS = 600  # time to connect; a stream that stands goes on (stream.LIFE_SECONDS)
MARK_SIGNS = 24
STATIONS = "#station:"  # how the channels of stations begin; # stands in no code of an area
WALLS = "#wall:"  # and those of wall screens, which are told that they were set up anew


class BadTicket(ValueError):
    """A ticket that was not made here, or is too old."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """The channels that it opens, and the mark of the session that it belongs to; empty for a guest."""

    channels: tuple[str, ...]
    session: str = ""

    @property
    def channel(self) -> str:
        """The first channel: the only one of a page that shows one board."""
        return self.channels[0]


def channel_of(area_code: str, language: str) -> str:
    """The channel of an area's board in one language; ":" is in neither part."""
    return f"{area_code}:{language}"


def mark_of(session_key: str | None) -> str:
    """The mark of a session; empty without one."""
    return salted_hmac(SALT, session_key).hexdigest()[:MARK_SIGNS] if session_key else ""


def wall_channel(device: object) -> str:
    """The channel of a wall screen, by its device's UUID."""
    return f"{WALLS}{device}"


def make_ticket(channels: str | Sequence[str], session_key: str | None = None) -> str:
    """A ticket that opens the channel, or these channels in one stream, for the next ten minutes, as long as the
    session lasts."""
    # One channel is written as it always was: streams of the version before still read it while a new one comes up.
    named = channels if isinstance(channels, str) else channels[0] if len(channels) == 1 else list(channels)
    return signing.TimestampSigner(salt=SALT).sign_object([named, mark_of(session_key)], compress=True)


def open_ticket(text: str) -> Ticket:
    """What a ticket opens. Raises BadTicket."""
    try:
        found = signing.TimestampSigner(salt=SALT).unsign_object(text, max_age=TICKET_SECONDS)
    except (signing.BadSignature, ValueError):
        raise BadTicket("The ticket is not valid any more. Load the page again.") from None
    match found:
        case [str(channel), str(session)]:
            return Ticket((channel,), session)
        case [[_, *_] as channels, str(session)] if all(isinstance(each, str) for each in channels):
            return Ticket(tuple(channels), session)
        case _:
            raise BadTicket("The ticket names no board. Load the page again.")
