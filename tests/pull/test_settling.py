"""Parked scans settled by a person: accepted, discarded, or an unknown code given to its card; once, and by one."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from jitapp.accounts.models import new_uuid
from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Identifier, Membership
from jitapp.pull import actions
from jitapp.pull.models import Card, Event, Receipt, Settlement, Turn
from jitapp.pull.proof.verify import verify
from jitapp.pull.reading.parked import ParkedScan, parked_scans, waiting_scans
from jitapp.pull.scan_request import ScanRequest, Source
from jitapp.symbology.cardcode import make_code
from tests.floor import Floor
from tests.superuser import TAKE_OFF, superuser

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("true_ledger")]
UNKNOWN = make_code(123_456_789)


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=2, quantity=4)
    return floor


def member(floor: Floor, username: str, role: Role = Role.LEADER) -> Source:
    person = floor.person(username)
    Membership.objects.create(person=person, plant=floor.plant, role=role)
    return Source(
        person_id=person.pk, plant_ids=frozenset({floor.plant.pk}), roles={floor.plant.pk: frozenset({role})}
    )


def park(floor: Floor, intent: str = "start") -> UUID:
    """Card 1 was emptied; a scan from before that comes in: it is parked."""
    before = floor.now + timedelta(minutes=1)
    assert floor.scan("L1", 1, "empty", after=10)["outcome"] == "applied"
    id = new_uuid()
    answer = floor.scan("L1", 1, intent, id=id, occurred_at=before)
    assert (answer["outcome"], answer["code"]) == ("parked", "late_conflict")
    return id


def settle(floor: Floor, scan: UUID, source: Source, how: str = "accept", **more: Any) -> actions.Settled:
    more.setdefault("key", new_uuid())
    floor.now += timedelta(minutes=1)
    return actions.settle_scan(scan_id=scan, how=how, source=source, now=floor.now, **more)  # type: ignore[arg-type]


def refused(floor: Floor, *args: Any, **more: Any) -> actions.SettleRefused:
    with pytest.raises(actions.SettleRefused) as caught:
        settle(floor, *args, **more)
    return caught.value


def waiting(floor: Floor) -> list[ParkedScan]:
    return parked_scans(plant_ids=[floor.plant.pk], now=floor.now)


def test_an_accepted_scan_is_applied_now_and_its_first_answer_stays(floor: Floor) -> None:
    scan, lea, key = park(floor), member(floor, "lea"), new_uuid()
    first = Receipt.objects.get(scan_id=scan)
    done = settle(floor, scan, lea, choice="start", reason="I saw it", key=key)
    assert (done.how, done.by, done.card) == ("accepted", "Lea", floor.card("L1", 1).code)
    assert done.answer is not None
    assert done.answer["code"] == "started"
    assert floor.status("L1")[0] == "IN_PROCESS"
    after = Receipt.objects.get(scan_id=scan)
    assert (after.answer, after.outcome, after.code) == (first.answer, "parked", "late_conflict")
    assert after.settled_at == floor.now
    event = Event.objects.get(scan_id=key, type="scan.applied")
    assert (event.data["settles"], event.person_id) == (str(scan), lea.person_id)
    row = Settlement.objects.get()
    assert (row.how, row.intent, row.reason, row.scan_id) == ("accepted", "start", "I saw it", key)
    assert waiting_scans([floor.plant.pk]) == 0
    again = floor.send(
        ScanRequest(id=scan, code=first.raw, station="SMT", intent="start", occurred_at=first.occurred_at)
    )
    assert again.body | {"replayed": False} == first.answer  # type: ignore[union-attr]


def test_a_discarded_scan_needs_a_reason_and_changes_nothing(floor: Floor) -> None:
    scan, lea = park(floor), member(floor, "lea")
    events = Event.objects.count()
    assert refused(floor, scan, lea, "discard").code == "reason_missing"
    done = settle(floor, scan, lea, "discard", reason="wrong card in hand")
    assert (done.how, done.reason, done.answer) == ("discarded", "wrong card in hand", None)
    assert Event.objects.count() == events
    assert Receipt.objects.filter(scan_id=scan).exists()


def test_the_same_request_again_is_answered_the_same_and_another_is_told_who_was_first(floor: Floor) -> None:
    scan, lea, ole, key = park(floor), member(floor, "lea"), member(floor, "ole"), new_uuid()
    first = settle(floor, scan, lea, choice="start", key=key)
    assert settle(floor, scan, lea, choice="start", key=key) == first
    late = refused(floor, scan, ole, "discard", reason="no")
    assert (late.code, late.by, late.at) == ("already_settled", "Lea", first.settled_at)
    assert Settlement.objects.count() == 1


def test_what_the_rules_refuse_goes_on_waiting_and_the_attempt_is_kept(floor: Floor) -> None:
    scan, lea, key = park(floor), member(floor, "lea"), new_uuid()
    done = settle(floor, scan, lea, choice="abort", key=key)
    assert done.how == actions.DECLINED
    assert done.answer is not None
    assert done.answer["outcome"] == "refused"
    assert Receipt.objects.get(scan_id=key).outcome == "refused"
    assert [one.id for one in waiting(floor)] == [scan]
    assert settle(floor, scan, lea, choice="correct:FULL", reason="it stands there").how == "accepted"
    assert floor.status("L1")[0] == "FULL"


def test_the_answer_of_another_settlement_settles_nothing(floor: Floor) -> None:
    first, lea, key = park(floor), member(floor, "lea"), new_uuid()
    settle(floor, first, lea, choice="start", key=key)
    floor.scan("L1", 1, "abort")
    at = floor.now - timedelta(minutes=5)
    second = new_uuid()
    assert floor.scan("L1", 1, "complete", id=second, occurred_at=at)["outcome"] == "parked"
    assert refused(floor, second, lea, choice="start", key=key).code == "scan_id_reused"


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.LEADER, True),
        (Role.PLANNER, True),
        (Role.ADMIN, True),
        (Role.OPERATOR, False),
        (Role.BUYER, False),
    ],
)
def test_leaders_planners_and_administrators_of_the_plant_settle(floor: Floor, role: Role, may: bool) -> None:
    scan, person = park(floor), member(floor, "ole", role)
    if may:
        assert settle(floor, scan, person, choice="start").how == "accepted"
    else:
        assert refused(floor, scan, person, choice="start").code == "not_allowed"
    assert refused(floor, scan, floor.source, "discard", reason="x").code in (
        "not_allowed",
        "already_settled",
    )


def test_another_plants_leader_sees_and_settles_nothing(floor: Floor) -> None:
    scan = park(floor)
    there = Floor(plant_code="THERE")
    stranger = member(there, "sam")
    assert refused(floor, scan, stranger, choice="start").code == "unknown_scan"
    both = Source(person_id=stranger.person_id, plant_ids=frozenset({floor.plant.pk, there.plant.pk}))
    assert refused(floor, scan, both, choice="start").code == "not_allowed"
    assert parked_scans(plant_ids=[there.plant.pk], now=floor.now) == []


def test_what_does_not_fit_is_refused_by_name(floor: Floor) -> None:
    scan, lea = park(floor), member(floor, "lea")
    applied = Receipt.objects.filter(outcome="applied").first()
    assert applied is not None
    assert refused(floor, new_uuid(), lea).code == "unknown_scan"
    assert refused(floor, applied.scan_id, lea).code == "not_waiting"
    assert refused(floor, scan, lea, choice="fly").code == "choice_unknown"
    assert refused(floor, scan, lea, choice="correct:SOMEWHERE").code == "choice_unknown"
    assert refused(floor, scan, lea, choice="count").code == "quantity_missing"
    assert refused(floor, scan, lea, "assign", card=floor.card("L1", 1).code).code == "not_waiting"


def test_the_person_sees_both_stories_and_what_each_way_would_do(floor: Floor) -> None:
    scan = park(floor)
    (one,) = waiting(floor)
    assert (one.id, one.part, one.number, one.intent, one.station) == (scan, "BOARD", 1, "start", "Smt")
    told = [(line.type, line.to_status) for line in one.story]
    assert told.index(("scan.parked", "")) == told.index(("scan.applied", "EMPTY")) - 1
    ways = {way.choice: way.consequence for way in one.ways}
    assert ways["start"] == "BOARD card 1 of 2: started. Make 4."
    assert ways["correct:FULL"] == "BOARD card 1 of 2 is FULL now, by correction."
    assert "correct:EMPTY" not in ways  # it is
    before = (floor.status("L1"), Event.objects.count(), Turn.objects.count())
    waiting(floor)
    assert (floor.status("L1"), Event.objects.count(), Turn.objects.count()) == before


def test_a_lost_card_is_reinstated_or_the_scan_ignored(floor: Floor) -> None:
    lea = member(floor, "lea")
    before = floor.now + timedelta(minutes=1)
    floor.scan("L1", 1, "lost", source=floor.leader(), after=10)
    scan = new_uuid()
    assert floor.scan("L1", 1, "empty", id=scan, occurred_at=before)["outcome"] == "parked"
    (one,) = waiting(floor)
    assert [way.choice for way in one.ways] == ["found"]
    assert settle(floor, scan, lea, choice="found").how == "accepted"
    assert floor.card("L1", 1).card_status == "IN_CIRCULATION"


def test_a_removed_card_stays_removed_and_its_late_scan_waits_for_a_word(floor: Floor) -> None:
    lea = member(floor, "lea", Role.PLANNER)
    before = floor.now + timedelta(minutes=1)
    code = floor.card("L1", 2).code
    floor.scan("L1", 2, "remove", source=floor.leader(), after=10, reason="broken")
    answer = floor.send(
        ScanRequest(id=new_uuid(), code=code, station="TEST", intent="empty", occurred_at=before)
    )
    assert answer.body["code"] == "late_conflict"  # type: ignore[union-attr]
    (one,) = waiting(floor)
    assert (one.card, one.ways) == (code, [])
    assert one.story[-1].type == "card.removed"
    assert refused(floor, one.id, lea, choice="empty").code == "not_waiting"
    assert settle(floor, one.id, lea, "discard", reason="it was the last bin").how == "discarded"
    assert floor.send(ScanRequest(id=new_uuid(), code=code, station="TEST")).body["code"] == "card_retired"  # type: ignore[union-attr]


def test_an_unknown_code_is_given_to_its_card_for_all_its_scans_or_dismissed(floor: Floor) -> None:
    lea = member(floor, "lea")
    for _ in range(3):
        answer = floor.send(ScanRequest(id=new_uuid(), code=UNKNOWN, station="TEST"))
        assert answer.body["code"] == "unknown_card"  # type: ignore[union-attr]
    (one,) = waiting(floor)
    assert (one.kind, one.raw, one.times, waiting_scans([floor.plant.pk])) == ("unknown", UNKNOWN, 3, 1)
    code = floor.card("L1", 2).code
    assert refused(floor, one.id, lea, "assign", card="KBNOTHING").code == "unknown_card"
    done = settle(floor, one.id, lea, "assign", card=code)
    assert (done.how, done.card) == ("assigned", code)
    assert Settlement.objects.filter(how="assigned", card=floor.card("L1", 2)).count() == 3
    assert waiting(floor) == []
    emptied = floor.send(ScanRequest(id=new_uuid(), code=UNKNOWN, station="TEST", intent="empty"))
    assert emptied.body["card"]["code"] == code  # type: ignore[union-attr]
    other = make_code(987_654_321)
    floor.send(ScanRequest(id=new_uuid(), code=other))
    (one,) = waiting(floor)
    assert one.plant == floor.plant.code  # by the device
    assert settle(floor, one.id, lea, "discard", reason="a neighbour's").how == "discarded"


def test_an_unknown_code_is_not_given_to_a_card_that_takes_part_no_more(floor: Floor) -> None:
    lea = member(floor, "lea")
    floor.send(ScanRequest(id=new_uuid(), code=UNKNOWN, station="TEST"))
    (one,) = waiting(floor)
    card = floor.card("L1", 1)
    actions.retire_loop(loop_id=card.loop_id, reason="no longer made", now=floor.now)
    assert refused(floor, one.id, lea, "assign", card=card.code).code == "unknown_card"
    assert not Identifier.objects.filter(code=UNKNOWN).exists()


def test_a_code_of_another_plant_is_not_given_away(floor: Floor) -> None:
    there = Floor(plant_code="THERE")
    there.station("A")
    there.station("B")
    there.loop("LT", part="X", supply="A", demand="B")
    lea = member(floor, "lea")
    floor.send(ScanRequest(id=new_uuid(), code=there.card("LT", 1).code, station="TEST"))
    (one,) = waiting(floor)
    assert refused(floor, one.id, lea, "assign", card=floor.card("L1", 1).code).code == "code_taken"
    assert Identifier.objects.filter(code=there.card("LT", 1).code).count() == 1


def test_a_settlement_is_never_changed_or_deleted(floor: Floor) -> None:
    settle(floor, park(floor), member(floor, "lea"), "discard", reason="no")
    for statement in ("UPDATE pull_settlement SET reason = 'x'", "DELETE FROM pull_settlement"):
        with superuser(), pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_of_two_people_at_once_one_settles_and_the_other_is_told_who(floor: Floor) -> None:
    scan = park(floor)
    people = [member(floor, name) for name in ("lea", "ole")]
    barrier, ends = threading.Barrier(2), []

    def press(person: Source) -> None:
        try:
            barrier.wait()
            done = actions.settle_scan(
                scan_id=scan,
                how="accept",
                choice="start",
                key=new_uuid(),
                source=person,
                now=floor.now + timedelta(minutes=1),
            )
            ends.append(done.how)
        except actions.SettleRefused as refusal:
            ends.append(f"{refusal.code} {refusal.by}")
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner = Settlement.objects.get().person
    assert sorted(ends) == ["accepted", f"already_settled {winner}"]
    assert Event.objects.filter(type="turn.started").count() == 1
    assert Card.objects.get(pk=floor.card("L1", 1).pk).supply_status == "IN_PROCESS"


@pytest.mark.parametrize(
    ("rule", "damage"),
    [
        ("C3", "UPDATE pull_receipt SET settled_at = NULL WHERE settled_at IS NOT NULL"),
        ("C3", "UPDATE pull_receipt SET settled_at = now() WHERE outcome = 'parked'"),
        ("C3", "DELETE FROM pull_settlement"),
        ("C3", "UPDATE pull_settlement SET scan_id = gen_random_uuid()"),
        ("C11", "DROP TRIGGER settlement_grows_only ON pull_settlement"),
    ],
)
def test_verify_finds_a_settlement_that_does_not_fit_its_scan(floor: Floor, rule: str, damage: str) -> None:
    settle(floor, park(floor), member(floor, "lea"), choice="start")
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(TAKE_OFF)
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(damage)
        assert rule in {difference.rule for difference in verify().differences}
        transaction.set_rollback(True)
