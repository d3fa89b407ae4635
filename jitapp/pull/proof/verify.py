"""Everything recomputed from the ledger, and every rule of the book held against the tables; reads only.

One snapshot: a single REPEATABLE READ transaction. `refold` folds the history and compares; what PostgreSQL can count
better is asked here in SQL.
"""

from __future__ import annotations

from django.db import connection, transaction

from jitapp.kanban.vocabulary import CardStatus, SupplyStatus
from jitapp.plant.configs import configs
from jitapp.pull.proof.differences import MOST_PER_RULE, RULES, Difference, Report, said
from jitapp.pull.proof.refold import refold

__all__ = ["MOST_PER_RULE", "RULES", "Report", "verify"]

OUTBOX_PATIENCE_S = 60

# Each answers with (loop, card, what, expected, found), and is empty where the rule holds.
CHECKS: tuple[tuple[str, str], ...] = (
    (
        "C1",
        """SELECT l.code, c.code, 'status', 'a status of the book', c.card_status || ' / ' || c.supply_status
        FROM pull_card c JOIN plant_loop l ON l.id = c.loop_id
        WHERE c.card_status <> ALL (%(card_statuses)s) OR c.supply_status <> ALL (%(supply_statuses)s)""",
    ),
    (
        "C2",
        """SELECT l.code, c.code, 'open turns', 'at most one', string_agg(t.number::text, ', ' ORDER BY t.number)
        FROM pull_turn t JOIN pull_card c ON c.id = t.card_id JOIN plant_loop l ON l.id = c.loop_id
        WHERE t.closed_at IS NULL GROUP BY l.code, c.code HAVING count(*) > 1""",
    ),
    (
        "C3",
        """SELECT l.code, c.code, 'scan ' || r.scan_id, CASE r.outcome WHEN 'applied' THEN 'events in the ledger'
            ELSE 'no event, because it was ' || r.outcome END, count(e.id) || ' events'
        FROM pull_receipt r LEFT JOIN pull_event e ON e.scan_id = r.scan_id
        LEFT JOIN pull_card c ON c.id = r.card_id LEFT JOIN plant_loop l ON l.id = r.loop_id
        GROUP BY l.code, c.code, r.scan_id, r.outcome HAVING (count(e.id) > 0) <> (r.outcome = 'applied')""",
    ),
    (
        "C3",
        """SELECT l.code, c.code, 'scan ' || e.scan_id, 'a receipt', 'none'
        FROM pull_event e LEFT JOIN pull_card c ON c.id = e.card_id LEFT JOIN plant_loop l ON l.id = e.loop_id
        WHERE e.scan_id IS NOT NULL AND e.ordinal = 0
            AND NOT EXISTS (SELECT 1 FROM pull_receipt r WHERE r.scan_id = e.scan_id)""",
    ),
    (
        "C3",
        """SELECT min(l.code), '', 'events of scan ' || e.scan_id, 'numbered 0 to ' || count(*) - 1,
            string_agg(e.ordinal::text, ', ' ORDER BY e.ordinal)
        FROM pull_event e LEFT JOIN plant_loop l ON l.id = e.loop_id WHERE e.scan_id IS NOT NULL
        GROUP BY e.scan_id
        HAVING min(e.ordinal) <> 0 OR max(e.ordinal) <> count(*) - 1 OR count(DISTINCT e.ordinal) <> count(*)""",
    ),
    (
        "C3",
        """SELECT l.code, c.code, 'stored answer of scan ' || r.scan_id, r.scan_id || ' ' || r.outcome || ' ' || c.code,
            concat_ws(' ', r.answer->>'id', r.answer->>'outcome', r.answer->'card'->>'code')
        FROM pull_receipt r LEFT JOIN pull_card c ON c.id = r.card_id LEFT JOIN plant_loop l ON l.id = r.loop_id
        WHERE r.answer->>'id' IS DISTINCT FROM r.scan_id::text OR r.answer->>'outcome' IS DISTINCT FROM r.outcome
            OR r.answer->'card'->>'code' IS DISTINCT FROM c.code OR length(r.fingerprint) <> 32""",
    ),
    (
        "C3",
        """SELECT l.code, c.code, 'card of scan ' || r.scan_id, 'the one on its receipt', e.card_id::text
        FROM pull_receipt r JOIN pull_event e ON e.scan_id = r.scan_id AND e.ordinal = 0
        JOIN pull_card c ON c.id = r.card_id JOIN plant_loop l ON l.id = c.loop_id
        WHERE e.card_id IS DISTINCT FROM r.card_id""",
    ),
    (
        "C3",
        """SELECT l.code, c.code, 'settlement of scan ' || r.scan_id,
            CASE WHEN t.id IS NULL THEN 'one, of ' || r.settled_at ELSE t.how || ' at ' || t.settled_at END,
            CASE WHEN t.id IS NULL THEN 'none' WHEN r.settled_at IS DISTINCT FROM t.settled_at
                THEN coalesce('at ' || r.settled_at, 'still waiting') ELSE 'the scan of it is not applied' END
        FROM pull_receipt r LEFT JOIN pull_settlement t ON t.receipt_id = r.id
        LEFT JOIN pull_receipt by_scan ON by_scan.scan_id = t.scan_id
        LEFT JOIN pull_card c ON c.id = r.card_id LEFT JOIN plant_loop l ON l.id = r.loop_id
        WHERE (r.settled_at IS NOT NULL OR t.id IS NOT NULL) AND (r.settled_at IS DISTINCT FROM t.settled_at
            OR (t.how = 'accepted' AND by_scan.outcome IS DISTINCT FROM 'applied'))""",
    ),
    (
        "C5",
        """SELECT l.code, c.code, 'turn ' || t.number, 'released before ' || t.step, t.signal_state
        FROM pull_turn t JOIN pull_card c ON c.id = t.card_id JOIN plant_loop l ON l.id = c.loop_id
        WHERE t.step <> '' AND (t.released_at IS NULL OR t.signal_state NOT IN ('RELEASED', 'ACKNOWLEDGED'))""",
    ),
    (
        "C6",
        """SELECT l.code, c.code, 'received for turn ' || t.number, trim_scale(t.asked) || ', or a reason',
            trim_scale(t.received)::text
        FROM pull_turn t JOIN pull_card c ON c.id = t.card_id JOIN plant_loop l ON l.id = c.loop_id
        WHERE t.received <> t.asked AND t.reason = ''""",
    ),
    (
        "C7",
        """SELECT '', '', 'cards in process at ' || s.code, 'at most ' || s.wip_limit, count(*)::text
        FROM plant_station s JOIN pull_turn t ON t.supply_id = s.id AND t.step = 'IN_PROCESS' AND t.closed_at IS NULL
        WHERE s.wip_limit IS NOT NULL GROUP BY s.id HAVING count(*) > s.wip_limit""",
    ),
    (
        "C8",
        """SELECT l.code, c.code, 'signal of the emptied card', 'an open turn', 'none'
        FROM pull_card c JOIN plant_loop l ON l.id = c.loop_id
        WHERE c.card_status = 'IN_CIRCULATION' AND l.trigger <> 'ON_QTY'
            AND c.supply_status NOT IN ('FULL', 'IN_USE', 'WAIT')
            AND NOT EXISTS (SELECT 1 FROM pull_turn t WHERE t.card_id = c.id AND t.closed_at IS NULL)""",
    ),
    (
        "C8",
        """SELECT min(l.code), '', 'pieces that turn ' || t.uuid || ' drew of ' || p.number,
            'at most ' || trim_scale(max(d.needed)), trim_scale(sum(d.drawn))::text
        FROM pull_draw d JOIN pull_turn t ON t.id = d.turn_id JOIN plant_loop l ON l.id = d.loop_id
        JOIN plant_part p ON p.id = l.part_id
        GROUP BY t.uuid, p.number HAVING sum(d.drawn) > max(d.needed)""",
    ),
    (
        "C9",
        """SELECT l.code, '', 'call of the runout since ' || r.opened_at,
            CASE WHEN a.id IS NULL THEN 'one' ELSE 'solved with the runout' END,
            CASE WHEN a.id IS NULL THEN 'none' ELSE 'still open' END
        FROM pull_runout r JOIN plant_loop l ON l.id = r.loop_id LEFT JOIN pull_andoncall a ON a.runout_id = r.id
        WHERE CASE WHEN r.closed_at IS NULL THEN a.id IS NULL ELSE a.id IS NOT NULL AND a.solved_at IS NULL END
            AND NOT EXISTS (SELECT 1 FROM outbox_message m WHERE m.key = r.loop_id AND m.done_at IS NULL)""",
    ),
    (
        "C9",
        """SELECT l.code, '', 'call of the runout since ' || r.opened_at,
            concat_ws(', ', 'called at ' || called.occurred_at, 'solved at ' || solved.occurred_at),
            concat_ws(', ', 'called at ' || a.called_at, 'solved at ' || a.solved_at)
        FROM pull_andoncall a JOIN pull_runout r ON r.id = a.runout_id JOIN plant_loop l ON l.id = r.loop_id
        LEFT JOIN pull_event called ON called.type = 'andon.called' AND called.loop_id = r.loop_id
            AND called.data->>'call' = a.uuid::text
        LEFT JOIN pull_event solved ON solved.type = 'andon.solved' AND solved.loop_id = r.loop_id
            AND solved.data->>'call' = a.uuid::text
        WHERE (called.occurred_at, solved.occurred_at) IS DISTINCT FROM (a.called_at, a.solved_at)""",
    ),
    (
        "C10",
        """SELECT l.code, c.code, 'who must act on turn ' || t.number, 'one party, and since when',
            coalesce(nullif(t.owner, ''), 'nobody') || ' since ' || coalesce(t.owner_since::text, 'never')
        FROM pull_turn t JOIN pull_card c ON c.id = t.card_id JOIN plant_loop l ON l.id = c.loop_id
        WHERE t.closed_at IS NULL AND (t.owner = '' OR t.owner_since IS NULL)""",
    ),
    (
        "C11",
        """SELECT '', '', 'trigger ' || want.name, 'on ' || want.relation,
            CASE WHEN g.oid IS NULL THEN 'missing' ELSE 'switched off' END
        FROM (VALUES ('event_grows_only', 'pull_event'), ('event_not_truncated', 'pull_event'),
            ('receipt_not_deleted', 'pull_receipt'), ('receipt_not_truncated', 'pull_receipt'),
            ('receipt_only_settled', 'pull_receipt'), ('settlement_grows_only', 'pull_settlement'),
            ('settlement_not_truncated', 'pull_settlement')) AS want(name, relation)
        LEFT JOIN pg_trigger g ON g.tgname = want.name AND g.tgrelid = want.relation::regclass
        WHERE g.oid IS NULL OR g.tgenabled NOT IN ('O', 'A')""",
    ),
    (
        "C12",
        """SELECT l.code, c.code, 'released turn ' || t.number, 'none, because the card is ' || c.card_status,
            t.signal_state
        FROM pull_card c JOIN pull_turn t ON t.card_id = c.id AND t.closed_at IS NULL
        JOIN plant_loop l ON l.id = c.loop_id
        WHERE c.card_status IN ('HELD', 'LOST', 'SURPLUS', 'OBSOLETE', 'REMOVED')
            AND t.signal_state IN ('RELEASED', 'ACKNOWLEDGED') AND NOT t.to_recall""",
    ),
    (
        "C14",
        """SELECT l.code, '', 'open turns', 'at most ' || cards.n, turns.n::text
        FROM plant_loop l
        JOIN (SELECT loop_id, count(*) n FROM pull_turn WHERE closed_at IS NULL GROUP BY 1) turns
            ON turns.loop_id = l.id
        LEFT JOIN (SELECT loop_id, count(*) n FROM pull_card WHERE card_status <> 'REMOVED' GROUP BY 1) cards
            ON cards.loop_id = l.id
        WHERE turns.n > coalesce(cards.n, 0)""",
    ),
    (
        "C14",
        """SELECT l.code, c.code, 'pieces', 'contents, and at least the ' || trim_scale(c.booked) || ' booked',
            trim_scale(c.contents)::text
        FROM pull_card c JOIN plant_loop l ON l.id = c.loop_id
        WHERE c.contents < 0 OR c.booked < 0 OR c.booked > c.contents""",
    ),
    (
        "C11",
        """SELECT l.code, c.code, 'wait (' || w.reason || ') of turn ' || t.number, 'ended with the turn', 'still open'
        FROM pull_wait w JOIN pull_turn t ON t.id = w.turn_id JOIN pull_card c ON c.id = t.card_id
        JOIN plant_loop l ON l.id = t.loop_id
        WHERE w.closed_at IS NULL AND t.closed_at IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM outbox_message m WHERE m.key = t.loop_id AND m.done_at IS NULL)""",
    ),
    (
        "C11",
        """WITH spans AS (
            SELECT coalesce((e.data->>'began')::uuid, e.uuid) AS uuid, e.station_id,
                CASE e.type WHEN 'station.changeover' THEN 'setup' WHEN 'station.breakdown' THEN 'down'
                    ELSE substr(e.type, 9) END AS kind,
                (e.data->>'started_at')::timestamptz AS began_at, (e.data->>'ended_at')::timestamptz AS ended_at
            FROM pull_event e WHERE e.loop_id IS NULL AND e.type IN
                ('station.changeover', 'station.breakdown', 'station.no_operator', 'station.planned_stop')
        ), told AS (
            SELECT uuid, station_id, kind, began_at, ended_at FROM spans
            UNION ALL
            SELECT e.uuid, e.station_id, coalesce(e.data->>'state', 'setup'), e.occurred_at, NULL
            FROM pull_event e WHERE e.loop_id IS NULL
                AND e.type IN ('station.changeover_began', 'station.stands_still')
                AND NOT EXISTS (SELECT 1 FROM spans WHERE spans.uuid = e.uuid)
        )
        SELECT '', '', 'state of station ' || coalesce(s.code, '?') || ' since ' || coalesce(t.began_at, r.began_at),
            coalesce(t.kind || ' until ' || coalesce(t.ended_at::text, 'now'), 'none'),
            coalesce(r.kind || ' until ' || coalesce(r.ended_at::text, 'now'), 'none')
        FROM told t FULL JOIN pull_stationstate r ON r.uuid = t.uuid
        LEFT JOIN plant_station s ON s.id = coalesce(t.station_id, r.station_id)
        WHERE (t.station_id, t.kind, t.began_at, t.ended_at)
            IS DISTINCT FROM (r.station_id, r.kind::text, r.began_at, r.ended_at)""",
    ),
    (
        "I6",
        """SELECT l.code, c.code, 'event ' || e.uuid, 'a place in the feed',
            'transaction ' || e.place || ' of era ' || e.era || ', which is yet to come'
        FROM pull_event e LEFT JOIN plant_loop l ON l.id = e.loop_id LEFT JOIN pull_card c ON c.id = e.card_id,
            (SELECT coalesce(max(era), 0) AS era FROM pull_history) h
        WHERE e.era > h.era OR (e.era = h.era AND e.place >= pg_snapshot_xmax(pg_current_snapshot())
            AND e.place IS DISTINCT FROM pg_current_xact_id_if_assigned())""",
    ),
    (
        "I6",
        """SELECT l.code, '', 'event ' || o.loop_seq || ' of the loop', 'in the feed after event ' || o.loop_seq - 1,
            'before it'
        FROM (SELECT loop_id, loop_seq, (era, place, id) < lag((era, place, id)) OVER of_loop AS is_before
            FROM pull_event WHERE loop_id IS NOT NULL WINDOW of_loop AS (PARTITION BY loop_id ORDER BY loop_seq)) o
        JOIN plant_loop l ON l.id = o.loop_id WHERE o.is_before""",
    ),
    (
        "I8",
        """SELECT l.code, '', 'outbox message ' || m.id || ' (' || m.topic || ')', 'handled',
            'given up after ' || m.attempts || ' attempts: ' || left(m.last_error, 200)
        FROM outbox_message m LEFT JOIN plant_loop l ON l.id = m.key
        WHERE m.dead_at IS NOT NULL AND m.done_at IS NULL""",
    ),
)
WAITING = """
    SELECT l.code, '', 'outbox message ' || m.id || ' (' || m.topic || ')', 'handled within a minute',
        'waiting since ' || m.created_at
    FROM outbox_message m LEFT JOIN plant_loop l ON l.id = m.key
    WHERE m.done_at IS NULL AND m.dead_at IS NULL AND m.created_at < now() - make_interval(secs => %(patience)s)"""


def verify() -> Report:
    """Recomputes everything in one snapshot. Inside a transaction of the caller's it sees what that sees."""
    report = Report()
    outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # A ledger of years takes longer than a page may.
        cursor.execute("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
        settings = configs()
        refold(report, settings)
        _ask(report)
    return report


def _ask(report: Report) -> None:
    words = {
        "card_statuses": [status.value for status in CardStatus],
        "supply_statuses": [status.value for status in SupplyStatus],
    }
    with connection.cursor() as cursor:
        for rule, sql in CHECKS:
            cursor.execute(sql, words)
            for row in cursor:
                report.add(_asked(rule, row))
        cursor.execute(WAITING, {"patience": OUTBOX_PATIENCE_S})
        report.warnings += [_asked("I8", row) for row in cursor.fetchall()]
        cursor.execute("SELECT count(*) FROM pull_event")
        report.events = cursor.fetchone()[0]


def _asked(rule: str, row: tuple[str | None, ...]) -> Difference:
    loop, card, what, expected, found = row
    return Difference(rule, loop or "", card or "", what or "it", said(expected), said(found))
