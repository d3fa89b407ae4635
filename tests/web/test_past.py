"""Pages of the past: a board, a loop and a card at an instant, their refusals, and what changed since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from jitapp.accounts.models import Person
from jitapp.plant.models import Calendar, Membership
from jitapp.plant.shifts import begun
from jitapp.web.past_instants import BadInstant, read_instant, write_instant
from tests.floor import Floor

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor() -> Floor:
    """A loop whose story is over by now: emptied, dry, filled again."""
    floor = Floor(now=timezone.now().replace(microsecond=0) - timedelta(hours=30))
    floor.plant.time_zone = "Europe/Berlin"
    floor.plant.save()
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=2, quantity=4)
    return floor


@pytest.fixture
def mia(floor: Floor, client: Client) -> Client:
    person = Person.objects.create_user("mia", password="scan-the-card", name="Mia")
    Membership.objects.create(person=person, plant=floor.plant, role="operator")
    client.force_login(person)
    return client


def told(floor: Floor) -> dict[str, datetime]:
    """The instants of a small story."""
    found = {"full": floor.now + timedelta(seconds=30)}
    floor.scan("L1", 1, "empty")
    found["half"] = floor.now + timedelta(seconds=30)
    floor.scan("L1", 2, "empty", after=60)
    found["dry"] = floor.now + timedelta(seconds=30)
    floor.cycle("L1", 1)
    found["back"] = floor.now + timedelta(seconds=30)
    floor.propagate()
    return found


def page(client: Client, address: str, at: datetime, **more: str) -> str:
    answer = client.get(address, {"at": write_instant(at, "Europe/Berlin"), **more})
    assert answer.status_code == 200, answer.content.decode()[:2_000]
    return answer.content.decode()


def test_a_board_at_an_instant_is_drawn_as_the_board_of_now_and_framed_as_past(
    floor: Floor, mia: Client
) -> None:
    at = told(floor)
    full, dry = page(mia, "/b/PLANT-AREA", at["full"]), page(mia, "/b/PLANT-AREA", at["dry"])
    assert 'data-state="ok"' in full
    assert 'data-state="out"' in dry
    for shown in (full, dry):
        assert "PAST" in shown
        assert 'class="board past"' in shown
        assert 'href="/b/PLANT-AREA"' in shown  # back to now
        main = shown.partition("<main")[2]
        assert '<form method="post"' not in main
        assert "csrf" not in main
    now = mia.get("/b/PLANT-AREA").content.decode()
    assert 'class="board"' in now
    assert page(mia, "/b/PLANT-AREA/past", at["dry"]).count("<tr id=") == 1


def test_what_was_told_late_is_known_now_and_was_not_known_then(floor: Floor, mia: Client) -> None:
    floor.scan("L1", 2, "empty")
    at = floor.now + timedelta(minutes=6)
    floor.scan("L1", 1, "count", after=30, quantity=4, source=floor.leader())
    floor.scan("L1", 1, "empty", occurred_at=at - timedelta(minutes=1))
    known, then = page(mia, "/b/PLANT-AREA", at), page(mia, "/b/PLANT-AREA", at, knew="then")
    assert 'data-state="out"' in known
    assert 'data-state="out"' not in then
    for shown in (known, then):
        assert "1 loop looked different then" in shown
    assert "As the board knew it then." in then
    before = page(mia, "/b/PLANT-AREA", at - timedelta(minutes=3))
    assert "looked different" not in before


def test_a_loop_and_a_card_have_their_past_too(floor: Floor, mia: Client) -> None:
    at = told(floor)
    card = floor.card("L1", 1)
    loop = page(mia, f"/l/{card.loop_id}", at["half"])
    assert "PAST" in loop
    assert "Until then this loop had never run dry." in loop
    assert "still open" in page(mia, f"/l/{card.loop_id}", at["dry"])
    assert "still open" not in page(mia, f"/l/{card.loop_id}", at["back"])
    shown = page(mia, f"/k/{card.code}", at["half"])
    assert "PAST" in shown
    assert "empty" in shown
    assert "<form" not in shown.partition("<main")[2]


def test_an_event_is_stepped_to_in_both_directions(floor: Floor, mia: Client) -> None:
    at = told(floor)
    happened = floor.turn("L1", 1).opened_at
    answer = mia.get("/b/PLANT-AREA", {"at": write_instant(at["full"], "Europe/Berlin"), "step": "next"})
    assert answer.status_code == 302
    assert f"at={write_instant(happened, 'Europe/Berlin')}" in answer["Location"]
    answer = mia.get("/b/PLANT-AREA", {"at": write_instant(at["half"], "Europe/Berlin"), "step": "back"})
    assert f"at={write_instant(happened, 'Europe/Berlin')}" in answer["Location"]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("yesterday", "is no time"),
        ("", "is no time"),
        ("2026-03-29T02:30", "was never on the clock here"),
        ("2031-01-01T00:00", "lies ahead"),
        ("2001-01-01T00:00", "lies before the first entry"),
        ("9999-12-31T23:59", "lies ahead"),
        ("0001-01-01T00:00", "is no time"),
        ("<script>", "&lt;script&gt;"),
    ],
)
def test_an_instant_that_cannot_be_shown_gets_a_sentence(
    floor: Floor, mia: Client, typed: str, sentence: str
) -> None:
    for address in ("/b/PLANT-AREA", f"/l/{floor.card('L1', 1).loop_id}", f"/k/{floor.card('L1', 1).code}"):
        answer = mia.get(address, {"at": typed})
        assert answer.status_code == 400
        assert sentence in answer.content.decode()
    frame = mia.get("/b/PLANT-AREA/past", {"at": typed})
    assert frame.status_code == 400


def test_a_board_without_a_history_says_so(floor: Floor, mia: Client) -> None:
    other = Floor("EMPTY")
    Membership.objects.create(person=Person.objects.get(username="mia"), plant=other.plant, role="operator")
    answer = mia.get("/b/EMPTY-AREA", {"at": "2026-01-01T00:00"})
    assert "Nothing has been recorded here yet" in answer.content.decode()
    assert mia.get("/b/EMPTY-AREA/changes").status_code == 400


def test_the_past_of_another_plant_is_nobodys(floor: Floor, mia: Client) -> None:
    Floor("OTHER")
    for address in ("/b/OTHER-AREA", "/b/OTHER-AREA/past", "/b/OTHER-AREA/changes"):
        assert mia.get(address, {"at": "2026-01-01T00:00"}).status_code == 404


def test_what_changed_since_the_shift_began(floor: Floor, mia: Client) -> None:
    at = told(floor)
    answer = mia.get(
        "/b/PLANT-AREA/changes",
        {
            name: write_instant(at[key], "Europe/Berlin")
            for name, key in (("since", "full"), ("until", "back"))
        },
    )
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert "BOARD" in shown
    assert "ran out" in shown
    assert "2 / 2" in shown
    assert "1 / 2" in shown
    assert mia.get("/b/PLANT-AREA/changes").status_code == 200


def test_changes_of_cards_and_of_who_waits(floor: Floor, mia: Client) -> None:
    since = floor.now + timedelta(seconds=30)
    floor.scan("L1", 1, "empty", after=2)
    waits = floor.now + timedelta(seconds=30)
    floor.propagate()
    until = floor.now + timedelta(minutes=30)
    span = {"since": write_instant(since, "Europe/Berlin"), "until": write_instant(until, "Europe/Berlin")}
    assert "Nothing has waited for so long." in mia.get("/b/PLANT-AREA/changes", span).content.decode()
    span["since"] = write_instant(waits, "Europe/Berlin")
    shown = mia.get("/b/PLANT-AREA/changes", span).content.decode()
    assert "No loop changed." in shown
    assert "Nothing has waited for so long." not in shown


def test_times_of_an_address() -> None:
    berlin = "Europe/Berlin"
    assert read_instant("2026-11-20T14:05", berlin) == datetime(2026, 11, 20, 13, 5, tzinfo=UTC)
    assert read_instant("2026-11-20T14:05Z", berlin) == datetime(2026, 11, 20, 14, 5, tzinfo=UTC)
    # A plus that nobody escaped arrives as a space.
    assert read_instant("2026-10-25T02:30 01:00", berlin) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    assert read_instant("2026-10-25T02:30", berlin) == first  # the first of the two
    assert [read_instant(write_instant(at, berlin), berlin) for at in (first, second)] == [first, second]
    with pytest.raises(BadInstant, match="never on the clock"):
        read_instant("2026-03-29T02:30", berlin)


def test_shifts_begin_by_the_calendar_of_the_plant(floor: Floor) -> None:
    shifts = [
        {"days": ["mon", "tue"], "start": "06:00", "end": "14:00"},
        {"days": ["mon"], "start": "22:00", "end": "06:00"},
    ]
    tuesday = datetime(2026, 11, 17, 3, 0, tzinfo=UTC)
    found = begun(shifts, [], "Europe/Berlin", tuesday)
    assert found[0].begins_at == datetime(2026, 11, 16, 21, 0, tzinfo=UTC)
    assert found[0].ends_at == datetime(2026, 11, 17, 5, 0, tzinfo=UTC)
    assert found[1].begins_at == datetime(2026, 11, 16, 5, 0, tzinfo=UTC)
    without = begun(shifts, ["2026-11-16"], "Europe/Berlin", tuesday)
    assert without[0].begins_at < datetime(2026, 11, 11, tzinfo=UTC)
    always = begun([], [], "Europe/Berlin", tuesday)
    assert always[0].begins_at == datetime(2026, 11, 16, 23, 0, tzinfo=UTC)
    Calendar.objects.create(plant=floor.plant, code="TWO", is_default=True, shifts=shifts)


def test_a_link_to_the_past_of_now_leads_to_an_instant(floor: Floor, mia: Client) -> None:
    answer = mia.get("/b/PLANT-AREA", {"at": "now"})
    assert answer.status_code == 302
    assert mia.get(answer["Location"]).status_code == 200
    assert mia.get("/b/PLANT-AREA/past").status_code == 200
    assert "?at=now" in mia.get("/b/PLANT-AREA").content.decode()
    history = mia.get("/t", {"at": "2026-01-01T10:00"})
    assert history["Location"] == "/b/PLANT-AREA?at=2026-01-01T10:00"
    assert mia.get("/t").status_code == 200
