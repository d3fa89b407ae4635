"""Instants in addresses of the past: read from what people and pages write, and written so that they can be shared."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark

from jitapp.plant.configs import zone
from jitapp.web.phrases import words_of

MOST = 40  # characters of an instant
NOW = "now"  # in a link of a page that stays open
REFUSAL_TEXT = {
    "unreadable": mark("“{typed}” is no time. Write it like 2026-11-20T14:05."),
    "gap": mark(
        "{typed} was never on the clock here: the clocks went forward over it. Take a time an hour later."
    ),
    "future": mark("{typed} lies ahead. The past ends now, at {now}."),
    "before": mark("{typed} lies before the first entry, which is of {begins}. Take a later time."),
    "empty": mark("Nothing has been recorded here yet. The past begins with the first card."),
}


class BadInstant(ValueError):
    """Why an instant cannot be shown: a code of REFUSAL_TEXT, with what the sentence names."""

    def __init__(self, code: str, **facts: str) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts

    def __str__(self) -> str:
        return gettext(REFUSAL_TEXT[self.code]).format(**self.facts)


def read_instant(text: str, time_zone: str) -> datetime:
    """An instant in UTC: by the plant's clock, or with an offset of its own (2026-10-25T02:30+01:00, ...Z). A time that
    the plant's clock showed twice is the first of the two. Raises BadInstant."""
    typed = text.strip()[:MOST]
    # A plus in an address that nobody escaped arrives as a space.
    head, gap, tail = typed.rpartition(" ")
    plain = f"{head}+{tail}" if gap and "T" in head else typed
    try:
        found = datetime.fromisoformat(plain)
        local = found if found.tzinfo else found.replace(tzinfo=zone(time_zone))
        instant = local.astimezone(UTC)
        back = instant.astimezone(zone(time_zone))
    except (ValueError, OverflowError):
        raise BadInstant("unreadable", typed=typed) from None
    if found.tzinfo is None and back.replace(tzinfo=None) != found:
        raise BadInstant("gap", typed=typed)
    return instant


def write_instant(at: datetime, time_zone: str) -> str:
    """An instant by the plant's clock as `read_instant` reads it, as short as can be: 2026-11-20T14:05."""
    local = at.astimezone(zone(time_zone))
    text = local.replace(tzinfo=None).isoformat(timespec=_precision(at))
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return local.isoformat(timespec=_precision(at)) if twice else text


def _precision(at: datetime) -> str:
    if at.microsecond:
        return "microseconds"
    return "seconds" if at.second else "minutes"


def for_a_field(at: datetime, time_zone: str) -> str:
    """An instant for a field of date and time, which knows no offsets."""
    return at.astimezone(zone(time_zone)).strftime("%Y-%m-%dT%H:%M")


def named(at: datetime, time_zone: str, language: str) -> str:
    """An instant in full: its weekday, its date and its time of day: Fri 2026-11-20 14:05."""
    local = at.astimezone(zone(time_zone))
    day = words_of(language).days[local.weekday()]
    return f"{day} {local:%Y-%m-%d} {local:{'%H:%M:%S' if local.second else '%H:%M'}}"


def checked(text: str, time_zone: str, *, now: datetime, begins: datetime | None, language: str) -> datetime:
    """The instant, if it lies between the first entry and now; the word NOW is a name of now. Raises BadInstant."""
    at = now.replace(second=0, microsecond=0) if text == NOW else read_instant(text, time_zone)
    said = named(at, time_zone, language)
    if at > now:
        raise BadInstant("future", typed=said, now=named(now, time_zone, language))
    if begins is None:
        raise BadInstant("empty")
    if at < begins:
        raise BadInstant("before", typed=said, begins=named(begins, time_zone, language))
    return at
