"""What the rules know beside a card's step is said on the pages: promises, silence, blocked containers, labels."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from jitapp.accounts.models import Person
from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Loop
from jitapp.pull import actions
from jitapp.pull.models import Card
from jitapp.pull.reading.board import board_rows
from jitapp.pull.reading.board_row import BoardRow
from jitapp.web.board import render_row
from tests.floor import Floor
from tests.stories.shops import counted_station, get, supplied, two_bins, with_roles

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(Person.objects.create(username="root", is_superuser=True))
    return client


def page(reader: Client, address: str) -> str:
    answer = reader.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def row_of(floor: Floor) -> BoardRow:
    return board_rows([Loop.objects.get().pk], now=floor.now)[0]


def drawn(floor: Floor) -> str:
    return render_row(row_of(floor), floor.now, "en").decode()


# -- promises ------------------------------------------------------------------------------------------
def promised(floor: Floor, late_by: int) -> None:
    floor.scan("S", 1, "empty")
    due_at = floor.turn("S", 1).due_at
    assert due_at is not None
    floor.scan("S", 1, "promise", at="ACME", promised_at=due_at + timedelta(minutes=late_by))


@pytest.mark.parametrize(("late_by", "late"), [(60, True), (0, False), (-5, False)])
def test_a_promise_for_after_the_due_time_is_marked_late_everywhere(
    reader: Client, late_by: int, late: bool
) -> None:
    floor = supplied()
    promised(floor, late_by)
    assert row_of(floor).promise_late is late
    said = f"{floor.turn('S', 1).promised_at:%H:%M}"
    assert (f"promised {said}, late" in drawn(floor)) is late
    assert f"promised {said}" in drawn(floor)
    for address in (f"/k/{floor.card('S', 1).code}", "/b/supply/ACME"):
        shown = page(reader, address)
        assert "promised " in shown, address
        assert (", late" in shown) is late, address
    assert ('<b class="over">late</b>' in page(reader, f"/l/{Loop.objects.get().pk}")) is late


def test_without_a_promise_no_page_speaks_of_one(reader: Client) -> None:
    floor = supplied()
    floor.scan("S", 1, "empty")
    assert "promised" not in drawn(floor)
    for address in (f"/k/{floor.card('S', 1).code}", "/b/supply/ACME"):
        assert "promised" not in page(reader, address)


# -- a demand that was cancelled -----------------------------------------------------------------------
def test_whoever_fills_for_a_cancelled_demand_reads_both_turns_and_decides(reader: Client) -> None:
    floor = counted_station(consume_at="RELEASE")
    floor.scan("B", 1, "empty")
    floor.propagate()
    assert floor.scan("A", 1, "start", at="MAKER", after=0.5)["outcome"] == "applied"
    task = "card 1, turn 1: the demand was cancelled (B, card 1, turn 1): decide whether it goes on"
    addresses = (f"/b/{floor.area.code}", "/b/supply/MAKER", f"/k/{floor.card('A', 1).code}")
    loop_page = f"/l/{Loop.objects.get(code='A').pk}"
    for address in (*addresses, loop_page):
        assert task not in page(reader, address)
    assert floor.scan("B", 1, "undo", after=0.5)["code"] == "undone"
    floor.propagate()
    for address in (*addresses, loop_page):
        assert task in page(reader, address), address
    assert f"Maker: {task}" in page(reader, loop_page)


# -- a supplier who does not answer --------------------------------------------------------------------
def asked_long_ago() -> Floor:
    floor = supplied(ack_required=True, ack_within_minutes=60)
    floor.scan("S", 1, "empty")
    floor.now += timedelta(minutes=90)
    actions.sweep(now=floor.now)
    assert floor.turn("S", 1).answer_late
    return floor


def test_a_supplier_who_lets_his_time_pass_is_named_on_row_and_card(reader: Client) -> None:
    floor = asked_long_ago()
    assert "no answer yet: card 1" in drawn(floor)
    assert "no answer yet" in page(reader, f"/k/{floor.card('S', 1).code}")


def test_an_answer_ends_it(reader: Client) -> None:
    floor = asked_long_ago()
    assert floor.scan("S", 1, "acknowledge", at="ACME")["outcome"] == "applied"
    assert "no answer yet" not in drawn(floor)
    assert "no answer yet" not in page(reader, f"/k/{floor.card('S', 1).code}")


def test_before_his_time_has_passed_nobody_is_late() -> None:
    floor = supplied(ack_required=True, ack_within_minutes=60)
    floor.scan("S", 1, "empty")
    assert "waits for the answer" in drawn(floor)
    assert "no answer yet" not in drawn(floor)


# -- containers out of use -----------------------------------------------------------------------------
def withdraw(floor: Floor, intent: str, *numbers: int) -> None:
    vera = with_roles(floor, "vera", Role.QUALITY)
    for number in numbers:
        answer = floor.scan("L", number, intent, reason="crack <2 mm>", source=vera)
        assert answer["outcome"] == "applied", answer


@pytest.mark.parametrize(("intent", "word"), [("block", "blocked"), ("hold", "held")])
def test_a_blocked_container_is_called_blocked_and_a_held_card_held_with_the_reason(
    reader: Client, intent: str, word: str
) -> None:
    floor = two_bins()
    withdraw(floor, intent, 1)
    html = drawn(floor)
    assert f'class="bin b-{word}"' in html
    assert f'<span class="w">{word}</span>' in html
    assert "crack &lt;2 mm&gt;" in html
    shown = page(reader, f"/k/{floor.card('L', 1).code}")
    assert f"<dd>{word}: crack &lt;2 mm&gt;" in shown
    assert "crack &lt;2 mm&gt;" in page(reader, f"/l/{Loop.objects.get().pk}")


@pytest.mark.parametrize("intent", ["block", "hold"])
def test_a_loop_whose_containers_are_all_withdrawn_is_out_and_somebody_must_decide(
    reader: Client, intent: str
) -> None:
    floor = two_bins()
    withdraw(floor, intent, 1, 2)
    row = row_of(floor)
    assert (row.state, row.owner_party, row.why_code) == ("out", "person", "cards_held")
    assert "<td>all containers held or blocked</td>" in page(reader, f"/l/{row.loop_id}")


# -- labels --------------------------------------------------------------------------------------------
def labels(shown: str) -> str:
    return shown.partition("Labels to print")[2].partition("</section>")[0]


def test_stale_labels_are_listed_those_of_new_replacements_first(reader: Client) -> None:
    floor = two_bins(cards=3)
    loop = Loop.objects.get()
    address = f"/l/{loop.pk}"
    assert "Labels to print" not in page(reader, address)
    actions.resize_loop(loop_id=loop.pk, quantity=Decimal(6), now=floor.now, reason="bigger boxes")
    floor.scan("L", 1, "lost")
    new = Card.objects.get(loop=loop, replaces=1)
    listed = labels(page(reader, address))
    places = [listed.index(code) for code in (new.code, floor.card("L", 2).code, floor.card("L", 3).code)]
    assert places == sorted(places)
    assert floor.card("L", 1).code not in listed  # nobody needs the lost one's
    assert listed.count("new, in place of lost card 1") == 1
    assert listed.count("what is printed on it is no longer true") == 2
    assert get(floor, f"/cards/{new.code}")["label_stale"] is True
    actions.mark_printed(loop_id=loop.pk, now=floor.now)
    assert "Labels to print" not in page(reader, address)
    assert get(floor, f"/cards/{new.code}")["label_stale"] is False
