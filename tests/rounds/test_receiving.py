"""The supplier's label closes the card; whatever it says is kept, and nothing comes in twice."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from jitapp.plant.models import Part
from jitapp.pull.models import Receipt as ScanReceipt
from jitapp.pull.models import Turn
from jitapp.pull.scan_request import Answer
from jitapp.rounds.labels import Label, read_label, same_part
from jitapp.rounds.models import ReadLabel
from jitapp.rounds.receiving import expected_today, find_labels, open_labels, settle_label
from jitapp.rounds.vocabulary import LabelOutcome
from tests.floor import Floor
from tests.rounds.dock import GS, Dock, a_dock, gtl

pytestmark = pytest.mark.django_db


@pytest.fixture
def dock() -> Dock:
    return a_dock()


def wire(
    dock: Dock, number: int, *, quantity: str = "100", licence: str = "1JUN123456789A2B4C6D8E", **more: str
) -> str:
    part = more.get("part", "WIRE-07")
    return gtl(
        "12PGTL3", "9KORDER7", licence, f"P{part}", "1T4711", f"Q{quantity}", f"15K{dock.code('WIRE', number)}",
        "V0815", "2KDN-88", "S0001",
    )  # fmt: skip


def test_one_scan_of_the_label_takes_the_container_in_with_its_lot(dock: Dock) -> None:
    dock.asked("WIRE", 1)
    taken = dock.take(wire(dock, 1))
    assert isinstance(taken.answer, Answer)
    assert taken.answer.body["code"] == "received"
    assert dock.floor.status("WIRE")[0] == "FULL"
    kept = ReadLabel.objects.get()
    turn = dock.floor.turn("WIRE", 1)
    assert kept.turn == turn.uuid
    assert (kept.outcome, kept.card) == (LabelOutcome.TAKEN, dock.code("WIRE", 1))
    assert (kept.licence, kept.lot, kept.serial) == ("UN123456789A2B4C6D8E", "4711", "0001")
    assert (kept.delivery_note, kept.supplier, kept.quantity) == ("DN-88", "0815", Decimal(100))
    assert (turn.received, turn.signal_state) == (Decimal(100), "CLOSED")
    plants = dock.source.plant_ids
    assert find_labels(plants, dock.code("WIRE", 1).lower())[0].lot == "4711"
    assert find_labels(plants, "4711")[0].card == dock.code("WIRE", 1)
    assert find_labels(plants, "dn-88") == find_labels(plants, "4711") != []
    assert find_labels(plants, " ") == []


def test_the_same_package_again_is_said_and_changes_nothing(dock: Dock) -> None:
    dock.asked("WIRE", 1)
    dock.take(wire(dock, 1))
    events = dock.floor.card("WIRE", 1).loop.state.seq
    again = dock.take(wire(dock, 1))
    assert (again.kept.outcome, again.kept.code) == (LabelOutcome.REPEATED, "licence_before")
    assert again.before is not None
    assert again.before.card == dock.code("WIRE", 1)
    assert dock.floor.card("WIRE", 1).loop.state.seq == events
    assert ScanReceipt.objects.filter(intent="receive").count() == 1


def test_a_receipt_that_is_sent_twice_is_kept_once(dock: Dock) -> None:
    dock.asked("WIRE", 1)
    number = uuid4()
    first, second = dock.take(wire(dock, 1), id=number), dock.take(wire(dock, 1), id=number)
    assert first.kept == second.kept
    assert ReadLabel.objects.count() == 1


def test_a_label_of_another_part_is_refused_by_name_and_kept(dock: Dock) -> None:
    dock.asked("WIRE", 1)
    wrong = dock.take(wire(dock, 1, part="TAPE-19"))
    assert (wrong.kept.outcome, wrong.kept.code, wrong.kept.part) == (
        LabelOutcome.REFUSED, "part_differs", "TAPE-19",
    )  # fmt: skip
    assert wrong.container is not None
    assert wrong.container.part == "WIRE-07"
    assert dock.floor.status("WIRE")[0] == "EMPTY"
    assert open_labels(dock.source.plant_ids) == [wrong.kept]
    assert (
        dock.take(wire(dock, 1, part="wire-07")).kept.outcome == LabelOutcome.TAKEN
    )  # in another case it is the same


def test_fewer_pieces_ask_and_are_short_with_a_reason(dock: Dock) -> None:
    dock.asked("WIRE", 1)
    short = wire(dock, 1, quantity="60")
    asks = dock.take(short)
    assert (asks.kept.outcome, asks.kept.code, asks.sofar) == (LabelOutcome.ASKED, "less", Decimal(60))
    assert dock.floor.status("WIRE")[0] == "EMPTY"
    taken = dock.take(short, rest="all", reason="supplier sent less")
    assert taken.kept.outcome == LabelOutcome.TAKEN
    turn = dock.floor.turn("WIRE", 1)
    assert (turn.received, turn.reason) == (Decimal(60), "supplier sent less")
    assert open_labels(dock.source.plant_ids) == []  # what was asked is answered


def test_several_packages_of_a_card_are_added_up(dock: Dock) -> None:
    dock.asked("WIRE", 1)
    first = wire(dock, 1, quantity="40", licence="1JUN1")
    assert dock.take(first, rest="follows").kept.outcome == LabelOutcome.PART
    assert dock.take(first).kept.code == "licence_before"
    (expected,) = expected_today(dock.source.plant_ids, now=dock.floor.now + timedelta(days=9))[0]["Acme"]
    assert expected.parts == 40
    second = dock.take(wire(dock, 1, quantity="40", licence="1JUN2"))
    assert (second.kept.outcome, second.sofar) == (LabelOutcome.PART, Decimal(80))
    last = dock.take(wire(dock, 1, quantity="20", licence="1JUN3"))
    assert last.kept.outcome == LabelOutcome.TAKEN
    assert dock.floor.turn("WIRE", 1).received == 100
    turns = ReadLabel.objects.filter(outcome__in=["taken", "part"]).values_list("turn", flat=True)
    assert list(turns) == [dock.floor.turn("WIRE", 1).uuid] * 3


def test_more_pieces_need_a_reason_and_the_rules_allow_a_tenth(dock: Dock) -> None:
    dock.asked("WIRE", 1)
    more = wire(dock, 1, quantity="108")
    assert dock.take(more).kept.code == "more"
    assert dock.take(more, reason="full reel").kept.outcome == LabelOutcome.TAKEN
    assert dock.floor.turn("WIRE", 1).received == 108
    dock.asked("WIRE", 2)
    far_more = dock.take(wire(dock, 2, quantity="150", licence="1JUN9"), reason="full reel")
    assert (far_more.kept.outcome, far_more.kept.code) == (LabelOutcome.REFUSED, "quantity_exceeds_container")
    # The try that was refused does not stand in the way of the right one.
    assert dock.take(wire(dock, 2, licence="1JUN9")).kept.outcome == LabelOutcome.TAKEN


def test_a_package_of_a_card_that_is_full_already_is_left_to_settle(dock: Dock) -> None:
    dock.asked("WIRE", 1)
    dock.take(wire(dock, 1))
    dock.floor.now += timedelta(hours=3)
    other = dock.take(wire(dock, 1, licence="1JUN2"))
    assert other.kept.outcome == LabelOutcome.REFUSED
    assert open_labels(dock.source.plant_ids) == [other.kept]
    bare = dock.take(dock.code("WIRE", 1))
    assert bare.kept.outcome == LabelOutcome.REPEATED


def test_a_label_without_a_card_offers_the_open_cards_of_its_part(dock: Dock) -> None:
    dock.asked("WIRE", 1, 2)
    dock.asked("TAPE", 1)
    raw = gtl("1JUN77", "PWIRE-07", "Q100")
    asks = dock.take(raw)
    assert asks.kept.code == "choose"
    assert [each.code for each in asks.choices] == [dock.code("WIRE", 1), dock.code("WIRE", 2)]
    taken = dock.take(raw, card=dock.code("WIRE", 2))
    assert (taken.kept.outcome, taken.kept.licence) == (LabelOutcome.TAKEN, "UN77")
    assert dock.floor.status("WIRE")[:2] == ["EMPTY", "FULL"]
    tape = dock.take(gtl("1JUN78", "PTAPE-19", "Q12"), card=dock.code("WIRE", 1))
    assert tape.kept.code == "part_differs"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (gtl("PNOBODY", "Q4", "1JUN5"), "nothing_expected"),
        (gtl("15KSUPPLIERS-OWN-7", "Q4"), "kanban_unknown"),
        ("4006381333931", "nothing_expected"),
        ("HELLO", "no_label"),
        ("half a surrogate \ud800 and a NUL \0", "no_label"),
        ("KBMRW42NPZ3V", "no_label"),
        (f"[)>06P{'WIRE-07'}Q100", "separators_lost"),
    ],
)
def test_what_matches_nothing_is_said_and_kept(dock: Dock, raw: str, code: str) -> None:
    dock.asked("WIRE", 1)
    kept = dock.take(raw).kept
    assert (kept.outcome, kept.code) == (LabelOutcome.UNMATCHED, code)
    assert open_labels(dock.source.plant_ids) == [kept]
    assert settle_label(kept.uuid, "sent back", source=dock.source, now=dock.floor.now)
    assert not settle_label(kept.uuid, "again", source=dock.source, now=dock.floor.now)
    kept.refresh_from_db()
    assert kept.settled_as == "sent back"
    assert dock.floor.status("WIRE")[0] == "EMPTY"


def test_a_card_of_another_plant_is_nobodys_here(dock: Dock) -> None:
    other = Floor("AWAY")
    other.station("AWAY-LINE")
    other.station("AWAY-CO", "SUPPLIER")
    other.loop("AWAY-WIRE", part="AWAY-W", supply="AWAY-CO", demand="AWAY-LINE", kind="SUPPLIER")
    kept = dock.take(gtl(f"15K{other.card('AWAY-WIRE', 1).code}", "Q1")).kept
    assert (kept.outcome, kept.code) == (LabelOutcome.UNMATCHED, "card_unknown")


def test_what_is_sent_to_a_dock_of_its_own_stays_to_be_put_away(dock: Dock) -> None:
    dock.floor.loop(
        "FOIL",
        part="FOIL-1",
        supply="ACME",
        demand="LINE",
        kind="SUPPLIER",
        gr_policy="SEPARATE",
        quantity=10,
    )
    dock.asked("FOIL", 1)
    dock.floor.scan("FOIL", 1, "ship", at="ACME")
    raw = gtl("1JUN4", "PFOIL-1", "Q10", f"15K{dock.code('FOIL', 1)}")
    taken = dock.take(raw)
    assert isinstance(taken.answer, Answer)
    assert taken.answer.body["code"] == "docked"
    assert dock.floor.status("FOIL")[0] == "IN_TRANSIT"
    assert dock.take(raw).kept.code == "licence_before"


def test_gs1_labels_are_read_alike(dock: Dock) -> None:
    dock.asked("WIRE", 1)
    code = dock.code("WIRE", 1)
    raw = f"]C1241WIRE-07{GS}37100{GS}10LOT9{GS}91{code}"
    taken = dock.take(raw)
    assert (taken.kept.outcome, taken.kept.lot, taken.kept.quantity) == (
        LabelOutcome.TAKEN,
        "LOT9",
        Decimal(100),
    )
    Part.objects.filter(number="TAPE-19").update(gtin="4006381333931")
    dock.asked("TAPE", 1)
    assert [each.part for each in dock.take("4006381333931").choices] == ["TAPE-19"]


def test_deliveries_of_today_stand_by_supplier_the_late_ones_first(dock: Dock) -> None:
    dock.asked("WIRE", 1)
    dock.asked("NUT", 1)
    dock.asked("TAPE", 1)
    now = dock.floor.now
    Turn.objects.filter(loop__code="WIRE").update(due_at=now + timedelta(hours=1))
    Turn.objects.filter(loop__code="NUT").update(due_at=now - timedelta(hours=1))
    Turn.objects.filter(loop__code="TAPE").update(due_at=now + timedelta(days=3))
    today, later = expected_today(dock.source.plant_ids, now=now)
    assert [(name, [row.container.part for row in rows]) for name, rows in today.items()] == [
        ("Bolts", ["NUT-M4"]),
        ("Acme", ["WIRE-07"]),
    ]
    assert later == 1
    dock.floor.scan("TAPE", 1, "ship", at="ACME")  # sent: it may come at any time
    today, later = expected_today(dock.source.plant_ids, now=now)
    assert ([row.container.part for row in today["Acme"]], later) == (["TAPE-19", "WIRE-07"], 0)


def test_quantities_and_parts_of_labels() -> None:
    assert read_label(gtl("PX", "7Q50PC")).quantity == 50
    assert read_label(gtl("PX", "Q1.5")).quantity == Decimal("1.5")
    assert read_label(gtl("PX", "QMANY")).quantity is None
    assert read_label(gtl("PX", "Q", "6JUN1")).licence == "UN1"
    assert same_part(Label(), "X", "") is None
    assert same_part(Label(gtin="04006381333931"), "X", "4006381333931") is True
    assert same_part(Label(part=" x-1 "), "X-1", "") is True
