"""`verify` says nothing of an honest history, and names each rule that a hand in the database breaks."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from jitapp.pull import actions
from jitapp.pull.models import Draw, Event, TurnLink
from jitapp.pull.proof.verify import RULES, Report, verify
from tests.floor import Floor
from tests.superuser import TAKE_OFF

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor() -> Floor:
    """Boards made by SMT out of two blanks each, tested, and shipped."""
    floor = Floor()
    floor.station("PCB-MAKER", "SUPPLIER")
    floor.station("SMT", consumption="BACKFLUSH")
    floor.station("TEST")
    floor.station("SHIP", "SHIPPING")
    floor.bill("BOARD", BLANK=2)
    floor.bill("UNIT", BOARD=1)
    floor.loop(
        "BLANKS", part="BLANK", supply="PCB-MAKER", demand="SMT", kind="SUPPLIER", cards=3, quantity=10
    )
    floor.loop("BOARDS", part="BOARD", supply="SMT", demand="TEST", kind="PRODUCTION", cards=3, quantity=4)
    floor.loop("UNITS", part="UNIT", supply="TEST", demand="SHIP", cards=2, quantity=4)
    return floor


def a_day(floor: Floor) -> None:
    """A day with a draw, a shortage, a runout, an undo, a refusal, a batch and a short delivery."""
    for number in (1, 2, 3):
        floor.scan("BOARDS", number, "empty")
        floor.scan("BOARDS", number, "start")
        floor.propagate()
    floor.scan("UNITS", 2, "empty")
    floor.scan("UNITS", 2, "undo")
    floor.scan("UNITS", 1, "empty")
    floor.scan("UNITS", 1, "start")
    floor.scan("UNITS", 1, "start")
    floor.scan("BOARDS", 1, "abort")
    floor.scan("BOARDS", 1, "start")
    floor.scan("BOARDS", 1, "complete", quantity=3, reason="one scrapped")
    floor.scan("BOARDS", 1, "receive")
    requests = [floor.request("BOARDS", number, "complete") for number in (2, 3)]
    actions.scan_batch(requests, source=floor.source, now=floor.now)
    floor.scan("BOARDS", 1, "empty")
    floor.cycle("BLANKS", 1)
    floor.propagate()
    actions.begin_changeover(station="SMT", to_family="B", now=floor.now, source=floor.source)
    actions.finish_changeover(station="SMT", now=floor.now, source=floor.source)
    actions.begin_state(station="SMT", kind="no_operator", now=floor.now, source=floor.source)


def plant(sql: str) -> None:
    """A hand in the database: no trigger and no foreign key stops it."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE_OFF)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL session_replication_role = replica")
        cursor.execute(sql)
        assert cursor.rowcount != 0, "nothing was changed"
        cursor.execute("SET LOCAL session_replication_role = origin")


def said(report: Report) -> list[str]:
    return [str(difference) for difference in report.differences]


def test_an_honest_day_verifies_clean(floor: Floor) -> None:
    a_day(floor)
    report = verify()
    assert said(report) == []
    assert report.warnings == []
    assert report.events == Event.objects.count() > 60


def test_the_day_had_what_it_should_prove(floor: Floor) -> None:
    a_day(floor)
    assert Draw.objects.filter(drawn__gt=0).count() >= 3
    assert TurnLink.objects.filter(kind="SCAN").exists()
    assert set(Event.objects.values_list("type", flat=True)) >= {
        "card.drawn",
        "card.emptied",
        "card.opened",
        "card.unopened",
        "runout.opened",
        "runout.closed",
        "turn.aborted",
        "turn.cancelled",
        "turn.received",
    }


def test_shortages_and_a_second_try_verify_clean(floor: Floor) -> None:
    for number in (1, 2, 3):
        floor.scan("BLANKS", number, "empty")
    floor.scan("BOARDS", 1, "empty")
    floor.scan("BOARDS", 1, "start")
    floor.propagate()
    assert Draw.objects.get().short == 8
    floor.scan("BOARDS", 1, "abort")
    floor.cycle("BLANKS", 1)
    floor.scan("BOARDS", 1, "start")
    floor.propagate()
    assert said(verify()) == []


