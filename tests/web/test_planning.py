"""A loop without a shell: made with its cards, changed after the change was shown, followed by another, retired."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jitapp.accounts.models import Person
from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Loop, LoopRevision, Membership, Part, Plant, Station, Supplier
from jitapp.pull import actions
from jitapp.pull.models import Card, Event
from jitapp.pull.proof.verify import verify
from jitapp.pull.reading.plans import state_of
from tests.floor import Floor

pytestmark = pytest.mark.django_db

NEW = {
    "part": "BOARD-X", "description": "Board, new", "supply": "SMT", "demand": "TEST", "quantity": "12",
    "use": "40", "lead": "4", "lead_unit": "hours", "safety": "20",
}  # fmt: skip


@pytest.fixture
def floor() -> Floor:
    made = Floor(now=timezone.now() - timedelta(hours=3))
    for code, kind in (("SMT", "PROCESS"), ("TEST", "PROCESS"), ("ACME", "SUPPLIER"), ("SHIP", "SHIPPING")):
        made.station(code, kind)
    made.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=3, quantity=8)
    made.part("BOARD-B")
    for name, role in (("eva", Role.PLANNER), ("ole", Role.OPERATOR)):
        Membership.objects.create(person=made.person(name), plant=made.plant, role=role)
    return made


def client(username: str) -> Client:
    made = Client()
    made.force_login(Person.objects.get(username=username))
    return made


@pytest.fixture
def eva(floor: Floor) -> Client:
    return client("eva")


def loop(code: str = "L1") -> Loop:
    return Loop.objects.get(code=code)


def act(who: Client, do: str, *, code: str = "L1", confirm: bool = False, **sent: str) -> Any:
    asked = {"do": do, "seen": str(loop(code).version)} | sent
    return who.post(f"/l/{loop(code).pk}/edit", asked | ({"confirm": "1"} if confirm else {}))


def text(page: Any) -> str:
    return str(page.content.decode())


# -- a new loop -------------------------------------------------------------------------------------
def test_a_loop_is_made_with_its_new_part_and_as_many_cards_as_the_formula_gives(
    eva: Client, floor: Floor
) -> None:
    """40 a day x (240 of 1440 minutes) x 1.2 / 12 = 0.67 containers: one, and one more."""
    made = eva.post("/l/new", NEW)
    found = loop("BOARD-X-TEST")
    assert made["Location"] == f"/l/{found.pk}/edit"
    assert (found.kind, found.quantity, found.lead_time_minutes) == ("TWO_BIN", 12, 240)
    assert found.part.description == "Board, new"
    assert list(Card.objects.filter(loop=found).values_list("card_status", flat=True)) == ["NEW", "NEW"]
    assert Event.objects.filter(loop=found, person__username="eva").exists()
    page = text(eva.get(made["Location"]))
    assert "2 cards are to be printed." in page
    assert "/print?loop=BOARD-X-TEST" in page
    assert verify().differences == []


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"part": ""}, "part"),
        ({"supply": ""}, "supply"),
        ({"demand": "SMT"}, "demand"),
        ({"quantity": "1,000"}, "quantity"),
        ({"quantity": "0"}, "quantity"),
        ({"use": "many"}, "use"),
        ({"lead": "-1"}, "lead"),
        ({"cards": "2.5"}, "cards"),
        ({"cards": "1001"}, "cards"),
        ({"code": "L1"}, "code"),
        ({"quantity": "0.5"}, "quantity"),  # a part without decimals
        ({"unit": "a unit too long"}, "unit"),
    ],
)
def test_a_loop_that_cannot_be_made_keeps_what_was_typed(
    eva: Client, floor: Floor, other: dict[str, str], field: str
) -> None:
    refused = eva.post("/l/new", NEW | other)
    assert refused.status_code == 422
    assert refused.context["problems"][field]
    assert 'value="Board, new"' in text(refused)
    assert Loop.objects.count() == 1
    assert not Part.objects.filter(number="BOARD-X").exists()


def test_cards_that_are_named_need_no_computation_and_begin_as_said(eva: Client, floor: Floor) -> None:
    eva.post("/l/new", NEW | {"use": "", "lead": "", "cards": "3", "first": "EMPTY", "code": "MINE"})
    assert (
        list(Card.objects.filter(loop__code="MINE").values_list("supply_status", flat=True)) == ["EMPTY"] * 3
    )
    assert loop("MINE").lead_time_minutes == 240


def test_a_supplier_that_no_station_stands_for_gets_one(eva: Client, floor: Floor) -> None:
    Supplier.objects.create(plant=floor.plant, code="BOLTS", name="Bolt works")
    eva.post("/l/new", NEW | {"supply": "supplier:BOLTS", "code": "MINE"})
    assert Station.objects.get(code="BOLTS").supplier == Supplier.objects.get(code="BOLTS")
    assert loop("MINE").kind == "SUPPLIER"


def test_the_picture_and_the_figures_follow_what_is_typed(eva: Client, floor: Floor) -> None:
    page = text(eva.get("/l/new/look", NEW | {"use": "400", "price": "0.5"}))
    assert '<b class="figures">8</b>' in page  # 400 x 1/6 x 1.2 / 12 = 6.67: seven, and one more
    assert "6.67" in page
    assert "BOARD-X goes from Smt to Test in 8 containers of 12 pcs." in page
    assert "Two bins" in page
    assert "TWO_BIN" not in page


def test_a_plant_without_stations_is_told_what_comes_first(eva: Client, floor: Floor) -> None:
    empty = Plant.objects.create(code="EMPTY", name="Empty")
    Membership.objects.create(person=Person.objects.get(username="eva"), plant=empty, role=Role.PLANNER)
    assert "A loop needs two stations" in text(eva.get("/l/new?plant=EMPTY"))


def test_pressing_twice_makes_one_loop_and_one_card(eva: Client, floor: Floor) -> None:
    first = eva.post("/l/new", NEW)
    assert eva.post("/l/new", NEW)["Location"] == first["Location"]
    assert Loop.objects.count() == 2
    old = {"do": "extra", "seen": str(loop().version), "x_note": "fair", "confirm": "1"}
    assert eva.post(f"/l/{loop().pk}/edit", old).status_code == 302
    assert eva.post(f"/l/{loop().pk}/edit", old).status_code == 409
    assert Card.objects.filter(turns_left__isnull=False).count() == 1


# -- a loop that runs -------------------------------------------------------------------------------
def test_more_cards_of_another_quantity_are_shown_with_what_is_on_its_way_and_then_made(
    eva: Client, floor: Floor
) -> None:
    floor.scan("L1", 1, "empty")
    before = Event.objects.count()
    shown = act(eva, "size", cards="5", quantity="10")
    page = text(shown)
    assert "Cards: 3 → 5" in page
    assert "Pieces in a container: 8 → 10 pcs" in page
    assert "2 new cards" in page
    assert "Card 1 is on its way with 8 pcs and comes as it was asked for." in page
    assert shown.context["seen"].prints == 5
    assert (loop().quantity, Event.objects.count(), Card.objects.count()) == (8, before, 3)
    assert act(eva, "size", cards="5", quantity="10", confirm=True).status_code == 302
    assert (loop().quantity, Card.objects.count()) == (10, 5)
    changed = Event.objects.filter(type="loop.changed").latest("id")
    assert str(changed.person) == "Eva"
    assert floor.turn("L1", 1).asked == 8
    page = text(eva.get(f"/l/{loop().pk}/edit"))
    assert "5 cards are to be printed." in page
    assert '<span class="was">8</span> → <b>10</b>' in page
    assert verify().differences == []


def test_fewer_cards_go_out_as_they_become_empty_and_stay_listed_until_they_are_collected(
    eva: Client, floor: Floor
) -> None:
    shown = act(eva, "size", cards="2")
    assert shown.context["seen"].due == 1
    assert "full, at Test" in text(shown)
    act(eva, "size", cards="2", confirm=True)
    assert "1 card goes out when it becomes empty" in text(eva.get(f"/l/{loop().pk}/edit"))
    floor.now = timezone.now()
    floor.scan("L1", 2, "empty")
    out = floor.card("L1", 2)
    page = text(eva.get(f"/l/{loop().pk}/edit"))
    assert f'name="card" value="{out.code}"' in page
    assert eva.post(f"/l/{loop().pk}/collected", {"card": out.code}).status_code == 302
    out.refresh_from_db()
    assert out.card_status == "REMOVED"
    assert state_of(loop().pk).collect == ()
    assert verify().differences == []


def test_a_change_at_a_date_is_planned_listed_and_can_be_taken_back(eva: Client, floor: Floor) -> None:
    when = timezone.now() + timedelta(days=3)
    at = f"{when:%Y-%m-%dT%H:%M}"
    shown = act(eva, "size", cards="4", at=at, size_reason="season")
    assert "Plan it" in text(shown)
    act(eva, "size", cards="4", at=at, size_reason="season", confirm=True)
    planned = LoopRevision.objects.get()
    assert (planned.values, planned.reason, str(planned.author)) == ({"cards": 4}, "season", "Eva")
    page = text(eva.get(f"/l/{loop().pk}/edit"))
    assert "4 cards" in page
    assert "Take it back" in page
    act(eva, "withdraw", number=str(planned.number), confirm=True)
    assert "Withdrawn by" in text(eva.get(f"/l/{loop().pk}/edit"))
    assert actions.apply_due_revisions(now=when + timedelta(days=1)) == set()


def test_a_planned_change_that_was_refused_says_why_on_the_page(eva: Client, floor: Floor) -> None:
    when = timezone.now() + timedelta(days=1)
    LoopRevision.objects.create(
        loop=loop(), number=1, effective_at=when, values={"cards": 9}, refused_at=when, refusal="Not so many."
    )
    assert "Not so many." in text(eva.get(f"/l/{loop().pk}/edit"))


def test_two_planners_at_once_see_both_and_neither_is_lost(eva: Client, floor: Floor) -> None:
    old = str(loop().version)
    act(eva, "size", cards="6", size_reason="more", confirm=True)
    late = eva.post(f"/l/{loop().pk}/edit", {"do": "size", "seen": old, "cards": "4", "confirm": "1"})
    assert late.status_code == 409
    assert 'value="4"' in text(late)
    assert "<b>6</b>" in text(late)
    assert "Eva changed this" in text(late)
    assert Card.objects.count() == 6


def test_hold_needs_a_reason_and_is_released_again(eva: Client, floor: Floor) -> None:
    refused = act(eva, "hold", hold_reason=" ")
    assert refused.status_code == 422
    assert "Give a reason" in text(refused)
    assert "Nothing is changed yet" in text(act(eva, "hold", hold_reason="new tool"))
    assert loop().status == "ACTIVE"
    act(eva, "hold", hold_reason="new tool", confirm=True)
    assert (loop().status, loop().hold_reason) == ("ON_HOLD", "new tool")
    act(eva, "resume", confirm=True)
    assert loop().status == "ACTIVE"


def test_retiring_shows_every_card_to_collect_and_where_it_is(eva: Client, floor: Floor) -> None:
    shown = act(eva, "retire", retire_reason="old design")
    assert [line.where for line in shown.context["collect"]] == ["full, at Test"] * 3
    assert loop().status == "ACTIVE"
    act(eva, "retire", retire_reason="old design", confirm=True)
    assert loop().status == "RETIRED"
    codes = [card.code for card in state_of(loop().pk).collect]
    assert len(codes) == 3
    eva.post(f"/l/{loop().pk}/collected", {"card": codes})
    assert state_of(loop().pk).collect == ()


def test_what_the_floor_does_not_allow_is_refused_in_words_before_anything_is_done(
    eva: Client, floor: Floor
) -> None:
    floor.scan("L1", 1, "empty")
    floor.scan("L1", 1, "start")
    refused = act(eva, "retire", retire_reason="old design")
    assert refused.status_code == 422
    assert "under way" in text(refused)
    assert 'value="old design"' in text(refused)


def test_a_successor_begins_at_its_date_and_the_old_cards_run_out(eva: Client, floor: Floor) -> None:
    when = timezone.now() + timedelta(days=2)
    sent: Any = {"s_part": "board-b", "s_cards": "2", "s_quantity": "8", "s_at": f"{when:%Y-%m-%dT%H:%M}"}
    shown = act(eva, "successor", **sent)
    assert "BOARD-B takes the place of BOARD" in text(shown)
    assert Loop.objects.count() == 1
    act(eva, "successor", confirm=True, **sent)
    new = loop("BOARD-B-TEST")
    assert (new.status, Card.objects.filter(loop=new, card_status="NEW").count()) == ("DRAFT", 2)
    assert "2 cards are to be printed." in text(eva.get(f"/l/{new.pk}/edit"))
    assert "loop BOARD-B-TEST follows" in text(eva.get(f"/l/{loop().pk}/edit"))
    assert actions.apply_due_revisions(now=when + timedelta(minutes=1)) == {loop().pk}
    new.refresh_from_db()
    assert (new.status, state_of(loop().pk).due) == ("ACTIVE", 3)
    refused = act(eva, "successor", s_part="NO-SUCH")
    assert "There is no such part" in text(refused)


def test_one_off_cards_ask_at_once_and_end(eva: Client, floor: Floor) -> None:
    act(eva, "extra", x_cards="2", x_turns="1", x_note="trade fair", confirm=True)
    found = Card.objects.filter(turns_left__isnull=False)
    assert [(card.supply_status, card.note) for card in found] == [("EMPTY", "trade fair")] * 2


def test_settings_are_shown_before_they_are_saved(eva: Client, floor: Floor) -> None:
    address = f"/l/{loop().pk}/settings"
    page = eva.get(address)
    sent = {"seen": page.context["seen"], "lead_time_minutes": "90", "supply": "ACME"}
    shown = eva.post(address, sent)
    assert "<b>90</b>" in text(shown)
    assert loop().lead_time_minutes == 240
    assert eva.post(address, sent | {"confirm": "1"}).status_code == 302
    assert (loop().lead_time_minutes, loop().supply.code) == (90, "ACME")
    late = eva.post(address, sent | {"lead_time_minutes": "100", "confirm": "1"})
    assert late.status_code == 409
    assert 'value="100"' in text(late)
    refused = eva.post(address, {"seen": late.context["seen"], "accumulate": "CARDS"})
    assert refused.status_code == 422
    assert refused.context["refusal"].at["accumulate_cards"]


def test_nobody_else_changes_a_loop(floor: Floor) -> None:
    ole, pk, version = client("ole"), loop().pk, loop().version
    assert "Planners, leaders and administrators change" in text(ole.get(f"/l/{pk}/edit"))
    for address, sent in (
        ("edit", {"do": "hold", "hold_reason": "x", "seen": str(version), "confirm": "1"}),
        ("settings", {"lead_time_minutes": "1", "confirm": "1"}),
        ("collected", {"card": "x"}),
    ):
        assert ole.post(f"/l/{pk}/{address}", sent).status_code == 403
    assert ole.post("/l/new", NEW).status_code == 403
    away = Plant.objects.create(code="AWAY", name="Away")
    Person.objects.create(username="ann", name="Ann")
    Membership.objects.create(person=Person.objects.get(username="ann"), plant=away, role=Role.PLANNER)
    ann = client("ann")
    assert ann.get(f"/l/{pk}/edit").status_code == 404
    assert ann.post(f"/l/{pk}/edit", {"do": "hold", "hold_reason": "x", "confirm": "1"}).status_code == 404
    assert loop().version == version
    assert Decimal(loop().quantity) == 8
