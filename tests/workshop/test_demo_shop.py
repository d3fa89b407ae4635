"""The demonstration shop stands as fact A7 describes it."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from jitapp.accounts.models import Person
from jitapp.plant.loading import load_shop
from jitapp.plant.models import BillOfMaterials, Calendar, Loop, Membership, Plant, Station
from jitapp.pull.reading.lists import cards_per_loop
from jitapp.workshop.demo.crew import BENCH_SECONDS, DELIVERY_SECONDS, HANDLING_SECONDS
from jitapp.workshop.demo.shop import document, fill

pytestmark = pytest.mark.django_db
STATIONS = ("PASTE", "REFLOW", "TEST", "SHIP")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def quick(settings: Any, tmp_path: Path) -> None:
    """A folder of its own, and passwords hashed fast: how they are hashed is not what is shown here."""
    settings.DATA_DIR = tmp_path
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def shop() -> str:
    out = StringIO()
    call_command("demo_shop", days=0, stdout=out)
    return out.getvalue()


@pytest.mark.usefixtures("shop")
def test_nine_loops_of_two_bins_join_the_four_stations_with_at_most_24_boards() -> None:
    inner = list(Loop.objects.filter(demand__code__in=STATIONS, supply__code__in=STATIONS))
    assert len(inner) == 9
    cards = cards_per_loop([loop.pk for loop in inner])
    assert set(cards.values()) == {2}
    assert sum(loop.quantity * cards[loop.pk] for loop in inner) == 24
    by_gap: dict[str, list[int]] = {}
    for loop in inner:
        by_gap.setdefault(loop.demand.code, []).append(int(loop.quantity))
    assert {gap: sorted(bins) for gap, bins in by_gap.items()} == {gap: [1, 1, 2] for gap in STATIONS[1:]}


@pytest.mark.usefixtures("shop")
def test_a_bin_of_each_board_is_half_a_day_of_the_mix() -> None:
    # 8 boards a day, 4 : 2 : 2; two pulls a day of each board.
    shipped = {loop.part.number: loop.quantity for loop in Loop.objects.filter(demand__code="SHIP")}
    assert shipped == {"MCB-TESTED": 2, "DCB-TESTED": 1, "OPB-TESTED": 1}
    assert sum(shipped.values()) == 8 / 2


@pytest.mark.usefixtures("shop")
def test_b01_lead_times_and_containers_fit_a_shop_in_which_an_hour_passes_in_a_minute() -> None:
    half_a_day = 465 / 2  # seconds
    for loop in Loop.objects.select_related("demand", "supply"):
        lead = 60 * loop.lead_time_minutes
        if loop.demand.code in STATIONS[1:] and loop.supply.code in STATIONS:
            # The turn is due before the other container is used up, and late for a while before that.
            assert BENCH_SECONDS[loop.supply.code] * loop.quantity + HANDLING_SECONDS < lead < half_a_day
        elif loop.kind == "SUPPLIER":
            assert DELIVERY_SECONDS["SUPPLIER"] < lead
    # At any hour of any day: nobody knows when somebody will look.
    calendar = Calendar.objects.get()
    assert (calendar.shifts, calendar.holidays) == ([], [])


@pytest.mark.usefixtures("shop")
def test_a_station_works_on_one_card_at_a_time() -> None:
    limits = Station.objects.filter(kind="PROCESS", area__code__in=["print", "final"]).values_list(
        "wip_limit", flat=True
    )
    assert list(limits) == [1, 1, 1]


@pytest.mark.usefixtures("shop")
def test_every_pull_that_takes_a_bought_part_takes_the_same_number_of_it() -> None:
    """So that the pulls until a supplier is called are bin quantity / pieces per pull, a whole number."""
    bill: dict[int, list[tuple[int, Decimal]]] = {}
    for line in BillOfMaterials.objects.all():
        bill.setdefault(line.parent_id, []).append((line.component_id, line.quantity))

    def explode(part_id: int, quantity: Decimal) -> dict[int, Decimal]:
        totals: dict[int, Decimal] = {}
        for component, per in bill.get(part_id, []):
            for part, amount in [(component, quantity * per), *explode(component, quantity * per).items()]:
                totals[part] = totals.get(part, Decimal(0)) + amount
        return totals

    pulls = [explode(loop.part_id, loop.quantity) for loop in Loop.objects.filter(demand__code="SHIP")]
    bought = list(Loop.objects.filter(kind="SUPPLIER"))
    assert len(bought) == 8
    for loop in bought:
        per_pull = {pull[loop.part_id] for pull in pulls if loop.part_id in pull}
        assert len(per_pull) == 1, loop.code
        assert loop.quantity % per_pull.pop() == 0, loop.code


def test_twenty_five_people_can_log_in_and_their_passwords_are_kept_from_others(
    shop: str, tmp_path: Path
) -> None:
    assert Person.objects.count() == 25
    assert Membership.objects.count() == 25
    kept = tmp_path / "demo_logins.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    logins = json.loads(kept.read_text())
    assert len(logins) == 25
    otto = Person.objects.get(username="otto")
    assert otto.check_password(logins["otto"])
    assert logins["otto"] in shop
    assert logins["otto"] not in otto.password


@pytest.mark.usefixtures("shop")
def test_the_administrator_of_the_demonstration_may_open_the_admin() -> None:
    assert list(Person.objects.filter(is_superuser=True).values_list("username", flat=True)) == ["dana"]


def test_started_again_nothing_changes_and_the_same_logins_are_printed(shop: str) -> None:
    Station.objects.filter(code="PASTE").update(wip_limit=3)
    again = StringIO()
    call_command("demo_shop", days=0, stdout=again)
    assert again.getvalue() == shop
    assert Station.objects.get(code="PASTE").wip_limit == 3


def test_a_changed_password_is_neither_printed_nor_changed_back(shop: str) -> None:
    otto = Person.objects.get(username="otto")
    otto.set_password("his own and nobody else's")
    otto.save()
    again = StringIO()
    call_command("demo_shop", days=0, stdout=again)
    assert "otto" in shop
    assert "otto" not in again.getvalue()
    assert Person.objects.get(username="otto").check_password("his own and nobody else's")


def test_another_shop_is_left_alone() -> None:
    Plant.objects.create(code="OTHERS", name="Others")
    out = StringIO()
    call_command("demo_shop", days=0, stdout=out)
    assert "was not loaded" in out.getvalue()
    assert not Loop.objects.exists()


def test_a_filling_that_was_cut_off_is_completed() -> None:
    plant = document()["plants"][0]
    half = {
        "shop": "1",
        "plants": [{name: rows for name, rows in plant.items() if name not in ("loops", "bills")}],
    }
    assert load_shop(half).errors == []
    assert fill(NOW)
    loops = list(Loop.objects.values_list("pk", flat=True))
    assert len(cards_per_loop(loops)) == len(loops) == 23
