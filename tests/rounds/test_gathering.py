"""Labels with one barcode for each data identifier: gathered into one label, never two into one."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.conf import LazySettings

from jitapp.pull.scan_request import Answer
from jitapp.rounds.gathering import Gathered, begun_labels, put_away, take_gathered
from jitapp.rounds.labels import Slot, composed, read_label, read_piece
from jitapp.rounds.models import LabelPiece, ReadLabel
from jitapp.rounds.receiving import Receipt, TakenIn
from jitapp.rounds.vocabulary import LabelOutcome
from jitapp.symbology.decode import Site
from tests.rounds.dock import Dock, a_dock, gtl

pytestmark = pytest.mark.django_db


@pytest.fixture
def dock(settings: LazySettings) -> Dock:
    settings.DATA_IDENTIFIERS = frozenset({"P", "Q", "15K", "1J", "1T"})
    made = a_dock()
    made.asked("WIRE", 1, 2)
    return made


def how(found: TakenIn | Gathered) -> str:
    return found.how if isinstance(found, Gathered) else str(found.kept.outcome)


def read(dock: Dock, *raws: str) -> list[str]:
    return [how(dock.read(raw)) for raw in raws]


def test_the_last_barcode_takes_the_label_in_with_all_that_it_says(dock: Dock) -> None:
    card = dock.code("WIRE", 1)
    assert read(dock, f"15K{card}", "]A0PWIRE-07", "Q100", "1JUN1", "1T4711") == [*["added"] * 4, "taken"]
    kept = ReadLabel.objects.get()
    assert (kept.card, kept.part, kept.lot, kept.licence) == (card, "WIRE-07", "4711", "UN1")
    assert dock.floor.turn("WIRE", 1).received == 100
    assert list(LabelPiece.objects.values_list("ended_as", flat=True)) == ["taken"] * 5
    assert begun_labels(dock.source.plant_ids) == []


def test_what_is_missing_is_known_and_a_label_may_be_taken_in_without_its_lot(dock: Dock) -> None:
    assert read(dock, f"15K{dock.code('WIRE', 1)}") == ["added"]
    (begun,) = begun_labels(dock.source.plant_ids)
    assert begun.missing == [Slot.PART, Slot.QUANTITY, Slot.LICENCE, Slot.LOT]
    assert not begun.is_ready
    assert dock.floor.status("WIRE")[0] == "EMPTY"  # the card's own code alone would have taken it in
    assert read(dock, "Q60") == ["added"]
    (begun,) = begun_labels(dock.source.plant_ids)
    assert begun.is_ready
    receipt = Receipt(uuid4(), "")
    asked = take_gathered(begun.id, receipt, source=dock.source, now=dock.floor.now)
    assert asked is not None
    assert (asked.kept.outcome, asked.kept.code) == (LabelOutcome.ASKED, "less")
    again = take_gathered(begun.id, receipt, source=dock.source, now=dock.floor.now)  # two who press
    assert again is not None
    assert again.kept == asked.kept


def test_a_second_part_number_begins_another_label_and_mixes_nothing(dock: Dock) -> None:
    assert read(dock, "PWIRE-07", "Q40") == ["added", "added"]
    found = dock.read("PTAPE-19")
    assert isinstance(found, Gathered)
    assert (found.how, found.before and found.before.said) == (
        "another", {Slot.PART: "WIRE-07", Slot.QUANTITY: "40"},
    )  # fmt: skip
    assert read(dock, "Q12", "1T9") == ["added", "added"]
    tape, wire = begun_labels(dock.source.plant_ids)
    assert (tape.said, wire.said[Slot.QUANTITY]) == (
        {Slot.PART: "TAPE-19", Slot.QUANTITY: "12", Slot.LOT: "9"}, "40",
    )  # fmt: skip
    assert put_away(tape.id, source=dock.source, now=dock.floor.now)
    assert not put_away(tape.id, source=dock.source, now=dock.floor.now)
    assert read(dock, "1T4711") == ["added"]  # the first one goes on
    assert begun_labels(dock.source.plant_ids)[0].said[Slot.LOT] == "4711"
    assert LabelPiece.objects.filter(ended_as="cleared").count() == 3


def test_the_same_part_again_is_another_package_unless_the_scanner_read_twice(dock: Dock) -> None:
    assert read(dock, "PWIRE-07", "PWIRE-07", "Q40", "PWIRE-07") == ["added", "twice", "added", "another"]
    assert [len(begun.rows) for begun in begun_labels(dock.source.plant_ids)] == [1, 2]


def test_a_label_that_was_left_takes_no_barcode_of_the_next_one(dock: Dock) -> None:
    assert read(dock, "PWIRE-07") == ["added"]
    assert how(dock.read("Q500", seconds=3600)) == "another"
    assert [begun.said for begun in begun_labels(dock.source.plant_ids)] == [
        {Slot.QUANTITY: "500"},
        {Slot.PART: "WIRE-07"},
    ]


def test_a_barcode_that_is_sent_twice_counts_once(dock: Dock) -> None:
    number = uuid4()
    first, second = dock.read("PWIRE-07", id=number), dock.read("PWIRE-07", id=number)
    assert isinstance(first, Gathered)
    assert isinstance(second, Gathered)
    assert first.begun.id == second.begun.id
    read(dock, "Q100", f"15K{dock.code('WIRE', 1)}", "1JUN1")
    last = uuid4()
    for _ in range(2):
        taken = dock.read("1T4711", id=last)
        assert isinstance(taken, TakenIn)
        assert isinstance(taken.answer, Answer)
        assert taken.answer.body["code"] == "received"
    assert ReadLabel.objects.count() == 1


def test_the_card_on_the_container_joins_a_label_of_its_part(dock: Dock) -> None:
    assert read(dock, "PWIRE-07", "Q100", dock.code("WIRE", 2)) == ["added"] * 3
    assert begun_labels(dock.source.plant_ids)[0].said[Slot.KANBAN] == dock.code("WIRE", 2)
    dock.asked("TAPE", 1)
    assert read(dock, dock.code("TAPE", 1)) == ["taken"]  # of another part: a container of its own
    assert dock.floor.status("WIRE")[:2] == ["EMPTY", "EMPTY"]


def test_a_label_in_one_code_is_taken_in_beside_what_is_gathered(dock: Dock) -> None:
    assert read(dock, "PTAPE-19") == ["added"]
    whole = gtl("1JUN9", "PWIRE-07", "Q100", f"15K{dock.code('WIRE', 1)}")
    assert read(dock, whole, "Q12") == ["taken", "added"]


def test_nothing_is_a_barcode_of_a_label_that_is_not_switched_on(dock: Dock) -> None:
    site = Site(identifiers=frozenset({"P", "15K"}))
    assert read_piece("S0001", site) is None
    assert read_piece("KBMRW42NPZ3V", Site(identifiers=frozenset({"K"}))) is None
    assert read_piece(f"P{'X' * 151}", site) is None
    assert read_piece("P\ud800", site) is None
    assert read_piece("4006381333931", site) is None
    assert read_piece(dock.code("WIRE", 1), site) is None
    piece = read_piece("]A0PWIRE-07", site)
    assert piece is not None
    assert read_label(composed([piece])).part == "WIRE-07"
