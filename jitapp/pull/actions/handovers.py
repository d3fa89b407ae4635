"""Handing a shift over: the leaving leader writes and signs, the arriving one signs what they read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from django.db import IntegrityError, transaction

from jitapp.accounts.models import Person
from jitapp.plant.models import Area
from jitapp.pull.models import Handover, HandoverSignature
from jitapp.pull.reading.handover import facts_now
from jitapp.pull.scan_request import Source, escaped
from jitapp.pull.signing import LEADERS, NotSignedIn, roles_at, sign_in

LONGEST_NOTES = 4_000
LONGEST_REMARK = 400


class HandoverRefused(ValueError):
    """Why not: notes_long, remark_long, arrived_already, same_person or unknown_handover."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Signer:
    """A leader, and how they proved who they are."""

    person: Person
    how: HandoverSignature.How


def signer(
    *, logged_in: Person | None, badge: str, name: str, pin: str, source: Source, now: datetime
) -> Signer:
    """The leader who signs: by badge, by name and PIN, or, where neither was given, whoever is logged in. Raises
    NotSignedIn: a name without a PIN proves nothing, and only leaders and administrators hand over."""
    if not badge and not name:
        if logged_in is None:
            raise NotSignedIn("pin_missing")
        found = Signer(logged_in, HandoverSignature.How.LOGIN)
    else:
        signed = sign_in(badge=badge, name=name, pin=pin, source=source, now=now)
        if not badge and not signed.proved:
            raise NotSignedIn("pin_none", name=str(signed.person))
        how = HandoverSignature.How.BADGE if badge else HandoverSignature.How.PIN
        found = Signer(signed.person, how)
    if not found.person.is_superuser and not LEADERS & roles_at(found.person, source):
        raise NotSignedIn("no_leader", name=str(found.person))
    return found


def leave(*, id: UUID, area: Area, since: datetime, notes: str, by: Signer, now: datetime) -> None:
    """The leaving leader hands over what is on the page now; sent again it is the same handover. Raises
    HandoverRefused."""
    if len(_written(notes)) > LONGEST_NOTES:
        raise HandoverRefused("notes_long")
    facts = msgspec.to_builtins(facts_now(area.code, area.plant_id, since, now))
    with transaction.atomic():
        found, made = Handover.objects.get_or_create(
            uuid=id,
            defaults={"area": area, "since": since, "until": now, "notes": _written(notes), "facts": facts},
        )
        if found.area_id != area.pk:
            raise HandoverRefused("unknown_handover")
        if made:
            _sign(found, HandoverSignature.Side.LEAVING, by, now)


def arrive(*, id: UUID, area: Area, remark: str, by: Signer, now: datetime) -> None:
    """The arriving leader has read it. Raises HandoverRefused if there is no such handover, if somebody has signed
    already, or if it is the same person who left."""
    handover = Handover.objects.filter(uuid=id, area=area).first()
    if handover is None:
        raise HandoverRefused("unknown_handover")
    if len(_written(remark)) > LONGEST_REMARK:
        raise HandoverRefused("remark_long")
    if handover.signatures.filter(side=HandoverSignature.Side.LEAVING, person=by.person).exists():
        raise HandoverRefused("same_person")
    try:
        with transaction.atomic():
            _sign(handover, HandoverSignature.Side.ARRIVING, by, now, _written(remark))
    except IntegrityError:
        raise HandoverRefused("arrived_already") from None


def _written(text: str) -> str:
    """What a person wrote, line by line; characters that no table holds are written out."""
    return "\n".join(escaped(line) for line in text.strip().splitlines())


def _sign(
    handover: Handover, side: HandoverSignature.Side, by: Signer, now: datetime, remark: str = ""
) -> None:
    HandoverSignature.objects.create(
        handover=handover, side=side, person=by.person, how=by.how, signed_at=now, remark=remark
    )
