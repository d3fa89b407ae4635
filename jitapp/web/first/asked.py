"""The three things that a new shop is asked: what it is called, which language and time zone, who administers it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from jitapp.accounts.models import Person, called
from jitapp.kanban.names import tidy
from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Area, Membership, Plant
from jitapp.plant.spelling import CODE, alike
from jitapp.plant.spoken import spoken
from jitapp.plant.staff import LONGEST, USERNAME
from jitapp.pull.setup import set_up_shop
from jitapp.web.persons import REFUSAL_TEXT

LONGEST_CODE = 20  # of a code that is derived; one that is typed may be longer
FIELDS = ("plant", "code", "language", "time_zone", "name", "username")


@dataclass(slots=True)
class Asked:
    """What was typed, with what is wrong about it by field. `stays`: whoever is logged in administers the new shop."""

    typed: dict[str, str]
    password: str = ""
    stays: Person | None = None
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """The plant's code: as typed, or derived from its name."""
        return self.typed["code"] or derived(self.typed["plant"])


def zones() -> list[str]:
    """The time zones to choose from: places, and UTC."""
    known = available_timezones()
    return [
        "UTC",
        *sorted(name for name in known if "/" in name and not name.startswith(("Etc/", "SystemV/"))),
    ]


def derived(name: str) -> str:
    """A code of capital letters, digits and dashes from a name: "Werk Süd 2" is WERK-SUD-2."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss").replace("ł", "l").replace("Ł", "L"))
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign)).upper()
    return re.sub(r"[^A-Z0-9]+", "-", letters).strip("-")[:LONGEST_CODE].rstrip("-")


def asked_of(posted: Mapping[str, str], *, actor: Person | None) -> Asked:
    """What a form says, checked as far as it can be without the database's help."""
    typed = {name: tidy(posted.get(name, "").replace("\0", "")) for name in FIELDS}
    stays = actor if posted.get("who") == "me" else None
    found = Asked(typed, posted.get("password", ""), stays)
    _check_plant(found)
    _check_person(found, posted.get("password_again", ""))
    return found


def _is_code(text: str) -> bool:
    try:
        CODE(text)
    except ValidationError:
        return False
    return True


def _check_plant(asked: Asked) -> None:
    typed, problems = asked.typed, asked.problems
    if not typed["plant"] or len(typed["plant"]) > LONGEST["name"]:
        problems["plant"] = gettext("Give your shop a name of at most 120 characters.")
    if asked.code == settings.DEMO_PLANT:
        problems["code"] = gettext("This is the code of the demonstration. Choose another.")
    elif not _is_code(asked.code):
        problems["code"] = gettext("Letters, digits, dot, dash and underscore; at most 60.")
    elif alike(Plant.objects.all(), "code", [asked.code]):
        problems["code"] = gettext("There is a plant of this code already. Choose another.")
    if typed["language"] not in dict(settings.LANGUAGES):
        problems["language"] = gettext("Choose one of the languages.")
    if typed["time_zone"] not in available_timezones():
        problems["time_zone"] = gettext("Choose one of the time zones.")


def _check_person(asked: Asked, again: str) -> None:
    typed, problems = asked.typed, asked.problems
    if not typed["name"] or len(typed["name"]) > LONGEST["name"]:
        problems["name"] = gettext(REFUSAL_TEXT["name_missing"])
    if asked.stays is None and not USERNAME.fullmatch(typed["username"]):
        problems["username"] = gettext(REFUSAL_TEXT["username_bad"])
    if asked.password != again:
        problems["password"] = gettext("The two passwords differ. Type both again.")
        return
    try:
        person = asked.stays or Person(username=typed["username"], name=typed["name"])
        validate_password(asked.password, person)
    except ValidationError as why:
        problems["password"] = " ".join(why.messages)


def taken(asked: Asked) -> bool:
    """Whether somebody else is found by the user name that was typed; noted as a problem."""
    if asked.stays is None and called(asked.typed["username"]):
        asked.problems["username"] = gettext(REFUSAL_TEXT["username_taken"])
    return "username" in asked.problems


def make_plant(asked: Asked, *, now: datetime) -> Plant | None:
    """The plant with its first area, checked as those of a shop file; None with what is wrong in `asked.problems`."""
    with spoken(asked.typed["language"]):
        floor = gettext("Shop floor")
    row = {"code": asked.code, "name": asked.typed["plant"], "time_zone": asked.typed["time_zone"]}
    areas = [{"code": f"{asked.code[:50]}-FLOOR", "name": floor}]
    done = set_up_shop({"shop": 1, "plants": [{**row, "areas": areas}]}, now=now)
    if done.report.errors:
        asked.problems["code"] = " ".join(error.message for error in done.report.errors)
        return None
    return Plant.objects.get(code=asked.code)


def make_administrator(asked: Asked, plant: Plant) -> Person:
    """The first administrator of the plant, who also administers the installation. Whoever stays gets the name and the
    password that were typed, and loses badge and PIN: those of the demonstration are known to many."""
    person = asked.stays or Person(username=asked.typed["username"])
    person.name, person.language = asked.typed["name"], asked.typed["language"]
    person.badge, person.pin_hash, person.pin_set_at = None, "", None
    person.is_staff = person.is_superuser = person.is_active = True
    person.set_password(asked.password)
    person.save()
    Membership.objects.get_or_create(person=person, plant=plant, role=Role.ADMIN)
    Area.objects.filter(plant=plant, leader=None).update(leader=person)
    return person
