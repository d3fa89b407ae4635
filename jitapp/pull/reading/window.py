"""A part of a board: the rows of one page, and how many loops of the area are in each state.

An area of up to WHOLE loops is measured whole. A wider one is ordered and counted by what its lines remember
(`BoardLine`, written whenever a loop changes and once a minute while something is under way); what is shown is
measured, and so is what the lines do not know or know of an older version.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jitapp.pull.reading.board import UnknownArea, board_rows
from jitapp.pull.reading.board_row import RANK, STATES, BoardRow, Place, place, place_of
from jitapp.pull.reading.records import Record, read_rows

WHOLE = 300  # loops of an area that stand on one page
PAGE = 50  # rows on a page of a wider one: a browser lays out no more without a pause that is felt
MOST_MEASURED = 500  # at once, of those that no line knows; the others follow with the sweep
REMEMBERED = timedelta(minutes=1)  # how long a line holds while something is under way
LATE = "late"
FILTERS = (*STATES, LATE)

_AREA = """
SELECT a.id, a.code, a.name, p.code AS plant, p.name AS plant_name, p.id AS plant_id, p.time_zone FROM plant_area a
  JOIN plant_plant p ON p.id = a.plant_id WHERE a.code = %s
"""

# Whether a line is of the loop as it is now; null where there is no line.
_HOLDS = """(b.seq = coalesce(st.seq, 0) AND b.status = l.status
       AND b.era = (SELECT coalesce(max(era), 0) FROM pull_history))"""

_LINES = """
SELECT l.id, p.number AS part, l.code AS loop, b.state, b.short, b.lateness, b.late,
       b.loop_id IS NOT NULL AS known,
       coalesce($HOLDS, false) AS fresh,
       position(upper(%(text)s) IN upper(concat_ws(' ', p.number, p.description, l.code, d.name, s.name))) > 0 AS fits
  FROM plant_loop l
  JOIN plant_part p ON p.id = l.part_id
  JOIN plant_station d ON d.id = l.demand_id
  JOIN plant_station s ON s.id = l.supply_id
  LEFT JOIN pull_loopstate st ON st.loop_id = l.id
  LEFT JOIN pull_boardline b ON b.loop_id = l.id
 WHERE d.area_id = %(area)s AND l.status IN ('ACTIVE', 'ON_HOLD')
""".replace("$HOLDS", _HOLDS)

# Only what the wide ones of these areas count: (area, state, loops, late turns).
_COUNTS = """
SELECT a.code AS area, b.state, count(*) AS loops, coalesce(sum(b.late), 0) AS late
  FROM plant_loop l
  JOIN plant_station d ON d.id = l.demand_id
  JOIN plant_area a ON a.id = d.area_id
  LEFT JOIN pull_boardline b ON b.loop_id = l.id
 WHERE a.code = ANY(%s) AND l.status IN ('ACTIVE', 'ON_HOLD')
 GROUP BY a.code, b.state
"""

_WIDE = """
SELECT a.code FROM plant_loop l
  JOIN plant_station d ON d.id = l.demand_id
  JOIN plant_area a ON a.id = d.area_id
 WHERE l.status IN ('ACTIVE', 'ON_HOLD')
 GROUP BY a.code HAVING count(*) > %s
"""

_DUE = """
SELECT l.id, b.state, b.late
  FROM plant_loop l
  JOIN plant_station d ON d.id = l.demand_id
  JOIN plant_area a ON a.id = d.area_id
  LEFT JOIN pull_loopstate st ON st.loop_id = l.id
  LEFT JOIN pull_boardline b ON b.loop_id = l.id
 WHERE a.code = ANY(%(areas)s) AND l.status IN ('ACTIVE', 'ON_HOLD')
   AND NOT coalesce($HOLDS AND NOT (b.moves AND b.measured_at < %(before)s), false)
 ORDER BY b.measured_at NULLS FIRST, l.id LIMIT %(most)s
""".replace("$HOLDS", _HOLDS)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows are wanted: a page (from 1), of a state or the late ones, with a text in what names them."""

    page: int = 1
    state: str = ""
    text: str = ""

    @property
    def all(self) -> bool:
        """Whether nothing is left out but by pages."""
        return not self.state and not self.text


@dataclass(frozen=True, slots=True)
class Window:
    """The rows of a page, most urgent first, when they were true, and what stands on the other pages.

    `counts`: loops by state, and late turns, of the whole area. `fitting`: rows that fit what was asked. `unmeasured`:
    loops that no line knows yet; they are counted nowhere and stand on no page.
    """

    area: str
    name: str
    plant: str
    plant_name: str
    plant_id: int
    time_zone: str
    as_of: datetime
    rows: tuple[BoardRow, ...]
    counts: dict[str, int]
    total: int
    fitting: int
    page: int
    pages: int
    first: int  # place of the page's first row among those that fit, from 1
    unmeasured: int

    @property
    def whole(self) -> bool:
        """Whether the area is small enough for one page."""
        return self.total <= WHOLE


