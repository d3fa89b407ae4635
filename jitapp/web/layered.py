"""Where the boxes and lines of a flow go: a layered drawing, from left to right.

After Sugiyama, Tagawa and Toda (1981): lines that close a circle are turned round, every box gets a layer right before
its first consumer, lines over several layers get a place of their own in each, the order within the layers is chosen so
that few lines cross, and boxes are moved as near to their neighbours as the order allows. Pure: numbers in, numbers
out, the same for the same input, so that a map stays as it was while only its states change.
"""

from __future__ import annotations

from bisect import bisect, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

GAP_ACROSS = 96.0  # between two layers, room for the lines to bend
GAP_DOWN = 28.0  # between two boxes of a layer
LINE_HEIGHT = 18.0  # of the lane that a line keeps where it passes a layer
GAP_PARTS = 48.0  # between parts of the drawing that nothing joins
SWEEPS = 12
SETTLINGS = 8

Point = tuple[float, float]
Edge = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Box:
    """Something to be placed; its `key` is its name, `rank` where it stands by itself: the smaller the earlier."""

    key: str
    width: float
    height: float
    rank: tuple[int, str]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a box lies: its upper left corner and its size, in the units of the boxes, and its layer from 0."""

    x: float
    y: float
    width: float
    height: float
    layer: int

    @property
    def middle(self) -> float:
        """Half way down."""
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Line:
    """The way from `tail` to `head`: points between which it bends, from one box's edge to the other's. `is_feedback`:
    it goes against the flow, from right to left."""

    tail: str
    head: str
    points: tuple[Point, ...]
    is_feedback: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """All places by key, all lines, and the size of the whole."""

    places: Mapping[str, Place]
    lines: tuple[Line, ...]
    width: float
    height: float


def lay_out(boxes: Sequence[Box], edges: Iterable[Edge]) -> Drawing:
    """Places all boxes. Edges name boxes by key; repeated ones and those from a box to itself are left out."""
    known = {box.key: box for box in sorted(boxes, key=lambda box: (box.rank, box.key))}
    wanted = [
        edge for edge in dict.fromkeys(edges) if edge[0] != edge[1] and edge[0] in known and edge[1] in known
    ]
    places: dict[str, Place] = {}
    lines: list[Line] = []
    below = width = 0.0
    for keys in _parts(known, wanted):
        part = _Part([known[key] for key in keys], [edge for edge in wanted if edge[0] in keys])
        for key, place in part.places().items():
            places[key] = Place(place.x, place.y + below, place.width, place.height, place.layer)
        lines += [_lowered(line, below) for line in part.lines()]
        width = max(width, part.width)
        below += part.height + GAP_PARTS
    return Drawing(places, tuple(lines), width, max(below - GAP_PARTS, 0.0))


def _lowered(line: Line, by: float) -> Line:
    return Line(line.tail, line.head, tuple((x, y + by) for x, y in line.points), line.is_feedback)


def _parts(known: Mapping[str, Box], edges: Sequence[Edge]) -> list[list[str]]:
    """The keys of boxes that lines join, part by part: the largest part first, then by rank."""
    beside: dict[str, list[str]] = defaultdict(list)
    for tail, head in edges:
        beside[tail].append(head)
        beside[head].append(tail)
    found, seen = [], set()
    for key in known:
        if key in seen:
            continue
        seen.add(key)
        part, open_ = [key], [key]
        while open_:
            for other in beside[open_.pop()]:
                if other not in seen:
                    seen.add(other)
                    part.append(other)
                    open_.append(other)
        inside = set(part)
        found.append([one for one in known if one in inside])
    return sorted(found, key=len, reverse=True)


class _Part:
    """Boxes that lines join. `_lanes` are the places that a long line keeps in the layers that it passes."""

    def __init__(self, boxes: Sequence[Box], edges: Sequence[Edge]) -> None:
        self._boxes = {box.key: box for box in boxes}
        self._feedback = _against([box.key for box in boxes], edges)
        self._edges = list(edges)
        self._layer = _layers(list(self._boxes), [self._forward(edge) for edge in edges])
        self._layers: list[list[str]] = [[] for _ in range(max(self._layer.values()) + 1)]
        for key in self._boxes:
            self._layers[self._layer[key]].append(key)
        self._ways = {edge: self._way(edge) for edge in dict.fromkeys(map(self._forward, edges))}
        self._after: dict[str, list[str]] = defaultdict(list)
        self._before: dict[str, list[str]] = defaultdict(list)
        for way in self._ways.values():
            for one, next_ in pairwise(way):
                self._after[one].append(next_)
                self._before[next_].append(one)
        self._order()
        self._x = self._columns()
        self._middle = self._settle()

    def _forward(self, edge: Edge) -> Edge:
        return (edge[1], edge[0]) if edge in self._feedback else edge

    def _way(self, edge: Edge) -> list[str]:
        """The boxes of the line with its lanes between them."""
        tail, head = edge
        way = [tail]
        for layer in range(self._layer[tail] + 1, self._layer[head]):
            lane = f"{tail}\0{head}\0{layer}"
            self._layers[layer].append(lane)
            way.append(lane)
        return [*way, head]

    # -- order -------------------------------------------------------------------------------------
    def _order(self) -> None:
        """Sweeps to and fro, each layer by the mean place of its neighbours; the best order seen is kept."""
        best, fewest = [list(layer) for layer in self._layers], self._crossings()
        for sweep in range(SWEEPS):
            if not fewest:
                break
            forth = sweep % 2 == 0
            numbers = range(1, len(self._layers)) if forth else range(len(self._layers) - 2, -1, -1)
            for number in numbers:
                beside = self._layers[number - 1 if forth else number + 1]
                self._sort(number, beside, self._before if forth else self._after)
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(layer) for layer in self._layers], crossings
        self._layers = best

    def _sort(self, number: int, beside: Sequence[str], neighbours: Mapping[str, list[str]]) -> None:
        place = {key: at for at, key in enumerate(beside)}
        own = {key: at for at, key in enumerate(self._layers[number])}
        scale = len(beside) / max(len(own), 1)

        def mean(key: str) -> tuple[float, int]:
            found = [place[other] for other in neighbours.get(key, ()) if other in place]
            return (sum(found) / len(found) if found else own[key] * scale), own[key]

        self._layers[number].sort(key=mean)

    def _crossings(self) -> int:
        total = 0
        for layer, following in pairwise(self._layers):
            place = {key: at for at, key in enumerate(following)}
            seen: list[int] = []
            for key in layer:
                heads = sorted(place[head] for head in self._after.get(key, ()))
                total += sum(len(seen) - bisect(seen, head) for head in heads)
                for head in heads:
                    insort(seen, head)
        return total

    # -- coordinates -------------------------------------------------------------------------------
    def _columns(self) -> list[tuple[float, float]]:
        """(left edge, width) of each layer."""
        columns, x = [], 0.0
        for layer in self._layers:
            width = max((self._boxes[key].width for key in layer if key in self._boxes), default=LINE_HEIGHT)
            columns.append((x, width))
            x += width + GAP_ACROSS
        self.width = x - GAP_ACROSS
        return columns

    def _height(self, key: str) -> float:
        return self._boxes[key].height if key in self._boxes else LINE_HEIGHT

    def _settle(self) -> dict[str, float]:
        """The middles of boxes and lanes: each layer in turn as near to its neighbours as its order allows."""
        middle: dict[str, float] = {}
        for layer in self._layers:
            y = 0.0
            for key in layer:
                middle[key] = y + self._height(key) / 2
                y += self._height(key) + GAP_DOWN
        for turn in range(SETTLINGS):
            forth = turn % 2 == 0
            for layer in self._layers if forth else reversed(self._layers):
                beside = self._before if forth else self._after
                self._pull(layer, middle, lambda key, beside=beside: beside.get(key, ()))  # type: ignore[misc]
        for layer in self._layers:
            self._pull(layer, middle, lambda key: [*self._before.get(key, ()), *self._after.get(key, ())])
        top = min(middle[key] - self._height(key) / 2 for layer in self._layers for key in layer)
        middle = {key: y - top for key, y in middle.items()}
        self.height = max(middle[key] + self._height(key) / 2 for layer in self._layers for key in layer)
        return middle

    def _pull(
        self, layer: Sequence[str], middle: dict[str, float], neighbours: Callable[[str], Iterable[str]]
    ) -> None:
        wishes, offsets, offset = [], [], 0.0
        for at, key in enumerate(layer):
            if at:
                offset += (self._height(layer[at - 1]) + self._height(key)) / 2 + GAP_DOWN
            found = [middle[other] for other in neighbours(key)]
            wishes.append((sum(found) / len(found) if found else middle[key]) - offset)
            offsets.append(offset)
        for key, y, down in zip(layer, isotonic(wishes), offsets, strict=True):
            middle[key] = y + down

    # -- results -----------------------------------------------------------------------------------
    def places(self) -> dict[str, Place]:
        found = {}
        for key, box in self._boxes.items():
            x, width = self._x[self._layer[key]]
            left = x + (width - box.width) / 2
            found[key] = Place(
                left, self._middle[key] - box.height / 2, box.width, box.height, self._layer[key]
            )
        return found

    def lines(self) -> list[Line]:
        places = self.places()
        leaving, arriving = self._ports(places)
        found = []
        for edge in self._edges:
            forward = self._forward(edge)
            tail, *lanes, head = self._ways[forward]
            start, end = self._x[self._layer[tail]], self._x[self._layer[head]]
            points = [(places[tail].x + places[tail].width, leaving[forward])]
            points.append((start[0] + start[1], leaving[forward]))  # out of the column before it bends
            for lane in lanes:
                x, width = self._x[int(lane.rsplit("\0", 1)[1])]
                points += [(x, self._middle[lane]), (x + width, self._middle[lane])]
            points += [(end[0], arriving[forward]), (places[head].x, arriving[forward])]
            points = list(dict.fromkeys(points))
            is_feedback = edge in self._feedback
            found.append(Line(*edge, tuple(reversed(points)) if is_feedback else tuple(points), is_feedback))
        return found

    def _ports(self, places: Mapping[str, Place]) -> tuple[dict[Edge, float], dict[Edge, float]]:
        """Where each line leaves its box and where it arrives: spread over the side, in the order of its other end."""
        leaving: dict[Edge, float] = {}
        arriving: dict[Edge, float] = {}
        of_tail: dict[str, list[Edge]] = defaultdict(list)
        of_head: dict[str, list[Edge]] = defaultdict(list)
        for edge, way in self._ways.items():
            of_tail[way[0]].append(edge)
            of_head[way[-1]].append(edge)
        for key, edges in of_tail.items():
            edges.sort(key=lambda edge: self._middle[self._ways[edge][1]])
            leaving |= zip(edges, _spread(places[key], len(edges)), strict=True)
        for key, edges in of_head.items():
            edges.sort(key=lambda edge: self._middle[self._ways[edge][-2]])
            arriving |= zip(edges, _spread(places[key], len(edges)), strict=True)
        return leaving, arriving


def _spread(place: Place, count: int) -> list[float]:
    return [place.y + place.height * (number + 1) / (count + 1) for number in range(count)]


def isotonic(wishes: Sequence[float]) -> list[float]:
    """The values that never fall and lie nearest to the wishes, by squares (pool adjacent violators)."""
    pools: list[list[float]] = []  # [sum, count]
    for wish in wishes:
        pools.append([wish, 1])
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            total, count = pools.pop()
            pools[-1][0] += total
            pools[-1][1] += count
    return [total / count for total, count in pools for _ in range(int(count))]


def _against(keys: Sequence[str], edges: Sequence[Edge]) -> set[Edge]:
    """The edges that close a circle on a walk in the order of the ranks."""
    heads: dict[str, list[str]] = defaultdict(list)
    for tail, head in edges:
        heads[tail].append(head)
    order = {key: at for at, key in enumerate(keys)}
    for found in heads.values():
        found.sort(key=order.__getitem__)
    closing: set[Edge] = set()
    done: set[str] = set()
    for start in keys:
        if start in done:
            continue
        walk, on_it = [(start, iter(heads[start]))], {start}
        while walk:
            tail, rest = walk[-1]
            following = next(rest, None)
            if following is None:
                walk.pop()
                on_it.discard(tail)
                done.add(tail)
            elif following in on_it:
                closing.add((tail, following))
            elif following not in done:
                on_it.add(following)
                walk.append((following, iter(heads[following])))
    return closing


def _layers(keys: Sequence[str], edges: Sequence[Edge]) -> dict[str, int]:
    """The layer of each: after all that comes before it, then as near as can be to the first that comes after."""
    before: dict[str, list[str]] = defaultdict(list)
    after: dict[str, list[str]] = defaultdict(list)
    for tail, head in dict.fromkeys(edges):
        before[head].append(tail)
        after[tail].append(head)
    left = {key: len(before[key]) for key in keys}
    ready = [key for key in keys if not left[key]]
    order: list[str] = []
    layer = dict.fromkeys(keys, 0)
    while ready:
        key = ready.pop(0)
        order.append(key)
        for head in after[key]:
            layer[head] = max(layer[head], layer[key] + 1)
            left[head] -= 1
            if not left[head]:
                ready.append(head)
    for key in reversed(order):
        if after[key]:
            layer[key] = min(layer[head] for head in after[key]) - 1
    lowest = min(layer.values(), default=0)
    return {key: at - lowest for key, at in layer.items()}
