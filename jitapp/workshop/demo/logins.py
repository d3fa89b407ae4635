"""Passwords of the demonstration's people: made once, hashed in the database, kept in a file of the owner's alone."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from django.contrib.auth.hashers import is_password_usable, make_password

from jitapp.accounts.models import Person

FILE = "demo_logins.json"
# No letters that are taken for one another when typed from a screen.
_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"


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


def _password() -> str:
    return "-".join("".join(secrets.choice(_SIGNS) for _ in range(4)) for _ in range(3))


def _read(folder: Path) -> dict[str, str]:
    try:
        kept = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(kept, dict):
        return {}
    return {str(name): str(password) for name, password in kept.items()}


def _write(folder: Path, logins: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{FILE}.new"
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        json.dump(logins, out, indent=1)
    draft.replace(folder / FILE)