def test_bookings_taken_and_freed_verify_clean() -> None:
    floor = Floor()
    floor.station("MAKER", "SUPPLIER")
    floor.station("SMT", consumption="BACKFLUSH")
    floor.station("TEST")
    floor.bill("BOARD", BLANK=1)
    floor.loop("BLANKS", part="BLANK", supply="MAKER", demand="SMT", cards=2, quantity=4)
    floor.loop("BOARDS", part="BOARD", supply="SMT", demand="TEST", cards=3, quantity=4, consume_at="RELEASE")
    floor.scan("BOARDS", 1, "empty")
    floor.propagate()
    floor.scan("BOARDS", 2, "empty")
    floor.propagate()
    assert said(verify()) == []
    floor.scan("BOARDS", 2, "undo", after=0.5)
    floor.propagate()
    assert Event.objects.filter(type="card.unbooked").exists()
    assert said(verify()) == []
    floor.scan("BOARDS", 1, "start")
    floor.propagate()
    floor.scan("BLANKS", 2, "empty")
    floor.scan("BOARDS", 3, "empty")
    floor.propagate()
    floor.scan("BOARDS", 3, "start")
    floor.propagate()
    assert said(verify()) == []


def test_a_first_load_of_empty_cards_on_a_held_loop_verifies_clean(floor: Floor) -> None:
    floor.loop("HELD", part="CAP", supply="SMT", demand="SHIP", status="ON_HOLD", first=["EMPTY", "FULL"])
    floor.loop("NEW", part="RES", supply="SMT", demand="SHIP", first=None)
    floor.scan("NEW", 1, "activate", quantity=0)
    assert said(verify()) == []


