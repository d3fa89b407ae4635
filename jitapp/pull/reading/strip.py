"""How many loops of an area were out in each of the last hours, from the register of runouts (rule C9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jitapp.pull.reading.records import read_rows

HOURS = 24
# Of a loop the runouts that began in these hours, and the newest before them, which may have lasted into them: both by
# the index of the loop, however long its history is.
_RUNOUTS = """
SELECT a.code AS area, h.place, count(DISTINCT l.id) AS loops
  FROM plant_area a
  JOIN plant_station d ON d.area_id = a.id
  JOIN plant_loop l ON l.demand_id = d.id
 CROSS JOIN LATERAL (
       SELECT r.opened_at, r.closed_at FROM pull_runout r WHERE r.loop_id = l.id AND r.opened_at >= %(begin)s
        UNION ALL
       (SELECT r.opened_at, r.closed_at FROM pull_runout r WHERE r.loop_id = l.id AND r.opened_at < %(begin)s
         ORDER BY r.opened_at DESC LIMIT 1)) AS r
  JOIN generate_series(0, %(hours)s - 1) AS h(place)
    ON r.opened_at < %(begin)s + (h.place + 1) * interval '1 hour'
   AND r.opened_at < %(now)s
   AND (r.closed_at IS NULL OR r.closed_at > %(begin)s + h.place * interval '1 hour')
   AND %(begin)s + h.place * interval '1 hour' <= %(now)s
 WHERE a.code = ANY(%(areas)s)
 GROUP BY a.code, h.place
"""


@dataclass(frozen=True, slots=True)
class Strip:
    """`counts` are the loops that were out at some time in each hour from `begin` on; the last hour is that of now."""

    begin: datetime
    counts: tuple[int, ...]

    def hour(self, place: int) -> datetime:
        """When an hour of the strip begins."""
        return self.begin + timedelta(hours=place)


def strips(area_codes: Sequence[str], *, now: datetime) -> dict[str, Strip]:
    """By area, HOURS hours each; one statement for all of them."""
    begin = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    counts = {code: [0] * HOURS for code in area_codes}
    if counts:
        asked = {"begin": begin, "now": now, "hours": HOURS, "areas": list(counts)}
        for row in read_rows(_RUNOUTS, asked):
            counts[row.area][row.place] = row.loops
    return {code: Strip(begin, tuple(found)) for code, found in counts.items()}
