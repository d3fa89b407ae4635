"""The demonstration lives: simulated operators work the shop through the real doors, and a customer's pulls arrive."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from threading import Event as Flag
from typing import Any

import httpx
import psycopg2
import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.utils import timezone

from jitapp import switchboard
from jitapp.accounts.models import Device
from jitapp.kanban.vocabulary import DeviceKind
from jitapp.live.demo import CannotSwitch, Switches
from jitapp.plant.devices import place_device
from jitapp.plant.models import BillOfMaterials, Loop, Station
from jitapp.pull.models import AndonCall, Card, Event, Receipt, Runout, StationState, Turn
from jitapp.pull.proof.verify import verify
from jitapp.pull.reading.lists import station_board, turns
from jitapp.workshop.demo.client import Stopped, Tablet, TokenEnded
from jitapp.workshop.demo.crew import Crew
from jitapp.workshop.demo.floor import Call, Deed, Resume, Scan, Solve, Stop, Take
from jitapp.workshop.demo.logins import leaders_pins
from jitapp.workshop.demo.operators import HUMAN_STAYS_SECONDS, Given, LiveFloor, Shift
from jitapp.workshop.demo.shop import fill
from jitapp.workshop.demo.troubles import AWAY, LEADERS, MACHINE, RUNS_DRY_EVERY, Trouble
from tests.floor import wait_for_the_feed

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:No directory at"),
]


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Living:
    """The shop, its crew and the workers behind it, in one thread."""

    def __init__(self, folder: Path) -> None:
        assert fill(timezone.now())
        self.http = httpx.Client(
            transport=httpx.WSGITransport(app=get_wsgi_application()), base_url="http://127.0.0.1"
        )
        self.stop = Flag()
        codes = list(Station.objects.values_list("code", flat=True))
        tokens = {code: place_device(f"Demo {code}", DeviceKind.TABLET, station=code) for code in codes}
        own = frozenset(str(uuid) for uuid in Device.objects.values_list("uuid", flat=True))
        self.tablets = {code: Tablet(self.http, token, self.stop) for code, token in tokens.items()}
        self.clock = Clock()
        self.switches = Switches()
        self.floor = LiveFloor(Given(self.tablets, own, leaders_pins(folder, LEADERS.values())))
        self.crew = Crew(self.floor, random.Random(7))
        self.shift = Shift(
            self.floor, self.crew, speed=1, clock=self.clock, read_switches=lambda: self.switches
        )

    def pass_seconds(self, seconds: float, *, step: float = 10) -> list[Deed]:
        """What was done while the crew's seconds pass."""
        made: list[Deed] = []
        for _ in range(int(seconds / step)):
            self.clock.now += step
            made += self.shift.step()
            switchboard.drain()
        return made


def scans(deeds: list[Deed]) -> Counter[tuple[str, str]]:
    """Scans by station and intent."""
    return Counter((deed.station, deed.intent) for deed in deeds if isinstance(deed, Scan))


@pytest.fixture
def living(tmp_path: Path, settings: Any) -> Iterator[Living]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    shop = Living(tmp_path)
    yield shop
    shop.http.close()


def test_pulls_at_shipping_reach_every_station_and_the_first_suppliers(living: Living) -> None:
    living.crew.troubles.resting = True
    made = scans(living.pass_seconds(3 * 465))
    # Six pulls a day, each answered by every station: three days, less what is still under way.
    assert made["SHIP", "empty"] >= 15
    for station in ("TEST", "REFLOW", "PASTE"):
        assert made[station, "start"] >= 12, made
        assert made[station, "complete"] >= 12, made
    assert made["REFLOW", "receive"] >= 12
    assert Turn.objects.filter(supply__code="BOARDS-SUPPLY", acknowledged_at__isnull=False).exists()
    # Nearly every scan was right: operators only do what the board tells them.
    outcomes = Counter(Receipt.objects.values_list("outcome", flat=True))
    assert outcomes["applied"] >= 0.95 * outcomes.total(), outcomes
    assert not Event.objects.filter(type="draw.short").exists()  # nobody starts without material
    assert verify().differences == []


def test_operators_see_what_they_did_even_while_the_feed_is_held_back(living: Living) -> None:
    """A long transaction anywhere in the database server (a backup's, say) holds the event feed back."""
    living.crew.troubles.resting = True
    with closing(psycopg2.connect(**connection.get_connection_params())) as elsewhere:
        elsewhere.cursor().execute("select pg_current_xact_id()")
        living.pass_seconds(300)
        answered = Counter(Receipt.objects.values_list("outcome", flat=True))
    assert answered["applied"] > 20
    assert set(answered) == {"applied"}, answered


