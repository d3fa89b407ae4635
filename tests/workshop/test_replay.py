"""A recorded log goes through the real scan path, with the log's own clock, once."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from jitapp import switchboard
from jitapp.accounts.models import new_uuid
from jitapp.kanban.vocabulary import Outcome
from jitapp.outbox.models import Message
from jitapp.plant.models import BillOfMaterials
from jitapp.pull import actions
from jitapp.pull.models import Card, Event, Receipt, Runout, Turn, TurnLink
from jitapp.pull.scan_request import ScanRequest, Source
from jitapp.pull.setup import set_up_shop
from jitapp.workshop import replaying
from jitapp.workshop.floor_log import read_log
from jitapp.workshop.floor_shop import Conversion, convert
from jitapp.workshop.replaying import BATCH, Line, ReplayError, Summary, read_lines, replay

SMALL = Path(__file__).parent.parent / "data" / "small-log.csv"
END = datetime(2999, 1, 1, tzinfo=UTC)
A_SCAN = {
    "at": "2024-03-04T06:30:00+00:00",
    "id": "018e0827-a640-7b91-9dba-d4c6f0070597",
    "loop": "L-LAMP-FOOT-010-020",
    "card": 1,
    "station": "SAWING-M1",
    "intent": "start",
}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def small() -> Conversion:
    return convert(read_log(SMALL.read_text().splitlines()))


def lines_of(conversion: Conversion) -> list[Line]:
    return read_lines([json.dumps(line) for line in conversion.lines])


def set_up(conversion: Conversion) -> None:
    done = set_up_shop(conversion.shop, now=timezone.now())
    assert not done.report.errors


def counted() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Receipt, Event, Turn, TurnLink, Runout, Message))


def test_a_log_is_applied_but_for_what_the_rules_refuse(small: Conversion) -> None:
    set_up(small)
    summary = replay(lines_of(small))
    assert summary.scans == small.figures["scans"]
    assert summary.outcomes[Outcome.REFUSED] == (
        small.figures["overproduction"] + small.figures["wip refusals"]
    )
    assert summary.outcomes[Outcome.APPLIED] == summary.scans - summary.outcomes[Outcome.REFUSED]
    assert summary.applied_share > 0.8
    codes = Counter(code for _, code in summary.codes.elements())
    assert codes.pop("wip_limit") == small.figures["wip refusals"]
    # A card that nobody asked for is full, or already on its way.
    assert set(codes) <= {"overproduction", "wrong_step"}
    assert codes["overproduction"] > 0
    assert summary.station_events == small.figures["station events"] == 59
    assert Receipt.objects.filter(outcome=Outcome.APPLIED).count() == summary.outcomes[Outcome.APPLIED]


def test_the_ledger_has_the_times_of_the_log(small: Conversion) -> None:
    set_up(small)
    replay(lines_of(small))
    first, last = datetime(2024, 3, 4, 6, tzinfo=UTC), datetime(2024, 3, 10, tzinfo=UTC)
    assert not Event.objects.exclude(occurred_at__range=(first, last)).exists()
    assert not Event.objects.exclude(recorded_at__range=(first, last)).exists()
    assert not Receipt.objects.exclude(recorded_at__range=(first, last)).exists()


def test_a07_what_follows_has_the_times_of_the_log_whoever_drains(
    small: Conversion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside a running installation its worker and relay are often faster; they do not know that a log is replayed."""
    monkeypatch.setattr(replaying, "drain", lambda *_, **__: switchboard.drain())
    set_up(small)
    replay(lines_of(small))
    assert Event.objects.filter(type="wait.closed").exists()
    assert not Event.objects.exclude(recorded_at__lt=datetime(2024, 3, 10, tzinfo=UTC)).exists()
    # What happens next is not of the log.
    card = Card.objects.exclude(card_status="EMPTY").select_related("loop__demand").earliest("pk")
    source = Source(plant_ids=frozenset({card.loop.plant_id}), name="a hand")
    begun = timezone.now()
    request = ScanRequest(new_uuid(), card.code, card.loop.demand.code, "empty")
    actions.scan_batch([request], source=source, now=begun)
    switchboard.drain()
    now = Event.objects.filter(card=card, recorded_at__gte=begun)
    assert {*now.values_list("type", flat=True)} >= {"scan.applied", "wait.opened"}


