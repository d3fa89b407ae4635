"""The closed sets of words of this room; a word here is the word in the database, the API and the administration."""

from __future__ import annotations

from enum import StrEnum


class Purpose(StrEnum):
    """What a read zone is for."""

    SIGNAL = "signal"  # a tag that comes or goes is a scan of its card
    BIND = "bind"  # an unknown tag belongs to the card that is scanned at the station
    WATCH = "watch"  # only where tags are is kept


class Moment(StrEnum):
    """Which end of a visit is the scan."""

    ARRIVE = "arrive"
    LEAVE = "leave"


class Signal(StrEnum):
    """What becomes of a visit."""

    NONE = "none"  # nothing is to be made of it, or not yet
    DUE = "due"  # the scan is to be made: the row is the job
    DONE = "done"


class Why(StrEnum):
    """Why no scan came of a visit."""

    NOTHING = ""
    WATCHED = "watched"  # the zone only watches
    BINDING = "binding"  # the zone is for binding
    LATER = "later"  # the scan comes when the tag leaves
    UNKNOWN = "unknown"  # the tag is on no card
    IGNORED = "ignored"
    LOCKED = "locked"  # the card gave a signal here within the refire time
    CROSSED = (
        "crossed"  # another reader hears the tag stronger: held back, and nothing if that stays so to its end
    )
    REVOKED = "revoked"  # the tag fell silent because its reader, or the zone, was switched off


class How(StrEnum):
    """How a tag came onto its card."""

    FORM = "form"
    PLACE = "place"  # seen at a binding place, and the card scanned there
    API = "api"
    CODE = "code"  # its memory had been a code of the card before


class AlarmKind(StrEnum):
    """What a person must see to."""

    CROSS_READ = "cross_read"  # two readers saw one tag within two seconds
    SILENT = "silent"  # a reader says nothing
    UNCLEAR = "unclear"  # several unknown tags, or several cards, at a binding place