@dataclass(frozen=True, slots=True)
class _Line:
    """What is known of a loop without measuring it now, or by measuring it."""

    loop_id: int
    state: str
    late: int
    place: Place
    fits: bool
    row: BoardRow | None = None


def window(area_code: str, asked: Asked, *, now: datetime) -> Window:
    """A page of an area's board; a page beyond the last is the last. Raises UnknownArea."""
    areas = read_rows(_AREA, [area_code])
    if not areas:
        raise UnknownArea(area_code)
    area = areas[0]
    found = read_rows(_LINES, {"area": area.id, "text": asked.text})
    whole = len(found) <= WHOLE
    lines, unmeasured = _known(found, whole, now)
    fitting = [line for line in lines if line.fits and _is_in(line.state, line.late, asked.state)]
    fitting.sort(key=lambda line: line.place)
    size = max(len(fitting), 1) if whole else PAGE
    pages = max(1, -(-len(fitting) // size))
    page = min(max(asked.page, 1), pages)
    shown = _measured(fitting[(page - 1) * size : page * size], now)
    rows = [row for row in shown if _is_in(row.state, row.late, asked.state)]
    return Window(
        area=area.code,
        name=area.name,
        plant=area.plant,
        plant_name=area.plant_name,
        plant_id=area.plant_id,
        time_zone=area.time_zone,
        as_of=now,
        rows=tuple(sorted(rows, key=place_of)),
        counts=_counted(lines, shown),
        total=len(found),
        fitting=len(fitting),
        page=page,
        pages=pages,
        first=(page - 1) * size + 1,
        unmeasured=unmeasured,
    )


def _known(found: Sequence[Record], whole: bool, now: datetime) -> tuple[list[_Line], int]:
    """A line for every loop that is known, and how many are not."""
    unknown = [each for each in found if not each.known]
    outdated = [each for each in found if each.known and not each.fresh]
    measure = list(found) if whole else [*unknown, *outdated][:MOST_MEASURED]
    rows = {row.loop_id: row for row in board_rows([each.id for each in measure], now=now)}
    lines = [
        _of_row(rows[each.id], each.fits) if each.id in rows else _of_line(each)
        for each in found
        if each.id in rows or each.known
    ]
    return lines, len(found) - len(lines)


def _of_row(row: BoardRow, fits: bool) -> _Line:
    return _Line(row.loop_id, row.state, row.late, place_of(row), fits, row)


def _of_line(line: Record) -> _Line:
    urgency = (RANK[line.state], line.short, line.lateness)
    return _Line(line.id, line.state, line.late, place(urgency, line.part, line.loop), line.fits)


def _measured(lines: Sequence[_Line], now: datetime) -> list[BoardRow]:
    have = [line.row for line in lines if line.row is not None]
    return have + board_rows([line.loop_id for line in lines if line.row is None], now=now)


def _counted(lines: Iterable[_Line], shown: Iterable[BoardRow]) -> dict[str, int]:
    """Of what is shown counts what is shown, so that the page never contradicts its own head."""
    rows = {row.loop_id: row for row in shown}
    states: Counter[str] = Counter()
    late = 0
    for line in lines:
        row = rows.get(line.loop_id)
        states[row.state if row is not None else line.state] += 1
        late += row.late if row is not None else line.late
    return {**{state: states[state] for state in STATES}, LATE: late}


def _is_in(state: str, late: int, wanted: str) -> bool:
    return not wanted or (late > 0 if wanted == LATE else state == wanted)


# -- what lines are written for ------------------------------------------------------------------------


def wide_areas() -> frozenset[str]:
    """The areas with more loops than stand on one page."""
    return frozenset(row.code for row in read_rows(_WIDE, [WHOLE]))


def counts_of(areas: Sequence[str]) -> dict[str, dict[str, int]]:
    """Loops by state and late turns of wide areas, by their lines; without those of which a loop has none yet."""
    made: dict[str, dict[str, int]] = {}
    unknown: set[str] = set()
    for row in read_rows(_COUNTS, [list(areas)]) if areas else ():
        counts = made.setdefault(row.area, dict.fromkeys(FILTERS, 0))
        if row.state is None:
            unknown.add(row.area)
            continue
        counts[row.state] += row.loops
        counts[LATE] += int(row.late)
    return {area: counts for area, counts in made.items() if area not in unknown}


def due_lines(
    areas: Iterable[str], *, now: datetime, most: int = MOST_MEASURED
) -> dict[int, tuple[str, int]]:
    """The loops of wide areas that are to be measured again, with (state, late turns) as their lines have it; of one
    that has no line ("", 0)."""
    rows = read_rows(_DUE, {"areas": list(areas), "before": now - REMEMBERED, "most": most})
    return {row.id: (row.state or "", row.late or 0) for row in rows}
