"""The statements of a board: its loops with their open runouts, their cards with open turns, the newest turns, and the
calendars. Each reads any number of loops.
"""

from __future__ import annotations

from jitapp.kanban.waits import PRECEDENCE

LOOPS = """
SELECT l.id, l.code, l.kind, l.status, l.hold_reason, l.quantity, l.max_empty_allowed, l.lead_time_minutes,
       p.number AS part, p.description, p.unit,
       d.code AS demand, d.name AS demand_name, s.code AS supply, s.name AS supply_name, s.kind AS supply_kind,
       coalesce(sup.name, '') AS supplier, coalesce(a.code, '') AS area, pl.time_zone, pl.id AS plant,
       d.calendar_id AS demand_calendar, coalesce(s.calendar_id, sup.calendar_id) AS supply_calendar,
       coalesce(st.seq, 0) AS seq, (SELECT coalesce(max(era), 0) FROM pull_history) AS era, st.near_since,
       r.opened_at AS dry_since, r.cause AS dry_cause, r.owner AS dry_owner, up.number AS dry_upstream,
       h.kind AS halt, h.since AS halt_since, h.owner AS halt_owner, h.who AS halt_who,
       (SELECT maker.name FROM plant_loop fed JOIN plant_station maker ON maker.id = fed.supply_id
         WHERE s.kind = 'SUPERMARKET' AND fed.demand_id = s.id AND fed.part_id = l.part_id
         ORDER BY fed.id LIMIT 1) AS maker
  FROM plant_loop l
  JOIN plant_part p ON p.id = l.part_id
  JOIN plant_station d ON d.id = l.demand_id
  JOIN plant_station s ON s.id = l.supply_id
  JOIN plant_plant pl ON pl.id = l.plant_id
  LEFT JOIN plant_area a ON a.id = d.area_id
  LEFT JOIN plant_supplier sup ON sup.id = s.supplier_id
  LEFT JOIN pull_loopstate st ON st.loop_id = l.id
  LEFT JOIN pull_runout r ON r.loop_id = l.id AND r.closed_at IS NULL
  LEFT JOIN pull_runout ur ON ur.id = r.upstream_id AND ur.closed_at IS NULL
  LEFT JOIN plant_loop ul ON ul.id = ur.loop_id
  LEFT JOIN plant_part up ON up.id = ul.part_id
  LEFT JOIN LATERAL ({halts}) h ON true
 WHERE l.status IN ('ACTIVE', 'ON_HOLD') AND {where}
"""

# What keeps a supply station from its work now, from the same sources as jitapp/pull/reading/waits.py. The first one
# in the order of precedence counts.
HALTS = """
       SELECT x.kind, x.since, x.owner, x.who FROM (
              SELECT kind, began_at AS since, '' AS owner, '' AS who FROM pull_stationstate
               WHERE station_id = s.id AND ended_at IS NULL
               UNION ALL
              SELECT CASE call.kind WHEN 'quality' THEN 'quality' ELSE 'down' END, call.called_at,
                     CASE WHEN call.owned_at IS NULL THEN '' ELSE 'person' END,
                     coalesce(nullif(taker.name, ''), taker.username, '')
                FROM pull_andoncall call LEFT JOIN accounts_person taker ON taker.id = call.owner_id
               WHERE call.station_id = s.id AND call.stops_line AND call.solved_at IS NULL
               UNION ALL
              SELECT 'starved', missing.opened_at, missing.owner, ''
                FROM pull_runout missing JOIN plant_loop fed ON fed.id = missing.loop_id
               WHERE missing.closed_at IS NULL AND fed.demand_id = s.id AND fed.id <> l.id
                 AND CASE s.kind WHEN 'SUPERMARKET' THEN fed.part_id = l.part_id
                     WHEN 'PROCESS' THEN EXISTS (SELECT 1 FROM plant_billofmaterials b
                          WHERE b.parent_id = l.part_id AND b.component_id = fed.part_id)
                     ELSE false END
                 AND NOT EXISTS (SELECT 1 FROM plant_loop other
                      WHERE other.demand_id = s.id AND other.part_id = fed.part_id
                        AND other.status NOT IN ('DRAFT', 'RETIRED')
                        AND NOT EXISTS (SELECT 1 FROM pull_runout same
                             WHERE same.loop_id = other.id AND same.closed_at IS NULL))
            ) x
        ORDER BY array_position(ARRAY[$ORDER], x.kind::text), x.since
        LIMIT 1
""".replace("$ORDER", ", ".join(f"'{halt.value}'" for halt in PRECEDENCE))

# The open turn is looked up card by card, by its index: joined, it was compared with every open turn of the plant where
# the planner's numbers were old, which made ten seconds of ten thousand loops.
CARDS = """
SELECT c.loop_id, c.code, c.number, c.card_status, c.supply_status, c.quantity, c.contents, c.blocked, c.note,
       c.moved_at,
       k.usable, t.number AS turn, t.signal_state, t.step, t.opened_at, t.released_at,
       t.started_at, t.completed_at, t.loaded_at, t.due_at, t.promised_at,
       t.owner, t.failed, t.owner_since, t.answer_late,
       gone.number AS gone_turn, of_gone.number AS gone_card, gone_from.code AS gone_loop,
       coalesce(w.reason, t.standing) AS standing,
       coalesce(w.opened_at, (t.stretches -> -1 ->> 2)::timestamptz) AS standing_since,
       coalesce(nullif(holder.name, ''), holder.username, '') AS holder
  FROM pull_card c
  JOIN pull_container k ON k.id = c.id
  LEFT JOIN LATERAL (
       SELECT * FROM pull_turn open WHERE open.card_id = c.id AND open.closed_at IS NULL LIMIT 1) t ON true
  LEFT JOIN pull_turn gone ON gone.uuid = t.demand_cancelled
  LEFT JOIN pull_card of_gone ON of_gone.id = gone.card_id
  LEFT JOIN plant_loop gone_from ON gone_from.id = gone.loop_id
  LEFT JOIN pull_wait w ON w.turn_id = t.id AND w.closed_at IS NULL AND w.reason = 'receiver_not_ready'
  LEFT JOIN pull_qualityhold q ON q.card_id = c.id AND q.released_at IS NULL
  LEFT JOIN accounts_person holder ON holder.id = q.held_by_id
 WHERE c.loop_id = ANY(%s) AND c.card_status NOT IN ('REMOVED', 'OBSOLETE', 'NEW')
 ORDER BY c.loop_id, c.number
"""

HISTORY_OF = """
SELECT l.id AS loop_id, h.opened_at, h.released_at, h.started_at, h.completed_at, h.loaded_at, h.closed_at, h.asked
  FROM unnest(%s::bigint[]) AS l(id)
 CROSS JOIN LATERAL (
       SELECT t.opened_at, t.released_at, t.started_at, t.completed_at, t.loaded_at, t.closed_at, t.asked
         FROM pull_turn t
        WHERE t.loop_id = l.id AND t.released_at IS NOT NULL AND t.signal_state <> 'CANCELLED'
        ORDER BY t.released_at DESC LIMIT %s) AS h
"""

CALENDARS = """
SELECT c.id, c.plant_id, c.is_default, pl.time_zone, c.shifts, c.holidays
  FROM plant_calendar c JOIN plant_plant pl ON pl.id = c.plant_id
 WHERE c.id = ANY(%s) OR (c.is_default AND c.plant_id = ANY(%s))
"""
