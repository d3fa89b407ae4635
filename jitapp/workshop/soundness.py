"""What must be true of any ledger after any accident, asked of the database in plain SQL.

Each question answers with the rows that are wrong, so an empty answer is a good one. They need nothing but a cursor
and stand apart from the rules on purpose: a mistake in `kanban` must not excuse itself. `manage.py verify` folds the
whole ledger besides.
"""

from __future__ import annotations

from typing import Any

MOST_SHOWN = 5

QUESTIONS: tuple[tuple[str, str], ...] = (
    (
        "loops whose event numbers have a gap, a double or another end than the loop's counter",
        """
        SELECT s.loop_id, s.seq, count(e.id) AS events, max(e.loop_seq) AS last
        FROM pull_loopstate s LEFT JOIN pull_event e ON e.loop_id = s.loop_id
        GROUP BY s.loop_id, s.seq
        HAVING count(e.id) <> s.seq OR coalesce(max(e.loop_seq), 0) <> s.seq OR count(DISTINCT e.loop_seq) <> s.seq
        """,
    ),
    (
        "card movements that do not begin where the one before ended (C4)",
        """
        SELECT * FROM (
            SELECT card_id, loop_seq, from_status, to_status,
                lag(to_status) OVER (PARTITION BY card_id ORDER BY loop_seq, id) AS before
            FROM pull_event WHERE card_id IS NOT NULL AND to_status <> ''
        ) moves WHERE before IS NOT NULL AND before <> from_status
        """,
    ),
    (
        "cards that stand elsewhere than their last movement says (C11)",
        """
        SELECT c.id, c.supply_status, last.to_status FROM pull_card c
        JOIN LATERAL (
            SELECT to_status FROM pull_event WHERE card_id = c.id AND to_status <> ''
            ORDER BY loop_seq DESC LIMIT 1
        ) last ON last.to_status <> c.supply_status
        """,
    ),
    (
        "scan ids with more than one receipt (C3)",
        "SELECT scan_id, count(*) FROM pull_receipt GROUP BY scan_id HAVING count(*) > 1",
    ),
    (
        "applied receipts without exactly one effect, and effects without an applied receipt (C3)",
        """
        SELECT coalesce(r.scan_id, e.scan_id), r.outcome, coalesce(e.effects, 0)
        FROM pull_receipt r
        FULL JOIN (
            SELECT scan_id, count(*) FILTER (WHERE type = 'scan.applied') AS effects
            FROM pull_event WHERE scan_id IS NOT NULL GROUP BY scan_id
        ) e ON e.scan_id = r.scan_id
        WHERE coalesce(e.effects, 0) <> CASE WHEN r.outcome = 'applied' THEN 1 ELSE 0 END
        """,
    ),
    (
        "cards that were emptied without one turn each, or have turns that nothing asked for (C2, C8)",
        """
        SELECT c.id, count(*) FILTER (WHERE e.opens) AS opened, count(*) FILTER (WHERE e.empties) AS emptied,
            c.turn_number, (SELECT count(*) FROM pull_turn t WHERE t.card_id = c.id) AS turns
        FROM pull_card c
        JOIN (
            SELECT card_id,
                type = 'turn.opened' OR (type = 'turn.released' AND data ? 'opens') AS opens,
                (type = 'card.emptied' AND to_status = 'EMPTY')
                    OR (type = 'card.activated' AND data->>'contents' = '0')
                    OR (type = 'scan.applied' AND data->>'intent' = 'activate' AND data->>'contents' = '0')
                    OR (type = 'scan.applied' AND data->>'intent' = 'empty' AND to_status = 'EMPTY') AS empties,
                type = 'card.booked' AS books
            FROM pull_event
        ) e ON e.card_id = c.id
        GROUP BY c.id, c.turn_number
        HAVING count(*) FILTER (WHERE e.opens) <> c.turn_number
            OR (SELECT count(*) FROM pull_turn t WHERE t.card_id = c.id) <> c.turn_number
            OR (NOT bool_or(e.books)
                AND count(*) FILTER (WHERE e.opens) <> count(*) FILTER (WHERE e.empties))
        """,
    ),
    (
        "turns that were started without drawing a component: a lost signal (C8)",
        """
        SELECT t.id, b.component_id FROM pull_turn t
        JOIN plant_loop l ON l.id = t.loop_id
        JOIN plant_station s ON s.id = t.supply_id AND s.kind = 'PROCESS' AND s.consumption = 'BACKFLUSH'
        JOIN plant_billofmaterials b ON b.parent_id = l.part_id
        WHERE l.consume_at IN ('START', 'RELEASE') AND t.started_at IS NOT NULL
            AND EXISTS (SELECT 1 FROM plant_loop f WHERE f.demand_id = s.id AND f.part_id = b.component_id
                AND f.status NOT IN ('DRAFT', 'RETIRED'))
            AND NOT EXISTS (SELECT 1 FROM pull_draw d JOIN plant_loop f ON f.id = d.loop_id
                WHERE d.turn_id = t.id AND f.part_id = b.component_id)
        """,
    ),
    (
        "draws whose pieces were taken twice or not at all (C8)",
        """
        SELECT d.turn_id, d.loop_id, d.drawn, coalesce(taken.pieces, 0) FROM pull_draw d
        JOIN pull_turn t ON t.id = d.turn_id
        LEFT JOIN LATERAL (
            SELECT sum((e.data->>'quantity')::numeric) AS pieces FROM pull_event e
            WHERE e.loop_id = d.loop_id AND e.type = 'card.drawn' AND e.data->>'by_turn' = t.uuid::text
        ) taken ON true
        WHERE d.drawn <> coalesce(taken.pieces, 0)
            OR (d.booked = 0 AND (SELECT sum(o.drawn + o.short) FROM pull_draw o JOIN plant_loop f ON f.id = o.loop_id
                JOIN plant_loop g ON g.id = d.loop_id AND g.part_id = f.part_id
                WHERE o.turn_id = d.turn_id) <> d.needed)
        """,
    ),
    (
        "runouts that are open on a loop with a usable container, or missing on one without (C9)",
        """
        SELECT l.id FROM plant_loop l
        LEFT JOIN pull_dry(now()) AS dry(loop_id) ON dry.loop_id = l.id
        LEFT JOIN pull_runout r ON r.loop_id = l.id AND r.closed_at IS NULL
        WHERE (r.id IS NOT NULL) <> (dry.loop_id IS NOT NULL)
        """,
    ),
    (
        "stations with more cards in process than their limit (C7)",
        """
        SELECT s.id, s.wip_limit, count(*) FROM plant_station s
        JOIN pull_turn t ON t.supply_id = s.id AND t.closed_at IS NULL AND t.step = 'IN_PROCESS'
        WHERE s.wip_limit IS NOT NULL GROUP BY s.id, s.wip_limit HAVING count(*) > s.wip_limit
        """,
    ),
)
SETTLED: tuple[tuple[str, str], ...] = (
    (
        "outbox rows that nobody has handled",
        "SELECT id, topic, key, attempts, last_error FROM outbox_message WHERE done_at IS NULL",
    ),
)


def troubles(cursor: Any, *, settled: bool = True) -> list[str]:
    """One sentence per question that has wrong rows, with the first of them.

    `settled`: the outbox is said to be drained, so waiting rows and turns without their draws are trouble as well.
    """
    found: list[str] = []
    for wrong, question in (*QUESTIONS, *SETTLED) if settled else QUESTIONS:
        if not settled and "lost signal" in wrong:
            continue
        cursor.execute(question)
        rows = cursor.fetchall()
        if rows:
            found.append(f"{len(rows)} {wrong}: {[tuple(map(str, row)) for row in rows[:MOST_SHOWN]]}")
    return found
