"""Shop documents into the tables: everything or nothing, again nothing, and errors that name their row."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from jitapp.accounts.models import Person
from jitapp.kanban.duedates import due_at
from jitapp.plant.configs import configs
from jitapp.plant.loading import Report, load_shop
from jitapp.plant.models import (
    Area,
    BillOfMaterials,
    Calendar,
    Epoch,
    Loop,
    Membership,
    Part,
    Plant,
    StandardWork,
    Station,
)
from jitapp.plant.reading import read_document
from jitapp.pull.actions import add_extra_card
from jitapp.pull.models import Card, Event
from jitapp.pull.proof.verify import verify
from jitapp.pull.setup import set_up_shop
from tests.plant.test_reading import workbook

pytestmark = pytest.mark.django_db

# A press feeds an assembly cell; steel comes from a supplier; the customer pulls at the dock.
SHOP: dict[str, Any] = {
    "shop": 1,
    "plants": [
        {
            "code": "HALL-1",
            "name": "Hall one",
            "time_zone": "Europe/Berlin",
            "calendars": [
                {
                    "code": "DAY",
                    "default": True,
                    "shifts": [
                        {
                            "days": ["mon", "tue", "wed", "thu", "fri"],
                            "start": "06:00",
                            "end": "14:00",
                            "breaks": [["09:00", "09:15"]],
                        }
                    ],
                    "holidays": ["2026-12-25"],
                }
            ],
            "people": [
                {"username": "lea", "name": "Lea Leader", "role": "leader", "badge": "B-1"},
                {"username": "otto", "name": "Otto Operator", "roles": ["operator", "handler"]},
            ],
            "areas": [{"code": "metal", "name": "Metal", "leader": "lea"}],
            "suppliers": [
                {"code": "STEELCO", "name": "Steel Co", "calendar": "DAY", "ack_within_minutes": 60}
            ],
            "stations": [
                {"code": "STEEL", "kind": "SUPPLIER", "supplier": "STEELCO"},
                {
                    "code": "PRESS",
                    "kind": "PROCESS",
                    "area": "metal",
                    "wip_limit": 2,
                    "consumption": "BACKFLUSH",
                },
                {"code": "CELL", "kind": "PROCESS", "area": "metal", "calendar": "DAY"},
                {"code": "DOCK", "kind": "SHIPPING"},
            ],
            "parts": [
                {"number": "SHEET", "unit": "kg", "decimals": 1},
                {"number": "DOOR", "description": "pressed door", "gtin": "4006381333931"},
                {"number": "CABINET"},
            ],
            "bills": [
                {"part": "DOOR", "components": [{"part": "SHEET", "quantity": "1.25"}]},
                {"part": "CABINET", "components": [{"part": "DOOR", "quantity": 2}]},
            ],
            "loops": [
                {
                    "code": "SHEET-PRESS",
                    "part": "SHEET",
                    "demand": "PRESS",
                    "supply": "STEEL",
                    "kind": "SUPPLIER",
                    "quantity": "12.5",
                    "cards": 2,
                },
                {
                    "code": "DOOR-CELL",
                    "part": "DOOR",
                    "demand": "CELL",
                    "supply": "PRESS",
                    "kind": "TWO_BIN",
                    "quantity": 8,
                    "cards": 2,
                    "first": ["FULL", "EMPTY"],
                    "sequence": {"IN_TRANSIT": "PROHIBITED"},
                },
                {
                    "code": "CABINET-DOCK",
                    "part": "CABINET",
                    "demand": "DOCK",
                    "supply": "CELL",
                    "kind": "TWO_BIN",
                    "quantity": 1,
                },
            ],
        }
    ],
}
ROWS = 1 + 1 + 2 + 1 + 1 + 4 + 3 + 2 + 3


@pytest.fixture
def shop() -> dict[str, Any]:
    return deepcopy(SHOP)


def plant_of(shop: dict[str, Any]) -> dict[str, Any]:
    plant: dict[str, Any] = shop["plants"][0]
    return plant


def refused(shop: dict[str, Any]) -> Report:
    """The report of a document that must not be loaded; nothing of it is in the tables."""
    report = load_shop(shop)
    assert report.errors
    assert not report.rows
    assert not Plant.objects.exists()
    assert not Person.objects.exists()
    return report


def says(shop: dict[str, Any]) -> str:
    return " ".join(error.message for error in refused(shop).errors)


def test_a_shop_is_loaded_with_all_its_parts(shop: dict[str, Any]) -> None:
    report = load_shop(shop)
    assert report.errors == []
    assert report.created == ROWS
    loop = Loop.objects.select_related("part", "demand", "supply", "plant").get(code="DOOR-CELL")
    assert (loop.part.number, loop.demand.code, loop.supply.code) == ("DOOR", "CELL", "PRESS")
    assert loop.quantity == 8
    assert loop.sequence == {"IN_TRANSIT": "PROHIBITED"}
    assert BillOfMaterials.objects.get(parent__number="DOOR").quantity == Decimal("1.25")
    assert Area.objects.get(code="metal").leader == Person.objects.get(username="lea")
    assert set(Membership.objects.filter(person__username="otto").values_list("role", flat=True)) == {
        "operator",
        "handler",
    }
    assert Calendar.objects.get(code="DAY").shifts == plant_of(shop)["calendars"][0]["shifts"]
    assert not Person.objects.get(username="lea").has_usable_password()
    assert [(cards.loop, cards.first) for cards in report.cards] == [
        ("SHEET-PRESS", ("FULL", "FULL")),
        ("DOOR-CELL", ("FULL", "EMPTY")),
    ]


def test_loading_again_changes_nothing(shop: dict[str, Any]) -> None:
    load_shop(shop)
    epoch = Epoch.objects.get().number
    versions = list(Station.objects.order_by("code").values_list("code", "version"))
    report = load_shop(shop)
    assert (report.created, report.changed, report.unchanged) == (0, 0, ROWS)
    assert Epoch.objects.get().number == epoch or not report.changed
    assert list(Station.objects.order_by("code").values_list("code", "version")) == versions


def test_a_dry_run_tells_the_difference_and_changes_nothing(shop: dict[str, Any]) -> None:
    load_shop(shop)
    plant_of(shop)["stations"][1]["wip_limit"] = 3
    plant_of(shop)["parts"].append({"number": "HINGE"})
    report = load_shop(shop, dry_run=True)
    told = {
        (row.kind, row.key): (row.status, row.changes) for row in report.rows if row.status != "unchanged"
    }
    assert told == {
        ("stations", "PRESS"): ("changed", {"wip_limit": ("2", "3")}),
        ("parts", "HINGE"): ("created", {}),
    }
    assert Station.objects.get(code="PRESS").wip_limit == 2
    assert not Part.objects.filter(number="HINGE").exists()


def test_what_a_row_does_not_name_keeps_its_value_and_null_clears_it(shop: dict[str, Any]) -> None:
    load_shop(shop)
    plant_of(shop)["stations"] = [{"code": "PRESS", "name": "Big press", "wip_limit": None}]
    assert load_shop(shop).errors == []
    press = Station.objects.get(code="PRESS")
    assert (press.name, press.wip_limit, press.consumption, press.version) == (
        "Big press",
        None,
        "BACKFLUSH",
        2,
    )


def test_a_bill_loses_the_lines_that_it_no_longer_names(shop: dict[str, Any]) -> None:
    load_shop(shop)
    plant_of(shop)["bills"][1]["components"] = [{"part": "SHEET", "quantity": "0.5"}]
    report = load_shop(shop)
    changes = next(row.changes for row in report.rows if row.status == "changed")
    assert changes == {"DOOR": ("2", ""), "SHEET": ("", "0.5")}
    assert BillOfMaterials.objects.get(parent__number="CABINET").component.number == "SHEET"


def test_one_wrong_row_stops_the_whole_file_and_every_wrong_row_is_named(shop: dict[str, Any]) -> None:
    plant = plant_of(shop)
    plant["stations"][1]["area"] = "wood"
    plant["stations"][2]["wip_limt"] = 2
    plant["parts"][0]["decimals"] = 9
    plant["loops"][0]["quantity"] = "12.55"
    errors = {(error.kind, error.key): error for error in refused(shop).errors}
    assert errors["stations", "PRESS"].message == "There is no area 'wood' in plant HALL-1."
    assert errors["stations", "PRESS"].path == ("plants", 0, "stations", 1)
    assert errors["stations", "CELL"].message == (
        "There is no member called wip_limt. Did you mean wip_limit?"
    )
    assert "decimals" in errors["parts", "SHEET"].message
    # The part it needs could not be read, and the row says so.
    assert errors["loops", "SHEET-PRESS"].code == "unknown_reference"


def test_row_by_row_the_right_rows_go_through(shop: dict[str, Any]) -> None:
    load_shop(shop)
    rows = {
        "code": "HALL-1",
        "parts": [{"number": "HINGE"}, {"number": "(-)"}, {"number": "SCREW", "gtin": "4006381333932"}],
    }
    report = load_shop({"shop": 1, "plants": [rows]}, row_by_row=True)
    assert [error.key for error in report.errors] == ["(-)", "SCREW"]
    assert [row.key for row in report.rows if row.status == "created"] == ["HINGE"]
    assert Part.objects.filter(number="HINGE").exists()


def test_bills_that_go_in_a_circle_are_refused(shop: dict[str, Any]) -> None:
    plant_of(shop)["bills"].append({"part": "SHEET", "components": [{"part": "CABINET", "quantity": 1}]})
    assert (
        "The bills go in a circle: CABINET is made from DOOR is made from SHEET is made from CABINET"
        in says(shop)
    )


def test_loops_of_one_part_that_go_in_a_circle_are_refused(shop: dict[str, Any]) -> None:
    plant_of(shop)["loops"].append(
        {
            "code": "BACK",
            "part": "DOOR",
            "demand": "PRESS",
            "supply": "CELL",
            "kind": "TWO_BIN",
            "quantity": 1,
        }
    )
    assert "The loops of part DOOR go in a circle" in says(shop)


def test_a_circle_that_needs_what_is_there_already_is_refused_row_by_row_too(shop: dict[str, Any]) -> None:
    load_shop(shop)
    circle = {"code": "HALL-1", "bills": [{"part": "SHEET", "components": [{"part": "DOOR", "quantity": 1}]}]}
    report = load_shop({"shop": 1, "plants": [circle]}, row_by_row=True)
    assert [error.code for error in report.errors] == ["circle"]
    assert not BillOfMaterials.objects.filter(parent__number="SHEET").exists()


def test_a_loops_part_and_place_stand_on_its_cards_and_stay(shop: dict[str, Any]) -> None:
    load_shop(shop)
    plant_of(shop)["loops"][1]["part"] = "CABINET"
    report = load_shop(shop)
    assert [error.code for error in report.errors] == ["identity"]
    assert Loop.objects.get(code="DOOR-CELL").part.number == "DOOR"


def test_a_new_quantity_is_left_to_the_cards(shop: dict[str, Any]) -> None:
    load_shop(shop)
    Loop.objects.filter(code="DOOR-CELL").update(status="ON_HOLD", hold_reason="flood")
    plant_of(shop)["loops"][1] |= {"quantity": "10", "status": "ON_HOLD"}
    report = load_shop(shop)
    loop = Loop.objects.get(code="DOOR-CELL")
    assert [(asked.loop_id, asked.quantity) for asked in report.sizes] == [(loop.pk, Decimal(10))]
    assert [row.changes for row in report.rows if row.status == "changed"] == [{"quantity": ("8", "10")}]
    assert (loop.quantity, loop.status) == (8, "ON_HOLD")


@pytest.mark.parametrize(
    ("now", "wanted", "way"),
    [
        ("ACTIVE", "RETIRED", "POST /api/v1/loops/DOOR-CELL/retire"),
        ("ACTIVE", "ON_HOLD", "POST /api/v1/loops/DOOR-CELL/hold"),
        ("ON_HOLD", "ACTIVE", "POST /api/v1/loops/DOOR-CELL/resume"),
        ("ACTIVE", "DRAFT", "does not become a draft again"),
        ("RETIRED", "ACTIVE", "was retired, for good"),
    ],
)
def test_f05_another_status_is_refused_with_the_way_to_it(
    shop: dict[str, Any], now: str, wanted: str, way: str
) -> None:
    load_shop(shop)
    Loop.objects.filter(code="DOOR-CELL").update(status=now)
    plant_of(shop)["loops"][1]["status"] = wanted
    (error,) = load_shop(shop).errors
    assert (error.key, error.code, error.member) == (
        "DOOR-CELL",
        "refused",
        () if now == "RETIRED" else ("status",),
    )
    assert way in error.message
    assert Loop.objects.get(code="DOOR-CELL").status == now
    if now != "RETIRED":
        plant_of(shop)["loops"][1]["status"] = now
        assert load_shop(shop).errors == []


def test_a_new_quantity_reaches_the_cards_of_the_loop(shop: dict[str, Any]) -> None:
    now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    set_up_shop(shop, now=now)
    plant_of(shop)["loops"][1]["quantity"] = "10"
    assert set_up_shop(shop, now=now).report.changed == 1
    loop = Loop.objects.get(code="DOOR-CELL")
    assert (loop.quantity, loop.revision) == (10, 2)
    assert set_up_shop(shop, now=now).report.changed == 0
    assert verify().differences == []


def test_standard_work_of_a_part_stands_with_the_part(shop: dict[str, Any]) -> None:
    load_shop(shop)
    plant_of(shop)["parts"][1]["standard_work"] = {
        "PRESS": "https://work.example/doors",
        "CELL": "https://work.example/2",
    }
    assert load_shop(shop).changed == 1
    assert load_shop(shop).changed == 0
    plant_of(shop)["parts"][1]["standard_work"] = {"PRESS": "https://work.example/new"}
    report = load_shop(shop)
    assert [row.changes for row in report.rows if row.status == "changed"] == [
        {
            "standard work at PRESS": ("https://work.example/doors", "https://work.example/new"),
            "standard work at CELL": ("https://work.example/2", ""),
        }
    ]
    assert list(StandardWork.objects.values_list("station__code", "url")) == [
        ("PRESS", "https://work.example/new")
    ]
    plant_of(shop)["parts"][1]["standard_work"] = {"NOWHERE": "https://work.example/new"}
    assert [error.code for error in load_shop(shop).errors] == ["unknown_reference"]


def test_only_the_plants_of_the_caller_are_touched(shop: dict[str, Any]) -> None:
    load_shop(shop)
    other = Plant.objects.create(code="HALL-2", name="Hall two")
    report = load_shop({"shop": 1, "plants": [{"code": "HALL-1"}]}, plant_ids=frozenset({other.pk}))
    assert [error.code for error in report.errors] == ["unknown_reference"]
    stolen = {
        "code": "HALL-2",
        "parts": [{"number": "DOOR"}],
        "people": [{"username": "lea", "role": "admin"}],
    }
    report = load_shop({"shop": 1, "plants": [stolen]}, plant_ids=frozenset({other.pk}))
    assert [error.code for error in report.errors] == ["taken", "taken"]


@pytest.mark.parametrize(
    ("kind", "index", "change", "message"),
    [
        ("calendars", 0, {"holidays": ["Christmas"]}, "'Christmas' is not a date"),
        ("areas", 0, {"code": "supply"}, "cannot be called supply"),
        ("areas", 0, {"leader": "nobody"}, "There is no person 'nobody'"),
        ("people", 1, {"badge": "B-1"}, "Badge B-1 belongs to lea"),
        ("people", 1, {"roles": ["king"]}, "'king' stands there, expected one of operator, handler"),
        ("stations", 0, {"supplier": None}, "names its supplier"),
        ("stations", 1, {"standard_work": "javascript:alert(1)"}, "standard_work"),
        ("stations", 1, {"code": "PRESS;DROP"}, "letters, digits, dots"),
        ("parts", 1, {"gtin": "4006381333930"}, "check digit"),
        ("parts", 1, {"number": "SHEET"}, "SHEET stands in the file twice"),
        ("bills", 0, {"components": [{"part": "DOOR", "quantity": 1}]}, "component of itself"),
        ("bills", 0, {"components": [{"part": "SHEET", "quantity": "NaN"}]}, "must be more than 0"),
        ("bills", 0, {"components": [{"part": "SHEET", "quantity": "1e400000"}]}, "must be more than 0"),
        ("loops", 1, {"supply": "CELL"}, "from one station to another"),
        ("loops", 1, {"supply": "DOCK"}, "customer's end"),
        ("loops", 1, {"kind": "SUPPLIER"}, "supplied by a station of kind SUPPLIER"),
        ("loops", 1, {"kind": "SPOON"}, "kind"),
        ("loops", 1, {"accumulate": "CARDS"}, "say how many in accumulate_cards"),
        ("loops", 1, {"accumulate": "CARDS", "accumulate_cards": 2}, "at most 1 can be gathered"),
        ("loops", 1, {"accumulate": "QUANTITY"}, "say how many in lot_quantity"),
        ("loops", 1, {"accumulate": "CLOCK"}, "say which in accumulate_times"),
        ("loops", 1, {"lot_quantity": 4, "triangle_quantity": 5}, "at least what its triangle leaves"),
        ("loops", 1, {"trigger": "ON_QTY"}, "say below which in reorder_level"),
        ("loops", 1, {"accumulate_times": ["25:00"]}, "accumulate_times"),
        ("suppliers", 0, {"delivery_days": ["someday"]}, "delivery_days"),
        ("loops", 1, {"cards": 3}, "`first` names 2 cards, `cards` says 3"),
        ("loops", 1, {"quantity": "0.5"}, "more than 0 decimals"),
        ("loops", 1, {"quantity": "-1"}, "must be more than 0"),
        ("loops", 1, {"sequence": {"FULL": "PROHIBITED"}}, "FULL is part of every turn"),
        ("loops", 2, {"part": "WINDOW"}, "There is no part 'WINDOW'"),
        ("loops", 2, {"lead_time_minutes": 99_999_999}, "lead_time_minutes"),
    ],
)
def test_a_wrong_row_says_what_is_wrong(
    shop: dict[str, Any], kind: str, index: int, change: dict[str, Any], message: str
) -> None:
    plant_of(shop)[kind][index] |= change
    assert message in says(shop)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"shop": 2, "plants": []},
        {"shop": 1, "plants": "HALL-1"},
        {"shop": 1, "plants": ["HALL-1"]},
        {"shop": 1, "plants": [{"code": "A", "loops": {"code": "x"}}]},
        {"shop": 1, "plants": [{"code": "A", "parts": ["x", 3, None]}]},
        {"shop": 1, "plants": [{"code": "A", "parts": [{"number": {"a": 1}}]}]},
        {"shop": 1, "plants": [{"name": "no code"}]},
        {"shop": 1, "plants": [{"code": "A", "time_zone": "Mars/Olympus"}]},
        {"shop": 1, "plants": [], "extra": 1},
        {"shop": 1, "plants": [{"code": "A", "parts": [{"number": "X", "description": "a\0b"}]}]},
        {"shop": 1, "plants": [{"code": "A", "parts": [{"number": "X", "description": "\ud800"}]}]},
    ],
)
def test_a_document_of_another_shape_is_refused_in_words(document: dict[str, Any]) -> None:
    report = load_shop(document)
    assert report.errors
    assert not Plant.objects.exists()


def test_reading_a_large_shop_takes_the_same_number_of_queries(
    shop: dict[str, Any], django_assert_max_num_queries: Any
) -> None:
    plant_of(shop)["parts"] += [{"number": f"SCREW-{n}"} for n in range(800)]
    plant_of(shop)["loops"] += [
        {
            "code": f"SCREW-{n}-CELL",
            "part": f"SCREW-{n}",
            "demand": "CELL",
            "supply": "STEEL",
            "kind": "SUPPLIER",
            "quantity": 1,
        }
        for n in range(800)
    ]
    with django_assert_max_num_queries(60):
        assert load_shop(shop).errors == []
    with django_assert_max_num_queries(40):
        assert load_shop(shop).changed == 0


def test_receiving_hours_escalation_and_lateness_are_loaded_and_again_change_nothing(
    shop: dict[str, Any],
) -> None:
    plant = plant_of(shop)
    plant["calendars"].append(
        {"code": "DOCKS", "receiving": True, "shifts": [{"days": ["mon"], "start": "07:00", "end": "12:00"}]}
    )
    plant["areas"][0] |= {
        "receiving": "DOCKS",
        "escalation": [{"after": 0, "who": "team_leader"}, {"after": 15, "who": "lea"}],
    }
    plant["loops"][0]["late_hours"] = 8
    assert not load_shop(shop).errors
    area = Area.objects.select_related("receiving").get(code="metal")
    assert area.receiving is not None
    assert area.receiving.is_receiving
    assert area.escalation == [{"after": 0, "who": "team_leader"}, {"after": 15, "who": "lea"}]
    assert Loop.objects.get(code="SHEET-PRESS").late_hours == 8
    again = load_shop(shop)
    assert (again.created, again.changed) == (0, 0)
    plant["calendars"][0]["receiving"] = True
    plant["calendars"][1]["receiving"] = False
    assert not load_shop(shop).errors
    assert list(Calendar.objects.filter(is_receiving=True).values_list("code", flat=True)) == ["DAY"]


@pytest.mark.parametrize(
    ("area", "says"),
    [
        (
            {"escalation": [{"after": 0, "who": "team_leader"}, {"after": 5, "who": "nobody"}]},
            "person 'nobody'",
        ),
        ({"escalation": [{"after": 5, "who": "lea"}, {"after": 5, "who": "otto"}]}, "must rise"),
        ({"escalation": [{"after": 0, "who": "lea"}]}, "does not climb"),
        ({"escalation": [{"after": -1, "who": "lea"}]}, "escalation"),
        ({"receiving": "NIGHT"}, "no calendar 'NIGHT'"),
    ],
)
def test_an_area_whose_steps_or_calendar_make_no_sense_is_refused(
    shop: dict[str, Any], area: dict[str, Any], says: str
) -> None:
    plant_of(shop)["areas"][0] |= area
    report = refused(shop)
    assert says in report.errors[0].message


def test_a_plant_has_one_receiving_calendar(shop: dict[str, Any]) -> None:
    plant_of(shop)["calendars"][0]["receiving"] = True
    plant_of(shop)["calendars"].append({"code": "DOCKS", "receiving": True})
    assert "more than one receiving calendar" in refused(shop).errors[0].message


def test_settings_of_running_loops_stand_in_their_ledger_before_and_after(shop: dict[str, Any]) -> None:
    now = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)
    set_up_shop(shop, now=now)
    door = next(row for row in plant_of(shop)["loops"] if row["code"] == "DOOR-CELL")
    door |= {"lead_time_minutes": 30, "late_hours": 8, "quantity": 6, "sequence": {"COMPLETED": "MANDATORY"}}
    set_up_shop(shop, now=now + timedelta(hours=1))
    told = Event.objects.filter(type="loop.changed").order_by("id")
    assert [(event.loop.code, event.data["changed"]) for event in told if event.loop] == [
        (
            "DOOR-CELL",
            {
                "lead_time_minutes": {"before": "240", "after": "30"},
                "late_hours": {"before": "72", "after": "8"},
                "sequence": {
                    "before": '{"IN_TRANSIT": "PROHIBITED"}',
                    "after": '{"COMPLETED": "MANDATORY"}',
                },
            },
        ),
        ("DOOR-CELL", {"quantity": {"before": "8", "after": "6"}}),
    ]
    set_up_shop(shop, now=now + timedelta(hours=2))
    assert told.count() == 2
    assert verify().differences == []


def test_a_dry_run_and_a_refused_file_tell_the_ledger_nothing(shop: dict[str, Any]) -> None:
    set_up_shop(shop, now=datetime(2026, 11, 16, 8, 0, tzinfo=UTC))
    plant_of(shop)["loops"][0]["lead_time_minutes"] = 30
    set_up_shop(shop, now=datetime(2026, 11, 16, 9, 0, tzinfo=UTC), dry_run=True)
    plant_of(shop)["loops"][1]["demand"] = "NOWHERE"
    set_up_shop(shop, now=datetime(2026, 11, 16, 9, 0, tzinfo=UTC))
    assert not Event.objects.filter(type="loop.changed").exists()


def test_a_workbook_brings_standard_work_escalation_receiving_and_delivery_days_into_the_tables() -> None:
    book = workbook(
        {
            "plants": [["code", "time zone"], ["HALL-9", "Europe/Berlin"]],
            "calendars": [
                ["code", "receiving", "days", "start", "end"],
                ["DOCK9", True, "mon, thu", "07:00", "12:00"],
            ],
            "people": [["username", "role"], ["ines", "leader"]],
            "areas": [
                ["code", "receiving", "escalation"],
                ["area9", "DOCK9", "0=team_leader, 5=area_leader, 15=ines"],
            ],
            "suppliers": [["code", "delivery_days"], ["ACME9", "tue, thu"]],
            "stations": [
                ["code", "kind", "area", "supplier", "standard_work"],
                ["SUP9", "SUPPLIER", None, "ACME9", None],
                ["PRESS9", "PROCESS", "area9", None, "https://w.example/press"],
            ],
            "parts": [["number", "standard_work"], ["LID9", "PRESS9=https://w.example/lid"]],
            "loops": [
                ["code", "part", "supply", "demand", "kind", "quantity", "late_hours", "lead_time_minutes"],
                ["L9", "LID9", "SUP9", "PRESS9", "SUPPLIER", 5, 8, 0],
            ],
        }
    )
    report = load_shop(read_document(book, "shop.xlsx").content)
    assert report.errors == []
    area = Area.objects.select_related("receiving").get(code="area9")
    assert [step["who"] for step in area.escalation] == ["team_leader", "area_leader", "ines"]
    assert area.receiving is not None
    assert area.receiving.code == "DOCK9"
    assert StandardWork.objects.get(part__number="LID9").url == "https://w.example/lid"
    assert Station.objects.get(code="PRESS9").standard_work == "https://w.example/press"
    config = configs().loops[Loop.objects.get(code="L9").pk]
    assert config.late_hours == 8
    # Monday noon in Berlin: Tuesday the supplier comes but nobody is at the dock; both on Thursday at 7.
    assert due_at(config, datetime(2026, 11, 16, 11, 0, tzinfo=UTC)) == datetime(
        2026, 11, 19, 6, 0, tzinfo=UTC
    )
    policy = configs().policy(Station.objects.get(code="PRESS9").pk)
    assert [step.who for step in policy.steps] == ["team_leader", "area_leader", "ines"]


def statuses_of(loop: str) -> list[str]:
    return list(Card.objects.filter(loop__code=loop).order_by("number").values_list("card_status", flat=True))


def test_f05_another_number_of_cards_is_made_and_taken_out(shop: dict[str, Any]) -> None:
    now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    set_up_shop(shop, now=now)
    loop = plant_of(shop)["loops"][0]
    loop |= {"cards": 4, "quantity": "15"}
    shown = set_up_shop(shop, now=now, dry_run=True)
    assert shown.cards == 2
    assert [row.changes for row in shown.report.rows if row.status == "changed"] == [
        {"quantity": ("12.5", "15"), "cards": ("2", "4")}
    ]
    assert statuses_of("SHEET-PRESS") == ["IN_CIRCULATION"] * 2
    done = set_up_shop(shop, now=now)
    assert done.cards == 2
    assert statuses_of("SHEET-PRESS") == ["IN_CIRCULATION"] * 2 + ["NEW"] * 2
    codes = Card.objects.filter(loop__code="SHEET-PRESS", card_status="NEW").values_list("code", flat=True)
    assert done.report.notes == [
        f"Loop SHEET-PRESS: print the new cards and activate them: {', '.join(codes.order_by('number'))}."
    ]
    assert Loop.objects.get(code="SHEET-PRESS").quantity == 15
    before = Event.objects.count()
    assert set_up_shop(shop, now=now).report.changed == 0
    assert Event.objects.count() == before
    loop["cards"] = 1
    assert set_up_shop(shop, now=now).report.notes == [
        "Loop SHEET-PRESS: 3 of 4 cards go out when they are next empty."
    ]
    # They are still there, and the file is what the loop is to be: again it changes nothing.
    assert set_up_shop(shop, now=now).report.changed == 0
    assert verify().differences == []


def test_f05_a_number_of_cards_that_cannot_be_is_refused_before_anything_is_written(
    shop: dict[str, Any],
) -> None:
    now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    set_up_shop(shop, now=now)
    plant_of(shop)["loops"][0]["cards"] = 0
    (error,) = set_up_shop(shop, now=now).report.errors
    assert error.message == (
        "Loop SHEET-PRESS has 2 cards and needs at least one. To take it out of use:"
        " POST /api/v1/loops/SHEET-PRESS/retire."
    )
    plant_of(shop)["loops"][0] |= {"cards": 3, "accumulate": "CARDS", "accumulate_cards": 3}
    (error,) = set_up_shop(shop, now=now).report.errors
    assert "Loop SHEET-PRESS has 3 cards: at most 2 can be gathered, not 3." in error.message


def test_f05_cards_for_a_few_turns_do_not_count(shop: dict[str, Any]) -> None:
    now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    set_up_shop(shop, now=now)
    loop = Loop.objects.get(code="SHEET-PRESS")
    add_extra_card(loop_id=loop.pk, turns=2, now=now)
    assert len(statuses_of("SHEET-PRESS")) == 3
    assert set_up_shop(shop, now=now).report.changed == 0
    plant_of(shop)["loops"][0]["cards"] = 3
    set_up_shop(shop, now=now)
    assert statuses_of("SHEET-PRESS") == ["IN_CIRCULATION"] * 3 + ["NEW"]


def test_f05_everything_that_is_wrong_with_a_row_is_told_where_it_stands(shop: dict[str, Any]) -> None:
    plant = plant_of(shop)
    plant["stations"][2]["kind"] = "PROCES"
    plant["loops"][0] |= {"part": "SHET", "supply": "STEAL", "kind": "BUYER", "lead_time_minutes": "soon"}
    plant["bills"][0]["components"] = [
        {"part": "SHET", "quantity": "1"},
        {"part": "SHEET", "quantity": "much"},
    ]
    plant["loops"][2] |= {"part": "CABINETS"}
    errors = [(error.kind, error.key, error.member, error.message) for error in refused(shop).errors]
    kinds = "TWO_BIN, PRODUCTION, WITHDRAWAL, SUPPLIER, TRANSFER, EVENT"
    assert errors == [
        (
            "stations",
            "CELL",
            ("kind",),
            "kind: 'PROCES' stands there, expected one of PROCESS, SUPERMARKET, SUPPLIER, SHIPPING.",
        ),
        (
            "bills",
            "DOOR",
            ("components", 1, "quantity"),
            "components[1].quantity: 'much' stands there, expected a number like 12 or 0.5.",
        ),
        ("bills", "DOOR", ("components", 0, "part"), "There is no part 'SHET' in plant HALL-1."),
        ("loops", "SHEET-PRESS", ("kind",), f"kind: 'BUYER' stands there, expected one of {kinds}."),
        (
            "loops",
            "SHEET-PRESS",
            ("lead_time_minutes",),
            "lead_time_minutes: 'soon' stands there, expected a whole number from 0 to 525600.",
        ),
        ("loops", "SHEET-PRESS", ("part",), "There is no part 'SHET' in plant HALL-1."),
        ("loops", "SHEET-PRESS", ("supply",), "There is no station 'STEAL' in plant HALL-1."),
        (
            "loops",
            "DOOR-CELL",
            ("demand",),
            "The station 'CELL' stands in the file, with a fault of its own.",
        ),
        ("loops", "CABINET-DOCK", ("part",), "There is no part 'CABINETS' in plant HALL-1."),
        (
            "loops",
            "CABINET-DOCK",
            ("supply",),
            "The station 'CELL' stands in the file, with a fault of its own.",
        ),
    ]


def test_names_that_differ_only_in_capital_letters_are_refused(shop: dict[str, Any]) -> None:
    twins = deepcopy(shop)
    plant_of(twins)["parts"].append({"number": "Door"})
    plant_of(twins)["stations"].append({"code": "press", "kind": "PROCESS"})
    errors = [(error.kind, error.code, error.message) for error in refused(twins).errors]
    says = "differ only in capital letters. Give one of them another name."
    assert errors == [
        ("stations", "twice", f"press and PRESS {says}"),
        ("parts", "twice", f"Door and DOOR {says}"),
    ]
    # Also what is in the tables already.
    assert load_shop(shop).errors == []
    more = {"shop": 1, "plants": [{"code": "HALL-1", "parts": [{"number": "dOOr"}]}, {"code": "hall-1"}]}
    assert [error.message for error in load_shop(more).errors] == [
        f"dOOr and DOOR {says}",
        f"hall-1 and HALL-1 {says}",
    ]
