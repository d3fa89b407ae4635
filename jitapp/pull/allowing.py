"""A leader allows one scan on the spot: by badge and PIN, at the tablet where somebody else made it.

What the tablet is given is signed, and good for that one scan: its id, its code and the device are part of it, and a
scan id is used once (rule C3). Who scanned stays on record as the person, who allowed it stands in the event.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from django.core import signing

from jitapp.accounts.models import Person
from jitapp.plant.belonging import roles_of
from jitapp.pull.scan_request import Allowed, Source
from jitapp.pull.signing import leader_of

SALT = "jitapp.allowed"
# The scan may wait on the tablet if the network goes just then; the next shift's leader decides again.
GOOD_FOR = timedelta(hours=12)


def allow(
    *, scan: UUID, code: str, badge: str, name: str, pin: str, source: Source, now: datetime
) -> tuple[Person, str]:
    """The leader, and what the tablet sends with that one scan. Raises signing.NotSignedIn."""
    leader = leader_of(badge=badge, name=name, pin=pin, source=source, now=now)
    return leader, _signer().sign_object([source.device_id, str(scan), _digest(code), str(leader.uuid)])


def allowed_by(text: str, *, scan: UUID, code: str, source: Source) -> Allowed | None:
    """Who allowed this scan of this device, with the roles that they have now; None if nobody did, or too long ago."""
    try:
        found = _signer().unsign_object(text, max_age=GOOD_FOR)
    except (signing.BadSignature, ValueError):
        return None
    match found:
        case [device, named, digest, str(leader)] if (device, named, digest) == (
            source.device_id,
            str(scan),
            _digest(code),
        ):
            person = Person.objects.filter(uuid=leader, is_active=True).first()
            return Allowed(person.uuid, roles_of(person.pk)) if person else None
        case _:
            return None


def _signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=SALT)


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()[:32]
