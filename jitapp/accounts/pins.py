"""PINs: by which a person proves at a device that is not theirs who they are.

Five wrong ones shut the badge for five minutes and the device for five minutes, longer with each further one. Only
acting for somebody is shut: a scan is recorded for the device all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.hashers import check_password, make_password

from jitapp.accounts.hashing import Busy, one_at_a_time
from jitapp.accounts.models import Person
from jitapp.accounts.tries import Gate

LENGTHS = range(4, 9)
TOO_EASY = frozenset({"1234", "12345", "123456", "1234567", "12345678", "4321", "54321", "654321"})
PATIENCE_S = 1.0  # a scan waits so long at most while another password is checked
BADGE = Gate("pin of", 5, timedelta(minutes=5), timedelta(hours=1), timedelta(days=1))
DEVICE = Gate("pin at", 5, timedelta(minutes=5), timedelta(hours=1), timedelta(hours=1))


class BadPin(ValueError):
    """A PIN that nobody should have; the text says what one looks like."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether the PIN was right; if it was not looked at, `until` says from when one is, or `busy`."""

    right: bool
    until: datetime | None = None
    busy: bool = False


def hashed_pin(pin: str) -> str:
    """What is stored of a PIN. Raises BadPin."""
    if not (pin.isascii() and pin.isdigit() and len(pin) in LENGTHS):
        raise BadPin(f"A PIN has {LENGTHS.start} to {LENGTHS.stop - 1} digits.")
    if len(set(pin)) == 1 or pin in TOO_EASY:
        raise BadPin(
            "That PIN is the first one tried. Choose digits that are neither all the same nor in order."
        )
    return make_password(pin)


def set_pin(person: Person, pin: str) -> None:
    """Gives a person a PIN, or takes it away with an empty one; wrong tries are forgotten. Raises BadPin."""
    person.pin_hash = hashed_pin(pin) if pin else ""
    person.save(update_fields=["pin_hash"])
    BADGE.right(str(person.pk), all_of=True)


def check_pin(person_id: int, pin: str, *, device_id: int | None, now: datetime) -> Checked:
    """Whether it is the person's. Must not run inside a transaction that may be undone: the try is counted."""
    badge, device = str(person_id), str(device_id)
    until = DEVICE.enter(device, now)
    if until is not None:
        return Checked(right=False, until=until)
    until = BADGE.enter(badge, now)
    if until is not None:
        DEVICE.right(device, all_of=False)
        return Checked(right=False, until=until)
    stored = Person.objects.filter(pk=person_id, is_active=True).values_list("pin_hash", flat=True).first()
    try:
        with one_at_a_time(PATIENCE_S):
            right = bool(stored) and check_password(pin, stored or "")
    except Busy:
        BADGE.right(badge, all_of=False)
        DEVICE.right(device, all_of=False)
        return Checked(right=False, busy=True)
    if right:
        BADGE.right(badge, all_of=True)
        DEVICE.right(device, all_of=False)
    return Checked(right)
