"""A value stream map as SVG: data in, picture out. It knows no database and no request.

The signs are those of value stream mapping (Rother and Shook, "Learning to See"): factories for suppliers and customer,
process boxes, open-sided supermarkets, the triangle of a stock, cards for what they ask for, the post where cards
gather to a batch, the truck of a supplier, and the ladder of times below. Colours come from classes of
static/css/map.css; shapes of states are the board's own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from jitapp.kanban.vocabulary import StationKind
from jitapp.kanban.waits import Halt
from jitapp.pull.reading.flow import MAKE, MOVE, REFILL, STAND, Flow, FlowLoop
from jitapp.pull.reading.flow_stations import FlowStation, Measured
from jitapp.web.board import who_acts
from jitapp.web.flowsigns import (
    PAD,
    ROOF,
    SIGN,
    SMALL,
    arrow,
    card,
    curve,
    factory,
    post,
    rect,
    say,
    shelf,
    shortened,
    supermarket,
    triangle,
    truck,
)
from jitapp.web.layered import GAP_ACROSS, Box, Drawing, Line, Point, lay_out
from jitapp.web.phrases import Words, clock

LEAST_STATION, MOST_STATION = 228.0, 360.0
ALARM = 8.7  # width of a sign of bold type of 15
CAPITAL = 10.8  # width of a capital of bold type of 15
HEAD, ROW = 44.0, 32.0
STATION_ROWS = (
    4  # in work, waiting, measured, what it stands still for: always kept free, so that nothing moves
)
MARGIN = 24.0
LADDER = 152.0  # height of the ladder below the map
STEP = 46.0  # between the level of waiting and that of work
TOTALS = 300.0  # width of the box with the sums


@dataclass(frozen=True, slots=True)
class Labels:
    """The words of the picture in one language; `{}` stands for what is put in."""

    title: str
    desc: str
    customer: str
    supplier: str
    supermarket: str
    in_work: str  # {} cards in work
    in_work_of: str  # {} of {} cards in work
    queue: str  # {} cards wait
    makes: str  # makes in {}
    delivers: str  # delivers in {}
    not_measured: str
    turns: str  # of {} turns
    cards: str  # {} of {} full
    dry: str  # runs dry in {}
    dry_since: str  # dry for {}
    full: str  # {} of {}
    feedback: str
    way: str  # the longest measured way: {}; waiting above, work below
    lead: str
    adding: str
    share: str
    partly: str  # {} of {} steps measured


@dataclass(frozen=True, slots=True)
class Ladder:
    """The sums of the ladder: working minutes, and how many of its steps are measured."""

    lead: float
    adding: float
    steps: int
    measured: int


def draw(flow: Flow, labels: Labels, words: Words, time_zone: str, *, query: str = "") -> str:
    """The whole picture as one `<svg>`. Everything that people wrote is escaped. `query` goes with the links to loops
    (`?at=`)."""
    return _Picture(flow, labels, words, time_zone, query).svg()


def ladder_of(flow: Flow) -> Ladder:
    """The sums of the way's times: what material waits and what is done to it."""
    kinds = {station.code: station.kind for station in flow.stations}
    waits, makes = [], []
    for loop in flow.way:
        if kinds[loop.supply] == StationKind.PROCESS:
            makes.append(loop.times.get(MAKE))
        waits.append(waiting_of(loop, kinds))
    known = [each.minutes for each in (*waits, *makes) if each is not None]
    adding = [each.minutes for each in makes if each is not None]
    return Ladder(sum(known), sum(adding), len(waits) + len(makes), len(known))


def waiting_of(loop: FlowLoop, kinds: Mapping[str, str]) -> Measured | None:
    """How long a container waits between being made and being empty: moved, and standing full. What a supplier
    takes to bring it is not part of it: nobody of ours sees since when it was made."""
    steps = (STAND,) if kinds[loop.supply] == StationKind.SUPPLIER else (MOVE, STAND)
    found = [loop.times[step] for step in steps if step in loop.times]
    if STAND not in loop.times:
        return None
    return Measured(sum(each.minutes for each in found), min(each.turns for each in found))


