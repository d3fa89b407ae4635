"""People and badges: leaders keep badges, PINs and languages of their people; administrators add and give roles."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jitapp.accounts.models import Person
from jitapp.accounts.pins import check_pin, set_pin
from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Membership, Plant, UnknownBadge
from tests.floor import Floor

pytestmark = pytest.mark.django_db
PIN = "2580"


@pytest.fixture
def floor() -> Floor:
    return Floor()


def person(name: str, **roles: Role) -> Person:
    """Somebody with a badge and these roles by plant."""
    made = Person.objects.create(username=name, name=name.title(), badge=f"B-{name}")
    for plant, role in roles.items():
        Membership.objects.create(person=made, plant=Plant.objects.get(code=plant), role=role)
    return made


def client(who: Person) -> Client:
    made = Client()
    made.force_login(who)
    return made


def post(who: Person, about: Person, **told: Any) -> Any:
    return client(who).post(f"/people/{about.uuid}", told)


def right(who: Person, pin: str = PIN) -> bool:
    return check_pin(who.pk, pin, device_id=None, now=timezone.now()).right


def test_a_leader_keeps_badge_pin_and_language_of_an_operator(floor: Floor) -> None:
    lea, ole = person("lea", PLANT=Role.LEADER), person("ole", PLANT=Role.OPERATOR)
    assert post(lea, ole, do="save", badge=" 4711 ", language="pl").status_code == 302
    ole.refresh_from_db()
    assert (ole.badge, ole.language, ole.name, ole.is_active) == ("4711", "pl", "Ole", True)
    post(lea, ole, do="pin", pin=PIN)
    assert right(ole)
    page = client(lea).get(f"/people/{ole.uuid}").content.decode()
    assert "A PIN is set. Nobody can read it" in page
    ole.refresh_from_db()
    assert ole.pin_hash not in page
    post(lea, ole, do="no-pin")
    assert not right(ole)
    assert post(lea, ole, do="save", badge="", language="pl").status_code == 302
    ole.refresh_from_db()
    assert ole.badge is None


@pytest.mark.parametrize("role", [Role.PLANNER, Role.QUALITY, Role.LEADER, Role.ADMIN])
def test_nobody_sets_the_pin_of_somebody_who_may_do_more(floor: Floor, role: Role) -> None:
    """A PIN gives the rights of its person: whoever could set it would have them."""
    lea, other = person("lea", PLANT=Role.LEADER), person("other", PLANT=role)
    assert post(lea, other, do="pin", pin=PIN).status_code == 403
    assert post(lea, other, do="save", badge="4711", language="en").status_code == 403
    assert not right(other)
    assert post(lea, other, do="save", language="fr").status_code == 302
    ada = person("ada", PLANT=Role.ADMIN)
    assert post(ada, other, do="pin", pin=PIN).status_code == 302
    assert right(other)


def test_nobody_sets_the_pin_of_somebody_who_works_in_another_plant_too(floor: Floor) -> None:
    Floor("B")
    ada, both = person("ada", PLANT=Role.ADMIN), person("both", PLANT=Role.OPERATOR, B=Role.LEADER)
    assert post(ada, both, do="pin", pin=PIN).status_code == 403
    assert post(ada, both, do="save", name="X", badge="B-both", language="en", active="on").status_code == 403
    away = person("away", B=Role.OPERATOR)
    assert post(ada, away, do="pin", pin=PIN).status_code == 404
    assert client(ada).get(f"/people/{away.uuid}").status_code == 404
    root = Person.objects.create_superuser("root", password="x", name="Root")
    Membership.objects.create(person=root, plant=floor.plant, role=Role.OPERATOR)
    assert post(ada, root, do="pin", pin=PIN).status_code == 403
    assert post(root, both, do="pin", pin=PIN).status_code == 302


def test_an_administrator_adds_somebody_who_signs_in_by_badge(floor: Floor) -> None:
    ada = person("ada", PLANT=Role.ADMIN)
    told = {
        "name": "Zoë",
        "username": "zoe",
        "badge": "77",
        "language": "es",
        "roles": ["operator", "handler"],
    }
    assert client(ada).post("/people/new", told).status_code == 302
    zoe = Person.objects.get(username="zoe")
    assert (zoe.name, zoe.badge, zoe.language, zoe.has_usable_password()) == ("Zoë", "77", "es", False)
    assert set(zoe.memberships.values_list("plant__code", "role")) == {
        ("PLANT", "operator"),
        ("PLANT", "handler"),
    }
    assert "Zoë" in client(ada).get("/people?q=77").content.decode()
    assert "Zoë" not in client(ada).get("/people?q=nobody").content.decode()
    lea = person("lea", PLANT=Role.LEADER)
    assert client(lea).post("/people/new", told | {"username": "zoe2", "badge": ""}).status_code == 403


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"username": "a b"}, "A user name has letters"),
        ({"username": "ADA"}, "Somebody is called so already"),
        ({"username": "b-ada"}, "Somebody is called so already"),
        ({"badge": "B-ADA"}, "Somebody else has this badge"),
        ({"badge": "x" * 65}, "at most 64 characters"),
        ({"name": " "}, "at most 120 characters"),
        ({"language": "xx"}, "Choose one of the languages"),
        ({"roles": []}, "Tick at least one role"),
    ],
)
def test_who_cannot_be_added_is_said_and_what_was_typed_stays(floor: Floor, told: Any, says: str) -> None:
    ada = person("ada", PLANT=Role.ADMIN)
    wanted = {"name": "Zoë", "username": "zoe", "badge": "", "language": "es", "roles": ["operator"]}
    page = client(ada).post("/people/new", wanted | told)
    assert (page.status_code, says in page.content.decode()) == (422, True), page.content.decode()
    assert Person.objects.count() == 1
    if "name" not in told:
        assert 'value="Zoë"' in page.content.decode()


def test_a_badge_belongs_to_one_person_and_a_bad_pin_is_refused(floor: Floor) -> None:
    lea, ole, mia = (
        person(n, PLANT=r) for n, r in (("lea", Role.LEADER), ("ole", Role.OPERATOR), ("mia", Role.OPERATOR))
    )
    taken = post(lea, ole, do="save", badge="b-MIA", language="en")
    assert (taken.status_code, "Somebody else has this badge" in taken.content.decode()) == (422, True)
    for bad in ("1234", "0000", "12", "abcd", ""):
        refused = post(lea, mia, do="pin", pin=bad)
        assert (refused.status_code, "A PIN has 4 to 8 digits" in refused.content.decode()) == (422, True), (
            bad
        )
    set_pin(mia, PIN)
    assert right(mia)


def test_roles_are_given_and_taken_in_ones_own_plant(floor: Floor) -> None:
    Floor("B")
    ada, ole = person("ada", PLANT=Role.ADMIN), person("ole", PLANT=Role.OPERATOR, B=Role.BUYER)
    assert post(ada, ole, do="roles", plant="PLANT", roles=["handler", "quality"]).status_code == 302
    assert set(ole.memberships.values_list("plant__code", "role")) == {
        ("PLANT", "handler"),
        ("PLANT", "quality"),
        ("B", "buyer"),
    }
    assert post(ada, ole, do="roles", plant="B", roles=["admin"]).status_code == 403
    own = post(ada, ada, do="roles", plant="PLANT", roles=["operator"])
    assert (own.status_code, "You cannot end your own" in own.content.decode()) == (422, True)
    assert ada.memberships.get().role == Role.ADMIN


def test_whoever_is_ended_signs_in_no_more_and_administrators_do_not_end_themselves(floor: Floor) -> None:
    ada, ole = person("ada", PLANT=Role.ADMIN), person("ole", PLANT=Role.OPERATOR)
    session = client(ole)
    assert session.get("/calls").status_code == 200
    assert post(ada, ole, do="save", name="Ole", badge="B-ole", language="en").status_code == 302
    assert "/login/" in session.get("/devices").headers["Location"]
    own = post(ada, ada, do="save", name="Ada", badge="B-ada", language="en")
    assert (own.status_code, Person.objects.get(pk=ada.pk).is_active) == (422, True)


def test_an_unknown_badge_is_given_to_somebody_or_put_away(floor: Floor) -> None:
    lea, ole = person("lea", PLANT=Role.LEADER), person("ole", PLANT=Role.OPERATOR)
    now = timezone.now()
    for badge in ("4711", "0815"):
        UnknownBadge.objects.create(
            plant=floor.plant, badge=badge, device=floor.device, first_at=now, last_at=now, times=3
        )
    first, second = UnknownBadge.objects.order_by("badge")
    page = client(lea).get("/people").content.decode()
    assert "4711" in page
    assert "3 × read, last at PLANT scanner" in page
    nobody = client(lea).post(f"/people/badges/{second.pk}", {"person": "nobody"}, follow=True)
    assert "Nobody in your plant has this user name" in nobody.content.decode()
    client(lea).post(f"/people/badges/{second.pk}", {"person": "ole"})
    ole.refresh_from_db()
    assert ole.badge == "4711"
    client(lea).post(f"/people/badges/{first.pk}")
    assert not UnknownBadge.objects.exists()


def test_operators_are_told_whom_to_ask(floor: Floor) -> None:
    ole = person("ole", PLANT=Role.OPERATOR)
    page = client(ole).get("/people").content.decode()
    assert "Ask yours" in page
    assert "B-ole" not in page
    assert client(ole).get(f"/people/{ole.uuid}").status_code == 404