@pytest.mark.parametrize("late", [False, True], ids=["after each batch", "at the end"])
def test_a07_runouts_are_tied_by_their_instants_whenever_somebody_looks(
    small: Conversion, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    if late:
        monkeypatch.setattr(replaying, "drain", lambda *_, **__: 0)
    set_up(small)
    replay(lines_of(small))
    switchboard.drain()
    spells = list(Runout.objects.select_related("loop", "upstream__loop"))
    bills = set(BillOfMaterials.objects.values_list("parent_id", "component_id"))

    def lacked(down: Runout, up: Runout) -> bool:
        fits = (
            up.loop.part_id == down.loop.part_id or (down.loop.part_id, up.loop.part_id) in bills
        ) and up.loop.demand_id == down.loop.supply_id
        meanwhile = up.opened_at < (down.closed_at or END) and down.opened_at < (up.closed_at or END)
        return fits and up.loop_id != down.loop_id and meanwhile

    tied = 0
    for down in spells:
        found = [up for up in spells if lacked(down, up)]
        first = min(found, key=lambda up: (up.opened_at, up.loop_id, up.opened_seq), default=None)
        assert down.upstream == first
        tied += first is not None
    assert tied > 5


def test_everything_that_follows_has_followed_when_the_replay_ends(small: Conversion) -> None:
    set_up(small)
    replay(lines_of(small))
    assert not Message.objects.filter(done_at__isnull=True).exists()
    assert TurnLink.objects.filter(kind="SCAN").exists()


def test_runouts_are_counted_with_their_causes(small: Conversion) -> None:
    set_up(small)
    summary = replay(lines_of(small))
    lasted = [span for spans in summary.runouts.values() for span in spans]
    assert len(lasted) == Runout.objects.count() > 0
    assert summary.runouts_open == Runout.objects.filter(closed_at__isnull=True).count()
    assert set(summary.runouts) == set(Runout.objects.values_list("cause", flat=True))
    assert all(span >= timedelta(0) for span in lasted)


def test_replaying_again_changes_nothing(small: Conversion) -> None:
    set_up(small)
    first = replay(lines_of(small))
    before = counted()
    again = replay(lines_of(small))
    assert counted() == before
    assert again.known == again.scans
    assert again.outcomes == first.outcomes
    assert again.station_events == 0


def test_a_replay_that_was_cut_off_goes_on_where_it_was(small: Conversion) -> None:
    set_up(small)
    lines = lines_of(small)
    replay(lines[:401])
    summary = replay(lines)
    assert summary.known == sum(1 for line in small.lines[:401] if "intent" in line)
    assert summary.applied_share > 0.8
    assert Outcome.PARKED not in summary.outcomes


def test_another_scan_under_a_known_id_is_a_conflict(small: Conversion) -> None:
    set_up(small)
    (line, *_) = lines_of(small)
    replay([line])
    summary = replay([replace_line(line, reason="changed")])
    assert summary.codes == {("conflict", "scan_id_reused"): 1}
    assert summary.known == 0


def replace_line(line: Line, **changes: Any) -> Line:
    """The line with other values."""
    return type(line)(**({name: getattr(line, name) for name in line.__struct_fields__} | changes))


def test_a_batch_stays_whole_when_a_runout_ends_and_the_next_begins_within_it(small: Conversion) -> None:
    set_up(small)
    lines = [line for line in lines_of(small) if getattr(line, "loop", "") == "L-HAND-WHEEL-040-050"]
    while not Runout.objects.filter(closed_at__isnull=True).exists():
        replay([lines.pop(0)])
    batch = lines[:BATCH]
    replay(batch)
    assert Runout.objects.filter(opened_at__gte=batch[0].at).exists()
    with connection.cursor() as cursor:
        ids = [line.id for line in batch]
        cursor.execute(
            "SELECT count(DISTINCT xmin::text) FROM pull_receipt WHERE scan_id = ANY(%s::uuid[])", [ids]
        )
        assert cursor.fetchone() == (1,)


def test_a_speed_paces_the_log_and_leaves_its_clock_alone(small: Conversion) -> None:
    set_up(small)
    lines = lines_of(small)[:60]
    now = [0.0]
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    summary = replay(lines, speed=3600, wait=wait, clock=lambda: now[0])
    span = (lines[-1].at - lines[0].at).total_seconds()
    assert sum(waits) == pytest.approx(span / 3600)
    assert len(waits) > len(lines) / BATCH
    assert summary.scans + summary.station_events == 60
    newest = Receipt.objects.latest("recorded_at").recorded_at
    assert newest <= lines[-1].at


def test_cards_that_came_into_circulation_after_the_log_are_refused_with_what_to_do(
    small: Conversion,
) -> None:
    shop = {name: value for name, value in small.shop.items() if name != "first_at"}
    set_up(replace(small, shop=shop))
    with pytest.raises(ReplayError, match="first_at: 2024-03-04T06:30:00"):
        replay(lines_of(small))
    assert not Receipt.objects.exists()


def test_a_log_that_names_what_is_not_there_is_refused_before_anything_is_written(small: Conversion) -> None:
    with pytest.raises(ReplayError, match=r"there is no (card|station).*load_shop"):
        replay(lines_of(small))
    set_up(small)
    *known, last = lines_of(small)
    with pytest.raises(ReplayError, match="there is no station NOWHERE"):
        replay([*known, replace_line(last, station="NOWHERE")])
    assert not Receipt.objects.exists()
    assert Card.objects.filter(last_scan__isnull=False).count() == 0


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "Line 1"),
        ("[]", "Line 1"),
        (json.dumps(A_SCAN | {"at": "2024-03-04T06:30:00"}), "Line 1: at: a time has no offset"),
        (json.dumps(A_SCAN | {"id": "7"}), "Line 1: .*id"),
        (json.dumps(A_SCAN | {"colour": "red"}), "Line 1: .*colour"),
        (json.dumps(A_SCAN) + "\n" + json.dumps(A_SCAN | {"at": "2024-03-04T06:00:00Z"}), "Line 2 is older"),
        ("\n", "holds no line"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(line: str, says: str) -> None:
    with pytest.raises(ReplayError, match=says):
        read_lines(line.split("\n"))


@pytest.fixture
def log(tmp_path: Path, small: Conversion) -> Path:
    path = tmp_path / "scans.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in small.lines[:80]))
    return path


def test_the_command_prints_shares_codes_runouts_and_rate(small: Conversion, log: Path, capsys: Any) -> None:
    set_up(small)
    call_command("replay", str(log))
    told = capsys.readouterr().out
    for expected in (
        "scans a second",
        "applied",
        "station events recorded",
        "runouts",
        "Next: manage.py verify",
    ):
        assert expected in told


def test_the_command_says_what_is_wrong_in_a_sentence(log: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Load the log's shop first"):
        call_command("replay", str(log))
    with pytest.raises(CommandError, match=r"nowhere\.jsonl: No such file"):
        call_command("replay", str(tmp_path / "nowhere.jsonl"))
    with pytest.raises(CommandError, match="--speed"):
        call_command("replay", str(log), "--speed", "0")


def test_a_summary_of_nothing_divides_by_nothing() -> None:
    assert Summary().applied_share == 0
    assert Summary().text()