def trouble(living: Living, kind: Any, *, runs_dry: bool) -> tuple[Trouble, list[Deed]]:
    """One trouble of that kind, from its beginning to its end, and what everybody did meanwhile."""
    troubles = living.crew.troubles
    made: list[Deed] = []
    while not troubles._open:
        troubles._next = float("inf")  # none but this one
        made += living.pass_seconds(10)
        troubles._begun = RUNS_DRY_EVERY - 1 if runs_dry else 0
        jobs = [job for job in living.floor.all_jobs() if job.supply in ("TEST", "REFLOW", "PASTE")]
        troubles._begin(jobs, living.crew._now, lambda job: 0.0)
        # Chance has chosen the job; the kind of trouble is this story's.
        if troubles._open:
            troubles._open[0].kind = kind
            troubles._open[0].text = MACHINE[0] if kind == "machine" else AWAY[:1]
    troubles._next = float("inf")
    found = troubles._open[0]
    while not found.over:
        made += living.pass_seconds(10)
    return found, made + living.pass_seconds(60)


def test_b01_a_machine_that_is_down_is_called_for_taken_and_put_right(living: Living) -> None:
    found, made = trouble(living, "machine", runs_dry=False)
    assert [type(deed) for deed in made if isinstance(deed, Call | Take | Solve)] == [Call, Take, Solve]
    call = AndonCall.objects.get(kind="machine")
    assert (call.station.code, call.stops_line) == (found.station, True)
    assert call.owner is not None
    assert call.owner.badge == LEADERS[found.station]
    assert call.countermeasure
    assert call.solved_at is not None


def test_b01_a_station_without_its_operator_says_so_until_they_are_back(living: Living) -> None:
    found, made = trouble(living, "operator", runs_dry=False)
    assert [type(deed) for deed in made if isinstance(deed, Stop | Resume)] == [Stop, Resume]
    state = StationState.objects.get()
    assert (state.station.code, state.kind, state.ended_at is not None) == (
        found.station,
        "no_operator",
        True,
    )


def test_b01_what_operators_left_open_is_ended_by_those_who_come_after_them(living: Living) -> None:
    living.floor.do(Call("TEST", "BW-14", "", "machine", MACHINE[0][0]))
    living.floor.do(Stop("REFLOW", "BW-13", "", "no_operator", AWAY[0]))
    living.floor.do(Call("PASTE", "BW-12", "", "machine", "a visitor's own call"))
    living.floor.tidy()
    assert list(AndonCall.objects.filter(solved_at__isnull=True).values_list("note", flat=True)) == [
        "a visitor's own call"
    ]
    assert not StationState.objects.filter(ended_at__isnull=True).exists()


def test_b01_a_buffer_runs_dry_its_leader_takes_the_call_and_material_comes(living: Living) -> None:
    found, _ = trouble(living, "handler", runs_dry=True)
    dry = Runout.objects.filter(loop__code=found.loop).latest("opened_at")
    assert dry.closed_at is not None
    call = AndonCall.objects.get(runout=dry)
    assert call.owner is not None
    assert call.owner.badge == LEADERS[dry.loop.demand.code]
    assert call.reason == "material is there"
    assert verify().differences == []


def test_b03_a_station_where_somebody_scans_by_hand_is_left_alone_for_a_while(living: Living) -> None:
    living.pass_seconds(60)
    token = place_device("a visitor's phone", DeviceKind.SCANNER, station="SHIP")
    card = living.floor.usable("DCB-SHIP")[0].card
    Tablet(living.http, token, living.stop).scan(card, "empty")
    switchboard.drain()
    wait_for_the_feed()  # the crew reads there who scanned; a transaction elsewhere in the cluster holds it back
    made = scans(living.pass_seconds(240))
    assert {station for station, _ in made} >= {"TEST"}
    assert "SHIP" not in {station for station, _ in made}
    living.pass_seconds(HUMAN_STAYS_SECONDS)
    assert scans(living.pass_seconds(240))["SHIP", "empty"] > 0


def test_b03_a_station_taken_over_by_a_switch_is_left_alone_until_it_is_given_back(living: Living) -> None:
    living.switches = Switches(taken=frozenset({"TEST"}))
    made = scans(living.pass_seconds(300))
    assert made["SHIP", "empty"] > 0
    assert "TEST" not in {station for station, _ in made}
    living.switches = Switches()
    assert scans(living.pass_seconds(120))["TEST", "start"] > 0


def test_while_the_demonstration_is_paused_nobody_scans_and_no_time_passes(living: Living) -> None:
    living.switches = Switches(paused=True)
    assert not living.pass_seconds(600)
    living.switches = Switches()
    assert scans(living.pass_seconds(60))["SHIP", "empty"] == 1


def test_without_switches_the_crew_goes_on(living: Living) -> None:
    def broken() -> Switches:
        raise CannotSwitch("away")

    living.shift._read_switches = broken
    assert scans(living.pass_seconds(60))["SHIP", "empty"] == 1


