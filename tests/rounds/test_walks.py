"""A line walk: twenty bins, six planted differences, all of them told and each mended with one touch."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from jitapp.pull.models import Receipt
from jitapp.pull.scan_request import Answer, Conflict, ScanRequest
from jitapp.rounds.models import Sighting, Walk
from jitapp.rounds.walks import (
    Place,
    State,
    WalkRefused,
    accuracy,
    begin,
    findings_of,
    finish,
    history,
    mend,
    note_seen,
    open_walk,
    place_in,
    places_in,
    stand_at,
    state_of,
    station_meant,
)
from tests.floor import Floor
from tests.rounds.dock import gtl
from tests.rounds.shelf import BINS, Shelf, a_shelf

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelf() -> Shelf:
    return a_shelf()


def line(shelf: Shelf, code: str = "LINE") -> Place:
    place = place_in(code, shelf.source().plant_ids)
    assert place is not None
    return place


def walked(shelf: Shelf) -> tuple[Walk, State]:
    """A walk on which every bin of the shelf was scanned."""
    walk = begin(line(shelf), source=shelf.source(), now=shelf.floor.now)
    shelf.floor.now += timedelta(minutes=2)
    note_seen(walk, shelf.standing, at=shelf.floor.now)
    return walk, state_of(walk, line(shelf))


def told(state: State) -> dict[str, str]:
    return {str(each.kind): each.code for each in state.open}


def mended(shelf: Shelf, walk: Walk, kind: str, remedy: str, *roles: str) -> Answer | Conflict | None:
    shelf.floor.now += timedelta(minutes=1)
    return mend(
        walk,
        line(shelf),
        code=shelf.planted[kind],
        remedy=remedy,
        request=ScanRequest(uuid4(), ""),
        source=shelf.source(*roles),
        now=shelf.floor.now,
    )


def test_twenty_bins_six_planted_differences_all_told(shelf: Shelf) -> None:
    _, state = walked(shelf)
    assert len(state.seen) == BINS
    assert told(state) == shelf.planted
    assert len(state.open) == 6
    assert state.right == BINS - 5  # the sixth was not seen at all


def test_scanning_again_adds_nothing_and_several_cards_in_one_read_are_several(shelf: Shelf) -> None:
    walk = begin(line(shelf), source=shelf.source(), now=shelf.floor.now)
    first, second, third = shelf.standing[:3]
    assert note_seen(walk, [f"{first} {second}"], at=shelf.floor.now) == [(first, True), (second, True)]
    assert note_seen(
        walk, [f"https://elsewhere.example/k/{second}", gtl(f"15K{third}", "PX")], at=shelf.floor.now
    ) == [
        (second, False),
        (third, True),
    ]
    note_seen(walk, ["", "  ", "\0 and \ud800"], at=shelf.floor.now)
    assert Sighting.objects.filter(walk=walk).count() == 4


def test_each_is_mended_with_one_touch_and_the_rights_of_who_walks(shelf: Shelf) -> None:
    walk, state = walked(shelf)
    refused = mended(shelf, walk, "not_full", "full")
    assert isinstance(refused, Answer)
    assert refused.body["code"] == "not_allowed"
    assert told(state_of(walk, line(shelf))) == shelf.planted
    for kind, remedy, roles in (
        ("not_full", "full", ("leader",)),
        ("missing", "empty", ()),
        ("elsewhere", "moved", ()),
        ("held", "right", ()),
        ("withdrawn", "red_box", ()),
        ("unknown", "red_box", ()),
    ):
        answer = mended(shelf, walk, kind, remedy, *roles)
        assert answer is None or (isinstance(answer, Answer) and answer.body["outcome"] == "applied"), kind
    state = state_of(walk, line(shelf))
    assert told(state) == {}
    assert len(state.done) == 6
    assert shelf.floor.status("SOME")[0] == "FULL"
    assert shelf.floor.status("MANY")[11] == "EMPTY"
    assert Receipt.objects.filter(intent="correct", outcome="applied").count() == 1
    assert mended(shelf, walk, "held", "right") is None  # again: it is mended so already
    with pytest.raises(WalkRefused, match="no_difference"):
        mended(shelf, walk, "held", "red_box")


def test_a_bin_that_came_in_is_received_and_a_lost_one_found(shelf: Shelf) -> None:
    walk, _ = walked(shelf)
    answer = mended(shelf, walk, "not_full", "receive")
    assert isinstance(answer, Answer)
    assert answer.body["code"] == "received"
    lost = mended(shelf, walk, "missing", "lost")
    assert isinstance(lost, Answer)
    assert lost.body["code"] == "lost"
    # On the next walk it stands there again: seen, and found by a planner.
    finish(walk, line(shelf), source=shelf.source(), now=shelf.floor.now)
    shelf.floor.now += timedelta(hours=1)
    again = begin(line(shelf), source=shelf.source(), now=shelf.floor.now)
    note_seen(again, [shelf.planted["missing"]], at=shelf.floor.now)
    assert shelf.planted["missing"] in {
        each.code for each in state_of(again, line(shelf)).open if each.kind == "lost"
    }
    found = mended(shelf, again, "missing", "found", "planner")
    assert isinstance(found, Answer)
    assert found.body["code"] == "found"


def test_a_bin_that_stood_there_after_all_is_no_difference(shelf: Shelf) -> None:
    walk, _ = walked(shelf)
    assert mended(shelf, walk, "missing", "seen") is None
    assert "missing" not in told(state_of(walk, line(shelf)))
    with pytest.raises(WalkRefused, match="unknown_remedy"):
        mended(shelf, walk, "held", "full")


def test_what_moves_during_the_walk_is_no_difference(shelf: Shelf) -> None:
    walk, _ = walked(shelf)
    shelf.floor.scan("MANY", 2, "empty")  # seen full, used up since
    shelf.floor.scan("MANY", 12, "empty")
    shelf.floor.scan("MANY", 12, "receive")  # brought after the walk began: nobody could see it
    assert "missing" not in told(state_of(walk, line(shelf)))
    assert len(state_of(walk, line(shelf)).open) == 5


def test_a_walk_is_resumed_finished_once_and_its_accuracy_kept(shelf: Shelf) -> None:
    walk, _ = walked(shelf)
    place = line(shelf)
    assert open_walk(place, shelf.walker.pk) == walk
    assert begin(place, source=shelf.source(), now=shelf.floor.now) == walk
    mended(shelf, walk, "elsewhere", "moved")
    done = finish(walk, place, source=shelf.source(), now=shelf.floor.now)
    assert finish(walk, place, source=shelf.source(), now=shelf.floor.now + timedelta(hours=1)) == done
    assert (done.expected, done.seen, done.differing, done.mended) == (16, 20, 6, 1)
    shelf.floor.scan("SOME", 1, "receive")  # what happens later leaves the record alone
    (past,) = history(place)
    assert past.accuracy == round(100 * 15 / 21)
    assert {finding.kind for finding in findings_of(done)} == set(shelf.planted)
    assert open_walk(place, shelf.walker.pk) is None
    with pytest.raises(WalkRefused, match="not_walking"):
        mended(shelf, done, "held", "right")
    assert begin(place, source=shelf.source(), now=shelf.floor.now) != done


def test_an_area_is_walked_with_all_its_stations(shelf: Shelf) -> None:
    area = shelf.floor.area.code
    place = line(shelf, area)
    assert place.here == {"STORE", "LINE", "DOCK-2"}
    walk = begin(place, source=shelf.source(), now=shelf.floor.now)
    note_seen(walk, [shelf.planted["elsewhere"], shelf.planted["not_full"]], at=shelf.floor.now)
    kinds = {str(each.kind) for each in state_of(walk, place).open}
    assert kinds == {"missing"}  # in the hall both stand where they may
    assert [
        (found.code, [each.code for each in stations])
        for found, stations in places_in([shelf.floor.plant.pk])
    ] == [(area, ["DOCK-2", "LINE", "STORE"])]
    away = Floor("AWAY")
    assert place_in(away.area.code, shelf.source().plant_ids) is None


def test_in_an_area_it_counts_where_somebody_stands(shelf: Shelf) -> None:
    place = line(shelf, shelf.floor.area.code)
    walk = begin(place, source=shelf.source(), now=shelf.floor.now)
    waiting = shelf.floor.card("MANY", 1).code  # empty, and waits at the store
    assert station_meant(place, " LINE ") == "LINE"
    assert station_meant(place, waiting) is None
    stand_at(walk, place, "STORE")
    note_seen(walk, [waiting], at=shelf.floor.now)
    assert {str(each.kind) for each in state_of(walk, place).open} == {"missing"}
    stand_at(walk, place, "LINE")
    shelf.floor.now += timedelta(minutes=1)
    note_seen(walk, [shelf.planted["not_full"], shelf.planted["elsewhere"]], at=shelf.floor.now)
    found = {each.code: str(each.kind) for each in state_of(walk, place).open}
    assert found[shelf.planted["not_full"]] == "not_full"
    assert found[shelf.planted["elsewhere"]] == "elsewhere"
    # Seen again where it belongs: where it was seen last counts.
    stand_at(walk, place, "DOCK-2")
    shelf.floor.now += timedelta(minutes=1)
    assert note_seen(walk, [shelf.planted["elsewhere"]], at=shelf.floor.now) == [
        (shelf.planted["elsewhere"], False)
    ]
    assert shelf.planted["elsewhere"] not in {each.code for each in state_of(walk, place).open}
    with pytest.raises(WalkRefused, match="unknown_station"):
        stand_at(walk, place, "AWAY-LINE")


def test_accuracy_counts_what_should_stand_there_and_what_stands_there_besides() -> None:
    assert accuracy(16, 6, 1) == 71
    assert accuracy(10, 0, 0) == 100
    assert accuracy(0, 0, 0) is None
