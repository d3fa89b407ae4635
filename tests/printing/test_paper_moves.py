"""A blackout: what was written on paper and entered afterwards leaves the shop as if it had been scanned."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from jitapp.accounts.models import Person
from jitapp.plant.models import Loop
from jitapp.printing import entering
from jitapp.printing.entering import WHAT
from jitapp.printing.models import PaperMove
from jitapp.pull import actions
from jitapp.pull.models import Card, Event, Receipt, Runout, Turn
from jitapp.pull.scan_request import Source
from tests.floor import START, Floor
from tests.independent.adapters import all_differences

pytestmark = pytest.mark.django_db

BLACKOUT = timedelta(hours=4)
MOVES = 120
NEXT = {"FULL": "emptied", "IN_USE": "emptied", "EMPTY": "started", "IN_PROCESS": "done", "COMPLETED": "full"}


@dataclass(frozen=True)
class Move:
    """What somebody did, and when."""

    at: datetime
    loop: str
    card: int
    what: str
    by: str
    quantity: int | None = None


def a_shop(name: str, now: datetime) -> Floor:
    """Ten loops between stations of one area: two bins, more bins, a supplier, and a station that draws what it uses
    from the loop before it."""
    floor = Floor(name, now=now)
    for code in ("SAW", "MILL", "PAINT", "LINE"):
        floor.station(f"{name}-{code}")
    floor.station(f"{name}-KIT", consumption="BACKFLUSH")
    floor.station(f"{name}-ACME", "SUPPLIER")
    floor.bill(f"{name}-KITTED", **{f"{name}-NUT": 1})
    ends = [("SAW", "MILL"), ("MILL", "PAINT"), ("PAINT", "LINE")]
    for number in range(8):
        supply, demand = ends[number % 3]
        floor.loop(
            f"{name}-L{number}",
            part=f"{name}-P{number}",
            supply=f"{name}-{supply}",
            demand=f"{name}-{demand}",
            cards=2 + number % 3,
            quantity=6,
        )
    floor.loop(
        f"{name}-NUTS", part=f"{name}-NUT", supply=f"{name}-SAW", demand=f"{name}-KIT", cards=3, quantity=4
    )
    floor.loop(
        f"{name}-KITS",
        part=f"{name}-KITTED",
        supply=f"{name}-KIT",
        demand=f"{name}-LINE",
        cards=3,
        quantity=4,
    )
    person = floor.person(f"{name}-otto", badge=f"{name}-B1")
    assert person.pk
    floor.propagate()
    return floor


def moves(floor: Floor, dice: random.Random) -> Iterator[Move]:
    """What fits, at random minutes in order, each done live as soon as it is told."""
    name = floor.plant_code
    minute = START + timedelta(minutes=10)
    for _ in range(MOVES):
        minute += timedelta(minutes=dice.choice([1, 1, 2, 2, 3, 3]))
        cards = list(
            Card.objects.filter(loop__plant=floor.plant)
            .select_related("loop")
            .order_by("loop__code", "number")
        )
        dice.shuffle(cards)
        for card in cards:
            turn = Turn.objects.filter(card=card, closed_at__isnull=True).first()
            standing = turn.step or "EMPTY" if turn is not None else card.supply_status
            what = NEXT.get(standing, "full")
            if turn is None and card.loop.code == f"{name}-NUTS":
                continue  # emptied by what the kits take
            quantity = 4 if what == "done" and card.quantity == 6 and dice.random() < 0.2 else None
            yield Move(minute, card.loop.code.removeprefix(f"{name}-"), card.number, what, "B1", quantity)
            break


def live(floor: Floor, move: Move) -> None:
    """The move as it is scanned where and when it happens."""
    name, (intent, side) = floor.plant_code, WHAT[move.what]
    card = floor.card(f"{name}-{move.loop}", move.card)
    floor.now = move.at - timedelta(minutes=1)
    answer = floor.scan(
        f"{name}-{move.loop}",
        move.card,
        str(intent),
        at=(card.loop.supply if side == "supply" else card.loop.demand).code,
        by=f"{name}-{move.by}",
        quantity=move.quantity,
        reason="split" if move.quantity else None,
    )
    assert answer["outcome"] == "applied", (move, answer)
    floor.propagate()


def written(floor: Floor, move: Move, position: int, person: Person) -> PaperMove:
    """The move as a line of the sheet."""
    name = floor.plant_code
    return PaperMove.objects.create(
        area=floor.area,
        person=person,
        position=position,
        day=f"{move.at:%Y-%m-%d}",
        time=f"{move.at:%H:%M}",
        code=floor.card(f"{name}-{move.loop}", move.card).code,
        what=move.what,
        quantity="" if move.quantity is None else str(move.quantity),
        by=f"{name}-{move.by}",
        note="split" if move.quantity else "",
        changed_at=move.at,
    )


def entered(floor: Floor, person: Person, now: datetime) -> list[PaperMove]:
    """All open lines, booked."""
    found = entering.open_moves(floor.area, person.pk)
    lines = entering.read_lines(found, floor.area, now=now)
    assert [line.problem for line in lines if line.problem] == []
    floor.now = now

    def handled() -> bool:
        floor.propagate()
        return True

    source = Source(person_id=person.pk, plant_ids=frozenset({floor.plant.pk}))
    until = time.monotonic() + 600
    booked = list(entering.book(lines, source=source, now=lambda: now, handled=handled, until=until))
    floor.propagate()
    return booked


def folded(floor: Floor) -> dict[str, Any]:
    """How the shop stands and what its register says, without names and numbers of rows, or when it was recorded."""
    name = floor.plant_code

    def plain(code: str) -> str:
        return code.removeprefix(f"{name}-")

    cards = Card.objects.filter(loop__plant=floor.plant).order_by("loop__code", "number")
    turns = Turn.objects.filter(loop__plant=floor.plant).order_by("loop__code", "card__number", "number")
    runouts = Runout.objects.filter(loop__plant=floor.plant).order_by("loop__code", "opened_at")
    fields = ("number", "card_status", "supply_status", "contents", "moved_at", "full_since", "last_intent")
    of_turn = (
        "card__number",
        "number",
        "signal_state",
        "step",
        "asked",
        "received",
        "opened_at",
        "released_at",
        "started_at",
        "completed_at",
        "due_at",
        "closed_at",
        "owner",
        "standing",
    )
    return {
        "cards": [(plain(row[0]), *row[1:]) for row in cards.values_list("loop__code", *fields)],
        "turns": [(plain(row[0]), *row[1:]) for row in turns.values_list("loop__code", *of_turn)],
        "runouts": [
            (plain(row[0]), *row[1:])
            for row in runouts.values_list("loop__code", "opened_at", "closed_at", "cause", "owner")
        ],
    }


def test_120_moves_of_a_blackout_entered_from_paper_leave_the_state_of_the_oracle() -> None:
    scanned, paper = a_shop("LIVE", START), a_shop("PAPER", START)
    person = paper.person("wanda")
    done = []
    for position, move in enumerate(moves(scanned, random.Random(20261128))):
        live(scanned, move)
        written(paper, move, position, person)
        done.append(move)
    assert len(done) == MOVES
    assert done[-1].at - START > BLACKOUT - timedelta(minutes=30)
    assert {move.what for move in done} == set(WHAT)

    power = max(done[-1].at, START + BLACKOUT) + timedelta(minutes=20)
    booked = entered(paper, person, power)

    assert [(move.code, move.message) for move in booked if move.outcome != "applied"] == []
    assert folded(paper) == folded(scanned)
    assert folded(paper)["runouts"], "the register must have something to compare"
    assert all_differences() == []

    # The same sheets once more, by somebody else: nothing is added.
    events, receipts = Event.objects.count(), Receipt.objects.count()
    other = paper.person("felix")
    for position, move in enumerate(done):
        written(paper, move, position, other)
    again = entered(paper, other, power + timedelta(minutes=5))
    assert {move.outcome for move in again} == {"applied"}  # the answer of the first time
    assert (Event.objects.count(), Receipt.objects.count()) == (events, receipts)
    assert entering.open_moves(paper.area, other.pk) == []


def lines_of(floor: Floor, person: Person, *rows: tuple[str, ...]) -> list[PaperMove]:
    """Lines with (time, card number, what, quantity, reason) of loop L."""
    return [
        PaperMove.objects.create(
            area=floor.area,
            person=person,
            position=position,
            day=f"{START:%Y-%m-%d}",
            time=row[0],
            code=floor.card("L", int(row[1])).code if row[1].isdigit() else row[1],
            what=row[2],
            quantity=row[3] if len(row) > 3 else "",
            note=row[4] if len(row) > 4 else "",
            changed_at=START,
        )
        for position, row in enumerate(rows)
    ]


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("CELL")
    floor.station("LINE")
    floor.loop("L", part="PART", supply="CELL", demand="LINE", cards=3, quantity=4)
    return floor


def problems(floor: Floor, found: list[PaperMove], now: datetime) -> list[str]:
    return [line.problem for line in entering.read_lines(found, floor.area, now=now)]


def test_what_cannot_be_booked_is_named_line_by_line(floor: Floor) -> None:
    person, now = floor.person("eva"), START + timedelta(hours=4)
    found = lines_of(
        floor,
        person,
        ("09:00", "1", "emptied"),
        ("09:00", "KB0000000XX", "emptied"),
        ("", "1", "started"),
        ("25:10", "1", "started"),
        ("23:50", "1", "started"),
        ("09:30", "1", ""),
        ("09:30", "1", "started", "four"),
        ("9.00", "1", "emptied"),
        ("09:30", "", "full"),
    )
    assert problems(floor, found, now) == [
        "",
        "unknown_card",
        "time_missing",
        "time_unreadable",
        "future",
        "what_missing",
        "quantity_unreadable",
        "twice",
        "code_missing",
    ]


def test_a_card_of_another_plant_is_unknown_here(floor: Floor) -> None:
    other = Floor("OTHER")
    other.station("OTHER-A")
    other.station("OTHER-B")
    other.loop("OTHER-L", part="OTHER-P", supply="OTHER-A", demand="OTHER-B")
    person = floor.person("eva")
    found = lines_of(floor, person, ("09:00", other.card("OTHER-L", 1).code, "emptied"))
    assert problems(floor, found, START + timedelta(hours=4)) == ["unknown_card"]


def test_an_impossible_order_is_foretold_and_refused_and_can_be_corrected(floor: Floor) -> None:
    person, now = floor.person("eva"), START + timedelta(hours=4)
    # Made before anybody had asked for it.
    lines_of(floor, person, ("09:00", "1", "done"), ("10:00", "1", "emptied"))
    lines = entering.read_lines(entering.open_moves(floor.area, person.pk), floor.area, now=now)
    source = Source(person_id=person.pk, plant_ids=frozenset({floor.plant.pk}))
    events = Event.objects.count()
    told = entering.foretell(lines, source=source, now=now)
    assert [each.answer and each.answer["outcome"] for each in told] == ["refused", "applied"]
    assert Event.objects.count() == events, "foretelling writes nothing"
    assert not Receipt.objects.filter(person=person).exists()

    booked = entered(floor, person, now)
    assert [move.outcome for move in booked] == ["refused", "applied"]
    (left,) = entering.open_moves(floor.area, person.pk)
    assert left.what == "done"
    assert left.message
    # Corrected: it was made after it was asked for.
    PaperMove.objects.filter(pk=left.pk).update(time="10:30", what="started")
    (done,) = entered(floor, person, now)
    assert done.outcome == "applied"
    assert floor.turn("L", 1).step == "IN_PROCESS"


def test_a_line_refused_once_is_tried_anew_and_one_recorded_never_twice(floor: Floor) -> None:
    person, now = floor.person("eva"), START + timedelta(hours=4)
    lines_of(floor, person, ("10:00", "1", "started"))
    assert [move.outcome for move in entered(floor, person, now)] == ["refused"]
    lines_of(floor, person, ("09:50", "1", "emptied"))
    assert sorted(move.outcome for move in entered(floor, person, now)) == ["applied", "applied"]
    assert floor.turn("L", 1).step == "IN_PROCESS"
    assert Event.objects.filter(type="turn.started").count() == 1


def test_the_minute_of_the_last_scan_counts_as_after_it(floor: Floor) -> None:
    """The tablet scanned at 09:00:40, then the power went; on paper the next step has 09:00."""
    floor.now = START + timedelta(minutes=59, seconds=40)
    assert floor.scan("L", 1, "empty")["outcome"] == "applied"
    person = floor.person("eva")
    lines_of(floor, person, ("09:00", "1", "started"))
    (done,) = entered(floor, person, START + timedelta(hours=4))
    assert done.outcome == "applied"


def test_another_quantity_for_what_is_entered_already_is_not_swallowed(floor: Floor) -> None:
    eva, ole, now = floor.person("eva"), floor.person("ole"), START + timedelta(hours=4)
    lines_of(
        floor, eva, ("09:00", "1", "emptied"), ("09:10", "1", "started"), ("09:20", "1", "done", "3", "scrap")
    )
    assert {move.outcome for move in entered(floor, eva, now)} == {"applied"}
    lines_of(floor, ole, ("09:20", "1", "done", "2", "scrap"))
    (refused,) = entered(floor, ole, now)
    assert refused.outcome == "refused"
    assert "3" in refused.message
    assert entering.open_moves(floor.area, ole.pk) == [refused]


def test_what_contradicts_a_scan_made_since_waits_for_a_leader(floor: Floor) -> None:
    """Somebody scanned after the power was back and before the sheet was entered."""
    floor.now = START + timedelta(hours=3)
    assert floor.scan("L", 1, "empty")["outcome"] == "applied"
    assert floor.scan("L", 1, "start")["outcome"] == "applied"
    assert floor.scan("L", 1, "abort")["outcome"] == "applied"
    person = floor.person("eva")
    lines_of(floor, person, ("10:00", "1", "done"))
    (move,) = entered(floor, person, START + timedelta(hours=4))
    assert move.outcome == "parked"
    assert move.booked_at is not None


def test_a_name_that_nobody_has_stays_as_written_and_whoever_enters_it_is_on_record(floor: Floor) -> None:
    eva, otto, now = floor.person("eva"), floor.person("otto", badge="B-7"), START + timedelta(hours=4)
    strange, known = lines_of(floor, eva, ("09:00", "1", "emptied"), ("09:05", "2", "emptied"))
    PaperMove.objects.filter(pk=strange.pk).update(by="O.B.")
    PaperMove.objects.filter(pk=known.pk).update(by="b-7")
    lines = entering.read_lines(entering.open_moves(floor.area, eva.pk), floor.area, now=now)
    assert [line.stranger for line in lines] == ["O.B.", ""]
    entered(floor, eva, now)
    by = dict(Receipt.objects.filter(code="emptied").values_list("card__number", "person"))
    assert by == {1: eva.pk, 2: otto.pk}
    assert PaperMove.objects.get(pk=strange.pk).by == "O.B."


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        ("14:05", "13:05"),
        ("1405", "13:05"),
        ("14.05", "13:05"),
        ("2:05 pm", "13:05"),
        ("12:10 am", "23:10"),
        ("9", "08:00"),
        ("14:60", None),
        ("13 pm", None),
        ("soon", None),
        ("", None),
    ],
)
def test_times_as_people_write_them(clock: str, expected: str | None) -> None:
    found = entering.instant("2026-11-28", clock, "Europe/Berlin")
    assert (f"{found:%H:%M}" if found else None) == expected


def test_a_minute_that_the_clock_left_out_is_none() -> None:
    assert entering.instant("2026-03-29", "02:30", "Europe/Berlin") is None
    assert entering.instant("2026-03-29", "03:30", "Europe/Berlin") is not None


def test_loops_and_cards_are_found_by_what_scanners_send(floor: Floor) -> None:
    """The QR of a card holds an address; on the sheet it holds the code."""
    person = floor.person("eva")
    code = floor.card("L", 1).code
    found = lines_of(
        floor,
        person,
        ("09:00", f"https://kanban.example.com/k/{code}", "emptied"),
        ("09:01", code.lower(), "started"),
    )
    assert problems(floor, found, START + timedelta(hours=4)) == ["", ""]
    assert Loop.objects.count() == 1
    assert actions.known_cards([code], frozenset()) == {}