def test_a_scan_is_sent_again_with_the_same_id_until_it_is_answered(living: Living) -> None:
    seen: list[tuple[str, int]] = []
    answers = iter([503, 429, None, 200])
    real = httpx.WSGITransport(app=get_wsgi_application())

    def handle(request: httpx.Request) -> httpx.Response:
        status = next(answers)
        seen.append((request.content.decode(), status or 0))
        if status is None:
            real.handle_request(request)  # recorded, but the answer is lost
            raise httpx.ReadError("cut")
        return (
            real.handle_request(request)
            if status == 200
            else httpx.Response(status, headers={"Retry-After": "0"})
        )

    http = httpx.Client(transport=httpx.MockTransport(handle), base_url="http://127.0.0.1")
    tablet = Tablet(http, living.tablets["SHIP"].token, living.stop)
    card = Card.objects.get(loop__code="DCB-SHIP", number=1)
    answer = tablet.scan(card.code, "empty")
    assert answer["outcome"] == "applied"
    assert answer["replayed"] is True
    assert len({body for body, _ in seen}) == 1
    assert Receipt.objects.count() == 1


def test_a_tablet_that_waits_stops_when_asked_and_says_when_its_token_ended(living: Living) -> None:
    away = httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(503)), base_url="http://127.0.0.1"
    )
    living.stop.set()
    with pytest.raises(Stopped):
        Tablet(away, "x", living.stop).get("/api/v1/cards")
    with pytest.raises(TokenEnded):
        Tablet(living.http, "nobody's", Flag()).get("/api/v1/cards")


def explode(
    part_id: int, quantity: Decimal, bills: dict[int, list[tuple[int, Decimal]]]
) -> dict[int, Decimal]:
    totals: dict[int, Decimal] = {}
    for component, per in bills.get(part_id, []):
        amount = quantity * per
        totals[component] = totals.get(component, Decimal(0)) + amount
        for part, more in explode(component, amount, bills).items():
            totals[part] = totals.get(part, Decimal(0)) + more
    return totals


def test_pulls_until_each_supplier_is_called_are_bin_quantity_by_pieces_per_pull(living: Living) -> None:
    """Customer pulls alone drive the shop to raw material (fact A3): no plan, no other signal."""
    bills: dict[int, list[tuple[int, Decimal]]] = {}
    for line in BillOfMaterials.objects.all():
        bills.setdefault(line.parent_id, []).append((line.component_id, line.quantity))
    shipped = {loop.code: loop for loop in Loop.objects.filter(demand__code="SHIP")}
    takes = {code: explode(loop.part_id, loop.quantity, bills) for code, loop in shipped.items()}
    suppliers = list(Loop.objects.filter(kind="SUPPLIER"))
    pulls: Counter[int] = Counter()
    called_after: dict[str, int] = {}
    for number in range(60):
        code = ("MCB-SHIP", "DCB-SHIP", "OPB-SHIP")[number % 3]
        card = Card.objects.filter(loop__code=code, supply_status__in=["IN_USE", "FULL"]).order_by(
            "-supply_status"
        )[0]
        assert living.tablets["SHIP"].scan(card.code, "empty")["outcome"] == "applied"
        pulls.update(takes[code].keys())
        work_to_rest(living)
        for loop in suppliers:
            if loop.code not in called_after and Turn.objects.filter(loop=loop).exists():
                called_after[loop.code] = pulls[loop.part_id]
        if len(called_after) == len(suppliers):
            break
        deliver(living)
    expected = {
        loop.code: int(
            loop.quantity / next(take[loop.part_id] for take in takes.values() if loop.part_id in take)
        )
        for loop in suppliers
    }
    assert called_after == expected
    assert verify().differences == []


def work_to_rest(living: Living) -> None:
    """The three stations answer every signal, in their own order, until nothing is asked of them."""
    plant_ids = list(Station.objects.values_list("plant_id", flat=True).distinct())
    busy = True
    while busy:
        busy = False
        switchboard.drain()
        for code in ("TEST", "REFLOW", "PASTE"):
            board: Any = station_board(code, plant_ids=plant_ids, now=timezone.now())
            for turn in board.to_fill:
                busy = True
                for station, intent in ((code, "start"), (code, "complete"), (turn.demand, "receive")):
                    answer = living.tablets[station].scan(turn.card, intent)
                    assert answer["outcome"] == "applied", answer
                switchboard.drain()


def deliver(living: Living) -> None:
    """Suppliers bring what they were asked for, so that the line never stands."""
    plant_ids = list(Station.objects.values_list("plant_id", flat=True).distinct())
    page = turns(plant_ids=plant_ids, open_only=True, station=None, after=0, limit=500, now=timezone.now())
    for turn in page.rows:
        if turn.supply.endswith("-SUPPLY"):
            living.tablets[turn.supply].scan(turn.card, "load")
            living.tablets[turn.demand].scan(turn.card, "receive")
