"""The statements of the past beside the ledger: what stood still, what was dry, who held what at an instant."""

from __future__ import annotations

from jitapp.kanban.waits import PRECEDENCE

# As HALTS of board_statements.py, at an instant instead of now.
HALTS_THEN = """
       SELECT x.kind, x.since, x.owner, x.who FROM (
              SELECT kind, began_at AS since, '' AS owner, '' AS who FROM pull_stationstate,
                     (SELECT %s::timestamptz AS at) t
               WHERE station_id = s.id AND began_at <= t.at AND (ended_at IS NULL OR ended_at > t.at)
               UNION ALL
              SELECT CASE call.kind WHEN 'quality' THEN 'quality' ELSE 'down' END, call.called_at,
                     CASE WHEN call.owned_at <= t.at THEN 'person' ELSE '' END,
                     CASE WHEN call.owned_at <= t.at THEN coalesce(nullif(taker.name, ''), taker.username, '')
                          ELSE '' END
                FROM (SELECT %s::timestamptz AS at) t, pull_andoncall call
                LEFT JOIN accounts_person taker ON taker.id = call.owner_id
               WHERE call.station_id = s.id AND call.stops_line
                 AND call.called_at <= t.at AND (call.solved_at IS NULL OR call.solved_at > t.at)
               UNION ALL
              SELECT 'starved', missing.opened_at, missing.owner, ''
                FROM (SELECT %s::timestamptz AS at) t, pull_runout missing
                JOIN plant_loop fed ON fed.id = missing.loop_id
               WHERE missing.opened_at <= t.at AND (missing.closed_at IS NULL OR missing.closed_at > t.at)
                 AND fed.demand_id = s.id AND fed.id <> l.id
                 AND CASE s.kind WHEN 'SUPERMARKET' THEN fed.part_id = l.part_id
                     WHEN 'PROCESS' THEN EXISTS (SELECT 1 FROM plant_billofmaterials b
                          WHERE b.parent_id = l.part_id AND b.component_id = fed.part_id)
                     ELSE false END
                 AND NOT EXISTS (SELECT 1 FROM plant_loop other
                      WHERE other.demand_id = s.id AND other.part_id = fed.part_id
                        AND other.status NOT IN ('DRAFT', 'RETIRED')
                        AND NOT EXISTS (SELECT 1 FROM pull_runout same
                             WHERE same.loop_id = other.id AND same.opened_at <= t.at
                               AND (same.closed_at IS NULL OR same.closed_at > t.at)))
            ) x
        ORDER BY array_position(ARRAY[$ORDER], x.kind::text), x.since
        LIMIT 1
""".replace("$ORDER", ", ".join(f"'{halt.value}'" for halt in PRECEDENCE))

RUNOUTS = """
SELECT loop_id, opened_at, opened_seq FROM pull_runout
 WHERE loop_id = ANY(%s) AND opened_at <= %s AND (closed_at IS NULL OR closed_at > %s)
"""
DRY_BEHIND = """
SELECT r.loop_id, r.opened_seq, p.number AS part, ur.loop_id AS behind, ur.opened_seq AS behind_seq,
       ur.opened_at <= %s AND (ur.closed_at IS NULL OR ur.closed_at > %s) AS is_dry
  FROM unnest(%s::bigint[], %s::bigint[]) AS w(loop_id, opened_seq)
  JOIN pull_runout r ON r.loop_id = w.loop_id AND r.opened_seq = w.opened_seq
  JOIN pull_runout ur ON ur.id = r.upstream_id
  JOIN plant_loop ul ON ul.id = ur.loop_id
  JOIN plant_part p ON p.id = ul.part_id
"""
HOLDERS = """
SELECT q.card_id, coalesce(nullif(holder.name, ''), holder.username, '') AS holder
  FROM pull_qualityhold q LEFT JOIN accounts_person holder ON holder.id = q.held_by_id
 WHERE q.card_id = ANY(%s) AND q.held_at <= %s AND (q.released_at IS NULL OR q.released_at > %s)
"""