CORRUPTIONS = [
    ("C1", "DELETE FROM pull_card WHERE id = (SELECT max(id) FROM pull_card)"),
    (
        "C1",
        "INSERT INTO pull_card (uuid, loop_id, code, number, card_status, supply_status, quantity, contents, booked,"
        " blocked, urgent, out_of_stock, label_stale, note, turn_number)"
        " SELECT gen_random_uuid(), loop_id, 'KB000000000', 99, 'NEW', 'EMPTY', 1, 0, 0, false, false, false, false,"
        " '', 0 FROM pull_card LIMIT 1",
    ),
    (
        "C2",
        "DROP INDEX turn_one_open_per_card; UPDATE pull_turn SET closed_at = NULL, signal_state = 'RELEASED',"
        " owner = 'station', owner_since = now() WHERE signal_state IN ('CLOSED', 'CANCELLED') AND card_id IN"
        " (SELECT card_id FROM pull_turn WHERE closed_at IS NULL)",
    ),
    ("C3", "DELETE FROM pull_receipt WHERE outcome = 'applied' AND intent = 'complete'"),
    ("C3", "UPDATE pull_receipt SET outcome = 'applied' WHERE outcome = 'already'"),
    ("C3", """UPDATE pull_receipt SET answer = answer || '{"outcome": "refused"}' WHERE intent = 'abort'"""),
    (
        "C4",
        "UPDATE pull_event SET from_status = 'IN_TRANSIT' WHERE type = 'scan.applied' AND to_status = 'EMPTY'",
    ),
    (
        "C5",
        "UPDATE pull_event SET type = 'turn.opened' WHERE type = 'turn.released'"
        " AND turn = (SELECT uuid FROM pull_turn WHERE received IS NOT NULL LIMIT 1)",
    ),
    (
        "C5",
        "ALTER TABLE pull_turn DROP CONSTRAINT turn_step_needs_release;"
        " UPDATE pull_turn SET released_at = NULL WHERE step <> ''",
    ),
    (
        "C6",
        "ALTER TABLE pull_turn DROP CONSTRAINT turn_difference_needs_reason;"
        " UPDATE pull_turn SET received = received - 1, reason = '' WHERE received IS NOT NULL",
    ),
    ("C7", "UPDATE plant_station SET wip_limit = 0 WHERE code = 'TEST'"),
    ("C8", "DELETE FROM pull_turn WHERE closed_at IS NULL"),
    ("C8", "DELETE FROM pull_draw WHERE id = (SELECT min(id) FROM pull_draw)"),
    ("C8", "UPDATE pull_draw SET drawn = drawn + 1"),
    ("C8", "UPDATE pull_turnlink SET quantity = quantity + 1 WHERE kind = 'DRAW'"),
    ("C8", "DELETE FROM pull_turnlink WHERE kind = 'DRAW'"),
    ("C9", "UPDATE pull_runout SET opened_at = opened_at - interval '1 minute'"),
    ("C9", "DELETE FROM pull_runout"),
    (
        "C9",
        "UPDATE pull_event SET occurred_at = occurred_at - interval '1 minute' WHERE type = 'runout.opened'",
    ),
    (
        "C10",
        "ALTER TABLE pull_turn DROP CONSTRAINT turn_open_has_owner;"
        " UPDATE pull_turn SET owner = '' WHERE closed_at IS NULL",
    ),
    ("C10", "DELETE FROM pull_wait WHERE closed_at IS NULL"),
    ("C10", "UPDATE pull_wait SET reason = 'collect' WHERE closed_at IS NULL AND reason = 'queue'"),
    ("C10", "UPDATE pull_event SET type = 'wait.opened' WHERE type = 'wait.closed'"),
    ("C11", "UPDATE pull_wait SET opened_at = opened_at - interval '1 minute'"),
    ("C11", "UPDATE pull_wait SET closed_at = closed_at + interval '1 minute'"),
    ("C11", "DELETE FROM pull_wait WHERE closed_at IS NOT NULL"),
    ("C11", "UPDATE pull_stationstate SET ended_at = ended_at + interval '1 minute'"),
    ("C11", "DELETE FROM pull_stationstate WHERE ended_at IS NULL"),
    ("C11", "UPDATE pull_card SET contents = contents - 1 WHERE contents > 1"),
    ("C11", "UPDATE pull_card SET supply_status = 'IN_TRANSIT' WHERE supply_status = 'FULL'"),
    ("C11", "UPDATE pull_turn SET due_at = due_at + interval '1 hour'"),
    ("C11", "UPDATE pull_loopstate SET seq = seq + 1"),
    ("C11", "ALTER TABLE pull_event DISABLE TRIGGER event_grows_only"),
    ("C11", "DROP TRIGGER receipt_not_deleted ON pull_receipt"),
    ("C12", "UPDATE pull_card SET card_status = 'LOST' WHERE supply_status = 'EMPTY'"),
    (
        "C13",
        "UPDATE pull_event SET station_id = (SELECT id FROM plant_station WHERE code = 'TEST')"
        " WHERE data->>'intent' = 'start' AND loop_id = (SELECT id FROM plant_loop WHERE code = 'BOARDS')",
    ),
    (
        "C14",
        "ALTER TABLE pull_card DROP CONSTRAINT card_contents_bounds;"
        " UPDATE pull_card SET booked = contents + 1 WHERE contents > 0",
    ),
    ("I5", "UPDATE pull_event SET loop_seq = loop_seq + 100 WHERE loop_seq > 10"),
    ("I6", "UPDATE pull_event SET place = '9999999999' WHERE loop_seq = 3"),
    ("I6", "UPDATE pull_event SET place = '1' WHERE loop_seq = 3"),
    ("I8", "UPDATE outbox_message SET dead_at = now(), done_at = NULL"),
]


@pytest.mark.parametrize(
    ("rule", "sql"), CORRUPTIONS, ids=[f"{rule}-{place}" for place, (rule, _) in enumerate(CORRUPTIONS)]
)
def test_a_planted_corruption_is_named(floor: Floor, rule: str, sql: str) -> None:
    a_day(floor)
    plant(sql)
    report = verify()
    assert report.counts[rule] > 0, said(report)
    assert all(
        difference.what and difference.expected and difference.found for difference in report.differences
    )


