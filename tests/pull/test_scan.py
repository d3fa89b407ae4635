"""One scan is one action: what it writes, and that a second time it writes nothing."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from jitapp.accounts.models import new_uuid
from jitapp.pull import actions
from jitapp.pull.models import Event, Receipt, Turn
from jitapp.pull.scan_request import Answer, Conflict, ScanRequest
from tests.floor import Floor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("true_ledger")]


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=2, quantity=4)
    return floor


def test_an_emptied_bin_asks_upstream_for_exactly_that_much_again(floor: Floor) -> None:
    answer = floor.scan("L1", 1, "empty")
    assert (answer["outcome"], answer["code"]) == ("applied", "emptied")
    assert answer["message"] == "BOARD card 1 of 2 is EMPTY. Asked Smt to make 4."
    turn = floor.turn("L1", 1)
    assert (turn.signal_state, turn.asked, turn.number) == ("RELEASED", 4, 1)
    assert answer["turn"]["id"] == str(turn.uuid)
    assert floor.status("L1") == ["EMPTY", "IN_USE"]


def test_the_same_scan_again_gets_the_first_answer_and_changes_nothing(floor: Floor) -> None:
    request = floor.request("L1", 1, "empty")
    first = floor.send(request)
    events = Event.objects.count()
    again = floor.send(request)
    assert isinstance(first, Answer)
    assert isinstance(again, Answer)
    assert again.replayed
    assert again.body == first.body | {"replayed": True}
    assert Event.objects.count() == events
    assert Turn.objects.count() == 1


def test_a_scan_id_used_for_another_scan_is_a_conflict_and_changes_nothing(floor: Floor) -> None:
    request = floor.request("L1", 1, "empty")
    floor.send(request)
    answer = floor.send(replace(request, code=floor.card("L1", 2).code))
    assert isinstance(answer, Conflict)
    assert floor.status("L1") == ["EMPTY", "IN_USE"]


def test_a_card_goes_full_circle_and_its_turn_is_closed(floor: Floor) -> None:
    floor.scan("L1", 1, "empty")
    floor.cycle("L1", 1)
    turn = floor.turn("L1", 1)
    assert turn.signal_state == "CLOSED"
    assert turn.received == 4
    assert floor.status("L1") == ["FULL", "IN_USE"]


def test_a_loop_without_a_usable_bin_is_a_runout_at_that_instant(floor: Floor) -> None:
    floor.scan("L1", 1, "empty")
    assert floor.open_runout("L1") is None
    floor.scan("L1", 2, "empty", after=30)
    runout = floor.open_runout("L1")
    assert runout is not None
    assert runout.opened_at == floor.now
    assert runout.cause == "queue"
    floor.cycle("L1", 1)
    runout.refresh_from_db()
    assert runout.closed_at == floor.now


def test_an_unknown_code_is_refused_by_name_and_kept(floor: Floor) -> None:
    for code, expected in [
        ("4006381333931", "makers_label"),
        ("PALLET", "not_a_card_code"),
        ("KB00000000X", "bad_check"),
        ("", "not_a_card_code"),
    ]:
        answer = actions.scan(
            ScanRequest(id=new_uuid(), code=code, station="TEST"), source=floor.source, now=floor.now
        )
        assert isinstance(answer, Answer)
        assert answer.body["code"] == expected
        assert answer.body["card"] is None
    assert Receipt.objects.filter(outcome="refused").count() == 4


def test_making_without_being_asked_is_overproduction(floor: Floor) -> None:
    answer = floor.scan("L1", 1, "start")
    assert (answer["outcome"], answer["code"]) == ("refused", "overproduction")
    assert Receipt.objects.get(code="overproduction").card == floor.card("L1", 1)


def test_a_batch_answers_in_order_and_a_bad_scan_costs_no_other(floor: Floor) -> None:
    first = floor.request("L1", 1, "empty")
    bad = ScanRequest(id=new_uuid(), code="nonsense", station="TEST")
    second = floor.request("L1", 2, "empty")
    answers = actions.scan_batch([first, bad, second, first], source=floor.source, now=floor.now)
    codes = [answer.body["code"] if isinstance(answer, Answer) else "conflict" for answer in answers]
    assert codes == ["emptied", "not_a_card_code", "emptied", "emptied"]
    assert isinstance(answers[3], Answer)
    assert answers[3].replayed
    assert floor.open_runout("L1") is not None


def test_undo_takes_the_signal_back_and_leaves_both_stories(floor: Floor) -> None:
    floor.scan("L1", 1, "empty")
    answer = floor.scan("L1", 1, "undo")
    assert answer["message"] == "Undone: BOARD card 1 of 2 is FULL again."
    assert floor.status("L1") == ["FULL", "FULL"]
    assert floor.turn("L1", 1).signal_state == "CANCELLED"
    assert floor.card("L1", 1).contents == 4


def test_undo_takes_back_what_the_scan_asked_for_other_cards(floor: Floor) -> None:
    floor.loop("L2", part="LID", supply="SMT", demand="TEST", trigger="ON_IN_USE")
    floor.scan("L2", 1, "open")
    assert floor.scan("L2", 1, "empty")["code"] == "emptied_under_way"
    assert floor.turn("L2", 2).signal_state == "RELEASED"
    assert floor.scan("L2", 1, "undo", after=0.5)["code"] == "undone"
    assert floor.status("L2") == ["IN_USE", "FULL"]
    assert (floor.turn("L2", 1).signal_state, floor.turn("L2", 2).signal_state) == ("RELEASED", "CANCELLED")


def test_undo_is_refused_once_somebody_upstream_has_acted(floor: Floor) -> None:
    floor.scan("L1", 1, "empty")
    floor.scan("L1", 1, "start", after=0.5)
    answer = floor.scan("L1", 1, "undo", at="SMT", after=0.5)
    assert answer["outcome"] == "applied"  # the start itself is undone first
    assert floor.status("L1")[0] == "EMPTY"


def test_a_person_who_was_unknown_a_moment_ago_is_known_as_soon_as_he_is_entered() -> None:
    floor = Floor()
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L", part="BOARD", supply="SMT", demand="TEST", cards=2, quantity=4)
    floor.scan("L", 1, "empty", by="newcomer")
    newcomer = floor.person("newcomer")
    floor.scan("L", 2, "empty", by="newcomer")
    assert list(Receipt.objects.order_by("pk").values_list("person_id", flat=True)) == [None, newcomer.pk]
