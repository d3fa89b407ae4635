"""PINs: by which a person proves at a device that is not theirs who they are.

Five wrong ones shut that person out at that device for five minutes, longer with each further one; everybody else goes
on there, and the person elsewhere. Guesses that are spread over people or over devices are counted too, and shut the
device or the badge later. Only acting for somebody is shut: a scan is recorded for the device all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.hashers import check_password, make_password
from django.utils import timezone

from jitapp.accounts.hashing import Busy, one_at_a_time
from jitapp.accounts.models import Person
from jitapp.accounts.tries import Gate

LENGTHS = range(4, 9)
TOO_EASY = frozenset({"1234", "12345", "123456", "1234567", "12345678", "4321", "54321", "654321"})
PATIENCE_S = 1.0  # a scan waits so long at most while another password is checked
HERE = Gate("pin of at", 5, timedelta(minutes=5), timedelta(hours=1), timedelta(days=1))
BADGE = Gate("pin of", 15, timedelta(minutes=5), timedelta(hours=1), timedelta(days=1))
DEVICE = Gate("pin at", 25, timedelta(minutes=5), timedelta(hours=1), timedelta(hours=1))


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
    person.pin_set_at = timezone.now()
    person.save(update_fields=["pin_hash", "pin_set_at"])
    BADGE.right(str(person.pk), all_of=True)


def check_pin(person_id: int, pin: str, *, device_id: int | None, now: datetime) -> Checked:
    """Whether it is the person's. Must not run inside a transaction that may be undone: the try is counted."""
    known = Person.objects.filter(pk=person_id, is_active=True).values_list("pin_hash", "pin_set_at").first()
    stored, since = known or ("", None)
    # With a new PIN the wrong tries of the old one count no more, at whichever device they were made.
    here = f"{person_id} at {device_id} since {since.timestamp() if since else 0}"
    gates = ((DEVICE, str(device_id)), (BADGE, str(person_id)), (HERE, here))
    for place, (gate, who) in enumerate(gates):
        until = gate.enter(who, now)
        if until is not None:
            for passed, whose in gates[:place]:
                passed.right(whose, all_of=False)
            return Checked(right=False, until=until)
    try:
        with one_at_a_time(PATIENCE_S):
            right = bool(stored) and check_password(pin, stored or "")
    except Busy:
        for gate, who in gates:
            gate.right(who, all_of=False)
        return Checked(right=False, busy=True)
    if right:
        DEVICE.right(str(device_id), all_of=False)
        BADGE.right(str(person_id), all_of=True)
        HERE.right(here, all_of=True)
    return Checked(right)
