"""The drawing of a flow: boxes apart, lines forward and beside the boxes, the same each time, and quick."""

from __future__ import annotations

import random
import time
from itertools import combinations, pairwise

import pytest

from jitapp.web.layered import Box, Drawing, Edge, isotonic, lay_out


def plant(seed: int, stations: int, loops: int) -> tuple[list[Box], list[Edge]]:
    """Stations along the flow and a box for each pair that loops join, as the map draws them."""
    dice = random.Random(seed)
    boxes = [
        Box(f"s{n}", dice.choice([120, 200]), dice.choice([80, 110, 140]), (n, f"s{n}"))
        for n in range(stations)
    ]
    pairs: dict[tuple[int, int], int] = {}
    for _ in range(loops):
        supply = dice.randrange(stations - 1)
        demand = min(stations - 1, supply + 1 + min(int(dice.expovariate(0.4)), 12))
        pairs[supply, demand] = pairs.get((supply, demand), 0) + 1
    pairs[stations - 1, 0] = 1  # something that goes back to the beginning
    edges: list[Edge] = []
    for (supply, demand), count in pairs.items():
        key = f"b{supply}-{demand}"
        boxes.append(Box(key, 280, 40 + 30 * count, (supply, key)))
        edges += [(f"s{supply}", key), (key, f"s{demand}")]
    return boxes, edges


def bezier(one: tuple[float, float], two: tuple[float, float], at: float) -> tuple[float, float]:
    """A point of the line as the map bends it: level where it leaves and where it arrives."""
    (x0, y0), (x3, y3) = one, two
    middle, left = (x0 + x3) / 2, 1 - at
    x = left**3 * x0 + 3 * left**2 * at * middle + 3 * left * at**2 * middle + at**3 * x3
    y = left**3 * y0 + 3 * left**2 * at * y0 + 3 * left * at**2 * y3 + at**3 * y3
    return x, y


def touching(drawing: Drawing) -> list[tuple[str, str]]:
    """Pairs of boxes that are not apart."""
    wrong = []
    for (a, one), (b, two) in combinations(drawing.places.items(), 2):
        beside = one.x + one.width < two.x or two.x + two.width < one.x
        above = one.y + one.height < two.y or two.y + two.height < one.y
        if not beside and not above:
            wrong.append((a, b))
    return wrong


@pytest.mark.parametrize("seed", range(12))
def test_boxes_lie_apart_and_lines_run_forward_beside_them(seed: int) -> None:
    boxes, edges = plant(seed, 6 + 3 * seed, 12 + 6 * seed)
    drawing = lay_out(boxes, edges)
    assert set(drawing.places) == {box.key for box in boxes}
    assert touching(drawing) == []
    assert {(line.tail, line.head) for line in drawing.lines} == set(edges)
    for line in drawing.lines:
        xs = [x for x, _ in line.points]
        assert xs == sorted(xs, reverse=line.is_feedback), line
        left, right = (line.head, line.tail) if line.is_feedback else (line.tail, line.head)
        assert drawing.places[left].layer < drawing.places[right].layer
        for one, two in pairwise(line.points):
            for step in range(1, 20):
                x, y = bezier(one, two, step / 20)
                inside = [
                    key
                    for key, box in drawing.places.items()
                    if key not in (line.tail, line.head)
                    and box.x < x < box.x + box.width
                    and box.y < y < box.y + box.height
                ]
                assert inside == [], (line, inside)
    for place in drawing.places.values():
        assert 0 <= place.x <= place.x + place.width <= drawing.width + 1e-6
        assert -1e-6 <= place.y <= place.y + place.height <= drawing.height + 1e-6


def test_only_what_closes_a_circle_goes_back() -> None:
    boxes = [Box(name, 100, 50, (place, name)) for place, name in enumerate("abcd")]
    drawing = lay_out(boxes, [("a", "b"), ("b", "c"), ("c", "d"), ("c", "a")])
    assert [(line.tail, line.head) for line in drawing.lines if line.is_feedback] == [("c", "a")]
    assert [drawing.places[name].layer for name in "abcd"] == [0, 1, 2, 3]


def test_a_source_stands_before_its_first_consumer_and_not_at_the_far_end() -> None:
    boxes = [Box(name, 100, 50, (place, name)) for place, name in enumerate("abcdx")]
    drawing = lay_out(boxes, [("a", "b"), ("b", "c"), ("c", "d"), ("x", "d")])
    assert drawing.places["x"].layer == drawing.places["c"].layer


def test_lines_that_need_not_cross_do_not() -> None:
    boxes = [Box(name, 100, 50, (place, name)) for place, name in enumerate("abcd")]
    drawing = lay_out(boxes, [("a", "d"), ("b", "c")])  # in the order of the ranks they would cross
    ends = {line.tail: line.points for line in drawing.lines}
    assert (ends["a"][0][1] < ends["b"][0][1]) == (ends["a"][-1][1] < ends["b"][-1][1])


def test_the_same_input_is_drawn_the_same_in_whatever_order_it_comes() -> None:
    boxes, edges = plant(7, 20, 50)
    mixed = list(boxes)
    random.Random(1).shuffle(mixed)
    assert lay_out(boxes, edges) == lay_out(mixed, edges)


def test_parts_that_nothing_joins_lie_under_each_other() -> None:
    boxes = [Box(name, 100, 50, (place, name)) for place, name in enumerate("abcde")]
    drawing = lay_out(boxes, [("a", "b"), ("c", "d"), ("d", "e")])
    top = {name: drawing.places[name].y for name in "abcde"}
    assert max(top["c"], top["d"], top["e"]) < min(top["a"], top["b"])
    assert lay_out([], []) == Drawing({}, (), 0.0, 0.0)


def test_two_hundred_loops_and_sixty_stations_take_well_under_a_second() -> None:
    boxes, edges = plant(3, 60, 200)
    begun = time.process_time()  # of this process alone, whatever else runs
    drawing = lay_out(boxes, edges)
    taken = time.process_time() - begun
    assert touching(drawing) == []
    assert taken < 0.8, taken


def test_values_that_never_fall_lie_nearest_to_the_wishes() -> None:
    assert isotonic([3.0, 1.0, 2.0]) == [2.0, 2.0, 2.0]
    assert isotonic([0.0, 5.0, 4.0, 9.0]) == [0.0, 4.5, 4.5, 9.0]