class _Picture:
    def __init__(self, flow: Flow, labels: Labels, words: Words, time_zone: str, query: str) -> None:
        self.query = escape(query, quote=True)
        self.flow, self.labels, self.words, self.time_zone = flow, labels, words, time_zone
        self.stations = {station.code: station for station in flow.stations}
        self.kinds = {station.code: station.kind for station in flow.stations}
        self.bundles: dict[tuple[str, str], list[FlowLoop]] = defaultdict(list)
        for loop in flow.loops:
            self.bundles[loop.supply, loop.demand].append(loop)
        self.on_way = {loop.row.loop_id for loop in flow.way}
        self.chip = max(len(word) for word in words.states.values()) * CAPITAL + 38
        # Room for whatever a station may stand still for, so that nothing moves when it does.
        longest = max(len(words.whys[halt]) for halt in Halt if halt in words.whys)
        self.alarm = (longest + len("Mon 23:59 ")) * ALARM + 2 * PAD
        self.drawing = self._lay_out()

    # -- places -------------------------------------------------------------------------------------
    def _lay_out(self) -> Drawing:
        boxes = [self._station_box(station) for station in self.flow.stations]
        edges = []
        for (supply, demand), loops in self.bundles.items():
            key = _key(supply, demand)
            place = self.stations[supply].position * 2 + 1
            width = max(self._loop_width(loop) for loop in loops)
            boxes.append(Box(key, width, HEAD + ROW * len(loops) + PAD, (place, key)))
            edges += [(supply, key), (key, demand)]
        return lay_out(boxes, edges)

    def _station_box(self, station: FlowStation) -> Box:
        name = len(station.supplier or station.name) * SIGN + 2 * PAD + 8
        wide = min(max(LEAST_STATION, self.alarm, name), MOST_STATION)
        outside = station.kind in (StationKind.SUPPLIER, StationKind.SHIPPING)
        height = ROOF + HEAD + 2 * 22 + PAD if outside else HEAD + STATION_ROWS * 22 + PAD
        return Box(station.code, wide, height, (station.position * 2, station.code))

    def _loop_width(self, loop: FlowLoop) -> float:
        return min(self.chip + len(loop.part) * SIGN + 88, 460.0) + 2 * PAD

    # -- the whole ------------------------------------------------------------------------------------
    def svg(self) -> str:
        width = max(self.drawing.width, TOTALS if self.flow.way else 0.0) + 2 * MARGIN
        height = self.drawing.height + 2 * MARGIN
        ladder = ""
        if self.flow.way:
            ladder, width = self._ladder(height, width)
            height += LADDER
        parts = [
            f'<svg class="flow" id="flow" viewBox="0 0 {width:.0f} {height:.0f}" role="group" direction="ltr"'
            f' aria-labelledby="flow-title flow-desc" xmlns="http://www.w3.org/2000/svg"'
            f' data-width="{width:.0f}" data-height="{height:.0f}" preserveAspectRatio="xMidYMid meet">',
            f'<title id="flow-title">{escape(self.labels.title)}</title>'
            f'<desc id="flow-desc">{escape(self.labels.desc)}</desc>',
            f'<g transform="translate({MARGIN:.0f} {MARGIN:.0f})">',
            *(self._line(line) for line in self.drawing.lines),
            *(self._station(station) for station in self.flow.stations),
            *(self._bundle(*pair, loops) for pair, loops in self.bundles.items()),
            f"{ladder}</g></svg>",
        ]
        return "\n".join(parts)

    # -- lines ----------------------------------------------------------------------------------------
    def _line(self, line: Line) -> str:
        """Material goes forward in a full line; beside it, broken, the cards that ask for it go back."""
        is_push = line.tail in self.stations
        loops = self.bundles[self._pair(line.head if is_push else line.tail)]
        on_way = any(loop.row.loop_id in self.on_way for loop in loops)
        names = "m-line" + (" m-way" if on_way else "") + (" m-back" if line.is_feedback else "")
        drawn = f'<path class="{names}" d="{curve(line.points)}"/>{arrow(line.points, names)}'
        if line.is_feedback:
            x, y = line.points[0]
            drawn += say("m-small", x - 8, y - 8, self.labels.feedback, "end")
        if not is_push:
            return drawn
        is_outside = self.kinds[loops[0].supply] == StationKind.SUPPLIER
        back = tuple((x, y - 16) for x, y in reversed(line.points))
        (x, y), (to_x, to_y) = self._bend(line)
        x, y = (x + to_x) / 2, (y + to_y) / 2
        is_made = self.kinds[loops[0].supply] == StationKind.PROCESS
        signs = card(x, y - 16, is_signal=loops[0].has_triangle, is_made=is_made)
        signs += truck(x, y) if is_outside else ""
        return f'{drawn}<path class="m-cards" d="{curve(back)}"/>{arrow(back, "m-cards")}{signs}'

    def _bend(self, line: Line) -> tuple[Point, Point]:
        """The piece of a line between the first two layers, where there is room for its signs."""
        return next(
            (one, two) for one, two in pairwise(line.points) if abs(two[0] - one[0]) >= GAP_ACROSS - 1
        )

    def _pair(self, key: str) -> tuple[str, str]:
        supply, demand = key.split("\0")
        return supply, demand

    # -- stations ---------------------------------------------------------------------------------------
    def _station(self, station: FlowStation) -> str:
        place = self.drawing.places[station.code]
        name = shortened(station.supplier or station.name, place.width)
        lines = list(self._station_lines(station))
        x, y = place.x + PAD, place.y
        if station.kind in (StationKind.SUPPLIER, StationKind.SHIPPING):
            word = self.labels.supplier if station.kind == StationKind.SUPPLIER else self.labels.customer
            y += ROOF
            body = factory(place) + say("m-kind", x, y + 16, word) + say("m-name", x, y + 36, name)
            y += 58
        elif station.kind == StationKind.SUPERMARKET:
            body = supermarket(place) + say("m-kind", x, y + 18, self.labels.supermarket)
            body += say("m-name", x, y + 40, name)
            y += HEAD + 20
        else:
            body = rect("m-box", place.x, place.y, place.width, place.height)
            body += f'<path class="m-rule" d="M{place.x:.1f} {place.y + HEAD - 8:.1f}h{place.width:.1f}"/>'
            body += say("m-name", x, y + 25, name)
            y += HEAD + 12
        texts = "".join(
            say(names, x, y + 22 * at, shortened(text, place.width, ALARM if "alarm" in names else SMALL))
            for at, (text, names) in enumerate(lines)
        )
        halted = " m-halted" if station.halt else ""
        title = escape(". ".join([station.name, *(text for text, _ in lines)]))
        return (
            f'<a class="m-station{halted}" href="/b/supply/{escape(station.code, quote=True)}">'
            f"<title>{title}</title>{body}{texts}</a>"
        )

    def _station_lines(self, station: FlowStation) -> Iterator[tuple[str, str]]:
        if station.kind == StationKind.SHIPPING:
            return
        if station.kind == StationKind.SUPPLIER:
            known = [
                loop.times[REFILL]
                for loop in self.flow.loops
                if loop.supply == station.code and REFILL in loop.times
            ]
            slowest = max(known, key=lambda each: each.minutes, default=None)
            yield self._measured(self.labels.delivers, slowest), "m-small"
            return
        if station.wip_limit:
            yield self.labels.in_work_of.format(station.in_work, station.wip_limit), "m-small"
        elif station.kind == StationKind.PROCESS:
            yield self.labels.in_work.format(station.in_work), "m-small"
        yield self.labels.queue.format(station.queue), "m-small"
        if station.kind == StationKind.PROCESS:
            yield self._measured(self.labels.makes, station.make), "m-small"
        if station.halt and station.halt_since is not None:
            since = clock(station.halt_since, self.time_zone, self.flow.as_of, self.words.language)
            why = self.words.whys.get(station.halt, "")
            yield f"{since} {why}", "m-small m-alarm"

    def _measured(self, label: str, measured: Measured | None) -> str:
        if measured is None:
            return self.labels.not_measured
        return f"{label.format(self._minutes(measured.minutes))} ({measured.turns})"

    def _minutes(self, minutes: float) -> str:
        return self.words.span(minutes * 60)

    # -- loops ---------------------------------------------------------------------------------------------
    def _bundle(self, supply: str, demand: str, loops: Sequence[FlowLoop]) -> str:
        """The loops of a pair of stations: what stands between them, a line for each part."""
        place = self.drawing.places[_key(supply, demand)]
        usable, all_ = sum(loop.row.usable for loop in loops), sum(loop.row.circulating for loop in loops)
        x, y = place.x, place.y
        count = self.labels.cards.format(usable, all_)
        parts = [
            rect("m-stock", x, y, place.width, place.height, 8),
            shelf(x + PAD, y + 8) if self.kinds[demand] != StationKind.SUPERMARKET else "",
            triangle(x + PAD + 36, y + 8),
            post(x + PAD + 76, y + 8) if any(loop.gathers for loop in loops) else "",
            say("m-small", x + place.width - PAD, y + 27, count, "end"),
            *(self._loop(loop, x, y + HEAD + ROW * at, place.width) for at, loop in enumerate(loops)),
        ]
        return f'<g class="m-bundle">{"".join(parts)}</g>'

    def _loop(self, loop: FlowLoop, x: float, y: float, width: float) -> str:
        row, state = loop.row, loop.row.state
        part = shortened(loop.part, width - self.chip - 72 - PAD)
        on_way = " m-way" if row.loop_id in self.on_way else ""
        drawn = (
            rect("m-ground", x + 3, y, width - 6, ROW - 2, 6),
            rect(f"m-chip s-{state}", x + PAD, y + 3, self.chip, 24, 6),
            f'<use class="m-shape s-{state}" href="#sh-{state}" x="{x + PAD + 7:.1f}" y="{y + 7:.1f}"'
            ' width="16" height="16"/>',
            say(f"m-word s-{state}", x + PAD + 28, y + 20, self.words.states[state]),
            say("m-part", x + PAD + self.chip + 8, y + 20, part),
            say(
                "m-count",
                x + width - PAD,
                y + 20,
                self.labels.full.format(row.usable, row.circulating),
                "end",
            ),
        )
        return (
            f'<a class="m-loop s-{state}{on_way}" id="map-{row.loop_id}" data-state="{state}"'
            f' href="/l/{row.loop_id}{self.query}"><title>{escape(self.sentence(loop))}</title>{"".join(drawn)}</a>'
        )

    def sentence(self, loop: FlowLoop) -> str:
        """A loop in words: what a screen reader says of it, and what a pointer shows."""
        return sentence(loop, self.flow, self.labels, self.words)

    # -- the ladder --------------------------------------------------------------------------------------
    def _ladder(self, height: float, width: float) -> tuple[str, float]:
        """The ladder of the way, each step under its box: waiting above, work below. Returns it with the width."""
        top = height - 2 * MARGIN + 72
        low = top + STEP
        way, places = self.flow.way, self.drawing.places
        first = places[way[0].supply]
        is_made = self.kinds[way[0].supply] == StationKind.PROCESS
        x = first.x if is_made else first.x + first.width
        path = [f"M{x:.1f} {low if is_made else top:.1f}"]
        texts: list[str] = []
        for loop in way:
            supply, demand = places[loop.supply], places[loop.demand]
            if self.kinds[loop.supply] == StationKind.PROCESS:
                path.append(f"V{low:.1f}H{supply.x + supply.width:.1f}V{top:.1f}")
                texts.append(self._step(supply.x, supply.x + supply.width, low, loop.times.get(MAKE)))
            path.append(f"H{demand.x:.1f}")
            begin = supply.x + supply.width
            texts.append(self._step(begin, demand.x, top, waiting_of(loop, self.kinds)))
        end = places[way[-1].demand].x
        totals = self._totals(end + 20, top - 22)
        legend = say("m-kind", x, top - 36, self.labels.way.format(way[-1].part))
        drawn = f'<g class="m-ladder"><path class="m-steps" d="{"".join(path)}"/>{"".join(texts)}{legend}{totals}</g>'
        return drawn, max(width, end + 20 + TOTALS + 2 * MARGIN)

    def _step(self, begin: float, end: float, y: float, measured: Measured | None) -> str:
        middle = (begin + end) / 2
        if measured is None:
            return say("m-small", middle, y - 8, self.labels.not_measured, "middle")
        turns = self.labels.turns.format(measured.turns)
        time = say("m-time", middle, y - 8, self._minutes(measured.minutes), "middle")
        return time + say("m-small", middle, y + 17, turns, "middle")

    def _totals(self, x: float, y: float) -> str:
        sums = ladder_of(self.flow)
        percent = round(100 * sums.adding / sums.lead) if sums.lead else None
        share = "–" if percent is None else f"{percent} %" if percent else "< 1 %"
        rows = [
            (self.labels.lead, self._minutes(sums.lead) if sums.measured else "–"),
            (self.labels.adding, self._minutes(sums.adding) if sums.adding else "–"),
            (self.labels.share, share),
        ]
        drawn = [rect("m-box", x, y, TOTALS - 20, 104)]
        for at, (name, value) in enumerate(rows):
            drawn.append(say("m-small", x + PAD, y + 22 + 24 * at, name))
            drawn.append(say("m-time", x + TOTALS - 30, y + 22 + 24 * at, value, "end"))
        partly = self.labels.partly.format(sums.measured, sums.steps)
        return "".join([*drawn, say("m-small", x + PAD, y + 94, partly)])


def sentence(loop: FlowLoop, flow: Flow, labels: Labels, words: Words) -> str:
    """A loop in words: state, cards, when it runs dry, who must act and why."""
    row = loop.row
    said = [f"{row.part}: {words.states[row.state]}", labels.cards.format(row.usable, row.circulating)]
    if row.runout_since is not None:
        said.append(labels.dry_since.format(words.span((flow.as_of - row.runout_since).total_seconds())))
    elif row.runs_out_at is not None:
        said.append(labels.dry.format(words.span((row.runs_out_at - flow.as_of).total_seconds())))
    if row.owner_party:
        said.append(" ".join(who_acts(row, words)).strip())
    return ". ".join(said)


def _key(supply: str, demand: str) -> str:
    return f"{supply}\0{demand}"
