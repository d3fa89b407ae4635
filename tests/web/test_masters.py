"""Master data on pages: the same checks as files and API, refusals at their field, nothing that was typed is lost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from jitapp.accounts.models import Person
from jitapp.kanban.andon import ROLES
from jitapp.plant.history import MasterChange
from jitapp.plant.masters.table import MASTERS
from jitapp.plant.models import (
    Area,
    BillOfMaterials,
    Calendar,
    Loop,
    Part,
    Plant,
    StandardWork,
    Station,
    Supplier,
)
from jitapp.web.masters.fields import fields_of
from jitapp.web.masters.kinds import KINDS
from jitapp.web.masters.words import CALLED, ENUMS, LABELS
from tests.web.shop import Shop, a_person, every_state

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    made = every_state()
    a_person(made, roles=("planner",), username="eva")
    a_person(made, roles=("operator",), username="ole")
    return made


def client(username: str) -> Client:
    made = Client()
    made.force_login(Person.objects.get(username=username))
    return made


@pytest.fixture
def eva(shop: Shop) -> Client:
    return client("eva")


def seen(page: Any) -> str:
    return str(page.context["seen"])


def texts(page: Any) -> str:
    return str(page.content.decode())


def test_every_member_and_every_word_of_every_kind_has_words() -> None:
    for kind in KINDS.values():
        for each in kind.fields():
            for name in (each.name, *(f"{each.name}.{column.name}" for column in each.columns)):
                assert f"{kind.name}.{name}" in LABELS or name in LABELS, (kind.name, name)
            if each.enum is not None and each.enum in ENUMS:
                assert {*ENUMS[each.enum]} == {str(word) for word in each.enum}
    assert {*CALLED} == {*ROLES}


def test_every_widget_is_one_that_the_template_knows() -> None:
    known = {"text", "number", "decimal", "select", "ref", "tick", "days", "lines", "spans", "table", "needs"}
    kinds = {master.kind: master for master in MASTERS}
    assert {each.widget for kind in KINDS for each in fields_of(kinds[kind])} <= known


NEW: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "parts": (
        {"number": "AX-1", "description": "Lid", "unit": "pcs", "decimals": "0",
         "standard_work-there": "1", "standard_work-0-key": "PASTE", "standard_work-0-value": "https://sop/ax"},
        {"number": "AX-1", "decimals": "9"},
    ),
    "bills": (
        {"part": "CAP-100N", "components-there": "2", "components-0-part": "CONN-8", "components-0-quantity": "2,5"},
        {"part": "CAP-100N", "components-there": "1", "components-0-part": "NO-SUCH", "components-0-quantity": "1"},
    ),
    "stations": (
        {"code": "WASH", "name": "Washing", "kind": "PROCESS", "area": "SMT", "wip_limit": "2",
         "readiness_checks": "Gloves\nWater"},
        {"code": "WASH", "name": "Washing", "kind": "PROCESS", "wip_limit": "two"},
    ),
    "areas": (
        {"code": "YARD", "name": "Yard", "escalation-there": "1", "escalation-0-after": "5",
         "escalation-0-who": "area_leader"},
        {"code": "YARD", "name": "Yard", "idle_minutes": "100000"},
    ),
    "calendars": (
        {"code": "EARLY", "shifts-there": "1", "shifts-0-days-there": "1", "shifts-0-days": "mon",
         "shifts-0-start": "06:00", "shifts-0-end": "14:00", "shifts-0-breaks": "09:00-09:15"},
        {"code": "EARLY", "shifts-there": "1", "shifts-0-days-there": "1", "shifts-0-days": "mon",
         "shifts-0-start": "26:00", "shifts-0-end": "14:00"},
    ),
    "suppliers": (
        {"code": "BOLTS", "name": "Bolt works", "delivery_days-there": "1", "delivery_days": "tue"},
        {"code": "NO SUCH CODE!", "name": "Bolt works"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(NEW))
def test_a_new_row_is_made_and_a_wrong_one_keeps_what_was_typed(kind: str, eva: Client, shop: Shop) -> None:
    right, wrong = NEW[kind]
    refused = eva.post(f"/plan/{kind}/new", wrong | {"plant": "ORLANDO"})
    assert refused.status_code == 422
    for value in wrong.values():
        if value != "1":
            assert value in texts(refused), value
    assert 'aria-invalid="true"' in texts(refused) or 'class="wrong"' in texts(refused)
    assert not MasterChange.objects.exists()
    made = eva.post(f"/plan/{kind}/new", right | {"plant": "ORLANDO"})
    assert made.status_code == 302, texts(made)
    note = MasterChange.objects.get()
    assert (note.kind, note.what, str(note.person)) == (kind, "created", "Eva")
    again = eva.post(f"/plan/{kind}/new", right | {"plant": "ORLANDO"})
    assert again.status_code == 422  # it would have changed the one that exists
    assert MasterChange.objects.count() == 1


def test_what_was_made_stands_in_the_tables_as_it_was_typed(eva: Client, shop: Shop) -> None:
    for kind, (right, _) in NEW.items():
        assert eva.post(f"/plan/{kind}/new", right | {"plant": "ORLANDO"}).status_code == 302, kind
    assert StandardWork.objects.get().url == "https://sop/ax"
    assert BillOfMaterials.objects.get().quantity == Decimal("2.5")
    assert Station.objects.get(code="WASH").readiness_checks == ["Gloves", "Water"]
    assert Area.objects.get(code="YARD").escalation == [{"after": 5, "who": "area_leader"}]
    assert Calendar.objects.get(code="EARLY").shifts[0]["breaks"] == [["09:00", "09:15"]]
    assert Supplier.objects.get(code="BOLTS").delivery_days == ["tue"]


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"loops"}))
def test_every_form_saved_as_it_stands_changes_nothing(kind: str, eva: Client, shop: Shop) -> None:
    """What a form shows is what it sends back: no member is lost, none gets another value."""
    for named, (right, _) in NEW.items():
        assert eva.post(f"/plan/{named}/new", right | {"plant": "ORLANDO"}).status_code == 302
    before = MasterChange.objects.count()
    for entry in KINDS[kind].rows([shop.plant]):
        page = eva.get(f"/plan/{kind}/{entry.pk}")
        answer = eva.post(f"/plan/{kind}/{entry.pk}", sent_by(page))
        assert answer.status_code == 302, texts(answer)
    assert MasterChange.objects.count() == before


def sent_by(page: Any) -> dict[str, list[str] | str]:
    """What a browser would send of the drawn form."""
    found: dict[str, list[str] | str] = {"seen": page.context["seen"]}

    def add(one: Any) -> None:
        if one.widget == "tick":
            found[f"{one.name}-there"] = "1"
            if one.on:
                found[one.name] = "on"
        elif one.widget == "days":
            found[f"{one.name}-there"] = "1"
            found[one.name] = [option.value for option in one.options if option.chosen]
        elif one.widget == "table":
            found[f"{one.name}-there"] = str(len(one.lines))
            for line in one.lines:
                for cell in line:
                    add(cell)
        elif one.widget == "needs":
            found[f"{one.name}-there"] = "1"
            for group in one.groups:
                found[group.name] = next(option.value for option in group.options if option.chosen)
        elif one.widget == "select":
            found[one.name] = next((option.value for option in one.options if option.chosen), "")
        else:
            found[one.name] = one.value

    for one in [*page.context["fields"], *page.context["rare"]]:
        add(one)
    return found


def test_two_people_see_both_versions_and_nothing_is_lost(eva: Client, shop: Shop) -> None:
    station = shop.stations["PASTE"]
    address = f"/plan/stations/{station.pk}"
    mine, theirs = eva.get(address), eva.get(address)
    done = eva.post(address, sent_by(theirs) | {"name": "Paste printer"})
    assert done.status_code == 302
    late = eva.post(address, sent_by(mine) | {"name": "Printing"})
    assert late.status_code == 409
    assert 'value="Printing"' in texts(late)
    assert "<b>Paste printer</b>" in texts(late)
    assert "Eva changed this" in texts(late)
    station.refresh_from_db()
    assert station.name == "Paste printer"
    saved = eva.post(address, sent_by(mine) | {"name": "Printing", "seen": seen(late)})
    assert saved.status_code == 302
    station.refresh_from_db()
    assert station.name == "Printing"
    page = texts(eva.get(address))
    assert "Paste printer" in page  # who changed what from what to what


def test_a_number_with_a_comma_that_may_mean_two_things_is_refused(eva: Client, shop: Shop) -> None:
    sent = {"part": "CAP-100N", "components-there": "1", "components-0-part": "CONN-8", "plant": "ORLANDO"}
    refused = eva.post("/plan/bills/new", sent | {"components-0-quantity": "1,000"})
    assert refused.status_code == 422
    assert 'value="1,000"' in texts(refused)
    assert not BillOfMaterials.objects.exists()


def test_a_station_twice_in_standard_work_is_refused_and_both_stand_there(eva: Client, shop: Shop) -> None:
    twice = {
        "number": "AX-2", "plant": "ORLANDO", "standard_work-there": "2",
        "standard_work-0-key": "PASTE", "standard_work-0-value": "https://one/",
        "standard_work-1-key": "PASTE", "standard_work-1-value": "https://two/",
    }  # fmt: skip
    refused = eva.post("/plan/parts/new", twice)
    assert refused.status_code == 422
    assert "https://one/" in texts(refused)
    assert "https://two/" in texts(refused)
    assert not Part.objects.filter(number="AX-2").exists()


def test_lists_are_searched_filtered_sorted_and_paged(eva: Client, shop: Shop) -> None:
    Part.objects.bulk_create(Part(plant=shop.plant, number=f"BULK-{n:03}", unit="kg") for n in range(120))
    page = eva.get("/plan/parts", {"unit": "kg", "sort": "-number"})
    lines = page.context["lines"]
    assert [lines[0].key, len(lines), page.context["count"]] == ["BULK-119", 50, "120 rows"]
    assert eva.get("/plan/parts", {"unit": "kg", "page": "3"}).context["lines"][-1].key == "BULK-119"
    assert [line.key for line in eva.get("/plan/parts", {"q": "bulk-00"}).context["lines"]][:2] == [
        "BULK-000",
        "BULK-001",
    ]
    assert "Nothing fits" in texts(eva.get("/plan/parts", {"q": "no such thing"}))
    held = eva.get("/plan/loops", {"status": "ON_HOLD"}).context["lines"]
    assert [line.key for line in held] == ["L-HELD"]


def test_a_list_without_rows_says_what_belongs_there(eva: Client, shop: Shop) -> None:
    page = texts(eva.get("/plan/bills"))
    assert "A bill says what goes into one unit of a part" in page
    assert 'href="/plan/bills/new"' in page


def test_many_rows_are_changed_at_once_after_they_were_shown(eva: Client, shop: Shop) -> None:
    picked = [shop.stations[code].pk for code in ("PASTE", "REFLOW", "ACME-DOCK")]
    sent = {"pick": picked, "do": "set-wip_limit", "next": "/plan/stations?q=a"}
    asked = eva.post("/plan/stations/bulk", sent)
    assert "Show what would change" in texts(asked)
    shown = eva.post("/plan/stations/bulk", sent | {"wip_limit": "3"})
    assert [one.after for one in shown.context["outcomes"]] == ["3", "3", "3"]
    assert Station.objects.filter(wip_limit=3).count() == 0
    done = eva.post("/plan/stations/bulk", sent | {"wip_limit": "3", "confirm": "1"})
    assert done["Location"] == "/plan/stations?q=a"
    assert Station.objects.filter(wip_limit=3).count() == 3


def test_loops_are_held_and_retired_in_bulk_and_a_refused_one_says_why(eva: Client, shop: Shop) -> None:
    calm, busy = shop.loops["L-OK"], shop.loops["L-MOVE"]
    sent = {"pick": [calm.pk, busy.pk], "do": "retire"}
    assert "Reason" in texts(eva.post("/plan/loops/bulk", sent))
    assert "Give a reason" in texts(eva.post("/plan/loops/bulk", sent | {"reason": " "}))
    shown = eva.post("/plan/loops/bulk", sent | {"reason": "not made any more"})
    by_key = {one.key: one for one in shown.context["outcomes"]}
    assert "under way" in by_key["L-MOVE"].problem
    assert by_key["L-OK"].after == "retired"
    assert Loop.objects.filter(status="RETIRED").count() == 0
    eva.post("/plan/loops/bulk", sent | {"reason": "not made any more", "confirm": "1"})
    assert list(Loop.objects.filter(status="RETIRED").values_list("code", flat=True)) == ["L-OK"]
    eva.post("/plan/loops/bulk", {"pick": [busy.pk], "do": "hold", "reason": "audit", "confirm": "1"})
    busy.refresh_from_db()
    assert (busy.status, busy.hold_reason) == ("ON_HOLD", "audit")


def test_whoever_does_not_plan_here_looks_and_changes_nothing(eva: Client, shop: Shop) -> None:
    other = Plant.objects.create(code="AWAY", name="Away")
    foreign = Station.objects.create(plant=other, code="THERE", name="There", kind="PROCESS")
    assert eva.get(f"/plan/stations/{foreign.pk}").status_code == 404
    assert eva.post(f"/plan/stations/{foreign.pk}", {"name": "X"}).status_code == 404
    assert (
        eva.post("/plan/stations/new", {"code": "X", "kind": "PROCESS", "plant": "AWAY"}).status_code == 403
    )
    eva.post("/plan/stations/bulk", {"pick": [foreign.pk], "do": "set-name", "name": "X", "confirm": "1"})
    foreign.refresh_from_db()
    assert foreign.name == "There"
    ole, address = client("ole"), f"/plan/stations/{shop.stations['PASTE'].pk}"
    assert "Planners, leaders and administrators change" in texts(ole.get(address))
    assert ole.post(address, {"name": "X"}).status_code == 403
    assert ole.post("/plan/stations/bulk", {"pick": [1], "do": "set-name"}).status_code == 403


def test_a_note_is_kept_and_shown_with_its_writer(eva: Client, shop: Shop) -> None:
    address = f"/plan/stations/{shop.stations['PASTE'].pk}"
    eva.post(address, {"do": "remark", "remark": "New stencil in March"})
    page = texts(eva.get(address))
    assert "New stencil in March" in page
    assert "<b>Eva</b>" in page


def test_the_administration_leads_back(shop: Shop) -> None:
    Person.objects.create(username="root", name="Root", is_staff=True, is_superuser=True)
    page = texts(client("root").get("/admin/"))
    assert 'href="/plan/"' in page
    assert "jitapp · Administration" in page
    assert "Django administration" not in page
