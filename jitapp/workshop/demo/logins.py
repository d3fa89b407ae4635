"""Passwords and PINs of the demonstration's people: made once, hashed in the database, kept in files of the owner's
alone."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from django.contrib.auth.hashers import check_password, is_password_usable, make_password

from jitapp.accounts.models import Person
from jitapp.accounts.pins import BadPin, hashed_pin, set_pin

FILE = "demo_logins.json"
PINS = "demo_pins.json"
WORDS = Path(__file__).with_name("words.txt")


def keep_logins(folder: Path, usernames: Iterable[str], *, shown: Iterable[str]) -> dict[str, str]:
    """People without a password get one; username -> password of those of `shown` whose password we know.

    A person who has chosen a password of their own is left alone and out. Checking a password takes its time, as it
    should, so only what is shown is checked.
    """
    known = _read(folder)
    people = list(Person.objects.filter(username__in=list(usernames)).order_by("pk"))
    new = [person for person in people if not is_password_usable(person.password)]
    for person in new:
        known.setdefault(person.username, _password())
    if new:
        # The file first: a password that only the database knew could never be printed again.
        _write(folder, known)
    for person in new:
        person.password = make_password(known[person.username])
    Person.objects.bulk_update(new, ["password"])
    wanted, fresh = set(shown), {person.pk for person in new}
    return {
        person.username: known[person.username]
        for person in people
        if person.username in wanted & known.keys()
        and (person.pk in fresh or person.check_password(known[person.username]))
    }


def leaders_pins(folder: Path, badges: Iterable[str]) -> dict[str, str]:
    """PINs by badge of the people whose PIN we know: whoever has none gets one, whoever has chosen one keeps it."""
    known = _read(folder, PINS)
    people = list(Person.objects.filter(badge__in=list(badges)))
    fresh = {person.badge: _pin() for person in people if person.badge and not person.pin_hash}
    if fresh:
        known |= fresh
        _write(folder, known, PINS)
        for person in people:
            if person.badge in fresh:
                set_pin(person, fresh[person.badge])
    return {
        person.badge: known[person.badge]
        for person in people
        if person.badge in known
        and (person.badge in fresh or check_password(known[person.badge], person.pin_hash))
    }


def _pin() -> str:
    while True:
        pin = "".join(secrets.choice("0123456789") for _ in range(4))
        with suppress(BadPin):
            hashed_pin(pin)
            return pin


def _password() -> str:
    """Two short words: easily read from a screen and typed, and too many pairs to be guessed at the login's pace."""
    return "-".join(secrets.choice(line.split()) for line in WORDS.read_text(encoding="utf-8").splitlines())


def _read(folder: Path, name: str = FILE) -> dict[str, str]:
    try:
        kept = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(kept, dict):
        return {}
    return {str(who): str(password) for who, password in kept.items()}


def _write(folder: Path, logins: dict[str, str], name: str = FILE) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{name}.new"
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        json.dump(logins, out, indent=1)
    draft.replace(folder / name)