def test_every_rule_has_a_corruption_that_it_names() -> None:
    assert {rule for rule, _ in CORRUPTIONS} == set(RULES)


def test_a_lost_propagation_is_named(floor: Floor) -> None:
    a_day(floor)
    floor.scan("BOARDS", 1, "start")
    assert said(verify()) == []  # it may still be under way
    plant("UPDATE outbox_message SET done_at = now() WHERE done_at IS NULL")
    # Neither did the components go, nor did anybody notice that the turn waits no more.
    assert [difference.rule for difference in verify().differences] == ["C10", "C8"]


@pytest.mark.parametrize(
    ("corruption", "names"),
    [
        ("DELETE FROM pull_andoncall", "expected one, found none"),
        ("UPDATE pull_andoncall SET called_at = called_at + interval '1 minute'", "expected called at"),
        ("UPDATE pull_andoncall SET solved_at = called_at, reason = 'seen'", "expected called at"),
    ],
)
def test_an_open_runout_is_held_against_its_call(floor: Floor, corruption: str, names: str) -> None:
    for number in (1, 2):
        floor.scan("UNITS", number, "empty")
    assert said(verify()) == []  # the call may still be under way
    floor.propagate()
    assert said(verify()) == []
    plant(corruption)
    (difference,) = said(verify())
    assert difference.startswith("C9: loop UNITS: call of the runout since")
    assert names in difference


def test_the_call_of_a_closed_runout_is_solved(floor: Floor) -> None:
    for number in (1, 2):
        floor.scan("UNITS", number, "empty")
    floor.propagate()
    floor.cycle("UNITS", 1)
    floor.propagate()
    assert said(verify()) == []
    plant("UPDATE pull_andoncall SET solved_at = NULL")
    found = said(verify())
    assert len(found) == 2  # neither with the runout nor with its event
    assert "solved with the runout" in found[0]


def test_a_message_that_waits_too_long_is_a_warning_and_no_difference(floor: Floor) -> None:
    floor.scan("BOARDS", 1, "empty")
    plant("UPDATE outbox_message SET created_at = now() - interval '2 minutes'")
    report = verify()
    assert said(report) == []
    assert {warning.rule for warning in report.warnings} == {"I8"}


def test_a_difference_says_where_and_what(floor: Floor) -> None:
    plant("UPDATE pull_card SET contents = 3 WHERE code = (SELECT code FROM pull_card ORDER BY id LIMIT 1)")
    code = floor.card("BLANKS", 1).code
    assert said(verify()) == [f"C11: loop BLANKS, card {code}: contents: expected 10, found 3"]


def test_the_command_ends_with_the_sentence_of_the_contract(floor: Floor) -> None:
    out = StringIO()
    call_command("verify", stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[-1] == f"verified {Event.objects.count()} events, 0 differences"
    assert [line.split()[0] for line in lines[:-1]] == list(RULES)
    assert {line.split()[1] for line in lines[:-1]} == {"ok"}


def test_the_command_fails_with_each_difference(floor: Floor) -> None:
    plant("UPDATE pull_loopstate SET seq = seq + 1")
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify", stdout=out)
    assert ended.value.code == 1
    lines = out.getvalue().splitlines()
    assert "C11: loop UNITS: seq: expected 4, found 5" in lines
    assert lines[-1] == f"verified {Event.objects.count()} events, 3 differences"


def test_the_command_speaks_json(floor: Floor) -> None:
    plant("UPDATE pull_loopstate SET suppressed = 7")
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("verify", "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert found["events"] == Event.objects.count()
    assert found["count"] == 3
    assert {row["rule"]: row["differences"] for row in found["rules"]}["C11"] == 3
    assert found["differences"][0]["found"] == "7"


@pytest.mark.django_db(transaction=True)
def test_one_snapshot_is_read_and_nothing_is_written(floor: Floor) -> None:
    a_day(floor)
    assert said(verify()) == []
    assert not connection.in_atomic_block
